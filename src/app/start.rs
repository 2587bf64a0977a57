//! From settings to a running product: opens and migrates the database, finds the master key, and
//! refuses what would make sign-ins or tokens worthless.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::clock::{self, Clock, Monotonic};
use super::counts::Counts;
use super::hashing::Hashing;
use super::rates::Rates;
use super::{App, AppError, Inner, Keys, messengers};
use crate::config::Settings;
use crate::core::seal::Seal;
use crate::core::secret::{MasterKey, Purpose, hex};
use crate::store::{self, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

impl App {
    /// Opens the database, migrates it and checks the master key against it.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, AppError> {
        Self::open_with(settings, clock, clock::monotonic())
    }

    /// The same with another monotonic clock than the machine's.
    pub fn open_with(settings: Settings, clock: Clock, monotonic: Monotonic) -> Result<Self, AppError> {
        let store = Store::open(&settings.database_url)?;
        store.migrate()?;
        let master = master_key(&settings)?;
        let fingerprint = master.fingerprint();
        let known = store.write(clock(), |tx| store::facts::settle(tx, "master_key", &fingerprint))?;
        if known != fingerprint {
            return Err(AppError::Refused(
                "The master key is not the one this database was set up with. Use the key that belongs to it: \
                 COUNTERSIGN_MASTER_KEY, COUNTERSIGN_MASTER_KEY_FILE, or the .key file beside the SQLite database."
                    .into(),
            ));
        }
        let app = Self(Arc::new(Inner {
            keys: Keys::new(&master),
            seal: Seal::new(&master.sub_key(Purpose::Seal)),
            messengers: messengers::Known::default(),
            messengers_seen: AtomicI64::new(-1),
            counts: Counts::default(),
            key_rates: Rates::new(settings.api_key_requests),
            token_rates: Rates::new(settings.token_requests),
            stopping: AtomicBool::new(false),
            hashing: Hashing::for_this_machine(),
            store,
            settings,
            clock,
            monotonic,
            watched: super::jobs::Watched::default(),
        }));
        app.refresh_messengers()?;
        Ok(app)
    }
}

/// Where the master key of an embedded database is: beside it.
pub fn key_file(database_url: &str) -> Option<PathBuf> {
    database_file(database_url).map(|file| file.with_extension("key"))
}

/// The file of an embedded database.
pub fn database_file(database_url: &str) -> Option<PathBuf> {
    let path = database_url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)).to_owned())
}

fn master_key(settings: &Settings) -> Result<MasterKey, AppError> {
    if let Some(key) = &settings.master_key {
        return Ok(key.clone());
    }
    let Some(path) = key_file(&settings.database_url) else {
        return Err(AppError::Refused(
            "There is no master key. With PostgreSQL it is never made for you, because every instance needs the same: \
             make one by `openssl rand -hex 32` and set COUNTERSIGN_MASTER_KEY or COUNTERSIGN_MASTER_KEY_FILE."
                .into(),
        ));
    };
    let unusable = |what: String| AppError::Refused(format!("The master key {}: {what}", path.display()));
    match std::fs::read_to_string(&path) {
        Ok(text) => MasterKey::parse(&text)
            .map_err(|error| unusable(format!("{error}. It has 64 hex digits; restore it from a backup."))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            create(&path).map_err(|error| unusable(format!("it cannot be created: {error}.")))
        }
        Err(error) => Err(unusable(format!("it cannot be read: {error}."))),
    }
}

/// Makes a key, or takes the one that another process made in the meantime.
fn create(path: &Path) -> std::io::Result<MasterKey> {
    let bytes: [u8; MasterKey::BYTES] = clock::random();
    // Written whole under another name first, so that nobody reads half a key.
    let draft = path.with_extension(format!("key.{}", clock::new_id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", hex(&bytes))?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => MasterKey::parse(&std::fs::read_to_string(path)?)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error)),
    }
}
