//! `mapping.md` section 2: dates.

use serde_json::{Value as Json, json};

use super::steps::stepped;

fn check_date(input: &str, text: &str, output: Option<&str>) {
    let date = json!([{"date": {"in": input, "out": "%Y-%m-%d %H:%M:%S"}}]);
    let expected = output.map_or(Json::Null, |output| json!([output]));
    assert_eq!(stepped(json!(text), date), expected, "{text} by {input}");
}

fn unreadable(input: &str, texts: &[&str]) {
    texts.iter().for_each(|text| check_date(input, text, None));
}

fn readable(input: &str, output: &str, texts: &[&str]) {
    texts.iter().for_each(|text| check_date(input, text, Some(output)));
}

/// What a date of 2005 is written as.
fn check_written(date: &str, output: &str, expected: &str) {
    let step = json!([{"date": {"in": "%Y-%m-%d %H:%M:%S", "out": output}}]);
    assert_eq!(stepped(json!(date), step), json!([expected]), "{date} by {output}");
}

#[test]
fn a_date_reads_four_digits_of_a_year_and_two_or_one_of_the_rest() {
    check_date("%Y-%m-%d", "2024-02-29", Some("2024-02-29 00:00:00"));
    check_date("%d.%m.%Y", "9.1.2024", Some("2024-01-09 00:00:00"));
    check_date("%Y%m%d", "20240109", Some("2024-01-09 00:00:00"));
    check_date("%Y%m%d", "2024129", Some("2024-12-09 00:00:00"));
    check_date("%Y-%m-%d", "24-02-29", None);
    check_date("%Y-%m-%d", "12024-02-09", None);
    check_date("%Y-%m-%d", "2024-002-29", None);
    check_date("%Y-%m-%d", "2024--29", None);
    check_date("%Y-%m-%d", "٢٠٢٤-02-29", None);
    check_date("%Y-%m-%d", "+2024-02-29", None);
    check_date("%Y-%m-%dT%H:%M:%S", "2024-02-29T1:2:3", Some("2024-02-29 01:02:03"));
}

#[test]
fn what_a_date_lacks_is_0_and_what_stands_around_is_literal() {
    check_date("%Y/%m/%d %H h", "2024/2/9 7 h", Some("2024-02-09 07:00:00"));
    check_date("%Y/%m/%d %H h", "2024/2/9 7  h", None);
    check_date(" %Y-%m-%d ", " 2024-02-29 ", Some("2024-02-29 00:00:00"));
    check_date("%Y-%m-%d", "2024-02-29T00:00", None);
    check_date("%Y-%m-%d", "2024-02", None);
    check_date("100%% %Y-%m-%d ü", "100% 2024-02-29 ü", Some("2024-02-29 00:00:00"));
    let out = json!([{"date": {"in": "%Y-%m-%d", "out": " %d.%m.%d 100%% "}}]);
    assert_eq!(stepped(json!("2024-02-09"), out), json!(["09.02.09 100%"]));
}

#[test]
fn a_date_that_does_not_exist_is_unreadable() {
    for (date, is_there) in [
        ("0000-01-01", false),
        ("0001-01-01", true),
        ("9999-12-31", true),
        ("2024-00-10", false),
        ("2024-13-10", false),
        ("2024-01-00", false),
        ("2024-02-30", false),
        ("2023-02-29", false),
        ("1900-02-29", false),
        ("2000-02-29", true),
        ("2024-04-31", false),
    ] {
        let output = format!("{date} 00:00:00");
        check_date("%Y-%m-%d", date, is_there.then_some(output.as_str()));
    }
    for (time, is_there) in
        [("23:59:59", true), ("24:00:00", false), ("12:60:00", false), ("12:59:60", false)]
    {
        let output = format!("2024-01-01 {time}");
        check_date("%Y-%m-%d %H:%M:%S", &format!("2024-01-01 {time}"), is_there.then_some(output.as_str()));
    }
}

