//! From settings to a running product: opens and migrates the database, finds the master key, and
//! refuses settings that would make sign-ins or tokens worthless.

use std::io::{ErrorKind, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clock::{self, Clock, Monotonic};
use super::counts::Counts;
use super::entries::Entries;
use super::freshness::Freshness;
use super::guesses::Guesses;
use super::hashing::Hashing;
use super::metrics::Metrics;
use super::rates::Rates;
use super::{App, AppError, Inner, Keys, ready};
use crate::config::Settings;
use crate::core::seal::Seal;
use crate::core::secret::{MasterKey, Purpose, hex};
use crate::store::{self, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

/// How many calls of one helpdesk are accepted in a second.
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("not 0");

/// What exists, determined without changing it.
pub(super) enum Found {
    /// No database, or one without tables.
    Nothing,
    /// A database of an older version: the next start updates it.
    Older(i64),
    /// Everything.
    Product(App),
}

impl App {
    /// Opens the database, migrates it and checks the master key against it.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, AppError> {
        Self::open_with(settings, clock, clock::monotonic())
    }

    /// The same with a monotonic clock different from the machine's.
    pub fn open_with(settings: Settings, clock: Clock, monotonic: Monotonic) -> Result<Self, AppError> {
        let store = Store::open(&settings.database_url)?;
        store.migrate()?;
        let master = match master_key(&settings)? {
            Some(key) => key,
            None => create_key(&settings)?,
        };
        let fingerprint = master.fingerprint();
        let known = store.write(clock(), |tx| store::facts::settle(tx, "master_key", &fingerprint))?;
        ensure_same(&known, &fingerprint)?;
        let app = Self::assemble(store, settings, &master, (clock, monotonic))?;
        app.settle_origin()?;
        Ok(app)
    }

    /// Opens what exists for `check`: creates nothing, and migrates nothing.
    pub(super) fn open_untouched(settings: &Settings, clock: &Clock) -> Result<Found, AppError> {
        let Some(version) = Store::peek(&settings.database_url)? else {
            // A missing key is created at the first start, where that is possible.
            if key_file(&settings.database_url).is_none() || settings.master_key.is_some() {
                ensure_key(master_key(settings)?)?;
            }
            return Ok(Found::Nothing);
        };
        if version < store::SCHEMA_VERSION {
            return Ok(Found::Older(version));
        }
        let master = ensure_key(master_key(settings)?)?;
        let store = Store::open(&settings.database_url)?;
        if let Some(known) = store.read(|db| store::facts::of(db, "master_key"))? {
            ensure_same(&known, &master.fingerprint())?;
        }
        Ok(Found::Product(Self::assemble(
            store,
            settings.clone(),
            &master,
            (clock.clone(), clock::monotonic()),
        )?))
    }

    fn assemble(
        store: Store,
        settings: Settings,
        master: &MasterKey,
        (clock, monotonic): (Clock, Monotonic),
    ) -> Result<Self, AppError> {
        let freshness = Arc::new(Freshness::default());
        let counting = freshness.clone();
        let visits = Arc::new(super::sync::Visits::default());
        let telling = visits.clone();
        store.on_change(move |changes| {
            counting.count_up(changes);
            telling.changed(changes);
        });
        let hashing = Hashing::for_this_machine();
        let app = Self(Arc::new(Inner {
            metrics: Metrics::new(&[store.waits(), hashing.seconds()], store.statements()),
            keys: Keys::new(master),
            seal: Seal::new(&master.sub_key(Purpose::Seal)),
            messengers: parking_lot::RwLock::default(),
            loading: parking_lot::Mutex::default(),
            messengers_seen: AtomicI64::new(-1),
            counts: Counts::default(),
            key_rates: Rates::new(settings.api_key_requests),
            token_rates: Rates::new(settings.token_requests),
            call_rates: Rates::per_second(CALLS_PER_SECOND),
            scans: super::identity::Scans::default(),
            stopping: AtomicBool::new(false),
            readiness: ready::Readiness::default(),
            hashing,
            guesses: Guesses::default(),
            compiled: super::compiled::Compiled::default(),
            freshness,
            shared: super::shared::Kept::default(),
            entries: Entries::new(usize::try_from(settings.token_cache).unwrap_or_default() << 20),
            store,
            settings,
            clock,
            monotonic,
            clocks: parking_lot::Mutex::default(),
            watched: super::jobs::Watched::default(),
            desks: super::sync::Watched::default(),
            visits,
            others: super::instances::Others::default(),
        }));
        app.refresh_messengers()?;
        Ok(app)
    }
}

fn ensure_same(known: &str, fingerprint: &str) -> Result<(), AppError> {
    if known == fingerprint {
        return Ok(());
    }
    Err(AppError::Refused(
        "The master key is not the one this database was set up with. Use the key that belongs to it: \
         COUNTERSIGN_MASTER_KEY, COUNTERSIGN_MASTER_KEY_FILE, or the .key file beside the SQLite database."
            .into(),
    ))
}

fn ensure_key(key: Option<MasterKey>) -> Result<MasterKey, AppError> {
    key.ok_or_else(|| {
        AppError::Refused(
            "The master key of this database is missing. Restore the .key file that was beside the SQLite database, \
             or set COUNTERSIGN_MASTER_KEY or COUNTERSIGN_MASTER_KEY_FILE."
                .into(),
        )
    })
}

/// The path of the master key of an embedded database: beside it.
pub fn key_file(database_url: &str) -> Option<PathBuf> {
    database_file(database_url).map(|file| file.with_extension("key"))
}

/// The file of an embedded database.
pub fn database_file(database_url: &str) -> Option<PathBuf> {
    let path = database_url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)).to_owned())
}

