//! The order of ids is the order of events, whatever clocks do.

use super::*;

#[tokio::test]
async fn ids_rise_when_the_clock_goes_back_and_forward_and_across_a_restart() {
    let mut rig = Rig::new();
    let hour = Duration::from_secs(3600);
    let year = hour * 24 * 365;
    for now in [NOW, NOW, NOW.minus(hour), NOW.plus(year), NOW, NOW.minus(year), NOW.plus(hour)] {
        rig.clock.set(now);
        rig.append(&[draft("a"), draft("b")]).await;
        rig = rig.reopen();
        rig.append_raw("c").await;
    }
    let reads = rig.all();
    assert!(reads.is_sorted_by(|a, b| a.id < b.id && a.seq + 1 == b.seq));
    assert!(reads.iter().all(|read| read.created_at <= read.id.time()));
    assert_eq!(reads.last().map(|read| read.id.time()), Some(NOW.plus(year)));
}

#[tokio::test]
async fn an_id_is_never_older_than_its_event() {
    let rig = Rig::new();
    let later = Draft { created_at: NOW.plus(WEEK), ..draft("later") };
    let id = rig.append(&[later]).await[0].id();
    assert_eq!(id.time(), NOW.plus(WEEK));
    assert!(rig.append_raw("now").await > id);
}

#[tokio::test]
async fn ids_go_on_in_a_segment_that_is_still_empty() {
    let rig = Rig::with(LogOptions { segment_bytes_max: 1, ..LogOptions::default() });
    rig.clock.set(NOW.plus(WEEK));
    let first = rig.append_raw("1").await;
    rig.append_raw("2").await;
    // The second event's segment loses its only batch: its header still knows the first id.
    let name = "00000000000000000002.seg";
    let header = rig.disk.bytes_of(name)[..64].to_vec();
    let Rig { disk, clock, log } = rig;
    drop(log);
    disk.put(name, &header);
    clock.set(NOW);
    let log = open(&disk, &clock, LogOptions::default()).expect("it opens");
    let third = append(&log, &[draft("3")]).await.expect("it is stored")[0].id();
    assert!(third > first);
    assert_eq!(raws(&all(&log)), ["1", "3"]);
}
