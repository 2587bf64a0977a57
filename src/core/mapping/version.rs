//! A mapping as it is kept: published, or while an admin edits it.

/// A published mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 for the first.
    pub number: i64,
    /// The mapping as it was written.
    pub text: String,
    /// Who published it: the actor of the audit.
    pub author: String,
    /// Why; may be empty.
    pub reason: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// A mapping that is being edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The mapping, right or wrong.
    pub text: String,
    /// The version it was begun from; 0 where none was published.
    pub base: i64,
    /// Grows with every change from a random number on, so that none comes back with a later draft.
    /// Of one that was not changed yet and is not stored, `base` below zero.
    pub revision: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// What the last change was, in words; empty where there is nothing to undo.
    pub did: String,
    /// The text before the last change.
    pub undo: String,
}
