//! The mapping, sentence by sentence of `mapping.md`. Pure tables of inputs and outputs: no server,
//! no database.

use countersign::core::attribute::{Attributes, BUILT_IN, Definition, Definitions};
use countersign::core::catalogue::Catalogue;
use countersign::core::mapping::{self, BlockList, Mapping, Outcome, Signing, Subject};
use serde_json::{Value as Json, json};

mod addresses;
mod checking;
mod checking_outputs;
mod checking_types;
mod checking_values;
mod coverage;
mod dates;
mod names;
mod property;
pub mod random;
mod refusals;
mod rules;
mod signing;
mod steps;
mod trace;
mod values;
mod warnings;

/// Everything that a mapping is applied with, beside the mapping.
pub struct World {
    pub user: Attributes,
    pub disabled: bool,
    pub verified_only: bool,
    pub blocked: Vec<String>,
    pub definitions: Definitions,
}

impl World {
    /// A user with a proved address and these attributes, all of which exist.
    pub fn new(user: &Json) -> World {
        let mut all = json!({"email": "ana@example.com", "email_verified": true});
        for (name, value) in user.as_object().expect("an object of attributes") {
            all[name] = value.clone();
        }
        World::without_address(&all)
    }

    /// A user with exactly these attributes.
    pub fn without_address(user: &Json) -> World {
        let user: Attributes = serde_json::from_value(user.clone()).expect("a user's attributes");
        let mut definitions = Definitions::new();
        for (name, _) in user.iter().filter(|(name, _)| !BUILT_IN.contains(name)) {
            definitions.define(name, Definition::default()).expect("a name that can be");
        }
        World { user, disabled: false, verified_only: true, blocked: Vec::new(), definitions }
    }

    /// The same with this attribute marked as proved.
    pub fn proved(mut self, name: &str) -> World {
        let definition = Definition { proved: true, ..Definition::default() };
        self.definitions.define(name, definition).expect("a name that can be");
        self
    }

    /// The same with this block list.
    pub fn blocking(mut self, entries: &[&str]) -> World {
        self.blocked = entries.iter().map(ToString::to_string).collect();
        self
    }

    pub fn apply(&self, mapping: &Json) -> Outcome {
        let mapping = published(mapping);
        let blocked = BlockList::parse(&self.blocked).expect("a block list");
        let subject = Subject { attributes: &self.user, disabled: self.disabled };
        let signing = Signing {
            verified_only: self.verified_only,
            blocked: &blocked,
            attributes: &self.definitions,
            iat: true,
            exp: true,
        };
        let outcome = mapping::apply(&mapping, &subject, &signing);
        let untraced = mapping::payload(&mapping, &subject, &signing);
        assert_eq!(untraced, outcome.result, "with and without a trace");
        outcome
    }

    /// The payload as JSON, or the code and claim of the refusal.
    pub fn sign(&self, mapping: &Json) -> Result<Json, (&'static str, Option<String>)> {
        match self.apply(mapping).result {
            Ok(payload) => Ok(serde_json::to_value(payload).expect("a payload is JSON")),
            Err(refusal) => Err((refusal.code.as_str(), refusal.claim)),
        }
    }
}

pub fn published(mapping: &Json) -> Mapping {
    match Mapping::published(&mapping.to_string()) {
        Ok(mapping) => mapping,
        Err(findings) => panic!("{mapping}\n{findings:#?}"),
    }
}

/// What the rules give to the claim of the first one, for a user with these attributes. `null` when
/// it is absent.
pub fn given(rules: &Json, user: &Json) -> Json {
    let rules: Vec<Json> = match rules {
        Json::Array(rules) => rules.clone(),
        one => vec![one.clone()],
    };
    let claim = rules[0]["claim"].as_str().expect("a claim").to_owned();
    let mut all = vec![json!({"claim": "email", "from": {"attribute": "email"}})];
    all.extend(rules);
    let outcome = World::new(user).apply(&json!({ "rules": all }));
    let payload = serde_json::to_value(outcome.would_sign).expect("a payload is JSON");
    match claim.strip_prefix("fields.") {
        Some(id) => payload["fields"][id.trim_end_matches("[]")].clone(),
        None => payload[claim].clone(),
    }
}

/// A rule that copies an attribute into a claim.
pub fn copy(claim: &str, attribute: &str) -> Json {
    json!({"claim": claim, "from": {"attribute": attribute}})
}

/// A mapping of these rules after one for the address.
pub fn with_email(rules: &[Json]) -> Json {
    let mut all = vec![copy("email", "email")];
    all.extend_from_slice(rules);
    json!({ "rules": all })
}

/// The codes and places of a draft's errors, in order. The site has the attributes `plan`,
/// `groups`, `interests`, `newsletter` and `member_since`, and `crm_id`, which is proved.
pub fn errors(draft: &str) -> Vec<(String, String)> {
    let checked = mapping::check(draft, &site(), &Catalogue::default());
    let errors: Vec<_> = checked
        .findings
        .iter()
        .filter(|finding| finding.level == mapping::Level::Error)
        .inspect(|finding| assert!(!finding.message.is_empty() && !finding.help.is_empty()))
        .map(|finding| (finding.code.to_owned(), finding.pointer.clone()))
        .collect();
    assert_eq!(checked.mapping.is_none(), !errors.is_empty(), "{draft}");
    errors
}

pub fn site() -> Definitions {
    let mut site = Definitions::new();
    for name in ["plan", "groups", "interests", "newsletter", "member_since"] {
        site.define(name, Definition::default()).expect("a name that can be");
    }
    let proved = Definition { proved: true, ..Definition::default() };
    site.define("crm_id", proved).expect("a name that can be");
    site
}
