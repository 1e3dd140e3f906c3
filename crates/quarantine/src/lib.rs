//! The quarantine: refused requests, kept as they came and within bounds, for admins only.
//!
//! It is one SQLite file of its own, apart from what is stored of events: nothing in it is truth
//! that anything else rests on, and it can be deleted. [`Quarantine`] takes rejections without
//! waiting; one thread writes them, at a bounded rate, so that a flood of forgeries costs proven
//! requests neither time nor disk. What a rejection means, and whether it would be taken with
//! other secrets, is not known here.

mod bounds;
pub use bounds::Bounds;

mod id;
pub use id::{RejectionId, RejectionIdError};

mod kept;
pub use kept::{Filter, Kept, Order, Page, Query, Summary};

mod error;
pub use error::{OpenError, QuarantineError};

mod quarantine;
pub use quarantine::Quarantine;

mod file;
mod shares;
mod waiting;
mod writer;
