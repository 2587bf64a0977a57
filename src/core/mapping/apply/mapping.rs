//! A mapping as it runs: its rules, and which claims are signed.

use super::rule::CompiledRule;
use crate::core::mapping::claim::Claim;

/// A mapping without errors, ready to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub(crate) token: Token,
    pub(crate) rules: Vec<CompiledRule>,
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
    /// The rules, in order.
    pub fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// Which claims of the payload are signed.
    pub fn token(&self) -> Token {
        self.token
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
