//! A client of the control API that asks until it is answered, and knows what is under way.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use super::{Live, PATIENCE};
pub(super) use crate::requests::{Answer, Request};
use crate::{error::DrillError, waiting::out_of_patience};

/// Requests under way at once; the server takes 256 of one merchant.
const UNDER_WAY_MAX: usize = 96;
/// Longest time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Time until a request without an answer is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// The largest answer: a page of what is to be done.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A client with one token.
pub(super) struct Http {
    target: SocketAddr,
    token: String,
    idle: Mutex<Vec<TcpStream>>,
    permits: Semaphore,
    live: Arc<Live>,
}

impl Http {
    pub(super) fn new(target: SocketAddr, token: &str, live: Arc<Live>) -> Self {
        let (idle, permits) = (Mutex::default(), Semaphore::new(UNDER_WAY_MAX));
        Self { target, token: token.to_owned(), idle, permits, live }
    }

    pub(super) const fn target(&self) -> SocketAddr {
        self.target
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request until it has an answer that stands.
    pub(super) async fn call(&self, request: &Request) -> Result<Answer, DrillError> {
        let answered = tokio::time::timeout(PATIENCE, async {
            loop {
                let permit = self.permits.acquire().await.expect("nobody closes it");
                let answer = tokio::time::timeout(ANSWER_MAX, self.once(request)).await;
                drop(permit);
                if let Ok(Ok(answer)) = answer
                    && !answer.asks_again()
                {
                    return answer;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        });
        answered.await.map_err(|_| out_of_patience("an answer of the control API"))
    }

    async fn once(&self, request: &Request) -> io::Result<Answer> {
        let idle = self.idle.lock().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(self.target).await?,
        };
        stream.write_all(&request.bytes(&self.token)).await?;
        let _sent = InFlight::new(&self.live.in_flight);
        let mut bytes = Vec::with_capacity(1_024);
        loop {
            if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > ANSWER_BYTES_MAX {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = Answer::parse(&bytes) {
                self.idle.lock().push(stream);
                return Ok(answer);
            }
        }
    }
}

/// A request that was sent and has no answer.
struct InFlight<'a>(&'a AtomicU64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
