//! Drafts: the mapping as an admin edits it. A draft is stored on the server even if it has errors,
//! until it is published or discarded. `core::mapping` defines what a draft means; publishing is in
//! `mapping`.

use super::audit::{Event, record};
use super::mapping::{Publication, STARTER, check_reason};
use super::{App, AppError, Caller, clock, compare};
use crate::core::attribute::{Value, is_blank};
use crate::core::id::{MessengerId, UserId};
use crate::core::job::JobState;
use crate::core::mapping::read::rule::Rule;
use crate::core::mapping::{Draft, StarterSample, Token, Tree, Version, changes, starters};
use crate::core::user::User;
use crate::store::{Error, Tx, attributes, drafts, mappings, users};

/// Users whose values are used to suggest rules.
const SAMPLED: i64 = 200;

/// A starting point: the two patterns of Deskpro's guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Deskpro adds users at their first chat: the token carries all their data (on-demand).
    OnDemand,
    /// Deskpro knows the users already: the token carries only their ID (upfront).
    Upfront,
}

impl Preset {
    /// Reads `on-demand` or `upfront`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "on-demand" => Some(Self::OnDemand),
            "upfront" => Some(Self::Upfront),
            _ => None,
        }
    }
}

/// A new text for the draft with a given revision, and a description of the change.
struct Edit<'a> {
    messenger: &'a MessengerId,
    user_id: &'a UserId,
    revision: i64,
    text: &'a str,
    did: &'a str,
}

impl App {
    /// An admin's draft; if there is none, the published mapping as an unchanged draft.
    pub fn draft(&self, messenger: &MessengerId, user_id: &UserId) -> Result<Draft, AppError> {
        let messenger = self.messenger(messenger)?.id;
        let (draft, published) = self.store().snapshot(|db| {
            Ok::<_, AppError>((drafts::of(db, &messenger, user_id)?, mappings::published(db, &messenger)?))
        })?;
        Ok(draft.unwrap_or_else(|| unchanged(published)))
    }

