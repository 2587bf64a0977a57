//! Checks the rules of a draft one by one, and compiles each of them. `check` finds problems that involve
//! more than one rule, and problems with the values that a rule itself writes.

use std::collections::HashSet;

use super::finding::{Findings, Place, quoted};
use super::located::{Located, blank_text, identifier_rule, only_one, wrong_type};
use super::part::{Leaf, Leaves};
use super::rule::{Condition, Default, Missing, Rule, Source, Test};
use super::tree::RuleEntry;
use crate::core::attribute::{Definitions, is_blank, is_secret_name};
use crate::core::catalogue::Catalogue;
use crate::core::mapping::apply::rule::{
    CompiledCondition, CompiledMissing, CompiledRule, CompiledSource, CompiledTest,
};
use crate::core::mapping::claim::Claim;
use crate::core::mapping::steps::{CompiledStep, Standing};
use crate::core::mapping::text::{BadText, Text};
use crate::core::payload::Texts;
use crate::core::visible::differ_by;

/// A rule as far as it could be read.
pub(crate) struct Read<'a> {
    pub place: Place,
    pub typed: &'a Rule,
    /// Its claim, if it is valid.
    pub claim: Option<Claim>,
    /// The compiled rule, if every part is valid.
    pub rule: Option<CompiledRule>,
}

impl<'a> Read<'a> {
    /// The strings that the rule writes and gives to its claim unchanged: what its last step makes, and its default.
    pub fn given_unchanged(&self) -> Vec<(Place, &'a Leaf)> {
        let typed = self.typed;
        let mut given = Vec::new();
        if let Some(last) = typed.steps.last() {
            let steps = self.place.key("steps", self.place.at);
            given.extend(last.gives(&steps.item(typed.steps.len() - 1, last.at)));
        }
        if let Missing::Default(default) = &typed.missing {
            let missing = self.place.key("missing", self.place.at);
            match default {
                Default::One(leaf) => given.push((missing.key("default", leaf.at()), leaf)),
                Default::List(leaves) => given.extend(leaves.places(missing.key("default", leaves.at()))),
            }
        }
        given
    }

    /// The place of its claim, if it has one.
    pub fn claim_place(&self) -> Place {
        self.place.key("claim", self.typed.claim.at())
    }

    /// The place of the value of its source.
    pub fn source_place(&self) -> Place {
        self.place.key("from", self.place.at)
    }
}

/// The state shared by the checks of all rules: the findings, and the existing attributes if they are
/// checked.
pub(crate) struct Judging<'d> {
    pub found: Findings,
    pub attributes: Option<&'d Definitions>,
    pub names: Option<&'d Catalogue>,
}

