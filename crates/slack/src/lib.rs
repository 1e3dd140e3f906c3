//! Slack: every event that it sends, proved, and the event it becomes here.
//!
//! This crate opens no socket and reads no clock, file or environment.
