//! The Slack source as the binary uses it: requests in, answers and drafts out.

#[cfg(test)]
mod gate;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod mentions;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod releases;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod specs;
#[cfg(test)]
mod written;
