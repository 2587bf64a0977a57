//! CRM Sync: each person that is created, changed or removed is reported to a URL, one after the other. A merge is not: Deskpro
//! lists none.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// Where to report to.
#[derive(Clone, Debug, Deserialize)]
pub struct Webhook {
    /// The URL.
    pub url: String,
    /// The user name and the password of basic authentication.
    pub credentials: (String, String),
}

/// Reports until the sender is dropped. Each call that was not answered with 200 is lost, like in a log that nobody reads.
pub(super) fn start(webhook: Webhook) -> mpsc::Sender<Value> {
    let (reports, people) = mpsc::channel::<Value>();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
    let (name, password) = &webhook.credentials;
    let credentials = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    thread::spawn(move || {
        for person in people {
            let request = agent.post(&webhook.url).header("Authorization", &credentials);
            if let Err(error) = request.header("Content-Type", "application/json").send(person.to_string()) {
                tracing::debug!("a report was not taken: {error}");
            }
        }
    });
    reports
}