#[test]
fn unix_seconds_are_1_to_11_digits_in_utc() {
    check_date("%s", "0", Some("1970-01-01 00:00:00"));
    check_date("%s", "1700000000", Some("2023-11-14 22:13:20"));
    check_date(" %s ", " 99999999999 ", Some("5138-11-16 09:46:39"));
    check_date("%s", "00000000001", Some("1970-01-01 00:00:01"));
    for odd in ["-1", "+1", "1.5", "1e3", "x", "１"] {
        check_date("%s", odd, None);
    }
    let steps = json!([{"date": {"in": "%s", "out": "%Y"}}]);
    assert_eq!(stepped(json!(1_700_000_000), steps), json!(["2023"]));
}

#[test]
fn a_year_is_written_with_four_digits() {
    check_date("%Y-%m-%d", "0033-04-03", Some("0033-04-03 00:00:00"));
}

#[test]
fn a_year_of_two_digits_is_1969_to_2068() {
    for (year, whole) in [("00", "2000"), ("24", "2024"), ("68", "2068"), ("69", "1969"), ("99", "1999")] {
        let date = format!("01.02.{year}");
        check_date("%d.%m.%y", &date, Some(&format!("{whole}-02-01 00:00:00")));
    }
    readable("%y%m%d", "2024-02-29 00:00:00", &["240229"]);
    unreadable("%d.%m.%y", &["29.02.4", "29.02.2024", "29.02.", "29.02.٢٤"]);
}

#[test]
fn a_month_is_read_by_its_english_name_whole_or_by_three_letters() {
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    for (i, name) in names.into_iter().enumerate() {
        let output = format!("2024-{:02}-01 00:00:00", i + 1);
        for directive in ["%b", "%B"] {
            let format = format!("%d {directive} %Y");
            for name in [name, &name[..3], &name.to_uppercase(), &name[..3].to_lowercase()] {
                check_date(&format, &format!("1 {name} 2024"), Some(&output));
            }
        }
    }
    readable("%d-%b-%Y", "2026-02-17 00:00:00", &["17-Feb-2026", "17-fEBRUARY-2026"]);
    readable("%d%b%Y", "2026-09-17 00:00:00", &["17Sep2026", "17September2026"]);
    unreadable(
        "%d %b %Y",
        &["1 Sept 2024", "1 Febr 2024", "1 Fe 2024", "1 Mai 2024", "1 Feb. 2024", "1 2 2024"],
    );
    // What a directive has taken it does not give back: February is not Feb and “ruary”.
    unreadable("%d %bruary %Y", &["1 February 2024"]);
    readable("%d %bx %Y", "2024-02-01 00:00:00", &["1 Febx 2024"]);
}

#[test]
fn an_hour_of_half_a_day_goes_with_am_or_pm() {
    for (time, output) in [
        ("12:00 AM", "00:00"),
        ("1:00 am", "01:00"),
        ("11:59 aM", "11:59"),
        ("12:00 PM", "12:00"),
        ("03:34 pm", "15:34"),
    ] {
        check_date(
            "%Y-%m-%d %I:%M %p",
            &format!("2024-02-29 {time}"),
            Some(&format!("2024-02-29 {output}:00")),
        );
    }
    readable("%p %I %Y-%m-%d", "2024-02-29 15:00:00", &["PM 3 2024-02-29"]);
    unreadable(
        "%Y-%m-%d %I %p",
        &["2024-02-29 0 AM", "2024-02-29 13 PM", "2024-02-29 3 XM", "2024-02-29 3 p.m.", "2024-02-29 PM"],
    );
}

#[test]
fn a_fraction_has_1_to_9_digits_and_is_dropped() {
    readable(
        "%Y-%m-%dT%H:%M:%S.%fZ",
        "2024-02-29 10:11:12",
        &["2024-02-29T10:11:12.1Z", "2024-02-29T10:11:12.123Z", "2024-02-29T10:11:12.999999999Z"],
    );
    unreadable(
        "%Y-%m-%dT%H:%M:%S.%fZ",
        &["2024-02-29T10:11:12.Z", "2024-02-29T10:11:12Z", "2024-02-29T10:11:12.1234567890Z"],
    );
    unreadable("%Y-%m-%d.%f%*", &["2024-02-29.1234567890"]);
}

