//! What receivers of alerts were told.

use super::{Error, Row, Sql, Tx};
use crate::args;
use crate::core::alert::{Kind, Told};
use crate::core::id::DeskId;

fn read(row: &Row) -> Result<Told, Error> {
    Ok(Told {
        is_raised: row.flag(0)?,
        raised_at: row.opt_int(1)?,
        number: row.int(2)?,
        busy_until: row.opt_int(3)?,
        problem: row.text(4)?,
    })
}

/// What was told about one kind of problem of a desk.
pub fn of(db: &mut dyn Sql, desk: &DeskId, kind: Kind) -> Result<Told, Error> {
    let sql =
        "SELECT is_raised, raised_at, number, busy_until, problem FROM alerts WHERE desk = $1 AND kind = $2";
    db.query_one(sql, args![desk, kind.as_str()])?.as_ref().map_or_else(|| Ok(Told::default()), read)
}

/// Stores it.
pub fn put(tx: &mut Tx<'_>, desk: &DeskId, kind: Kind, told: &Told) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO alerts (desk, kind, is_raised, raised_at, number, busy_until, problem)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (desk, kind) DO UPDATE SET is_raised = $3, raised_at = $4, number = $5, busy_until = $6, problem = $7",
        args![
            desk,
            kind.as_str(),
            told.is_raised,
            told.raised_at,
            told.number,
            told.busy_until,
            &told.problem
        ],
    )?;
    Ok(())
}

/// Forgets what the receiver of a desk was told.
pub fn forget(tx: &mut Tx<'_>, desk: &DeskId) -> Result<(), Error> {
    tx.execute("DELETE FROM alerts WHERE desk = $1", args![desk])?;
    Ok(())
}