    /// Stores a draft that was made from the one with this revision; `did` describes the change, for the
    /// undo button. `DraftMoved` if another window changed the draft in the meantime; then nothing is
    /// stored.
    pub fn save_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
        text: &str,
        did: &str,
    ) -> Result<Draft, AppError> {
        self.put_draft(&Edit { messenger, user_id, revision, text, did }, |_, _, _| Ok(()))
    }

    /// The same; `also` runs in the same transaction and receives the messenger's ID and the draft's
    /// text before the change.
    fn put_draft(
        &self,
        edit: &Edit<'_>,
        mut also: impl FnMut(&mut Tx<'_>, &MessengerId, &str) -> Result<(), Error>,
    ) -> Result<Draft, AppError> {
        let Edit { messenger, user_id, revision, text, did } = *edit;
        let messenger = self.messenger(messenger)?.id;
        if text.contains('\0') {
            return Err(AppError::Refused("The mapping contains a NUL character. Remove it.".into()));
        }
        let now = self.now();
        self.store().write(now, |tx| {
            let found = drafts::of(tx, &messenger, user_id)?;
            let before = match found {
                Some(draft) => draft,
                None => unchanged(mappings::published(tx, &messenger)?),
            };
            let draft = Draft {
                text: text.to_owned(),
                base: before.base,
                revision: next_revision(before.revision),
                updated_at: now,
                did: did.to_owned(),
                undo: before.text,
            };
            if before.revision != revision || !drafts::put(tx, &messenger, user_id, revision, &draft)? {
                return Err(AppError::DraftMoved);
            }
            also(tx, &messenger, &draft.undo)?;
            Ok(draft)
        })
    }

    /// Replaces the content of a draft, for example with a file.
    pub fn import_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
        text: &str,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let rules = Tree::read(text).map(|tree| tree.rules.len());
        let names = self.catalogue(messenger)?;
        let edit = Edit { messenger, user_id, revision, text, did: "Imported a mapping" };
        self.put_draft(&edit, |tx, id, before| {
            let event = Event::DraftImported { rules, changes: changes(before, text, &names) };
            record(tx, self.now(), caller, &event, id)
        })?;
        Ok(())
    }

    /// Undoes the last change of a draft.
    pub fn undo_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
    ) -> Result<(), AppError> {
        let draft = self.draft(messenger, user_id)?;
        if draft.revision != revision || draft.did.is_empty() {
            return Err(AppError::DraftMoved);
        }
        self.save_draft(messenger, user_id, revision, &draft.undo, "")?;
        Ok(())
    }

    /// Bases a draft on the published mapping, version `base`: its rules stay, and publishing it then
    /// removes what the others published. For merging by hand after `MappingMoved`; it returns
    /// `MappingMoved` itself if yet another version has been published.
    pub fn rebase_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
        base: i64,
    ) -> Result<(), AppError> {
        let messenger = self.messenger(messenger)?.id;
        let now = self.now();
        self.store().write(now, |tx| {
            let published = mappings::published(tx, &messenger)?;
            match published {
                Some(published) if published.number != base => {
                    return Err(AppError::MappingMoved(Box::new(published)));
                }
                None if base != 0 => {
                    return Err(AppError::Refused(
                        "Nothing has been published yet: there is only version 0.".into(),
                    ));
                }
                _ => {}
            }
            let Some(draft) = drafts::of(tx, &messenger, user_id)? else { return Err(AppError::DraftMoved) };
            let moved = Draft { base, revision: next_revision(revision), updated_at: now, ..draft };
            let kept = revision > 0 && drafts::put(tx, &messenger, user_id, revision, &moved)?;
            if kept { Ok(()) } else { Err(AppError::DraftMoved) }
        })
    }

    /// Discards the draft with this revision: the next one starts from the published mapping. This can
    /// be undone as long as that is the mapping the draft was started from.
    pub fn discard_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
    ) -> Result<(), AppError> {
        let messenger = self.messenger(messenger)?.id;
        let now = self.now();
        self.store().write(now, |tx| {
            let Some(draft) = drafts::of(tx, &messenger, user_id)? else { return Ok(()) };
            let in_force = unchanged(mappings::published(tx, &messenger)?);
            compare::forget(tx, &messenger, user_id, now)?;
            let done = if in_force.base != draft.base || in_force.text == draft.text {
                drafts::delete(tx, &messenger, user_id, revision)?
            } else {
                let discarded = Draft {
                    text: in_force.text,
                    base: draft.base,
                    revision: next_revision(draft.revision),
                    updated_at: now,
                    did: "Discarded the draft".to_owned(),
                    undo: draft.text,
                };
                draft.revision == revision && drafts::put(tx, &messenger, user_id, revision, &discarded)?
            };
            if done { Ok(()) } else { Err(AppError::DraftMoved) }
        })
    }

    /// Publishes an admin's draft as the version after the one it was started from, and ends the draft.
    /// `MappingMoved` if another admin published in the meantime; then the draft stays. `ReasonNeeded`
    /// if there is no reason, and users lose their token or the effect is unknown.
    pub fn publish_draft(
        &self,
        messenger: &MessengerId,
        user_id: &UserId,
        revision: i64,
        reason: &str,
        caller: &Caller,
    ) -> Result<Version, AppError> {
        let draft = self.draft(messenger, user_id)?;
        if draft.revision != revision {
            return Err(AppError::DraftMoved);
        }
        check_reason(reason)?;
        if is_blank(reason) {
            self.ensure_no_reason_is_needed(messenger, user_id)?;
        }
        let event =
            |version, changes| Event::MappingPublished { version, reason: reason.to_owned(), changes };
        let now = self.now();
        let also = |tx: &mut Tx<'_>, id: &MessengerId| {
            compare::forget(tx, id, user_id, now)?;
            // A draft without changes is not stored.
            if revision <= 0 || drafts::delete(tx, id, user_id, revision)? {
                return Ok(());
            }
            Err(AppError::DraftMoved)
        };
        let publication = Publication { messenger, text: &draft.text, base: Some(draft.base), reason };
        let (version, _) = self.publish(&publication, caller, event, also)?;
        Ok(version)
    }

    fn ensure_no_reason_is_needed(&self, messenger: &MessengerId, user_id: &UserId) -> Result<(), AppError> {
        let needed = match self.comparison(messenger, user_id)? {
            Some(comparison) if comparison.state == JobState::Done && !comparison.is_current => {
                "Users have changed since the last check of who changes. Check again, or give a reason."
                    .to_owned()
            }
            Some(comparison) if comparison.state == JobState::Done => match comparison.effect.newly_refused()
            {
                0 => return Ok(()),
                1 => "1 user would no longer get a token. Give a reason.".to_owned(),
                count => format!("{count} users would no longer get a token. Give a reason."),
            },
            _ => {
                "It is not known yet who changes. Wait for the check to finish, or give a reason.".to_owned()
            }
        };
        Err(AppError::ReasonNeeded(needed))
    }

    /// Rules for the attributes that no rule of a draft reads, if their names and the values of the
    /// first users suggest one.
    pub fn starters(&self, draft: &Tree) -> Result<Vec<Rule>, AppError> {
        let (definitions, sampled) = self
            .store()
            .snapshot(|db| Ok::<_, AppError>((attributes::all(db)?, users::page(db, None, SAMPLED)?)))?;
        let samples = definitions.iter().map(|(name, definition)| StarterSample {
            name: name.to_owned(),
            kind: definition.kind,
            values: sampled.iter().flat_map(|user| texts(user, name)).collect(),
        });
        Ok(starters(draft, &samples.collect::<Vec<_>>()))
    }

    /// What a preset puts into a draft: the rules that every site can start with.
    pub fn preset(&self, preset: Preset) -> String {
        match preset {
            Preset::OnDemand => STARTER.to_owned(),
            Preset::Upfront => {
                // The token names the person; what the other rules give is kept in Deskpro through its API.
                let mut tree = Tree::read(STARTER).unwrap_or_default();
                tree.token = Token::Id;
                tree.rules.push(Rule::of_attribute("deskpro_id", "deskpro_id").into());
                tree.write()
            }
        }
    }
}

/// The values of an attribute as strings: for a list, its items.
fn texts(user: &User, name: &str) -> Vec<String> {
    match user.attributes.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
        Some(value) => value.as_text().into_iter().collect(),
        None => Vec::new(),
    }
}

/// The revision after another: for a draft that is stored for the first time, a random one.
fn next_revision(before: i64) -> i64 {
    if before > 0 {
        return before.saturating_add(1);
    }
    // JavaScript can represent whole numbers of up to 53 bits.
    i64::from_be_bytes(clock::random()) & ((1 << 52) - 1) | 1
}

fn unchanged(published: Option<Version>) -> Draft {
    let (base, text, updated_at) = match published {
        Some(version) => (version.number, version.text, version.created_at),
        None => (0, STARTER.to_owned(), 0),
    };
    Draft { text, base, revision: -base, updated_at, did: String::new(), undo: String::new() }
}
