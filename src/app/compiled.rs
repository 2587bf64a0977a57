//! Published mappings, ready to run: read once per version, so that no token has to read one again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{App, AppError};
use crate::core::id::MessengerId;
use crate::core::mapping::Mapping;

/// By messenger: the mapping's text when a token was last requested, and its compiled form.
#[derive(Default)]
pub(super) struct Compiled(Mutex<HashMap<MessengerId, (String, Arc<Mapping>)>>);

impl App {
    /// The compiled form of a messenger's published mapping.
    pub(super) fn compiled(&self, messenger: &MessengerId, text: &str) -> Result<Arc<Mapping>, AppError> {
        let mut known = self.0.compiled.0.lock();
        if let Some((_, mapping)) = known.get(messenger).filter(|(known, _)| known == text) {
            return Ok(mapping.clone());
        }
        let mapping = Arc::new(Mapping::published(text).map_err(AppError::Mapping)?);
        self.0.metrics.compilations.inc();
        tracing::debug!(messenger = messenger.as_str(), "a mapping was compiled");
        known.insert(messenger.clone(), (text.to_owned(), mapping.clone()));
        Ok(mapping)
    }
}
