//! The way from a handler to a use case: use cases wait for the database, so they run on threads of their own.

use actix_web::web;

use super::error::Failure;

/// Runs a use case on a blocking thread.
pub async fn blocking<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    match web::block(work).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(Failure::Internal("the blocking threads are gone".into())),
    }
}
