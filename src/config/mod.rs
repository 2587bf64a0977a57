//! Settings: each with its name, default and meaning, and the checked values they become. The start
//! passes them down; no code below it reads the environment.

mod catalogue;
mod source;
mod values;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use crate::core::id::MessengerId;
use crate::core::messenger::Messenger;
use crate::core::messenger::fields::{self, Texts};
use crate::core::origin::Origin;
use crate::core::pasted::wrapping;
use crate::core::problem::Problem;
use crate::core::secret::{Encoding, MasterKey, SigningKey};
use crate::core::{password, session, throttle};
use catalogue::OF_ONE_SERVER;
pub use catalogue::{SETTINGS, Setting};
pub use source::{Source, read};
use values::{home, log_filter, network, public_url};

/// What `GET /` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// Our own host page.
    Page,
    /// Nothing: the site has its own pages.
    Off,
    /// A redirect to the site.
    Redirect(Url),
}

/// The public address: an origin, and a path without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://www.example.com`.
    pub origin: Origin,
    /// `www.example.com`, with the port if it is not the default one: what `Host` must contain.
    pub host: String,
    /// `/accounts`, or empty.
    pub path: String,
    /// Whether browsers reach it over https.
    pub secure: bool,
}

/// How long history is stored, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Audit log entries.
    pub audit: i64,
    /// Statistics.
    pub counts: i64,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// May hold a password; never printed.
    pub database_url: String,
    /// Where the server listens; port 0 chooses a free port.
    pub listen: SocketAddr,
    /// Where metrics are served, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// `None`: whatever the request says (for trying it out on one machine).
    pub public_url: Option<PublicUrl>,
    /// Peers whose forwarding headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// `None`: with SQLite, the key file beside the database.
    pub master_key: Option<MasterKey>,
    /// The name of the website, as its users know it.
    pub site_name: Option<String>,
    /// What `GET /` shows.
    pub home: Home,
    /// The messenger `default`, as far as it is set here.
    pub messenger: Messenger,
    /// The fields of it that are set here: they take precedence over the database.
    pub messenger_set: Texts,
    /// Its signing key.
    pub signing_key: Option<SigningKey>,
    /// The encoding of that key; `check` shows it.
    pub signing_key_encoding: Encoding,
    /// How long sessions last.
    pub sessions: session::Limits,
    /// What new passwords must satisfy.
    pub passwords: password::Policy,
    /// How fast passwords may be guessed.
    pub guesses: throttle::Limits,
    /// Memory for what tokens depend on, in MiB; 0 for none.
    pub token_cache: i64,
    /// Token requests that one session may make at once.
    pub token_requests: NonZeroU32,
    /// Requests that one API key may make at once.
    pub api_key_requests: NonZeroU32,
    /// Files that hold secrets of these settings; `check` reports who may read them.
    pub secret_files: Vec<PathBuf>,
    /// How long history is stored.
    pub kept: Retention,
    /// A filter for tracing-subscriber.
    pub log: String,
    /// How logs are written.
    pub log_format: LogFormat,
    /// The settings that all servers on one database must share, secrets excluded: the values set, by name.
    pub common: Vec<(&'static str, String)>,
}

/// A setting that cannot be used, with the name it was set by: `COUNTERSIGN_LISTEN`, or `listen in
/// countersign.toml`. Secrets are not repeated.
pub type SettingProblem = Problem<String>;

/// Turns what was set into settings, or reports everything that is wrong with it at once.
pub fn check(source: &Source) -> Result<Settings, Vec<SettingProblem>> {
    let mut problems = source.problems.clone();
    let mut reader = Reader { source, problems: &mut problems };
    let settings = reader.settings();
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems),
    }
}

