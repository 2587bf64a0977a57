//! The console over HTTP, without a script: what an admin sees, types and publishes.

mod api_keys;
mod broken;
mod confirm;
mod drafts;
mod editor;
mod expected;
mod forms;
mod integrate;
mod messengers;
mod names;
mod publishing;
mod same;
mod sync;

use countersign::core::user::Role;

use crate::server::{Answer, Browser, World};

/// An admin who has just signed in.
pub fn admin(world: &World, login: &str) -> Browser {
    world.user_with(
        login,
        Role::Admin,
        &[("email", &format!("{login}@example.com")), ("email_verified", "yes")],
    );
    world.browser().signed_in(login)
}

/// The fields of a form, as a browser without a script sends them when `button` is pressed.
pub fn filled_in(page: &Answer, form: &str, button: &str) -> Vec<(String, String)> {
    let (_, rest) = page.body.split_once(form).unwrap_or_else(|| panic!("no {form} in {}", page.body));
    let (inside, _) = rest.split_once("</form>").expect("the form ends");
    let mut fields = vec![("do".to_owned(), button.to_owned())];
    let mut select = None;
    for piece in inside.split('<').skip(1) {
        let (tag, after) = split_tag(piece);
        let name = attribute(&tag, "name");
        match tag.split([' ', '\n']).next().unwrap_or_default() {
            "input" => {
                let kind = attribute(&tag, "type").unwrap_or_default();
                let is_sent = !matches!(kind.as_str(), "radio" | "checkbox") || tag.contains(" checked");
                if let (Some(name), true) = (name, is_sent) {
                    fields.push((name, attribute(&tag, "value").unwrap_or_default()));
                }
            }
            "select" => select = name.map(|name| (name, None)),
            "option" => {
                if let Some((_, chosen)) = &mut select
                    && (chosen.is_none() || tag.contains(" selected"))
                {
                    *chosen = Some(attribute(&tag, "value").unwrap_or_default());
                }
            }
            "/select" => {
                if let Some((name, chosen)) = select.take() {
                    fields.push((name, chosen.unwrap_or_default()));
                }
            }
            "textarea" => {
                // A browser takes a line break behind the tag for none, and sends others as CR LF.
                let text = plain(after.strip_prefix('\n').unwrap_or(&after));
                fields.extend(name.map(|name| (name, text.replace('\n', "\r\n"))));
            }
            _ => {}
        }
    }
    fields
}

/// The tag before the first `>` outside quotes, and what stands behind it.
fn split_tag(piece: &str) -> (String, String) {
    let mut quoted = false;
    for (i, letter) in piece.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return (piece[..i].to_owned(), piece[i + 1..].to_owned()),
            _ => {}
        }
    }
    (piece.to_owned(), String::new())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(plain)
}

/// A text of HTML without its numbered entities, the only ones that our templates write.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("&#") {
        let (number, after) = after.split_once(';').expect("an entity ends");
        text.push_str(before);
        text.push(char::from_u32(number.parse().expect("a number")).expect("a letter"));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Sends the fields of a form.
pub fn send(browser: &Browser, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(path, &fields)
}

/// Changes what stands in a field, as by typing.
pub fn fill(fields: &mut [(String, String)], name: &str, value: &str) {
    let field = fields.iter_mut().find(|(known, _)| known == name);
    value.clone_into(&mut field.unwrap_or_else(|| panic!("there is no field {name}")).1);
}

/// The rules' form of the list.
pub const ADD: &str = "<form method=\"post\" class=\"add-rule\">";
/// The form of one rule.
pub const RULE: &str = "<form id=\"rule\"";

/// Adds a rule by the form of the list and opens it: the path of its page.
pub fn add_rule(browser: &Browser, claim: &str, attribute: &str) -> String {
    let mut fields = filled_in(&browser.get("/admin/mapping"), ADD, "add");
    fill(&mut fields, "claim", claim);
    fill(&mut fields, "from/attribute", attribute);
    let answer = send(browser, "/admin/mapping", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let to = answer.header("location").expect("a place").to_owned();
    let at = to.find("/admin").expect("a page of the console");
    to[at..].split('?').next().expect("a path").to_owned()
}

/// Presses a button of a rule's form, after changing some fields.
pub fn press(browser: &Browser, rule: &str, changes: &[(&str, &str)], button: &str) -> Answer {
    let mut fields = filled_in(&browser.get(rule), RULE, button);
    for (name, value) in changes {
        fill(&mut fields, name, value);
    }
    send(browser, rule, &fields)
}
