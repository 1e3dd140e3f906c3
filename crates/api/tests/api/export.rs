//! Exports over the API, and backups where none can be made.

use crate::{
    failing::Faults,
    world::{World, draft},
};
use serde_json::Value;

fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_export_holds_every_event_oldest_first_with_its_exact_bytes() {
    let world = World::new();
    let ids = world
        .store([draft("a", None, "{ \"n\": 1 }"), draft("b", None, "2"), draft("a", None, "3")])
        .await;
    let answer = world.get("/v1/export").await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let all = lines(&answer.bytes);
    assert_eq!(all[0]["schema"], "headgate.export.v1");
    assert_eq!(all[1]["raw_b64"], "eyAibiI6IDEgfQ==");
    let found: Vec<&str> =
        all[1..4].iter().map(|line| line["event"]["id"].as_str().unwrap()).collect();
    assert_eq!(found, ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!((&all[4]["events"], all.len()), (&3.into(), 5));
    let one = lines(&world.get("/v1/export?channel=b").await.bytes);
    assert_eq!((one.len(), one[1]["event"]["id"].as_str()), (3, Some(ids[1].to_string().as_str())));
    let none = lines(&world.get("/v1/export?until=2020-01-01T00:00:00Z").await.bytes);
    assert_eq!(none.len(), 2);
    assert_eq!(world.get("/v1/export?limit=1").await.status, 422);
}

#[tokio::test]
async fn an_export_of_what_cannot_be_read_is_refused_and_not_cut_short() {
    let world = World::failing(Faults { damaged: true, ..Faults::default() });
    world.store_many(1).await;
    let answer = world.get("/v1/export").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (500, &"damaged".into()));
}

#[tokio::test]
async fn a_backup_needs_a_folder_in_the_configuration() {
    let world = World::new();
    let answer = world.post("/v1/backups", "{}").await;
    let code = &answer.json()["error"]["code"];
    assert_eq!((answer.status.as_u16(), code), (409, &"no_backup_dir".into()));
}
