//! E-mail: a message becomes one event that says who sent it, what is new in it and what hangs on
//! it.
//!
//! This crate reads no clock, file or environment: times and keys come in as arguments.

pub mod smtp;
