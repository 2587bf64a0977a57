//! What is known of users at desks: which person each is, what was sent last, and what came of it. Rows are written
//! only by the server that talks to the desk; everybody may note that a user is due.

use std::collections::{BTreeMap, HashMap};

use super::sql::empty_for_none;
use super::users::Held;
use super::{Error, Row, Sql, Tx, Value, users};
use crate::args;
use crate::core::desk::Known;
use crate::core::id::{DeskId, UserId};
use crate::core::person_event::PersonEvent;
use crate::core::sync::PersonState;

/// A user at a desk. Times in unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// The user.
    pub user_id: UserId,
    /// The person, once it is certain.
    pub deskpro_id: Option<String>,
    /// The digest of what Deskpro accepted last.
    pub digest: Option<String>,
    /// The digest of what was refused last: it is not sent again by itself.
    pub tried: Option<String>,
    /// The ids of the groups that were sent last.
    pub user_groups: Vec<String>,
    /// The address that was sent last, in lowercase.
    pub address: Option<String>,
    /// The one before: Deskpro may have kept it as a further one.
    pub former: Option<String>,
    /// A person may have been created since then, and the answer was not stored.
    pub sending_since: Option<i64>,
    /// How it stands.
    pub state: PersonState,
    /// The reason, stable.
    pub code: String,
    /// Deskpro's words, or what to do.
    pub words: String,
    /// The user who has to give up an address first.
    pub waits_for: Option<UserId>,
    /// When it was last compared or sent.
    pub tried_at: Option<i64>,
    /// About since when somebody needs it.
    pub due_at: Option<i64>,
    /// About since when Deskpro says that the person has changed.
    pub look_at: Option<i64>,
}

impl PersonRow {
    /// A user who was not looked at yet.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            deskpro_id: None,
            digest: None,
            tried: None,
            user_groups: Vec::new(),
            address: None,
            former: None,
            sending_since: None,
            state: PersonState::New,
            code: String::new(),
            words: String::new(),
            waits_for: None,
            tried_at: None,
            due_at: None,
            look_at: None,
        }
    }
}

const COLUMNS: &str = "user_id, deskpro_id, digest, tried, user_groups, sending_since, state, code, words, \
    waits_for, tried_at, due_at, address, former, look_at";

fn read(row: &Row) -> Result<PersonRow, Error> {
    let groups = row.str(4)?.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    Ok(PersonRow {
        user_id: row.text_as(0)?,
        deskpro_id: row.opt_text(1)?,
        digest: row.unless_empty(2)?,
        tried: row.unless_empty(3)?,
        user_groups: groups,
        sending_since: row.opt_int(5)?,
        state: PersonState::parse(row.str(6)?),
        code: row.text(7)?,
        words: row.text(8)?,
        waits_for: row.unless_empty(9)?,
        tried_at: row.opt_int(10)?,
        due_at: row.opt_int(11)?,
        address: row.unless_empty(12)?,
        former: row.unless_empty(13)?,
        look_at: row.opt_int(14)?,
    })
}

/// The rows of some users at a desk.
pub fn of(db: &mut dyn Sql, desk: &DeskId, users: &[UserId]) -> Result<HashMap<UserId, PersonRow>, Error> {
    let mut found = HashMap::new();
    for users in users.chunks(200) {
        let places: Vec<String> = (2..users.len() + 2).map(|n| format!("${n}")).collect();
        let args: Vec<Value> = std::iter::once(desk.into()).chain(users.iter().map(Value::from)).collect();
        let sql =
            format!("SELECT {COLUMNS} FROM people WHERE desk = $1 AND user_id IN ({})", places.join(", "));
        for row in db.query(&sql, &args)? {
            let row = read(&row)?;
            found.insert(row.user_id.clone(), row);
        }
    }
    Ok(found)
}

