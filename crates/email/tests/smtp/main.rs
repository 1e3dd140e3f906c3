//! Receiving mail by SMTP: what is said, what is stored, and what is refused.

#[cfg(test)]
mod wire;

#[cfg(test)]
mod battery;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod order;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod transcripts;
