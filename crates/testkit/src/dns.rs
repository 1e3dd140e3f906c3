//! A DNS server on loopback that knows what a table says, over UDP.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// The names that are known, in lower case without a final dot, each with its records: a kind
/// (`TXT`, `A`, `AAAA`, `MX`, `CNAME`, `PTR`) and a value. A record `SILENT` means that no question
/// about the name is answered.
pub type Names = BTreeMap<String, Vec<Vec<String>>>;

/// A server. It stops when this is dropped.
#[derive(Debug)]
pub struct DnsServer {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

/// What the header of an answer says: an answer, recursion available; and the same with "no such
/// name".
const FOUND: [u8; 2] = [0x81, 0x80];
const NO_SUCH_NAME: [u8; 2] = [0x81, 0x83];
/// Where the name of the question is, as answers refer to it (RFC 1035, 4.1.4).
const NAME_OF_QUESTION: [u8; 2] = [0xc0, 0x0c];
/// The class of the Internet and a time to live of a minute.
const CLASS_AND_TTL: [u8; 6] = [0, 1, 0, 0, 0, 60];

impl DnsServer {
    /// Serves a table on a free port of loopback.
    pub fn start(names: Names) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let (asked, stopped) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let (noting, stopping) = (Arc::clone(&asked), Arc::clone(&stopped));
        let serving = thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let question = question.get(..length).unwrap_or_default();
                if let Some(answer) = answer(&names, question, &noting) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Ok(Self { address, asked, stopped, serving: Some(serving) })
    }

    /// The names that were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Any datagram wakes it.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(&[], self.address);
        }
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// The answer to a question; none where the table is silent, or the bytes are no question.
fn answer(names: &Names, question: &[u8], asked: &Mutex<Vec<String>>) -> Option<Vec<u8>> {
    let (name, end) = name_of(question)?;
    let kind = u16::from_be_bytes([*question.get(end)?, *question.get(end + 1)?]);
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
    let known = names.get(&name);
    let records = known.map_or(&[][..], Vec::as_slice);
    let is = |record: &[String], kind: &str| record.first().is_some_and(|found| found == kind);
    if records.iter().any(|record| is(record, "SILENT")) {
        return None;
    }
    let wanted = match kind {
        1 => "A",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        _ => "",
    };
    let fits = |record: &&Vec<String>| is(record, wanted);
    let data: Vec<Vec<u8>> =
        records.iter().filter(fits).filter_map(|record| data_of(wanted, record.get(1)?)).collect();
    let mut answer = question.get(..2)?.to_vec();
    answer.extend(if known.is_some() { FOUND } else { NO_SUCH_NAME });
    answer.extend([0, 1]);
    answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question.get(12..end + 4)?);
    for data in data {
        answer.extend(NAME_OF_QUESTION);
        answer.extend(kind.to_be_bytes());
        answer.extend(CLASS_AND_TTL);
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

/// The name of a question in lower case, and where it ends.
fn name_of(question: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = question.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        at += length;
    }
}

/// The data of a record (RFC 1035, 3.3 and 3.4; RFC 3596, 2.2).
fn data_of(kind: &str, value: &str) -> Option<Vec<u8>> {
    match kind {
        "TXT" => {
            let mut data = Vec::new();
            for piece in value.as_bytes().chunks(255) {
                data.push(u8::try_from(piece.len()).ok()?);
                data.extend(piece);
            }
            Some(data)
        }
        "MX" => Some([vec![0, 10], name(value)?].concat()),
        "PTR" => name(value),
        _ => match value.parse().ok()? {
            IpAddr::V4(address) => Some(address.octets().to_vec()),
            IpAddr::V6(address) => Some(address.octets().to_vec()),
        },
    }
}

fn name(text: &str) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    for label in text.trim_end_matches('.').split('.') {
        data.push(u8::try_from(label.len()).ok()?);
        data.extend(label.as_bytes());
    }
    data.push(0);
    Some(data)
}
