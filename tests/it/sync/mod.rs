//! Users kept in the stand-in through its API.

mod addresses;
mod alerts;
mod limits;
mod people;
mod runs;
mod visits;
mod webhook;

use countersign::app::Caller;
use countersign::app::clock::Monotonic;
use countersign::app::desks::NewDesk;
use countersign::app::sync::DeskStatus;
use countersign::config::Source;
use countersign::core::id::{DeskId, MessengerId};
use countersign::core::messenger::fields::Texts;
use countersign::core::sync::{PersonState, RunKind};
use countersign::core::user::Login;
use countersign::standin::{API_KEY, Asked, Person, Play, StandIn};
use countersign::store::people::PersonRow;
use countersign::store::runs::Run;

use crate::server::{BEGIN, KEY, Place, World, wait_until};

/// Every rule a person needs, and a token that only names the person.
pub const UPFRONT: &str = r#"{"token": "id", "rules": [
    {"claim": "deskpro_id", "from": {"attribute": "deskpro_id"}},
    {"claim": "email", "from": {"attribute": "email"}},
    {"claim": "emails", "from": {"attribute": "more"}},
    {"claim": "name", "from": {"constant": "A customer"}},
    {"claim": "usergroup_ids", "from": {"attribute": "plan"}, "steps": [{"lookup": {"values": {"gold": "7"}}}]}
]}"#;

/// A site whose helpdesk is a stand-in, connected and started.
pub struct Synced {
    pub world: World,
    pub standin: StandIn,
    pub desk: DeskId,
}

pub fn standin() -> StandIn {
    StandIn::start("127.0.0.1:0", KEY.as_bytes(), Play::default(), || BEGIN).expect("it listens")
}

/// A world whose messenger `default` belongs to a stand-in.
pub fn world(place: Place, standin: &StandIn) -> World {
    world_by(place, standin, countersign::app::clock::monotonic())
}

/// The same with another monotonic clock.
pub fn world_by(place: Place, standin: &StandIn, monotonic: Monotonic) -> World {
    let own = |source: Source| {
        source
            .with("deskpro_url", &standin.deskpro_url())
            .with("init_script_url", &standin.init_script_url())
            .with("messenger_id", standin.messenger_id())
    };
    let world = World::with_monotonic(place, own, monotonic);
    for name in ["plan", "more"] {
        world.attribute(name);
    }
    world.app.set_attribute("more", proved(), &Caller::cli(), |_| {}).expect("trusted");
    publish(&world, UPFRONT);
    world
}

fn proved() -> countersign::app::attributes::Change {
    countersign::app::attributes::Change { proved: Some(true), ..Default::default() }
}

pub fn publish(world: &World, mapping: &str) {
    let id = MessengerId::default();
    world.app.publish_mapping(&id, mapping, "a test", &Caller::cli()).expect("published");
}

impl Synced {
    /// Nothing is sent by itself, except for users who change.
    pub fn new(place: Place) -> Self {
        let standin = standin();
        let world = world(place, &standin);
        let desk = connect(&world);
        Self { world, standin, desk }
    }

    /// Changes a setting of the desk.
    pub fn set(&self, name: &str, value: &str) {
        set(&self.world, &self.desk, name, value);
    }

    /// A run over all users, and how it ended.
    pub fn run(&self) -> Run {
        self.run_of(RunKind::Sync)
    }

    pub fn run_of(&self, kind: RunKind) -> Run {
        run(&self.world, &self.desk, kind)
    }

    pub fn status(&self) -> DeskStatus {
        self.world.app.desk_status(&self.desk).expect("a status")
    }

    /// What is known of a user.
    pub fn row(&self, login: &str) -> PersonRow {
        self.known(login).expect("a row")
    }

    pub fn known(&self, login: &str) -> Option<PersonRow> {
        let user = self.world.app.user(&Login::parse(login).expect("a login")).expect("a user");
        self.world.app.person_row(&self.desk, &user.id).expect("it is read")
    }

    pub fn state(&self, login: &str) -> (PersonState, String) {
        let row = self.row(login);
        (row.state, row.code)
    }

    /// The payload of a user's token, or the code of the refusal.
    pub fn payload(&self, login: &str) -> serde_json::Value {
        let user = self.world.app.user(&Login::parse(login).expect("a login")).expect("a user");
        let issuer = self.world.app.issuer(&MessengerId::default(), None).expect("an issuer");
        match issuer.payload(&user) {
            Ok(payload) => serde_json::to_value(payload).expect("JSON"),
            Err(refusal) => refusal.code.as_str().into(),
        }
    }

    /// The person with an address, however it is written.
    pub fn person(&self, address: &str) -> Option<Person> {
        let has =
            |person: &Person| person.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(address));
        let mut found = self.standin.people().into_iter().filter(has);
        let first = found.next();
        assert_eq!(found.next(), None, "two people have {address}");
        first
    }

    /// Waits until nobody is due and all changes were looked at.
    pub fn settle(&self) {
        settle(&self.world, &self.desk);
    }

    /// The requests that write something.
    pub fn writes(&self) -> Vec<Asked> {
        let is_write = |asked: &Asked| asked.method == "PUT" || asked.status == 201;
        self.standin.asked().into_iter().filter(is_write).collect()
    }

    pub fn change(&self, login: &str, name: &str, value: &str) {
        let assignments = [(name.to_owned(), value.to_owned())];
        let login = Login::parse(login).expect("a login");
        self.world.app.change_user(&login, &assignments, &Caller::cli()).expect("changed");
    }
}

/// Connects the helpdesk of `default` and starts it, without runs by themselves.
pub fn connect(world: &World) -> DeskId {
    connect_messenger(world, &MessengerId::default())
}

pub fn connect_messenger(world: &World, messenger: &MessengerId) -> DeskId {
    let new = NewDesk { messenger: messenger.clone(), key: API_KEY.into(), is_private: true };
    let desk = world.app.connect_desk(&new, &Caller::cli()).expect("connected").id;
    set(world, &desk, "every_minutes", "0");
    world.app.pause_desk(&desk, false, &Caller::cli()).expect("started");
    desk
}

pub fn set(world: &World, desk: &DeskId, name: &str, value: &str) {
    let texts = Texts::from([(name.to_owned(), value.to_owned())]);
    world.app.change_desk(desk, &texts, None, &Caller::cli()).expect("changed");
}

pub fn run(world: &World, desk: &DeskId, kind: RunKind) -> Run {
    let latest = || world.app.desk_status(desk).expect("a status").runs.into_iter().next();
    let before = latest().map(|run| run.id);
    world.app.start_run(desk, kind, "button", &Caller::cli()).expect("asked for");
    let mut ended = None;
    wait_until("a run has ended", || {
        ended = latest().filter(|run| Some(&run.id) != before.as_ref() && run.ended_at.is_some());
        ended.is_some()
    });
    ended.expect("it has ended")
}

pub fn settle(world: &World, desk: &DeskId) {
    wait_until("nobody is due", || {
        let status = world.app.desk_status(desk).expect("a status");
        let store = countersign::store::Store::open(&world.database_url()).expect("the database opens");
        let latest = store.read(|db| countersign::store::changes::latest(db)).expect("a number");
        status.due == 0
            && status.stored.seen == latest
            && status.stored.wanted.is_none()
            && status.running().is_none()
    });
}
