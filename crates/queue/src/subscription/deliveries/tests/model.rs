//! Random operations with crashes and failed commits, against a model of what must hold: no event
//! is lost, none that is settled comes again, no two consumers have one at a time, and attempts
//! only grow.

use super::*;
use headgate_event::Origin;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Arrive(u64),
    Lease(usize),
    /// Says a verb of the n-th newest delivery that was ever given.
    Say(usize, u8),
    Pass(u64),
    Commit,
    Fail,
    Crash,
    EndLeases,
    /// Takes up the n-th of the dead ones again.
    Redrive(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (1_u64..6).prop_map(Op::Arrive),
        4 => (1_usize..5).prop_map(Op::Lease),
        6 => (0_usize..12, any::<u8>()).prop_map(|(which, verb)| Op::Say(which, verb)),
        2 => (1_u64..40).prop_map(Op::Pass),
        3 => Just(Op::Commit),
        1 => Just(Op::Fail),
        1 => Just(Op::Crash),
        2 => Just(Op::EndLeases),
        2 => (0_usize..4).prop_map(Op::Redrive),
    ]
}

/// What the disk has.
#[derive(Default)]
struct Disk {
    place: Place,
    deferred: BTreeMap<Seq, Deferred>,
    /// With how many attempts each had.
    dead: BTreeMap<Seq, u32>,
    /// How many attempts those had before that were redriven.
    earlier: BTreeMap<Seq, u32>,
}

struct World {
    deliveries: Deliveries,
    disk: Disk,
    head: Seq,
    now: u64,
    given: Vec<Leased>,
    /// The newest attempt of each event.
    attempts: BTreeMap<Seq, u32>,
    /// Who holds what until when, as consumers know it.
    held: BTreeMap<Seq, u64>,
    /// Settled, or dead, by moves that wait for their commit and by committed ones.
    ending: BTreeSet<Seq>,
    ended: BTreeSet<Seq>,
}

fn wanted(seq: Seq) -> bool {
    !seq.is_multiple_of(3)
}

impl World {
    fn new() -> Self {
        Self {
            deliveries: Deliveries::begin(0),
            disk: Disk::default(),
            head: 0,
            now: 0,
            given: Vec::new(),
            attempts: BTreeMap::new(),
            held: BTreeMap::new(),
            ending: BTreeSet::new(),
            ended: BTreeSet::new(),
        }
    }

    fn moment(&self) -> Moment {
        Moment { head: self.head, ..moment(self.now) }
    }

