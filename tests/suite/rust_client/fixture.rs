//! Events that came, as test cases: `headgate fixture` writes them and `load_event` reads them.

use super::world::{KEY, World};
use anyhow::{Result, ensure};
use headgate_client::{AppEvent, testing::load_event};
use headgate_tests::binary;
use serde_json::json;
use std::{path::Path, process::Command};

#[tokio::test]
async fn events_that_came_are_loaded_as_they_are() -> Result<()> {
    let (world, folder) = (World::start()?, tempfile::tempdir()?);
    let mut ids: Vec<String> = world.send_many(0..1)?.into_iter().collect();
    let client = world.client().build()?;
    let event = AppEvent::new("proposal.received", json!({"price": 10}));
    ids.push(client.emit(&event).await?.id);
    for id in ids {
        let to = folder.path().join(&id);
        fixture(&world, &id, &to)?;
        let came = client.get_event(id.parse()?).await?;
        let loaded = load_event(&to);
        // A file is written for people: its JSON has line breaks.
        assert_eq!(serde_json::to_value(&loaded)?, serde_json::to_value(&came)?);
        assert_eq!(loaded.webhook().is_some(), came.webhook().is_some());
        assert_eq!(loaded.app().is_some(), came.app().is_some());
    }
    Ok(())
}

fn fixture(world: &World, id: &str, to: &Path) -> Result<()> {
    let url = format!("http://{}", world.gateway.address);
    let mut command = Command::new(binary()?);
    command.args(["fixture", id, "--url", &url, "--to"]).arg(to).env("HEADGATE_KEY", KEY);
    let said = command.output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    Ok(())
}
