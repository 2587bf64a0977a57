//! API keys: by what the site's own servers prove who they are. What a key is and what it may do;
//! where keys are kept is not decided here.

use super::throttle::DAY;
use super::user::ExternalId;
use crate::core::id::MessengerId;

/// What every key begins with, so that people and scanners know one when they see it.
pub const PREFIX: &str = "countersign_";

/// What every connection code begins with.
pub const CODE_PREFIX: &str = "connect_";

/// How long a connection code works (seconds).
pub const CODE_LIFETIME: i64 = 15 * 60;

/// How long a key lasts, in seconds: what is usual, and what is possible.
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
    /// Handing users over by one-time codes.
    Handovers,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Users, Self::Mint, Self::Handovers];
    /// Their words.
    pub const WORDS: [&str; 3] = ["users", "mint", "handovers"];

    /// The word of the table and of the command line.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can.
    Live,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
    /// It will be made when a plugin sends its connection code.
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

/// A key as it is kept: everything but the key itself. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for, in the words of whoever made it.
    pub name: String,
    /// The last four characters.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The messengers it may do it for.
    pub messengers: Vec<MessengerId>,
    /// Whether addresses that come by it are verified unless a call says otherwise.
    pub email_verified: bool,
    /// What is put before the external ids that it writes; usually nothing.
    pub prefix: String,
    /// Who made it, as an actor of the audit.
    pub created_by: String,
    /// When it was made.
    pub created_at: i64,
    /// From when on it is worth nothing.
    pub expires_at: i64,
    /// When it was last used, exact to five minutes.
    pub used_at: Option<i64>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
    /// Until when a connection code makes it; `None` where there is none, or no longer.
    pub code_until: Option<i64>,
}

impl ApiKey {
    /// The external id that a site's own key of a user is here. The error says what to do.
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

    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may do it for this messenger.
    pub fn may_use(&self, messenger: &MessengerId) -> bool {
        self.messengers.iter().any(|known| known == messenger)
    }
}

/// A key as it is shown once: the secret behind a word by which scanners of source code know it.
pub fn write(secret: &str) -> String {
    format!("{PREFIX}{secret}")
}

/// A connection code as it is shown once.
pub fn write_code(secret: &str) -> String {
    format!("{CODE_PREFIX}{secret}")
}
