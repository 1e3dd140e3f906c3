//! Random work on the embedded queue, with restarts, beside the queue in memory: both say the same.

use crate::bench::{Bench, SECOND, attempt, bury, ids, keyed, retry};
use headgate_event::{Accepted, Event};
use headgate_queue::{DeadLetterQuery, ListQuery, QueueError, SettleError, Verb};
use proptest::prelude::*;
use std::time::Duration;

const AGE: Duration = Duration::from_secs(80);

#[derive(Clone, Debug)]
enum Op {
    Store(u8),
    Lease(usize),
    /// What becomes of the n-th newest delivery that was given.
    Settle(usize, u8),
    Wait(u64),
    /// The n-th newest event that was ever stored.
    Erase(usize),
    /// Everything that is stored gets too old.
    Retain,
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u8..6).prop_map(Op::Store),
        4 => (1_usize..5).prop_map(Op::Lease),
        5 => (0_usize..6, any::<u8>()).prop_map(|(nth, verb)| Op::Settle(nth, verb)),
        2 => (1_u64..30).prop_map(Op::Wait),
        3 => (0_usize..8).prop_map(Op::Erase),
        1 => Just(Op::Retain),
        2 => Just(Op::Restart),
    ]
}

/// A queue, and what was given and stored, in the order in which it was.
struct Side {
    bench: Bench,
    stored: Vec<headgate_event::EventId>,
    given: Vec<Event>,
}

/// What both must agree on, with ids as numbers.
type Said = Vec<String>;

impl Side {
    fn nth(&self, id: headgate_event::EventId) -> String {
        self.stored.iter().position(|one| *one == id).map_or("?".to_owned(), |at| at.to_string())
    }

    async fn act(&mut self, op: &Op) -> Said {
        let bench = &self.bench;
        match *op {
            Op::Store(key) => {
                let draft = keyed(bench.draft("a"), &format!("evt_{key}"), AGE);
                let accepted = bench.queue.accept(vec![draft]).await.expect("stored")[0];
                if matches!(accepted, Accepted::New(_)) {
                    self.stored.push(accepted.id());
                }
                vec![self.nth(accepted.id())]
            }
            Op::Lease(max) => {
                let leased = bench.lease("agent", max).await;
                let said =
                    leased.iter().map(|one| format!("{} {}", self.nth(one.id()), attempt(one)));
                let said = said.collect();
                self.given.extend(leased);
                said
            }
            Op::Settle(nth, verb) => {
                let Some(at) = self.given.len().checked_sub(nth + 1) else { return Said::new() };
                let verb = match verb % 4 {
                    0 | 1 => Verb::Ack,
                    2 => retry(SECOND),
                    _ => bury(),
                };
                let answer = bench.settle("agent", &self.given[at], verb).await;
                vec![answer.as_ref().map_or_else(SettleError::code, |()| "settled").to_owned()]
            }
            Op::Wait(seconds) => {
                bench.clock.advance(Duration::from_secs(seconds));
                Said::new()
            }
            Op::Erase(nth) => {
                let Some(at) = self.stored.len().checked_sub(nth + 1) else { return Said::new() };
                let erased = bench.queue.erase(self.stored[at]).await.expect("asked");
                vec![format!("{:?}", erased.map(|one| (one.created_at, one.erased_at)))]
            }
            Op::Retain => {
                bench.clock.advance(AGE);
                let removed = bench.retain(AGE).await;
                vec![format!("{} {}", removed.events, removed.expired)]
            }
            Op::Restart => Said::new(),
        }
    }

    /// Everything that can be asked.
    async fn all(&self) -> Said {
        let bench = &self.bench;
        let listed = bench.list(ListQuery::default()).await;
        let mut said: Said = listed.into_iter().map(|id| self.nth(id)).collect();
        for id in &self.stored {
            said.push(match bench.queue.event(*id).await {
                Ok(found) => format!("{}", found.is_some()),
                Err(QueueError::Erased { .. }) => "erased".to_owned(),
                Err(error) => panic!("{error}"),
            });
        }
        let query = DeadLetterQuery { before: None, limit: 500 };
        let page = bench.queue.dead_letters("agent", query).await.expect("listed");
        said.extend(page.dead_letters.into_iter().map(|one| {
            let event = self.nth(one.event_id.expect("known"));
            format!("{event} {} {} {:?}", one.reason, one.attempts, one.last_error)
        }));
        let status = bench.status("agent").await;
        let (lag, held, dead) = (status.lag, (status.in_flight, status.waiting), status.dead);
        said.push(format!("{lag} {held:?} {dead} {}", status.expired));
        said
    }
}

async fn compare(ops: &[Op]) -> Result<(), TestCaseError> {
    let side = |bench| Side { bench, stored: Vec::new(), given: Vec::new() };
    let (mut memory, mut embedded) = (side(Bench::memory()), side(Bench::embedded()));
    memory.bench.subscribe("agent").await;
    embedded.bench.subscribe("agent").await;
    for op in ops {
        prop_assert_eq!(embedded.act(op).await, memory.act(op).await, "{:?}", op);
        // A restart forgets leases, which the queue in memory cannot.
        if matches!(op, Op::Restart) && memory.bench.status("agent").await.in_flight == 0 {
            embedded.bench = embedded.bench.reopened().await.expect("it has a folder");
        }
        prop_assert_eq!(embedded.all().await, memory.all().await, "after {:?}", op);
    }
    let left = ids(&embedded.bench.lease("agent", 500).await).len();
    prop_assert_eq!(left, memory.bench.lease("agent", 500).await.len());
    embedded.bench.queue.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_queues_say_the_same_whatever_is_taken_away(ops in prop::collection::vec(op(), 1..40)) {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(compare(&ops))?;
    }
}