/// The row of one user at a desk.
pub fn one(db: &mut dyn Sql, desk: &DeskId, user: &UserId) -> Result<Option<PersonRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE desk = $1 AND user_id = $2");
    db.query_one(&sql, args![desk, user])?.as_ref().map(read).transpose()
}

/// A user who has a person at a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user_id: UserId,
    /// The user's login.
    pub login: String,
    /// Whether the account is gone: then somebody else may have the person.
    pub is_gone: bool,
}

/// The user who has a person at a desk.
pub fn holder(db: &mut dyn Sql, desk: &DeskId, deskpro_id: &str) -> Result<Option<Holder>, Error> {
    let sql = "SELECT p.user_id, u.login, u.gone_at FROM people p JOIN users u ON u.id = p.user_id
        WHERE p.desk = $1 AND p.deskpro_id = $2";
    db.query_one(sql, args![desk, deskpro_id])?.as_ref().map(read_holder).transpose()
}

/// Another user whose person was sent with an address.
pub fn with_address(
    db: &mut dyn Sql,
    desk: &DeskId,
    address: &str,
    user: &UserId,
) -> Result<Option<Holder>, Error> {
    let sql = "SELECT p.user_id, u.login, u.gone_at FROM people p JOIN users u ON u.id = p.user_id
        WHERE p.desk = $1 AND p.address = $2 AND p.user_id <> $3 LIMIT 1";
    db.query_one(sql, args![desk, address, user])?.as_ref().map(read_holder).transpose()
}

fn read_holder(row: &Row) -> Result<Holder, Error> {
    Ok(Holder { user_id: row.text_as(0)?, login: row.text(1)?, is_gone: row.opt_int(2)?.is_some() })
}

/// Another user who had an address before, and has a person: Deskpro may have kept it there.
pub fn with_former(
    db: &mut dyn Sql,
    desk: &DeskId,
    address: &str,
    user: &UserId,
) -> Result<Option<PersonRow>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM people WHERE desk = $1 AND former = $2 AND user_id <> $3
         AND deskpro_id IS NOT NULL ORDER BY tried_at DESC LIMIT 1"
    );
    db.query_one(&sql, args![desk, address, user])?.as_ref().map(read).transpose()
}

/// Writes that a person is a user's, before anything else is known. `Conflict` if another user has it.
pub fn reserve(tx: &mut Tx<'_>, desk: &DeskId, user: &UserId, deskpro_id: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO people (desk, user_id, deskpro_id, state) VALUES ($1, $2, $3, $4)
         ON CONFLICT (desk, user_id) DO UPDATE SET deskpro_id = $3",
        args![desk, user, deskpro_id, PersonState::New.as_str()],
    )?;
    Ok(())
}

/// Notes that persons may be created now for users, before that is tried.
pub fn mark_sending(tx: &mut Tx<'_>, desk: &DeskId, users: &[UserId], now: i64) -> Result<(), Error> {
    let rows: Vec<Vec<Value>> =
        users.iter().map(|user| args![desk, user, now, PersonState::New.as_str()].to_vec()).collect();
    tx.insert_all(
        "INSERT INTO people (desk, user_id, sending_since, state)",
        "ON CONFLICT (desk, user_id) DO UPDATE SET sending_since = excluded.sending_since",
        &rows,
    )?;
    Ok(())
}

