//! Handshakes under way at one door: a limited number at a time; those that hang make room first.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use stampede_domain::{DurationMs, UnixMillis};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

/// Time that a handshake has in any case, in milliseconds: some round trips over a bad line.
const GRACE: DurationMs = DurationMs::from_secs(2);

const NEVER_CLOSED: &str = "the semaphore is never closed";

/// Handshakes under way, the oldest first.
#[derive(Debug)]
pub(crate) struct Handshakes {
    slots: Arc<Semaphore>,
    max: usize,
    begun: VecDeque<(UnixMillis, oneshot::Sender<()>)>,
}

/// One handshake's place among them, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    told: oneshot::Receiver<()>,
}

impl Handshakes {
    pub(crate) fn new(max: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(max)), max, begun: VecDeque::new() }
    }

    /// A place for a handshake that begins now. If all are taken, the oldest handshake whose grace is
    /// over makes room; as long as there is none, this waits.
    pub(crate) async fn begin(&mut self, now: impl Fn() -> UnixMillis) -> Slot {
        let permit = match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(&now).await,
        };
        if self.begun.len() >= 2 * self.max {
            self.begun.retain(|(_, one)| !one.is_closed());
        }
        let (sender, told) = oneshot::channel();
        self.begun.push_back((now(), sender));
        Slot { _permit: permit, told }
    }

    async fn wait(&mut self, now: &impl Fn() -> UnixMillis) -> OwnedSemaphorePermit {
        let mut free = pin!(Arc::clone(&self.slots).acquire_owned());
        if let Some(begun) = self.oldest() {
            let left = begun.plus(GRACE).since(now());
            if left > DurationMs::ZERO
                && let Ok(permit) = timeout(left.to_std(), &mut free).await
            {
                return permit.expect(NEVER_CLOSED);
            }
            if let Some((_, oldest)) = self.begun.pop_front() {
                // Whoever has finished meanwhile does not listen any more, but leaves its place.
                let _finished = oldest.send(());
            }
        }
        free.await.expect(NEVER_CLOSED)
    }

    /// When the oldest handshake that is still under way has begun.
    fn oldest(&mut self) -> Option<UnixMillis> {
        while self.begun.front().is_some_and(|(_, one)| one.is_closed()) {
            self.begun.pop_front();
        }
        self.begun.front().map(|(begun, _)| *begun)
    }
}

impl Slot {
    /// Ready once another handshake needs the place more.
    pub(crate) async fn is_needed(&mut self) {
        // An error says that nobody can ask any more, so nobody does.
        if (&mut self.told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, task::Poll};

    use super::*;

    /// Runs what is ready on a paused clock that the handshakes' clock follows.
    fn run(body: impl AsyncFnOnce(&Cell<u64>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(body(&Cell::new(1_000)));
    }

    async fn is_ready<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
        for _ in 0..8 {
            tokio::task::yield_now().await;
            let polled = std::future::poll_fn(|cx| {
                Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready())
            });
            if polled.await {
                return true;
            }
        }
        false
    }

    #[test]
    fn a_newcomer_waits_for_a_place_while_everybody_is_young() {
        run(async |time| {
            let now = || UnixMillis::new(time.get());
            let mut unfinished = Handshakes::new(2);
            let first = unfinished.begin(now).await;
            let _second = unfinished.begin(now).await;
            let mut third = pin!(unfinished.begin(now));
            assert!(!is_ready(&mut third).await);
            drop(first);
            assert!(is_ready(&mut third).await);
        });
    }

    #[test]
    fn the_oldest_makes_room_once_its_grace_is_over() {
        run(async |time| {
            let now = || UnixMillis::new(time.get());
            let mut unfinished = Handshakes::new(2);
            let mut first = unfinished.begin(now).await;
            let mut second = unfinished.begin(now).await;
            time.set(1_000 + GRACE.get());
            {
                let mut third = pin!(unfinished.begin(now));
                assert!(!is_ready(&mut third).await, "the place is not free before it is left");
                assert!(is_ready(&mut pin!(first.is_needed())).await);
                drop(first);
                assert!(is_ready(&mut third).await);
            }
            assert!(!is_ready(&mut pin!(second.is_needed())).await);
        });
    }

    #[test]
    fn those_that_have_finished_are_not_remembered() {
        run(async |time| {
            let now = || UnixMillis::new(time.get());
            let mut unfinished = Handshakes::new(4);
            let _stays = unfinished.begin(now).await;
            for _ in 0..1_000 {
                drop(unfinished.begin(now).await);
                assert!(unfinished.begun.len() <= 8);
            }
        });
    }
}
