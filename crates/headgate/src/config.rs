//! The configuration: TOML in, a [`Config`] that holds together out, or all that is wrong with it.
//!
//! Every error names file, line and key, what was expected and what was found. Nothing here opens
//! a socket or starts anything; secrets are read here, from environment variables and files, and
//! nowhere else. A path in a file is relative to the folder that the file is in.

mod api_key;
mod catalog;
mod channel;
mod demo;
mod doubts;
mod environment;
mod mail;
mod nearest;
mod network;
mod problem;
mod providers;
mod quarantine;
mod queue;
mod secret;
mod section;
mod server;
mod subscription;
mod tls;
mod value;

pub use channel::{APP_CHANNEL, Channels, SlackChannel};
pub use demo::DEMO_NAME;
pub use doubts::doubts;
pub use environment::Environment;
pub use mail::{DnsServers, LineEnds, Mail, StartTls};
pub use problem::{Problem, Problems};
pub(crate) use providers::samples;
pub use providers::{providers_in, providers_of};
pub use server::{Connections, OpenError, Server};

use crate::schedules::Calendar;
use headgate_api::ApiKey;
use headgate_app::Catalog;
use headgate_http::Tls;
use headgate_push::{Keyring, Reach};
use headgate_quarantine::Bounds;
use headgate_queue::{Retention, SubscriptionSpec};
use headgate_webhook::Providers;
use problem::Notes;
use section::Section;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::de::DeTable;

/// The file that is taken when none is named and it exists.
pub const FILE_DEFAULT: &str = "headgate.toml";

/// A configuration that holds together.
#[derive(Debug)]
pub struct Config {
    /// The folder of the queue.
    pub data_dir: PathBuf,
    /// The folder under which backups are made; none are made without it.
    pub backup_dir: Option<PathBuf>,
    /// Where to listen.
    pub server: Server,
    /// How mail is received.
    pub mail: Mail,
    /// When events are removed.
    pub retention: Retention,
    /// TLS with the certificate and key that `server` names.
    pub tls: Option<Tls>,
    /// Who may use the API; when empty, anyone on this machine.
    pub api_keys: Vec<ApiKey>,
    /// The ways in.
    pub channels: Channels,
    /// Which events applications may emit; any where it is empty.
    pub catalog: Catalog,
    /// The subscriptions that the configuration holds.
    pub subscriptions: Vec<SubscriptionSpec>,
    /// What those of them that push are signed with, by their names.
    pub push: BTreeMap<String, Keyring>,
    /// How much is kept of what is refused; none when nothing is.
    pub quarantine: Option<Bounds>,
    /// The providers that there are: those in the program, and those of `providers_dir`.
    pub providers: Arc<Providers>,
    /// The file it came from; none for the demo.
    pub file: Option<PathBuf>,
}

/// What a configuration may name and does not hold itself. Clones are the same.
#[derive(Clone, Debug)]
pub struct Known {
    /// The providers that exist.
    pub providers: Arc<Providers>,
    /// The time zones.
    pub calendar: Calendar,
}

impl Known {
    /// The providers in the program, and the zones of this system.
    #[must_use]
    pub fn of_system(environment: &Environment) -> Self {
        let calendar = Calendar::new(crate::zones::of_system(environment));
        Self { providers: Arc::new(Providers::embedded()), calendar }
    }
}

/// What a configuration is read against.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The environment variables that it may name.
    pub environment: &'a Environment,
    /// The folder that its paths are relative to.
    pub folder: &'a Path,
    /// The providers that exist.
    pub providers: &'a Providers,
    /// The time zones that schedules may name.
    pub calendar: &'a Calendar,
}

impl Config {
    /// Reads the file, or says everything that is wrong with it.
    pub fn load(file: &Path, environment: &Environment, known: &Known) -> Result<Self, Problems> {
        let name = file.display().to_string();
        let text = text_of(file, &name)?;
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let Known { providers, calendar } = known;
        let context = Context { environment, folder, providers, calendar };
        let mut config = Self::parse(&name, &text, &context)?;
        config.file = Some(file.to_owned());
        Ok(config)
    }