#[test]
fn an_offset_is_read_and_not_applied() {
    readable(
        "%Y-%m-%dT%H:%M:%S%z",
        "2024-02-29 23:11:12",
        &[
            "2024-02-29T23:11:12Z",
            "2024-02-29T23:11:12z",
            "2024-02-29T23:11:12UTC",
            "2024-02-29T23:11:12gMt",
            "2024-02-29T23:11:12+02:00",
            "2024-02-29T23:11:12-0930",
            "2024-02-29T23:11:12+02",
            "2024-02-29T23:11:12+14:59",
            "2024-02-29T23:11:12-00:00",
        ],
    );
    unreadable(
        "%Y-%m-%dT%H:%M:%S%z",
        &[
            "2024-02-29T23:11:12",
            "2024-02-29T23:11:12 Z",
            "2024-02-29T23:11:12+15:00",
            "2024-02-29T23:11:12+1500",
            "2024-02-29T23:11:12+2:00",
            "2024-02-29T23:11:12+02:60",
            "2024-02-29T23:11:12+0260",
            "2024-02-29T23:11:12+02:0",
            "2024-02-29T23:11:12\u{2212}02:00",
            "2024-02-29T23:11:12CET",
            "2024-02-29T23:11:12GMT+2",
        ],
    );
}

#[test]
fn above_its_limits_an_offset_is_of_a_shorter_form_and_nothing_is_given_back() {
    readable("%Y-%m-%d%z:60", "2024-02-29 00:00:00", &["2024-02-29+02:60"]);
    readable("%Y-%m-%d%z60", "2024-02-29 00:00:00", &["2024-02-29+0260"]);
    // The longest form is taken, and not given back for what comes next.
    unreadable("%Y-%m-%d%z:30", &["2024-02-29+02:30"]);
    unreadable("%Y-%m-%d%z30", &["2024-02-29+0230"]);
    readable("%Y-%m-%d%z+2", "2024-02-29 00:00:00", &["2024-02-29GMT+2"]);
}

#[test]
fn the_rest_does_not_matter_but_no_number_and_no_word_is_cut_in_two() {
    readable(
        "%Y-%m-%d%*",
        "2024-02-29 00:00:00",
        &[
            "2024-02-29",
            "2024-02-29 ",
            "2024-02-29T10:11",
            "2024-02-29 at noon",
            "2024-02-29\nx",
            "2024-02-29é",
        ],
    );
    readable("%Y-%m-%d %*", "2024-02-29 00:00:00", &["2024-02-29 10:11:12", "2024-02-29  x"]);
    // It does not take the literals before it, and the value was trimmed.
    unreadable("%Y-%m-%d %*", &["2024-02-29", "2024-02-29 ", "2024-02-29T10"]);
    unreadable("%d.%m.%y%*", &["05.01.2024", "05.01.201"]);
    readable("%d.%m.%y%*", "2024-01-05 00:00:00", &["05.01.24", "05.01.24 10:00", "05.01.24x"]);
    unreadable("%Y-%m-%dT%*", &["2024-02-29Tx"]);
    readable("%Y-%m-%dT%*", "2024-02-29 00:00:00", &["2024-02-29T", "2024-02-29T1", "2024-02-29Té"]);
    unreadable("%Y %d %b%*", &["2024 29 Febr", "2024 29 Februaryx"]);
    readable("%Y %d %b%*", "2024-02-29 00:00:00", &["2024 29 Feb.", "2024 29 February 10h", "2024 29 Feb7"]);
    unreadable("%Y-%m-%d%z%*", &["2024-02-29Zulu", "2024-02-29+0260"]);
    readable("%Y-%m-%d%z%*", "2024-02-29 00:00:00", &["2024-02-29+02:60", "2024-02-29GMT+2"]);
}

