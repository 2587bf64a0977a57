//! What Deskpro's API would be told about a person, as admins read it: titles in place of the API's words, names in place of
//! ids, one line for each custom field.

use serde_json::{Map, Value};

use crate::core::catalogue::Catalogue;
use crate::core::mapping::Claim;
use crate::core::person::{claim_of, texts};

/// The members of a new person.
pub fn lines(names: &Catalogue, members: &Map<String, Value>) -> Vec<(String, String)> {
    let each = members.iter().flat_map(|(name, value)| flat(name, value));
    each.map(|(claim, value)| (names.title(&claim), shown(names, &claim, value))).collect()
}

/// The members that differ: what Deskpro has, and what it would get.
pub fn differing(names: &Catalogue, members: &[(String, Value, Value)]) -> Vec<(String, String, String)> {
    let each = members.iter().flat_map(|(name, has, gets)| {
        flat(name, gets).into_iter().map(move |(claim, gets)| {
            let id = claim.strip_prefix("fields.");
            let has = id.map_or(Some(has), |id| has.get(id)).unwrap_or(&Value::Null);
            (claim, has, gets)
        })
    });
    let differs = each.filter(|(_, has, gets)| texts(has) != texts(gets));
    differs
        .map(|(claim, has, gets)| {
            (names.title(&claim), shown(names, &claim, has), shown(names, &claim, gets))
        })
        .collect()
}

/// A member by its claim; custom fields one by one.
fn flat<'a>(name: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match value {
        Value::Object(fields) if name == "fields" => {
            fields.iter().map(|(id, value)| (format!("fields.{id}"), value)).collect()
        }
        value => vec![(claim_of(name).to_owned(), value)],
    }
}

fn shown(names: &Catalogue, claim: &str, value: &Value) -> String {
    let claim = Claim::parse(claim);
    let name = |text: &String| claim.as_ref().map_or_else(|| text.clone(), |claim| names.shown(claim, text));
    let shown: Vec<String> = match value {
        Value::String(text) => vec![name(text)],
        other => texts(other).iter().map(name).collect(),
    };
    if shown.is_empty() { "–".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::catalogue::{Entry, Field};

    #[test]
    fn members_are_read_by_their_titles_and_names() {
        let names = Catalogue {
            user_groups: vec![Entry::new(7, "Gold")],
            fields: vec![Field { entry: Entry::new(3, "Plan"), choices: vec![Entry::new(30, "Yearly")] }],
            ..Catalogue::default()
        };
        let members = json!({"primary_email": "a@b.c", "user_groups": [7, 8], "labels": [], "fields": {"3": "30", "4": "x"}});
        let text = |text: &str| text.to_owned();
        let mut read = lines(&names, members.as_object().expect("an object"));
        read.sort();
        let expected = [
            (text("Email address"), text("a@b.c")),
            (text("Field 4"), text("x")),
            (text("Groups"), text("Gold (7), 8")),
            (text("Labels"), text("–")),
            (text("Plan (field 3)"), text("Yearly (30)")),
        ];
        assert_eq!(read, expected);
        let differ = [(
            text("fields"),
            json!({"3": [{"id": 31, "title": "Monthly"}], "4": "x"}),
            json!({"3": "30", "4": "x"}),
        )];
        assert_eq!(differing(&names, &differ), [(text("Plan (field 3)"), text("31"), text("Yearly (30)"))]);
    }
}
