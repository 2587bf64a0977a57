//! `countersign sync …`: users kept in Deskpro through its API.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::mapping::timestamp;
use super::output::{Refused, complain, progress_bar, say, say_json, shown};
use crate::app::progress::Progress;
use crate::app::sync::{DeskStatus, Health, Planned, Would, run_json};
use crate::app::{App, AppError, Caller};
use crate::core::id::{DeskId, MessengerId};
use crate::core::sync::{Counts, PersonState, RunKind, RunState};

/// How many users one page of a dry run has.
const PAGE: i64 = 100;
/// How often a command that waits looks again.
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// Keep the site's users in Deskpro.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Compare every user with what was sent last, and send what differs. Waits until the run has ended.
    Run {
        /// Compare every person with what Deskpro has, too.
        #[arg(long)]
        verify: bool,
        /// Go on although Deskpro no longer has many of the people: they are created again.
        #[arg(long)]
        anyway: bool,
        /// Only ask a server for the run, and do not wait.
        #[arg(long)]
        no_wait: bool,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Show how the synchronization stands, and the users who are in trouble.
    Status {
        /// List the users in this state, such as refused or conflict.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Show what a run would change, user by user. Nothing is changed anywhere; Deskpro is only read.
    DryRun {
        /// Stop after this many users were looked at.
        #[arg(long, default_value_t = i64::MAX)]
        limit: i64,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Send users again who were refused or are in conflict.
    Retry {
        /// The user; without one, all users in trouble.
        login: Option<String>,
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Send nothing until `sync resume`.
    Pause {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
    /// Start the synchronization for the first time, or after a pause.
    Resume {
        /// The messenger of the helpdesk.
        #[arg(long, default_value_t)]
        messenger: MessengerId,
    },
}

pub(super) fn run(app: &App, command: Command, json: bool) -> Result<(), Refused> {
    let caller = Caller::cli();
    match command {
        Command::Run { verify, anyway, no_wait, messenger } => {
            let desk = app.desk(&messenger)?.id;
            let kind = if verify { RunKind::Verify } else { RunKind::Sync };
            let before = last_ended(app, &desk)?;
            match app.start_run(&desk, kind, if anyway { "cli anyway" } else { "cli" }, &caller) {
                Err(AppError::Taken(words)) => complain(words),
                started => started?,
            }
            if no_wait {
                if !json {
                    say("A server does the run as soon as possible.");
                }
                return Ok(());
            }
            wait(app, &desk, before.as_deref(), json)
        }
        Command::Status { state, messenger } => {
            let desk = app.desk(&messenger)?.id;
            match state {
                None => status(&app.desk_status(&desk)?, json),
                Some(state) => list(app, &desk, &state, json),
            }
        }
        Command::DryRun { limit, messenger } => dry_run(app, &app.desk(&messenger)?.id, limit, json),
        Command::Retry { login, messenger } => {
            let desk = app.desk(&messenger)?.id;
            let user = login.map(|login| super::login(&login)).transpose()?;
            let user = user.map(|login| app.user(&login)).transpose()?;
            let count = app.retry_people(&desk, user.as_ref())?;
            if json {
                say_json(&json!({ "retried": count }));
            } else {
                let users = if count == 1 { "1 user".to_owned() } else { format!("{count} users") };
                say(format_args!("{users} will be sent again as soon as possible."));
            }
            Ok(())
        }
        Command::Pause { messenger } => pause(app, &messenger, true, json),
        Command::Resume { messenger } => pause(app, &messenger, false, json),
    }
}

fn pause(app: &App, messenger: &MessengerId, is_pause: bool, json: bool) -> Result<(), Refused> {
    app.pause_desk(&app.desk(messenger)?.id, is_pause, &Caller::cli())?;
    if !json {
        say(if is_pause { "Paused: nothing is sent." } else { "Started: the next run begins by itself." });
    }
    Ok(())
}

fn last_ended(app: &App, desk: &DeskId) -> Result<Option<String>, Refused> {
    let runs = app.desk_status(desk)?.runs;
    Ok(runs.into_iter().find(|run| run.state != RunState::Running).map(|run| run.id))
}

/// Waits for the run that was asked for. If no server is running, this process does it.
fn wait(app: &App, desk: &DeskId, before: Option<&str>, json: bool) -> Result<(), Refused> {
    let bar = progress_bar();
    let mut is_limited = false;
    let ended = loop {
        app.take_desks()?;
        let status = app.desk_status(desk)?;
        if let Some(run) = status.runs.first().filter(|run| Some(run.id.as_str()) != before) {
            let number = |count: i64| usize::try_from(count).unwrap_or_default();
            let (done, total) = (number(run.counts.compared), number(run.total));
            super::output::show(&bar, &Progress { step: "sending", done, total: total.max(done).max(1) });
            if run.state != RunState::Running {
                break run.clone();
            }
        }
        if status.until.is_some() != is_limited {
            is_limited = status.until.is_some();
            if is_limited {
                complain(&status.words);
            }
        }
        if status.health == Health::Paused || status.code.as_deref() == Some("messenger_moved") {
            return Err(Refused::Text(status.words));
        }
        std::thread::park_timeout(LOOKS_EVERY);
    };
    bar.finish_and_clear();
    app.leave_desks();
    if json {
        say_json(&run_json(&ended));
    } else {
        say(counted(&ended.counts));
    }
    if ended.state == RunState::Done { Ok(()) } else { Err(Refused::Text(ended.words)) }
}

fn counted(counts: &Counts) -> String {
    let Counts {
        compared,
        unchanged,
        created,
        found,
        changed,
        retired,
        refused,
        conflicts,
        left_out,
        missing: _,
        failed,
        requests,
    } = counts;
    format!(
        "{compared} compared: {created} created, {found} found, {changed} changed, {retired} retired, {unchanged} unchanged, \
         {left_out} left out, {refused} refused, {conflicts} in conflict, {failed} failed; {requests} requests."
    )
}

fn status(status: &DeskStatus, json: bool) -> Result<(), Refused> {
    if json {
        say_json(&status.as_json());
    } else {
        say(format_args!(
            "{}: {}. {}",
            status.desk.origin.as_str(),
            status.health.as_str(),
            shown(&status.words)
        ));
        match &status.last_done {
            Some(run) => {
                let ended = run.ended_at.map(timestamp).unwrap_or_default();
                say(format_args!("Last complete run: {ended}. {}", counted(&run.counts)));
            }
            None => say("No run has compared everybody yet."),
        }
        for (state, count) in &status.states {
            say(format_args!("{count:>8}  {}", state.as_str()));
        }
        if let Some(at) = status.next_at {
            say(format_args!("Next run: {}.", timestamp(at)));
        }
    }
    // A script sees at once that somebody must look.
    if status.health == Health::Bad { Err(Refused::Said) } else { Ok(()) }
}

fn list(app: &App, desk: &DeskId, state: &str, json: bool) -> Result<(), Refused> {
    let known = PersonState::known(state).ok_or_else(|| {
        let all: Vec<&str> = PersonState::ALL.iter().map(|state| state.as_str()).collect();
        Refused::Text(format!("There is no state '{state}'. The states are: {}.", all.join(", ")))
    })?;
    let mut after = None;
    loop {
        let listed = app.people_in_state(desk, known, after.as_ref(), PAGE)?;
        let Some(last) = listed.last() else { return Ok(()) };
        after = Some(last.row.user_id.clone());
        for listed in &listed {
            let row = &listed.row;
            if json {
                say_json(&listed.as_json());
            } else {
                say(format_args!("{}\t{}\t{}", shown(&listed.login), row.code, shown(&row.words)));
            }
        }
    }
}

fn dry_run(app: &App, desk: &DeskId, limit: i64, json: bool) -> Result<(), Refused> {
    let (mut after, mut left, mut changes) = (None, limit, 0);
    while left > 0 {
        let (planned, last) = app.dry_run(desk, after.as_ref(), PAGE.min(left))?;
        for planned in &planned {
            changes += 1;
            print_planned(planned, json);
        }
        left -= PAGE.min(left);
        after = last;
        if after.is_none() {
            break;
        }
    }
    if !json {
        say(if changes == 0 { "A run would change nothing." } else { "Nothing was changed." });
    }
    Ok(())
}

fn print_planned(planned: &Planned, json: bool) {
    let login = shown(&planned.login);
    if json {
        let would = match &planned.would {
            Would::Create(members) => json!({ "would": "create", "person": members }),
            Would::Change { person, is_found, members } => {
                let members: Vec<Value> = members
                    .iter()
                    .map(|(name, has, gets)| json!({ "member": name, "has": has, "gets": gets }))
                    .collect();
                json!({ "would": if *is_found { "keep" } else { "change" }, "deskpro_id": person.0, "changes": members })
            }
            Would::Retire(what) => json!({ "would": "retire", "what": what }),
            Would::Not { state, code, words } => {
                json!({ "would": "nothing", "state": state.as_str(), "code": code, "message": words })
            }
        };
        let mut line = json!({ "login": planned.login });
        if let (Some(line), Value::Object(would)) = (line.as_object_mut(), would) {
            line.extend(would);
        }
        return say_json(&line);
    }
    match &planned.would {
        Would::Create(members) => {
            say(format_args!("{login}: a person would be created."));
            members
                .iter()
                .for_each(|(name, value)| say(format_args!("    {name}: {}", shown(&value.to_string()))));
        }
        Would::Change { person, is_found, members } => {
            let how = if *is_found { "found and kept" } else { "changed" };
            say(format_args!("{login}: person {person} would be {how}."));
            for (name, has, gets) in members {
                say(format_args!("    {name}: {} → {}", shown(&has.to_string()), shown(&gets.to_string())));
            }
        }
        Would::Retire(what) => say(format_args!("{login}: is disabled or gone; the person would {what}.")),
        Would::Not { code, words, .. } => {
            say(format_args!("{login}: nothing would be sent ({code}). {}", shown(words)));
        }
    }
}
