//! The way from a handler to a use case: use cases wait for the database, so they run on their own threads.

use std::future::Future;

use actix_web::web;

use super::error::Failure;
use crate::app::{App, AppError};

/// The sender of a request: carries the product to the thread of the use case.
pub trait Asker: Clone + Send + 'static {
    /// The product.
    fn app(&self) -> &App;

    /// Runs a use case.
    fn run<T: Send + 'static, E: Into<Failure> + Send + 'static>(
        &self,
        work: impl FnOnce(&App, &Self) -> Result<T, E> + Send + 'static,
    ) -> impl Future<Output = Result<T, Failure>> {
        let asker = self.clone();
        self.app().count_waiting_work();
        async move {
            match web::block(move || work(asker.app(), &asker)).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => Err(Failure::Internal("the blocking threads no longer exist".into())),
            }
        }
    }

    /// The same, for errors that need a response of their own.
    fn attempt<T: Send + 'static>(
        &self,
        work: impl FnOnce(&App, &Self) -> Result<T, AppError> + Send + 'static,
    ) -> impl Future<Output = Result<Result<T, AppError>, Failure>> {
        self.run(move |app, asker| Ok::<_, AppError>(work(app, asker)))
    }
}

impl Asker for App {
    fn app(&self) -> &App {
        self
    }
}
