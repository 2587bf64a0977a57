//! Once a day, a run reads what the helpdesk calls its ids.

use super::one::Sender;
use super::talk::Halt;
use crate::app::Caller;
use crate::app::catalogue::read_names;
use crate::deskpro::Error;

impl Sender<'_> {
    /// Reads the names, if they are old. A list that the key may not read does not end the run.
    pub fn refresh_names(&self) -> Result<(), Halt> {
        let origin = &self.desk.origin;
        if !self.app.are_names_old(origin)? {
            return Ok(());
        }
        let given = read_names(|list, page| {
            let asked = self.talk.ask(|client| match client.names(list, page) {
                Err(error @ Error::Forbidden(_)) => Ok(Err(error)),
                answer => answer.map(Ok),
            })?;
            Ok::<_, Halt>(asked.and_then(|answer| answer))
        })?;
        self.app.keep_names(origin, given, &Caller::system())?;
        Ok(())
    }
}
