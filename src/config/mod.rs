//! Settings: every one with its name, default and meaning, and the checked values they become.
//! A value handed down from the start; nothing below reads the environment.

mod catalogue;
mod source;
mod values;

use std::net::SocketAddr;
use std::num::NonZeroU32;

use ipnet::IpNet;
use url::Url;

use crate::core::mapping::BlockList;
use crate::core::messenger::{Anonymous, Deployment, Messenger};
use crate::core::next::Origin;
use crate::core::secret::{Encoding, MasterKey, SigningKey};
use crate::core::{password, session, throttle, token};
pub use catalogue::{SETTINGS, Setting};
pub use source::{Source, read};
use values::{home, log_filter, messenger_id, network, public_url, web_url};

/// What `GET /` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// Our own host page.
    Page,
    /// Nothing: the site has pages of its own.
    Off,
    /// A redirect to the site.
    Redirect(Url),
}

/// The address people see: an origin and a path without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://www.example.com`.
    pub origin: Origin,
    /// `www.example.com`, with the port where it is not the usual one: what `Host` must say.
    pub host: String,
    /// `/accounts`, or empty.
    pub path: String,
    /// Whether browsers reach it by https.
    pub secure: bool,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// May hold a password; never printed.
    pub database_url: String,
    /// Where the server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `None`: whatever the request says (for trying it out on one machine).
    pub public_url: Option<PublicUrl>,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `None`: with SQLite the key file beside the database.
    pub master_key: Option<MasterKey>,
    /// What `GET /` shows.
    pub home: Home,
    /// The messenger `default`.
    pub messenger: Messenger,
    /// Its signing key.
    pub signing_key: Option<SigningKey>,
    /// How that key was written; `check` says it.
    pub signing_key_encoding: Encoding,
    /// Whether only proved identifiers are signed.
    pub verified_only: bool,
    /// Who never gets a token.
    pub blocked: BlockList,
    /// How long sign-ins last.
    pub sessions: session::Limits,
    /// What new passwords must be.
    pub passwords: password::Policy,
    /// How fast passwords may be guessed.
    pub guesses: throttle::Limits,
    /// Requests for a token that one sign-in may make at once.
    pub token_requests: NonZeroU32,
    /// Requests that one API key may make at once.
    pub api_key_requests: NonZeroU32,
    /// A filter of tracing-subscriber.
    pub log: String,
    /// How logs are written.
    pub log_format: LogFormat,
}

/// A setting that cannot be used: which, why, and what to do. Secrets are not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {what} {mend}")]
pub struct Problem {
    /// The name as it was set: `COUNTERSIGN_LISTEN` or `listen in countersign.toml`.
    pub setting: String,
    /// What is wrong, as a sentence.
    pub what: String,
    /// What to do, as a sentence.
    pub mend: String,
}

