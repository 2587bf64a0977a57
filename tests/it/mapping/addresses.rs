//! `mapping.md` 3.2: addresses.

use countersign::core::address::Address;

fn check(written: &str, ascii: Option<&str>) {
    let address = Address::parse(written).ok();
    assert_eq!(address.as_ref().map(Address::ascii), ascii, "{written:?}");
}

#[test]
fn an_address_is_a_dot_atom_at_a_domain() {
    check("ana@example.com", Some("ana@example.com"));
    check("a.b+c/d=!#$%&'*-?^_`{|}~@example.com", Some("a.b+c/d=!#$%&'*-?^_`{|}~@example.com"));
    for odd in [
        "",
        "@",
        "ana",
        "ana@",
        "@example.com",
        ".ana@example.com",
        "ana.@example.com",
        "a..b@example.com",
        "\"ana\"@example.com",
        "a b@example.com",
        "a(c)@example.com",
        "ana@b@example.com",
        "änä@example.com",
        "<ana@example.com>",
        "ana@[127.0.0.1]",
        "ana\u{200b}@example.com",
    ] {
        check(odd, None);
    }
}

#[test]
fn a_domain_has_two_or_more_labels_of_letters_digits_and_inner_hyphens() {
    check("a@b.co", Some("a@b.co"));
    check("a@1.2.b3", Some("a@1.2.b3"));
    check("a@r3---sn.example.com", Some("a@r3---sn.example.com"));
    check("a@ab--cd.example", Some("a@ab--cd.example"));
    for odd in [
        "a@localhost",
        "a@b..de",
        "a@.b.de",
        "a@-b.de",
        "a@b-.de",
        "a@b_c.de",
        "a@b.de.",
        "a@b.de。",
        "a@b.123",
        "a@1.2.3.4",
        "a@b.٣",
        "a@b c.de",
        "a@b!.de",
        "a@b.de/x",
        "a@xn--a.de",
        "a@xn--.de",
        "a@b\u{2028}c.de",
        "a@b＠c.de",
    ] {
        check(odd, None);
    }
    check("a@b。de", Some("a@b.de"));
    check("a@１２３.de", Some("a@123.de"));
}

#[test]
fn a_domain_is_mapped_by_uts_46_without_the_transition() {
    check("a@straße.de", Some("a@xn--strae-oqa.de"));
    check("a@strasse.de", Some("a@strasse.de"));
    check("a@STRASSE.de", Some("a@strasse.de"));
    check("a@bücher.example", Some("a@xn--bcher-kva.example"));
    check("a@XN--BCHER-KVA.example", Some("a@xn--bcher-kva.example"));
    check("a@faß.de", Some("a@xn--fa-hia.de"));
    check("a@βόλος.com", Some("a@xn--nxasmm1c.com"));
    check("a@ｅxample.com", Some("a@example.com"));
}

#[test]
fn lengths_are_judged_in_ascii() {
    let label = "x".repeat(63);
    check(&format!("{}@b.de", "a".repeat(64)), Some(&format!("{}@b.de", "a".repeat(64))));
    check(&format!("{}@b.de", "a".repeat(65)), None);
    check(&format!("a@{label}.de"), Some(&format!("a@{label}.de")));
    check(&format!("a@{label}x.de"), None);
    // 63 bytes as xn--…, fewer letters.
    check(&format!("a@{}.de", "ü".repeat(60)), None);
    let domain = format!("{label}.{label}.{label}.{}", "y".repeat(61));
    assert_eq!(domain.len(), 253);
    check(&format!("a@{domain}"), None);
    let domain = &domain[..252];
    check(&format!("a@{domain}"), Some(&format!("a@{domain}")));
    check(&format!("ab@{domain}"), None);
}

#[test]
fn the_local_part_stays_as_written_and_the_key_is_in_small_letters() {
    let address = Address::parse(" Ana.Smith@Example.COM\n").expect("an address");
    assert_eq!(address.ascii(), "Ana.Smith@example.com");
    assert_eq!(address.folded(), "ana.smith@example.com");
    assert_eq!(address.domain(), "example.com");
}
