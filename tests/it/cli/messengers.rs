//! Messengers on the command line.

use serde_json::json;

use super::Shell;

#[test]
fn a_page_is_tried_as_a_browser_would() {
    let mut shell = Shell::new();
    shell.set("PUBLIC_URL", "https://accounts.example.com");
    shell.done(&["messenger", "set", "default", "allowed_origins=https://www.example.com"]);
    let probe = |page: &str| shell.run(&["messenger", "probe", "default", page]);
    let good = probe("https://www.example.com/cart");
    assert_eq!(good.status, 0, "{good:?}");
    assert!(
        good.out.starts_with(
            "A page at https://www.example.com gets the token of a user who is signed in at https://accounts.example.com.\n✓ good      list"
        ),
        "{good:?}"
    );
    let foreign = probe("https://www.example.net");
    assert_eq!(foreign.status, 1, "{foreign:?}");
    assert!(foreign.out.contains("gets no token") && foreign.out.contains("✗ bad       site"), "{foreign:?}");
    let none = probe("*");
    assert!(none.status == 1 && none.err.contains("'*' is not the address of a web page"), "{none:?}");
    assert!(
        shell
            .refused(&["messenger", "probe", "shop", "https://www.example.com"])
            .contains("no messenger 'shop'")
    );
    let told = shell.run(&["messenger", "probe", "default", "http://www.example.com", "--json"]);
    let told: Vec<serde_json::Value> =
        told.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let states: Vec<_> = told.iter().map(|item| json!([item["part"], item["state"]])).collect();
    assert_eq!(
        states,
        [
            json!(["list", "bad"]),
            json!(["site", "bad"]),
            json!(["transport", "attention"]),
            json!(["chat", "attention"])
        ]
    );
}

#[test]
fn without_a_public_url_a_probe_says_which_address_it_is_about() {
    let shell = Shell::new();
    let said = shell.run(&["messenger", "probe", "default", "https://www.example.com"]);
    assert!(
        said.out.contains("! attention address   No public URL is set, so http://192.0.2.1:8080 is assumed."),
        "{said:?}"
    );
}

#[test]
fn a_setting_with_a_typing_error_is_refused_with_the_one_that_was_meant() {
    let shell = Shell::new();
    for (typed, help) in [
        ("allowed-orgins", "no setting 'allowed-orgins'. Did you mean 'allowed_origins'?"),
        ("colour", "no setting 'colour'. The settings are: init_script_url, deskpro_url,"),
    ] {
        let said = shell.refused(&["messenger", "set", "default", &format!("{typed}=x")]);
        assert!(said.contains(help), "{said}");
    }
}
