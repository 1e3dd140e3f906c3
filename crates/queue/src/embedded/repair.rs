//! Saying what is damaged in a folder, and mending it as far as it can be, while no gateway runs.
//!
//! The log is mended so that a gateway starts and knows what is lost. The index is thrown away and
//! made again. The state cannot be mended: what it knew is nowhere else.

use super::{
    Embedded, EmbeddedOptions, OpenError,
    folder::{DAMAGED, Folder},
    index::Index,
    open::storage,
    state::State,
};
use crate::{
    Queue, Seq,
    log::{
        self, Begun,
        repair::{self, Diagnosis, Wound},
    },
    private,
};
use headgate_event::{Clock, EventId, limits::REPAIR_IDS_TOLD_MAX};
use serde::Serialize;
use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a repair found, and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    /// The segments of the log.
    pub segments: u64,
    /// The place of the oldest event.
    pub first: Seq,
    /// The place of the newest one; before the oldest when there is none.
    pub last: Seq,
    /// Bytes at the end of the log that a power cut left unfinished, which is no damage: the next
    /// start cuts them off.
    pub unfinished_bytes: u64,
    /// Events that are being erased, which is no damage: the next start finishes it.
    pub unfinished_erasures: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
    /// Where what was changed is kept as it was; none when nothing was changed.
    pub kept_in: Option<PathBuf>,
}

/// Damage at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where in it the damage begins.
    pub offset: Option<u64>,
    /// How many bytes it has; 0 where they are missing.
    pub bytes: Option<u64>,
    /// What was expected and found.
    pub reason: String,
    /// The events that are lost by it.
    pub lost: Vec<LostEvents>,
    /// What a repair does about it; none when it can do nothing.
    pub remedy: Option<&'static str>,
}

/// Events that follow each other and are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostEvents {
    /// The place of the first.
    pub first: Seq,
    /// The place of the last.
    pub last: Seq,
    /// Their ids, as far as the index knows them; the first ones when there are many.
    pub ids: Vec<EventId>,
}

/// Everything that was looked at.
struct Examined {
    report: RepairReport,
    log: Diagnosis,
    /// Whether the state can be read, or begun.
    state: bool,
}

const REWRITTEN: &str = "write the segment anew, with a mark in the place of each lost event";
const CUT_BACK: &str = "take the subscriptions back to the newest event that is there";
const BEGUN: &str = "begin a state without subscriptions";
const REINDEXED: &str = "make the index anew from the log";

impl RepairReport {
    /// Whether something is damaged that a repair can do nothing about.
    #[must_use]
    pub fn is_beyond_repair(&self) -> bool {
        self.damage.iter().any(|damage| damage.remedy.is_none())
    }
}

impl Embedded {
    /// Reads everything in this folder through and says what is damaged. Nothing is changed.
    pub fn inspect(folder: &Path) -> Result<RepairReport, OpenError> {
        Ok(examine(&Folder::own_damaged(folder)?)?.report)
    }

    /// Mends what is damaged, after what is changed was copied into `damaged-<time>` in the folder,
    /// and opens the queue once to see that it starts.
    pub async fn repair(folder: &Path, clock: Arc<dyn Clock>) -> Result<RepairReport, OpenError> {
        let owned = Folder::own_damaged(folder)?;
        finish_begun(&owned)?;
        let Examined { mut report, log, state } = examine(&owned)?;
        if !report.damage.iter().any(|damage| damage.remedy.is_some()) {
            return Ok(report);
        }
        let name = format!("{DAMAGED}{}", clock.now().to_string().replace(':', "-"));
        let aside = owned.join(&name);
        let kept = set_aside(&owned, &aside, &log.changed());
        kept.map_err(|source| OpenError::Folder { action: "make", path: aside.clone(), source })?;
        log.mend().map_err(|error| OpenError::log(owned.join("log"), error))?;
        for index in ["index.db", "index.db-wal", "index.db-shm"] {
            remove(&owned.join(index))?;
        }
        if !State::is_begun(&owned.join("headgate.db")) {
            State::open(&owned.join("headgate.db"))?;
        }
        drop(owned);
        if state {
            let options = EmbeddedOptions { accept_lost_end: true, ..EmbeddedOptions::default() };
            Self::open(folder, clock, options)?.close().await;
        }
        report.kept_in = Some(aside);
        Ok(report)
    }
}

/// Finishes what was begun to be taken away, as every opening does: half of it looks like damage.
/// A state that cannot be read says nothing of it, and is told as damage afterwards.
fn finish_begun(folder: &Folder) -> Result<(), OpenError> {
    let Some(begun) = begun(folder) else { return Ok(()) };
    let finished = log::finish(&*storage(folder)?, &begun);
    finished.map_err(|error| OpenError::log(folder.join("log"), error))
}

