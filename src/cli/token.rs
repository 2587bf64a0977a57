//! `countersign token …`

use clap::Subcommand;
use serde_json::json;

use super::login;
use super::output::{Refused, complain, say, say_json, shown};
use crate::app::{App, AppError, Caller};
use crate::core::id::MessengerId;
use crate::core::mapping::Refusal;
use crate::core::user::User;

/// Manage tokens.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Issue a token to a user, or to all users.
    Issue {
        /// The user.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        login: Option<String>,
        /// All users, the oldest first.
        #[arg(long)]
        all: bool,
        /// The messenger the token is for.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Show the content of a token, without its signature, and whether our signing key verifies it.
    Inspect {
        /// The token; read from standard input if it is not given.
        token: Option<String>,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    match command {
        Command::Issue { all: true, messenger, .. } => issue_all(app, &messenger, json),
        Command::Issue { login: name, messenger, .. } => {
            let user = app.user(&login(&name.unwrap_or_default())?)?;
            let issuer = app.issuer(&messenger, None)?;
            let outcome = issuer.issue(&user, None)?;
            issuer.note(&[(&user, outcome.as_ref().err())], &Caller::cli())?;
            match &outcome {
                Ok(issued) if json => say_json(&issued_json(&user, &issued.token, issued.expires_at)),
                Ok(issued) => say(&issued.token),
                Err(refusal) if json => say_json(&refused_json(&user, refusal)),
                Err(_) => {}
            }
            app.flush_counts()?;
            match outcome {
                Err(refusal) if json => drop(refusal),
                Err(refusal) => return Err(AppError::NoToken(refusal).into()),
                Ok(_) => return Ok(()),
            }
            Err(Refused::Said)
        }
        Command::Inspect { token } => {
            let token = match token {
                Some(token) => token,
                None => std::io::read_to_string(std::io::stdin())
                    .map_err(|error| Refused::Text(format!("Standard input cannot be read: {error}.")))?,
            };
            let inspection = app.inspect_token(&token)?;
            if json {
                say_json(&inspection);
            } else {
                say(format_args!("header  {}", inspection.header));
                say(format_args!("claims  {:#}", inspection.claims));
                say(match inspection.verified {
                    Some(true) => "The configured signing key verifies this token.",
                    Some(false) => {
                        "The configured signing key does NOT verify this token: another key, another encoding of the key, or a changed token."
                    }
                    None => "No signing key is set, so the signature was not checked.",
                });
                say_times(app.now(), &inspection.claims);
            }
            Ok(())
        }
    }
}

fn say_times(now: i64, claims: &serde_json::Value) {
    let Some(exp) = claims.get("exp") else { return };
    // The creator of the token chose the number: it may be anything that JSON can represent.
    let Some(exp) = exp.as_i64() else {
        return say(format_args!(
            "Its exp is {}, which is not a time in whole seconds.",
            shown(&exp.to_string())
        ));
    };
    match i128::from(exp) - i128::from(now) {
        left if left > 0 => say(format_args!("It expires in {left} seconds.")),
        past => say(format_args!("It expired {} seconds ago.", -past)),
    }
}

fn issue_all(app: &App, messenger: &MessengerId, json: bool) -> Result<(), Refused> {
    let issuer = app.issuer(messenger, None)?;
    let (mut issued, mut refused, mut failed) = (0, 0, None);
    let mut notes: Vec<(User, Refusal)> = Vec::new();
    app.each_user(|user| match issuer.issue(user, None) {
        Ok(Ok(token)) => {
            issued += 1;
            if json {
                say_json(&issued_json(user, &token.token, token.expires_at));
            } else {
                say(format_args!("{}\t{}", user.login, token.token));
            }
        }
        Ok(Err(refusal)) => {
            refused += 1;
            if json {
                say_json(&refused_json(user, &refusal));
            } else {
                say(format_args!("{}\trefused\t{}\t{}", user.login, refusal.code.as_str(), refusal.message));
            }
            notes.push((user.clone(), refusal));
        }
        Err(error) => failed = Some(error),
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let notes: Vec<_> = notes.iter().map(|(user, refusal)| (user, Some(refusal))).collect();
    issuer.note(&notes, &Caller::cli())?;
    issuer.count_issued(issued);
    app.flush_counts()?;
    complain(format_args!("{issued} issued, {refused} refused"));
    Ok(())
}

fn issued_json(user: &User, token: &str, expires_at: i64) -> serde_json::Value {
    json!({ "login": user.login.as_str(), "token": token, "expires_at": expires_at })
}

fn refused_json(user: &User, refusal: &Refusal) -> serde_json::Value {
    json!({
        "login": user.login.as_str(),
        "refused": { "code": refusal.code.as_str(), "message": refusal.message, "claim": refusal.claim },
    })
}
