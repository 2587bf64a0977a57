//! Users kept in a stand-in for Deskpro that fails: whether everybody who can be there is there once, what a run costs, and
//! how that grows. `benches/README.md` says what the figures mean.
//!
//! - `sync_trial faults USERS.csv OUT`: a file of users, permanent faults for 100 of them, and every other fault for one
//!   request in twenty. Writes `people.json` and `users.json` into the folder `OUT`.
//! - `sync_trial growth [USERS…]`: so many users each (1,000, 10,000, 100,000), 5 ms for each request.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::app::desks::NewDesk;
use countersign::app::import::Options;
use countersign::app::sync::DeskStatus;
use countersign::app::{App, AppError, Caller, clock};
use countersign::config::{self, Source};
use countersign::core::id::{DeskId, MessengerId};
use countersign::core::messenger::fields::Texts;
use countersign::core::sync::{PersonState, RunKind, RunState};
use countersign::standin::{API_KEY, Fault, FaultRule, On, Play, StandIn};
use countersign::store::runs::Run;
use countersign::web::Server;
use serde_json::json;

type Failed = Box<dyn Error + Send + Sync>;

/// How much faster the clock is by which waits are measured: pauses of minutes take seconds.
const FASTER: u32 = 50;

const MAPPING: &str = r#"{"token": "id", "rules": [
    {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}},
    {"claim": "email", "from": {"attribute": "email"}},
    {"claim": "name", "from": {"text": ["{display_name}", "{first_name} {last_name}", "{last_name}", "{first_name}", "{login}"]}},
    {"claim": "timezone", "from": {"attribute": "timezone"}},
    {"claim": "labels", "from": {"attribute": "plan"}}
]}"#;

struct Trial {
    app: App,
    _server: Server,
    standin: StandIn,
    desk: DeskId,
    _folder: tempfile::TempDir,
}

impl Trial {
    fn new(csv: &str, faster: u32) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let now = clock::system();
        let standin = StandIn::start(
            "127.0.0.1:0",
            b"a secret for the trial, and nothing else",
            Play::default(),
            move || now(),
        )?;
        let source = Source::default()
            .with("database_url", &format!("sqlite:{}", folder.path().join("trial.db").display()))
            .with("listen", "127.0.0.1:0")
            .with("log", "error")
            .with("deskpro_url", &standin.deskpro_url())
            .with("init_script_url", &standin.init_script_url())
            .with("messenger_id", standin.messenger_id());
        let settings = config::check(&source).map_err(|problems| format!("{problems:?}"))?;
        let watch = clock::Stopwatch::start();
        let monotonic: clock::Monotonic = Arc::new(move || watch.elapsed() * faster);
        let app = App::open_with(settings, clock::system(), monotonic)?;
        let (caller, messenger) = (Caller::cli(), MessengerId::default());
        let imported = app.import_users(csv.as_bytes(), Options::default(), &caller, |_| {}, |_| {})?;
        println!("users: {imported:?}");
        app.publish_mapping(&messenger, MAPPING, "the trial's own", &caller)?;
        let server = Server::start(app.clone(), false)?;
        let new = NewDesk { messenger, key: API_KEY.into(), is_private: true };
        let desk = app.connect_desk(&new, &caller)?.id;
        let texts = [("every_minutes", "0"), ("request_seconds", "1")];
        let texts: Texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        app.change_desk(&desk, &texts, None, &caller)?;
        // The import is no reason for a second run.
        Ok(Self { app, _server: server, standin, desk, _folder: folder })
    }

    fn status(&self) -> Result<DeskStatus, Failed> {
        Ok(self.app.desk_status(&self.desk)?)
    }

    /// Waits until nothing is left to do.
    fn settled(&self) -> Result<DeskStatus, Failed> {
        loop {
            let status = self.status()?;
            let is_idle = status.running().is_none() && status.stored.wanted.is_none() && status.due == 0;
            if is_idle && status.runs.first().is_some_and(|run| run.ended_at.is_some()) {
                return Ok(status);
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    fn run(&self) -> Result<Run, Failed> {
        // The import may have been a reason for a run of its own.
        while let Err(error) = self.app.start_run(&self.desk, RunKind::Sync, "button", &Caller::cli()) {
            if !matches!(error, AppError::Taken(_)) {
                return Err(error.into());
            }
            self.settled()?;
        }
        let status = self.settled()?;
        Ok(status.runs.into_iter().next().ok_or("there is no run")?)
    }

    fn writes(&self) -> usize {
        self.standin.asked().iter().filter(|asked| asked.method == "PUT" || asked.status == 201).count()
    }
}

fn faults(file: &str, out: &Path) -> Result<(), Failed> {
    let csv = std::fs::read_to_string(file)?;
    let trial = Trial::new(&csv, FASTER)?;
    // Addresses of 100 users who are there and have a verified one.
    let mut planted = Vec::new();
    let mut verified = 0;
    trial.app.each_user(|user| {
        let address = user.text("email").filter(|_| user.attributes.email_verified() == Some(true));
        if let Some(address) = address {
            verified += 1;
            if verified % 25 == 0 && planted.len() < 100 {
                planted.push(address);
            }
        }
    })?;
    let kinds = [Fault::DupeEmail, Fault::Field("name".into()), Fault::Field("labels".into())];
    let mut rules: Vec<FaultRule> = planted
        .iter()
        .zip(kinds.iter().cycle())
        .map(|(address, fault)| FaultRule { fault: fault.clone(), on: On::Person(address.clone()) })
        .collect();
    let date = "Fri, 01 Jan 2021 00:00:00 GMT";
    let retryable = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Reset,
        Fault::Lost,
        Fault::Html,
        Fault::BadJson,
        Fault::Limited("1".into()),
        Fault::Limited(date.into()),
        Fault::Limited(String::new()),
        Fault::Maintenance("1".into()),
        Fault::Hang,
    ];
    rules.extend(retryable.into_iter().map(|fault| FaultRule { fault, on: On::OneIn(20) }));
    trial.standin.set_faults(rules);
    let watch = clock::Stopwatch::start();
    trial.app.pause_desk(&trial.desk, false, &Caller::cli())?;
    let run = trial.run()?;
    println!("until all are there: {:?} in {} s", run.state, watch.elapsed().as_secs());
    for run in trial.status()?.runs.iter().rev() {
        println!("run because of {}: {:?}", run.cause, run.counts);
    }
    let (asked, writes) = (trial.standin.asked().len(), trial.writes());
    trial.standin.set_faults(
        planted
            .iter()
            .zip(kinds.iter().cycle())
            .map(|(address, fault)| FaultRule { fault: fault.clone(), on: On::Person(address.clone()) })
            .collect(),
    );
    let again = trial.run()?;
    println!("second run: {:?}: {:?}", again.state, again.counts);
    println!(
        "requests: {asked} for {} users, {:.2} for each; the second run: {} requests, {} writes",
        run.counts.compared,
        f64::from(u32::try_from(asked)?) / f64::from(u32::try_from(run.counts.compared.max(1))?),
        trial.standin.asked().len() - asked,
        trial.writes() - writes,
    );
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("people.json"), serde_json::to_string(&trial.standin.people())?)?;
    let mut users = BTreeMap::new();
    for state in PersonState::ALL {
        let mut after = None;
        loop {
            let listed = trial.app.people_in_state(&trial.desk, state, after.as_ref(), 500)?;
            let Some(last) = listed.last() else { break };
            after = Some(last.row.user_id.clone());
            for listed in listed {
                let row = listed.row;
                users.insert(
                    listed.login,
                    json!({ "state": row.state.as_str(), "code": row.code, "words": row.words, "person": row.deskpro_id }),
                );
            }
        }
    }
    std::fs::write(
        out.join("users.json"),
        serde_json::to_string(&json!({ "users": users, "planted": planted }))?,
    )?;
    Ok(())
}

