//! A mapping as it runs: its rules, and which claims are signed.

use std::collections::HashMap;

use super::rule::CompiledRule;
use crate::core::mapping::claim::Claim;

/// A mapping without errors, ready to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub(crate) token: Token,
    pub(crate) rules: Vec<CompiledRule>,
    /// The claims that have a rule, in the order of the rules.
    claims: Vec<Claim>,
    /// For each rule, the place of its claim among them.
    places: Vec<usize>,
    /// The list claims that are sent even when they are empty, in the order of the draft.
    pub(crate) sent_empty: Vec<Claim>,
}

/// Which claims of a mapping are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Token {
    /// Every claim.
    #[default]
    All,
    /// Only `deskpro_id`, because Deskpro knows the users already (upfront).
    Id,
}

impl Mapping {
    pub(crate) fn new(token: Token, rules: Vec<CompiledRule>, sent_empty: Vec<Claim>) -> Self {
        let (mut claims, mut known) = (Vec::new(), HashMap::new());
        let mut place = |rule: &CompiledRule| {
            *known.entry(rule.claim.clone()).or_insert_with(|| {
                claims.push(rule.claim.clone());
                claims.len() - 1
            })
        };
        let places = rules.iter().map(&mut place).collect();
        Self { token, rules, claims, places, sent_empty }
    }

    /// The claims that have a rule, in the order of the rules.
    pub(crate) fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The rules in order, each with the place of its claim among [`Mapping::claims`].
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&CompiledRule, usize)> {
        self.rules.iter().zip(self.places.iter().copied())
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// Which claims of the payload are signed.
    pub fn token(&self) -> Token {
        self.token
    }

    /// The same rules with every claim signed.
    #[must_use]
    pub fn signing_all(&self) -> Self {
        Self { token: Token::All, ..self.clone() }
    }

    /// Every attribute that a rule names, each once, in the order of the rules.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let mut known = std::collections::HashSet::new();
        self.rules.iter().flat_map(CompiledRule::attributes).filter(move |name| known.insert(*name))
    }

    /// Whether a list claim is sent even when it is empty.
    pub fn sends_empty(&self, claim: &Claim) -> bool {
        self.sent_empty.contains(claim)
    }

    /// Whether a claim is part of the token.
    pub fn signs(&self, claim: &Claim) -> bool {
        self.token == Token::All || *claim == Claim::DeskproId
    }
}
