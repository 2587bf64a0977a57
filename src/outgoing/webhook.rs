//! Messages to another server, signed as Standard Webhooks says (standardwebhooks.com): the receiver checks the signature over
//! id, time and body with the shared secret, and rejects old and repeated messages.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use ureq::{Error, Timeout};

use super::{CONNECT, PRIVATE, agent};
use crate::core::hs256::State;

/// The time for a message and its answer.
const TOTAL: Duration = Duration::from_secs(10);
/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A secret from random bytes, as receivers expect it.
pub fn secret(bytes: &[u8]) -> SecretString {
    format!("{PREFIX}{}", STANDARD.encode(bytes)).into()
}

/// Where messages are sent, and what signs them.
pub struct Receiver {
    /// The URL.
    pub url: String,
    /// Whether it may be on this machine, in a private network, or without TLS.
    pub is_private: bool,
    /// The secret.
    pub secret: SecretString,
}

/// A message with its id and the time in unix seconds.
pub struct Message<'a> {
    /// By which the receiver notices that it came twice.
    pub id: &'a str,
    /// Unix seconds.
    pub at: i64,
    /// What it says.
    pub body: &'a Value,
}

/// Whether messages may be sent to a URL; otherwise why not.
///
/// # Errors
/// A sentence that says what to do.
pub fn check(url: &str, is_private: bool) -> Result<(), String> {
    let parsed: Option<url::Url> = url.parse().ok();
    let is_web =
        parsed.as_ref().is_some_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let is_sent = url.parse::<ureq::http::Uri>().is_ok();
    let Some(parsed) = parsed.filter(|_| is_web && is_sent) else {
        return Err(format!("'{url}' is no URL. Write it as https://example.com/alerts."));
    };
    if !is_private && parsed.scheme() != "https" {
        return Err("Use https. Without it, an attacker on the network can read alerts.".into());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("Leave out the user name and the password: the URL is shown in the console.".into());
    }
    Ok(())
}

/// Sends a message.
///
/// # Errors
/// Why it did not arrive, in a sentence without a secret.
pub fn send(receiver: &Receiver, message: &Message<'_>) -> Result<(), String> {
    check(&receiver.url, receiver.is_private)?;
    let body = message.body.to_string();
    let signature = signature(receiver.secret.expose_secret(), message.id, message.at, &body);
    let request = agent(receiver.is_private, TOTAL)
        .post(&receiver.url)
        .header("Content-Type", "application/json")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.at.to_string())
        .header("webhook-signature", signature);
    match request.send(body) {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) if answer.status().is_redirection() => {
            Err(format!("it redirects (status {}); use the URL it redirects to", answer.status().as_u16()))
        }
        Ok(answer) => Err(format!("it answered with status {}", answer.status().as_u16())),
        Err(Error::Io(cause)) if cause.to_string() == PRIVATE => Err(
            "its address is private or on this machine, and the helpdesk was not connected as a private one"
                .into(),
        ),
        Err(Error::HostNotFound) => Err("there is no such host".into()),
        Err(Error::Timeout(Timeout::Resolve | Timeout::Connect)) => {
            Err(format!("no connection within {} s", CONNECT.as_secs()))
        }
        Err(Error::Timeout(_)) => Err("there was no answer in time".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// `v1,` and the signature in base64.
fn signature(secret: &str, id: &str, at: i64, body: &str) -> String {
    let key = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    format!(
        "v1,{}",
        STANDARD.encode(State::after(&key, format!("{id}.{at}.").as_bytes()).over(body.as_bytes()))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's reference implementations.
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_url_is_https_without_credentials_unless_it_is_private() {
        for (url, is_private, is_right) in [
            ("https://hooks.example.com/a?b=c", false, true),
            ("http://hooks.example.com/", false, false),
            ("http://127.0.0.1:9000/a", true, true),
            ("https://user:secret@hooks.example.com/", false, false),
            ("ftp://example.com", true, false),
            ("https://hooks.example.com/a b", false, false),
            ("example.com/alerts", true, false),
            ("", true, false),
        ] {
            assert_eq!(check(url, is_private).is_ok(), is_right, "{url}");
        }
    }
}
