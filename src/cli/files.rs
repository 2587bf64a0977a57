//! `countersign user import` and `countersign user export`: files of users.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::output::{Refused, complain, problem_line, progress_bar, say, say_json, show, shown};
use crate::app::import::{Action, Imported, Options, Place, Row};
use crate::app::{App, AppError, Caller, users};
use crate::core::csv;
use crate::core::problem::Problem;

/// What to import, and how.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Import {
    /// The file; its first line names the columns. `-` is standard input.
    file: PathBuf,
    /// Import the column `deskpro_id`, which decides which person Deskpro takes a user for.
    #[arg(long)]
    deskpro_id: bool,
    /// A row with a new `external_id` means the user with its login: the website and Countersign use the
    /// same logins.
    ///
    /// Without it, such a user is adopted only if the address proves that it is the same person.
    #[arg(long)]
    same_logins: bool,
    /// Treat the file's addresses as verified, unless a row says otherwise: the website has verified
    /// each of them.
    #[arg(long)]
    email_verified: bool,
    /// Prefix for each `external_id`, so that customer 7 of one website is not customer 7 of another.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Values that mean "no value", such as '\N,NULL'. Without it, they are imported as they are.
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true)]
    nothing: Vec<String>,
    /// A column in which a time means yes and a blank cell means no, such as `email_verified_at`. May be
    /// repeated.
    #[arg(long, value_name = "COLUMN")]
    yes_when_set: Vec<String>,
    /// Create new attributes even if a name looks similar to that of another attribute.
    #[arg(long)]
    new_attributes: bool,
    /// Write rows with errors to this new file, with the reason, and import the others.
    #[arg(long, value_name = "FILE")]
    set_aside: Option<PathBuf>,
    /// Write what happened to each row to this file, as CSV; if the file is refused, its errors.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn import(app: &App, arguments: Import, json: bool) -> Result<(), Refused> {
    let Import {
        file: path,
        deskpro_id,
        same_logins,
        email_verified,
        prefix,
        nothing,
        yes_when_set,
        new_attributes,
        set_aside,
        report,
    } = arguments;
    let file = open(&path)?;
    let mut report = report.map(|report| Report::create(report, &path)).transpose()?;
    let mut aside = set_aside.map(Aside::create).transpose()?;
    let bar = progress_bar();
    let options = Options {
        deskpro_id,
        same_logins,
        email_verified,
        prefix,
        nothing: nothing.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect(),
        yes_when_set,
        new_attributes,
        set_aside: aside.as_mut().map(|aside| &mut aside.file as &mut dyn std::io::Write),
    };
    let outcome = app.import_users(
        &file,
        options,
        &Caller::cli(),
        |row: Row| {
            if json {
                say_json(&row);
            } else if row.action == Action::Skipped {
                bar.suspend(|| {
                    let message = row.message.clone().unwrap_or_default();
                    complain(shown(&format!("row {}, line {}: {message}", row.row, row.line)));
                });
            }
            report.iter_mut().for_each(|report| report.add(&row));
        },
        |progress| show(&bar, &progress),
    );
    bar.finish_and_clear();
    let problems = match &outcome {
        Err(AppError::Import(problems)) => Some(problems.as_slice()),
        _ => None,
    };
    report.map_or(Ok(()), |report| report.finish(problems))?;
    let is_whole = problems.is_some() || outcome.as_ref().is_ok_and(|imported| imported.set_aside.is_empty());
    let aside = aside.map_or(Ok(None), |aside| aside.finish(is_whole))?;
    match outcome {
        Err(AppError::Import(problems)) if json => {
            problems.iter().for_each(|problem| say_json(&serde_json::json!({ "error": problem })));
            Err(Refused::Said)
        }
        Err(error) => Err(error.into()),
        Ok(imported) => conclude(&imported, aside.as_deref(), json),
    }
}

/// Prints what an import did. Missing rows make the exit status 1.
fn conclude(imported: &Imported, aside: Option<&Path>, json: bool) -> Result<(), Refused> {
    let Imported { totals, without_token, notes, set_aside } = imported;
    let notes: Vec<&String> = without_token.iter().chain(notes).collect();
    if json {
        let mut line = serde_json::json!({ "totals": totals });
        if !notes.is_empty() {
            line["notes"] = serde_json::json!(notes);
        }
        say_json(&line);
    } else {
        notes.iter().for_each(|note| complain(shown(note)));
        set_aside.iter().for_each(|problem| complain(format_args!("set aside: {}", problem_line(problem))));
        let aside = aside
            .map_or(String::new(), |path| format!(", {} set aside in {}", totals.set_aside, path.display()));
        say(format_args!(
            "{} added, {} changed, {}{} unchanged, {} skipped{aside}",
            totals.added,
            totals.changed,
            if totals.adopted > 0 { format!("{} adopted, ", totals.adopted) } else { String::new() },
            totals.unchanged,
            totals.skipped
        ));
    }
    if totals.skipped + totals.set_aside > 0 { Err(Refused::Said) } else { Ok(()) }
}

