//! Which user each row of a file means, decided by the state after the whole file: a login or an address
//! that one row gives up is free for another. As little as possible is stored about a row.

use std::collections::{BTreeSet, HashSet};

use super::digests::Digests;
use crate::core::incoming::{Candidates, Decision, Incoming, Whom};
use crate::core::user::Role;

/// The maximum number of rows that move keys between users: they are written in one transaction.
pub const MOST_MOVERS: usize = 2_000;

/// Rows are numbered from 1.
type Row = u32;

/// What a row does to the login and address of the user it means.
#[derive(Clone, Copy)]
struct Settles {
    row: Row,
    gives_login: bool,
    gives_address: bool,
}

/// Which keys the columns of a file give.
#[derive(Clone, Copy)]
pub struct Columns {
    /// Rows may have external ids.
    pub has_external_id: bool,
    /// The user of each row gets the address of the row, or no address.
    pub has_address: bool,
}

/// The users that rows mean, while a file is read.
#[derive(Default)]
pub struct People {
    /// The users whom a row means for sure, by the digest of their ids.
    settled: Digests<Settles>,
    /// Rows without an external id, with the user who has their login.
    by_login: Vec<(u64, Settles)>,
    /// Rows that must be decided again when all rows are known.
    open: HashSet<Row>,
    /// The user that each row means, for rows that mean one.
    meant: Digests<Row>,
    /// Rows that are not written.
    left_out: HashSet<Row>,
    /// Rows that take a key from another row's user, and those rows.
    pub movers: BTreeSet<usize>,
}

impl People {
    /// Records a row. Returns whether its decision is already final.
    pub fn first(&mut self, row: usize, record: &Incoming, found: &Candidates, file: Columns) -> bool {
        let row = Row::try_from(row).unwrap_or(Row::MAX);
        let settles = Settles { row, gives_login: record.login.is_some(), gives_address: file.has_address };
        let id = |found: &Option<crate::core::incoming::Found>| found.as_ref().map(|it| it.user.id.clone());
        let (x, l, a) = (id(&found.by_external_id), id(&found.by_login), id(&found.by_address));
        // A row about an admin, or about an account that is gone, is not written and gives nothing up.
        let own = found.by_external_id.as_ref().or(found.by_login.as_ref());
        if own.is_some_and(|own| own.user.role == Role::Admin || own.user.gone_at.is_some()) {
            return true;
        }
        if let Some(x) = x {
            *self.settled.get_or_insert(self.settled.digest(&x), settles) = settles;
            let is_plain = l.is_none_or(|l| l == x) && a.is_none_or(|a| a == x);
            if !is_plain {
                self.open.insert(row);
            }
            return is_plain;
        }
        if record.external_id.is_none()
            && let Some(l) = l
        {
            let digest = self.settled.digest(&l);
            if !file.has_external_id && a.is_none_or(|a| a == l) {
                // No row has a stronger key.
                *self.settled.get_or_insert(digest, settles) = settles;
                return true;
            }
            self.by_login.push((digest, settles));
            // Whether another row means this user is known only at the end.
            self.open.insert(row);
            return false;
        }
        let is_plain = l.is_none() && a.is_none();
        if !is_plain {
            self.open.insert(row);
        }
        is_plain
    }

    /// Call this after all rows were seen once: users found by login are settled after those found by
    /// external id.
    pub fn settle(&mut self) {
        for (user, settles) in std::mem::take(&mut self.by_login) {
            self.settled.get_or_insert(user, settles);
        }
    }

    /// Whether a row must be decided again.
    pub fn is_open(&self, row: usize) -> bool {
        Row::try_from(row).is_ok_and(|row| self.open.contains(&row))
    }

    /// Whether any row must be decided again.
    pub fn is_any_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Decides a row when all rows are known: a key that another row gives up belongs to no user.
    pub fn decide(&mut self, row: usize, record: &Incoming, mut found: Candidates) -> Decision {
        let own = found.by_external_id.as_ref().map(|found| found.user.id.clone());
        let mut moves = Vec::new();
        if let Some(l) = &found.by_login
            && own.as_ref() != Some(&l.user.id)
            && let Some(other) = self.settled.get(self.settled.digest(&l.user.id))
            && other.row as usize != row
            && !self.left_out.contains(&other.row)
            && other.gives_login
        {
            moves.push(other.row as usize);
            found.by_login = None;
        }
        let login = found.by_login.as_ref().map(|found| found.user.id.clone());
        if let Some(a) = &found.by_address
            && own.as_ref() != Some(&a.user.id)
            && (record.external_id.is_some() || login.as_ref() != Some(&a.user.id))
            && let Some(other) = self.settled.get(self.settled.digest(&a.user.id))
            && other.row as usize != row
            && !self.left_out.contains(&other.row)
            && other.gives_address
        {
            moves.push(other.row as usize);
            found.by_address = None;
        }
        let decision = found.decide(record);
        if !matches!(decision.whom, Whom::Refused(_)) && !moves.is_empty() {
            self.movers.insert(row);
            self.movers.extend(moves);
        }
        decision
    }

    /// Leaves a row out: the keys that it would give up are not free, and it means no user.
    pub fn leave_out(&mut self, row: usize) {
        let row = Row::try_from(row).unwrap_or(Row::MAX);
        self.left_out.insert(row);
        self.open.remove(&row);
    }

    /// How many rows are not written so far.
    pub fn count_left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Records which user a row means. Returns the earlier row that means the same user, if there is one.
    pub fn note(&mut self, row: usize, whom: &Whom) -> Option<usize> {
        let (Whom::Update(id) | Whom::Adopt(id)) = whom else { return None };
        let row = Row::try_from(row).unwrap_or(Row::MAX);
        let known = self.meant.get_or_insert(self.meant.digest(id), row);
        if self.left_out.contains(known) {
            *known = row;
        }
        let known = *known;
        (known != row).then_some(known as usize)
    }
}
