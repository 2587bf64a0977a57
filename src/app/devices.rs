//! Native apps: signed in with a password or a code, identified by a device token, listed and ended.

use super::audit::{Event, record};
use super::guesses::Guessed;
use super::handovers::Presenter;
use super::login::Guess;
use super::sessions::SignedIn;
use super::{App, AppError, Caller, clock};
use crate::core::id::UserId;
use crate::core::messenger::Platform;
use crate::core::name;
use crate::core::secret::digest;
use crate::core::session::{Device, Limits, Stay, is_due};
use crate::core::user::{Login, Role, User};
use crate::store::handovers::Handover;
use crate::store::users::Held;
use crate::store::{ChangeKind, Tx, devices};

/// What an app says about the device it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDevice {
    /// The name that its user gave it, such as "Ana's phone".
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
}

/// Devices that one user may be signed in on. One more ends the device that was used least recently.
pub const MOST_DEVICES: i64 = 50;

/// A device that was just signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// What is stored of it.
    pub device: Device,
    /// Its token, shown only this once.
    pub token: String,
    /// When it ends if it is not used again, unix seconds.
    pub expires_at: i64,
}

impl std::fmt::Debug for Begun {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A device that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveDevice {
    /// The device.
    pub device: Device,
    /// When it ends if it is not used again, unix seconds.
    pub ends_at: i64,
}

impl App {
    /// Signs an app in with a password, by the same rules and limits as the form.
    pub fn log_in_device(
        &self,
        login: &str,
        password: &str,
        new: &NewDevice,
        network: &str,
        caller: &Caller,
    ) -> Result<Guess<Begun>, AppError> {
        let device = named(new)?;
        let failed = |known| Event::SignInFailed { known };
        let guess = self.guess(&Guessed { login, password, network }, caller, failed, |tx, user| {
            self.begin_device(tx, user, &device, None, caller).map(Some)
        });
        self.count_sign_in(&guess);
        guess
    }

    /// Signs an app in with a code from the site's server.
    pub fn log_in_device_by_code(
        &self,
        code: &str,
        presenter: Presenter<'_>,
        new: &NewDevice,
        caller: &Caller,
    ) -> Result<Begun, AppError> {
        let device = named(new)?;
        self.swap(code, presenter, caller, |tx, handover, user| {
            self.begin_device(tx, user, &device, Some(handover), caller).map(Some)
        })
    }

    fn begin_device(
        &self,
        tx: &mut Tx<'_>,
        user: &Held<'_>,
        new: &NewDevice,
        by: Option<&Handover>,
        caller: &Caller,
    ) -> Result<Begun, AppError> {
        let now = self.now();
        let token = format!("device_{}", clock::new_secret());
        let device = Device {
            id: clock::new_id(),
            user_id: user.id.clone(),
            messenger: by.map(|code| code.messenger_id.clone()),
            key_id: by.map(|code| code.key_id.clone()),
            name: new.name.clone(),
            platform: new.platform.as_str().to_owned(),
            created_at: now,
            used_at: now,
            address: caller.address.clone(),
        };
        for ended in devices::end_oldest(tx, &user.id, MOST_DEVICES - 1)? {
            tx.changed(ChangeKind::Session, &ended);
        }
        devices::insert(tx, user, &device, &digest(&token))?;
        let event = Event::DeviceSignedIn { name: device.name.clone(), platform: new.platform.as_str() };
        record(tx, now, &caller.as_user(&user.id), &event, &user.id)?;
        let expires_at = ends_at(&device, &self.settings().sessions);
        Ok(Begun { device, token, expires_at })
    }

    /// The user of a device token, if the device is live. This is recorded as a use, written at most
    /// every five minutes.
    pub fn device(&self, token: &str, caller: &Caller) -> Result<Option<(SignedIn, Device)>, AppError> {
        let (now, limits) = (self.now(), self.settings().sessions);
        let digest = digest(token);
        let found = self.store().read(|db| devices::live(db, &digest, now, &limits))?;
        let Some((mut device, user)) = found else { return Ok(None) };
        let mut is_written = true;
        if must_be_written(&device, &user, &limits, now) {
            let written = self.store().write(now, |tx| devices::touch(tx, &device.id, now, &caller.address));
            if let Err(error) = written {
                super::warn_unwritten("a device's use", &error);
                is_written = false;
            }
            device.used_at = now;
            device.created_at = device.created_at.min(now);
        }
        let mut signed_in = signed_in(&device, user, digest, &limits);
        if !is_written {
            signed_in.due_at = now;
        }
        Ok(Some((signed_in, device)))
    }

    /// The same on the calling thread, if it can be read from SQLite without waiting and nothing has to be written.
    /// `None`: use [`App::device`], which may wait.
    pub fn device_at_once(&self, token: &str) -> Option<(SignedIn, Device)> {
        let (now, limits) = (self.now(), self.settings().sessions);
        let digest = digest(token);
        let (device, user) = self.store().read_at_once(|db| devices::live(db, &digest, now, &limits))??;
        (!must_be_written(&device, &user, &limits, now))
            .then(|| (signed_in(&device, user, digest, &limits), device))
    }

    /// The devices of a user that may be used, the most recently used first.
    pub fn devices(&self, user_id: &UserId) -> Result<Vec<LiveDevice>, AppError> {
        let (now, limits) = (self.now(), self.settings().sessions);
        let found = self.store().read(|db| devices::of(db, user_id, now, &limits))?;
        let with_end = |device: Device| {
            let ends_at = ends_at(&device, &limits);
            LiveDevice { device, ends_at }
        };
        Ok(found.into_iter().map(with_end).collect())
    }

    /// Ends one of a user's devices: its next request is refused.
    pub fn end_device(&self, user_id: &UserId, id: &str, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let Some((name, digest)) = devices::delete(tx, id, user_id)? else {
                return Err(AppError::NotFound(
                    "There is no such device; it may have been signed out already.".into(),
                ));
            };
            record(tx, now, caller, &Event::DeviceEnded { name }, user_id)?;
            tx.changed(ChangeKind::Session, digest);
            Ok(())
        })
    }

    /// The same for an admin, who names the user.
    pub fn end_device_of(&self, login: &Login, id: &str, caller: &Caller) -> Result<(), AppError> {
        let user = self.user(login)?;
        self.end_device(&user.id, id, caller)
    }
}

/// Whether a device's use has to be written.
fn must_be_written(device: &Device, user: &User, limits: &Limits, now: i64) -> bool {
    let every = limits.written_every(Stay::Device, user.role);
    is_due(device.used_at, every, now) || device.created_at > now
}

fn signed_in(device: &Device, user: User, digest: String, limits: &Limits) -> SignedIn {
    SignedIn {
        ends_at: ends_at(device, limits),
        confirmed_at: 0,
        is_console_open: false,
        digest,
        due_at: device.used_at.saturating_add(limits.written_every(Stay::Device, user.role)),
        messengers: device.messenger.clone().into_iter().collect(),
        user,
    }
}

/// When a device ends if it is not used again. The user's role does not matter.
fn ends_at(device: &Device, limits: &Limits) -> i64 {
    limits.end(Stay::Device, Role::User, device.created_at, device.used_at)
}

/// A device with a name that can be stored.
fn named(new: &NewDevice) -> Result<NewDevice, AppError> {
    let name = name::parse(&new.name).ok_or_else(|| {
        let longest = name::LONGEST;
        AppError::BadDevice(format!(
            "name: send a name that the user knows the device by, with 1 to {longest} characters."
        ))
    })?;
    Ok(NewDevice { name, platform: new.platform })
}