impl Judging<'_> {
    /// Checks the rule at a place.
    pub fn rule<'a>(&mut self, entry: &'a RuleEntry, place: Place) -> Read<'a> {
        let (typed, odd) = entry.parts();
        if let Some(node) = odd {
            let located = Located::new(node, &place);
            let Some(mut keys) = located.object(&mut self.found, "an object with “claim” and “from”")
            else {
                return Read { place, typed, claim: None, rule: None };
            };
            let present = Rule::KEYS.map(|key| keys.take(key).is_some());
            let absent: Vec<&str> = ["claim", "from"]
                .into_iter()
                .zip(present)
                .filter(|(_, is)| !is)
                .map(|(key, _)| key)
                .collect();
            keys.need(&mut self.found, &absent);
            keys.no_others(&mut self.found, "“claim”, “from”, “steps”, “when”, “missing”");
        }
        let claim = self.claim(&typed.claim, &place.key("claim", typed.claim.at()));
        let source = self.source(&typed.source, &place.key("from", place.at), claim.as_ref());
        let steps = self.steps(typed, &place, claim.as_ref());
        let condition = match &typed.condition {
            None => Some(None),
            Some(condition) => self.condition(condition, &place.key("when", place.at)).map(Some),
        };
        let missing = self.missing(&typed.missing, &place.key("missing", place.at), claim.as_ref());
        let rule = || {
            Some(CompiledRule {
                claim: claim.clone()?,
                source: source?,
                steps: steps?,
                condition: condition?,
                missing: missing?,
            })
        };
        Read { rule: rule(), claim, typed, place }
    }

    fn claim(&mut self, leaf: &Leaf, place: &Place) -> Option<Claim> {
        let text = leaf.text(&mut self.found, place, "the name of a claim in double quotes")?;
        let claim = Claim::parse(text);
        if claim.is_none() {
            unknown_claim(&mut self.found, place, text);
        }
        claim
    }

    fn source(&mut self, source: &Source, place: &Place, claim: Option<&Claim>) -> Option<CompiledSource> {
        const KNOWN: &str = "“attribute”, “constant”, “text”";
        match source {
            Source::Attribute(name) => {
                self.name(name, &place.key("attribute", name.at())).map(CompiledSource::Attribute)
            }
            Source::Constant(text) => {
                let place = place.key("constant", text.at());
                identifier_rule(&mut self.found, claim, &place);
                text.filled(&mut self.found, &place).map(CompiledSource::Constant)
            }
            Source::Text(texts) => {
                let place = place.key("text", texts.at());
                identifier_rule(&mut self.found, claim, &place);
                self.texts(texts, &place)
            }
            Source::Odd(odd) => {
                let node = odd.0.as_deref()?;
                let located = Located::new(node, &place.at(node.at));
                let needed = "an object with “attribute”, “constant” or “text”";
                let mut keys = located.object(&mut self.found, needed)?;
                let mut sources = Vec::new();
                for key in Source::KEYS {
                    if let Some(one) = keys.take(key).and_then(|value| Source::of(key, value.node)) {
                        sources.push(self.source(&one, place, claim));
                    }
                }
                only_one(&mut self.found, &located, &keys, sources, KNOWN)
            }
        }
    }

    fn name(&mut self, leaf: &Leaf, place: &Place) -> Option<String> {
        let name = leaf.text(&mut self.found, place, "the name of an attribute in double quotes")?;
        self.known(&[name], place);
        Some(name.to_owned())
    }

    /// Reports which of the names at a place are secrets, and which are unknown.
    fn known(&mut self, names: &[&str], place: &Place) {
        let Some(attributes) = self.attributes else {
            return;
        };
        let (secret, others): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| is_secret_name(name));
        if !secret.is_empty() {
            let message = format!("The name of a secret cannot be used: {}.", listed(&secret));
            let help = "Passwords, hashes and keys are never attributes. Use a different attribute.";
            self.found.error("secret_attribute", place, message, help);
        }
        let unknown: Vec<&str> = others.into_iter().filter(|name| !attributes.knows(name)).collect();
        if let Some(first) = unknown.first() {
            let message = if first.is_empty() {
                "No attribute is chosen here.".to_owned()
            } else {
                format!("There is no attribute {}.", listed(&unknown))
            };
            let help = match attributes.spelled_otherwise(first) {
                Some(other) => match differ_by(first, other) {
                    Some(by) => format!("It differs from {} only by {by}. Use that name.", quoted(other)),
                    None => format!("Write {}.", quoted(other)),
                },
                None => "Create the attribute first, or use an existing one.".to_owned(),
            };
            self.found.error("unknown_attribute", place, message, help);
        }
    }

    fn texts(&mut self, texts: &Leaves, place: &Place) -> Option<CompiledSource> {
        let items: Vec<_> = texts.items(&mut self.found, place, "a list of at least one string")?.collect();
        let texts: Vec<Option<Text>> =
            items.into_iter().map(|(place, leaf)| self.one_text(leaf, &place)).collect();
        texts.into_iter().collect::<Option<Vec<Text>>>().map(CompiledSource::Text)
    }

    fn one_text(&mut self, leaf: &Leaf, place: &Place) -> Option<Text> {
        let written = leaf.text(&mut self.found, place, "a string in double quotes")?;
        let text = match Text::parse(written) {
            Ok(text) => text,
            Err(bad) => {
                let message = match bad {
                    BadText::Brace => "A single brace has no matching brace.",
                    BadText::NoName => "A part in braces has no name.",
                };
                let help = "Write parts as {name} or {name|other}. To write a brace itself, write it twice.";
                self.found.error("bad_text", place, message, help);
                return None;
            }
        };
        if text.without_parts().is_some_and(is_blank) {
            blank_text(&mut self.found, place);
            return None;
        }
        let mut once = HashSet::new();
        let names: Vec<&str> = text.attributes().filter(|name| once.insert(*name)).collect();
        self.known(&names, place);
        Some(text)
    }

    fn steps(&mut self, rule: &Rule, place: &Place, claim: Option<&Claim>) -> Option<Vec<CompiledStep>> {
        let place = place.key("steps", place.at);
        if let Some(odd) = rule.odd_steps.0.as_deref() {
            wrong_type(&mut self.found, &place.at(odd.at), &odd.json, "a list of steps");
            return None;
        }
        let after_text = match &rule.source {
            Source::Text(_) => true,
            Source::Odd(odd) => odd.0.as_ref().is_some_and(|node| node.get("text").is_some()),
            Source::Attribute(_) | Source::Constant(_) => false,
        };
        let standing = Standing { claim, after_text };
        let steps = rule.steps.iter().enumerate();
        let steps: Vec<Option<CompiledStep>> = steps
            .map(|(i, step)| step.judge(&mut self.found, &place.item(i, step.at), i, standing))
            .collect();
        steps.into_iter().collect()
    }

    fn condition(&mut self, condition: &Condition, place: &Place) -> Option<CompiledCondition> {
        let attribute = |of: &mut Self| {
            let name = &condition.attribute;
            of.name(name, &place.key("attribute", name.at()))
        };
        let Some(node) = condition.odd.0.as_deref() else {
            let (attribute, test) = (attribute(self), self.test(&condition.test, place));
            return Some(CompiledCondition { attribute: attribute?, test: test?, not: condition.not });
        };
        let located = Located::new(node, &place.at(node.at));
        let mut keys = located.object(&mut self.found, "an object with “attribute” and a test")?;
        if keys.take("attribute").is_none() {
            keys.need(&mut self.found, &["attribute"]);
        }
        let attribute = attribute(self);
        let mut tests = Vec::new();
        for key in Test::KEYS {
            if let Some(value) = keys.take(key) {
                let test = Test::of(key, value.node);
                tests.push(match test {
                    Test::Odd(_) => value.only_true(&mut self.found).and(None),
                    test => self.test(&test, place),
                });
            }
        }
        let not =
            keys.take("not").map_or(Some(false), |located| located.only_true(&mut self.found).map(|()| true));
        let known = "“attribute”, “set”, “true”, “is”, “in”, “not”";
        let test = only_one(&mut self.found, &located, &keys, tests, known);
        Some(CompiledCondition { attribute: attribute?, test: test?, not: not? })
    }

    /// The test of a condition at a place.
    fn test(&mut self, test: &Test, place: &Place) -> Option<CompiledTest> {
        match test {
            Test::Set => Some(CompiledTest::Set),
            Test::True => Some(CompiledTest::True),
            Test::Is(text) => text.filled(&mut self.found, &place.key("is", text.at())).map(CompiledTest::Is),
            Test::In(texts) => {
                let place = place.key("in", texts.at());
                let needed = "a list of at least one string";
                self.filled(texts, &place, needed).map(CompiledTest::In)
            }
            Test::Odd(_) => None,
        }
    }

    /// The strings of a list, trimmed, if there is at least one and none is blank.
    fn filled(&mut self, texts: &Leaves, place: &Place, needed: &str) -> Option<Vec<String>> {
        let items: Vec<_> = texts.items(&mut self.found, place, needed)?.collect();
        let texts = items.into_iter().map(|(place, leaf)| leaf.filled(&mut self.found, &place));
        texts.collect::<Vec<Option<String>>>().into_iter().collect()
    }

    fn missing(
        &mut self,
        missing: &Missing,
        place: &Place,
        claim: Option<&Claim>,
    ) -> Option<CompiledMissing> {
        match missing {
            Missing::Omit => Some(CompiledMissing::Omit),
            Missing::Refuse => Some(CompiledMissing::Refuse),
            Missing::Default(default) => self.default(default, place, claim),
            Missing::Odd(odd) => {
                let node = odd.0.as_deref()?;
                let needed = "“omit”, “refuse”, or an object with “default”";
                let mut keys = Located::new(node, &place.at(node.at)).object(&mut self.found, needed)?;
                let default = keys.take("default");
                if default.is_none() {
                    keys.need(&mut self.found, &["default"]);
                }
                keys.no_others(&mut self.found, "“default”");
                self.default(&Default::read(default?.node), place, claim)
            }
        }
    }

    fn default(
        &mut self,
        default: &Default,
        place: &Place,
        claim: Option<&Claim>,
    ) -> Option<CompiledMissing> {
        match default {
            Default::One(text) => {
                let place = place.key("default", text.at());
                identifier_rule(&mut self.found, claim, &place);
                let text = text.filled(&mut self.found, &place)?;
                Some(CompiledMissing::Default { default: Texts::One(text) })
            }
            Default::List(texts) => {
                let place = place.key("default", texts.at());
                identifier_rule(&mut self.found, claim, &place);
                let is_list = claim.is_none_or(Claim::is_list);
                if !is_list {
                    let message = "This claim takes one value, but the default is a list.";
                    let help = "Write one string in double quotes, without brackets.";
                    self.found.error("list_in_scalar", &place, message, help);
                }
                let texts = self.filled(texts, &place, "a string, or a list of strings")?;
                is_list.then_some(CompiledMissing::Default { default: Texts::List(texts) })
            }
        }
    }
}

/// The first few of some names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| quoted(name)).collect();
    if names.len() > SHOWN {
        shown.push("others".to_owned());
    }
    shown.join(" and ")
}

pub(crate) fn unknown_claim(found: &mut Findings, place: &Place, text: &str) {
    let message = if text.is_empty() {
        "No claim is chosen here.".to_owned()
    } else {
        format!("There is no claim {}.", quoted(text))
    };
    let help = "Use deskpro_id, email, emails, name, first_name, last_name, organization_id, \
                language_id, usergroup_ids, timezone, labels, fields.7 or fields.7[].";
    found.error("unknown_claim", place, message, help);
}
