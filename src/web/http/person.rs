//! A page whose user is no person at the helpdesk yet waits for it, not for long, and without a thread.

use actix_web::rt::time::timeout;
use tokio::sync::oneshot;

use super::error::Failure;
use super::run::Asker;
use crate::app::App;
use crate::app::clock::Stopwatch;
use crate::core::id::{MessengerId, UserId};

/// Forgets a page that is no longer there.
struct Leaving<'a> {
    app: &'a App,
    user: &'a UserId,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.app.forget_visit(self.user);
    }
}

/// Waits for the person of a user, if there is a reason to.
pub async fn wait_for_person(
    asker: &impl Asker,
    user: UserId,
    messenger: MessengerId,
) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let _leaving = Leaving { app: asker.app(), user: &user };
    // Whether it ended in vain, if there was a wait.
    let mut is_over = None;
    loop {
        let (say, said) = oneshot::channel();
        let (wanted, at) = (user.clone(), messenger.clone());
        let want = asker.run(move |app, _| {
            app.want_person(&wanted, &at, move || {
                // The page may have given up.
                let _ = say.send(());
            })
        });
        let Some(wait) = want.await? else { break };
        // Any change of the user may be the one.
        let left = wait.saturating_sub(watch.elapsed());
        is_over = Some(timeout(left, said).await.is_err());
        if is_over == Some(true) {
            break;
        }
    }
    if let Some(is_over) = is_over {
        asker.app().waited_for_person(&user, !is_over);
    }
    Ok(())
}
