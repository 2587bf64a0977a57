//! Values and parameters: what goes in comes out, and sorts by its bytes.

use countersign::args;
use countersign::store::{Error, Row, Sql as _, Value};
use rstest_reuse::apply;

use super::{Storage, every_storage};

const TABLE: &str = "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, n BIGINT, t TEXT)";
const INSERT: &str = "INSERT INTO things (id, n, t) VALUES ($1, $2, $3)";

fn with_things(storage: &Storage) {
    storage.write(|db| db.batch(TABLE));
}

#[apply(every_storage)]
fn texts_come_back_as_they_were_written(storage: &Storage) {
    with_things(storage);
    let long = "Ein langer Text \u{1f426}, ".repeat(50_000);
    let texts = [
        "",
        " ",
        "plain",
        "Größe",
        "Žižkov",
        "שלום",
        "日本語",
        "👩‍👩‍👧‍👦",
        "e\u{301}",
        "\u{e9}",
        "\u{feff}bom",
        "it's \"quoted\"",
        "back\\slash\\",
        "$1 and $2",
        "%_%",
        "; DROP TABLE things; --",
        "a\r\nb\tc",
        "\u{7f}\u{1}",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "0",
        "NULL",
        long.as_str(),
    ];
    for (id, text) in (0..).zip(texts) {
        storage.write(|db| db.execute(INSERT, args![id, None::<i64>, text]));
        let found = storage.rows("SELECT t FROM things WHERE id = $1", args![id]);
        assert_eq!(found, [Row::from(vec![text.into()])], "{text:.40?}");
        let by_value = storage.rows("SELECT id FROM things WHERE t = $1", args![text]);
        assert_eq!(by_value, [Row::from(vec![id.into()])], "{text:.40?}");
    }
}

#[apply(every_storage)]
fn numbers_come_back_up_to_both_ends_of_64_bits(storage: &Storage) {
    with_things(storage);
    for (id, number) in (0..).zip([0, 1, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1]) {
        storage.write(|db| db.execute(INSERT, args![id, number, None::<&str>]));
        let found = storage.rows("SELECT n, t FROM things WHERE n = $1", args![number]);
        assert_eq!(found, [Row::from(vec![number.into(), Value::Null])]);
    }
}

#[apply(every_storage)]
fn a_number_beyond_64_bits_is_an_error_and_never_nothing(storage: &Storage) {
    with_things(storage);
    storage.write(|db| db.execute(INSERT, args![1, i64::MAX, "t"]));
    let added = storage.store.write(0, |tx| {
        tx.execute("UPDATE things SET n = n + 1", &[])?;
        tx.query("SELECT n FROM things", &[])
    });
    assert!(matches!(added, Err(Error::Failed(_))), "{added:?}");
    assert_eq!(storage.number("SELECT n FROM things"), i64::MAX, "the transaction was undone");
}

#[apply(every_storage)]
fn null_goes_into_numbers_and_texts_and_equals_nothing(storage: &Storage) {
    with_things(storage);
    storage.write(|db| db.execute(INSERT, args![1, None::<i64>, None::<&str>]));
    storage.write(|db| db.execute(INSERT, args![2, 7, "seven"]));
    storage.write(|db| {
        db.execute("UPDATE things SET n = $1, t = $2 WHERE id = $3", args![None::<i64>, None::<&str>, 2])
    });
    let nothing = Row::from(vec![Value::Null, Value::Null]);
    assert_eq!(storage.rows("SELECT n, t FROM things ORDER BY id", &[]), [nothing.clone(), nothing]);
    let equal =
        storage.rows("SELECT id FROM things WHERE n = $1 OR t = $2", args![None::<i64>, None::<&str>]);
    assert!(equal.is_empty());
    assert_eq!(storage.number("SELECT COUNT(*) FROM things WHERE n IS NULL AND t IS NULL"), 2);
}

#[apply(every_storage)]
fn an_empty_text_is_not_null(storage: &Storage) {
    with_things(storage);
    storage.write(|db| db.execute(INSERT, args![1, 0, ""]));
    assert_eq!(storage.rows("SELECT n, t FROM things", &[]), [Row::from(args![0, ""].to_vec())]);
    assert_eq!(storage.number("SELECT COUNT(*) FROM things WHERE t IS NULL"), 0);
}

#[apply(every_storage)]
fn parameters_stand_twice_and_in_any_order(storage: &Storage) {
    with_things(storage);
    storage
        .write(|db| db.execute("INSERT INTO things (t, n, id) VALUES ($3, $2, $1)", args![1, 20, "three"]));
    storage.write(|db| db.execute("INSERT INTO things (t, n, id) VALUES ($1, $2, $2)", args!["x", 5]));
    assert_eq!(
        storage.rows("SELECT id, n, t FROM things ORDER BY id", &[]),
        [Row::from(args![1, 20, "three"].to_vec()), Row::from(args![5, 5, "x"].to_vec())]
    );
    let found = storage.rows("SELECT id FROM things WHERE t = $2 AND (n = $1 OR id = $1)", args![5, "x"]);
    assert_eq!(found, [Row::from(args![5].to_vec())]);
}

