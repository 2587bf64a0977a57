//! Random mappings over random users: nothing panics, every payload fits its claims, and the trace
//! explains every absent claim.

use std::collections::HashSet;

use countersign::core::address::Address;
use countersign::core::catalogue::Catalogue;
use countersign::core::mapping::{self, BlockList, Mapping, Outcome, Signing, Subject, Tree};
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde_json::{Value as Json, json};

use super::random::{Dice, draft, published_text, user};
use super::site;

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 18 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

fn assert_text(claim: &str, text: &str) {
    assert!(!text.is_empty() && text.trim() == text && text.len() <= 8192, "{claim} {text:?}");
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
        let items: Vec<&str> = value.as_array().expect("a list").iter().filter_map(Json::as_str).collect();
        assert_eq!(Some(items.len()), value.as_array().map(Vec::len));
        assert!(!items.is_empty() || sends_empty, "{claim}");
        assert_eq!(items.iter().collect::<HashSet<_>>().len(), items.len(), "{claim} {value}");
        for item in items {
            assert_text(claim, item);
        }
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
        let text = published_text(&mut dice);
        let mapping = Mapping::published(&text).expect("no errors");
        let json = Tree::read(&text).expect("a tree").write();
        assert_eq!(Mapping::published(&json).as_ref(), Ok(&mapping), "{json}");
        for _ in 0..50 {
            let user = user(&mut dice);
            let subject = Subject { attributes: &user, disabled: dice.one_in(50) };
            let verified_only = !dice.one_in(3);
            let signing =
                Signing { verified_only, blocked: &blocked, attributes: &site, iat: true, exp: true };
            let outcome = mapping::apply(&mapping, &subject, &signing);
            assert_explained(&mapping, &outcome);
            assert_eq!(mapping::payload(&mapping, &subject, &signing), outcome.result);
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
        let checked = mapping::check(&draft.to_string(), &site(), &Catalogue::default());
        let published = Mapping::published(&draft.to_string());
        if let Some(mapping) = checked.mapping {
            assert_eq!(published, Ok(mapping));
            continue;
        }
        let mut errors = checked.findings.iter().filter(|f| f.level == mapping::Level::Error);
        let only_unknown = errors.all(|f| f.code == "unknown_attribute");
        assert!(only_unknown || published.is_err(), "{draft}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_as_a_draft_a_name_and_an_address(text in any::<String>()) {
        mapping::check(&text, &site(), &Catalogue::default());
        countersign::core::attribute::is_secret_name(&text);
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(Address::parse(address.ascii()), Ok(address));
        }
        let draft = json!({"rules": [
            {"claim": text, "from": {"attribute": text}, "when": {"attribute": "plan", "is": text}},
            {"claim": "name", "from": {"text": [text]}, "steps": [{"split": text}, {"date": {"in": text, "out": text}}]},
        ]});
        for finding in mapping::check(&draft.to_string(), &site(), &Catalogue::default()).findings {
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
