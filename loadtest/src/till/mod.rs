//! The till of a platform: its viewers pay here, at a provider that is played, and the server hears what became of it.
//!
//! It works as `docs/payments.md` asks of a platform: each report is repeated until it is answered, money goes back
//! when the server's list says so, and the till keeps its own books, which are compared with the server's at the end.

mod books;
mod reports;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc, thread, time::Duration};

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time,
};

use self::{
    books::{Books, Outcome},
    reports::{Matter, Reports},
};

pub use self::books::{ReportedMoney, TillAccount, TillFigures};

/// Checkouts that wait for the till to take them in. It does so at once, whatever the server does.
const CHECKOUTS_MAX: usize = 1_024;
/// Time between two looks at the list of what is to be done. A platform asks every minute; these holds live seconds.
const LIST_EVERY: Duration = Duration::from_secs(1);
/// Rounds through the list at the end; what is left then is wrong.
const ROUNDS_MAX: u32 = 40;
/// Time between two of them.
const ROUND_EVERY: Duration = Duration::from_millis(100);

/// A viewer who goes to pay for a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkout {
    /// The drop.
    pub drop: String,
    /// The hold.
    pub hold: String,
    /// What the server said that it costs, in minor units. It checks that again: another amount buys nothing.
    pub amount_minor: u64,
}

/// The provider that the till takes money with. All of it is played.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Seed of what becomes of payments.
    pub seed: u64,
    /// The currency of every payment, by its ISO 4217 code.
    pub currency: String,
    /// How long a payment takes.
    pub delay: Duration,
    /// Share of payments that are declined, from 0 to 1.
    pub declined_share: f64,
    /// Share of payments that take `slow_delay` more, from 0 to 1.
    pub slow_share: f64,
    /// How long a slow one takes: long enough to come too late.
    pub slow_delay: Duration,
}

/// A till that is open. It has a thread of its own: whatever holds up the one who opened it, viewers go on paying.
#[derive(Debug)]
pub struct Till {
    door: mpsc::Sender<Checkout>,
    account: oneshot::Receiver<TillAccount>,
    /// Ends the thread when the till is given up without being closed.
    kept: oneshot::Sender<()>,
}

/// What all payments share.
#[derive(Debug)]
struct Desk {
    provider: Provider,
    rng: Mutex<StdRng>,
    books: Mutex<Books>,
    reports: Reports,
    /// Whether nobody can come any more.
    is_closing: watch::Sender<bool>,
}

impl Till {
    /// Opens a till of the control API at `control`, like `http://127.0.0.1:7701`, with a token of the role
    /// `payments`.
    ///
    /// # Errors
    /// The system's, if there is no thread.
    pub fn open(control: &str, token: &str, provider: Provider) -> io::Result<Self> {
        let (door, arrivals) = mpsc::channel(CHECKOUTS_MAX);
        let (tell, account) = oneshot::channel();
        let (kept, given_up) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let reports = Reports::new(control, token, &provider.currency);
        let work = move || {
            let desk = Arc::new(Desk {
                rng: Mutex::new(StdRng::seed_from_u64(provider.seed)),
                books: Mutex::default(),
                reports,
                is_closing: watch::Sender::new(false),
                provider,
            });
            runtime.block_on(async {
                tokio::select! {
                    account = work(desk, arrivals) => {
                        // Nobody wants to know where the till was given up this moment.
                        let _given_up = tell.send(account);
                    }
                    _ = given_up => {}
                }
            });
        };
        thread::Builder::new().name("till".to_owned()).spawn(work)?;
        Ok(Self { door, account, kept })
    }

    /// Where viewers come to pay. The till closes once all of these are gone.
    pub fn door(&self) -> mpsc::Sender<Checkout> {
        self.door.clone()
    }

    /// Waits until nobody can come any more and every payment has its end, at the latest soon after the last viewer has
    /// gone, then does what the server lists until the list is empty. What the till knows after that.
    ///
    /// # Panics
    /// If the till's thread has panicked.
    pub async fn close(self) -> TillAccount {
        let Self { door, account, kept } = self;
        drop(door);
        let account = account.await.expect("the till's thread does not panic");
        drop(kept);
        account
    }
}

