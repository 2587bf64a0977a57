//! What commands print: answers on standard output, refusals on standard error.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::AppError;
use crate::app::import::Place;
use crate::app::progress::Progress;
use crate::config::SettingProblem;
use crate::core::finding::{Item, State};
use crate::core::mapping::{Finding, Level};
use crate::core::problem::Problem;
use crate::store;

/// Why a command ends with 1.
pub enum Refused {
    /// A use case refused.
    App(AppError),
    /// Settings that cannot be used.
    Settings(Vec<SettingProblem>),
    /// A sentence.
    Text(String),
    /// Everything has been printed already.
    Said,
}

impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        Self::App(error.into())
    }
}

impl Refused {
    /// Prints the reason on standard error.
    pub fn print(&self) {
        match self {
            Self::Settings(problems) => {
                complain("These settings cannot be used:");
                problems
                    .iter()
                    .for_each(|problem| complain(format_args!("  {}", shown(&problem.to_string()))));
            }
            Self::App(AppError::Mapping(findings)) => {
                complain("The mapping has errors:");
                findings.iter().for_each(|finding| complain(format_args!("  {}", finding_line(finding))));
            }
            Self::App(AppError::Import(problems)) => {
                let number = if problems.len() == 1 { "an error" } else { "errors" };
                complain(format_args!("The file has {number}. Nothing was imported:"));
                problems.iter().for_each(|problem| complain(format_args!("  {}", problem_line(problem))));
                let is_header = |problem: &Problem<Place>| problem.place.row == 0;
                if problems.iter().all(is_header) && problems.iter().any(|it| it.place.column.is_some()) {
                    complain("The rows are checked when the header is right.");
                }
            }
            Self::App(error) => complain(shown(&app_text(error))),
            Self::Text(text) => complain(text),
            Self::Said => {}
        }
    }
}

/// The message of an error, with what the database reported.
pub fn app_text(error: &AppError) -> String {
    match error {
        AppError::Store(error) => {
            let text = format!("{error}{}", causes(error));
            format!("{}.", text.trim_end_matches('.'))
        }
        error => error.to_string(),
    }
}

/// All causes below an error: the database's own message comes last.
fn causes(error: &store::Error) -> String {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |cause| cause.source()).map(|cause| format!(": {cause}")).collect()
}

/// The findings, one line each; refused if one of them is bad.
pub fn say_items(items: &[Item], json: bool) -> Result<(), Refused> {
    for item in items {
        if json {
            say_json(item);
            continue;
        }
        let mark = match item.state {
            State::Good => "✓ good     ",
            State::Attention => "! attention",
            State::Bad => "✗ bad      ",
        };
        say(format_args!("{mark} {:9} {}", item.part, shown(&item.message)));
    }
    if items.iter().any(|item| item.state == State::Bad) { Err(Refused::Said) } else { Ok(()) }
}

/// A finding of a mapping on one line.
pub fn finding_line(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let place = if finding.pointer.is_empty() { "the whole" } else { &finding.pointer };
    let line = format!("{level} {} at {place}: {} {}", finding.code, finding.message, finding.help);
    shown(&line).into_owned()
}

/// An error in a file, on one line.
pub fn problem_line(problem: &Problem<Place>) -> String {
    let column = problem.place.column.as_ref().map(|column| format!(", {column}")).unwrap_or_default();
    let line = match problem.place.row {
        0 => format!("header, line {}{column}: {}", problem.place.line, problem.what),
        row => format!("row {row}, line {}{column}: {}", problem.place.line, problem.what),
    };
    shown(&line).into_owned()
}

/// A string as a line shows it: control characters in a user's own text could move the cursor or forge
/// another line.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Prints a line. If the reader is gone (`| head`), the program ends quietly.
pub fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a message on standard error, whether or not anybody reads it.
pub fn complain(line: impl std::fmt::Display) {
    // If that fails, there is no other place to report it.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a value as JSON on one line.
pub fn say_json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(json) => say(json),
        Err(error) => complain(format_args!("The answer cannot be written as JSON: {error}.")),
    }
}

/// A progress bar for long work, on a terminal only.
pub(super) fn progress_bar() -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(1) } else { ProgressBar::hidden() };
    let style =
        ProgressStyle::with_template("{msg:9} [{wide_bar}] {percent:>3} %, row {human_pos}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Moves a bar to the current state of the work.
pub(super) fn show(bar: &ProgressBar, progress: &Progress) {
    let Progress { step, done, total } = *progress;
    if bar.message() != step {
        bar.reset();
        bar.set_message(step);
    }
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}
