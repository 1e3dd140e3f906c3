//! The program `headgate`. All of it is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request makes some hundred short-lived allocations, made by one thread and freed by another;
/// the system's allocator spent a fifth of the gateway's time on them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    headgate::run(std::env::args_os())
}
