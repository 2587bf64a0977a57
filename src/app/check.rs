//! Whether everything is in place: settings, keys, database, mapping, proxy. Each finding says
//! what is wrong and how to mend it.

use super::App;
use super::messengers::DEFAULT;
use crate::core::finding::{Item, State};
use crate::core::mapping::Level;
use crate::core::secret::KeyState;

impl App {
    /// Looks at every part of a product that could be opened: `database`, `keys`, `messenger`, `mapping`
    /// and `proxy`.
    pub fn check(&self) -> Vec<Item> {
        let mut items = vec![self.check_database()];
        items.extend(self.check_keys());
        items.push(self.check_messenger());
        items.extend(self.check_mappings());
        items.extend(self.check_public_url());
        items
    }

    fn check_database(&self) -> Item {
        match self.store().read(|db| crate::store::users::count(db)) {
            Ok(users) => {
                let (kind, place) = match super::database_file(&self.settings().database_url) {
                    Some(file) => {
                        let file = std::path::absolute(&file).unwrap_or(file);
                        ("SQLite", format!(" It is {}.", file.display()))
                    }
                    None => ("PostgreSQL", String::new()),
                };
                let schema = crate::store::SCHEMA_VERSION;
                let what = format!("{kind} answers; {users} users; schema version {schema}.{place}");
                Item::new("database", State::Good, what)
            }
            Err(error) => Item::new(
                "database",
                State::Bad,
                format!("{error}. Check COUNTERSIGN_DATABASE_URL and that the database runs."),
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

    fn check_keys_of(&self, messenger: &str) -> Vec<Item> {
        let keys = match self.signing_keys(messenger) {
            Ok(keys) => keys,
            Err(error) => return vec![Item::new("keys", State::Bad, error.to_string())],
        };
        let whose = if messenger == DEFAULT { String::new() } else { format!(" of '{messenger}'") };
        let mut items = Vec::new();
        let Some(key) = keys.iter().find(|key| key.state == KeyState::Active) else {
            let what = format!(
                "There is no signing key{whose}. Copy the secret from Deskpro's Messenger settings and paste it with \
                 `countersign key add --messenger {messenger}`{}.",
                if messenger == DEFAULT {
                    ", or set COUNTERSIGN_SIGNING_KEY or COUNTERSIGN_SIGNING_KEY_FILE"
                } else {
                    ""
                }
            );
            return vec![Item::new("keys", State::Bad, what)];
        };
        if let Some(odd) = key.oddity {
            items.push(Item::new("keys", State::Attention, odd));
        }
        let (bytes, encoding) = (key.bytes, key.encoding.as_str());
        let state = if bytes < 32 { State::Attention } else { State::Good };
        items.push(Item::new(
            "keys",
            state,
            format!(
                "The signing key{whose} has {bytes} bytes, read as {encoding}. If Deskpro refuses tokens, compare the encoding first."
            ),
        ));
        items
    }

    fn check_messenger(&self) -> Item {
        let messenger = match self.messenger(DEFAULT) {
            Ok(messenger) => messenger,
            Err(error) => return Item::new("messenger", State::Bad, error.to_string()),
        };
        match &messenger.deployment {
            Some(deployment) if deployment.init_script_url.scheme() == "http" => Item::new(
                "messenger",
                State::Attention,
                "Deskpro's script is loaded by http. Use https outside of trials.",
            ),
            Some(deployment) => {
                Item::new("messenger", State::Good, format!("Pages load {}.", deployment.init_script_url))
            }
            None => Item::new(
                "messenger",
                State::Attention,
                "Deskpro's three values are not set, so our own page shows no Messenger. Copy them from its deployment snippet: \
                 COUNTERSIGN_INIT_SCRIPT_URL, COUNTERSIGN_DESKPRO_URL, COUNTERSIGN_MESSENGER_ID.",
            ),
        }
    }

    fn check_mappings(&self) -> Vec<Item> {
        let published = match self.published_mapping(DEFAULT) {
            Ok(published) => published,
            Err(error) => return vec![Item::new("mapping", State::Bad, error.to_string())],
        };
        let Some(version) = published else {
            let message = "No mapping was published; a starter mapping is in force. Look at it with `countersign mapping show` and publish yours with `countersign mapping apply FILE`.";
            return vec![Item::new("mapping", State::Attention, message)];
        };
        match self.check_mapping(&version.text) {
            Ok(checked) if checked.findings.is_empty() => {
                vec![Item::new(
                    "mapping",
                    State::Good,
                    format!("Version {} is in force, without errors or warnings.", version.number),
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
                        format!("{} {}: {} {}", finding.code, finding.pointer, finding.message, finding.help),
                    )
                })
                .collect(),
            Err(error) => vec![Item::new("mapping", State::Bad, error.to_string())],
        }
    }

    fn check_public_url(&self) -> Vec<Item> {
        let settings = self.settings();
        let mut items = Vec::new();
        items.push(match &settings.public_url {
            None => Item::new("proxy", State::Attention, "COUNTERSIGN_PUBLIC_URL is not set, so any Host is served. Set the address people see."),
            Some(url) if !url.secure => Item::new("proxy", State::Attention, "COUNTERSIGN_PUBLIC_URL begins with http:, so sign-ins can be read on the way. Use https outside of trials."),
            Some(url) => Item::new("proxy", State::Good, format!("People reach {}{}.", url.origin.as_str(), url.path)),
        });
        if settings.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
            items.push(Item::new("proxy", State::Attention, "Every address is trusted as a proxy, so anybody can claim to come from any address. Name the proxy's network in COUNTERSIGN_TRUSTED_PROXIES."));
        }
        if settings.trusted_proxies.is_empty() {
            items.push(Item::new("proxy", State::Good, "No proxy is trusted: the client's address is the peer's. Behind a proxy, set COUNTERSIGN_TRUSTED_PROXIES to its network, or everybody shares one limit of guesses."));
        }
        items
    }
}
