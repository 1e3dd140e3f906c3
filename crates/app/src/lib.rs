//! Events that an application emits: what one has to be, which types there are, and the draft that
//! is stored of it.
//!
//! An emission comes in one of three shapes: Headgate's own, the envelope, or a CloudEvent. All
//! become an [`Emission`], which is checked against the [`Catalog`] and drafted. There is no socket
//! here and no clock; the API receives.

mod emission;
pub use emission::{Emission, EmissionError, Form, Payload};

mod ask;
pub use ask::{EmitAsk, EnvelopeAsk};

mod cloud;

mod catalog;
pub use catalog::{Audit, Catalog, CatalogError, CatalogType};

mod draft;
pub use draft::{Chance, Emitter};

mod words;
