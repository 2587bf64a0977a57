//! `mapping.md` 1.1, 1.5 and 1.6: what an attribute may be called, secrets, and the proved mark.

use countersign::core::attribute::{
    BUILT_IN, Definition, Definitions, Kind, NameError, check_name, is_secret_name,
    looks_like_a_stored_password,
};

#[test]
fn a_custom_name_has_1_to_64_characters_and_no_control_or_brace() {
    // 1.1
    let check = |name: &str, error: Option<NameError>| assert_eq!(check_name(name).err(), error);
    check("plan", None);
    check("Plan of the year (ü)", None);
    check("/~", None);
    check("", Some(NameError::Length(0)));
    check(&"ü".repeat(64), None);
    check(&"ü".repeat(65), Some(NameError::Length(65)));
    check("a\nb", Some(NameError::Character('\n')));
    check("a\u{85}", Some(NameError::Character('\u{85}')));
    for brace in ['{', '}', '|'] {
        check(&format!("a{brace}b"), Some(NameError::Character(brace)));
    }
    for name in BUILT_IN {
        check(name, Some(NameError::BuiltIn(name.to_owned())));
    }
}

#[test]
fn a_blank_name_is_none() {
    for blank in [" ", "\u{a0}\u{2003}", "\u{200b}\u{feff}"] {
        assert_eq!(check_name(blank), Err(NameError::Blank), "{blank:?}");
    }
}

#[test]
fn of_a_built_in_attribute_nothing_can_be_said_but_that_it_is_proved() {
    // 1.6, 3.3: an address is proved by email_verified, a deskpro_id always
    let proved = Definition { proved: true, ..Definition::default() };
    for name in BUILT_IN {
        let mut site = Definitions::new();
        let said = Definition { proved: true, ..site.any(name).expect("it is built in") };
        let settled = ["email", "email_verified", "deskpro_id"].contains(&name);
        assert_eq!(site.define(name, said).is_err(), settled, "{name}");
        assert_eq!(site.proved(name), !settled, "{name}");
        assert_eq!(site.any(name).map(|it| it.proved), Some(!settled || name == "deskpro_id"), "{name}");
        assert_eq!(site.iter().count(), 0, "{name} is no custom one");
        let number = Definition { kind: Kind::Number, ..proved };
        assert_eq!(site.define(name, number), Err(NameError::BuiltIn(name.to_owned())));
        assert_eq!(site.proved(name), !settled, "{name} is as it was");
    }
    let mut site = Definitions::new();
    site.define("login", Definition { searchable: true, ..proved }).expect("it can be proved");
    site.define("login", Definition { searchable: true, ..Definition::default() }).expect("and not");
    assert!(!site.proved("login"));
}

#[test]
fn no_two_names_differ_by_capitals_alone() {
    // 1.1, built-in ones included; else names are compared exactly
    let mut site = Definitions::new();
    let mut define = |name: &str| site.define(name, Definition::default());
    assert_eq!(define("Plan"), Ok(()));
    assert_eq!(define("Plan"), Ok(()));
    assert_eq!(define("plan"), Err(NameError::OtherCase("Plan".to_owned())));
    assert_eq!(define("ÜBER"), Ok(()));
    assert_eq!(define("über"), Err(NameError::OtherCase("ÜBER".to_owned())));
    assert_eq!(define("Email"), Err(NameError::OtherCase("email".to_owned())));
    assert!(site.knows("Plan") && site.knows("email") && !site.knows("plan"));
    assert_eq!(site.spelled_otherwise("PLAN"), Some("Plan"));
}

#[test]
fn a_new_name_is_nfc_and_has_no_format_character() {
    // 1.1: it is refused, not changed, and the message says how to write it
    let refused = |name: &str| check_name(name).expect_err(name).to_string();
    assert_eq!(check_name("La\u{308}ndercode"), Err(NameError::NotNfc("La\u{308}ndercode".to_owned())));
    assert_eq!(
        refused("La\u{308}ndercode"),
        "the name La[U+0308]ndercode is not in the Unicode form NFC; write it as Ländercode"
    );
    assert_eq!(
        refused("pl\u{200b}an"),
        "the name pl[U+200B]an contains the invisible character U+200B; write it without"
    );
    for format in ['\u{ad}', '\u{200d}', '\u{202e}', '\u{2060}', '\u{feff}', '\u{e0041}'] {
        let name = format!("pl{format}an");
        assert_eq!(check_name(&name), Err(NameError::Invisible(name.clone(), format)));
    }
    assert_eq!(check_name("Ländercode"), Ok(()));
    assert_eq!(
        check_name("a\u{85}b").expect_err("odd").to_string(),
        "the name of an attribute cannot contain U+0085"
    );
}