    fn lease(&mut self, max: usize) -> Result<(), TestCaseError> {
        let until = self.now + 10;
        self.deliveries.wake(at(self.now));
        for seq in self.deliveries.ready_again(max) {
            let leased = self.deliveries.lease_again(seq, at(until));
            self.note(leased.expect("it is ready"), until)?;
        }
        for seq in self.deliveries.cursor() + 1..=self.head.min(self.deliveries.cursor() + 4) {
            if !wanted(seq) {
                self.deliveries.pass(seq);
            } else if let Some(leased) = self.deliveries.lease_first(seq, None, at(until)) {
                self.note(leased, until)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, leased: Leased, until: u64) -> Result<(), TestCaseError> {
        let Leased { seq, attempt } = leased;
        prop_assert!(wanted(seq), "{seq} is not wanted");
        prop_assert!(!self.ended.contains(&seq), "{seq} is settled and comes again");
        let held = self.held.insert(seq, until).is_some_and(|until| until > self.now);
        prop_assert!(!held, "{seq} is leased twice");
        let before = self.attempts.insert(seq, attempt).unwrap_or(0);
        prop_assert!(
            attempt >= before.max(1) && attempt <= before + 1,
            "{seq}: {before} {attempt}"
        );
        let earlier = self.deliveries.earlier(seq);
        prop_assert!(attempt - earlier <= 3, "{seq} has more attempts than there may be");
        self.given.push(leased);
        Ok(())
    }

    fn say(&mut self, which: usize, verb: u8) -> Result<(), TestCaseError> {
        let Some(index) = self.given.len().checked_sub(which + 1) else { return Ok(()) };
        let Leased { seq, attempt } = self.given[index];
        let verb = match verb % 6 {
            0 | 1 => Verb::Ack,
            2 => retry(),
            3 => Verb::Extend { lease: 10 * SECOND },
            4 => Verb::Release { lease_ends: at(self.now + 10) },
            _ => bury(),
        };
        let was_ended = self.ended.contains(&seq) || self.ending.contains(&seq);
        let answer = self.deliveries.settle(ask(seq, attempt, &verb), self.moment());
        prop_assert!(answer != Err(Refusal::Unknown), "{seq}.{attempt} was given");
        if was_ended {
            let refused = matches!(answer, Err(Refusal::AlreadySettled | Refusal::LeaseExpired));
            prop_assert!(refused, "{answer:?}");
        }
        if answer.is_ok() {
            if verb.frees() {
                // Its consumer never says anything of it again, and whoever gets it next may.
                self.given.retain(|given| (given.seq, given.attempt) != (seq, attempt));
            }
            match verb {
                Verb::Extend { .. } => drop(self.held.insert(seq, self.now + 10)),
                _ => drop(self.held.remove(&seq)),
            }
            if matches!(verb, Verb::Ack) {
                self.ending.insert(seq);
            }
        }
        Ok(())
    }

    fn commit(&mut self) {
        let changes = self.deliveries.changes();
        self.disk.place = changes.place;
        for deferred in changes.deferred {
            self.disk.deferred.insert(deferred.seq, deferred);
        }
        for seq in changes.ended {
            self.disk.deferred.remove(&seq);
        }
        for letter in changes.dead {
            self.ending.insert(letter.seq);
            self.disk.dead.insert(letter.seq, letter.attempts);
        }
        for (seq, attempts) in changes.redriven {
            assert_eq!(self.disk.dead.remove(&seq), Some(attempts));
            self.ended.remove(&seq);
            self.disk.earlier.insert(seq, attempts);
        }
        for seq in changes.redriven_ended {
            self.disk.earlier.remove(&seq);
        }
        self.ended.append(&mut self.ending);
        self.deliveries.commit();
    }

    fn crash(&mut self) {
        self.ending.clear();
        self.held.clear();
        let bytes = self.disk.place.settled.to_bytes(self.disk.place.floor);
        let settled = Ranges::from_bytes(self.disk.place.floor, &bytes).expect("as written");
        let kept = Kept {
            start: 0,
            place: Place { settled, ..self.disk.place },
            deferred: self.disk.deferred.values().cloned().collect(),
            dead: u64::try_from(self.disk.dead.len()).expect("small"),
            expired: 0,
            earlier: self.disk.earlier.clone(),
            highest: 0,
        };
        self.deliveries = Deliveries::load(kept, self.head);
    }

    fn step(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match *op {
            Op::Arrive(events) => self.head += events,
            Op::Lease(max) => self.lease(max)?,
            Op::Say(which, verb) => self.say(which, verb)?,
            Op::Pass(seconds) => self.now += seconds,
            Op::Commit => self.commit(),
            Op::Fail => {
                self.deliveries.abandon();
                self.ending.clear();
            }
            Op::Crash => self.crash(),
            Op::EndLeases => self.deliveries.end_leases(self.moment()),
            Op::Redrive(which) => self.redrive(which),
        }
        let floor = self.deliveries.floor();
        let all_done = (1..=floor)
            .filter(|seq| wanted(*seq))
            .all(|seq| self.ended.contains(&seq) || self.disk.deferred.contains_key(&seq));
        prop_assert!(all_done, "the floor {floor} has passed what is not done");
        Ok(())
    }

    fn redrive(&mut self, which: usize) {
        let dead = self.disk.dead.iter().nth(which).map(|(seq, attempts)| (*seq, *attempts));
        if let Some((seq, attempts)) = dead {
            // Once it is staged it is on its way.
            let died = Died { seq, attempts, by: Origin::Live, thread: None };
            let _ = self.deliveries.redrive(died, at(self.now));
        }
    }

    /// Lets a diligent consumer finish, and looks that nothing was lost.
    fn drain(mut self) -> Result<(), TestCaseError> {
        for _ in 0..1_000 {
            self.now += 100;
            self.deliveries.end_leases(self.moment());
            self.commit();
            let before = self.given.len();
            self.lease(1_000)?;
            for which in 0..self.given.len() - before {
                self.say(which, 0)?;
            }
            self.commit();
        }
        let missing: Vec<Seq> =
            (1..=self.head).filter(|seq| wanted(*seq) && !self.ended.contains(seq)).collect();
        prop_assert!(missing.is_empty(), "lost: {missing:?}");
        prop_assert_eq!(self.deliveries.floor(), self.head);
        prop_assert_eq!(self.disk.deferred.len() + self.disk.earlier.len(), 0);
        prop_assert_eq!(self.deliveries.dead(), self.disk.dead.len() as u64);
        prop_assert_eq!(self.deliveries.open.len() + self.deliveries.times.len(), 0);
        prop_assert_eq!(self.deliveries.leased(), 0);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_event_is_lost_and_none_that_is_settled_comes_again(
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let mut world = World::new();
        for op in &ops {
            world.step(op)?;
        }
        world.drain()?;
    }
}
