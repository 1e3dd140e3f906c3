//! `headgate health`: whether a gateway lives or is ready, as an exit code.

use crate::{cli::HealthArguments, config::Environment, failure::Failure, output};

/// Asks the gateway, prints what it says, and fails unless it says yes.
pub async fn run(arguments: &HealthArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = if arguments.ready { "/readyz" } else { "/healthz" };
    let reply = client.ask(path).await?;
    output::line(String::from_utf8_lossy(&reply.body).trim_end())?;
    if reply.status.is_success() {
        return Ok(());
    }
    Err(anyhow::anyhow!("expected 200 from `{path}`, found {}", reply.status.as_u16()).into())
}
