//! Expected payloads: users of whom a site knows what a mapping must make, one JSON object a line:
//! `{"login": "ana", "payload": {"email": "ana@example.com"}}` or
//! `{"login": "bob", "refused": "unverified"}`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tokens::Issuer;
use super::{App, AppError};
use crate::core::mapping::Mapping;
use crate::core::user::Login;

/// One user with what the mapping must make of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    login: String,
    /// The whole payload, without `iat` and `exp`.
    payload: Option<Map<String, Value>>,
    /// The code of the refusal.
    refused: Option<String>,
}

/// What was found otherwise than expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The line of the file; the first is 1.
    pub line: usize,
    /// The user, if the line names one.
    pub login: Option<String>,
    /// The claim, where it is about one.
    pub claim: Option<String>,
    /// What is otherwise, and what to do where the line itself is wrong.
    pub message: String,
}

impl App {
    /// Holds a mapping against a file of expected payloads: how many lines were held against it, and
    /// every difference.
    pub fn check_expected(
        &self,
        messenger: &str,
        mapping: Mapping,
        expected: &str,
    ) -> Result<(usize, Vec<Mismatch>), AppError> {
        let issuer = self.issuer(messenger, Some(mapping))?;
        let (mut lines, mut found) = (0, Vec::new());
        for (i, text) in expected.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            lines += 1;
            let mismatch = |login: Option<&str>, claim: Option<&str>, message: String| Mismatch {
                line: i + 1,
                login: login.map(str::to_owned),
                claim: claim.map(str::to_owned),
                message,
            };
            match serde_json::from_str::<Expected>(text) {
                Err(error) => {
                    let how =
                        "Write {\"login\": …, \"payload\": {…}} or {\"login\": …, \"refused\": \"code\"}.";
                    found.push(mismatch(None, None, format!("This line cannot be read: {error}. {how}")));
                }
                Ok(expected) => {
                    let login = expected.login.clone();
                    let differences = self.differences(&issuer, expected)?;
                    found.extend(
                        differences
                            .into_iter()
                            .map(|(claim, message)| mismatch(Some(&login), claim.as_deref(), message)),
                    );
                }
            }
        }
        Ok((lines, found))
    }

    /// The claims that differ from what is expected of a user, each with what is otherwise.
    fn differences(
        &self,
        issuer: &Issuer<'_>,
        expected: Expected,
    ) -> Result<Vec<(Option<String>, String)>, AppError> {
        let user = match Login::parse(&expected.login).map(|login| self.user(&login)) {
            Ok(Ok(user)) => user,
            Ok(Err(AppError::NotFound(_))) | Err(_) => {
                return Ok(vec![(None, "Nobody has this login.".to_owned())]);
            }
            Ok(Err(error)) => return Err(error),
        };
        let whole = |message: String| Ok(vec![(None, message)]);
        match (expected.payload, expected.refused, issuer.payload(&user)) {
            (Some(_), Some(_), _) | (None, None, _) => {
                whole("Expect either a “payload” or “refused”.".to_owned())
            }
            (None, Some(code), Err(refusal)) if code == refusal.code.as_str() => Ok(Vec::new()),
            (None, Some(code), Err(refusal)) => {
                whole(format!("The token is refused as {}, not as {code}.", refusal.code))
            }
            (None, Some(code), Ok(_)) => whole(format!("There is a token; it was to be refused as {code}.")),
            (Some(_), None, Err(refusal)) => {
                whole(format!("There is no token ({}): {}", refusal.code, refusal.message))
            }
            (Some(expected), None, Ok(payload)) => {
                let found = serde_json::to_value(&payload).unwrap_or_default();
                let claims: BTreeSet<&String> =
                    expected.keys().chain(found.as_object().into_iter().flat_map(Map::keys)).collect();
                let differ = claims.into_iter().filter(|claim| expected.get(*claim) != found.get(*claim));
                let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
                Ok(differ
                    .map(|claim| {
                        let (is, was) = (shown(found.get(claim)), shown(expected.get(claim)));
                        (Some(claim.clone()), format!("{claim} is {is}, expected was {was}."))
                    })
                    .collect())
            }
        }
    }
}
