//! A viewer that stays: reconnects, repeats what was not answered, renews its ticket.

use std::{pin::Pin, time::Duration};

use rand::Rng;
use stampede_domain::{DropId, HoldId, IdempotencyKey, TestCard};
use stampede_wire::{Reconnect, Refused, ServerMessage, Welcome};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::{
    Backoff, ClientError, ConnectOptions, Connection, RetryAfter, TicketSource,
    tickets::Fetching,
    wishes::{Heard, Wish, Wishes},
};

/// What happens in a session.
#[derive(Debug)]
pub enum Event {
    /// Connected, for the first time or again. The welcome replaces all that was known before.
    Connected(Box<Welcome>),
    /// A message came.
    Message(ServerMessage),
    /// A request was refused for now. It is sent again by itself, a buy with the same key: after the
    /// time that the server told, or once a [`TicketSource`] has brought the new ticket that it needs.
    /// [`Session::forget`] gives a buy up.
    Postponed(Refused),
    /// The connection is gone; another attempt follows after a delay.
    Lost(ClientError),
    /// No new ticket could be had; it is tried again while the old one is good.
    TicketLate(ClientError),
}

/// A viewer's stay on one stream across connections.
pub struct Session<R> {
    options: ConnectOptions,
    ticket: Option<String>,
    source: Option<TicketSource>,
    /// A ticket that was asked for; kept here so that a cancelled [`Session::next`] loses nothing.
    fetching: Option<Fetching>,
    /// When to ask for the next ticket, with when this one is over.
    renewal: Option<(Instant, Instant)>,
    /// Whether a ticket was refused since the last welcome: a second one will not be better.
    was_refused: bool,
    rng: R,
    backoff: Backoff,
    state: State,
    /// When the current connection has lived for a heartbeat.
    proven_at: Option<Instant>,
    wishes: Wishes,
}

enum State {
    Connecting,
    Waiting(Pin<Box<Sleep>>),
    Connected(Box<Connection>),
}

/// What ends a wait on an open connection.
enum WaitEnd {
    Message(Result<ServerMessage, ClientError>),
    Ticket(Result<String, ClientError>),
    /// A timer: something may be sent.
    Due,
}

impl<R: Rng> Session<R> {
    /// A session on one ticket that connects at the first [`Session::next`]. Once the ticket is over,
    /// [`Session::next`] says so; [`Session::refresh`] brings the next one.
    pub fn new(options: ConnectOptions, ticket: String, backoff: Backoff, rng: R) -> Self {
        Self::begin(options, Some(ticket), None, backoff, rng)
    }

    /// A session that asks `source` for its first ticket, and for the next one in good time.
    pub fn with_tickets(
        options: ConnectOptions,
        source: TicketSource,
        backoff: Backoff,
        rng: R,
    ) -> Self {
        Self::begin(options, None, Some(source), backoff, rng)
    }

    fn begin(
        options: ConnectOptions,
        ticket: Option<String>,
        source: Option<TicketSource>,
        backoff: Backoff,
        rng: R,
    ) -> Self {
        Self {
            options,
            ticket,
            source,
            fetching: None,
            renewal: None,
            was_refused: false,
            rng,
            backoff,
            state: State::Connecting,
            proven_at: None,
            wishes: Wishes::default(),
        }
    }

    /// Takes a new ticket: for the open connection, if there is one, and for the next ones.
    pub async fn refresh(&mut self, ticket: String) -> Result<(), ClientError> {
        let ticket = self.ticket.insert(ticket);
        match &mut self.state {
            State::Connected(connection) => connection.refresh(ticket).await,
            State::Connecting | State::Waiting(_) => Ok(()),
        }
    }

    /// Queues a buy. [`Session::next`] sends it, again after each reconnect, with the same key,
    /// until `held`, `order` or a lasting `refused` answers it.
    ///
    /// # Errors
    /// [`ClientError::TooManyPending`]; [`ClientError::KeyPending`] where another buy has the key.
    pub fn buy(
        &mut self,
        drop: DropId,
        sku: &str,
        units: u32,
        key: IdempotencyKey,
    ) -> Result<(), ClientError> {
        self.wishes.add(Wish::Buy { drop, sku: sku.into(), units, key })
    }

    /// Queues the sandbox payment of a hold. [`Session::next`] sends it, again after each reconnect,
    /// until `order`, `payment_failed` or a lasting `refused` answers it; if the hold is an order by then,
    /// that is `refused` with `hold_confirmed`, and the welcome lists the order.
    ///
    /// # Errors
    /// [`ClientError::TooManyPending`].
    pub fn pay(&mut self, hold: HoldId) -> Result<(), ClientError> {
        self.wishes.add(Wish::Pay { hold, card: None })
    }

    /// Queues the sandbox payment of a hold like [`Session::pay`], with a card that says what shall come of it, for
    /// trying.
    ///
    /// # Errors
    /// [`ClientError::TooManyPending`].
    pub fn pay_with(&mut self, hold: HoldId, card: TestCard) -> Result<(), ClientError> {
        self.wishes.add(Wish::Pay { hold, card: Some(card) })
    }

    /// Queues a release of a hold, sent like [`Session::pay`].
    ///
    /// # Errors
    /// [`ClientError::TooManyPending`].
    pub fn release(&mut self, hold: HoldId) -> Result<(), ClientError> {
        self.wishes.add(Wish::Release { hold })
    }

    /// Stops repeating a buy; `false` if it was answered before. What it may have bought already
    /// comes as `held` or with the next welcome.
    pub fn forget(&mut self, key: &IdempotencyKey) -> bool {
        self.wishes.forget(key)
    }

