//! `mapping.md` section 2: steps and dates.

use serde_json::{Value as Json, json};

use super::given;

/// What a label becomes of a value by these steps.
fn stepped(value: Json, steps: Json) -> Json {
    let mut rule = super::copy("labels", "plan");
    rule["steps"] = steps;
    let mut user = json!({});
    user["plan"] = value;
    given(&rule, &user)
}

fn check_date(input: &str, text: &str, output: Option<&str>) {
    let date = json!([{"date": {"in": input, "out": "%Y-%m-%d %H:%M:%S"}}]);
    let expected = output.map_or(Json::Null, |output| json!([output]));
    assert_eq!(stepped(json!(text), date), expected, "{text} by {input}");
}

#[test]
fn steps_run_in_order_each_on_every_item() {
    let steps = json!([{"split": ","}, "upper", {"lookup": {"values": {"A": "1", "B": "x"}}}]);
    assert_eq!(stepped(json!("a, b,c"), steps.clone()), json!(["1", "x"]));
    assert_eq!(stepped(json!(["a,b", "c"]), steps), json!(["1", "x"]));
    assert_eq!(
        stepped(json!(["Yes", "maybe", 0]), json!([{"yes_no": {"yes": "1", "no": "0"}}])),
        json!(["1", "0"])
    );
}

#[test]
fn no_step_runs_on_what_is_missing() {
    let steps = json!([{"lookup": {"values": {"a": "b"}, "otherwise": "c"}}]);
    assert_eq!(stepped(json!(" "), steps.clone()), Json::Null);
    assert_eq!(stepped(json!("x"), steps), json!(["c"]));
    let steps =
        json!([{"lookup": {"values": {"a": "b"}}}, {"lookup": {"values": {"a": "b"}, "otherwise": "c"}}]);
    assert_eq!(stepped(json!("x"), steps), Json::Null);
}

#[test]
fn split_cuts_at_the_separator_as_written() {
    assert_eq!(stepped(json!("a||b| c"), json!([{"split": "|"}])), json!(["a", "b", "c"]));
    assert_eq!(stepped(json!("a,|b|,c"), json!([{"split": "|,"}])), json!(["a,|b", "c"]));
    assert_eq!(stepped(json!("a b"), json!([{"split": " "}])), json!(["a", "b"]));
    assert_eq!(stepped(json!(true), json!([{"split": "u"}])), json!(["tr", "e"]));
    assert_eq!(stepped(json!(",,"), json!([{"split": ","}])), Json::Null);
}

#[test]
fn a_constant_can_be_split() {
    let rule = json!({"claim": "labels", "from": {"constant": "a,b"}, "steps": [{"split": ","}]});
    assert_eq!(given(&rule, &json!({})), json!(["a", "b"]));
}

#[test]
fn a_lookup_says_what_becomes_of_other_values() {
    let lookup = |rest: Json| {
        let mut lookup = json!({"values": {"gold": "7"}});
        for (key, value) in rest.as_object().expect("an object") {
            lookup[key] = value.clone();
        }
        stepped(json!(["gold", "tin"]), json!([{ "lookup": lookup }]))
    };
    assert_eq!(lookup(json!({})), json!(["7"]));
    assert_eq!(lookup(json!({"otherwise": " 9 "})), json!(["7", "9"]));
    assert_eq!(lookup(json!({"keep": true})), json!(["7", "tin"]));
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
    for odd in ["100000000000", "-1", "+1", "1.5", "1e3", "x", "１"] {
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
fn what_all_steps_of_one_user_may_write_is_bounded() {
    // Beyond it values are missing: no mapping is meant to need it, and no draft can hold the
    // server up. Every value below is there after a few steps.
    let many = vec!["x".repeat(60); 1000];
    let few: Vec<&str> = ["upper", "lower"].repeat(20);
    let lots: Vec<&str> = ["upper", "lower"].repeat(5000);
    assert_eq!(stepped(json!(many), json!(few)), json!(["x".repeat(60)]));
    assert_eq!(stepped(json!(many), json!(lots)), Json::Null);
    assert_eq!(stepped(json!("x"), json!(lots)), json!(["x"]));
}
