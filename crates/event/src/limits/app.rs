//! The limits of events that applications emit, and of the keys they do it with.

use std::time::Duration;

/// The longest id that an application gives, in bytes: of an event, a flow, a deal, a session.
pub const APP_ID_BYTES_MAX: usize = 512;
/// The longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// The memory of the filter that spares looks for the names of events, in bytes: enough for some
/// twenty million of them. Beyond it the index is asked again.
pub const NAME_FILTER_BYTES_MAX: usize = 48 << 20;
/// How far ahead of our clock the time may be that an application says something happened at.
pub const APP_TIME_AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);
/// The most types that a catalog has.
pub const CATALOG_TYPES_MAX: usize = 10_000;
/// The longest description of a type in a catalog, in bytes.
pub const CATALOG_DESCRIPTION_BYTES_MAX: usize = 500;
/// How many of the nearest types are named where a type is not in the catalog.
pub const CATALOG_NEAREST_MAX: usize = 3;
/// The largest file of a catalog, in bytes.
pub const CATALOG_FILE_BYTES_MAX: u64 = 8 << 20;
/// The most secrets of an API key: one, and one that takes its place.
pub const API_KEY_SECRETS_MAX: usize = 2;
/// The longest name of an attribute of a CloudEvent, in bytes. The specification advises 20.
pub const CLOUD_NAME_BYTES_MAX: usize = 64;
/// The longest attribute of a CloudEvent, in bytes.
pub const CLOUD_VALUE_BYTES_MAX: usize = 2_048;
/// The most extension attributes of a CloudEvent.
pub const CLOUD_EXTENSIONS_MAX: usize = 64;
