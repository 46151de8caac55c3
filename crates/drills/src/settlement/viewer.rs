//! A viewer of the drill: buys, pays, gives back, remembers everything that it is told.

use std::{
    cell::RefCell, collections::BTreeSet, rc::Rc, sync::Arc, sync::atomic::Ordering, time::Duration,
};

use parking_lot::Mutex;
use rand::{SeedableRng, rngs::StdRng};
use stampede_client::{
    Backoff, ConnectOptions, Event, Held, Order, Refused, Request, ServerMessage, Session,
};
use stampede_domain::{DropId, HoldId};
use tokio::sync::{Notify, mpsc};

use super::{
    Live, PATIENCE, SKU,
    books::{Books, Goods},
};
use crate::{error::DrillError, waiting::out_of_patience};

/// Wishes that wait to be sent.
const WISHES_MAX: usize = 64;
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_millis(400);

/// What a viewer wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    Buy { drop: DropId, units: u32, number: u32 },
    Pay(HoldId),
    Release(HoldId),
}

/// What a viewer was told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) held: Vec<Held>,
    /// Buys that got nothing.
    pub(super) refused: usize,
    pub(super) ended: BTreeSet<HoldId>,
    pub(super) ordered: BTreeSet<HoldId>,
    /// Payments at the sandbox that failed.
    pub(super) failed: BTreeSet<HoldId>,
    /// Payments that did not begin and will not.
    pub(super) pays_refused: BTreeSet<HoldId>,
    /// Holds that could not be given back.
    pub(super) releases_refused: BTreeSet<HoldId>,
    broken: Option<DrillError>,
}

/// The other end of a viewer's connection.
pub(super) struct Viewer {
    wishes: mpsc::Sender<Wish>,
    pub(super) seen: Rc<RefCell<Seen>>,
    news: Rc<Notify>,
}

struct Pump {
    session: Session<StdRng>,
    seen: Rc<RefCell<Seen>>,
    news: Rc<Notify>,
    books: Arc<Mutex<Books>>,
    live: Arc<Live>,
}

impl Viewer {
    /// Connects in the background.
    pub(super) fn start(
        options: ConnectOptions,
        ticket: String,
        seed: u64,
        books: Arc<Mutex<Books>>,
        live: Arc<Live>,
    ) -> Self {
        let backoff = Backoff::new(BACKOFF_FIRST, BACKOFF_LONGEST);
        let session = Session::new(options, ticket, backoff, StdRng::seed_from_u64(seed));
        let (wishes, wished) = mpsc::channel(WISHES_MAX);
        let (seen, news) = (Rc::<RefCell<Seen>>::default(), Rc::<Notify>::default());
        let pump = Pump { session, seen: Rc::clone(&seen), news: Rc::clone(&news), books, live };
        tokio::task::spawn_local(pump.run(wished));
        Self { wishes, seen, news }
    }

    /// Asks for something; what comes of it is seen later.
    pub(super) async fn wish(&self, wish: Wish) {
        // A connection that has ended for good shows at the next look.
        let _ended = self.wishes.send(wish).await;
    }

    /// Waits until something was told.
    pub(super) async fn wait(
        &self,
        what: &'static str,
        done: impl Fn(&Seen) -> bool,
    ) -> Result<(), DrillError> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let news = self.news.notified();
                if let Some(error) = self.seen.borrow_mut().broken.take() {
                    return Err(error);
                }
                if done(&self.seen.borrow()) {
                    return Ok(());
                }
                news.await;
            }
        });
        waited.await.unwrap_or_else(|_| Err(out_of_patience(what)))
    }
}

impl Pump {
    async fn run(mut self, mut wished: mpsc::Receiver<Wish>) {
        loop {
            tokio::select! {
                wish = wished.recv() => match wish {
                    Some(wish) => self.ask(wish),
                    None => return,
                },
                event = self.session.next() => match event {
                    Ok(event) => self.hear(event),
                    Err(error) => {
                        self.seen.borrow_mut().broken = Some(error.into());
                        self.news.notify_waiters();
                        return;
                    }
                },
            }
        }
    }

    fn ask(&mut self, wish: Wish) {
        let asked = match wish {
            Wish::Buy { drop, units, number } => {
                let key = format!("b{number}").parse().expect("a letter with a number");
                self.session.buy(drop, SKU, units, key)
            }
            Wish::Pay(hold) => self.session.pay(hold),
            Wish::Release(hold) => self.session.release(hold),
        };
        if let Err(error) = asked {
            self.seen.borrow_mut().broken = Some(error.into());
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connected(welcome) => {
                welcome.holds.iter().for_each(|held| self.held(held));
                welcome.orders.iter().for_each(|order| self.order(order));
            }
            Event::Message(message) => self.message(&message),
            Event::Postponed(refused) => {
                // What is sold out may be had later; this viewer does not wait for it.
                if let Some(key) = &refused.key
                    && refused.code.as_ref() != "busy"
                    && self.session.forget(key)
                {
                    self.seen.borrow_mut().refused += 1;
                }
            }
            Event::Lost(_) | Event::TicketLate(_) => {}
        }
        self.news.notify_waiters();
    }

    fn message(&mut self, message: &ServerMessage) {
        let mut seen = self.seen.borrow_mut();
        match message {
            ServerMessage::Held(held) => {
                drop(seen);
                self.held(held);
            }
            ServerMessage::Order(order) => {
                drop(seen);
                self.order(order);
            }
            ServerMessage::Refused(Refused { request: Request::Buy, .. }) => seen.refused += 1,
            ServerMessage::Refused(Refused { request: Request::Release, hold, .. }) => {
                seen.releases_refused.extend(*hold);
            }
            // One that is under way is asked for again after each reconnect.
            ServerMessage::Refused(refused) if refused.code.as_ref() != "payment_pending" => {
                seen.pays_refused.extend(refused.hold);
            }
            ServerMessage::Released(ended) | ServerMessage::Expired(ended) => {
                seen.ended.insert(ended.hold);
                self.books.lock().shown_ends.insert(ended.hold);
            }
            ServerMessage::PaymentFailed(failed) => {
                seen.failed.insert(failed.hold);
            }
            _ => {}
        }
    }

    fn held(&self, held: &Held) {
        let Held { hold, drop, units, amount_minor, .. } = *held;
        let goods = Goods { drop, units, amount: amount_minor };
        let is_news = self.books.lock().held(hold, goods);
        // A hold that a late payment made comes with a welcome too: nobody asked for it.
        if held.key.is_some() && !self.seen.borrow().held.iter().any(|known| known.hold == hold) {
            self.seen.borrow_mut().held.push(held.clone());
        }
        if is_news {
            self.live.holds.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn order(&self, order: &Order) {
        self.seen.borrow_mut().ordered.insert(order.hold);
        self.books.lock().shown_orders.insert(order.order);
    }
}
