//! Sessions of browsers and apps: how they are identified, and how long they last. Pure: the current time is
//! a parameter.

use std::fmt;

use super::id::{MessengerId, SessionDigest, UserId};
use super::secret::digest;
use super::throttle::DAY;
use super::user::Role;

/// The secret in a browser's session cookie. Anyone who has it is signed in, so it is never written down: not
/// in the database, which has only its digest, and not in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// A reference from a cookie, or a new one.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The reference itself, only for the browser's cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the session in Countersign.
    pub fn digest(&self) -> SessionDigest {
        digest(&self.0).into()
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(…)")
    }
}

/// Whether a use that was written at one moment has to be written again at another (unix seconds): after this many seconds,
/// and if the clock was set back.
pub fn is_due(written_at: i64, every: i64, now: i64) -> bool {
    !(0..every).contains(&(now - written_at))
}

/// A session of one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the reference, in hex.
    pub digest: SessionDigest,
    /// The user who is signed in.
    pub user_id: UserId,
    /// Unix seconds; the absolute limit counts from here.
    pub created_at: i64,
    /// Unix seconds, exact to five minutes; the idle limit counts from here.
    pub used_at: i64,
    /// Unix seconds: when the console was used last, exact like `used_at`.
    pub console_used_at: i64,
    /// When the password was last typed, unix seconds.
    pub confirmed_at: i64,
    /// The network address that the user signed in from.
    pub address: String,
    /// The browser's user agent, at most 200 characters.
    pub agent: String,
    /// How it started.
    pub door: Door,
    /// How long it lasts.
    pub stay: Stay,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<MessengerId>,
    /// The API key whose handover code started it, if one did.
    pub key_id: Option<String>,
}

/// A session of one app. Times are in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id, which is not secret.
    pub id: String,
    /// The user who is signed in.
    pub user_id: UserId,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<MessengerId>,
    /// The API key whose handover code started it, if one did.
    pub key_id: Option<String>,
    /// What the app calls it.
    pub name: String,
    /// What it runs on: `ios`, `android` or `other`.
    pub platform: String,
    /// The absolute limit counts from here.
    pub created_at: i64,
    /// Exact to five minutes; the idle limit counts from here.
    pub used_at: i64,
    /// The network address that it was last used from.
    pub address: String,
}

/// Limits of sessions, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum time without use.
    pub idle: i64,
    /// Maximum time from sign-in, even if active.
    pub absolute: i64,
    /// For an admin's console: maximum time without use of the console itself.
    pub admin_idle: i64,
    /// Maximum time from an admin's sign-in, even if active.
    pub admin_absolute: i64,
    /// For a browser whose user asked to stay signed in; 0 if no user may.
    pub kept: i64,
    /// For an app: maximum time without use.
    pub device_idle: i64,
    /// For an app: maximum time from sign-in, even if active.
    pub device_absolute: i64,
}

/// The longest time that a user may stay signed in with any setting (seconds): 30 days.
pub const LONGEST_KEPT: i64 = 30 * DAY;

/// Which limits a session has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stay {
    /// Those of a browser.
    #[default]
    Usual,
    /// Those of a browser whose user asked to stay signed in. This has no effect for admins.
    Kept,
    /// Those of an app.
    Device,
}

/// How a session started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// With a password, in Countersign.
    #[default]
    Password,
    /// With a handover code: the site's server vouched.
    Handover,
}

impl Door {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Handover => "handover",
        }
    }

    /// The door that a word means.
    pub fn parse(word: &str) -> Self {
        if word == "handover" { Self::Handover } else { Self::Password }
    }
}

impl Default for Limits {
    /// 8 and 24 hours; for admins 30 minutes and 12 hours (NIST SP 800-63B-4); 30 days for users who
    /// stay signed in; 14 and 30 days for apps.
    fn default() -> Self {
        Self {
            idle: 8 * 3600,
            absolute: 24 * 3600,
            admin_idle: 1800,
            admin_absolute: 12 * 3600,
            kept: LONGEST_KEPT,
            device_idle: 14 * DAY,
            device_absolute: 30 * DAY,
        }
    }
}

/// How long a confirmed password stays valid (seconds) before it must be confirmed again.
pub const CONFIRMED_FOR: i64 = 300;

/// Whether a password that was confirmed at `confirmed_at` is still valid.
pub fn is_confirmed(confirmed_at: i64, now: i64) -> bool {
    now < confirmed_at.saturating_add(CONFIRMED_FOR)
}

/// The use of a session is written at least this often (seconds); more often if its idle limit is short.
pub const USE_WRITTEN_EVERY: i64 = 300;

impl Limits {
    /// When a session ends if it is not used again: the earlier of both limits, in unix seconds.
    /// No token is valid after it.
    pub fn end(&self, stay: Stay, role: Role, created_at: i64, used_at: i64) -> i64 {
        let (idle, absolute) = match (stay, role) {
            (Stay::Device, _) => (self.device_idle, self.device_absolute),
            // The console has its own idle limit: see `console_end`.
            (_, Role::Admin) => (self.idle, self.admin_absolute),
            (Stay::Kept, Role::User) => (self.kept.max(self.idle), self.kept.max(self.absolute)),
            (Stay::Usual, Role::User) => (self.idle, self.absolute),
        };
        used_at.saturating_add(idle).min(created_at.saturating_add(absolute))
    }

    /// When the console closes for an admin who does not use it again. Tokens that an open tab fetches keep
    /// the session at the website alive, but not the console.
    pub fn console_end(&self, created_at: i64, console_used_at: i64) -> i64 {
        let absolute = created_at.saturating_add(self.admin_absolute);
        console_used_at.saturating_add(self.admin_idle).min(absolute)
    }

    /// How often the use of a session is written (seconds): often enough to apply its idle limit correctly.
    pub fn written_every(&self, stay: Stay, role: Role) -> i64 {
        let idle = match (stay, role) {
            (Stay::Device, _) => self.device_idle,
            (Stay::Kept, Role::User) => self.kept.max(self.idle),
            (_, Role::User) => self.idle,
            (_, Role::Admin) => self.idle.min(self.admin_idle),
        };
        (idle / 4).clamp(1, USE_WRITTEN_EVERY)
    }
}
