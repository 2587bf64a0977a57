//! Applies a mapping to a user: (mapping, user, settings) → payload or refusal, with a trace
//! (`mapping.md` section 3). It never panics, whatever the values are.

use std::collections::HashSet;

use crate::core::address::Address;
use crate::core::attribute::Value;
use crate::core::mapping::apply::mapping::{Mapping, Token};
use crate::core::mapping::apply::outcome::{Outcome, Refusal, RefusalCode, Signing, Subject};
use crate::core::mapping::apply::reason::Why;
use crate::core::mapping::apply::run_rule::RuleRun;
use crate::core::mapping::apply::trace::{ClaimTrace, Dropped, RuleTrace, Run, Trace};
use crate::core::mapping::claim::Claim;
use crate::core::payload::{MAX_TOKEN_BYTES, Payload, Texts};

/// What a mapping produces for a user, with its trace.
pub fn apply(mapping: &Mapping, subject: &Subject<'_>, signing: &Signing<'_>) -> Outcome {
    let applied = Applied::new(mapping, subject, signing, Run::traced());
    let would_sign = signed(mapping, applied.person.clone());
    let result = applied.judge(subject, signing, would_sign.clone());
    let (person, trace) = (applied.person, Trace { claims: applied.claims });
    Outcome { result, person, would_sign, trace }
}

/// The same without a trace, for many users.
pub fn payload(mapping: &Mapping, subject: &Subject<'_>, signing: &Signing<'_>) -> Result<Payload, Refusal> {
    let mut applied = Applied::new(mapping, subject, signing, Run::untraced());
    let person = std::mem::take(&mut applied.person);
    applied.judge(subject, signing, signed(mapping, person))
}

/// Everything that the rules produce for a user without a trace, and why there is no token, if that is so.
pub fn describe(
    mapping: &Mapping,
    subject: &Subject<'_>,
    signing: &Signing<'_>,
) -> (Payload, Option<Refusal>) {
    let applied = Applied::new(mapping, subject, signing, Run::untraced());
    let refusal = applied.judge(subject, signing, signed(mapping, applied.person.clone())).err();
    (applied.person, refusal)
}

/// The part of what the rules produced that is signed, if nothing refuses the token.
fn signed(mapping: &Mapping, person: Payload) -> Payload {
    match mapping.token() {
        Token::All => person,
        Token::Id => person.id_alone(),
    }
}

/// A mapping after all its rules have run.
struct Applied {
    token: Token,
    person: Payload,
    /// Empty without a trace.
    claims: Vec<ClaimTrace>,
    /// The refusal of the first rule that has no value and refuses the token.
    refused: Option<Refusal>,
    /// The refusal of the first signed claim, `email` or `deskpro_id`, for which a well-formed value was
    /// left out because it is not trusted or verified.
    unverified: Option<Refusal>,
}

/// A claim while its rules run.
struct Slot<'a> {
    claim: &'a Claim,
    items: Vec<String>,
    /// The keys of the items, as soon as there is more than one.
    known: HashSet<String>,
    absent: Option<Why>,
    dropped: Vec<Dropped>,
    rules: Vec<RuleTrace>,
}

impl<'a> Slot<'a> {
    fn new(claim: &'a Claim) -> Slot<'a> {
        let (items, known, dropped, rules) = Default::default();
        Slot { claim, items, known, absent: None, dropped, rules }
    }

    /// Whether it is new; remembers it.
    fn is_new(&mut self, item: &str) -> bool {
        let Some(first) = self.items.first() else { return true };
        if self.items.len() == 1 {
            self.known.insert(self.claim.key(first).into_owned());
        }
        self.known.insert(self.claim.key(item).into_owned())
    }
}

impl Applied {
    fn new(mapping: &Mapping, subject: &Subject<'_>, signing: &Signing<'_>, mut run: Run) -> Applied {
        let mut refused = None;
        let mut unverified = None;
        let mut slots: Vec<Slot<'_>> = mapping.claims().iter().map(Slot::new).collect();
        for (i, (rule, place)) in mapping.placed().enumerate() {
            let slot = &mut slots[place];
            run.begin(i);
            let rule_run = RuleRun::new(rule, subject, signing, &mut run);
            let is_signed = mapping.signs(&rule.claim);
            if rule_run.unverified && is_signed && rule.claim != Claim::Emails {
                unverified = unverified.or_else(|| Some(Refusal::unverified(&rule.claim, &rule.source)));
            }
            if rule_run.refuses && is_signed {
                refused = refused.or_else(|| {
                    Some(if rule_run.unverified {
                        Refusal::unverified(&rule.claim, &rule.source)
                    } else {
                        Refusal::missing(&rule.claim)
                    })
                });
            }
            for item in rule_run.given {
                if slot.is_new(&item) {
                    run.note(|trace| trace.gave.push(item.clone()));
                    slot.items.push(item);
                } else {
                    run.drop(&item, Why::GivenAlready);
                }
            }
            slot.absent = first_reason(slot.absent, rule_run.nothing);
            if run.is_traced() {
                slot.rules.push(run.end());
            }
        }
        leave_out_email(&mut slots);
        let (person, claims) = finish(mapping, slots, run.is_traced());
        Applied { token: mapping.token(), person, claims, refused, unverified }
    }

