//! How long a sign-in lasts. Pure: the moment is a parameter.

use super::user::Role;

/// Limits of sessions, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without use.
    pub idle: i64,
    /// From sign-in on, however busy.
    pub absolute: i64,
    /// The same for admins.
    pub admin_idle: i64,
    /// The same for admins.
    pub admin_absolute: i64,
}

impl Default for Limits {
    /// 8 and 24 hours; for admins 30 minutes and 12 hours (NIST SP 800-63B-4).
    fn default() -> Self {
        Self { idle: 8 * 3600, absolute: 24 * 3600, admin_idle: 1800, admin_absolute: 12 * 3600 }
    }
}

/// For how long a password that was typed again counts (seconds), before it is asked for once more.
pub const CONFIRMED_FOR: i64 = 300;

/// Whether a password that was typed at `confirmed_at` still counts.
pub fn is_confirmed(confirmed_at: i64, now: i64) -> bool {
    now < confirmed_at.saturating_add(CONFIRMED_FOR)
}

/// A session's use is written at most this often (seconds).
pub const USE_WRITTEN_EVERY: i64 = 300;

impl Limits {
    /// When a session ends if it is not used again: the earlier of both limits, in unix seconds.
    /// No token outlives it.
    pub fn end(&self, role: Role, created_at: i64, used_at: i64) -> i64 {
        let (idle, absolute) = match role {
            Role::User => (self.idle, self.absolute),
            Role::Admin => (self.admin_idle, self.admin_absolute),
        };
        used_at.saturating_add(idle).min(created_at.saturating_add(absolute))
    }
}
