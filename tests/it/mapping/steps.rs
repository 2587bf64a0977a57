//! `mapping.md` section 2: steps. Dates are in `dates`.

use serde_json::{Value as Json, json};

use super::given;

/// What a label becomes of a value by these steps.
pub(super) fn stepped(value: Json, steps: Json) -> Json {
    let mut rule = super::copy("labels", "plan");
    rule["steps"] = steps;
    let mut user = json!({});
    user["plan"] = value;
    given(&rule, &user)
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
fn a_null_in_a_table_gives_nothing_whatever_happens_to_other_values() {
    for rest in [json!({}), json!({"otherwise": "9"}), json!({"keep": true})] {
        let mut lookup = json!({"values": {"gold": "7", "free": null}});
        lookup.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        let steps = json!([{ "lookup": lookup }]);
        assert_eq!(stepped(json!(["gold", " free "]), steps.clone()), json!(["7"]), "{rest}");
        assert_eq!(stepped(json!("free"), steps), Json::Null, "{rest}");
    }
}

#[test]
fn a_lookup_compares_in_nfc_and_keeps_what_came() {
    let steps = |key: &str| json!([{"lookup": {"values": {key: "7"}, "keep": true}}]);
    assert_eq!(stepped(json!("Pra\u{308}mie"), steps("Prämie")), json!(["7"]));
    assert_eq!(stepped(json!("Prämie"), steps(" Pra\u{308}mie ")), json!(["7"]));
    assert_eq!(stepped(json!("Pra\u{308}mie"), steps("gold")), json!(["Pra\u{308}mie"]));
    assert_eq!(stepped(json!("Gold\u{a0}Plan"), steps("Gold Plan")), json!(["Gold\u{a0}Plan"]));
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
