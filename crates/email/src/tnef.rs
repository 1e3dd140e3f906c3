//! The names and sizes of the files in a winmail.dat (MS-OXTNEF 2.1): a flat list of attributes, of
//! which two are read. Its bytes are never unpacked.

use crate::filename;
use headgate_event::{data::Contained, limits::MAIL_TNEF_FILES_MAX};

const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// `attAttachRendData`: another file begins.
const FILE_BEGINS: u32 = 0x0006_9002;
/// `attAttachTitle`: its short name.
const FILE_NAME: u32 = 0x0001_8010;
/// `attAttachData`: its bytes.
const FILE_BYTES: u32 = 0x0006_800f;

/// The files in it; none when it is no TNEF.
pub(crate) fn files(bytes: &[u8]) -> Vec<Contained> {
    let mut files: Vec<Contained> = Vec::new();
    // The signature and a key of two bytes.
    let Some(mut rest) = bytes.strip_prefix(&SIGNATURE).and_then(|rest| rest.get(2..)) else {
        return files;
    };
    // Level (1), attribute (4), length (4), the bytes, a checksum (2).
    while let Some((attribute, value, after)) = attribute(rest) {
        rest = after;
        match attribute {
            FILE_BEGINS if files.len() == MAIL_TNEF_FILES_MAX => break,
            FILE_BEGINS => {
                let filename = format!("file-{}.bin", files.len() + 1);
                files.push(Contained { filename, size_bytes: 0 });
            }
            FILE_NAME => {
                let name = String::from_utf8_lossy(value);
                let name = filename::safe(name.trim_end_matches('\0'));
                if let Some((file, name)) = files.last_mut().zip(name) {
                    file.filename = name;
                }
            }
            FILE_BYTES => {
                if let Some(file) = files.last_mut() {
                    file.size_bytes = value.len() as u64;
                }
            }
            _ => {}
        }
    }
    files
}

fn attribute(rest: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let number = |at: usize| {
        let bytes: [u8; 4] = rest.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let (attribute, length) = (number(1)?, usize::try_from(number(5)?).ok()?);
    let end = 9usize.checked_add(length)?;
    Some((attribute, rest.get(9..end)?, rest.get(end + 2..)?))
}