/// The master key, from the settings or beside the database; `None` if it does not exist yet.
fn master_key(settings: &Settings) -> Result<Option<MasterKey>, AppError> {
    if let Some(key) = &settings.master_key {
        return Ok(Some(key.clone()));
    }
    let Some(path) = key_file(&settings.database_url) else {
        return Err(AppError::Refused(
            "There is no master key. With PostgreSQL it is never created for you, because every instance needs the same key: \
             create one with `openssl rand -hex 32` and set COUNTERSIGN_MASTER_KEY or COUNTERSIGN_MASTER_KEY_FILE."
                .into(),
        ));
    };
    match read_key(&path) {
        Ok(text) => MasterKey::parse(&text).map(Some).map_err(|error| {
            unusable(&path, &format!("{error}. It must have 64 hex digits; restore it from a backup."))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&path, &format!("it cannot be read: {error}."))),
    }
}

/// How often an incomplete key is read again, and how long to wait between reads.
const READ_AGAIN: u32 = 100;
const READ_AFTER: Duration = Duration::from_millis(10);

/// The content of a key file. Where files cannot be linked, another process may be writing it at this
/// moment, so a short one is read again for a second.
fn read_key(path: &Path) -> std::io::Result<String> {
    let mut text = std::fs::read_to_string(path)?;
    for _ in 0..READ_AGAIN {
        if text.trim().len() >= 2 * MasterKey::BYTES {
            break;
        }
        std::thread::sleep(READ_AFTER);
        text = std::fs::read_to_string(path)?;
    }
    Ok(text)
}

fn unusable(path: &Path, what: &str) -> AppError {
    AppError::Refused(format!("The master key {}: {what}", path.display()))
}

fn create_key(settings: &Settings) -> Result<MasterKey, AppError> {
    let path = key_file(&settings.database_url).unwrap_or_default();
    create(&path, |draft, path| std::fs::hard_link(draft, path))
        .map_err(|error| unusable(&path, &format!("it cannot be created: {error}.")))
}

/// Creates a key, or uses the one that another process created in the meantime. `link` gives a file a
/// second name, unless that name exists.
fn create(path: &Path, link: impl Fn(&Path, &Path) -> std::io::Result<()>) -> std::io::Result<MasterKey> {
    let bytes: [u8; MasterKey::BYTES] = clock::random();
    let text = format!("{}\n", hex(&bytes));
    // Written completely under another name first, so that no process reads half a key.
    let draft = path.with_extension(format!("key.{}", clock::new_id()));
    write_private(&draft, &text)?;
    let mut linked = link(&draft, path);
    std::fs::remove_file(&draft)?;
    if linked.as_ref().is_err_and(|error| error.kind() != ErrorKind::AlreadyExists) {
        // FAT and some network and user-space file systems have no links. There the process that creates
        // the file writes it at once, and readers wait for the rest of a short one.
        linked = write_private(path, &text);
    }
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => MasterKey::parse(&read_key(path)?)
            .map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error)),
    }
}

/// Writes a new file that only its owner may read, and flushes it to the disk.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_made_once_where_files_cannot_be_linked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.key");
        // What FAT returns, and what some user-space file systems return.
        let kinds = [ErrorKind::PermissionDenied, ErrorKind::Unsupported];
        let keys: Vec<String> = std::thread::scope(|scope| {
            let make = |kind: ErrorKind| create(&path, move |_, _| Err(std::io::Error::from(kind)));
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || make(kinds[number % 2]))).collect();
            let made = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            made.map(|key| key.expect("a key").fingerprint()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "all have the same: {keys:?}");
        let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(names.len(), 1, "no draft is left");
    }

    #[test]
    fn a_reader_waits_for_the_rest_of_a_key_that_is_being_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.key");
        std::fs::write(&path, "").expect("the file is there before its text");
        let text = "5a17".repeat(16);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read_key(&path));
            std::fs::write(&path, &text).expect("written");
            assert_eq!(reader.join().expect("no panic").expect("read"), text);
        });
    }
}
