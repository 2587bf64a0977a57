//! Warnings that follow from a draft and the attributes alone. They explain and do not block publishing
//! (`mapping.md` section 4).

use super::finding::{Findings, Place, quoted};
use super::judge::Read;
use super::rule::Source;
use crate::core::attribute::Definitions;
use crate::core::mapping::apply::mapping::Token;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::text::Text;

/// Adds the warnings of a draft.
pub(crate) fn warn(found: &mut Findings, token: Token, reads: &[Read<'_>], attributes: &Definitions) {
    let of = |claim: Claim| {
        let read = reads.iter().find(|read| read.claim.as_ref() == Some(&claim))?;
        Some(read.claim_place())
    };
    let later = |one: Place, other: Place| if one.at > other.at { one } else { other };
    if let (Token::All, Some(email), Some(id)) = (token, of(Claim::Email), of(Claim::DeskproId)) {
        let message = "The token can carry both “email” and “deskpro_id”. If they belong to two different \
                       people at Deskpro, Deskpro rejects the token.";
        let help = "Use both only if every id is kept up to date. Otherwise sign only one of them.";
        found.warning("both_identifiers", &later(email, id), message, help);
    }
    if let (Some(name), Some(_), Some(_)) = (of(Claim::Name), of(Claim::FirstName), of(Claim::LastName)) {
        let message = "There are rules for “name” and also for “first_name” and “last_name”.";
        let help = "Send the full name or the two parts, not both.";
        found.warning("name_and_pair", &name, message, help);
    }
    for read in reads {
        if let Some(claim) = &read.claim {
            not_proved(found, claim, read, attributes);
        }
    }
}

fn not_proved(found: &mut Findings, claim: &Claim, read: &Read<'_>, attributes: &Definitions) {
    let effect = match claim {
        claim if claim.is_identifier() => "who the user is at Deskpro",
        Claim::OrganizationId | Claim::UsergroupIds => "what the user may see at Deskpro",
        _ => return,
    };
    for (name, place) in sources(read) {
        let has_own_proof = name == "email" || name == "deskpro_id";
        if has_own_proof || attributes.proved(&name) || !attributes.knows(&name) {
            continue;
        }
        let message = format!("Anyone who can write {} decides {effect}.", quoted(&name));
        let is_word = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let word = if is_word { name.clone() } else { format!("'{name}'") };
        let help = if claim.is_identifier() {
            format!(
                "Make sure that only your own system writes it, then mark it as trusted: run `countersign attribute set {word} --trusted`. Otherwise its values are not signed."
            )
        } else {
            format!(
                "Make sure that only your own system writes it, then mark it as trusted: run `countersign attribute set {word} --trusted`. You can publish without that."
            )
        };
        found.warning("not_proved", &place, message, help);
    }
}

/// The attributes of a rule's source, each with its place.
fn sources(read: &Read<'_>) -> Vec<(String, Place)> {
    if read.rule.is_none() {
        return Vec::new();
    }
    let from = read.source_place();
    match &read.typed.source.settled() {
        Some(Source::Attribute(leaf)) => vec![(leaf.as_str().to_owned(), from.key("attribute", leaf.at()))],
        Some(Source::Text(leaves)) => {
            let texts = leaves.places(from.key("text", leaves.at()));
            let texts = texts.filter_map(|(place, leaf)| Some((place, Text::parse(leaf.as_str()).ok()?)));
            let named = texts.flat_map(|(place, text)| {
                let names: Vec<String> = text.attributes().map(str::to_owned).collect();
                names.into_iter().map(move |name| (name, place.clone()))
            });
            named.collect()
        }
        Some(Source::Constant(_) | Source::Odd(_)) | None => Vec::new(),
    }
}
