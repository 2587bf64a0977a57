//! Commands, settings and routes that a document names.

use clap::Command;
use countersign::config::SETTINGS;
use countersign::web::ROUTES;

use super::document::Document;

/// Variables of this prefix that are not settings: the settings file, the program under test, and what
/// recipes use on the website's own server.
const OTHER_VARIABLES: [&str; 5] = ["CONFIG", "PROGRAM", "API_KEY", "ACCOUNTS", "UNPROVED"];
/// How paths begin that are no routes: those of the machine, a place in a mapping (RFC 6901), a route of
/// an example.
const NO_ROUTES: [&str; 14] = [
    "dev",
    "etc",
    "home",
    "lib",
    "opt",
    "proc",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
    "rules",
    "chat-token",
];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// How the documents call the server in addresses.
const HOSTS: [&str; 4] =
    ["://ACCOUNTS/", "://accounts.example.com/", "://127.0.0.1:8080/", "://localhost:8080/"];

/// Commands and options that the program does not have.
pub fn wrong_commands(text: &str) -> Vec<String> {
    let mut program = countersign::cli::command();
    program.build();
    let document = Document::read(text);
    let is_wrong = |code: &&String| {
        let commands = commands(code);
        commands
            .iter()
            .filter_map(|words| of_program(words, &program))
            .any(|words| !is_known(words, &program))
    };
    document.code().filter(is_wrong).cloned().collect()
}

/// A line of a shell, as the words of its commands. A comment ends it.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote) = (String::new(), None);
    for letter in line.chars().chain([' ']) {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None if letter.is_whitespace() => match std::mem::take(&mut word).as_str() {
                "" | "$" | "\\" => {}
                "#" => return commands,
                "|" | "||" | "&" | "&&" | ";" | ">" | ">>" | "<" => commands.push(Vec::new()),
                written => commands.last_mut().expect("there is a first command").push(written.to_owned()),
            },
            _ => word.push(letter),
        }
    }
    commands
}

/// The words behind the program's name. The name may be missing where a subcommand and its own
/// subcommand are named: `mapping apply FILE`.
fn of_program<'a>(words: &'a [String], program: &Command) -> Option<&'a [String]> {
    let start = words.iter().position(|word| !word.contains('='))?;
    let words = &words[start..];
    let first = words.first()?;
    if first == "countersign" || first.ends_with("/countersign") {
        return Some(&words[1..]);
    }
    if first == "cargo" && words.get(1).is_some_and(|word| word == "run") {
        let end = words.iter().position(|word| word == "--")?;
        return Some(&words[end + 1..]);
    }
    let is_group = program.find_subcommand(first).is_some_and(Command::has_subcommands);
    (is_group && words.get(1).is_some_and(|word| is_name(word))).then_some(words)
}

/// Whether a word can be the name of a command, and is no value such as `LOGIN` or `…`.
fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
}

/// Whether the program has the command and its options.
fn is_known(words: &[String], program: &Command) -> bool {
    let mut command = program;
    let mut words = words.iter().map(|word| word.trim_matches(['[', ']']));
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let (name, value) =
                option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
            let Some(known) = command.get_arguments().find(|known| known.get_long() == Some(name)) else {
                return false;
            };
            if known.get_action().takes_values() && value.is_none() {
                words.next();
            }
        } else if let Some(letter) = word.strip_prefix('-').and_then(|rest| rest.chars().next()) {
            if !command.get_arguments().any(|known| known.get_short() == Some(letter)) {
                return false;
            }
        } else if command.has_subcommands() {
            match command.find_subcommand(word) {
                Some(next) => command = next,
                None => return !is_name(word),
            }
        } else if command.get_positionals().next().is_none() && is_name(word) {
            return false;
        }
    }
    true
}

/// Variables that are no settings.
pub fn wrong_settings(text: &str) -> Vec<String> {
    let names = text.split("COUNTERSIGN_").skip(1).filter_map(|rest| {
        rest.split(|letter: char| !(letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'))
            .next()
    });
    let is_known = |name: &str| {
        name.is_empty()
            || OTHER_VARIABLES.contains(&name)
            || SETTINGS.iter().any(|setting| {
                let known = setting.name.to_uppercase();
                name == known || setting.secret && name.strip_suffix("_FILE") == Some(known.as_str())
            })
    };
    names.filter(|name| !is_known(name)).map(|name| format!("COUNTERSIGN_{name}")).collect()
}

/// Routes that the server does not have: `GET /path`, `/path` alone, and addresses of the server.
pub fn wrong_routes(text: &str) -> Vec<String> {
    let document = Document::read(text);
    let alone = document.spans.iter().filter(|code| {
        let folder = code.split('/').nth(1).unwrap_or_default();
        code.starts_with('/') && !code[1..].starts_with(['/', '*']) && !NO_ROUTES.contains(&folder)
    });
    let mut asked: Vec<(Option<&str>, &str)> = alone.map(|code| (None, code.as_str())).collect();
    for code in document.code() {
        let words = code.trim().split_once(' ');
        asked.extend(
            words
                .filter(|(method, path)| METHODS.contains(method) && path.starts_with('/'))
                .map(|(method, path)| (Some(method), path)),
        );
        for host in HOSTS {
            // The address keeps the slash behind its host.
            let ends = code.match_indices(host).map(|(start, _)| start + host.len() - 1);
            asked.extend(ends.map(|end| (None, &code[end..])));
        }
    }
    let wrong = asked.into_iter().filter(|(method, rest)| !is_route(*method, path(rest)));
    wrong.map(|(method, rest)| [method.unwrap_or_default(), path(rest)].join(" ").trim().to_owned()).collect()
}

/// The path at the beginning of a string, without query and anchor.
pub fn path(rest: &str) -> &str {
    let end = |letter: char| letter.is_whitespace() || "?#\"'`()<>,;\\".contains(letter);
    rest.split(end).next().unwrap_or_default()
}

/// Whether the server has a route. Without a method, a path may also be the beginning of routes. The
/// documents also name the routes of the admin API below `/api/v1/admin`, and the pages of another
/// messenger's mapping.
pub fn is_route(method: Option<&str>, path: &str) -> bool {
    let of_messenger = path
        .strip_prefix("/admin/messengers/")
        .and_then(|rest| rest.split_once('/'))
        .filter(|(_, rest)| rest.starts_with("mapping"))
        .map(|(_, rest)| format!("/admin/{rest}"));
    let beginning = method.is_none().then(|| format!("{path}/"));
    let names = [Some(path.to_owned()), Some(format!("/api/v1/admin{path}")), of_messenger, beginning];
    ROUTES.iter().any(|entry| {
        // GET answers HEAD, too.
        let answers = |method: &str| entry.method.as_str() == if method == "HEAD" { "GET" } else { method };
        method.is_none_or(answers) && names.iter().flatten().any(|name| fits(entry.path, name))
    })
}

/// Whether a path fits a route. `…` and a slash at its end mean everything below it.
fn fits(route: &str, path: &str) -> bool {
    let (mut parts, mut words) = (route.split('/'), path.split('/'));
    loop {
        match (parts.next(), words.next()) {
            (None, None) => return true,
            (Some(part), Some(_)) if part.ends_with(":.*}") => return true,
            (Some(part), Some(word)) if part == word || part.starts_with('{') && !word.is_empty() => {}
            (Some(_), Some("" | "…" | "*")) => return words.next().is_none(),
            _ => return false,
        }
    }
}
