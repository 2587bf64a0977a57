//! How users are kept as people at a helpdesk: the states of a user there, and the one decision that matters for
//! identity, whether a person who was found is this user.

use serde::{Deserialize, Serialize};

/// How a user stands at a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonState {
    /// Not looked at yet.
    New,
    /// Deskpro has what the mapping says.
    Sent,
    /// Somebody else has to give up an address first.
    Waiting,
    /// Deskpro no longer knows the person; the run decides at its end.
    Missing,
    /// Deskpro refuses it. The same is not sent again by itself.
    Refused,
    /// It is not certain that a person is this user.
    Conflict,
    /// There is no address to find or create the person by.
    NoAddress,
    /// The mapping or the block list says that nothing is sent.
    LeftOut,
    /// Several tries failed; the next run tries again.
    Failed,
    /// The user is disabled or gone, and the person was treated accordingly.
    Retired,
}

impl PersonState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Sent,
        Self::Waiting,
        Self::Missing,
        Self::Refused,
        Self::Conflict,
        Self::NoAddress,
        Self::LeftOut,
        Self::Failed,
        Self::Retired,
    ];

    /// The states that do not last.
    pub const PENDING: [Self; 3] = [Self::New, Self::Waiting, Self::Missing];

    /// The states that need somebody.
    pub const TROUBLE: [Self; 3] = [Self::Refused, Self::Conflict, Self::Failed];

    /// The word in the table, in URLs and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Sent => "sent",
            Self::Waiting => "waiting",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::NoAddress => "no_address",
            Self::LeftOut => "left_out",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }

    /// The state of a word, if it is one.
    pub fn known(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state that was stored; a word of a newer program means nothing yet.
    pub fn parse(word: &str) -> Self {
        Self::known(word).unwrap_or(Self::New)
    }
}

/// Whether a run compares with what was sent last, or with what Deskpro has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// With what was sent last.
    Sync,
    /// With what Deskpro has.
    Verify,
}

impl RunKind {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Verify => "verify",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Self {
        if word == "verify" { Self::Verify } else { Self::Sync }
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It goes on.
    Running,
    /// It compared everybody.
    Done,
    /// It stopped before its end.
    Stopped,
}

impl RunState {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "done" => Self::Done,
            _ => Self::Stopped,
        }
    }
}

/// What a run did, in users and requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Users that were compared.
    pub compared: i64,
    /// Users who were as they should be.
    pub unchanged: i64,
    /// People who were created.
    pub created: i64,
    /// People who were found by address and are kept from now on.
    pub found: i64,
    /// People who were changed.
    pub changed: i64,
    /// People of users who are disabled or gone.
    pub retired: i64,
    /// Users whom Deskpro refuses.
    pub refused: i64,
    /// Users whose person is not certain.
    pub conflicts: i64,
    /// Users without an address, or whom the mapping leaves out.
    pub left_out: i64,
    /// People whom Deskpro no longer had.
    pub missing: i64,
    /// Users for whom several tries failed.
    pub failed: i64,
    /// Requests that were sent.
    pub requests: i64,
}

impl Counts {
    /// The users who are not as they should be.
    pub fn in_trouble(&self) -> i64 {
        self.refused + self.conflicts + self.failed
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            compared,
            unchanged,
            created,
            found,
            changed,
            retired,
            refused,
            conflicts,
            left_out,
            missing,
            failed,
            requests,
        } = other;
        self.compared += compared;
        self.unchanged += unchanged;
        self.created += created;
        self.found += found;
        self.changed += changed;
        self.retired += retired;
        self.refused += refused;
        self.conflicts += conflicts;
        self.left_out += left_out;
        self.missing += missing;
        self.failed += failed;
        self.requests += requests;
    }
}

/// Why a person is not kept for a user, or an address cannot be the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The person is an agent.
    Agent,
    /// The person is in Deskpro's recycle bin.
    Deleted,
    /// The user's address is not proved.
    Unproved,
    /// Another user has the person.
    Taken {
        /// That user's login.
        login: String,
    },
    /// The address is a further address of a person who has another primary one.
    Further,
    /// The user has a person, and the address belongs to another one.
    TwoPeople {
        /// The person with the address.
        other: String,
    },
    /// Two users exchange their addresses.
    Swap {
        /// The other user's login.
        login: String,
    },
    /// Several people have the address.
    Several,
    /// Another user would have the same address there.
    SameAddress {
        /// The other user's login.
        login: String,
    },
    /// One of the further addresses is another user's.
    OthersAddress,
    /// Another user would be the same person there.
    SameId {
        /// The other user's login.
        login: String,
    },
}