/// Turns what was set into settings, or says everything that is wrong with it at once.
pub fn check(source: &Source) -> Result<Settings, Vec<Problem>> {
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
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Option<Settings> {
        let database_url = self.source.text("database_url");
        let listen = self.parsed("listen", "Use an address and a port, such as 127.0.0.1:8080.");
        let public_url =
            self.optional("public_url", "Use https://HOST or https://HOST/PATH, the path of letters, digits and - . _ ~ /, without a query.", public_url);
        let trusted_proxies =
            self.list("trusted_proxies", "Use networks such as 10.0.0.0/8 or 127.0.0.1.", network);
        let master_key = self.secret(
            "master_key",
            "Use 64 random hex digits, for example from `openssl rand -hex 32`.",
            MasterKey::parse,
        );
        let home = self.one("home", "Use 'page', 'off', or a URL that begins with https://.", home);
        let encoding =
            self.one("signing_key_encoding", "Use raw, base64, base64url or hex.", Encoding::parse);
        let allow_short = self.yes_no("allow_short_key");
        let key_help = "Paste the secret from Deskpro, and say by COUNTERSIGN_SIGNING_KEY_ENCODING how it is written \
            (raw, base64, base64url, hex). HS256 needs 32 bytes or more (RFC 7518 section 3.2).";
        let signing_key = self.secret("signing_key", key_help, |text| {
            SigningKey::parse(text, encoding.unwrap_or_default(), allow_short.unwrap_or_default())
        });
        let messenger = self.messenger();
        let verified_only = self.yes_no("verified_only");
        let blocked = self.blocked();
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
        let token_requests = self.requests("token_requests");
        let api_key_requests = self.requests("api_key_requests");
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
            public_url,
            trusted_proxies,
            master_key,
            home: home?,
            messenger: messenger?,
            signing_key,
            signing_key_encoding: encoding?,
            verified_only: verified_only?,
            blocked: blocked?,
            sessions,
            passwords: password::Policy { shortest: usize::try_from(shortest?).ok()? },
            guesses: throttle::Limits::new(per_account?, per_network?),
            token_requests: token_requests?,
            api_key_requests: api_key_requests?,
            log: log?,
            log_format: log_format?,
        })
    }

    fn messenger(&mut self) -> Option<Messenger> {
        let http = "Copy the value from the deployment snippet that Deskpro shows; it begins with https://.";
        let init_script_url = self.optional("init_script_url", http, web_url);
        let deskpro_url = self.optional("deskpro_url", http, web_url);
        let messenger_id = self.optional(
            "messenger_id",
            "It has letters and digits only, usually 26 of them.",
            messenger_id,
        );
        let deployment = if let (Some(init_script_url), Some(deskpro_url), Some(messenger_id)) =
            (init_script_url, deskpro_url, messenger_id)
        {
            Some(Deployment { init_script_url, deskpro_url, messenger_id })
        } else {
            self.ensure_all_or_none(&["init_script_url", "deskpro_url", "messenger_id"]);
            None
        };
        let options = self.one(
            "messenger_options",
            "Use a JSON object such as {\"showLauncherButton\": true}.",
            |text| serde_json::from_str(text).ok(),
        );
        let origin_help = "Use exact origins such as https://www.example.com: no path, no '*', no 'null'.";
        let anonymous = self.one("anonymous", "Use 'allow' or 'hide'.", Anonymous::parse);
        let token_lifetime = self.number("token_lifetime", token::SHORTEST, token::LONGEST);
        let (token_iat, token_exp) = (self.yes_no("token_iat"), self.yes_no("token_exp"));
        let allowed_origins = self.list("allowed_origins", origin_help, Origin::parse);
        let csp_extra = self.list("csp_extra", origin_help, Origin::parse);
        // Everything is read before the first `?`, so that all problems are told at once.
        Some(Messenger {
            id: "default".to_owned(),
            deployment,
            options: options?,
            anonymous: anonymous?,
            token_lifetime: token_lifetime?,
            token_iat: token_iat?,
            token_exp: token_exp?,
            allowed_origins,
            csp_extra,
        })
    }

    /// Deskpro's three values go together. One that is set and cannot be read was told already.
    fn ensure_all_or_none(&mut self, names: &[&str]) {
        let (set, missing): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| !self.source.text(name).is_empty());
        if let (Some(missing), false) = (missing.first(), set.is_empty()) {
            self.problem(
                missing,
                "It is not set, and others of Deskpro's three values are.",
                "Set COUNTERSIGN_INIT_SCRIPT_URL, COUNTERSIGN_DESKPRO_URL and COUNTERSIGN_MESSENGER_ID together, or none of them.",
            );
        }
    }

    fn blocked(&mut self) -> Option<BlockList> {
        match BlockList::parse(&self.source.list("blocked")) {
            Ok(list) => Some(list),
            Err(error) => {
                self.problem(
                    "blocked",
                    &format!("The value cannot be used: {error}."),
                    "Use addresses, domains and Deskpro ids, such as bob@example.com, example.com, 42.",
                );
                None
            }
        }
    }

    fn problem(&mut self, name: &str, what: &str, mend: &str) {
        self.problems.push(Problem {
            setting: self.source.called(name),
            what: what.to_owned(),
            mend: mend.to_owned(),
        });
    }

    /// Says that a value cannot be read; the value itself is repeated unless it is a secret.
    fn unreadable(&mut self, name: &str, value: &str, mend: &str) {
        self.problem(name, &format!("'{value}' cannot be used."), mend);
    }

    fn one<T>(&mut self, name: &str, mend: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.source.text(name);
        let value = read(&text);
        if value.is_none() {
            self.unreadable(name, &text, mend);
        }
        value
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, mend: &str) -> Option<T> {
        self.one(name, mend, |text| text.parse().ok())
    }

    fn optional<T>(&mut self, name: &str, mend: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.source.text(name).is_empty() { None } else { self.one(name, mend, read) }
    }

    fn list<T>(&mut self, name: &str, mend: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut values = Vec::new();
        for item in self.source.list(name) {
            match read(&item) {
                Some(value) => values.push(value),
                None => self.unreadable(name, &item, mend),
            }
        }
        values
    }

    fn secret<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        mend: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.source.text(name);
        if text.is_empty() && !self.source.is_set(name) {
            return None;
        }
        match read(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, &format!("The value cannot be used: {error}."), mend);
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

    /// How long something lasts, at least a minute; the default where it cannot be read.
    fn seconds(&mut self, name: &str) -> i64 {
        self.number(name, 60, i64::MAX).unwrap_or_default()
    }

    fn requests(&mut self, name: &str) -> Option<NonZeroU32> {
        let number = self.number(name, 1, 1_000_000)?;
        NonZeroU32::new(u32::try_from(number).ok()?)
    }

    fn number(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        let mend = match most {
            i64::MAX => format!("Use a whole number, at least {least}."),
            _ => format!("Use a whole number from {least} to {most}."),
        };
        self.one(name, &mend, |text| text.parse().ok().filter(|number| (least..=most).contains(number)))
    }
}
