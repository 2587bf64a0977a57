//! Random mappings over random users: nothing panics, every payload fits its claims, and the trace
//! explains every absent claim.

use std::collections::HashSet;

use countersign::core::address::Address;
use countersign::core::attribute::Attributes;
use countersign::core::mapping::{self, BlockList, Claim, Mapping, Outcome, Signing, Subject};
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde_json::{Map, Value as Json, json};

use super::site;

/// A generator of numbers that a seed repeats (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or_default() % n
    }

    fn one_in(&mut self, n: usize) -> bool {
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

fn user(dice: &mut Dice) -> Attributes {
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
    let pieces = [
        "{plan}",
        "{gone|first_name}",
        "{display_name|login}",
        " ",
        "x",
        "{{",
        "}}",
        "7",
        "{groups}",
        "ü",
    ];
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
            json!({"date": {"in": dice.of(&["%Y-%m-%d", "%s"]), "out": dice.of(&["%d.%m.%Y", "%H%M"])}})
        }
        5 => json!({"yes_no": {"yes": one, "no": two}}),
        6 => json!({"lookup": {"values": {one: two, "gold": "7"}, "keep": true}}),
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
        rule["steps"] = if identifier {
            json!(["lower"])
        } else {
            (0..dice.below(4)).map(|_| step(dice)).collect()
        };
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
fn draft(dice: &mut Dice) -> Json {
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
fn published(dice: &mut Dice) -> Mapping {
    let mut draft = draft(dice);
    loop {
        let findings = match Mapping::published(&draft.to_string()) {
            Ok(mapping) => return mapping,
            Err(findings) => findings,
        };
        for finding in &findings {
            assert!(
                draft.pointer(&finding.pointer).is_some(),
                "{} {draft}",
                finding.pointer
            );
        }
        let rules = draft["rules"].as_array_mut().expect("rules");
        let wrong = findings.iter().find_map(|f| {
            f.pointer
                .strip_prefix("/rules/")?
                .split('/')
                .next()?
                .parse()
                .ok()
        });
        match wrong {
            Some(wrong) => drop::<Json>(rules.remove(wrong)),
            None => {
                draft =
                    json!({"rules": [{"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}}]})
            }
        }
        draft
            .as_object_mut()
            .expect("an object")
            .remove("empty_lists");
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 18
        && !text.starts_with('0')
        && text.bytes().all(|b| b.is_ascii_digit())
}

fn assert_text(claim: &str, text: &str) {
    assert!(
        !text.is_empty() && text.trim() == text && text.len() <= 8192,
        "{claim} {text:?}"
    );
    match claim {
        "deskpro_id" | "organization_id" | "language_id" => assert!(is_id(text), "{claim} {text}"),
        "usergroup_ids" => assert!(is_id(text) && text != "1" && text != "2", "{text}"),
        "email" | "emails" => {
            let address = Address::parse(text).expect("an address");
            assert_eq!(address.ascii(), text);
        }
        "timezone" => assert!(["Europe/Berlin", "UTC"].contains(&text), "{text}"),
        _ => {}
    }
}

fn assert_fits(claim: &str, value: &Json, sends_empty: bool) {
    if claim.ends_with("[]") || matches!(claim, "emails" | "usergroup_ids" | "labels") {
        let items: Vec<&str> = value
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Json::as_str)
            .collect();
        assert_eq!(Some(items.len()), value.as_array().map(Vec::len));
        assert!(!items.is_empty() || sends_empty, "{claim}");
        assert_eq!(
            items.iter().collect::<HashSet<_>>().len(),
            items.len(),
            "{claim} {value}"
        );
        items.iter().for_each(|item| assert_text(claim, item));
    } else {
        assert_text(claim, value.as_str().expect("a text"));
    }
}

fn assert_explained(mapping: &Mapping, outcome: &Outcome) {
    let payload = serde_json::to_value(&outcome.would_sign).expect("JSON");
    let mut traced = HashSet::new();
    for trace in &outcome.trace.claims {
        let claim = trace.claim.to_string();
        let value = match claim.strip_prefix("fields.") {
            Some(id) => &payload["fields"][id.trim_end_matches("[]")],
            None => &payload[&claim],
        };
        assert_eq!(value.is_null(), trace.absent.is_some(), "{claim} {trace:?}");
        if !value.is_null() {
            assert_fits(&claim, value, mapping.sends_empty(&trace.claim));
            assert_eq!(serde_json::to_value(&trace.value).expect("JSON"), *value);
        }
        traced.insert(claim);
    }
    let rules = mapping.rules().iter().map(|rule| rule.claim.to_string());
    assert_eq!(rules.collect::<HashSet<_>>(), traced);
    let claims = payload.as_object().expect("an object").len();
    assert!(claims <= traced.len(), "nothing but what a rule gives");
}

#[test]
fn random_mappings_over_random_users_give_what_their_claims_can_hold() {
    let mut dice = Dice(0x5EED_0001);
    let site = site();
    let blocked = BlockList::parse(&["staff.example", "42"]).expect("a block list");
    let mut refused = HashSet::new();
    for _ in 0..2_000 {
        let mapping = published(&mut dice);
        let json = serde_json::to_string(&mapping).expect("JSON");
        assert_eq!(Mapping::published(&json).as_ref(), Ok(&mapping), "{json}");
        for _ in 0..50 {
            let user = user(&mut dice);
            let subject = Subject {
                attributes: &user,
                disabled: dice.one_in(50),
            };
            let verified_only = !dice.one_in(3);
            let signing = Signing {
                verified_only,
                blocked: &blocked,
                attributes: &site,
                iat: true,
                exp: true,
            };
            let outcome = mapping::apply(&mapping, &subject, &signing);
            assert_explained(&mapping, &outcome);
            assert_eq!(
                mapping::payload(&mapping, &subject, &signing),
                outcome.result
            );
            match outcome.result {
                Ok(payload) => {
                    assert_eq!(payload, outcome.would_sign);
                    assert!(payload.email.is_some() || payload.deskpro_id.is_some());
                    assert!(payload.token_bytes(true, true) <= 8192);
                }
                Err(refusal) => drop(refused.insert(refusal.code.as_str())),
            }
        }
    }
    assert_eq!(refused.len(), 6, "every refusal was met: {refused:?}");
}

#[test]
fn what_check_lets_through_can_be_published() {
    let mut dice = Dice(0x5EED_0002);
    for _ in 0..5_000 {
        let draft = draft(&mut dice);
        let checked = mapping::check(&draft.to_string(), &site());
        let published = Mapping::published(&draft.to_string());
        match checked.mapping {
            Some(mapping) => assert_eq!(published, Ok(mapping)),
            None => {
                let others = checked
                    .findings
                    .iter()
                    .filter(|f| f.level == mapping::Level::Error);
                let others: Vec<_> = others.filter(|f| f.code != "unknown_attribute").collect();
                assert!(others.is_empty() || published.is_err(), "{draft}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_as_a_draft_a_name_and_an_address(text in any::<String>()) {
        mapping::check(&text, &site());
        countersign::core::attribute::is_secret_name(&text);
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(Address::parse(address.ascii()), Ok(address));
        }
        let draft = json!({"rules": [
            {"claim": text, "from": {"attribute": text}, "when": {"attribute": "plan", "is": text}},
            {"claim": "name", "from": {"text": [text]}, "steps": [{"split": text}, {"date": {"in": text, "out": text}}]},
        ]});
        for finding in mapping::check(&draft.to_string(), &site()).findings {
            prop_assert_eq!(draft.pointer(&finding.pointer).is_some(), true, "{}", finding.pointer);
        }
    }

    #[test]
    fn addresses_that_are_read_are_read_again_as_they_are(
        text in "[a-zA-Z0-9.+]{1,10}@[a-zA-Z0-9ßüЖ。.-]{1,12}\\.[a-zé]{1,5}"
    ) {
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(Address::parse(address.ascii()), Ok(address.clone()));
            prop_assert_eq!(address.folded(), Address::parse(&address.folded()).map_or(String::new(), Address::into_ascii));
        }
    }
}
