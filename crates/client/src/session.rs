//! A viewer that stays: reconnects, repeats unanswered buys with their keys.

use std::pin::Pin;

use rand::Rng;
use stampede_domain::{DropId, HoldId, IdempotencyKey};
use stampede_wire::{Reconnect, Refused, Request, ServerMessage, Welcome};
use tokio::time::{Sleep, sleep};

use crate::{Backoff, ClientError, ConnectOptions, Connection};

/// Unanswered buys that a session keeps.
pub const PENDING_MAX: usize = 64;

/// What happens in a session.
#[derive(Debug)]
pub enum Event {
    /// Connected, for the first time or again. The welcome replaces all that was known before.
    Connected(Box<Welcome>),
    /// A message came.
    Message(ServerMessage),
    /// The connection is gone; another attempt follows after a delay.
    Lost(ClientError),
}

/// A viewer's stay on one stream across connections.
pub struct Session<R> {
    options: ConnectOptions,
    ticket: String,
    rng: R,
    backoff: Backoff,
    state: State,
    pending: Vec<PendingBuy>,
}

enum State {
    Connecting,
    Waiting(Pin<Box<Sleep>>),
    Connected(Box<Connection>),
}

struct PendingBuy {
    drop: DropId,
    sku: Box<str>,
    units: u32,
    key: IdempotencyKey,
    sent: bool,
}

impl<R: Rng> Session<R> {
    /// A session that connects at the first [`Session::next`].
    pub const fn new(options: ConnectOptions, ticket: String, backoff: Backoff, rng: R) -> Self {
        Self { options, ticket, rng, backoff, state: State::Connecting, pending: Vec::new() }
    }

    /// Takes a new ticket: for the open connection, if there is one, and for the next ones.
    pub async fn refresh(&mut self, ticket: String) -> Result<(), ClientError> {
        self.ticket = ticket;
        match &mut self.state {
            State::Connected(connection) => connection.refresh(&self.ticket).await,
            State::Connecting | State::Waiting(_) => Ok(()),
        }
    }

    /// Queues a buy. [`Session::next`] sends it, again after each reconnect, with the same key,
    /// until `held`, `order` or `refused` answers it.
    ///
    /// # Errors
    /// [`ClientError::TooManyPending`].
    pub fn buy(
        &mut self,
        drop: DropId,
        sku: &str,
        units: u32,
        key: IdempotencyKey,
    ) -> Result<(), ClientError> {
        if self.pending.len() == PENDING_MAX {
            return Err(ClientError::TooManyPending { max: PENDING_MAX });
        }
        self.pending.push(PendingBuy { drop, sku: sku.into(), units, key, sent: false });
        Ok(())
    }

    /// Starts the sandbox payment if there is a connection. It is not repeated: the next welcome
    /// shows whether the hold is still open.
    pub async fn pay(&mut self, hold: HoldId) -> Result<(), ClientError> {
        match &mut self.state {
            State::Connected(connection) => connection.pay(hold).await,
            State::Connecting | State::Waiting(_) => Err(ClientError::Broken { source: None }),
        }
    }

    /// Gives a hold back if there is a connection. It is not repeated; see [`Session::pay`].
    pub async fn release(&mut self, hold: HoldId) -> Result<(), ClientError> {
        match &mut self.state {
            State::Connected(connection) => connection.release(hold).await,
            State::Connecting | State::Waiting(_) => Err(ClientError::Broken { source: None }),
        }
    }

    /// The next event; sends, reconnects and waits as needed. Cancelling it during an attempt to
    /// connect starts that attempt anew, and may repeat a buy with its key.
    ///
    /// # Errors
    /// What reconnecting does not mend. After [`Session::refresh`] with a better ticket, calling it
    /// again goes on.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            let done = match &mut self.state {
                State::Waiting(delay) => {
                    delay.as_mut().await;
                    self.state = State::Connecting;
                    continue;
                }
                State::Connecting => self.connect().await,
                State::Connected(connection) => {
                    Self::step(connection, &mut self.pending).await.map(Event::Message)
                }
            };
            return match done {
                Ok(event) => {
                    self.note(&event);
                    Ok(event)
                }
                Err(error) => self.lost(error),
            };
        }
    }

    async fn connect(&mut self) -> Result<Event, ClientError> {
        let (connection, welcome) = Connection::open(&self.options, &self.ticket).await?;
        self.state = State::Connected(Box::new(connection));
        for buy in &mut self.pending {
            buy.sent = false;
        }
        Ok(Event::Connected(Box::new(welcome)))
    }

    async fn step(
        connection: &mut Connection,
        pending: &mut [PendingBuy],
    ) -> Result<ServerMessage, ClientError> {
        for buy in pending.iter_mut().filter(|buy| !buy.sent) {
            connection.buy(buy.drop, &buy.sku, buy.units, &buy.key).await?;
            buy.sent = true;
        }
        connection.next().await
    }

    fn note(&mut self, event: &Event) {
        let Event::Message(message) = event else { return };
        // A server that welcomes and then closes at once has not recovered; one that speaks has.
        self.backoff.reset();
        let answered = match message {
            ServerMessage::Held(held) => held.key.as_ref(),
            ServerMessage::Order(order) => order.key.as_ref(),
            ServerMessage::Refused(Refused { request: Request::Buy, key, .. }) => key.as_ref(),
            _ => None,
        };
        if let Some(key) = answered {
            self.pending.retain(|buy| buy.key != *key);
        }
    }

    fn lost(&mut self, error: ClientError) -> Result<Event, ClientError> {
        if error.reconnect() == Reconnect::WithBackoff {
            let delay = self.backoff.next_delay(&mut self.rng);
            self.state = State::Waiting(Box::pin(sleep(delay)));
            return Ok(Event::Lost(error));
        }
        self.state = State::Connecting;
        Err(error)
    }
}
