//! A run over all users of a desk: page by page, from where it was when it was interrupted, and at its end once more the
//! users who had to wait for others. What is due in between is a run over a few users.

use std::collections::{BTreeMap, HashSet};

use super::batch::{Batch, Lost};
use super::one::Sender;
use super::talk::Halt;
use crate::core::id::UserId;
use crate::core::person;
use crate::core::sync::{Conflict, Counts, PersonState, RunKind, is_wrong_helpdesk};
use crate::deskpro::{Client, Error, Person, PersonId};
use crate::store::people::LOOK_AGAIN;
use crate::store::runs::{self, Run};
use crate::store::{people, users};

use super::batch::Item;
use super::plan::Note;

/// How many users are compared before the run's place is stored.
pub(super) const PAGE: i64 = 200;
/// How often users are tried again, at the end of a run, for whom several tries failed.
const ROUNDS: usize = 3;

/// A run of one desk, on the server that has it.
pub(super) struct Runner<'a> {
    pub sender: Sender<'a>,
    /// Whether people who are missing are created again, however many they are.
    pub anyway: bool,
}

impl Runner<'_> {
    /// Does all that is left of a run.
    pub fn run(&mut self, run: &mut Run) -> Result<(), Halt> {
        // A key that was refused, or a helpdesk that is away, is noticed with one request.
        // What else fails may succeed with the first user.
        if let Err(Error::NotFound(words)) = self.sender.talk.ask(Client::me)? {
            return Err(Halt::NotDeskpro(words));
        }
        self.sender.shared = Some(self.sender.shared_addresses()?);
        self.sender.replaces_missing = false;
        loop {
            let after = run.cursor.clone();
            let users = self.sender.app.store().read(|db| users::page(db, after.as_ref(), PAGE))?;
            let Some(last) = users.last().map(|user| user.id.clone()) else { break };
            let mut items = self.sender.items(users, false)?;
            if run.kind == RunKind::Verify {
                self.compare(&mut items)?;
            }
            while !items.is_empty() {
                let rest = items.split_off(self.at_once(items.len()));
                let batch = self.sender.batch(std::mem::replace(&mut items, rest))?;
                run.counts.add(&batch.counts);
                // Before the end, few users were compared, and 5 % of all may still come.
                let of = if run.counts.compared < run.total { run.total } else { run.counts.compared };
                if !self.anyway && is_wrong_helpdesk(run.counts.missing, of) {
                    self.keep(run)?;
                    return Err(Halt::WrongHelpdesk);
                }
                let done = self.those_who_wait()?;
                // They were just compared, and what is known of them has changed.
                let all = items.len();
                items.retain(|item| !done.contains(&item.user.id));
                run.counts.compared += i64::try_from(all - items.len()).unwrap_or_default();
            }
            run.cursor = Some(last);
            self.keep(run)?;
        }
        if !self.anyway && is_wrong_helpdesk(run.counts.missing, run.counts.compared) {
            return Err(Halt::WrongHelpdesk);
        }
        self.sender.replaces_missing = true;
        self.repeat(run, PersonState::Failed, ROUNDS)?;
        self.repeat(run, PersonState::Missing, 1)?;
        self.repeat(run, PersonState::Waiting, ROUNDS)?;
        self.repeat(run, PersonState::Missing, 1)?;
        run.counts.conflicts += self.settle_waiting(None)?;
        self.sender.refresh_names()?;
        self.keep(run)
    }

    /// How many users are sent before those are looked at who are due: with a budget, few, because it may take long.
    fn at_once(&self, all: usize) -> usize {
        let settings = &self.sender.desk.settings;
        if settings.budget == [None; 3] { all } else { settings.at_once.min(all) }
    }

    /// Users whose page waits, or who changed, do not wait for the end of the run. Returns who they were.
    fn those_who_wait(&mut self) -> Result<Vec<UserId>, Halt> {
        let desk = &self.sender.desk.id;
        let due = self.sender.app.store().read(|db| people::due(db, desk, PAGE))?;
        if !due.is_empty() {
            self.some(&due)?;
            self.sender.replaces_missing = false;
        }
        Ok(due)
    }

    /// Compares the people of a page with what Deskpro has. Who differs is sent again.
    fn compare(&self, items: &mut [Item]) -> Result<(), Halt> {
        let person_of =
            |item: &Item| item.row.deskpro_id.as_ref().and_then(|id| id.parse().ok()).map(PersonId);
        let ids: Vec<PersonId> = items.iter().filter_map(person_of).collect();
        let found = self.sender.talk.ask(|client| client.people(&ids))?;
        let found = found.map_err(|error| Halt::Unanswered(error.to_string()))?;
        for item in items {
            let Some(id) = person_of(item) else {
                // What was refused may be accepted by now.
                item.anyway = matches!(item.row.state, PersonState::Refused | PersonState::Conflict);
                continue;
            };
            let person = found.iter().find(|person| person.id == id);
            item.anyway = !person.is_some_and(|person| self.is_as_described(item, person));
            // The person may have become an agent, or be deleted: whether it is still the user is judged again.
            item.is_judged_again = !person
                .is_some_and(|person| person.is_agent == Some(false) && person.is_deleted == Some(false));
        }
        Ok(())
    }

    fn is_as_described(&self, item: &Item, person: &Person) -> bool {
        if item.user.disabled {
            return true;
        }
        let described = self.sender.issuer.describe(&item.user);
        person.is_agent == Some(false)
            && person.is_deleted == Some(false)
            && person::differences(&person::input(&described.person), &person.all).is_empty()
    }

    /// Tries users in a state again, as long as that changes something and at most `rounds` times.
    fn repeat(&self, run: &mut Run, state: PersonState, rounds: usize) -> Result<(), Halt> {
        for _ in 0..rounds {
            let (mut after, mut is_any, mut is_better) = (None::<UserId>, false, false);
            loop {
                let rows = self.in_state(state, after.as_ref())?;
                let Some(last) = rows.last().cloned() else { break };
                let asked = i64::try_from(rows.len()).unwrap_or_default();
                let items = self.sender.items_of(&rows, true)?;
                let batch = self.sender.batch(items)?;
                let left = self.still_in(state, &rows)?;
                is_any |= left > 0;
                is_better |= left < asked;
                // They were counted as compared before, and as failed.
                let counts = Counts { compared: 0, ..batch.counts };
                run.counts.add(&counts);
                if state == PersonState::Failed {
                    run.counts.failed -= asked;
                }
                self.keep(run)?;
                after = Some(last);
            }
            // Chance may be against the same user twice.
            if !is_any || !is_better && state != PersonState::Failed {
                return Ok(());
            }
        }
        Ok(())
    }

    fn in_state(&self, state: PersonState, after: Option<&UserId>) -> Result<Vec<UserId>, Halt> {
        let desk = &self.sender.desk.id;
        let rows = self.sender.app.store().read(|db| people::in_state(db, desk, state, after, PAGE))?;
        Ok(rows.into_iter().map(|row| row.user_id).collect())
    }

    fn still_in(&self, state: PersonState, users: &[UserId]) -> Result<i64, Halt> {
        let desk = &self.sender.desk.id;
        let rows = self.sender.app.store().read(|db| people::of(db, desk, users))?;
        Ok(rows.values().filter(|row| row.state == state).count().try_into().unwrap_or_default())
    }

    /// Users who wait for each other, of some or of all, have exchanged their addresses: that is a conflict, and is not
    /// forced. Returns how many.
    fn settle_waiting(&self, of: Option<&[UserId]>) -> Result<i64, Halt> {
        let (desk, mut after, mut settled) = (&self.sender.desk.id, None::<UserId>, 0);
        loop {
            let store = self.sender.app.store();
            let mut rows =
                store.read(|db| people::in_state(db, desk, PersonState::Waiting, after.as_ref(), PAGE))?;
            let Some(last) = rows.last().map(|row| row.user_id.clone()) else { return Ok(settled) };
            rows.retain(|row| of.is_none_or(|of| of.contains(&row.user_id)));
            let holders: Vec<&UserId> = rows.iter().filter_map(|row| row.waits_for.as_ref()).collect();
            let logins = store.read(|db| users::logins(db, &holders))?;
            for mut row in rows {
                let login = row.waits_for.as_ref().and_then(|id| logins.get(id)).cloned().unwrap_or_default();
                let note = Note::conflict(&Conflict::Swap { login });
                (row.state, row.code, row.words) = (note.state, note.code, note.words);
                settled += 1;
                self.sender.settle(row)?;
            }
            after = Some(last);
        }
    }

    fn keep(&self, run: &mut Run) -> Result<(), Halt> {
        let now = self.sender.app.now();
        run.moved_at = self.sender.app.now_for_all()?;
        self.sender.app.store().write(now, |tx| {
            self.sender.ensure_ours(tx)?;
            Ok::<_, Lost>(runs::update(tx, run)?)
        })?;
        Ok(())
    }

    /// Some users who are due: and those for whom they wait.
    pub fn some(&mut self, ids: &[UserId]) -> Result<Counts, Halt> {
        let items = self.sender.items_of(ids, false)?;
        self.begin_with(items, 0)
    }

    /// Some users whose people Deskpro named: they are compared with what Deskpro has. Returns who is to be looked at again,
    /// and when: Deskpro may store something else than it is told, and tells us of each of our own changes. Sending it
    /// again each time would never end.
    pub fn look(&mut self, ids: &[UserId]) -> Result<BTreeMap<UserId, i64>, Halt> {
        let mut items = self.sender.items_of(ids, false)?;
        self.compare(&mut items)?;
        let (now, own, mut later) = (self.sender.app.now_for_all()?, self.sender.app.now(), BTreeMap::new());
        for item in items.iter_mut().filter(|item| item.anyway && !item.is_judged_again) {
            let row = &item.row;
            let sent_at = row.tried_at.filter(|_| row.state == PersonState::Sent);
            if let Some(at) = sent_at.filter(|at| (*at..at + LOOK_AGAIN).contains(&own)) {
                later.insert(row.user_id.clone(), now + at + LOOK_AGAIN - own);
                // What has changed here since is sent all the same.
                item.anyway = false;
            }
        }
        // They were named because they changed: how many of them are missing says little about the others.
        let others = self.sender.app.store().read(|db| users::count(db))?;
        self.begin_with(items, others)?;
        Ok(later)
    }

    /// `of`: how many users there are, if these are no sample of them.
    fn begin_with(&mut self, items: Vec<Item>, of: i64) -> Result<Counts, Halt> {
        self.sender.replaces_missing = false;
        let first = self.round_of(items)?;
        let mut counts = first.counts;
        if !self.anyway && is_wrong_helpdesk(counts.missing, counts.compared.max(of)) {
            return Err(Halt::WrongHelpdesk);
        }
        self.sender.replaces_missing = true;
        if !first.missing.is_empty() {
            counts.add(&self.one_round(&first.missing)?.counts);
        }
        if !first.waiting.is_empty() {
            let (waiting, holders): (Vec<UserId>, Vec<UserId>) = first.waiting.into_iter().unzip();
            let waits: HashSet<&UserId> = waiting.iter().collect();
            let first_ones: Vec<UserId> = holders.into_iter().filter(|id| !waits.contains(id)).collect();
            counts.add(&self.one_round(&first_ones)?.counts);
            let second = self.one_round(&waiting)?;
            counts.add(&second.counts);
            if !second.waiting.is_empty() {
                let ids: Vec<UserId> = second.waiting.into_iter().map(|(id, _)| id).collect();
                counts.conflicts += self.settle_waiting(Some(&ids))?;
            }
        }
        Ok(counts)
    }

    fn one_round(&mut self, ids: &[UserId]) -> Result<Batch, Halt> {
        let items = self.sender.items_of(ids, false)?;
        self.round_of(items)
    }

    fn round_of(&mut self, items: Vec<Item>) -> Result<Batch, Halt> {
        let is_about_all = |item: &Item| Conflict::ABOUT_ALL.contains(&item.row.code.as_str());
        if self.sender.shared.is_none() && items.iter().any(is_about_all) {
            // Whether the conflict is still there depends on everybody.
            self.sender.shared = Some(self.sender.shared_addresses()?);
        }
        self.sender.batch(items)
    }
}
