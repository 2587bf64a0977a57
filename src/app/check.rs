//! Whether everything is in place: settings, keys, database, mapping, proxy. Each finding says what is
//! wrong and how to fix it.

use std::path::Path;

use super::clock::Clock;
use super::start::Found;
use super::sync::{DeskStatus, Health};
use super::{App, AppError};
use crate::config::Settings;
use crate::core::finding::{Item, State};
use crate::core::id::MessengerId;
use crate::core::mapping::Level;
use crate::core::messenger::{Messenger, reach};
use crate::core::pasted::oddities;
use crate::core::secret::{Encoding, KeyState};
use crate::store::Store;

/// What was found.
pub struct Checked {
    /// One finding per part.
    pub items: Vec<Item>,
    /// Why nothing can be opened; `items` then has what can still be checked.
    pub refused: Option<AppError>,
}

impl App {
    /// Checks every part: `database`, `keys`, `messenger`, `mapping`, `conflicts`, `sync`, `proxy` and `files`. Changes
    /// nothing and creates nothing: no database, no tables, no key.
    pub fn check(settings: &Settings, clock: &Clock) -> Checked {
        let (mut items, refused) = match App::open_untouched(settings, clock) {
            Ok(Found::Product(app)) => (app.check_parts(), None),
            Ok(Found::Nothing) => (check_new(settings), None),
            Ok(Found::Older(version)) => {
                let now = crate::store::SCHEMA_VERSION;
                let what = format!(
                    "The database has schema version {version}. The next start updates it to version {now}; make a backup first. Keys, messengers and mappings can be checked after that."
                );
                (vec![Item::new("database", State::Attention, what)], None)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(host) = Store::host_without_tls(&settings.database_url) {
            items.push(Item::new("database", State::Attention, without_tls(&host)));
        }
        items.extend(check_public_url(settings));
        items.extend(check_files(settings));
        Checked { items, refused }
    }

    /// Logs problems that a start should not pass over in silence.
    pub fn warn_at_start(&self) {
        if let Some(host) = Store::host_without_tls(&self.settings().database_url) {
            tracing::warn!("{}", without_tls(&host));
        }
        // The key is added in the console, so the server starts without one.
        if let Ok(Some(missing)) = self.no_key_at_all() {
            tracing::warn!("{missing}");
        }
    }

    fn check_parts(&self) -> Vec<Item> {
        let mut items = vec![self.check_database()];
        if let Ok(definitions) = self.attributes() {
            items.extend(definitions.odd_names().into_iter().map(|(name, error)| {
                let what = format!(
                    "The attribute '{}' has a name that is not allowed for new attributes: {error}. Rules that read it keep working.",
                    crate::core::visible::shown(name)
                );
                Item::new("database", State::Attention, what)
            }));
        }
        if let Ok(Some(apart)) = self.clocks_apart() {
            items.push(Item::new("database", State::Attention, apart));
        }
        if let Ok(Some(apart)) = self.instances_apart() {
            items.push(Item::new("database", State::Attention, apart));
        }
        items.extend(self.check_keys());
        let broken = self.broken_messengers();
        items.extend(broken.iter().map(|it| Item::new("messenger", State::Bad, it.to_string())));
        for messenger in self.messengers().iter() {
            items.extend(check_messenger(messenger));
        }
        for messenger in self.messengers().iter() {
            items.extend(self.check_mappings(&messenger.id));
            items.extend(self.check_identities(&messenger.id));
        }
        items.extend(self.check_desks());
        items
    }

    /// Each helpdesk whose API keeps users: `sync`.
    fn check_desks(&self) -> Vec<Item> {
        let statuses = match self.desk_statuses() {
            Ok(statuses) => statuses,
            Err(error) => return vec![Item::new("sync", State::Bad, error.to_string())],
        };
        let item = |status: DeskStatus| {
            let state = match status.health {
                Health::Good | Health::Running => State::Good,
                Health::Trouble | Health::Waiting | Health::Paused => State::Attention,
                Health::Bad => State::Bad,
            };
            Item::new("sync", state, format!("{}: {}", status.desk.origin.as_str(), status.words))
        };
        let unsent = |status: &DeskStatus| {
            let unsent = self.unsent_alerts(&status.desk.id).unwrap_or_default();
            unsent.into_iter().map(|(kind, why)| {
                let what = format!("An alert ({}) could not be sent: {why}. It is retried.", kind.as_str());
                Item::new("sync", State::Attention, what)
            })
        };
        let alerts: Vec<Item> = statuses.iter().flat_map(unsent).collect();
        statuses.into_iter().map(item).chain(alerts).collect()
    }

    fn check_database(&self) -> Item {
        match self.store().read(|db| crate::store::users::count(db)) {
            Ok(count) => {
                let users = if count == 1 { "1 user" } else { &format!("{count} users") };
                let (kind, place) = match super::database_file(&self.settings().database_url) {
                    Some(file) => {
                        let file = std::path::absolute(&file).unwrap_or(file);
                        ("SQLite", format!(" It is {}.", file.display()))
                    }
                    None => ("PostgreSQL", String::new()),
                };
                let schema = crate::store::SCHEMA_VERSION;
                let what = format!("{kind} answers; {users}; schema version {schema}.{place}");
                Item::new("database", State::Good, what)
            }
            Err(error) => Item::new(
                "database",
                State::Bad,
                format!("{error}. Check COUNTERSIGN_DATABASE_URL and that the database is running."),
            ),
        }
    }

    fn check_keys(&self) -> Vec<Item> {
        let mut items = vec![Item::new("keys", State::Good, "The master key belongs to this database.")];
        for messenger in self.messengers().iter() {
            items.extend(self.check_keys_of(&messenger.id));
        }
        items
    }

    fn check_keys_of(&self, messenger: &MessengerId) -> Vec<Item> {
        let keys = match self.signing_keys(messenger) {
            Ok(keys) => keys,
            Err(error) => return vec![Item::new("keys", State::Bad, error.to_string())],
        };
        let whose = if messenger.is_default() { String::new() } else { format!(" of '{messenger}'") };
        let Some(key) = keys.iter().find(|key| key.state == KeyState::Active) else {
            return vec![Item::new("keys", State::Bad, no_key(messenger))];
        };
        let mut items = check_key(key.bytes, key.encoding, &key.oddities, &whose);
        for next in keys.iter().filter(|key| key.state == KeyState::Next) {
            let said = |odd: &&str| format!("The next key{whose}: {odd}");
            items.extend(next.oddities.iter().map(|odd| Item::new("keys", State::Attention, said(odd))));
        }
        items
    }

    /// Users whom Deskpro would take for one person: `conflicts`; nothing if there are none.
    fn check_identities(&self, messenger: &MessengerId) -> Option<Item> {
        let (state, what) = match self.uncertain_users(messenger, |_, _| {}) {
            Ok(found) if found.count == 0 => return None,
            Ok(found) => {
                let users = if found.count == 1 {
                    "1 user is".to_owned()
                } else {
                    format!("{} users are", found.count)
                };
                let how = format!(
                    "`countersign mapping conflicts --messenger {messenger}` says who, and what to do"
                );
                (
                    State::Attention,
                    format!(
                        "{users} in conflict: Deskpro would treat each as the same person as another user. {how}."
                    ),
                )
            }
            Err(error) => (State::Bad, error.to_string()),
        };
        Some(Item::new("conflicts", state, format!("{}{what}", about(messenger))))
    }

    fn check_mappings(&self, messenger: &MessengerId) -> Vec<Item> {
        let about = about(messenger);
        let published = match self.published_mapping(messenger) {
            Ok(published) => published,
            Err(error) => return vec![Item::new("mapping", State::Bad, error.to_string())],
        };
        let Some(version) = published else {
            let message = format!(
                "{about}No mapping has been published; a starter mapping is used. View it with `countersign mapping show --messenger {messenger}` and publish yours with `countersign mapping apply FILE --messenger {messenger}`."
            );
            return vec![Item::new("mapping", State::Attention, message)];
        };
        match self.check_mapping(messenger, &version.text) {
            Ok(checked) if checked.findings.is_empty() => {
                vec![Item::new(
                    "mapping",
                    State::Good,
                    format!("{about}Version {} is published, without errors or warnings.", version.number),
                )]
            }
            Ok(checked) => checked
                .findings
                .iter()
                .map(|finding| {
                    let state = if finding.level == Level::Error { State::Bad } else { State::Attention };
                    Item::new(
                        "mapping",
                        state,
                        format!(
                            "{about}{} {}: {} {}",
                            finding.code, finding.pointer, finding.message, finding.help
                        ),
                    )
                })
                .collect(),
            Err(error) => vec![Item::new("mapping", State::Bad, error.to_string())],
        }
    }
}

fn without_tls(host: &str) -> String {
    format!(
        "The connection to PostgreSQL on {host} does not require TLS, so an attacker on the network can read and change it, including the password. Add sslmode=require to COUNTERSIGN_DATABASE_URL."
    )
}

/// The start of a finding about a messenger other than `default`.
fn about(messenger: &MessengerId) -> String {
    if messenger.is_default() { String::new() } else { format!("'{messenger}': ") }
}

/// What `check` says before the first start.
fn check_new(settings: &Settings) -> Vec<Item> {
    let place = super::database_file(&settings.database_url)
        .map(|file| format!(" in {}", std::path::absolute(&file).unwrap_or(file).display()));
    let what = format!(
        "There is no database yet. The first start, or the first command that adds a user, creates it{}.",
        place.unwrap_or_default()
    );
    let mut items = vec![Item::new("database", State::Attention, what)];
    let key = settings.signing_key.as_ref().map(|key| (key.expose(), settings.signing_key_encoding));
    match key {
        Some((bytes, encoding)) => {
            items.extend(check_key(bytes.len(), encoding, &oddities(bytes, encoding), ""));
        }
        None => items.push(Item::new("keys", State::Bad, no_key(&MessengerId::default()))),
    }
    items.extend(check_messenger(&settings.messenger));
    items
}

fn no_key(messenger: &MessengerId) -> String {
    let (whose, or) = if messenger.is_default() {
        (String::new(), ", or set COUNTERSIGN_SIGNING_KEY or COUNTERSIGN_SIGNING_KEY_FILE")
    } else {
        (format!(" of '{messenger}'"), "")
    };
    format!(
        "There is no signing key{whose}. Copy the secret from Deskpro's Messenger settings and add it with \
         `countersign key add --messenger {messenger}`{or}."
    )
}

fn check_key(bytes: usize, encoding: Encoding, oddities: &[&str], whose: &str) -> Vec<Item> {
    let mut items: Vec<Item> = oddities.iter().map(|odd| Item::new("keys", State::Attention, *odd)).collect();
    let state = if bytes < 32 { State::Attention } else { State::Good };
    let encoding = encoding.as_str();
    items.push(Item::new(
        "keys",
        state,
        format!(
            "The signing key{whose} has {bytes} bytes, read as {encoding}. If Deskpro refuses tokens, check the encoding first."
        ),
    ));
    items
}

fn check_messenger(messenger: &Messenger) -> Vec<Item> {
    let about = about(&messenger.id);
    let item = |state, what: &str| Item::new("messenger", state, format!("{about}{what}"));
    let mut items = vec![match &messenger.deployment {
        Some(deployment) => item(State::Good, &format!("Pages load {}.", deployment.init_script_url)),
        None => item(
            State::Attention,
            &format!(
                "Deskpro's three values are not set, so Countersign's own page shows no Messenger. Paste Deskpro's whole snippet \
             in the console, under Messengers, or run `countersign messenger set {messenger} --snippet FILE`.",
                messenger = messenger.id
            ),
        ),
    }];
    items.extend(reach::warnings(messenger).iter().map(|warning| item(State::Attention, warning)));
    if !messenger.policy.verified_only {
        items.push(item(
            State::Attention,
            "Unverified addresses are signed (verified_only is false), so a user who registers with another person's address can open that person's chats. Set verified_only to true, unless all addresses of your users are verified.",
        ));
    }
    if messenger.policy.blocked.is_empty() {
        items.push(item(
            State::Attention,
            "The block list is empty, so a user with the address of one of your agents is signed in as that agent. List the addresses or domains of your own staff in COUNTERSIGN_BLOCKED, or in the messenger's setting 'blocked'.",
        ));
    }
    items
}

fn check_public_url(settings: &Settings) -> Vec<Item> {
    let mut items = Vec::new();
    items.push(match &settings.public_url {
        None => Item::new("proxy", State::Attention, "COUNTERSIGN_PUBLIC_URL is not set, so requests for any host name are answered. Set it to the public address."),
        Some(url) if !url.secure => Item::new("proxy", State::Attention, "COUNTERSIGN_PUBLIC_URL starts with http:, so an attacker on the network can read passwords and sessions. Use http only for trials."),
        Some(url) => Item::new("proxy", State::Good, format!("The public address is {}{}.", url.origin.as_str(), url.path)),
    });
    if settings.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        items.push(Item::new("proxy", State::Attention, "Every address is trusted as a proxy, so any client can claim to come from any address. Set COUNTERSIGN_TRUSTED_PROXIES to the proxy's network."));
    }
    if settings.trusted_proxies.is_empty() {
        items.push(Item::new("proxy", State::Good, "No proxy is trusted: the address of a connection is used as the client's address. Behind a proxy, set COUNTERSIGN_TRUSTED_PROXIES to its network; otherwise all clients share one limit for wrong passwords."));
    }
    items
}
/// Files with secrets that can be read by users other than their owner.
fn check_files(settings: &Settings) -> Vec<Item> {
    let beside = super::key_file(&settings.database_url).filter(|_| settings.master_key.is_none());
    let database = super::database_file(&settings.database_url);
    let files = settings.secret_files.iter().cloned().chain(beside).chain(database);
    files.filter_map(|file| {
        let mode = mode_of(&file)?;
        let shown = file.display();
        // In a container, all users may read its secrets, but there is only one user.
        let is_open = mode & 0o007 != 0 && !file.starts_with("/run/secrets");
        let what = format!(
            "{shown} contains secrets, and every user of this machine can read it (mode {mode:o}). Run `chmod o= {shown}`."
        );
        is_open.then(|| Item::new("files", State::Attention, what))
    }).collect()
}

#[cfg(unix)]
fn mode_of(file: &Path) -> Option<u32> {
    let found = std::fs::metadata(file).ok()?;
    Some(std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> Option<u32> {
    None
}
