//! What can go wrong with a request, by what to do about it. Deskpro's own words are kept for the person who reads them.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// The most problems of one request that are kept.
const MOST_PROBLEMS: usize = 20;

/// Why a request brought no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was not sent: settings do not allow it. The message says what to do.
    #[error("{0}")]
    NotAllowed(String),
    /// It did not reach Deskpro. Try again.
    #[error("Deskpro cannot be reached: {0}.")]
    Unreachable(String),
    /// There is no answer: it may have been sent and carried out.
    #[error("Deskpro's answer did not arrive: {0}.")]
    Lost(String),
    /// 401: Deskpro does not know the key.
    #[error("Deskpro does not accept the API key: {0}.")]
    KeyRefused(String),
    /// 403: the key's agent may not do this.
    #[error("The API key's agent may not do this: {0}.")]
    Forbidden(String),
    /// 404: there is no such thing, or this is not an address of the API.
    #[error("Deskpro did not find it: {0}.")]
    NotFound(String),
    /// 400 and other refusals of the request itself. The same request will not succeed later.
    #[error("{}", said(*.status, .message, .problems))]
    Refused {
        /// The status.
        status: u16,
        /// What Deskpro says about the whole request.
        message: String,
        /// What Deskpro says about single fields.
        problems: Vec<Problem>,
    },
    /// 423, 429, or 503 with `Retry-After`: Deskpro is in maintenance, or the key's limit is reached. Nothing may be sent
    /// for this long, if Deskpro says how long.
    #[error("{}", if *.is_maintenance { "Deskpro is in maintenance." } else { "The limit for requests is reached." })]
    Paused {
        /// 423 or 503.
        is_maintenance: bool,
        /// From `Retry-After`.
        wait: Option<Duration>,
    },
    /// 5xx: try again.
    #[error("Deskpro answered with the error {0}.")]
    Server(u16),
    /// It is no Deskpro, or something between answers in its place.
    #[error("This answer is not from Deskpro: {0}.")]
    NotDeskpro(String),
}

/// What Deskpro refuses about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as `emails.emails_0`; empty if it is about the whole.
    pub field: String,
    /// Deskpro's code, such as `dupe_email`.
    pub code: String,
    /// Deskpro's words.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, code, message } = self;
        match (field.is_empty(), message.is_empty()) {
            (true, _) => write!(out, "{message} ({code})"),
            (false, true) => write!(out, "{field}: {code}"),
            (false, false) => write!(out, "{field}: {message} ({code})"),
        }
    }
}

fn said(status: u16, message: &str, problems: &[Problem]) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match (problems.is_empty(), message.is_empty()) {
        (true, true) => format!("Deskpro refuses the request ({status})."),
        (true, false) => format!("Deskpro refuses the request: {message} ({status})"),
        (false, _) => format!("Deskpro refuses the request: {}", problems.join("; ")),
    }
}

impl Error {
    /// Whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Lost(_) | Self::Server(_))
    }

    /// Whether the request may have been carried out although there is no answer, or none that can be read.
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Server(_) | Self::NotDeskpro(_))
    }

    /// Whether Deskpro says that another person has the address.
    pub fn is_taken_address(&self) -> bool {
        matches!(self, Self::Refused { problems, .. } if problems.iter().any(|problem| problem.code == "dupe_email"))
    }

    /// The refusal of a request, from a body such as
    /// `{"status":400,"code":"invalid_input","message":"…","errors":{"fields":{"emails":{"fields":{…}}}}}`.
    pub(super) fn refused(status: u16, body: &Value) -> Self {
        let mut problems = Vec::new();
        if let Some(errors) = body.get("errors") {
            collect(errors, &mut Vec::new(), &mut problems);
        }
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self::Refused { status, message, problems }
    }
}

/// Problems are in `errors` of a node, and deeper nodes in its `fields`.
fn collect(node: &Value, path: &mut Vec<String>, problems: &mut Vec<Problem>) {
    // Deep enough for every form, and not for an answer that wants to exhaust the stack.
    if path.len() > 8 {
        return;
    }
    for problem in node.get("errors").and_then(Value::as_array).into_iter().flatten() {
        if problems.len() == MOST_PROBLEMS {
            return;
        }
        let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        problems.push(Problem { field: path.join("."), code: text("code"), message: text("message") });
    }
    for (name, deeper) in node.get("fields").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.clone());
        collect(deeper, path, problems);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_are_found_in_every_depth() {
        let body = json!({
            "status": 400, "code": "invalid_input", "message": "Request input is invalid.",
            "errors": {
                "errors": [{"code": "extra", "message": "This form should not contain extra fields."}],
                "fields": {"emails": {"fields": {"emails_0": {"errors": [{"code": "dupe_email", "message": "In use."}]}}}}
            }
        });
        let error = Error::refused(400, &body);
        assert!(error.is_taken_address());
        assert_eq!(
            error.to_string(),
            "Deskpro refuses the request: This form should not contain extra fields. (extra); \
             emails.emails_0: In use. (dupe_email)"
        );
        for odd in
            [json!({}), json!([]), json!({"errors": []}), json!({"errors": {"fields": []}}), json!(null)]
        {
            let error = Error::refused(400, &odd);
            assert!(!error.is_taken_address());
            assert_eq!(error.to_string(), "Deskpro refuses the request (400).", "{odd}");
        }
        let mut deep = json!({"errors": [{"code": "dupe_email"}]});
        for _ in 0..50 {
            deep = json!({"fields": {"a": deep}});
        }
        assert!(!Error::refused(400, &json!({"errors": deep})).is_taken_address());
    }
}