impl Conflict {
    /// The codes of conflicts that depend on all users.
    pub const ABOUT_ALL: [&'static str; 2] = ["same_address", "others_address"];

    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Deleted => "deleted",
            Self::Unproved => "unproved",
            Self::Taken { .. } => "taken",
            Self::Further => "further_address",
            Self::TwoPeople { .. } => "two_people",
            Self::Swap { .. } => "swap",
            Self::Several => "several",
            Self::SameAddress { .. } => "same_address",
            Self::OthersAddress => "others_address",
            Self::SameId { .. } => "same_id",
        }
    }

    /// What is wrong, and how to fix it.
    pub fn words(&self) -> String {
        match self {
            Self::Agent => "The person with this address is an agent. A visitor must never be taken for an agent: \
                give the user another address, or block the address for this messenger."
                .into(),
            Self::Deleted => {
                "The person with this address was deleted at Deskpro. Restore the person there, or delete the person for good."
                    .into()
            }
            Self::Unproved => "Deskpro has a person who may be this user, but nothing proves that the user's address is \
                the user's own. Verify the address, then try again."
                .into(),
            Self::Taken { login } => format!(
                "The person with this address belongs to the user '{login}'. Two users cannot be one person: give one of \
                 them another address."
            ),
            Self::Further => "Another person at Deskpro has one of this user's addresses as a further address. In \
                Deskpro, remove the address there, or merge the two people."
                .into(),
            Self::TwoPeople { other } => format!(
                "The user's person and the user's address are two people at Deskpro: the address belongs to person \
                 {other}. In Deskpro, merge the two people."
            ),
            Self::Swap { login } => format!(
                "This user and '{login}' have exchanged their addresses. Deskpro allows no address twice, so give one of \
                 them another address first, run the synchronization, and set the right one then."
            ),
            Self::SameAddress { login } => format!(
                "The mapping gives this user and '{login}' the same address, so Deskpro would take them for one person. \
                 Give one of them another address, or let the mapping read another attribute."
            ),
            Self::OthersAddress => "One of this user's further addresses belongs to another user. Remove it from the \
                attribute that the mapping reads for \"emails\"."
                .into(),
            Self::SameId { login } => format!(
                "This user and '{login}' have the same Deskpro id, so Deskpro would take them for one person. Remove the id of the \
                 one whose person it is not."
            ),
            Self::Several => {
                "Deskpro has several people with this address. In Deskpro, merge them.".into()
            }
        }
    }
}

/// What decides whether a person is a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Works for support; `None` if Deskpro does not say.
    pub is_agent: Option<bool>,
    /// Is deleted; `None` if Deskpro does not say.
    pub is_deleted: Option<bool>,
    /// The login of another user who has the person, and whose account is not gone.
    pub holder: Option<String>,
}

/// Whether a person that was found is this user: only if the user's address is proved, and the person is nobody else's.
/// What Deskpro does not say counts against the person.
///
/// # Errors
/// Why not.
pub fn judge(found: &Found, is_proved: bool) -> Result<(), Conflict> {
    if found.is_agent != Some(false) {
        return Err(Conflict::Agent);
    }
    if found.is_deleted != Some(false) {
        return Err(Conflict::Deleted);
    }
    if let Some(login) = &found.holder {
        return Err(Conflict::Taken { login: login.clone() });
    }
    if !is_proved {
        return Err(Conflict::Unproved);
    }
    Ok(())
}

/// Whether so many people are missing that this is probably another helpdesk: more than 20, or 5 % of all and at least 5.
pub fn is_wrong_helpdesk(missing: i64, of: i64) -> bool {
    missing > 20 || (missing >= 5 && missing * 20 >= of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_kept_only_if_nothing_speaks_against_it() {
        let fine = Found { is_agent: Some(false), is_deleted: Some(false), holder: None };
        assert_eq!(judge(&fine, true), Ok(()));
        assert_eq!(judge(&fine, false), Err(Conflict::Unproved));
        for is_agent in [Some(true), None] {
            assert_eq!(judge(&Found { is_agent, ..fine.clone() }, true), Err(Conflict::Agent));
        }
        for is_deleted in [Some(true), None] {
            assert_eq!(judge(&Found { is_deleted, ..fine.clone() }, true), Err(Conflict::Deleted));
        }
        let taken = Found { holder: Some("ben".into()), ..fine };
        assert_eq!(judge(&taken, true), Err(Conflict::Taken { login: "ben".into() }));
    }

    #[test]
    fn many_missing_people_are_another_helpdesk() {
        for (missing, of, expected) in [
            (0, 0, false),
            (1, 1, false),
            (4, 4, false),
            (5, 5, true),
            (5, 100, true),
            (5, 101, false),
            (20, 10_000, false),
            (21, 1_000_000, true),
        ] {
            assert_eq!(is_wrong_helpdesk(missing, of), expected, "{missing} of {of}");
        }
    }
}
