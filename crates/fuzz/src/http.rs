//! The heads of requests.

use crate::Parts;

/// A head is judged the same however it arrives, and its body ends where it says.
pub(crate) fn head(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let lengths: Vec<usize> = (0..parts.byte() % 8).map(|_| usize::from(parts.byte())).collect();
    headgate_http::fuzzing::head(parts.rest(), &lengths, 4096);
    let one_by_one = vec![1; parts.rest().len().min(600)];
    headgate_http::fuzzing::head(parts.rest(), &one_by_one, 512);
}