#[test]
fn unix_milliseconds_are_12_to_14_digits() {
    check_date("%s", "100000000000", Some("1973-03-03 09:46:40"));
    check_date("%s", "1488388800999", Some("2017-03-01 17:20:00"));
    check_date("%s", "99999999999999", Some("5138-11-16 09:46:39"));
    check_date("%s", "000000000999", Some("1970-01-01 00:00:00"));
    unreadable("%s", &["100000000000000", "-1488388800000", "+1488388800", "1488388800.5"]);
}

#[test]
fn a_date_is_written_with_every_directive_but_those_that_are_only_read() {
    let date = "2005-01-09 00:03:07";
    check_written(date, "%Y %y %m %b %B %d %H %I %p %M %S", "2005 05 01 Jan January 09 00 12 AM 03 07");
    check_written(date, "%y%y %%y", "0505 %y");
    check_written("2005-05-09 12:00:00", "%b %B %I %p", "May May 12 PM");
    check_written("2005-12-09 23:00:00", "%d. %B, %I%p", "09. December, 11PM");
    check_written("1900-12-09 11:00:00", "%y %I%p", "00 11AM");
}

/// Every column of `16_dates.csv`, as real systems write it, with a format that reads it.
#[test]
fn the_dates_of_real_exports_can_be_read() {
    for (name, text, input, output) in [
        ("iso", "2024-02-29", "%Y-%m-%d", "2024-02-29 00:00:00"),
        ("isot", "2024-02-29T10:11:12Z", "%Y-%m-%dT%H:%M:%S%z", "2024-02-29 10:11:12"),
        ("isoms", "2024-02-29T10:11:12.123Z", "%Y-%m-%dT%H:%M:%S.%f%z", "2024-02-29 10:11:12"),
        ("isooff", "2024-02-29T10:11:12+02:00", "%Y-%m-%dT%H:%M:%S%z", "2024-02-29 10:11:12"),
        ("wp", "2024-02-29 10:11:12", "%Y-%m-%d %H:%M:%S", "2024-02-29 10:11:12"),
        ("shopify", "2021-07-01 00:00:00 +0200", "%Y-%m-%d %H:%M:%S %z", "2021-07-01 00:00:00"),
        ("uk", "29/02/2024", "%d/%m/%Y", "2024-02-29 00:00:00"),
        ("us", "02/29/2024", "%m/%d/%Y", "2024-02-29 00:00:00"),
        ("us1", "2/9/2024", "%m/%d/%Y", "2024-02-09 00:00:00"),
        ("de2", "29.02.24", "%d.%m.%y", "2024-02-29 00:00:00"),
        ("usampm", "2/29/2024 3:04 PM", "%m/%d/%Y %I:%M %p", "2024-02-29 15:04:00"),
        ("month", "Feb 17 2026 03:34 PM", "%b %d %Y %I:%M %p", "2026-02-17 15:34:00"),
        ("month2", "17-Feb-2026", "%d-%b-%Y", "2026-02-17 00:00:00"),
        ("unix", "1488388800", "%s", "2017-03-01 17:20:00"),
        ("unixms", "1488388800000", "%s", "2017-03-01 17:20:00"),
        ("pg", "2024-02-29 10:11:12.123456+00", "%Y-%m-%d %H:%M:%S.%f%z", "2024-02-29 10:11:12"),
        ("compact", "20240229", "%Y%m%d", "2024-02-29 00:00:00"),
    ] {
        let date = json!([{"date": {"in": input, "out": "%Y-%m-%d %H:%M:%S"}}]);
        assert_eq!(stepped(json!(text), date), json!([output]), "{name}");
    }
    // No such day, and a moment before 1970.
    unreadable("%Y-%m-%d %H:%M:%S", &["0000-00-00 00:00:00"]);
    unreadable("%s", &["-86400"]);
    // One format for the date at the beginning of most of them.
    let iso =
        ["2024-02-29", "2024-02-29T10:11:12Z", "2024-02-29T10:11:12.123Z", "2024-02-29 10:11:12.123456+00"];
    readable("%Y-%m-%d%*", "2024-02-29 00:00:00", &iso);
}