/// What was begun to be taken away; none where the state cannot tell.
fn begun(folder: &Folder) -> Option<Begun> {
    Begun::read(&State::look(&folder.join("headgate.db")).ok()?).ok()
}

fn examine(folder: &Folder) -> Result<Examined, OpenError> {
    let log_failed = |error| OpenError::log(folder.join("log"), error);
    let log = repair::inspect(&folder.join("log")).map_err(log_failed)?;
    let index = Index::look(&folder.join("index.db"));
    let known = index.as_ref().ok().and_then(Option::as_ref);
    let begun = begun(folder).map(|begun| begun.erasures).unwrap_or_default();
    let ours = |wound: &Wound| begun.iter().any(|erasure| wound.is_of(erasure));
    let mut damage: Vec<Damage> =
        log.wounds.iter().filter(|wound| !ours(wound)).map(|wound| of_log(wound, known)).collect();
    if let Err(reason) = &index {
        damage.push(Damage { remedy: Some(REINDEXED), ..whole("index.db", reason.clone()) });
    }
    let (seen, unreadable) = look_at_state(folder, &log)?;
    let state = unreadable.as_ref().is_none_or(|damage| damage.remedy.is_some());
    damage.extend(unreadable);
    let seen = seen.max(known.map_or(0, Index::last));
    if seen > log.head {
        let reason = format!("it ends at event {}, but event {seen} was seen", log.head);
        let lost = vec![lost(log.head + 1..seen + 1, known)];
        damage.push(Damage { lost, remedy: Some(CUT_BACK), ..whole("log", reason) });
    }
    let report = RepairReport {
        segments: log.segments,
        first: log.first,
        last: log.head,
        unfinished_bytes: log.unfinished,
        unfinished_erasures: begun.len() as u64,
        damage,
        kept_in: None,
    };
    Ok(Examined { report, log, state })
}

/// The newest event that a subscription has seen, and what is wrong with the state.
fn look_at_state(folder: &Folder, log: &Diagnosis) -> Result<(Seq, Option<Damage>), OpenError> {
    let path = folder.join("headgate.db");
    if !State::is_begun(&path) {
        let reason = "it is missing or empty: subscriptions, what was settled, what comes again \
                      and dead letters were in it alone; restore it from a backup, or lose them";
        let damage = Damage { remedy: Some(BEGUN), ..whole("headgate.db", reason.to_owned()) };
        return Ok((0, Some(damage).filter(|_| log.head >= log.first)));
    }
    let broken = |reason: String| {
        let reason = format!(
            "{reason}: subscriptions, what is settled, what comes again and dead letters are in it \
             alone; restore it from a backup, or take it away and repair again, to lose them"
        );
        Ok((0, Some(whole("headgate.db", reason))))
    };
    let state = match State::look(&path) {
        Ok(state) => state,
        Err(OpenError::State { source, .. }) => return broken(source.to_string()),
        Err(error) => return Err(error),
    };
    match state.fault().and_then(|fault| Ok((fault, state.seen_after(log.head)?))) {
        Ok((None, seen)) => Ok((seen.unwrap_or(0), None)),
        Ok((Some(fault), _)) => broken(fault),
        Err(error) => broken(error.to_string()),
    }
}

fn of_log(wound: &Wound, index: Option<&Index>) -> Damage {
    Damage {
        file: wound.file.clone(),
        offset: Some(wound.offset),
        bytes: Some(wound.bytes),
        reason: wound.reason.clone(),
        lost: wound.lost.iter().map(|range| lost(range.clone(), index)).collect(),
        remedy: Some(REWRITTEN),
    }
}

fn whole(file: &str, reason: String) -> Damage {
    let (file, lost) = (file.to_owned(), Vec::new());
    Damage { file, offset: None, bytes: None, reason, lost, remedy: None }
}

fn lost(range: Range<Seq>, index: Option<&Index>) -> LostEvents {
    let known = range.clone().take(REPAIR_IDS_TOLD_MAX);
    let ids = known.filter_map(|seq| Some(index?.at(seq).ok()??.id)).collect();
    LostEvents { first: range.start, last: range.end - 1, ids }
}

/// Copies the state and these segments, and makes the copies durable.
fn set_aside(folder: &Folder, to: &Path, segments: &[String]) -> io::Result<()> {
    private::folder().create(to)?;
    let of_state = ["headgate.db", "headgate.db-wal"].map(|name| (folder.join(name), name));
    let log = folder.join("log");
    let of_log = segments.iter().map(|name| (log.join(name), name.as_str()));
    for (from, name) in of_state.into_iter().chain(of_log).filter(|(from, _)| from.exists()) {
        let copy = to.join(name);
        fs::copy(from, &copy)?;
        File::open(copy)?.sync_all()?;
    }
    File::open(to)?.sync_all()?;
    File::open(folder.join("."))?.sync_all()
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::Folder { action: "clear", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
