//! A desk: one helpdesk with its API key. Its people are described by the published mapping of one messenger, and its
//! settings say how fast they are sent, when, and what happens to users whom it does not have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::id::{DeskId, MessengerId};
use super::messenger::fields::{FieldProblem, Texts, problem};
use super::origin::Origin;
use super::schedule::{Pattern, Schedule};

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// One helpdesk with its API key.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    /// Its id.
    pub id: DeskId,
    /// The helpdesk.
    pub origin: Origin,
    /// The messenger whose published mapping describes its people.
    pub messenger: MessengerId,
    /// The id of the secret that is its API key.
    pub key_id: String,
    /// Whether it may be on this machine, in a private network, or without TLS.
    pub is_private: bool,
    /// How people are sent.
    pub settings: Settings,
}

/// How people are sent to a helpdesk. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Requests at a time.
    pub at_once: usize,
    /// The most requests in a minute, an hour and a day.
    pub budget: [Option<u32>; 3],
    /// When a run starts by itself.
    pub schedule: Schedule,
    /// After this long without a run that compared everybody with Deskpro, the next run does.
    pub verify_every: Option<i64>,
    /// The token of a user whom the helpdesk does not have yet.
    pub on_missing: OnMissing,
    /// The time for one request.
    pub request_time: Duration,
    /// How long a page waits for a user's person, in milliseconds.
    pub wait_ms: u64,
    /// A page looks at a person again after this long.
    pub look_after: i64,
    /// What happens to the person of a user who is disabled or gone.
    pub on_disabled: OnDisabled,
    /// The label of [`OnDisabled::Label`].
    pub label: String,
    /// More than this many percent of users that could not be sent are an alert.
    pub alert_percent: i64,
}

/// What a user gets whom the helpdesk does not have yet, if the token needs the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// No token: the same as an anonymous visitor.
    Anonymous,
    /// A token with everything that the mapping produces, so that Deskpro creates the person.
    OnDemand,
}

/// What happens to the person of a user who is disabled or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisabled {
    /// Nothing.
    Leave,
    /// The person leaves the groups that were given by us.
    Ungroup,
    /// The person gets a label.
    Label,
}

/// Every setting with its default.
pub const FIELDS: [(&str, &str); 15] = [
    ("requests_at_once", "4"),
    ("requests_per_minute", ""),
    ("requests_per_hour", ""),
    ("requests_per_day", ""),
    ("request_seconds", "30"),
    ("every_minutes", "60"),
    ("cron", ""),
    ("timezone", "UTC"),
    ("verify_days", "7"),
    ("on_missing", "anonymous"),
    ("wait_ms", "1500"),
    ("look_after_hours", "24"),
    ("on_disabled", "leave"),
    ("label", "account closed"),
    ("alert_percent", "5"),
];

