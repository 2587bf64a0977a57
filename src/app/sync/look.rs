//! A look at the addresses of all users before any of them is sent.

use super::one::Sender;
use super::talk::Halt;
use crate::core::id::UserId;
use crate::core::shared_values::SharedValues;
use crate::core::user::User;
use crate::store::users;

/// How many users are read at a time.
const PAGE: i64 = 500;

impl Sender<'_> {
    /// Looks at the addresses of all users. Nothing is sent.
    pub fn shared_addresses(&self) -> Result<SharedValues, Halt> {
        let mut found = SharedValues::default();
        self.each_address(|_, address| found.add(address))?;
        if found.is_any_shared() {
            // Whose they are is rarely asked.
            self.each_address(|user, address| found.name(address, user.login.as_str()))?;
        }
        Ok(found)
    }

    fn each_address(&self, mut note: impl FnMut(&User, &str)) -> Result<(), Halt> {
        let mut after = None::<UserId>;
        loop {
            self.talk.go_on()?;
            let page = self.app.store().read(|db| users::page(db, after.as_ref(), PAGE))?;
            let Some(last) = page.last().map(|user| user.id.clone()) else { return Ok(()) };
            for user in page.iter().filter(|user| !user.disabled) {
                let described = self.issuer.describe(user);
                if let Some(address) = described.person.email.filter(|_| described.refusal.is_none()) {
                    note(user, &address);
                }
            }
            after = Some(last);
        }
    }
}
