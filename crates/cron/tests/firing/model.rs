//! What should have happened, kept beside what did.
