//! Ids in a draft that the helpdesk does not have, as far as its catalogue says.

use super::finding::{Findings, quoted};
use super::judge::Read;
use super::rule::Source;
use crate::core::catalogue::Catalogue;
use crate::core::mapping::claim::{Claim, is_id};

/// Adds a warning for each id that a rule gives and that the helpdesk does not have.
pub(crate) fn warn_of_unknown(found: &mut Findings, reads: &[Read<'_>], catalogue: &Catalogue) {
    for read in reads {
        let Some(claim) = &read.claim else { continue };
        if let Claim::Field(id) | Claim::FieldList(id) = claim
            && !catalogue.fields.is_empty()
            && catalogue.field(id).is_none_or(|field| field.entry.gone)
        {
            let message = match catalogue.field(id) {
                Some(field) => {
                    format!("Deskpro no longer has the custom field {}.", quoted(&field.entry.label()))
                }
                None => format!("Deskpro has no custom field {id}."),
            };
            found.warning("unknown_id", &read.claim_place(), message, HELP);
        }
        if read.rule.is_none() || catalogue.of(claim).is_empty() {
            continue;
        }
        let mut given = read.given_unchanged();
        if let (Source::Constant(leaf), true) = (&read.typed.source, read.typed.steps.is_empty()) {
            given.push((read.source_place().key("constant", leaf.at()), leaf));
        }
        for (place, leaf) in given {
            let id = leaf.as_str().trim();
            let what = match claim {
                Claim::UsergroupIds => "group",
                Claim::OrganizationId => "organization",
                Claim::LanguageId => "language",
                _ => "choice",
            };
            let message = match catalogue.entry(claim, id) {
                Some(entry) if entry.gone => {
                    format!("Deskpro no longer has the {what} {}.", quoted(&entry.label()))
                }
                None if is_id(id) => format!("Deskpro has no {what} {id}."),
                _ => continue,
            };
            found.warning("unknown_id", &place, message, HELP);
        }
    }
}

const HELP: &str = "Choose another one. If it is new in Deskpro, read the names again: in the console under Mapping, Names from Deskpro, or with `countersign catalogue refresh`.";
