//! The headers of segments and batches, byte for byte. `docs/queue-format.md` draws them.
//!
//! All numbers are little endian. Frames are in `frame.rs` and `keys.rs`.

use crate::Seq;
use headgate_event::EventId;

/// What every segment begins with.
const SEGMENT_MAGIC: [u8; 8] = *b"HEADGATE";
/// The newest format that is read, and the one that is written.
pub(super) const FORMAT_VERSION: u32 = 1;
/// The length of a segment's header, in every version.
pub(super) const SEGMENT_HEADER_BYTES: usize = 64;
/// The same, as an offset.
pub(super) const SEGMENT_START: u64 = SEGMENT_HEADER_BYTES as u64;
/// What every batch begins with. As a number it is larger than any frame is long, so that the
/// first four bytes tell a batch from a frame.
pub(super) const BATCH_MAGIC: [u8; 4] = *b"HGB1";
/// The length of a batch's header.
pub(super) const BATCH_HEADER_BYTES: usize = 48;

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// The first sequence that the segment holds or will hold.
    pub first_seq: Seq,
    /// Random bits that every batch of the segment repeats: bytes from outside inside a frame
    /// cannot pass for a batch.
    pub tag: u64,
    /// The first sequence of the segment before; 0 when this is the first.
    pub previous: Seq,
    /// The length of the segment before.
    pub previous_end: u64,
    /// The id of the event before; all zero when there is none.
    pub last_id: EventId,
}

/// The header of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchHeader {
    /// The tag of the segment.
    pub tag: u64,
    /// The sequence of the first frame.
    pub first_seq: Seq,
    /// Everything in this segment before this offset was durable when the batch was written.
    pub durable_end: u64,
    /// How many frames there are.
    pub count: u32,
    /// The length of all frames together.
    pub payload_bytes: u32,
    /// The crc32c of all frames together.
    pub payload_crc: u32,
}

/// Why bytes are no header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// They are not what was written.
    Broken(&'static str),
    /// A later version wrote them.
    Newer(u32),
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.tag.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.previous.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.previous_end.to_le_bytes());
        bytes[48..64].copy_from_slice(&self.last_id.to_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Magic, version and checksum have their place in every version.
    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<Self, HeaderError> {
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(HeaderError::Broken("it does not begin as a segment"));
        }
        let mut checked = *bytes;
        checked[12..16].fill(0);
        if number_u32(bytes, 12) != crc32c::crc32c(&checked) {
            return Err(HeaderError::Broken("the checksum of the segment's header does not fit"));
        }
        match number_u32(bytes, 8) {
            FORMAT_VERSION => {}
            0 => return Err(HeaderError::Broken("format version 0 was never written")),
            newer => return Err(HeaderError::Newer(newer)),
        }
        Ok(Self {
            first_seq: number_u64(bytes, 16),
            tag: number_u64(bytes, 24),
            previous: number_u64(bytes, 32),
            previous_end: number_u64(bytes, 40),
            last_id: id_at(bytes, 48),
        })
    }
}

impl BatchHeader {
    pub(super) fn encode(&self) -> [u8; BATCH_HEADER_BYTES] {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        bytes[..4].copy_from_slice(&BATCH_MAGIC);
        bytes[8..16].copy_from_slice(&self.tag.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable_end.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.count.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.payload_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header in these bytes, whatever its tag: they were kept elsewhere.
    pub(super) fn decode_own(bytes: &[u8; BATCH_HEADER_BYTES]) -> Option<Self> {
        Self::decode(bytes, number_u64(bytes, 8))
    }

    /// The header in these bytes, when they are one of the segment with this tag.
    pub(super) fn decode(bytes: &[u8; BATCH_HEADER_BYTES], tag: u64) -> Option<Self> {
        if bytes[..4] != BATCH_MAGIC || number_u64(bytes, 8) != tag {
            return None;
        }
        let mut checked = *bytes;
        checked[4..8].fill(0);
        (number_u32(bytes, 4) == crc32c::crc32c(&checked)).then(|| Self {
            tag,
            first_seq: number_u64(bytes, 16),
            durable_end: number_u64(bytes, 24),
            count: number_u32(bytes, 32),
            payload_bytes: number_u32(bytes, 36),
            payload_crc: number_u32(bytes, 40),
        })
    }
}

/// The name of the file of the segment that begins with this sequence.
pub(super) fn file_name(first_seq: Seq) -> String {
    format!("{first_seq:020}.seg")
}

/// The first sequence of the segment with this file name; `None` for other files.
pub(super) fn first_seq_of(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(".seg")?;
    let seq = digits.parse().ok()?;
    (file_name(seq) == name).then_some(seq)
}

/// The four bytes at a fixed place of a header, as a number.
pub(super) fn number_u32<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The eight bytes at a fixed place of a header, as a number.
pub(super) fn number_u64<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// The sixteen bytes at a fixed place of a header, as an id.
pub(super) fn id_at<const N: usize>(bytes: &[u8; N], at: usize) -> EventId {
    let mut sixteen = [0; 16];
    sixteen.copy_from_slice(&bytes[at..at + 16]);
    EventId::from_bytes(sixteen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::Timestamp;

    fn segment() -> SegmentHeader {
        let last_id = EventId::from_parts(Timestamp::from_unix_ms(5), 6);
        SegmentHeader { first_seq: 1, tag: 2, previous: 3, previous_end: 4, last_id }
    }

    #[test]
    fn the_header_of_a_segment_is_read_as_it_was_written() {
        assert_eq!(SegmentHeader::decode(&segment().encode()), Ok(segment()));
    }

    #[test]
    fn a_flipped_bit_in_any_byte_breaks_the_header_of_a_segment() {
        for at in 0..SEGMENT_HEADER_BYTES {
            let mut bytes = segment().encode();
            bytes[at] ^= 1;
            assert!(matches!(SegmentHeader::decode(&bytes), Err(HeaderError::Broken(_))), "{at}");
        }
    }

    #[test]
    fn a_segment_of_a_later_version_is_told_from_a_broken_one() {
        let mut bytes = segment().encode();
        bytes[8] = 7;
        bytes[12..16].fill(0);
        let crc = crc32c::crc32c(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderError::Newer(7)));
    }

    #[test]
    fn a_flipped_bit_in_any_byte_breaks_the_header_of_a_batch() {
        let header = BatchHeader {
            tag: 9,
            first_seq: 8,
            durable_end: 7,
            count: 6,
            payload_bytes: 5,
            payload_crc: 4,
        };
        assert_eq!(BatchHeader::decode(&header.encode(), 9), Some(header));
        assert_eq!(BatchHeader::decode(&header.encode(), 10), None);
        for at in 0..BATCH_HEADER_BYTES {
            let mut bytes = header.encode();
            bytes[at] ^= 1;
            assert_eq!(BatchHeader::decode(&bytes, 9), None, "{at}");
        }
    }

    #[test]
    fn a_file_name_is_that_of_one_segment_or_of_none() {
        assert_eq!(first_seq_of(&file_name(42)), Some(42));
        assert_eq!(file_name(42), "00000000000000000042.seg");
        for name in ["42.seg", "00000000000000000042", "+0000000000000000042.seg", "x.seg", ""] {
            assert_eq!(first_seq_of(name), None, "{name}");
        }
    }
}
