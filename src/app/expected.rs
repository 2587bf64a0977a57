//! Expected payloads: users whose payload a site knows in advance. They are stored with a messenger, and
//! every draft is checked against them; or they are in a file with one JSON object per line:
//! `{"login": "ana", "payload": {"email": "ana@example.com"}}` or
//! `{"login": "bob", "refused": "unverified"}`.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::audit::{Event, record};
use super::tokens::Issuer;
use super::{App, AppError, Caller};
use crate::core::id::{MessengerId, UserId};
use crate::core::mapping::{Expected, Mapping};
use crate::core::problem::Problem;
use crate::core::user::{Login, User};
use crate::store::expected;

/// The user and the claim of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line of the file, if it is from a file; the first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The user, if known.
    pub login: Option<String>,
    /// The claim, if it is about one.
    pub claim: Option<String>,
}

/// A difference from what is expected.
pub type Mismatch = Problem<Place>;

fn mismatch(line: Option<usize>, login: &str, (claim, what): (Option<String>, String)) -> Mismatch {
    Problem::new(Place { line, login: Some(login.to_owned()), claim }, what)
}

/// The maximum number of users with an expected payload, since every draft is checked against all of them.
const MOST: i64 = 500;

/// A line of a file that can be read, with the user it names.
type Line = (usize, User, Expected);

impl App {
    /// Checks a mapping against a file of expected payloads: how many lines were checked, and every
    /// difference.
    pub fn check_expected(
        &self,
        messenger: &MessengerId,
        mapping: Mapping,
        text: &str,
    ) -> Result<(usize, Vec<Mismatch>), AppError> {
        let issuer = self.issuer(messenger, Some(mapping))?;
        let (lines, mut found) = self.read_expected(text)?;
        let count = lines.len() + found.len();
        for (line, user, expected) in lines {
            let differences = expected.differences(&issuer.payload(&user));
            found.extend(differences.into_iter().map(|it| mismatch(Some(line), user.login.as_str(), it)));
        }
        found.sort_by_key(|mismatch| mismatch.place.line);
        Ok((count, found))
    }

