//! Sign-ins of browsers and apps: by what they are known, and how long they last. Pure: the moment is a parameter.

use std::fmt;

use super::id::{MessengerId, SessionDigest, UserId};
use super::secret::digest;
use super::throttle::DAY;
use super::user::Role;

/// The secret that a browser's session cookie carries. Whoever has it is signed in, so nothing writes it down: not
/// the database, which has its digest, and no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// A reference as a cookie has it, or newly made.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The reference itself, for the browser's cookie alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the session is known by here.
    pub fn digest(&self) -> SessionDigest {
        digest(&self.0).into()
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(…)")
    }
}

/// A sign-in of one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the reference, in hex.
    pub digest: SessionDigest,
    /// Whose it is.
    pub user_id: UserId,
    /// Unix seconds; the absolute limit counts from here.
    pub created_at: i64,
    /// Unix seconds, exact to five minutes; the idle limit counts from here.
    pub used_at: i64,
    /// Unix seconds: when the console was used last, exact like `used_at`.
    pub console_used_at: i64,
    /// When the password was typed last, unix seconds.
    pub confirmed_at: i64,
    /// Where it was signed in from.
    pub address: String,
    /// What the browser called itself, at most 200 characters.
    pub agent: String,
    /// How it began.
    pub door: Door,
    /// How long it lasts.
    pub stay: Stay,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<MessengerId>,
    /// The API key whose code it began by, if it did.
    pub key_id: Option<String>,
}

/// A sign-in of one app. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub user_id: UserId,
    /// The only messenger it gets tokens for; `None` for any.
    pub messenger: Option<MessengerId>,
    /// The API key whose code it began by, if it did.
    pub key_id: Option<String>,
    /// What the app calls it.
    pub name: String,
    /// What it runs on: `ios`, `android` or `other`.
    pub platform: String,
    /// The absolute limit counts from here.
    pub created_at: i64,
    /// Exact to five minutes; the idle limit counts from here.
    pub used_at: i64,
    /// Where it was used from last.
    pub address: String,
}

/// Limits of sessions, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without use.
    pub idle: i64,
    /// From sign-in on, however busy.
    pub absolute: i64,
    /// For an admin's console, without use of the console itself.
    pub admin_idle: i64,
    /// From an admin's sign-in on, however busy.
    pub admin_absolute: i64,
    /// For a browser whose user asked to stay signed in; 0 where nobody may.
    pub kept: i64,
    /// For an app, without use.
    pub device_idle: i64,
    /// For an app, however busy.
    pub device_absolute: i64,
}

/// The longest that somebody may stay signed in, by any setting (seconds): 30 days.
pub const LONGEST_KEPT: i64 = 30 * DAY;

/// Which limits a sign-in has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stay {
    /// A browser's.
    #[default]
    Usual,
    /// A browser's whose user asked to stay signed in. It gives admins nothing.
    Kept,
    /// An app's.
    Device,
}

/// How a session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// By a password, here.
    #[default]
    Password,
    /// By a code: the site's server vouched.
    Handover,
}

impl Door {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Handover => "handover",
        }
    }

    /// The door of a word.
    pub fn parse(word: &str) -> Self {
        if word == "handover" { Self::Handover } else { Self::Password }
    }
}

impl Default for Limits {
    /// 8 and 24 hours; for admins 30 minutes and 12 hours (NIST SP 800-63B-4); 30 days for whoever
    /// stays signed in; 14 and 30 days for apps.
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

/// For how long a password that was typed again counts (seconds), before it is asked for once more.
pub const CONFIRMED_FOR: i64 = 300;

/// Whether a password that was typed at `confirmed_at` still counts.
pub fn is_confirmed(confirmed_at: i64, now: i64) -> bool {
    now < confirmed_at.saturating_add(CONFIRMED_FOR)
}

/// A sign-in's use is written this often at the least (seconds); more often where its idle limit is short.
pub const USE_WRITTEN_EVERY: i64 = 300;

impl Limits {
    /// When a session ends if it is not used again: the earlier of both limits, in unix seconds.
    /// No token outlives it.
    pub fn end(&self, stay: Stay, role: Role, created_at: i64, used_at: i64) -> i64 {
        let (idle, absolute) = match (stay, role) {
            (Stay::Device, _) => (self.device_idle, self.device_absolute),
            // The console has an idle limit of its own: see `console_end`.
            (_, Role::Admin) => (self.idle, self.admin_absolute),
            (Stay::Kept, Role::User) => (self.kept.max(self.idle), self.kept.max(self.absolute)),
            (Stay::Usual, Role::User) => (self.idle, self.absolute),
        };
        used_at.saturating_add(idle).min(created_at.saturating_add(absolute))
    }

    /// When the console closes for an admin who does not use it again. Tokens that an open tab fetches keep
    /// the sign-in at the website alive, not the console.
    pub fn console_end(&self, created_at: i64, console_used_at: i64) -> i64 {
        let absolute = created_at.saturating_add(self.admin_absolute);
        console_used_at.saturating_add(self.admin_idle).min(absolute)
    }

    /// How often the use of a sign-in is written (seconds): often enough that its idle limit holds.
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