impl Settings {
    /// Reads settings by the names of [`FIELDS`]; a missing one has its default. All problems at once.
    pub fn read(texts: &Texts) -> Result<Self, Vec<FieldProblem>> {
        let mut reader = Reader { texts, problems: Vec::new() };
        let at_once = reader.number("requests_at_once", 1, 16, "Use a whole number from 1 to 16.");
        let budget = ["requests_per_minute", "requests_per_hour", "requests_per_day"]
            .map(|name| reader.limit(name).and_then(|number| u32::try_from(number).ok()));
        let request_time = reader.number("request_seconds", 1, 30, "Use a whole number from 1 to 30.");
        let schedule = reader.schedule();
        let verify_days =
            reader.number("verify_days", 0, 365, "Use a number of days from 1 to 365, or 0 for never.");
        let on_missing = reader.one("on_missing", "Use 'anonymous' or 'on_demand'.", |word| match word {
            "anonymous" => Some(OnMissing::Anonymous),
            "on_demand" => Some(OnMissing::OnDemand),
            _ => None,
        });
        let wait_ms = reader.number("wait_ms", 0, 10_000, "Use a number of milliseconds from 0 to 10000.");
        let look_after = reader.number("look_after_hours", 1, 8_760, "Use a number of hours from 1 to 8760.");
        let on_disabled =
            reader.one("on_disabled", "Use 'leave', 'ungroup' or 'label'.", |word| match word {
                "leave" => Some(OnDisabled::Leave),
                "ungroup" => Some(OnDisabled::Ungroup),
                "label" => Some(OnDisabled::Label),
                _ => None,
            });
        let label = reader.one("label", "Use 1 to 100 characters, on one line.", |text| {
            let fits = text.chars().count() <= 100 && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned())
        });
        let alert_percent = reader.number("alert_percent", 0, 100, "Use a whole number from 0 to 100.");
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        let seconds = |number: Option<i64>, each: i64| number.unwrap_or_default() * each;
        Ok(Self {
            at_once: at_once.and_then(|number| usize::try_from(number).ok()).unwrap_or(1),
            budget,
            request_time: Duration::from_secs(
                request_time.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(30),
            ),
            schedule: schedule.unwrap_or(Schedule::Off),
            verify_every: Some(seconds(verify_days, 24 * HOUR)).filter(|every| *every > 0),
            on_missing: on_missing.unwrap_or(OnMissing::Anonymous),
            wait_ms: wait_ms.and_then(|number| u64::try_from(number).ok()).unwrap_or_default(),
            look_after: seconds(look_after, HOUR),
            on_disabled: on_disabled.unwrap_or(OnDisabled::Leave),
            label: label.unwrap_or_default(),
            alert_percent: alert_percent.unwrap_or(5),
        })
    }

    /// How long requests take within the budget, in seconds; `None` without a limit.
    pub fn duration_of(&self, requests: i64) -> Option<i64> {
        let spans = [60, HOUR, 24 * HOUR];
        let each =
            self.budget.iter().zip(spans).filter_map(|(limit, span)| Some((i64::from((*limit)?), span)));
        each.map(|(limit, span)| requests.saturating_mul(span) / limit.max(1)).max()
    }

    /// All settings with their current values, by name.
    pub fn with_defaults(texts: &Texts) -> BTreeMap<&'static str, String> {
        let reader = Reader { texts, problems: Vec::new() };
        FIELDS.iter().map(|(name, _)| (*name, reader.text(name))).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::read(&Texts::new()).expect("the defaults can be used")
    }
}

struct Reader<'a> {
    texts: &'a Texts,
    problems: Vec<FieldProblem>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        let default = FIELDS.iter().find(|(known, _)| *known == name).map_or("", |(_, default)| default);
        let text = self.texts.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        text.unwrap_or(default).to_owned()
    }

    fn one<T>(&mut self, name: &'static str, fix: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name);
        let value = read(&text);
        if value.is_none() {
            self.problems.push(problem(name, format!("'{text}' cannot be used."), fix));
        }
        value
    }

    fn number(&mut self, name: &'static str, least: i64, most: i64, fix: &str) -> Option<i64> {
        self.one(name, fix, |text| text.parse().ok().filter(|number| (least..=most).contains(number)))
    }

    /// A limit of requests; nothing for none.
    fn limit(&mut self, name: &'static str) -> Option<i64> {
        if self.text(name).is_empty() {
            return None;
        }
        self.number(name, 1, 10_000_000, "Use a whole number from 1 to 10000000, or nothing for no limit.")
    }

    fn schedule(&mut self) -> Option<Schedule> {
        let fix = "Use a number of minutes from 5 to 10080, or 0 for no runs by themselves.";
        let minutes = self.one("every_minutes", fix, |text| {
            text.parse::<i64>().ok().filter(|minutes| *minutes == 0 || (5..=10_080).contains(minutes))
        });
        let zone = self.text("timezone");
        let known = super::zone::named(&zone).is_some();
        if !known {
            let fix = "Use a name such as Europe/Zagreb.";
            self.problems.push(problem("timezone", format!("'{zone}' is no time zone."), fix));
        }
        if self.text("cron").is_empty() {
            return minutes
                .map(|minutes| if minutes == 0 { Schedule::Off } else { Schedule::Every(minutes * 60) });
        }
        let fix = "Use five fields: minute, hour, day, month, weekday. '30 3 * * *' is every day at 03:30.";
        let zone = if known { zone } else { "UTC".to_owned() };
        let pattern = self.one("cron", fix, |text| Pattern::parse(text, &zone))?;
        Some(Schedule::At(Box::new(pattern)))
    }
}

