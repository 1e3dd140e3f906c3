//! The program `headgate`. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    headgate::run(std::env::args_os())
}