    /// The next event; sends, reconnects and waits as needed. Cancelling it loses
    /// nothing: an attempt to connect starts anew, a request may be sent twice, a buy with its key.
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
                State::Connecting => self.connect().await.map(Some),
                State::Connected(_) => self.step().await,
            };
            match done {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => return self.lost(error),
            }
        }
    }

    async fn connect(&mut self) -> Result<Event, ClientError> {
        if self.ticket.is_none() {
            if let (None, Some(source)) = (&self.fetching, &mut self.source) {
                self.fetching = Some(source.fetch());
            }
            self.ticket = Some(fetched(&mut self.fetching).await?);
        }
        let ticket = self.ticket.as_deref().unwrap_or_default();
        let (connection, welcome) = Connection::open(&self.options, ticket).await?;
        self.state = State::Connected(Box::new(connection));
        self.was_refused = false;
        self.wishes.welcomed();
        self.proven_at = Some(Instant::now() + Duration::from_millis(welcome.heartbeat_ms));
        self.plan_renewal(welcome.ticket_expires_in_ms);
        Ok(Event::Connected(Box::new(welcome)))
    }

    /// Between 70 and 90 % of the ticket's time: a crowd that came together does not ask together.
    fn plan_renewal(&mut self, expires_in_ms: u64) {
        if self.source.is_some() {
            let (now, left) = (Instant::now(), Duration::from_millis(expires_in_ms));
            let early = left.mul_f64(self.rng.random_range(0.7..0.9));
            self.renewal = Some((now + early, now + left));
        }
    }

    /// Sends what may be sent, waits for the next thing; `None` if that is nothing to tell.
    async fn step(&mut self) -> Result<Option<Event>, ClientError> {
        let State::Connected(connection) = &mut self.state else { return Ok(None) };
        let now = Instant::now();
        while let Some((place, wish)) = self.wishes.next(now) {
            connection.send(&wish.message()).await?;
            self.wishes.sent(place);
        }
        if self.renewal.is_some_and(|(at, _)| at <= now)
            && let (None, Some(source)) = (&self.fetching, &mut self.source)
        {
            self.fetching = Some(source.fetch());
        }
        let renewal = self.renewal.filter(|_| self.fetching.is_none()).map(|(at, _)| at);
        let due = self.wishes.due().into_iter().chain(renewal).min();
        let woken = tokio::select! {
            message = connection.next() => WaitEnd::Message(message),
            ticket = fetched(&mut self.fetching), if self.fetching.is_some() => WaitEnd::Ticket(ticket),
            () = until(due) => WaitEnd::Due,
        };
        match woken {
            WaitEnd::Due => Ok(None),
            WaitEnd::Message(message) => message.map(|message| Some(self.heard(message))),
            WaitEnd::Ticket(Ok(ticket)) => {
                self.refresh(ticket).await?;
                // Not before: who is cancelled meanwhile has another one fetched.
                self.renewal = None;
                Ok(None)
            }
            WaitEnd::Ticket(Err(error)) => Ok(Some(self.late(error))),
        }
    }

    fn heard(&mut self, message: ServerMessage) -> Event {
        // A server that welcomes and then closes at once has not recovered; one that speaks has.
        self.backoff.reset();
        if let ServerMessage::Refreshed(refreshed) = &message {
            self.plan_renewal(refreshed.ticket_expires_in_ms);
        }
        let (now, can_renew) = (Instant::now(), self.source.is_some());
        let heard = self.wishes.hear(&message, now, can_renew, &mut self.rng);
        // No renewal is planned while a new ticket is at the server already.
        if let (Heard::NeedsTicket, Some((at, _))) = (heard, &mut self.renewal) {
            *at = now;
        }
        match message {
            ServerMessage::Refused(refused) if heard != Heard::Told => Event::Postponed(refused),
            message => Event::Message(message),
        }
    }

    /// Asks again after a part of the time that is left, at least after a second.
    fn late(&mut self, error: ClientError) -> Event {
        if let Some((_, end)) = self.renewal {
            let now = Instant::now();
            let left = end.saturating_duration_since(now);
            let wait = left.mul_f64(self.rng.random_range(0.1..0.3)).max(Duration::from_secs(1));
            self.renewal = Some((now + wait, end));
        }
        Event::TicketLate(error)
    }

    fn lost(&mut self, error: ClientError) -> Result<Event, ClientError> {
        self.state = State::Connecting;
        self.renewal = None;
        // In a quiet stream no message comes, but a connection that has lived so long was a good one.
        if self.proven_at.take().is_some_and(|at| at <= Instant::now()) {
            self.backoff.reset();
        }
        let about_ticket = matches!(error, ClientError::Closed { code: Some(4100 | 4101), .. });
        if about_ticket && self.source.is_some() && !self.was_refused {
            // The source may have a better one; if that is refused too, the program is at fault.
            (self.was_refused, self.ticket) = (true, None);
        } else if error.reconnect() != Reconnect::WithBackoff {
            return Err(error);
        }
        let delay = match error.retry_after() {
            Some(RetryAfter::Own(delay)) => {
                self.backoff.reset();
                delay
            }
            Some(RetryAfter::Common(delay)) => delay + self.backoff.next_delay(&mut self.rng),
            None => self.backoff.next_delay(&mut self.rng),
        };
        self.state = State::Waiting(Box::pin(sleep(delay)));
        Ok(Event::Lost(error))
    }
}

/// The ticket that was asked for; for ever nothing if none was.
async fn fetched(fetching: &mut Option<Fetching>) -> Result<String, ClientError> {
    let Some(asked) = fetching else { return std::future::pending().await };
    let ticket = asked.await;
    *fetching = None;
    ticket.map_err(|source| ClientError::NoTicket { source })
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