/// A user's persons at desks: `DESK=ID` for a person, `DESK=` where none may be used, separated by spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Persons(String);

/// What is known of a user's person at a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// Nothing yet.
    Nothing,
    /// No person may be used there, whatever else says so: it would be somebody else, or that is not certain.
    Barred,
    /// This one.
    Person(&'a str),
}

impl Persons {
    /// As they are stored.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As they are stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is known at a desk.
    pub fn at(&self, desk: &DeskId) -> Known<'_> {
        let entries = self.0.split(' ').filter_map(|entry| entry.split_once('='));
        match entries.into_iter().find(|(id, _)| *id == desk.as_str()) {
            None => Known::Nothing,
            Some((_, "")) => Known::Barred,
            Some((_, person)) => Known::Person(person),
        }
    }

    /// The same with something else at one desk.
    #[must_use]
    pub fn with(&self, desk: &DeskId, known: Known<'_>) -> Self {
        let of_others = |entry: &&str| entry.split_once('=').is_some_and(|(id, _)| id != desk.as_str());
        let mut entries: Vec<String> = self.0.split(' ').filter(of_others).map(str::to_owned).collect();
        match known {
            Known::Nothing => {}
            Known::Barred => entries.push(format!("{desk}=")),
            Known::Person(person) => entries.push(format!("{desk}={person}")),
        }
        Self(entries.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn every_problem_of_the_settings_is_reported_at_once() {
        let settings = Settings::default();
        assert_eq!((settings.at_once, settings.budget), (4, [None; 3]));
        assert_eq!(settings.schedule, Schedule::Every(3_600));
        let bad = texts(&[
            ("requests_at_once", "0"),
            ("requests_per_hour", "-1"),
            ("every_minutes", "1"),
            ("cron", "whenever"),
            ("on_missing", "guess"),
            ("label", "two\nlines"),
        ]);
        let names: Vec<&str> =
            Settings::read(&bad).expect_err("refused").iter().map(|problem| problem.place).collect();
        assert_eq!(
            names,
            ["requests_at_once", "requests_per_hour", "every_minutes", "cron", "on_missing", "label"]
        );
        let cron = texts(&[("cron", "30 3 * * *"), ("timezone", "Europe/Nowhere")]);
        let names: Vec<&str> =
            Settings::read(&cron).expect_err("refused").iter().map(|problem| problem.place).collect();
        assert_eq!(names, ["timezone"]);
    }

    #[test]
    fn the_persons_of_one_desk_are_never_those_of_another() {
        let (one, other): (DeskId, DeskId) = ("a".into(), "ab".into());
        let none = Persons::default();
        assert_eq!(none.at(&one), Known::Nothing);
        let some = none.with(&one, Known::Person("42")).with(&other, Known::Barred);
        assert_eq!((some.at(&one), some.at(&other)), (Known::Person("42"), Known::Barred));
        assert_eq!(Persons::stored(some.as_str()), some);
        let moved = some.with(&one, Known::Person("43"));
        assert_eq!((moved.at(&one), moved.at(&other)), (Known::Person("43"), Known::Barred));
        assert_eq!(moved.with(&one, Known::Nothing).with(&other, Known::Nothing), none);
    }
}
