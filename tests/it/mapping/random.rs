//! Random mappings and users, the same again for the same seed.

use countersign::core::attribute::Attributes;
use countersign::core::mapping::{Claim, Mapping};
use serde_json::{Map, Value as Json, json};

/// A generator of numbers that a seed repeats (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or_default() % n
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())].clone()
    }
}

const NAMES: [&str; 14] = [
    "login",
    "email",
    "email_verified",
    "display_name",
    "first_name",
    "timezone",
    "deskpro_id",
    "plan",
    "groups",
    "interests",
    "newsletter",
    "member_since",
    "crm_id",
    "gone",
];

const TEXTS: [&str; 34] = [
    "",
    " ",
    "\u{200b}",
    "a",
    " B ",
    "gold",
    "Straße",
    "7",
    "12",
    "1",
    "2",
    "007",
    "yes",
    "OFF",
    "true",
    "2024-02-29",
    "2024-02-30",
    "1700000000",
    "ana@example.com",
    "ANA@EXAMPLE.com",
    "bob@bücher.example",
    "x@localhost",
    "europe/berlin",
    "UTC",
    "Mars/Base",
    "a,b,,c",
    "7|8|7",
    "{login}",
    "İstanbul",
    "a@b.de;c@d.de",
    "bob@staff.example",
    "42",
    "ﬁ",
    "\u{7}",
];

const CLAIMS: [&str; 16] = [
    "deskpro_id",
    "email",
    "emails",
    "emails",
    "name",
    "first_name",
    "last_name",
    "organization_id",
    "language_id",
    "usergroup_ids",
    "usergroup_ids",
    "timezone",
    "labels",
    "fields.7",
    "fields.8[]",
    "fields.8[]",
];

fn scalar(dice: &mut Dice) -> Json {
    match dice.below(10) {
        0 => json!(dice.one_in(2)),
        1 => json!(dice.below(1000)),
        2 => json!(-0.5),
        3 if dice.one_in(8) => json!("é".repeat(4000 + dice.below(200))),
        _ => json!(dice.of(&TEXTS)),
    }
}

fn value(dice: &mut Dice) -> Json {
    match dice.below(8) {
        0 if dice.one_in(16) => json!(vec!["x,y"; 400 + dice.below(700)]),
        0 | 1 => (0..dice.below(5)).map(|_| scalar(dice)).collect(),
        _ => scalar(dice),
    }
}

pub fn user(dice: &mut Dice) -> Attributes {
    let mut user = Map::new();
    for name in NAMES {
        if dice.one_in(2) {
            user.insert(name.to_owned(), value(dice));
        }
    }
    if dice.one_in(2) {
        user.insert("email".to_owned(), json!("ana@example.com"));
        user.insert("email_verified".to_owned(), json!(true));
    }
    serde_json::from_value(Json::Object(user)).expect("attributes")
}

fn text(dice: &mut Dice) -> String {
    let pieces =
        ["{plan}", "{gone|first_name}", "{display_name|login}", " ", "x", "{{", "}}", "7", "{groups}", "ü"];
    (0..=dice.below(4)).map(|_| dice.of(&pieces)).collect()
}

fn source(dice: &mut Dice, identifier: bool) -> Json {
    match dice.below(6) {
        0 if !identifier => json!({"constant": dice.of(&TEXTS)}),
        1 | 2 if !identifier => {
            json!({"text": (0..=dice.below(3)).map(|_| text(dice)).collect::<Vec<_>>()})
        }
        _ => json!({"attribute": dice.of(&NAMES)}),
    }
}

fn step(dice: &mut Dice) -> Json {
    let (one, two) = (dice.of(&TEXTS), dice.of(&TEXTS));
    match dice.below(8) {
        0 => json!({"split": dice.of(&[",", "|", ";", " "])}),
        1 | 2 => json!("lower"),
        3 => json!("upper"),
        4 => {
            json!({"date": {"in": dice.of(&["%Y-%m-%d", "%s", "%y-%m-%d%*", "%Y-%b-%d %I %p%z"]), "out": dice.of(&["%d.%m.%Y", "%H%M", "%I %p %b"])}})
        }
        5 => json!({"yes_no": {"yes": one, "no": two}}),
        6 => {
            json!({"lookup": {"values": {one: two, "gold": dice.of(&[json!("7"), Json::Null])}, "keep": true}})
        }
        _ => json!({"lookup": {"values": {one: two, "a": "b"}, "otherwise": "8"}}),
    }
}

fn condition(dice: &mut Dice) -> Json {
    let mut when = json!({"attribute": dice.of(&NAMES)});
    match dice.below(4) {
        0 => when["set"] = json!(true),
        1 => when["true"] = json!(true),
        2 => when["is"] = json!(dice.of(&TEXTS)),
        _ => when["in"] = json!([dice.of(&TEXTS), dice.of(&TEXTS)]),
    }
    if dice.one_in(3) {
        when["not"] = json!(true);
    }
    when
}

fn rule(dice: &mut Dice, claim: &str) -> Json {
    let identifier = matches!(claim, "email" | "emails" | "deskpro_id");
    let mut rule = json!({"claim": claim, "from": source(dice, identifier)});
    if dice.one_in(2) {
        rule["steps"] =
            if identifier { json!(["lower"]) } else { (0..dice.below(4)).map(|_| step(dice)).collect() };
    }
    if dice.one_in(3) {
        rule["when"] = condition(dice);
    }
    rule["missing"] = match dice.below(8) {
        0 => json!("refuse"),
        1 if !identifier => json!({"default": dice.of(&TEXTS)}),
        _ => json!("omit"),
    };
    rule
}

/// A draft that may be wrong in any of its rules.
pub fn draft(dice: &mut Dice) -> Json {
    let mut rules = vec![json!({"claim": "email", "from": {"attribute": "email"}})];
    for _ in 0..dice.below(7) {
        let claim = dice.of(&CLAIMS);
        rules.push(rule(dice, claim));
    }
    let mut draft = json!({ "rules": rules });
    if dice.one_in(4) {
        draft["token"] = json!(dice.of(&["all", "id"]));
    }
    let lists: Vec<String> = draft["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter_map(|rule| rule["claim"].as_str())
        .filter(|claim| Claim::parse(claim).is_some_and(|claim| claim.is_list()))
        .map(str::to_owned)
        .collect();
    for list in lists {
        draft["empty_lists"][list] = json!(dice.of(&["send", "omit"]));
    }
    draft
}

/// A mapping without errors: rules that are wrong are taken out.
pub fn published_text(dice: &mut Dice) -> String {
    let mut draft = draft(dice);
    loop {
        let Err(findings) = Mapping::published(&draft.to_string()) else { return draft.to_string() };
        for finding in &findings {
            assert!(draft.pointer(&finding.pointer).is_some(), "{} {draft}", finding.pointer);
        }
        let rules = draft["rules"].as_array_mut().expect("rules");
        let wrong =
            findings.iter().find_map(|f| f.pointer.strip_prefix("/rules/")?.split('/').next()?.parse().ok());
        match wrong {
            Some(wrong) => drop::<Json>(rules.remove(wrong)),
            None => {
                draft = json!({"rules": [{"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}]});
            }
        }
        draft.as_object_mut().expect("an object").remove("empty_lists");
    }
}
