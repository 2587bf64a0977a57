//! Alerts about a synchronization: when the receiver is told of a problem, or of its end, and in which words. Each kind is
//! told at most once a day.

use serde_json::{Value, json};

use super::throttle::DAY;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The synchronization stopped by itself: the key was refused, or it is another helpdesk.
    Stopped,
    /// A run should have begun.
    Overdue,
    /// Deskpro refuses too many users.
    Refused,
    /// It is not certain who more users are.
    Conflicts,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Stopped, Self::Overdue, Self::Refused, Self::Conflicts];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Overdue => "overdue",
            Self::Refused => "refused",
            Self::Conflicts => "conflicts",
        }
    }
}

/// A problem as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The stable word of its cause.
    pub code: String,
    /// What is wrong, and what to do.
    pub words: String,
    /// How many users it is about; 0 if it is about all.
    pub number: i64,
}

/// What the receiver knows about one kind. Times in unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Whether it knows of the problem, and not yet of its end.
    pub is_raised: bool,
    /// When it was told last that there is a problem.
    pub raised_at: Option<i64>,
    /// How many users it was about then.
    pub number: i64,
    /// Nobody else sends it until then.
    pub busy_until: Option<i64>,
    /// Why it could not be sent.
    pub problem: String,
}

/// What the receiver is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// There is a problem.
    Raised,
    /// There is none any more.
    Clear,
}

/// A time further ahead than this (seconds) was written by another clock.
const LONGEST_BUSY: i64 = 900;

/// What the receiver is to be told now about one kind, if anything.
pub fn due(kind: Kind, told: &Told, trouble: Option<&Trouble>, now: i64) -> Option<Tell> {
    if told.busy_until.is_some_and(|until| (now..now + LONGEST_BUSY).contains(&(until - 1))) {
        return None;
    }
    let Some(trouble) = trouble else { return told.is_raised.then_some(Tell::Clear) };
    let is_fresh = told.raised_at.is_some_and(|at| (at..at + DAY).contains(&now));
    // Conflicts stay until somebody decides; only more of them are news.
    let is_known = kind == Kind::Conflicts && told.is_raised && trouble.number <= told.number;
    (!is_fresh && !is_known).then_some(Tell::Raised)
}

/// The body of an alert. It names no user: it may be posted where many people read.
pub fn body(
    tell: Tell,
    kind: Kind,
    helpdesk: &str,
    console: Option<&str>,
    trouble: Option<&Trouble>,
    now: i64,
) -> Value {
    let kind = kind.as_str();
    let (event, code, words, number) = match (tell, trouble) {
        (Tell::Raised, Some(trouble)) => {
            ("sync.problem", trouble.code.as_str(), trouble.words.clone(), trouble.number)
        }
        (Tell::Raised, None) => ("sync.test", kind, "This is a test. Alerts arrive.".to_owned(), 0),
        (Tell::Clear, _) => ("sync.all_clear", kind, format!("{helpdesk}: this problem has ended."), 0),
    };
    let mut data = json!({ "helpdesk": helpdesk, "kind": kind, "code": code, "words": words });
    if number > 0 {
        data["users"] = number.into();
    }
    if let Some(console) = console {
        data["console"] = console.into();
    }
    let timestamp = jiff::Timestamp::from_second(now).map_or_else(|_| now.to_string(), |at| at.to_string());
    json!({ "type": event, "timestamp": timestamp, "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(number: i64) -> Trouble {
        Trouble { code: "x".into(), words: "y".into(), number }
    }

    #[test]
    fn each_kind_is_told_once_a_day_and_its_end_at_once() {
        let mut told = Told::default();
        let now = 1_000_000;
        assert_eq!(due(Kind::Overdue, &told, None, now), None);
        assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), now), Some(Tell::Raised));
        told = Told { is_raised: true, raised_at: Some(now), ..told };
        assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), now + DAY - 1), None);
        assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), now + DAY), Some(Tell::Raised));
        // A clock that was set back.
        assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), now - 10), Some(Tell::Raised));
        assert_eq!(due(Kind::Overdue, &told, None, now + 60), Some(Tell::Clear));
        told.is_raised = false;
        assert_eq!(due(Kind::Overdue, &told, None, now + 120), None);
        assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), now + 180), None, "it comes and goes");
        told.busy_until = Some(now + 200);
        for (at, expected) in [(now + 199, None), (now + DAY, Some(Tell::Raised))] {
            assert_eq!(due(Kind::Overdue, &told, Some(&trouble(0)), at), expected);
        }
        told.busy_until = Some(now + 10 * DAY);
        assert_eq!(
            due(Kind::Overdue, &told, Some(&trouble(0)), now + DAY),
            Some(Tell::Raised),
            "another clock's"
        );
    }

    #[test]
    fn conflicts_that_are_known_are_not_told_again() {
        let told = Told { is_raised: true, raised_at: Some(0), number: 3, ..Told::default() };
        let at = 2 * DAY;
        assert_eq!(due(Kind::Conflicts, &told, Some(&trouble(3)), at), None);
        assert_eq!(due(Kind::Conflicts, &told, Some(&trouble(4)), at), Some(Tell::Raised));
        assert_eq!(due(Kind::Conflicts, &told, None, at), Some(Tell::Clear));
        assert_eq!(due(Kind::Refused, &told, Some(&trouble(3)), at), Some(Tell::Raised));
    }
}