/// The till's whole work: payments while viewers come, then what is left to be done.
async fn work(desk: Arc<Desk>, arrivals: mpsc::Receiver<Checkout>) -> TillAccount {
    serve(Arc::clone(&desk), arrivals).await;
    for _ in 0..ROUNDS_MAX {
        if desk.work_off().await == 0 {
            return desk.books.lock().account();
        }
        time::sleep(ROUND_EVERY).await;
    }
    desk.books.lock().wrong("the list of what is to be done does not become empty".to_owned());
    desk.books.lock().account()
}

/// Lets every viewer pay who comes, and works off the list meanwhile: neither waits for the other.
async fn serve(desk: Arc<Desk>, mut arrivals: mpsc::Receiver<Checkout>) {
    let list = async {
        loop {
            time::sleep(LIST_EVERY).await;
            desk.work_off().await;
        }
    };
    let pay = async {
        let mut payments = JoinSet::new();
        loop {
            tokio::select! {
                came = arrivals.recv() => match came {
                    // As many as there are holds: each has one payment under way.
                    Some(checkout) => _ = payments.spawn(Arc::clone(&desk).pay(checkout)),
                    None => break,
                },
                Some(ended) = payments.join_next() => unwind(ended),
            }
        }
        desk.is_closing.send_replace(true);
        while let Some(ended) = payments.join_next().await {
            unwind(ended);
        }
    };
    tokio::select! {
        () = list => {}
        () = pay => {}
    }
}

/// A task that panicked is a mistake of the till's.
fn unwind(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

impl Desk {
    /// One payment from its beginning to its end.
    async fn pay(self: Arc<Self>, checkout: Checkout) {
        // A viewer who presses twice pays once.
        let Some(payment) = self.books.lock().begin(checkout) else { return };
        self.report(payment, "begun", None).await;
        let Provider { delay, declined_share, slow_share, .. } = self.provider;
        let (is_declined, is_slow) = {
            let mut rng = self.rng.lock();
            (rng.random_bool(declined_share), rng.random_bool(slow_share))
        };
        time::sleep(delay).await;
        if is_slow && self.is_over_before(self.provider.slow_delay).await {
            if self.books.lock().call_off(payment) {
                self.report(payment, "voided", None).await;
            }
            return;
        }
        let outcome = self.books.lock().end(payment, is_declined);
        match outcome {
            Outcome::Paid { minor } => self.report(payment, "paid", Some(minor)).await,
            Outcome::Declined => self.report(payment, "failed", None).await,
            // Who called it off has reported that.
            Outcome::CalledOff => {}
        }
    }

    /// Waits so long; whether the till closes before: what can still be paid is called off then.
    async fn is_over_before(&self, wait: Duration) -> bool {
        let mut closing = self.is_closing.subscribe();
        time::timeout(wait, closing.wait_for(|is_closing| *is_closing)).await.is_ok()
    }

    /// Does what the server lists; how much that was.
    async fn work_off(&self) -> usize {
        let matters = match self.reports.list().await {
            Ok(matters) => matters,
            Err(why) => {
                self.books.lock().wrong(why);
                return 0;
            }
        };
        for Matter { action, payment, minor } in &matters {
            let known = self.books.lock().number(payment);
            let Some(number) = known else {
                self.books.lock().wrong(format!("the list has {payment:?}, which never began"));
                continue;
            };
            match action.as_str() {
                "refund" => {
                    let total = self.books.lock().give_back(number, *minor);
                    self.report(number, "refunded", Some(total)).await;
                }
                "void" => {
                    if self.books.lock().call_off(number) {
                        self.report(number, "voided", None).await;
                    }
                }
                other => self.books.lock().wrong(format!("the list wants {other:?} for {payment}")),
            }
        }
        matters.len()
    }

    /// Reports a fact until it is answered, notes the answer. The hold is named each time: what the server did not
    /// record of an attempt, because its hold had ended, it does not know later either.
    async fn report(&self, payment: usize, event: &'static str, minor: Option<u64>) {
        let hold = self.books.lock().hold(payment);
        let told = self.reports.send(&books::name(payment), event, minor, &hold).await;
        self.books.lock().note(payment, event, told);
    }
}
