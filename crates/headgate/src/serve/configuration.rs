//! Which configuration the gateway runs with.

use crate::{
    cli::ServeArguments,
    config::{Config, Environment, FILE_DEFAULT, Known, Problems},
    failure::{Failure, chain},
};
use std::{error::Error, path::Path};

/// The file that is named, else `headgate.toml` in this folder, else the demo; with what the
/// command line says instead of it.
pub(super) fn read(
    arguments: &ServeArguments,
    environment: &Environment,
    known: &Known,
) -> Result<Config, Failure> {
    let usual = Path::new(FILE_DEFAULT);
    let file = arguments.config.as_deref().or_else(|| usual.exists().then_some(usual));
    let mut config = match file {
        Some(file) => {
            let read = Config::load(file, environment, known);
            read.map_err(Failure::Configuration)?
        }
        None => Config::demo(),
    };
    if let Some(listen) = arguments.listen {
        config.server.listen = listen;
        if config.api_keys.is_empty() {
            config.server.check_open().map_err(|error| {
                Failure::usage(format!("`--listen {listen}`: {error} in the configuration"))
            })?;
        }
    }
    if let Some(folder) = &arguments.data_dir {
        config.data_dir.clone_from(folder);
    }
    Ok(config)
}

/// A source knows of something that the configuration did not look for.
pub(super) fn not_taken(errors: &[impl Error]) -> Failure {
    let texts: Vec<String> = errors.iter().map(|error| chain(error)).collect();
    Failure::Configuration(Problems::whole("the configuration", texts.join("; ")))
}
