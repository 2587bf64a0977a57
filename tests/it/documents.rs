//! The documents inside the program.

use rstest_reuse::apply;

use crate::server::{World, everywhere};

#[apply(everywhere)]
fn every_document_can_be_read_and_its_links_lead_somewhere(world: &World) {
    let browser = world.browser();
    let links_of = |body: &str| -> Vec<String> {
        body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let list = browser.get("/help");
    let names: Vec<String> = links_of(&list.body)
        .iter()
        .filter_map(|link| link.split_once("/help/").map(|(_, name)| name.to_owned()))
        .filter(|name| name != "errors")
        .collect();
    assert_eq!(
        names,
        [
            "readme",
            "going-live",
            "users-and-import",
            "mapping",
            "embed",
            "unknown-users",
            "synchronization",
            "apps",
            "api",
            "settings",
            "running",
            "metrics",
            "several-instances",
            "sign-in",
            "security",
            "deskpro",
            "privacy",
            "accessibility",
        ]
    );
    let mut checked = 0;
    for name in &names {
        let page = browser.get(&format!("/help/{name}"));
        assert_eq!(page.status, 200, "{name}");
        let article = page
            .body
            .split_once("<article")
            .expect("the text")
            .1
            .split_once("</article>")
            .expect("its end")
            .0;
        assert!(
            article.contains("<h1") && article.len() > 1000 && !article.contains("<!--"),
            "{name}: {article}"
        );
        for link in links_of(article).iter().filter(|link| !link.contains("://")) {
            let (to, place) = link.split_once('#').unwrap_or((link, ""));
            let to = if to.is_empty() { name } else { to };
            let target = browser.get(&format!("/help/{to}"));
            assert_eq!(target.status, 200, "{name}: {link}");
            assert!(place.is_empty() || target.body.contains(&format!("id=\"{place}\"")), "{name}: {link}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked}");
    assert_eq!(browser.get("/help/plan").status, 404);
}
