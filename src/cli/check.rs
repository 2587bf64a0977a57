//! `countersign check`

use serde_json::json;

use super::output::{Refused, app_text, say_items, say_json};
use super::settings;
use crate::app::{App, clock};
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
    let checked = App::check(&settings, &clock::system());
    let Some(error) = checked.refused else { return say_items(&checked.items, json) };
    if json {
        say_json(&json!({ "part": "start", "state": "bad", "message": app_text(&error) }));
        let _ = say_items(&checked.items, true);
        return Err(Refused::Said);
    }
    let _ = say_items(&checked.items, false);
    Err(Refused::App(error))
}
