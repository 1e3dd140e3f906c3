//! Several subscriptions take the same events, and each of them as if it were alone.

use super::*;
use crate::{
    KeyName, LeaseAsk, Queue, QueueError, Selection, Settlement, Start, SubscriptionSpec, Verb,
    log::simulated::Ask, weight,
};
use headgate_event::{Event, Sink};
use std::{io::ErrorKind, time::Duration};
use tempfile::TempDir;

const ASK: LeaseAsk = LeaseAsk { max: 3, wait: Duration::ZERO, lease: None, bytes: None };

struct World {
    queue: Embedded,
    disk: SimulatedDisk,
    _folder: TempDir,
}

impl World {
    /// So many events, each third of them of the same provider.
    async fn with(events: usize) -> Self {
        let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
        let queue = open(folder.path(), &disk).expect("opens");
        let drafts = (0..events).map(|number| Draft {
            provider: Some(["github", "stripe", "acme"][number % 3].into()),
            provider_event: Some("push".into()),
            data: DataText::whole(&serde_json::json!({"n": number % 5})),
            ..draft(number.to_string())
        });
        queue.accept(drafts.collect()).await.expect("stored");
        Self { queue, disk, _folder: folder }
    }

    async fn subscribe(&self, name: &str, selection: Selection) {
        let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new(name) };
        let spec = SubscriptionSpec { selection, ..spec };
        self.queue.put_subscription(spec).await.expect("made");
    }

    async fn lease(&self, name: &str) -> Vec<Event> {
        self.queue.lease(name, ASK).await.expect("leased")
    }

    async fn settle(&self, name: &str, events: &[Event], verb: Verb) {
        let id = |event: &Event| event.delivery().expect("it is delivered").id.clone();
        let all = events.iter().map(|event| Settlement { id: id(event), verb: verb.clone() });
        let answers = self.queue.settle(name, all.collect()).await.expect("settled");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
}

/// Symptom: with 100 pushes an event was read and decoded 100 times, by so many threads at once that
/// each opened the index anew. Cause: nothing was shared between subscriptions. Fix: what one has
/// leased is at hand for the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_subscription_has_leased_others_lease_without_the_disk() {
    let world = World::with(3).await;
    for name in ["first", "second"] {
        world.subscribe(name, Selection::default()).await;
    }
    let first = world.lease("first").await;
    world.disk.set_failures((1..9).map(|nth| (Ask::Read, nth, ErrorKind::Other)).collect());
    let second = world.queue.lease("second", ASK).await.expect("nothing is read");
    let ids = |events: &[Event]| events.iter().map(Event::id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert!(second.iter().all(|event| event.delivery().expect("one").subscription == "second"));
    // It comes again without the disk, too.
    let again = Verb::Retry { after: Some(Duration::ZERO), reason: None };
    world.settle("second", &second, again).await;
    assert_eq!(ids(&world.queue.lease("second", ASK).await.expect("again")), ids(&first));
}

/// Symptom: a push whose events failed was tried with those alone, again and again, though another
/// would have been taken. Cause: what comes again was at hand, and what nobody had tried was not
/// looked for. Fix: it is, for the place that is left to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_again_from_memory_leaves_a_place_to_what_was_not_tried() {
    let world = World::with(6).await;
    for provider in ["github", "stripe"] {
        let only = Selection { providers: vec![provider.into()], ..Selection::default() };
        world.subscribe(provider, only).await;
    }
    let first = world.queue.lease("github", LeaseAsk { max: 1, ..ASK }).await.expect("leased");
    let again = Verb::Retry { after: Some(Duration::ZERO), reason: None };
    world.settle("github", &first, again).await;
    let both = world.queue.lease("github", LeaseAsk { max: 2, ..ASK }).await.expect("leased");
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(both[0].id(), first[0].id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_after_one_has_leased_it_is_given_to_no_other() {
    let world = World::with(3).await;
    for name in ["first", "second"] {
        world.subscribe(name, Selection::default()).await;
    }
    let first = world.lease("first").await;
    world.queue.erase(first[1].id()).await.expect("erased").expect("it was there");
    world.subscribe("third", Selection::default()).await;
    for name in ["second", "third"] {
        let mut left = Vec::new();
        for _ in 0..3 {
            left.extend(world.lease(name).await.iter().map(Event::id));
        }
        assert_eq!(left, [first[0].id(), first[2].id()], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_at_hand_keeps_to_the_bytes_that_are_asked_for() {
    let world = World::with(3).await;
    for name in ["first", "second"] {
        world.subscribe(name, Selection::default()).await;
    }
    let first = world.lease("first").await;
    let within = |bytes| LeaseAsk { bytes: Some(bytes), ..ASK };
    let refused = world.queue.lease("second", within(weight(&first[0]) - 1)).await;
    assert!(matches!(refused, Err(QueueError::Larger { .. })), "{refused:?}");
    let two = weight(&first[0]) + weight(&first[1]);
    let leased = world.queue.lease("second", within(two)).await.expect("leased");
    assert_eq!(leased.len(), 2);
    assert_eq!(world.lease("second").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscription_gets_what_it_wants_once_and_in_order_whoever_was_first() {
    const EVENTS: usize = 100;
    let world = World::with(EVENTS).await;
    let of =
        |provider: &str| Selection { providers: vec![provider.to_owned()], ..Selection::default() };
    let inside = Selection {
        filter: Some("data.n == 2".parse().expect("a filter")),
        ..Selection::default()
    };
    let keys = BTreeMap::from([(KeyName::ProviderEvent, vec!["pu*".to_owned()])]);
    let named = Selection { keys, ..of("acme") };
    let all = [
        ("all", Selection::default()),
        ("github", of("github")),
        ("inside", inside),
        ("named", named),
        ("none", of("nobody")),
        ("second", Selection::default()),
    ];
    for (name, selection) in &all {
        world.subscribe(name, selection.clone()).await;
    }
    let stored = world.queue.read(1, EVENTS).await.expect("read");
    let mut given: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for turn in 0..EVENTS * 2 {
        for (at, (name, _)) in all.iter().enumerate() {
            // Some are slower than others.
            if turn % (at + 1) == 0 {
                let events = world.lease(name).await;
                world.settle(name, &events, Verb::Ack).await;
                given.entry(name).or_default().extend(events.iter().map(Event::id));
            }
        }
    }
    for (name, selection) in &all {
        let wanted = stored.iter().filter(|one| selection.wants(&one.event));
        let wanted: Vec<_> = wanted.map(|one| one.event.id()).collect();
        assert_eq!(given[name], wanted, "{name}");
    }
}