struct Reader<'a> {
    source: &'a Source,
    problems: &'a mut Vec<SettingProblem>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Option<Settings> {
        let database_url = self.source.text("database_url");
        let listen = self.parsed("listen", "Use an address and a port, such as 127.0.0.1:8080.");
        let metrics_listen = self.optional(
            "metrics_listen",
            "Use an address and a port that only your monitoring reaches, such as 127.0.0.1:9090.",
            |text| text.parse().ok(),
        );
        let public_url =
            self.optional("public_url", "Use https://HOST or https://HOST/PATH, where PATH has only letters, digits and - . _ ~ /, without a query.", public_url);
        let trusted_proxies =
            self.list("trusted_proxies", "Use networks such as 10.0.0.0/8 or 127.0.0.1.", network);
        let master_key = self.secret(
            "master_key",
            "Use 64 random hex digits, for example from `openssl rand -hex 32`.",
            MasterKey::parse,
        );
        let site_name = self.optional(
            "site_name",
            "Use a name of at most 100 characters on one line.",
            crate::core::name::parse,
        );
        let home = self.one("home", "Use 'page', 'off', or a URL that starts with https://.", home);
        let encoding =
            self.one("signing_key_encoding", "Use raw, base64, base64url or hex.", Encoding::parse);
        let allow_short = self.yes_no("allow_short_key");
        let key_help = "Paste the secret from Deskpro, and set COUNTERSIGN_SIGNING_KEY_ENCODING to its encoding \
            (raw, base64, base64url, hex). HS256 needs 32 bytes or more (RFC 7518 section 3.2).";
        let signing_key = self.secret("signing_key", key_help, |text| {
            SigningKey::parse(text, encoding.unwrap_or_default(), allow_short.unwrap_or_default())
        });
        let (messenger, messenger_set) = self.messenger();
        let sessions = session::Limits {
            idle: self.seconds("session_idle"),
            absolute: self.seconds("session_absolute"),
            admin_idle: self.seconds("admin_session_idle"),
            admin_absolute: self.seconds("admin_session_absolute"),
            kept: self.number("session_kept", 0, session::LONGEST_KEPT).unwrap_or_default(),
            device_idle: self.seconds("device_idle"),
            device_absolute: self.seconds("device_absolute"),
        };
        let shortest = self.number("password_shortest", 8, 256);
        let per_account = self.number("guesses_per_account", 1, 20);
        let per_network = self.number("guesses_per_network", 1, 1_000_000);
        let token_cache = self.number("token_cache", 0, 1_000_000);
        let token_requests = self.requests("token_requests");
        let api_key_requests = self.requests("api_key_requests");
        let audit_kept = self.number("audit_kept", 1, 36_500);
        let counts_kept = self.number("counts_kept", 1, 36_500);
        let log = self.one(
            "log",
            "Use error, warn, info, debug, or a filter such as info,countersign=debug.",
            log_filter,
        );
        let log_format = self.one("log_format", "Use text or json.", |word| match word {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        Some(Settings {
            database_url,
            listen: listen?,
            metrics_listen,
            public_url,
            trusted_proxies,
            master_key,
            site_name,
            home: home?,
            messenger: messenger?,
            messenger_set,
            signing_key,
            signing_key_encoding: encoding?,
            sessions,
            passwords: password::Policy { shortest: usize::try_from(shortest?).ok()? },
            guesses: throttle::Limits::new(per_account?, per_network?),
            token_cache: token_cache?,
            token_requests: token_requests?,
            api_key_requests: api_key_requests?,
            secret_files: self.source.secret_files.clone(),
            kept: Retention { audit: audit_kept?, counts: counts_kept? },
            log: log?,
            log_format: log_format?,
            common: self.common(),
        })
    }

    /// The settings that all servers on one database must share. Fields of a messenger that are not set
    /// here are in the database, and empty here.
    fn common(&self) -> Vec<(&'static str, String)> {
        let is_stored = |name: &str| fields::FIELDS.iter().any(|(field, _)| *field == name);
        SETTINGS
            .iter()
            .map(|setting| setting.name)
            .filter(|name| !OF_ONE_SERVER.contains(name))
            .map(|name| {
                let is_here = self.source.is_set(name) || !is_stored(name);
                (name, if is_here { self.source.canonical(name) } else { String::new() })
            })
            .collect()
    }

    /// The messenger `default` as far as it is set here, and the fields that were set.
    fn messenger(&mut self) -> (Option<Messenger>, Texts) {
        let set: Texts = fields::FIELDS
            .iter()
            .filter(|(name, _)| self.source.is_set(name))
            .map(|(name, _)| ((*name).to_owned(), self.source.text(name)))
            .collect();
        match fields::read(&MessengerId::default(), &set) {
            Ok(messenger) => (Some(messenger), set),
            Err(problems) => {
                for problem in problems {
                    self.problem(problem.place, &problem.what, problem.fix.as_deref().unwrap_or_default());
                }
                (None, set)
            }
        }
    }

    fn problem(&mut self, name: &str, what: &str, fix: &str) {
        let problem = Problem::new(self.source.called(name), what);
        self.problems.push(Problem { fix: Some(fix.to_owned()), ..problem });
    }

    /// Reports that a value cannot be read. The message repeats the value unless it is a secret.
    fn unreadable(&mut self, name: &str, value: &str, fix: &str) {
        self.problem(name, &format!("'{value}' cannot be used."), fix);
    }

    fn one<T>(&mut self, name: &str, fix: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.source.text(name);
        let value = read(&text);
        if value.is_none() {
            self.unreadable(name, &text, fix);
        }
        value
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, fix: &str) -> Option<T> {
        self.one(name, fix, |text| text.parse().ok())
    }

    fn optional<T>(&mut self, name: &str, fix: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.source.text(name).is_empty() { None } else { self.one(name, fix, read) }
    }

    fn list<T>(&mut self, name: &str, fix: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut values = Vec::new();
        for item in self.source.list(name) {
            match read(&item) {
                Some(value) => values.push(value),
                None => self.unreadable(name, &item, fix),
            }
        }
        values
    }

    fn secret<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        fix: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.source.is_set(name) {
            return None;
        }
        match read(&self.source.text(name)) {
            Ok(value) => Some(value),
            Err(error) => {
                let seen = wrapping(&self.source.text(name)).join(" ");
                let what = format!("The value cannot be used: {error}. {seen}");
                self.problem(name, what.trim_end(), fix);
                None
            }
        }
    }

    fn yes_no(&mut self, name: &str) -> Option<bool> {
        self.one(name, "Use true or false.", |word| match word {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    /// How long something lasts, at least a minute; the default if it cannot be read. At most ten years,
    /// so that it can be added to any time.
    fn seconds(&mut self, name: &str) -> i64 {
        self.number(name, 60, 315_360_000).unwrap_or_default()
    }

    fn requests(&mut self, name: &str) -> Option<NonZeroU32> {
        let number = self.number(name, 1, 1_000_000)?;
        NonZeroU32::new(u32::try_from(number).ok()?)
    }

    fn number(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        let fix = format!("Use a whole number from {least} to {most}.");
        self.one(name, &fix, |text| text.parse().ok().filter(|number| (least..=most).contains(number)))
    }
}
