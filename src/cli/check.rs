//! `countersign check`

use serde_json::json;

use super::output::{Refused, say_items, say_json};
use super::{open, settings};
use crate::config::Source;

pub(super) fn run(source: &Source, json: bool) -> Result<(), Refused> {
    let settings = match settings(source) {
        Ok(settings) => settings,
        Err(Refused::Settings(problems)) if json => {
            for problem in &problems {
                say_json(&json!({ "part": "settings", "state": "bad", "message": problem.to_string() }));
            }
            return Err(Refused::Said);
        }
        Err(refused) => return Err(refused),
    };
    let app = match open(settings) {
        Ok(app) => app,
        Err(refused) if json => {
            if let Refused::App(error) = &refused {
                say_json(&json!({ "part": "start", "state": "bad", "message": error.to_string() }));
            }
            return Err(refused);
        }
        Err(refused) => return Err(refused),
    };
    say_items(&app.check(), json)
}