fn growth(sizes: &[usize]) -> Result<(), Failed> {
    println!(
        "{:>9} {:>10} {:>10} {:>10} {:>8} {:>10}",
        "users", "requests", "seconds", "per user", "memory", "second"
    );
    for size in sizes {
        let mut csv = String::from("login,email,email_verified,display_name,plan,timezone\n");
        for number in 0..*size {
            writeln!(csv, "user{number},user{number}@example.com,yes,User {number},gold,UTC")?;
        }
        let trial = Trial::new(&csv, 1)?;
        trial.standin.set_latency(Duration::from_millis(5));
        let before = resident();
        let watch = clock::Stopwatch::start();
        trial.app.pause_desk(&trial.desk, false, &Caller::cli())?;
        let run = trial.run()?;
        let seconds = watch.elapsed().as_secs_f64();
        let memory = resident().saturating_sub(before);
        // The import may have been a reason for a run of its own.
        let requests: i64 = trial.status()?.runs.iter().map(|run| run.counts.requests).sum();
        let watch = clock::Stopwatch::start();
        let again = trial.run()?;
        assert_eq!((run.state, again.state), (RunState::Done, RunState::Done), "{run:?} {again:?}");
        #[expect(clippy::cast_precision_loss, reason = "numbers of users are far smaller")]
        let each = seconds * 1_000.0 / *size as f64;
        println!(
            "{size:>9} {:>10} {seconds:>10.1} {each:>7.2} ms {:>4} MiB {:>8.1} s",
            requests,
            memory >> 20,
            watch.elapsed().as_secs_f64(),
        );
    }
    Ok(())
}

/// The memory of this process, in bytes; the stand-in is part of it.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["faults", file, out] => faults(file, Path::new(out)),
        ["growth"] => growth(&[1_000, 10_000, 100_000]),
        ["growth", sizes @ ..] => {
            let sizes: Result<Vec<usize>, _> = sizes.iter().map(|size| size.parse()).collect();
            growth(&sizes?)
        }
        _ => Err("use: sync_trial faults USERS.csv OUT | growth [USERS…]".into()),
    }
}