    /// The expected payloads of a messenger, by login.
    pub fn expected(&self, messenger: &MessengerId) -> Result<Vec<(User, Expected)>, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let rows = self.store().read(|db| expected::all(db, &messenger))?;
        // A row that cannot be read was not written by this program.
        Ok(rows.into_iter().filter_map(|(user, text)| Some((user, read_kept(&text)?))).collect())
    }

    /// The expected payload of one user.
    pub fn expected_of(&self, messenger: &MessengerId, user: &User) -> Result<Option<Expected>, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let text = self.store().read(|db| expected::of(db, &messenger, &user.id))?;
        Ok(text.as_deref().and_then(read_kept))
    }

    /// Every difference between the expected payloads and what a mapping produces.
    pub fn unexpected(&self, messenger: &MessengerId, mapping: Mapping) -> Result<Vec<Mismatch>, AppError> {
        let kept = self.expected(messenger)?;
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let issuer = self.issuer(messenger, Some(mapping))?;
        let mut found = Vec::new();
        for (user, expected) in kept {
            let differences = expected.differences(&issuer.payload(&user));
            found.extend(differences.into_iter().map(|it| mismatch(None, user.login.as_str(), it)));
        }
        Ok(found)
    }

    /// Stores the payload that a mapping must produce for a user.
    pub fn expect(
        &self,
        messenger: &MessengerId,
        login: &Login,
        expected: &Expected,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let user = self.user(login)?;
        self.keep_expected(messenger, &[(user, expected.clone())], caller)
    }

    /// Stores every line of a file; each replaces what was stored for the same user. If any line is
    /// wrong, nothing is stored. Returns how many there are.
    pub fn import_expected(
        &self,
        messenger: &MessengerId,
        text: &str,
        caller: &Caller,
    ) -> Result<Result<usize, Vec<Mismatch>>, AppError> {
        let (lines, mut wrong) = self.read_expected(text)?;
        let mut known: HashMap<&UserId, usize> = HashMap::new();
        for (line, user, _) in &lines {
            if let Some(first) = known.insert(&user.id, *line) {
                let why = format!(
                    "Line {first} already has an expected payload for this user. Remove one of the two lines."
                );
                wrong.push(mismatch(Some(*line), user.login.as_str(), (None, why)));
            }
        }
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let kept: Vec<(User, Expected)> =
            lines.into_iter().map(|(_, user, expected)| (user, expected)).collect();
        self.keep_expected(messenger, &kept, caller)?;
        Ok(Ok(kept.len()))
    }

    /// Removes the expected payload of a user. `NotFound` if there was none.
    pub fn stop_expecting(
        &self,
        messenger: &MessengerId,
        login: &Login,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let (messenger, user, now) = (self.messenger(messenger)?.id, self.user(login)?, self.now());
        self.store().write(now, |tx| {
            if !expected::delete(tx, &messenger, &user.id)? {
                let text = format!("There is no expected payload for '{}'.", login.as_str());
                return Err(AppError::NotFound(text));
            }
            Ok(record(tx, now, caller, &Event::ExpectedRemoved, &user.id)?)
        })
    }

    /// What a mapping produces for a user now, to be expected from now on.
    pub fn made_now(&self, issuer: &Issuer<'_>, login: &Login) -> Result<Expected, AppError> {
        Ok(Expected::of(&issuer.payload(&self.user(login)?)))
    }

    fn keep_expected(
        &self,
        messenger: &MessengerId,
        kept: &[(User, Expected)],
        caller: &Caller,
    ) -> Result<(), AppError> {
        let (messenger, now) = (self.messenger(messenger)?.id, self.now());
        self.store().write(now, |tx| {
            for (user, expected) in kept {
                expected::put(tx, &messenger, &user.id, &expected.write().to_string(), now)?;
                record(tx, now, caller, &Event::ExpectedSet, &user.id)?;
            }
            if expected::count(tx, &messenger)? > MOST {
                let text =
                    format!("At most {MOST} users can have an expected payload. Remove some first, or check against a file.");
                return Err(AppError::Refused(text));
            }
            Ok(())
        })
    }

    /// The lines of a file that can be read, and what is wrong with the others.
    fn read_expected(&self, text: &str) -> Result<(Vec<Line>, Vec<Mismatch>), AppError> {
        let (mut lines, mut wrong) = (Vec::<Line>::new(), Vec::new());
        // Editors on Windows put a byte-order mark at the start.
        for (i, text) in text
            .trim_start_matches('\u{feff}')
            .lines()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
        {
            let line = i + 1;
            match read_line(text) {
                Err(message) => {
                    let how =
                        "Write {\"login\": …, \"payload\": {…}} or {\"login\": …, \"refused\": \"code\"}.";
                    let message = format!("This line cannot be read: {message} {how}");
                    wrong.push(Problem::new(Place { line: Some(line), login: None, claim: None }, message));
                }
                Ok((login, expected)) => {
                    if let Some(user) = self.user_called(&login)? {
                        lines.push((line, user, expected));
                    } else {
                        let why = (None, "There is no user with this login.".to_owned());
                        wrong.push(mismatch(Some(line), &login, why));
                    }
                }
            }
        }
        Ok((lines, wrong))
    }
}

fn read_line(text: &str) -> Result<(String, Expected), String> {
    let mut object: Map<String, Value> = serde_json::from_str(text).map_err(|error| format!("{error}."))?;
    let Some(Value::String(login)) = object.shift_remove("login") else {
        return Err("“login” is missing or not a string.".to_owned());
    };
    Ok((login, Expected::read(&object)?))
}

fn read_kept(text: &str) -> Option<Expected> {
    Expected::read(&serde_json::from_str(text).ok()?).ok()
}

/// A line of a file.
pub fn line(login: &str, expected: &Expected) -> String {
    let mut object = Map::from_iter([("login".to_owned(), Value::from(login))]);
    if let Value::Object(outcome) = expected.write() {
        object.extend(outcome);
    }
    Value::Object(object).to_string()
}