/// Writes the row of a user who is held, and the user's copy of it. A user who became due again after the row was read
/// stays due.
/// Returns whether tokens of the user change.
pub fn put(
    tx: &mut Tx<'_>,
    desk: &DeskId,
    user: &mut Held<'_>,
    row: &PersonRow,
    known: Known<'_>,
) -> Result<bool, Error> {
    tx.execute(
        "INSERT INTO people (desk, user_id, deskpro_id, digest, tried, user_groups, sending_since, state, code, words,
         waits_for, tried_at, address, former) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14, $15)
         ON CONFLICT (desk, user_id) DO UPDATE SET deskpro_id = $3, digest = $4, tried = $5, user_groups = $6,
         sending_since = $7, state = $8, code = $9, words = $10, waits_for = $11, tried_at = $12,
         address = $14, former = $15,
         due_at = CASE WHEN people.due_at = $13 AND $8 NOT IN ('waiting', 'missing') THEN NULL
         ELSE people.due_at END",
        args![
            desk,
            &row.user_id,
            row.deskpro_id.as_ref(),
            empty_for_none(row.digest.as_ref()),
            empty_for_none(row.tried.as_ref()),
            row.user_groups.join(","),
            row.sending_since,
            row.state.as_str(),
            &row.code,
            &row.words,
            empty_for_none(row.waits_for.as_ref()),
            row.tried_at,
            row.due_at,
            empty_for_none(row.address.as_ref()),
            empty_for_none(row.former.as_ref())
        ],
    )?;
    let persons = user.persons.with(desk, known);
    users::set_persons(tx, user, &persons)
}

/// Takes the person of a user whose account is gone, so that another user can have it.
pub fn give_up(tx: &mut Tx<'_>, desk: &DeskId, user: &mut Held<'_>) -> Result<(), Error> {
    tx.execute(
        "UPDATE people SET deskpro_id = NULL, digest = '' WHERE desk = $1 AND user_id = $2",
        args![desk, &user.id],
    )?;
    let persons = user.persons.with(desk, Known::Nothing);
    users::set_persons(tx, user, &persons).map(|_| ())
}

/// Notes since when somebody needs users. For one who is due already, the time changes a little, so that whoever is
/// sending the user notices it.
pub fn mark_due(tx: &mut Tx<'_>, desk: &DeskId, users: &[UserId], now: i64) -> Result<(), Error> {
    let rows: Vec<Vec<Value>> =
        users.iter().map(|user| args![desk, user, now, PersonState::New.as_str()].to_vec()).collect();
    tx.insert_all(
        "INSERT INTO people (desk, user_id, due_at, state)",
        "ON CONFLICT (desk, user_id) DO UPDATE SET due_at = COALESCE(people.due_at + 1, excluded.due_at)",
        &rows,
    )?;
    Ok(())
}

/// A person that was just written is looked at again after this long, in seconds, if it still is not as it was written.
pub const LOOK_AGAIN: i64 = 3_600;

/// Notes that the people whom Deskpro named are to be looked at. For somebody who is to be looked at already, the time changes a
/// little, so that a look that is under way notices it; a look that was put off comes now. Returns how many users that are.
pub fn mark_look(tx: &mut Tx<'_>, desk: &DeskId, event: &PersonEvent, now: i64) -> Result<u64, Error> {
    let ids = event.ids.iter().map(ToString::to_string);
    let named =
        ids.map(|id| ("deskpro_id", id)).chain(event.addresses.iter().map(|it| ("address", it.clone())));
    let mut count = 0;
    for (column, value) in named {
        let sql = format!(
            "UPDATE people SET look_at = CASE WHEN look_at < $3 THEN look_at + 1 ELSE $3 END
             WHERE desk = $1 AND {column} = $2"
        );
        count += tx.execute(&sql, args![desk, value, now])?;
    }
    Ok(count)
}

/// Users whose people are to be looked at by `now`, with since when; those who wait longest first.
pub fn to_look_at(
    db: &mut dyn Sql,
    desk: &DeskId,
    now: i64,
    limit: i64,
) -> Result<Vec<(UserId, i64)>, Error> {
    let sql = "SELECT user_id, look_at FROM people WHERE desk = $1 AND look_at <= $2
        ORDER BY look_at, user_id LIMIT $3";
    db.query(sql, args![desk, now, limit])?.iter().map(|row| Ok((row.text_as(0)?, row.int(1)?))).collect()
}

