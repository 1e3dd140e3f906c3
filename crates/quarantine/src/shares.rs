//! What each channel has of the quarantine, so that one that is attacked pushes out its own.

use std::collections::BTreeMap;

/// The rejections of each channel by their codes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares {
    channels: BTreeMap<String, BTreeMap<String, Share>>,
    total: Share,
}

/// A number of rejections and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// What is compared between shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Count,
    Bytes,
}

impl Shares {
    /// All together.
    pub(crate) fn total(&self) -> Share {
        self.total
    }

    /// Notes one more.
    pub(crate) fn add(&mut self, channel: &str, code: &str, added: Share) {
        let codes = self.channels.entry(channel.to_owned()).or_default();
        codes.entry(code.to_owned()).or_default().add(added);
        self.total.add(added);
    }

    /// Notes that some left.
    pub(crate) fn remove(&mut self, channel: &str, code: &str, removed: Share) {
        let Some(codes) = self.channels.get_mut(channel) else { return };
        let Some(share) = codes.get_mut(code) else { return };
        share.remove(removed);
        self.total.remove(removed);
        if share.count == 0 {
            codes.remove(code);
        }
        if codes.is_empty() {
            self.channels.remove(channel);
        }
    }

    /// The channel that has most, and the code of which it has most.
    pub(crate) fn largest(&self, measure: Measure) -> Option<(&str, &str)> {
        let of = |codes: &BTreeMap<String, Share>| -> u64 {
            codes.values().map(|share| share.by(measure)).sum()
        };
        let (channel, codes) = self.channels.iter().max_by_key(|(_, codes)| of(codes))?;
        let (code, _) = codes.iter().max_by_key(|(_, share)| share.by(measure))?;
        Some((channel, code))
    }
}

impl Share {
    fn by(self, measure: Measure) -> u64 {
        match measure {
            Measure::Count => self.count,
            Measure::Bytes => self.bytes,
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
    }

    fn remove(&mut self, other: Self) {
        self.count = self.count.saturating_sub(other.count);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Share = Share { count: 1, bytes: 10 };

    #[test]
    fn the_channel_with_most_gives_and_of_it_the_code_with_most() {
        let mut shares = Shares::default();
        for code in ["x", "y", "z"] {
            shares.add("attacked", code, ONE);
        }
        shares.add("attacked", "y", ONE);
        shares.add("quiet", "x", ONE);
        shares.add("quiet", "x", Share { count: 1, bytes: 100 });
        assert_eq!(shares.largest(Measure::Count), Some(("attacked", "y")));
        assert_eq!(shares.largest(Measure::Bytes), Some(("quiet", "x")));
        assert_eq!(shares.total(), Share { count: 6, bytes: 150 });
    }

    #[test]
    fn what_left_is_forgotten() {
        let mut shares = Shares::default();
        shares.add("a", "x", ONE);
        shares.remove("a", "x", ONE);
        shares.remove("a", "x", ONE);
        assert_eq!((shares.total(), shares.largest(Measure::Count)), (Share::default(), None));
        assert!(shares.channels.is_empty());
    }
}
