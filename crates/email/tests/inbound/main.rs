//! What providers hand over, as the binary takes it: requests in, answers and drafts out.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod gate;
mod letter;
mod senders;

mod forms;
mod held;
mod proofs;
mod releases;
mod ses;
mod terms;