    /// The payload, or the first refusal in the order of `mapping.md` 3.4.
    fn judge(
        &self,
        subject: &Subject<'_>,
        signing: &Signing<'_>,
        payload: Payload,
    ) -> Result<Payload, Refusal> {
        let refuse = |code| Err(Refusal::new(code));
        if subject.disabled {
            return refuse(RefusalCode::Disabled);
        }
        if owns_blocked(subject, signing) {
            return refuse(RefusalCode::Blocked);
        }
        if let Some(refusal) = &self.refused {
            return Err(refusal.clone());
        }
        if names_blocked(&payload, signing) {
            return refuse(RefusalCode::Blocked);
        }
        if payload.email.is_none() && payload.deskpro_id.is_none() {
            return match &self.unverified {
                Some(refusal) => Err(refusal.clone()),
                None if self.token == Token::Id => Err(Refusal::no_person()),
                None => refuse(RefusalCode::NoIdentifier),
            };
        }
        if payload.token_bytes(signing.iat, signing.exp) > MAX_TOKEN_BYTES {
            return refuse(RefusalCode::TooLarge);
        }
        Ok(payload)
    }
}

/// The reason why a claim is absent: that of its first rule that applied, otherwise that of the condition.
fn first_reason(before: Option<Why>, now: Option<Why>) -> Option<Why> {
    match before {
        None | Some(Why::ConditionFalse) => now.or(before),
        Some(_) => before,
    }
}

/// Removes the item from `emails` that the claim `email` has.
fn leave_out_email(slots: &mut [Slot<'_>]) {
    let of = |claim: Claim| slots.iter().position(|slot| *slot.claim == claim);
    let (Some(email), Some(emails)) = (of(Claim::Email), of(Claim::Emails)) else {
        return;
    };
    let Some(email) = slots[email].items.first().map(|email| Claim::Emails.key(email).into_owned()) else {
        return;
    };
    let emails = &mut slots[emails];
    let (same, others) =
        std::mem::take(&mut emails.items).into_iter().partition(|item| Claim::Emails.key(item) == email);
    emails.items = others;
    for value in same {
        emails.absent = Some(Why::EqualsEmail);
        emails.dropped.push(Dropped { value, why: Why::EqualsEmail });
    }
}

fn finish(mapping: &Mapping, slots: Vec<Slot<'_>>, is_traced: bool) -> (Payload, Vec<ClaimTrace>) {
    let mut person = Payload::default();
    let mut claims = Vec::new();
    for Slot { claim, items, mut absent, dropped, rules, .. } in slots {
        let value = match (claim.is_list(), items.is_empty()) {
            (true, false) => Some(Texts::List(items)),
            (true, true) => mapping.sends_empty(claim).then_some(Texts::List(items)),
            (false, _) => items.into_iter().next().map(Texts::One),
        };
        if value.is_some() {
            absent = (!mapping.signs(claim)).then_some(Why::NotSigned);
        }
        if is_traced {
            claims.push(ClaimTrace { claim: claim.clone(), value: value.clone(), absent, dropped, rules });
        }
        put(&mut person, claim, value);
    }
    (person, claims)
}

fn put(person: &mut Payload, claim: &Claim, value: Option<Texts>) {
    let (one, list) = match value {
        None => return,
        Some(Texts::One(one)) => (Some(one), None),
        Some(Texts::List(list)) => (None, Some(list)),
    };
    match claim {
        Claim::DeskproId => person.deskpro_id = one,
        Claim::Email => person.email = one,
        Claim::Emails => person.emails = list,
        Claim::Name => person.name = one,
        Claim::FirstName => person.first_name = one,
        Claim::LastName => person.last_name = one,
        Claim::OrganizationId => person.organization_id = one,
        Claim::LanguageId => person.language_id = one,
        Claim::UsergroupIds => person.usergroup_ids = list,
        Claim::Timezone => person.timezone = one,
        Claim::Labels => person.labels = list,
        Claim::Field(id) | Claim::FieldList(id) => {
            let value = one.map(Texts::One).or(list.map(Texts::List));
            person.fields.extend(value.map(|value| (id.clone(), value)));
        }
    }
}

/// Whether the user's own address or id is on the block list, whatever the mapping says.
fn owns_blocked(subject: &Subject<'_>, signing: &Signing<'_>) -> bool {
    if signing.blocked.is_empty() {
        return false;
    }
    let own = |name: &str| match subject.attributes.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
        other => other.and_then(Value::as_text).into_iter().collect::<Vec<_>>(),
    };
    let is_blocked = |text: &String| names_blocked_address(text, signing);
    own("email").iter().any(is_blocked)
        || own("deskpro_id").iter().any(|id| signing.blocked.blocks_id(id.trim()))
}

fn names_blocked_address(text: &str, signing: &Signing<'_>) -> bool {
    Address::parse(text).is_ok_and(|address| signing.blocked.blocks_address(&address))
}

fn names_blocked(payload: &Payload, signing: &Signing<'_>) -> bool {
    !signing.blocked.is_empty() && payload.addresses().any(|address| names_blocked_address(address, signing))
        || payload.deskpro_id.as_ref().is_some_and(|id| signing.blocked.blocks_id(id))
}
