//! Places for making reports. The interface has one thread for everybody, so reports are read, drawn and written on
//! others; few at once, so that cores stay free for the sale. Whoever has a link takes no place of staff.

use axum::http::StatusCode;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::api::Refused;

/// Pages for whoever has a link: so many are made at once, so many more wait for it.
pub(super) static PUBLIC: Places = Places::new(1, 31);

/// Pages for staff.
pub(super) static STAFF: Places = Places::new(2, 62);

/// A number of places to make pages at, and to wait for that.
pub(super) struct Places {
    making: Semaphore,
    /// Places of both kinds.
    all: Semaphore,
}

impl Places {
    const fn new(making: usize, waiting: usize) -> Self {
        Self { making: Semaphore::const_new(making), all: Semaphore::const_new(making + waiting) }
    }

    /// Has a thread that may block do `work` as soon as there is a place for it.
    ///
    /// # Errors
    /// 503 if every place is taken; what `work` refuses.
    pub(super) async fn make<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let full = |_| Refused::of(StatusCode::SERVICE_UNAVAILABLE);
        let place = self.all.try_acquire().map_err(full)?;
        let making = self.making.acquire().await.expect("places are never closed");
        // The work has its places until it ends, also where nobody waits for it any more.
        let made = spawn_blocking(move || {
            let _places = (place, making);
            work()
        });
        made.await.map_err(|_| Refused::of(StatusCode::INTERNAL_SERVER_ERROR))?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_full_house_refuses_and_lets_in_as_soon_as_a_place_is_free() {
        static HOUSE: Places = Places::new(1, 1);
        let (go, wait) = mpsc::sync_channel::<()>(1);
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let first = tokio::spawn(HOUSE.make(move || {
            begun.send(()).expect("the test waits for it");
            wait.recv().map_err(|_| Refused::of(StatusCode::GONE))
        }));
        // The thread that asks goes on meanwhile.
        has_begun.await.expect("the work begins");
        let second = tokio::spawn(HOUSE.make(|| Ok(2)));
        while HOUSE.all.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let third = HOUSE.make(|| Ok(3)).await.expect_err("it is full");
        assert_eq!(third.status, StatusCode::SERVICE_UNAVAILABLE);
        go.send(()).expect("the work waits for it");
        assert!(first.await.expect("no panic").is_ok());
        assert_eq!(second.await.expect("no panic").expect("a place became free"), 2);
        assert_eq!(HOUSE.make(|| Ok(4)).await.expect("it is empty"), 4);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        static HOUSE: Places = Places::new(1, 0);
        let broken: Result<(), Refused> = HOUSE.make(|| panic!("for the test")).await;
        assert_eq!(broken.expect_err("it panics").status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(HOUSE.make(|| Ok(1)).await.expect("it is empty"), 1);
    }
}