/// The file, which must be read twice: if that is not possible, it is copied to a temporary file without
/// a name.
fn open(path: &Path) -> Result<File, Refused> {
    let failed =
        |error: std::io::Error| Refused::Text(format!("{} cannot be read: {error}.", path.display()));
    let copy = |input: &mut dyn std::io::Read| {
        let mut file = tempfile::tempfile()?;
        std::io::copy(input, &mut file)?;
        Ok(file)
    };
    if path == Path::new("-") {
        return copy(&mut std::io::stdin().lock()).map_err(failed);
    }
    let mut file = File::open(path).map_err(failed)?;
    let kind = file.metadata().map_err(failed)?.file_type();
    if kind.is_file() || kind.is_dir() { Ok(file) } else { copy(&mut file).map_err(failed) }
}

/// What happened to each row, as CSV.
struct Report {
    path: PathBuf,
    file: BufWriter<File>,
    failure: Option<std::io::Error>,
}

impl Report {
    fn create(path: PathBuf, input: &Path) -> Result<Self, Refused> {
        let is_input =
            path.canonicalize().is_ok_and(|report| input.canonicalize().is_ok_and(|input| input == report));
        if is_input {
            let what = "The report cannot be written to the file that is imported. Name another file.";
            return Err(Refused::Text(what.into()));
        }
        match File::create(&path) {
            Ok(file) => {
                let mut report = Self { path, file: BufWriter::new(file), failure: None };
                report.line(&["row", "line", "login", "action", "message"].map(str::to_owned));
                Ok(report)
            }
            Err(error) => Err(unwritten(&path, &error)),
        }
    }

    fn line(&mut self, cells: &[String]) {
        if let Err(error) = self.file.write_all(csv::line(cells).as_bytes()) {
            self.failure.get_or_insert(error);
        }
    }

    fn add(&mut self, row: &Row) {
        let action = serde_json::to_value(row.action).unwrap_or_default();
        let action = action.as_str().unwrap_or_default().to_owned();
        let message = row.message.clone().unwrap_or_default();
        self.line(&[row.row.to_string(), row.line.to_string(), row.login.clone(), action, message]);
    }

    /// Finishes it; if the file was refused, it contains the errors instead.
    fn finish(mut self, problems: Option<&[Problem<Place>]>) -> Result<(), Refused> {
        if let Some(problems) = problems {
            match File::create(&self.path) {
                Ok(file) => self.file = BufWriter::new(file),
                Err(error) => self.failure = Some(error),
            }
            self.line(&["row", "line", "column", "message"].map(str::to_owned));
            for problem in problems {
                let column = problem.place.column.clone().unwrap_or_default();
                self.line(&[
                    problem.place.row.to_string(),
                    problem.place.line.to_string(),
                    column,
                    problem.what.clone(),
                ]);
            }
        }
        let flushed = self.file.flush();
        match self.failure.or(flushed.err()) {
            Some(error) => Err(unwritten(&self.path, &error)),
            None => Ok(()),
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Refused {
    Refused::Text(format!("The report {} cannot be written: {error}.", path.display()))
}

/// The file of rows that are set aside. It must be new, so that no other file's rows are lost.
struct Aside {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Aside {
    fn create(path: PathBuf) -> Result<Self, Refused> {
        let failed = |error: std::io::Error| {
            let why = match error.kind() {
                std::io::ErrorKind::AlreadyExists => "the file already exists. Name a new one".to_owned(),
                _ => error.to_string(),
            };
            Refused::Text(format!("Rows cannot be set aside in {}: {why}.", path.display()))
        };
        let file = File::create_new(&path).map_err(failed)?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    /// Finishes it, and removes it if it contains no row of the import. Returns where the rows are.
    fn finish(mut self, is_empty: bool) -> Result<Option<PathBuf>, Refused> {
        let ended = if is_empty { std::fs::remove_file(&self.path) } else { self.file.flush() };
        match ended {
            Ok(()) => Ok((!is_empty).then_some(self.path)),
            Err(error) => {
                let path = self.path.display();
                Err(Refused::Text(format!(
                    "The rows that were set aside cannot be written to {path}: {error}."
                )))
            }
        }
    }
}

pub(super) fn export(app: &App, raw: bool, json: bool) -> Result<(), Refused> {
    if json {
        app.each_user(|user| say_json(&users::as_json(user)))?;
        return Ok(());
    }
    app.export_users(raw, |line| say(line.trim_end_matches('\n')))?;
    Ok(())
}
