//! A mapping as it is stored: published, or while an admin edits it.

/// A published mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 for the first.
    pub number: i64,
    /// The mapping as it was written.
    pub text: String,
    /// Who published it: the actor of the audit log.
    pub author: String,
    /// The reason; may be empty.
    pub reason: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// A mapping that is being edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The mapping, valid or not.
    pub text: String,
    /// The version that it started from; 0 if none was published.
    pub base: i64,
    /// It starts at a random number and grows with every change, so that a later draft never has the same
    /// number. For a draft without changes, which is not stored yet, it is the negated `base`.
    pub revision: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The last change, in words; empty if there is nothing to undo.
    pub did: String,
    /// The draft before the last change.
    pub undo: String,
}
