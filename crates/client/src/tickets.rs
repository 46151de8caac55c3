//! Where a session gets its tickets.

use std::{error::Error, future::Future, pin::Pin};

/// Why a source has no ticket.
pub type TicketSourceError = Box<dyn Error + Send + Sync>;

/// A ticket that is on its way.
pub(crate) type Fetching = Pin<Box<dyn Future<Output = Result<String, TicketSourceError>> + Send>>;

/// Asks the platform for the viewer's next ticket whenever a session needs one.
pub struct TicketSource(Box<dyn FnMut() -> Fetching + Send>);

impl TicketSource {
    /// A source that calls `fetch`, one call at a time.
    pub fn new<F, T, E>(mut fetch: F) -> Self
    where
        F: FnMut() -> T + Send + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<TicketSourceError>,
    {
        Self(Box::new(move || {
            let fetching = fetch();
            Box::pin(async move { fetching.await.map_err(Into::into) })
        }))
    }

    pub(crate) fn fetch(&mut self) -> Fetching {
        (self.0)()
    }
}
