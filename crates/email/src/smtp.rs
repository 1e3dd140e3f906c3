//! Receiving mail by SMTP (RFC 5321): what is said, when it is legal, and where a message ends.
//!
//! [`Session`] is the protocol without a socket or a clock; [`serve`] is the shell around it. What
//! a message means, and where it is stored, is not known here: that is behind [`Recipients`] and
//! [`Mailbox`]. `250` after a message leaves only when [`Mailbox::deliver`] said
//! [`Delivered::Stored`].

mod address;
pub use address::{Address, AddressError};

mod command;
mod line;

mod reply;
pub use reply::Reply;

mod data;
mod received;

mod directory;
pub use directory::{AddressPattern, Directory, MailChannel, PatternError};

mod ports;
pub use ports::{Delivered, Letter, Mailbox, Match, Recipient, Recipients, Routed};

mod session;
pub use session::{
    BareNewlines, Conditions, Disk, Load, Peer, Posted, Session, SessionRules, Step, TlsOffer,
};

mod seats;

mod server;
pub use server::{Encryption, SmtpOptions, SmtpPorts, SmtpReport, serve};