/// Notes that people were looked at, or when the next look at them is. One that Deskpro named again meanwhile is looked at
/// again.
pub fn looked_at(
    db: &mut dyn Sql,
    desk: &DeskId,
    looks: &[(UserId, i64)],
    later: &BTreeMap<UserId, i64>,
) -> Result<(), Error> {
    for (user, at) in looks {
        let sql = "UPDATE people SET look_at = $4 WHERE desk = $1 AND user_id = $2 AND look_at = $3";
        db.execute(sql, args![desk, user, *at, later.get(user).copied()])?;
    }
    Ok(())
}

/// Makes all users in some states due, as if they had never been refused. Returns how many.
pub fn retry(tx: &mut Tx<'_>, desk: &DeskId, states: &[PersonState], now: i64) -> Result<u64, Error> {
    let words: Vec<String> = states.iter().map(|state| format!("'{}'", state.as_str())).collect();
    let sql = format!(
        "UPDATE people SET tried = '', due_at = $2 WHERE desk = $1 AND state IN ({})",
        words.join(", ")
    );
    tx.execute(&sql, args![desk, now])
}

/// Forgets what was refused, so that it is sent again.
pub fn forget_refusal(tx: &mut Tx<'_>, desk: &DeskId, user: &UserId) -> Result<(), Error> {
    tx.execute("UPDATE people SET tried = '' WHERE desk = $1 AND user_id = $2", args![desk, user])?;
    Ok(())
}

/// Users who are due, those who wait longest first.
pub fn due(db: &mut dyn Sql, desk: &DeskId, limit: i64) -> Result<Vec<UserId>, Error> {
    let sql =
        "SELECT user_id FROM people WHERE desk = $1 AND due_at IS NOT NULL ORDER BY due_at, user_id LIMIT $2";
    db.query(sql, args![desk, limit])?.iter().map(|row| row.text_as(0)).collect()
}

/// How many users are due.
pub fn count_due(db: &mut dyn Sql, desk: &DeskId) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM people WHERE desk = $1 AND due_at IS NOT NULL";
    db.query_one(sql, args![desk])?.map_or(Ok(0), |row| row.int(0))
}

/// How many users are in each state.
pub fn states(db: &mut dyn Sql, desk: &DeskId) -> Result<Vec<(PersonState, i64)>, Error> {
    db.query("SELECT state, COUNT(*) FROM people WHERE desk = $1 GROUP BY state ORDER BY state", args![desk])?
        .iter()
        .map(|row| Ok((PersonState::parse(row.str(0)?), row.int(1)?)))
        .collect()
}

/// Users in a state, by id, after one of them.
pub fn in_state(
    db: &mut dyn Sql,
    desk: &DeskId,
    state: PersonState,
    after: Option<&UserId>,
    limit: i64,
) -> Result<Vec<PersonRow>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM people WHERE desk = $1 AND state = $2 AND user_id > $3 ORDER BY user_id LIMIT $4"
    );
    db.query(&sql, args![desk, state.as_str(), empty_for_none(after), limit])?.iter().map(read).collect()
}

/// Sets times in the future to now, because the clock was set back. `shared`: the moment by the clock that all servers share.
pub fn pull_back(db: &mut dyn Sql, now: i64, shared: i64) -> Result<u64, Error> {
    let due = db.execute("UPDATE people SET due_at = $1 WHERE due_at > $1", args![now])?
        + db.execute(
            "UPDATE people SET look_at = $1 WHERE look_at > $2",
            args![shared, shared + LOOK_AGAIN],
        )?;
    Ok(due + db.execute("UPDATE people SET tried_at = $1 WHERE tried_at > $1", args![now])?)
}

/// Whether a time is after a given one.
pub fn is_any_after(db: &mut dyn Sql, moment: i64) -> Result<bool, Error> {
    Ok(db.query_one("SELECT user_id FROM people WHERE due_at > $1 LIMIT 1", args![moment])?.is_some())
}