    /// Reads the text of a file of this name, or says everything that is wrong with it.
    pub fn parse(file: &str, text: &str, context: &Context<'_>) -> Result<Self, Problems> {
        let notes = Notes::new(file, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        let config = if errors.is_empty() {
            let root = Section::new(document.get_ref(), 0..0, String::new(), &notes);
            Some(read(root, context))
        } else {
            for error in errors {
                notes.syntax(error.span().map_or(0, |span| span.start), error.message());
            }
            None
        };
        match (notes.into_problems(), config.flatten()) {
            (None, Some(config)) => Ok(config),
            (Some(problems), _) => Err(problems),
            (None, None) => Err(Problems::whole(file, "expected a configuration".to_owned())),
        }
    }
}

/// Where a configuration listens, whatever else is wrong with it: who only talks to the gateway
/// does not have its secrets.
pub fn server_of(file: &Path) -> Result<Server, Problems> {
    part_of(file, "`[server]`", server::read)
}

/// The folder of the queue that a configuration names, whatever else is wrong with it: who mends
/// the queue does not need its secrets.
pub fn data_dir_of(file: &Path) -> Result<PathBuf, Problems> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    part_of(file, "`data_dir`", |root| data_dir(root, folder))
}

/// The folder for backups that a configuration names, whatever else is wrong with it.
pub fn backup_dir_of(file: &Path) -> Result<Option<PathBuf>, Problems> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    part_of(file, "`[queue]`", |root| queue::read(root, folder).map(|queue| queue.backup_dir))
}

/// One part of a configuration, read alone.
fn part_of<T>(
    file: &Path,
    expected: &str,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Result<T, Problems> {
    let name = file.display().to_string();
    let text = text_of(file, &name)?;
    let notes = Notes::new(&name, &text);
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        notes.syntax(error.span().map_or(0, |span| span.start), error.message());
    }
    let part = read(&Section::new(document.get_ref(), 0..0, String::new(), &notes));
    match (part, notes.into_problems()) {
        (Some(part), None) => Ok(part),
        (_, problems) => {
            Err(problems.unwrap_or_else(|| Problems::whole(&name, format!("expected {expected}"))))
        }
    }
}

/// The folder of the queue; a path in a file is relative to the folder that the file is in.
fn data_dir(root: &Section<'_>, folder: &Path) -> Option<PathBuf> {
    let data_dir: PathBuf = match root.optional("data_dir") {
        Some(value) => value.parsed("a folder", |text| (!text.is_empty()).then(|| text.into()))?,
        None => PathBuf::from(demo::DATA_DIR),
    };
    // Without a `.` between the two, which would only be in the way in messages.
    Some(folder.join(data_dir).components().collect())
}

/// The text of a file, without the byte order mark that some editors begin it with.
fn text_of(file: &Path, name: &str) -> Result<String, Problems> {
    let bytes = std::fs::read(file).map_err(|error| {
        Problems::whole(name, format!("expected a file that can be read, found: {error}"))
    })?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        Problems::whole(name, format!("expected UTF-8, found other bytes at offset {valid}"))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn read(root: Section<'_>, context: &Context<'_>) -> Option<Config> {
    let data_dir = data_dir(&root, context.folder);
    let server = server::read(&root);
    let mail = mail::read(&root, server.as_ref());
    let queue = queue::read(&root, context.folder);
    let quarantine = quarantine::read(&root);
    let api_keys = api_key::read(&root, context);
    let catalog = catalog::read(&root, context.folder);
    let public_url = server.as_ref().and_then(|server| server.public_url.as_deref());
    let providers = providers::read(&root, context);
    // A folder with something wrong in it is no reason to say that its providers are unknown.
    let own = providers.clone().unwrap_or_else(|| Arc::new(context.providers.clone()));
    let context = &Context { providers: &own, ..*context };
    let channels = channel::read(&root, context, public_url);
    let ids: Vec<&str> = channels.ids.iter().map(String::as_str).collect();
    let reach = server.as_ref().map_or(Reach::Anywhere, |server| server.push_reach);
    let subscriptions = subscription::read(&root, &ids, reach, context);
    if let Some(server) = &server
        && !api_key::any(&root)
        && let Err(error) = server.check_open()
    {
        root.wrong(error.key(), &error.to_string());
    }
    channels.check_proxies(&root, server.as_ref());
    channels.check_mail(&root, mail.as_ref());
    let tls = match server.as_ref().and_then(|server| server.tls.as_ref()) {
        Some(files) => tls::load(&root, files, context.folder).map(Some),
        None => Some(None),
    };
    root.report_unknown(&[]);
    let queue::Queue { backup_dir, retention } = queue?;
    let (subscriptions, push) = subscriptions?;
    Some(Config {
        data_dir: data_dir?,
        backup_dir,
        server: server?,
        mail: mail?,
        retention,
        tls: tls?,
        api_keys: api_keys?,
        channels: channels.channels?,
        catalog: catalog?,
        subscriptions,
        push,
        quarantine: quarantine?,
        providers: providers?,
        file: None,
    })
}
