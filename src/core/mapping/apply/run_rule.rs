//! What one rule produces for a user: condition, source, steps, format, trust, and what happens if there
//! is no value (`mapping.md` sections 2 and 3).

use std::borrow::Cow;

use crate::core::mapping::apply::outcome::{Signing, Subject};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::rule::{CompiledMissing, CompiledRule, CompiledSource, Facts};
use crate::core::mapping::apply::trace::{ConditionTrace, Run};
use crate::core::mapping::apply::value::{Flow, clean};
use crate::core::mapping::steps::run_all;
use crate::core::mapping::text::Text;
use crate::core::payload::Texts;

/// What one rule produces.
#[derive(Default)]
pub(crate) struct RuleRun {
    pub given: Vec<String>,
    /// Why it produces no value, or only its default.
    pub nothing: Option<Why>,
    /// Whether a well-formed value was left out because it is not trusted or verified.
    pub unverified: bool,
    /// Whether it has no value and refuses the token for that reason.
    pub refuses: bool,
}

impl RuleRun {
    pub fn new(rule: &CompiledRule, subject: &Subject<'_>, signing: &Signing<'_>, run: &mut Run) -> RuleRun {
        let attributes = subject.attributes;
        let facts = Facts { attributes, definitions: Some(signing.attributes) };
        let mut rule_run = RuleRun::default();
        if !speaks(rule, facts, run) {
            rule_run.nothing = Some(Why::ConditionFalse);
        } else if let Err(why) = rule_run.run(rule, facts, signing, run) {
            rule_run.nothing = Some(why);
            match &rule.missing {
                CompiledMissing::Omit => {}
                CompiledMissing::Refuse => rule_run.refuses = true,
                CompiledMissing::Default { default } => rule_run.give_default(rule, default, run),
            }
        }
        run.note(|trace| trace.nothing = rule_run.nothing);
        rule_run
    }

    /// Reads the source, runs the steps, and checks format and trust. Fails with the reason if there is no
    /// value left.
    fn run(
        &mut self,
        rule: &CompiledRule,
        facts: Facts<'_>,
        signing: &Signing<'_>,
        run: &mut Run,
    ) -> Result<(), Why> {
        let value = read(&rule.source, facts, run)?;
        let value = run_all(&rule.steps, value, run)?;
        if matches!(value, Flow::List(_)) && !rule.claim.is_list() {
            return Err(Why::IsList);
        }
        let needs_proof = rule.claim.is_identifier() && signing.verified_only;
        let is_proved = !needs_proof || proved(&rule.source, facts, signing);
        let mut first = None;
        for item in value.items() {
            let why = match rule.claim.hold(item) {
                Ok(held) if is_proved => {
                    self.given.push(held.into_owned());
                    continue;
                }
                Ok(_) => Why::Unverified,
                Err(why) => why,
            };
            self.unverified |= why == Why::Unverified;
            first = first.or(Some(why));
            run.drop(item, why);
        }
        match first {
            Some(_) if self.unverified => Err(Why::Unverified),
            Some(why) if self.given.is_empty() => Err(why),
            _ => Ok(()),
        }
    }

    fn give_default(&mut self, rule: &CompiledRule, default: &Texts, run: &mut Run) {
        run.note(|trace| trace.default = true);
        let items = match default {
            Texts::One(text) => std::slice::from_ref(text),
            Texts::List(items) => items,
        };
        for item in items {
            match rule.claim.hold(item) {
                Ok(held) => self.given.push(held.into_owned()),
                Err(why) => run.drop(item, why),
            }
        }
    }
}

/// Whether the rule's condition holds, if it has one.
fn speaks(rule: &CompiledRule, facts: Facts<'_>, run: &mut Run) -> bool {
    let Some(condition) = &rule.condition else {
        return true;
    };
    let value = facts.look(&condition.attribute);
    let holds = condition.holds(value.as_ref());
    run.note(|trace| {
        let (attribute, value) = (condition.attribute.clone(), value.as_ref().map(Flow::shown));
        trace.condition = Some(ConditionTrace { attribute, value, holds });
    });
    holds
}

/// Whether values from this source are trusted or verified as the user's own (`mapping.md` 3.3).
fn proved(source: &CompiledSource, facts: Facts<'_>, signing: &Signing<'_>) -> bool {
    match source {
        CompiledSource::Attribute(name) if name == "email" => facts.attributes.email_verified() == Some(true),
        CompiledSource::Attribute(name) if name == "deskpro_id" => true,
        CompiledSource::Attribute(name) => signing.attributes.proved(name),
        CompiledSource::Constant(_) | CompiledSource::Text(_) => false,
    }
}

/// Reads the source of a rule.
pub(crate) fn read<'a>(source: &'a CompiledSource, facts: Facts<'a>, run: &mut Run) -> Result<Flow<'a>, Why> {
    let value = match source {
        CompiledSource::Attribute(name) => {
            run.note_read("attribute", Some(name));
            facts.read(name, |item, why| run.drop(item, why))
        }
        CompiledSource::Constant(text) => {
            run.note_read("constant", None);
            clean(text.as_str().into()).map(Flow::One)
        }
        CompiledSource::Text(texts) => {
            run.note_read("text", None);
            let mut filled = texts.iter().map(|text| fill(text, facts, run));
            filled.find_map(Result::ok).map(Flow::One).ok_or(Why::NoText)
        }
    };
    run.note_value(value.as_ref().ok());
    value
}

fn fill<'a>(text: &'a Text, facts: Facts<'a>, run: &mut Run) -> Result<Cow<'a, str>, Why> {
    let mut parts = Vec::new();
    let is_traced = run.is_traced();
    let filled = text.fill(|name| facts.part(name), |name| parts.extend(is_traced.then_some(name)));
    let filled = filled.and_then(|filled| clean(filled.into()));
    run.note_text(text, &parts, filled.as_ref().err().copied());
    filled
}
