//! `token …`

use serde_json::{Value as Json, json};

use super::{PASSWORD, Shell, names};
use crate::process::Served;
use crate::server::{Browser, wait_until};

/// A shell with a user who gets a token, one who does not, and one who is disabled.
fn with_users() -> Shell {
    with_users_in(Shell::new())
}

fn with_users_in(shell: Shell) -> Shell {
    shell.done(&[
        "user",
        "add",
        "ana",
        "--set",
        "email=ana@example.com",
        "--set",
        "email_verified=1",
        "--set",
        "first_name=Ana",
    ]);
    shell.done(&["user", "add", "bob", "--set", "email=bob@example.com"]);
    shell.done(&["user", "add", "cy", "--set", "email=cy@example.com", "--set", "email_verified=1"]);
    shell.done(&["user", "disable", "cy"]);
    shell
}

#[test]
fn a_token_is_issued_or_refused_with_the_reason() {
    let shell = with_users();
    let token = shell.done(&["token", "issue", "ana"]);
    assert_eq!((token.lines().count(), token.matches('.').count()), (1, 2), "the token alone, for pipes");
    let answer = shell.json(&["token", "issue", "Ana"]).remove(0);
    assert_eq!(names(&answer), ["login", "token", "expires_at"]);
    assert!(answer["expires_at"].is_i64());
    for (login, code, reason) in
        [("bob", "unverified", "not verified"), ("cy", "disabled", "This user is disabled.")]
    {
        let said = shell.run(&["token", "issue", login]);
        assert_eq!((said.status, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains(reason), "{said:?}");
        let said = shell.run(&["token", "issue", login, "--json"]);
        assert_eq!(said.status, 1);
        let answer = said.json().remove(0);
        assert_eq!(
            (names(&answer), &answer["login"], &answer["refused"]["code"]),
            (vec!["login", "refused"], &json!(login), &json!(code))
        );
        assert!(answer["refused"]["message"].as_str().expect("a text").contains(reason), "{answer}");
    }
    assert!(shell.refused(&["token", "issue", "eve"]).contains("There is no user 'eve'."));
    assert!(
        shell
            .refused(&["token", "issue", "ana", "--messenger", "shop"])
            .contains("There is no messenger 'shop'")
    );
}

#[test]
fn tokens_are_issued_to_everybody_one_a_line() {
    let shell = with_users();
    let said = shell.run(&["token", "issue", "--all", "--json"]);
    assert_eq!((said.status, said.err.as_str()), (0, "1 issued, 2 refused\n"));
    let lines = said.json();
    let logins: Vec<_> = lines.iter().map(|line| line["login"].as_str().expect("a login")).collect();
    assert_eq!(logins, ["ana", "bob", "cy"]);
    assert_eq!(
        (names(&lines[0]), names(&lines[2])),
        (vec!["login", "token", "expires_at"], vec!["login", "refused"])
    );
    let text = shell.done(&["token", "issue", "--all"]);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((lines[0][0], lines[1][..3].join(" ")), ("ana", "bob refused unverified".to_owned()));
}

#[test]
fn a_token_is_taken_apart_and_its_signature_never_shown() {
    let mut shell = with_users();
    let token = shell.done(&["token", "issue", "ana"]);
    let token = token.trim();
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let typed = shell.typed(&["token", "inspect"], &format!("{token}\n"));
    let given = shell.run(&["token", "inspect", token]);
    // The seconds that are left may differ by then.
    let of_the_token = |out: &str| out.split("It expires in ").next().map(str::to_owned);
    assert_eq!((typed.status, of_the_token(&typed.out)), (0, of_the_token(&given.out)), "{typed:?}");
    assert!(
        given.out.contains("The configured signing key verifies this token.")
            && given.out.contains("It expires in "),
        "{given:?}"
    );
    let json = shell.run(&["token", "inspect", token, "--json"]);
    let answer: Json = json.json().remove(0);
    assert_eq!(
        (&answer["header"], &answer["verified"]),
        (&json!({"typ": "JWT", "alg": "HS256"}), &json!(true))
    );
    assert_eq!(
        (&answer["claims"]["email"], &answer["claims"]["name"]),
        (&json!("ana@example.com"), &json!("Ana"))
    );
    for said in [&typed, &given, &json] {
        said.keeps(signature);
        said.keeps(signed.rsplit_once('.').expect("two parts").1);
    }
    let changed = format!(
        "{signed}.{}",
        if signature.starts_with('A') {
            signature.replacen('A', "B", 1)
        } else {
            format!("A{}", &signature[1..])
        }
    );
    for other in [changed, format!("{signed}.")] {
        let said = shell.run(&["token", "inspect", &other]);
        assert!(said.status == 0 && said.out.contains("does NOT verify this token"), "{said:?}");
    }
    shell.set("SIGNING_KEY", "pW8~xN3$jM0@qS5!vU7%yO9^cI4&kG6*");
    assert!(shell.done(&["token", "inspect", token]).contains("does NOT verify this token"));
    for broken in ["", "x", "a.b", "a.b.c", &format!("{token}.x"), "e30.e30"] {
        let said = shell.typed(&["token", "inspect"], broken);
        assert!(said.status == 1 && said.err.contains("This is not a JWT"), "{broken}: {said:?}");
    }
}

#[test]
fn a_preview_shows_the_claims_and_why_but_no_signature() {
    let shell = with_users();
    let token = shell.done(&["token", "issue", "ana"]);
    let said = shell.run(&["mapping", "preview", "ana"]);
    assert!(
        said.status == 0
            && said.out.contains("\"email\": \"ana@example.com\"")
            && said.out.contains("email is \"ana@example.com\""),
        "{said:?}"
    );
    let answer = shell.json(&["mapping", "preview", "ana"]).remove(0);
    assert_eq!(names(&answer), ["header", "claims", "trace"]);
    assert_eq!(answer["claims"]["email"], "ana@example.com");
    said.keeps(token.trim().rsplit_once('.').expect("three parts").1);
    assert!(!answer.to_string().contains(token.trim().rsplit_once('.').expect("three parts").1));
    let said = shell.done(&["mapping", "preview", "bob"]);
    assert!(
        said.starts_with("no token (unverified):") && said.contains("It is not verified as the user's own."),
        "{said}"
    );
    let answer = shell.json(&["mapping", "preview", "bob"]).remove(0);
    assert_eq!(
        (names(&answer), &answer["refused"]["code"]),
        (vec!["header", "refused", "trace"], &json!("unverified"))
    );
}

#[test]
fn a_token_with_any_number_in_any_claim_is_taken_apart() {
    use base64::Engine as _;
    let shell = Shell::new();
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    for (number, word) in [
        ("-9223372036854775808", "It expired 9223372"),
        ("9223372036854775807", "It expires in 9223372"),
        ("9223372036854775808", "Its exp is 9223372036854775808, which is not a time in whole seconds."),
        ("-1e308", "not a time in whole seconds"),
        ("1800000000.5", "not a time in whole seconds"),
        ("\"soon\\u001b[2J\"", "not a time in whole seconds"),
        ("null", "not a time in whole seconds"),
        ("0", "It expired"),
    ] {
        let claims = encode(&format!(r#"{{"exp": {number}, "iat": {number}, "nbf": {number}}}"#));
        let token = format!("{}.{claims}.{}", encode(r#"{"alg": "HS256", "typ": "JWT"}"#), encode("x"));
        let said = shell.run(&["token", "inspect", &token]);
        assert!(
            said.status == 0 && said.out.contains(word) && !said.out.contains('\u{1b}'),
            "{number}: {said:?}"
        );
        assert_eq!(shell.run(&["token", "inspect", &token, "--json"]).status, 0, "{number}");
    }
}

/// Of many tokens of a running server the first alone reads the mapping, and again after another one came into force.
#[test]
fn a_mapping_is_compiled_once_per_published_version() {
    let shell = with_users_in(Shell::new().with("MASTER_KEY", crate::store::MASTER_KEY)).with("LOG", "debug");
    shell.typed(&["user", "set-password", "ana"], &format!("{PASSWORD}\n"));
    let served = Served::start(shell.command(&["serve"]));
    let browser = Browser::new(&served.base);
    assert_eq!(browser.sign_in("ana", PASSWORD).status, 303);
    let tokens = || {
        for _ in 0..5 {
            let answer = browser.get("/api/v1/token");
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        served.log().matches("a mapping was compiled").count()
    };
    assert_eq!(tokens(), 1);
    let file =
        shell.file("mapping.json", r#"{"rules": [{"claim": "email", "from": {"attribute": "email"}}]}"#);
    shell.done(&["mapping", "apply", &file.display().to_string()]);
    // The server learns of it within a second.
    wait_until("the new mapping is used", || tokens() > 1);
    assert_eq!(tokens(), 2);
}