#[test]
fn no_name_looks_like_another_one() {
    let mut site = Definitions::new();
    site.define("Ländercode", Definition::default()).expect("a name that can be");
    site.define("Gold Plan", Definition::default()).expect("a name that can be");
    for (name, other) in [
        ("La\u{308}ndercode", "Ländercode"),
        ("LA\u{308}NDERCODE", "Ländercode"),
        ("Länder\u{ad}code", "Ländercode"),
        ("Ländercode\u{3164}", "Ländercode"),
        ("Ländercode\u{fe0f}", "Ländercode"),
        ("Gold\u{a0}Plan", "Gold Plan"),
        ("Gold  Plan", "Gold Plan"),
        (" gold plan ", "Gold Plan"),
        ("email\u{200b}", "email"),
        ("\u{feff}login", "login"),
        ("First_name\u{2800}", "first_name"),
        ("login\u{a0}", "login"),
    ] {
        let error = site.define(name, Definition::default()).expect_err(name);
        assert_eq!(site.spelled_otherwise(name), Some(other), "{name}");
        assert!(
            matches!(&error, NameError::Alike { other: named, .. } if named == other),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains(other), "{error}");
    }
    assert_eq!(
        site.define("email\u{200b}", Definition::default()).expect_err("odd").to_string(),
        "there is already an attribute email, and email[U+200B] differs from it only by invisible characters (U+200B)"
    );
    for name in ["GoldPlan", "Landercode", "e mail"] {
        assert_eq!(site.define(name, Definition::default()), Ok(()), "{name}");
    }
}

#[test]
fn names_from_before_stay_as_they_are_and_are_told() {
    let mut site = Definitions::new();
    let odd = ["La\u{308}ndercode", "Ländercode", "pl\u{200b}an", "plan", "tier "];
    for name in odd {
        site.restore(name, Definition::default());
    }
    assert!(odd.iter().all(|name| site.knows(name) && site.spelled_otherwise(name).is_none()));
    for name in odd {
        let searchable = Definition { searchable: true, ..Definition::default() };
        site.define(name, searchable).expect("it was made before");
    }
    let told: Vec<&str> = site.odd_names().into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, ["La\u{308}ndercode", "Ländercode", "plan", "pl\u{200b}an"]);
    site.remove("La\u{308}ndercode");
    site.remove("pl\u{200b}an");
    assert!(site.odd_names().is_empty());
    assert_eq!(site.spelled_otherwise("PLAN"), Some("plan"));
}

#[test]
fn a_name_of_a_secret_is_recognised() {
    // 1.5
    let secret = [
        "pass",
        "Pass",
        "user_pass",
        "UserPass",
        "password",
        "old-Passwd",
        "pass phrase",
        "API key",
        "X-Access-Key",
        "private.key",
        "authToken",
        "access_token",
        "refresh token",
        "pwdhash",
        "client_secret",
        "userTOKENs",
        "user_PWDs",
        "my_JWTs",
        "user_to\u{ad}ken",
        "user_to\u{200d}ken",
        "secretary",
        "ｐａｓｓｗｏｒｄ",
        "p a s s w o r d",
        "hash",
        "user_hash",
        "hashes",
        "hash2",
        "passHash",
        "MD5Hash",
        "HTTPToken",
        "tokens",
        "o-t-p",
        "totp",
        "TOTPSeed",
        "seeds",
        "salt",
        "Salts",
        "pwd",
        "my.pwds",
        "JWT",
        "jwt1",
        "credential",
        "LoginCredentials",
        "HaSh",
    ];
    let plain = [
        "passport",
        "compass",
        "hashtag",
        "tokenizer",
        "saltwater",
        "seedling",
        "key",
        "plan",
        "keyword",
        "desalted",
        "otpoint",
        "passage",
        "Hashimoto",
        "jwtx",
        "",
    ];
    for name in secret {
        assert!(is_secret_name(name), "{name}");
        assert_eq!(check_name(name), Err(NameError::Secret(name.to_owned())));
    }
    for name in plain.iter().chain(&BUILT_IN) {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn a_value_that_begins_like_a_stored_password_is_recognised() {
    // 1.5
    let secret = [
        "$2a$10$abc",
        "$2b$10$",
        "$2y$10$",
        "$argon2id$v=19",
        "$scrypt$ln",
        "$pbkdf2-sha256$",
        "$P$B",
        "$wp$2y$10$",
        "$5$salt",
        "$6$salt",
        "pbkdf2_sha256$600000$",
        "{SSHA}x",
        "{SSHA512}x",
        " $2a$10$",
        "$1$salt$",
        "$2x$10$",
        "$7$C6..",
        "$y$j9T$",
        "$gy$j9T$",
        "$H$9",
        "$S$D",
        "scrypt:32768:8:1$",
        "{SHA}x",
        "{sha256}x",
        "{ssha}x",
        "{Crypt}$6$",
        "{CRYPT-MD5}",
    ];
    for value in secret {
        assert!(looks_like_a_stored_password(value), "{value}");
    }
    for value in
        ["", "2a", "$3 a month", "$2", "$500", "$100", "SSHA", "x $2a$", "{MD5}x", "$Y$", "Scrypt:", "{sh"]
    {
        assert!(!looks_like_a_stored_password(value), "{value}");
    }
}

#[test]
fn the_proved_mark_goes_with_the_attribute() {
    // 1.6
    let mut site = Definitions::new();
    let proved = Definition { proved: true, ..Definition::default() };
    site.define("crm_id", proved).expect("a name that can be");
    assert!(site.proved("crm_id"));
    site.remove("crm_id");
    site.define("crm_id", Definition::default()).expect("a name that can be");
    assert!(!site.proved("crm_id") && !site.proved("login"));
}