#[apply(every_storage)]
fn more_than_nine_parameters_keep_their_places(storage: &Storage) {
    let sum = storage.rows(
            "SELECT CAST($11 AS TEXT), CAST($1 AS BIGINT), CAST($10 AS BIGINT) WHERE $2 = 2 AND $3 = 3 AND $4 = 4 AND $5 = 5 AND $6 = 6 AND $7 = 7 AND $8 = 8 AND $9 = 9",
            args![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "eleven"],
        );
    assert_eq!(sum, [Row::from(args!["eleven", 1, 10].to_vec())]);
}

#[apply(every_storage)]
fn a_parameter_too_few_is_refused_and_not_taken_for_null(storage: &Storage) {
    with_things(storage);
    let refused = storage.store.write(0, |tx| tx.execute(INSERT, args![1, 2]));
    assert!(matches!(refused, Err(Error::Failed(_))), "{refused:?}");
    assert_eq!(storage.number("SELECT COUNT(*) FROM things"), 0);
}

#[apply(every_storage)]
fn many_rows_are_added_at_once_and_counted(storage: &Storage) {
    with_things(storage);
    let rows: Vec<_> = (0..500)
        .map(|id| args![id, (id % 2 == 0).then_some(id), (id % 3 == 0).then(|| format!("t{id}"))].to_vec())
        .collect();
    assert_eq!(storage.write(|db| db.insert_all("INSERT INTO things (id, n, t)", "", &rows)), 500);
    let found = storage.rows("SELECT id, n, t FROM things ORDER BY id", &[]);
    assert_eq!(found, rows.into_iter().map(Row::from).collect::<Vec<_>>());
    let more = [args![499, 1, "again"].to_vec(), args![500, 1, "new"].to_vec()];
    let or = "ON CONFLICT (id) DO UPDATE SET t = excluded.t";
    assert_eq!(storage.write(|db| db.insert_all("INSERT INTO things (id, n, t)", or, &more)), 2);
    assert_eq!(storage.texts("SELECT t FROM things WHERE id >= 499 ORDER BY id"), ["again", "new"]);
    assert_eq!(storage.write(|db| db.insert_all("INSERT INTO things (id, n, t)", "", &[])), 0);
}

#[apply(every_storage)]
fn a_column_may_be_null_in_every_one_of_many_rows(storage: &Storage) {
    with_things(storage);
    let rows: Vec<_> = (0..3).map(|id| vec![Value::Int(id), Value::Null, Value::Null]).collect();
    assert_eq!(storage.write(|db| db.insert_all("INSERT INTO things (id, n, t)", "", &rows)), 3);
    assert_eq!(storage.number("SELECT COUNT(*) FROM things WHERE n IS NULL AND t IS NULL"), 3);
}

#[apply(every_storage)]
fn texts_sort_by_their_bytes(storage: &Storage) {
    with_things(storage);
    // By UTF-16 the last two would change places, by a language the capitals would.
    let mut texts = [
        "b", "B", "a", "A", "", " ", "-", "_", "10", "9", "ä", "Ä", "az", "á", "e\u{301}", "ß", "日",
        "\u{ffee}", "👍",
    ];
    let rows: Vec<_> = (0..).zip(texts).map(|(id, text)| args![id, None::<i64>, text].to_vec()).collect();
    storage.write(|db| db.insert_all("INSERT INTO things (id, n, t)", "", &rows));
    texts.sort_unstable();
    assert_eq!(storage.texts("SELECT t FROM things ORDER BY t"), texts);
    let above: Vec<_> = texts.iter().filter(|text| **text > "b").collect();
    let found = storage.rows("SELECT t FROM things WHERE t > $1 ORDER BY t", args!["b"]);
    assert_eq!(found, above.iter().map(|text| Row::from(args![**text].to_vec())).collect::<Vec<_>>());
}

#[apply(every_storage)]
fn a_column_of_another_kind_is_an_error(storage: &Storage) {
    with_things(storage);
    storage.write(|db| db.execute(INSERT, args![1, 2, None::<&str>]));
    let row = &storage.rows("SELECT n, t FROM things", &[])[0];
    assert!(row.text(0).is_err() && row.int(1).is_err() && row.text(1).is_err() && row.int(2).is_err());
    assert_eq!(row.opt_text(1).expect("NULL is fine here"), None);
}
