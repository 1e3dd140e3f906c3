//! The `data` of an event, one struct for each type of channel.
//!
//! On the wire `data` is a JSON object; [`Event`](crate::Event) gives it as the struct that fits
//! its type. Fields are only ever added; what a struct does not know is ignored.

mod app;
mod cron;
mod email;
mod slack;
mod webhook;

pub use app::{AppData, AppParts};
pub use cron::{CronData, CronDst, CronTrigger};
pub use email::{
    Attachment, Auth, AuthResult, AutoFlags, Calendar, Contained, EmailData, Envelope, MailHeader,
    Place, TransferEncoding,
};
pub use slack::{SlackData, SlackParts, SlackRaw};
pub use webhook::{WebhookData, WebhookParts};
