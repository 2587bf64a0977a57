//! The HTTP edge: cookies beside other sites' cookies, headers that say where a form comes from, names of the
//! host, and characters that nothing can keep or show.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use countersign::core::user::Role;
use rstest_reuse::apply;

use crate::process::{Served, countersign};
use crate::server::{Browser, PASSWORD, Place, World, encode, everywhere};

/// The answer to a request with headers as they are written, for bytes that are no text.
fn raw(world: &World, method: &str, path: &str, headers: &[u8], body: &str) -> String {
    let path = format!("{}{path}", &world.base[format!("http://{}", world.server.address).len()..]);
    let mut stream = TcpStream::connect(world.server.address).expect("a connection");
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", world.server.address);
    let length = format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(&[head.as_bytes(), headers, length.as_bytes()].concat()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    &answer[9..12]
}

/// A browser's cookies as it sends them.
fn cookies(browser: &Browser) -> String {
    let cookies = browser.cookies.borrow();
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

fn form(fields: &[(&str, &str)]) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

const FORM: &[u8] = b"content-type: application/x-www-form-urlencoded\r\n";

#[apply(everywhere)]
fn our_cookies_are_read_whatever_stands_beside_them(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    let signed_in = cookies(&ana);
    for foreign in [&b"city=M\xfcnchen"[..], b"a b; =; ;;x", b"bad=\"", b"k=%ff"] {
        for header in [
            [b"cookie: ", foreign, b"; ", signed_in.as_bytes(), b"\r\n"].concat(),
            [b"cookie: ", signed_in.as_bytes(), b"; ", foreign, b"\r\n"].concat(),
            [b"cookie: ", foreign, b"\r\ncookie: ", signed_in.as_bytes(), b"\r\n"].concat(),
        ] {
            assert_eq!(status(&raw(world, "GET", "/api/v1/token", &header, "")), "200");
            assert!(raw(world, "GET", "/", &header, "").contains("signedUserInfo"), "the page, too");
        }
    }
    // A server that forwards a browser's cookies may encode them.
    let encoded = signed_in.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
    let encoded = encoded.replacen("%3D", "=", 1);
    let header = [b"cookie: ", encoded.as_bytes(), b"\r\n"].concat();
    for _ in 0..2 {
        assert_eq!(status(&raw(world, "GET", "/api/v1/token", &header, "")), "200", "{encoded}");
        assert!(raw(world, "GET", "/", &header, "").contains("signedUserInfo"), "{encoded}");
    }
    // The form's cookie and the language.
    let browser = world.browser();
    let token = browser.get("/login").csrf();
    let header = [
        &b"cookie: city=M\xfcnchen; countersign-language=de; "[..],
        cookies(&browser).as_bytes(),
        b"\r\n",
        FORM,
    ]
    .concat();
    let body = form(&[("csrf_token", &token), ("login", "ana"), ("password", PASSWORD)]);
    assert_eq!(status(&raw(world, "POST", "/login", &header, &body)), "303");
    assert!(raw(world, "GET", "/login", &header, "").contains("lang=\"de\""));
}

#[apply(everywhere)]
fn of_two_cookies_of_ours_that_differ_none_is_believed(world: &World) {
    world.user("ana");
    world.user("tom");
    let (ana, tom) = (world.browser().signed_in("ana"), world.browser().signed_in("tom"));
    let name = world.session_cookie();
    let of = |browser: &Browser| format!("{name}={}", browser.cookies.borrow()[&name]);
    for pair in [
        format!("{}; {}", of(&ana), of(&tom)),
        format!("{}; {}", of(&tom), of(&ana)),
        format!("{}; {name}=x", of(&ana)),
    ] {
        let header = format!("cookie: {pair}\r\n");
        assert_eq!(status(&raw(world, "GET", "/api/v1/token", header.as_bytes(), "")), "401");
        assert!(!raw(world, "GET", "/", header.as_bytes(), "").contains("signedUserInfo"), "{pair}");
        assert!(
            raw(world, "GET", "/login", header.as_bytes(), "").contains("Two cookies with the same name"),
            "it is told"
        );
    }
    let twice = format!("cookie: {}; {}\r\n", of(&ana), of(&ana));
    assert_eq!(
        status(&raw(world, "GET", "/api/v1/token", twice.as_bytes(), "")),
        "200",
        "two that agree are one"
    );
    let browser = world.browser();
    let token = browser.get("/login").csrf();
    let form_cookie = cookies(&browser);
    let planted = format!("{}={}", form_cookie.split('=').next().expect("a name"), "x".repeat(43));
    let header = [format!("cookie: {planted}; {form_cookie}\r\n").as_bytes(), FORM].concat();
    let body = form(&[("csrf_token", &token), ("login", "ana"), ("password", PASSWORD)]);
    let answer = raw(world, "POST", "/login", &header, &body);
    assert_eq!(status(&answer), "403");
    assert!(answer.contains("Two cookies with the same name"), "the reason is told: {answer}");
}

#[apply(everywhere)]
fn a_browser_that_keeps_its_origin_back_may_send_our_forms(world: &World) {
    world.user("ana");
    let browser = world.browser();
    let token = browser.get("/login").csrf();
    let body = [("csrf_token", token.as_str()), ("login", "ana"), ("password", PASSWORD)];
    let send = |headers: &[(&str, &str)]| browser.post_with("/login", &body, headers).status;
    assert_eq!(send(&[("origin", "null"), ("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(send(&[("origin", "null")]), 403);
    assert_eq!(send(&[("origin", "null"), ("sec-fetch-site", "same-origin")]), 303);
    let end = browser.send(
        "DELETE",
        "/api/v1/session",
        None,
        &[("origin", "null"), ("sec-fetch-site", "same-origin"), ("x-countersign", "1")],
    );
    assert_eq!(end.status, 204);
}

#[apply(everywhere)]
fn what_another_tab_did_already_leads_home(world: &World) {
    world.user("ana");
    let browser = world.browser();
    let (first, second) = (browser.get("/login").csrf(), browser.get("/login").csrf());
    let sign_in = |token: &str, next: &str| {
        browser.post(
            "/login",
            &[("csrf_token", token), ("login", "ana"), ("password", PASSWORD), ("next", next)],
        )
    };
    assert_eq!(sign_in(&first, "").status, 303);
    let path = &world.base[format!("http://{}", world.server.address).len()..];
    let account = format!("{path}/account");
    let again = sign_in(&second, &account);
    assert_eq!((again.status, again.header("location")), (303, Some(account.as_str())));
    let (tab, other) = (browser.get("/").csrf(), browser.get("/").csrf());
    assert_eq!(browser.post("/logout", &[("csrf_token", &tab)]).status, 303);
    let again = browser.post("/logout", &[("csrf_token", &other)]);
    assert_eq!((again.status, again.header("location")), (303, Some(format!("{path}/").as_str())));
    // Of a stranger's page nothing is taken, whoever is signed in.
    let foreign =
        browser.post_with("/logout", &[("csrf_token", &other)], &[("origin", "https://evil.example")]);
    assert_eq!(foreign.status, 403);
}

#[apply(everywhere)]
fn nul_is_refused_in_every_field_of_every_route(world: &World) {
    world.user_with("ada", Role::Admin, &[]);
    let ada = world.browser().signed_in("ada");
    for entry in
        countersign::web::ROUTES.iter().filter(|entry| !matches!(entry.method.as_str(), "GET" | "OPTIONS"))
    {
        for (kind, body) in [
            (
                "application/x-www-form-urlencoded",
                "csrf_token=%00&login=%00&password=%00&next=%00&what=%00&code=%00",
            ),
            (
                "application/json",
                r#"{"external_id":"\u0000","login":"\u0000","password":"\u0000","text":"\u0000","code":"\u0000"}"#,
            ),
        ] {
            let path = entry.path.replace("{messenger}", "default").replace(['{', '}'], "");
            let headers = [("content-type", kind), ("x-countersign", "1")];
            for browser in [&world.browser(), &ada] {
                let answer = browser.send(entry.method.as_str(), &path, Some(body), &headers);
                assert!(answer.status < 500, "{} {path}: {} {}", entry.method, answer.status, answer.body);
            }
        }
    }
    let token = world.browser().get("/login").csrf();
    assert_eq!(
        world.browser().post("/login", &[("csrf_token", &token), ("login", "a\0"), ("password", "x")]).status,
        400
    );
    assert_eq!(world.browser().post("/login", &[("login", "a"), ("password", "\0")]).status, 400);
}

#[apply(everywhere)]
fn a_control_character_of_a_name_is_shown_as_a_sign(world: &World) {
    let name = "Ana\u{1b}[31m\u{7}\u{7f}\u{9b}Z";
    world.user_with(
        "ana",
        Role::Admin,
        &[("display_name", name), ("email", "ana@example.com"), ("email_verified", "yes")],
    );
    let ana = world.browser().signed_in("ana");
    for path in [
        "/",
        "/account",
        "/admin/mapping",
        "/admin/mapping?user=ana",
        "/admin/mapping/expected/user?login=ana",
        "/admin/audit",
        "/help/errors",
    ] {
        let page = ana.get(path);
        assert_eq!(page.status, 200, "{path}");
        let forbidden =
            page.body.chars().find(|letter| letter.is_control() && !matches!(letter, '\n' | '\t'));
        assert_eq!(forbidden, None, "{path}");
    }
    assert!(ana.get("/account").body.contains("Ana\u{241b}[31m\u{2407}\u{2421}\u{fffd}Z"));
}

#[apply(everywhere)]
fn the_sign_in_page_names_only_the_site_it_leads_to(world: &World) {
    let policy = |next: &str| {
        let page = world.browser().get(&format!("/login?next={}", encode(next)));
        page.header("content-security-policy").expect("a policy").to_owned()
    };
    assert!(policy("").contains("form-action 'self';"));
    assert!(policy("https://evil.example/x").contains("form-action 'self';"));
}

#[apply(everywhere)]
fn a_page_that_is_loaded_before_anybody_has_chosen_it_is_not_made(world: &World) {
    world.user("ana");
    let ana = world.browser().signed_in("ana");
    for purpose in ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip"] {
        for path in ["/", "/login", "/account", "/api/v1/token"] {
            let answer = ana.send("GET", path, None, &[("sec-purpose", purpose)]);
            assert_eq!(answer.status, 503, "{purpose} {path}");
            assert!(!answer.body.contains("signedUserInfo"), "{purpose} {path}");
        }
        let script = ana.send("GET", "/embed.js", None, &[("sec-purpose", purpose)]);
        assert_eq!(script.status, 200, "a page may load its parts early");
    }
    assert_eq!(ana.get("/").status, 200);
}

#[apply(everywhere)]
fn a_wrong_type_in_a_body_names_its_field_and_the_cure(world: &World) {
    let asked = world.browser().send(
        "POST",
        "/api/v1/devices",
        Some(r#"{"login":7,"password":"x","name":"x","platform":"ios"}"#),
        &[("content-type", "application/json")],
    );
    assert_eq!(
        (asked.status, asked.json()["detail"].as_str()),
        (400, Some("login: send it as a string: \"7\"."))
    );
    let asked = world.browser().send(
        "POST",
        "/api/v1/devices",
        Some(r#"{"login":["x"]}"#),
        &[("content-type", "application/json")],
    );
    assert!(
        asked.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.starts_with("login: invalid type: sequence")),
        "{}",
        asked.body
    );
    let asked = world.browser().send(
        "POST",
        "/api/v1/devices",
        Some("{} {}"),
        &[("content-type", "application/json")],
    );
    assert_eq!(asked.status, 400);
}

#[test]
fn the_sign_in_page_of_many_sites_names_the_one_it_leads_to() {
    let origins: Vec<String> = (0..100).map(|number| format!("https://shop-{number}.example.com")).collect();
    let world = World::with(Place::Sqlite, |source| source.with("allowed_origins", &origins.join(",")));
    let policy = |next: &str| {
        let page = world.browser().get(&format!("/login?next={}", encode(next)));
        page.header("content-security-policy").expect("a policy").to_owned()
    };
    assert!(
        policy("https://shop-7.example.com/cart").contains("form-action 'self' https://shop-7.example.com;")
    );
    assert!(!policy("/").contains("shop"));
    let whole = world.browser().get("/login");
    let length: usize = whole.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    assert!(length < 2000, "all headers together have {length} bytes");
}

#[test]
fn a_host_is_ours_however_it_is_written() {
    let world =
        World::with(Place::Sqlite, |source| source.with("public_url", "https://accounts.example.com"));
    world.user("ana");
    let url = |path: &str| format!("http://{}{path}", world.server.address);
    for host in [
        "accounts.example.com",
        "accounts.example.com:443",
        "accounts.example.com.",
        "Accounts.EXAMPLE.com.:443",
    ] {
        assert_eq!(world.browser().with("host", host).get(&url("/login")).status, 200, "{host}");
    }
    for host in [
        "accounts.example.com:80",
        "accounts.example.com.evil.example",
        "accounts.example.com..",
        "example.com",
    ] {
        assert_eq!(world.browser().with("host", host).get(&url("/login")).status, 421, "{host}");
    }
}

#[test]
fn behind_tls_without_a_public_url_the_reason_is_told_on_the_page_and_once_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = countersign(&format!("sqlite:{}", folder.path().join("test.db").display()));
    command.arg("serve");
    let served = Served::start(command);
    let browser = Browser::new(&served.base).with("host", "accounts.example.com");
    let token = browser.get("/login").csrf();
    let body = [("csrf_token", token.as_str()), ("login", "ana"), ("password", PASSWORD)];
    for headers in [
        &[("origin", "https://accounts.example.com")][..],
        &[("origin", "https://other.example.com"), ("sec-fetch-site", "same-origin")],
    ] {
        let answer = browser.post_with("/login", &body, headers);
        assert_eq!(answer.status, 403);
        assert!(
            answer.body.contains("COUNTERSIGN_PUBLIC_URL") && !answer.body.contains("open for a long time")
        );
    }
    crate::server::wait_until("it is logged", || served.log().contains("other.example.com"));
    let told =
        "Origin https://accounts.example.com is not http://accounts.example.com: set COUNTERSIGN_PUBLIC_URL";
    assert_eq!(served.log().matches(told).count(), 1, "{}", served.log());
    let _ = browser.post_with("/login", &body, &[("sec-fetch-site", "same-site")]);
    crate::server::wait_until("the header is named", || served.log().contains("Sec-Fetch-Site"));
}
