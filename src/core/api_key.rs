//! API keys, with which the site's own servers authenticate. This file says what a key is and what it
//! may do; where keys are stored is not decided here.

use super::throttle::DAY;
use super::user::ExternalId;
use crate::core::id::MessengerId;

/// The prefix of every key, so that people and secret scanners recognise one.
pub const PREFIX: &str = "countersign_";

/// The prefix of every connection code.
pub const CODE_PREFIX: &str = "connect_";

/// How long a connection code works (seconds).
pub const CODE_LIFETIME: i64 = 15 * 60;

/// The default lifetime of a key (seconds).
pub const LIFETIME: i64 = 365 * DAY;
/// The longest lifetime of a key (seconds).
pub const LONGEST_LIFETIME: i64 = 5 * 365 * DAY;

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Writing users.
    Users,
    /// Fetching tokens.
    Mint,
    /// Creating handover codes, which sign users in once.
    Handovers,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Users, Self::Mint, Self::Handovers];
    /// The word of each scope.
    pub const WORDS: [&str; 3] = ["users", "mint", "handovers"];

    /// The word in the table and on the command line.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The scope that a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Live,
    /// Its lifetime is over.
    Expired,
    /// An admin revoked it.
    Revoked,
    /// It will be created when a plugin sends its connection code.
    Waiting,
    /// Its connection code was not used in time.
    Missed,
}

impl State {
    /// The word that lists show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Waiting => "waiting",
            Self::Missed => "missed",
        }
    }
}

/// A key as it is stored: everything except the key itself. Times are in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which is not secret.
    pub id: String,
    /// What it is for, in the words of the person who created it.
    pub name: String,
    /// The last four characters.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The messengers it may be used for.
    pub messengers: Vec<MessengerId>,
    /// Whether addresses sent with it are verified unless a call says otherwise.
    pub email_verified: bool,
    /// The prefix of the external ids that it writes; usually empty.
    pub prefix: String,
    /// Who created it, as an actor of the audit log.
    pub created_by: String,
    /// When it was created.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: i64,
    /// When it was last used, exact to five minutes.
    pub used_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Until when a connection code can create it; `None` if there is no such code, or no longer.
    pub code_until: Option<i64>,
}

impl ApiKey {
    /// The `external_id` that Countersign stores for a site's own user ID. The error says what to do.
    pub fn prefixed(&self, id: &ExternalId) -> Result<ExternalId, &'static str> {
        ExternalId::parse(&format!("{}{}", self.prefix, id.as_str()))
    }

    /// Whether it can be used at `now`.
    pub fn state(&self, now: i64) -> State {
        if self.revoked_at.is_some() {
            State::Revoked
        } else if let Some(until) = self.code_until {
            if now < until { State::Waiting } else { State::Missed }
        } else if now >= self.expires_at {
            State::Expired
        } else {
            State::Live
        }
    }

    /// Whether it has this scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may be used for this messenger.
    pub fn may_use(&self, messenger: &MessengerId) -> bool {
        self.messengers.iter().any(|known| known == messenger)
    }
}

/// A key as it is shown once: the secret after a prefix that scanners of source code recognise.
pub fn write(secret: &str) -> String {
    format!("{PREFIX}{secret}")
}

/// A connection code as it is shown once.
pub fn write_code(secret: &str) -> String {
    format!("{CODE_PREFIX}{secret}")
}
