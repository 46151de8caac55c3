//! What became of a hold: taken, deadline moved, paid, ordered, refunded. It can be shown as English sentences.
//!
//! Each happening is one record, with the time at which it became durable; a take has the time at which the stock
//! moved. Texts that people wrote are made fit for a terminal.

mod happening;
mod sentences;
mod subject;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use stampede_domain::{
    DropPlan, DurationMs, HoldId, SkuIndex, SkuPlan, Units, UnixMillis, ViewerId, ViewerNumber,
};
pub use stampede_ledger::{Cancelled, PaymentChange, ProviderRequest};
use stampede_ledger::{DeadlineRecord, HoldRecord, Journal, ReadError, Record, Row, Rows};

pub use self::{
    happening::{Happening, MoveCause},
    subject::Subject,
};
use crate::{
    FoldError,
    orders::{KnownHolds, Order, OrderName, OrdersError, OrdersReader},
    times::iso_utc,
};

/// What became of one hold.
#[derive(Clone, Debug)]
pub struct Lineage {
    /// The hold.
    pub hold: HoldId,
    /// The SKU that its units are of, if the plan is known.
    pub sku: Option<SkuIndex>,
    /// The terms of its drop, if they are known.
    pub plan: Option<Arc<DropPlan>>,
    /// What happened, in the order of the journal.
    pub events: Vec<LineageEvent>,
    /// How it stands, as far as the journal reaches.
    pub stands: Standing,
}

/// How a hold stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// It waits for its payment.
    Held {
        /// Until then, as its viewer is shown.
        until: UnixMillis,
    },
    /// It is an order, here without its viewer's name.
    Ordered(Box<Order>),
    /// It has given its units back.
    Ended,
    /// Only records about it are there.
    Unknown,
}

/// Something that happened to a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageEvent {
    /// When.
    pub at: UnixMillis,
    /// What; it is shown as one sentence.
    pub what: Happening,
}

impl fmt::Display for Lineage {
    /// A line for the hold, a line for each event, a line for how it stands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", sentences::about(self))?;
        for event in &self.events {
            writeln!(f, "{}  {}", iso_utc(event.at), event.what)?;
        }
        writeln!(f, "{:24}  {}", "now", self.stands)
    }
}

/// Why there is no lineage.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal contradicts itself.
    #[error("the journal gives no lineage: {0}")]
    Fold(#[from] FoldError),
    /// The orders of a drop cannot be read.
    #[error(transparent)]
    Orders(#[from] OrdersError),
    /// Nobody took under this name.
    #[error("no hold {hold} in this ledger")]
    NoHold {
        /// What was asked for.
        hold: HoldId,
    },
    /// There is no such order.
    #[error("no order {order} in this ledger")]
    NoOrder {
        /// What was asked for.
        order: OrderName,
    },
    /// No link has this viewer.
    #[error(
        "no viewer {viewer} has taken anything in this ledger, or the viewer was erased from it"
    )]
    NoViewer {
        /// Who was asked for.
        viewer: ViewerId,
    },
}

/// What became of the holds that somebody asks about: drop by drop, in the order in which they were taken.
///
/// A hold whose units were taken again for its own late payment comes with the hold that took them. What the reader of
/// orders has folded is not folded again: a hold's drop is read once more, for the records about it.
///
/// # Errors
/// [`LineageError`].
pub fn lineage(
    journal: &dyn Journal,
    orders: &OrdersReader,
    subject: &Subject,
) -> Result<Vec<Lineage>, LineageError> {
    let mut told = Vec::new();
    for (drop, known) in subject::holds(journal, orders, subject)? {
        let mut teller = Teller::new(known);
        for span in teller.known.rows {
            for row in Rows::of_span(journal, span) {
                teller.row(&row?)?;
            }
        }
        let names = orders.names(journal, drop, &teller.takers)?;
        let mut lives = teller.told(&names);
        lives.sort_by_key(|(taken_at, lineage)| (*taken_at, lineage.hold));
        told.extend(lives.into_iter().map(|(_, lineage)| lineage));
    }
    Ok(told)
}

/// The records of a row, takes before all others.
fn records(row: &Row) -> Result<(UnixMillis, Vec<Record>), FoldError> {
    let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
    let fail = |source| FoldError::Record { drop, incarnation, seq, source };
    let at = row.header().map_err(fail)?.at;
    let mut records: Vec<Record> = row.decode().collect::<Result<_, _>>().map_err(fail)?;
    records.sort_by_key(|record| !matches!(record, Record::Hold(HoldRecord::Taken { .. })));
    Ok((at, records))
}

/// The terms of the SKU that a hold's units are of, if the plan is known.
fn sku_of(plan: Option<&Arc<DropPlan>>, hold: HoldId) -> Option<&SkuPlan> {
    let plan = plan?;
    plan.sku(plan.pools().sku_of(hold.pool())?)
}

/// What is known of a hold while its drop is read.
#[derive(Debug, Default)]
struct Life {
    taken: Option<Taken>,
    end: Option<End>,
    cancelled: u32,
    events: Vec<LineageEvent>,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    viewer: ViewerNumber,
    at: UnixMillis,
    units: Units,
    deadline: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Ordered,
    GivenBack,
}

impl Life {
    fn says(&mut self, at: UnixMillis, what: Happening) {
        self.events.push(LineageEvent { at, what });
    }

    /// The hold as it waits for its end.
    fn live(&mut self) -> Option<&mut Taken> {
        if self.end.is_some() { None } else { self.taken.as_mut() }
    }
}

/// Tells what becomes of some holds of a drop.
struct Teller {
    known: KnownHolds,
    lives: BTreeMap<HoldId, Life>,
    /// Those who took the holds.
    takers: BTreeSet<ViewerNumber>,
}

impl Teller {
    fn new(known: KnownHolds) -> Self {
        let lives = known.holds.keys().map(|hold| (*hold, Life::default())).collect();
        Self { known, lives, takers: BTreeSet::new() }
    }

    fn row(&mut self, row: &Row) -> Result<(), FoldError> {
        let (at, records) = records(row)?;
        for record in &records {
            self.record(record, at);
        }
        Ok(())
    }

    fn record(&mut self, record: &Record, at: UnixMillis) {
        match record {
            Record::Hold(record) => self.hold(record, at),
            Record::Payment(record) => self.payment(record.hold, &record.change, at),
            Record::Deadline(DeadlineRecord::Stretched { hold, span }) => {
                self.moved(Some(*hold), None, *span, (at, MoveCause::Attempt));
            }
            Record::Deadline(DeadlineRecord::Extended { span, until }) => {
                self.moved(None, Some(*until), *span, (at, MoveCause::Staff));
            }
            Record::Suspended { span, until } => {
                self.moved(None, Some(*until), *span, (at, MoveCause::Pause));
            }
            Record::Recovered(recovered) => {
                self.moved(None, None, recovered.outage, (at, MoveCause::Outage));
            }
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Lot { .. }
            | Record::Unmatched(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    fn hold(&mut self, record: &HoldRecord, at: UnixMillis) {
        let hold = record.hold();
        let Some(life) = self.lives.get_mut(&hold) else { return };
        match record {
            HoldRecord::Taken { viewer, units, taken_at, deadline, channel, .. } => {
                let sku = sku_of(self.known.plan.as_ref(), hold);
                let title = sku.map(|sku| (sku.title.clone(), sku.id.clone()));
                let what = Happening::Taken {
                    hold,
                    viewer: None,
                    units: *units,
                    title,
                    channel: channel.clone(),
                    until: *deadline,
                };
                self.takers.insert(*viewer);
                life.taken = Some(Taken {
                    viewer: *viewer,
                    at: *taken_at,
                    units: *units,
                    deadline: *deadline,
                });
                life.says(*taken_at, what);
            }
            HoldRecord::Confirmed { units, amount, .. } => {
                life.end = Some(End::Ordered);
                let known = self.known.holds.get(&hold).and_then(Option::as_ref);
                let named = known.map(|known| (known.order.code, known.first_edition.clone()));
                life.says(at, Happening::Ordered { named, units: *units, amount: *amount });
            }
            HoldRecord::Released { units, .. } => {
                life.end = Some(End::GivenBack);
                life.says(at, Happening::GivenBack { units: *units });
            }
            HoldRecord::Expired { units, .. } => {
                life.end = Some(End::GivenBack);
                life.says(at, Happening::Expired { units: *units });
            }
        }
    }

    fn payment(&mut self, hold: HoldId, change: &PaymentChange, at: UnixMillis) {
        let plan = self.known.plan.as_ref();
        let currency = plan.and_then(|plan| Some(plan.skus.first()?.price.currency()));
        if let PaymentChange::Retaken { payment, into } = change
            && let Some(life) = self.lives.get_mut(into)
        {
            life.says(at, Happening::PaidByAnother { payment: payment.clone(), hold });
        }
        let Some(life) = self.lives.get_mut(&hold) else { return };
        let what = match change {
            PaymentChange::Cancelled(cancelled) => {
                let more = cancelled.units.saturating_sub(life.cancelled);
                life.cancelled = cancelled.units;
                let of = life.taken.map_or(cancelled.units, |taken| taken.units.get());
                Happening::Cancelled { cancelled: cancelled.clone(), more, of }
            }
            change => Happening::Money { change: change.clone(), currency },
        };
        life.says(at, what);
    }

    /// The deadline moved: of one hold, or of all live ones that were taken before a moment.
    fn moved(
        &mut self,
        hold: Option<HoldId>,
        taken_before: Option<UnixMillis>,
        span: DurationMs,
        (at, cause): (UnixMillis, MoveCause),
    ) {
        for (id, life) in &mut self.lives {
            let is_meant = hold.is_none_or(|hold| hold == *id);
            let Some(taken) = life.live().filter(|_| is_meant) else { continue };
            if taken_before.is_some_and(|moment| taken.at >= moment) {
                continue;
            }
            taken.deadline = taken.deadline.plus(span);
            let until = taken.deadline;
            life.says(at, Happening::Moved { cause, span, until });
        }
    }

    /// Each hold with the time of its take.
    fn told(self, names: &BTreeMap<ViewerNumber, ViewerId>) -> Vec<(Option<UnixMillis>, Lineage)> {
        let Self { mut known, lives, .. } = self;
        let told = lives.into_iter().map(|(hold, life)| {
            let plan = known.plan.clone();
            let order = known.holds.remove(&hold).flatten().map(|known| known.order);
            let stands = stands(order, &life);
            let mut events = life.events;
            let taker = life.taken.and_then(|taken| names.get(&taken.viewer));
            for event in &mut events {
                if let Happening::Taken { viewer, .. } = &mut event.what {
                    *viewer = taker.cloned();
                }
            }
            let sku = plan.as_ref().and_then(|plan| plan.pools().sku_of(hold.pool()));
            let lineage = Lineage { hold, sku, plan, events, stands };
            (life.taken.map(|taken| taken.at), lineage)
        });
        told.collect()
    }
}

fn stands(order: Option<Order>, life: &Life) -> Standing {
    match (life.end, life.taken, order) {
        (Some(End::Ordered), _, Some(order)) => Standing::Ordered(Box::new(order)),
        (Some(End::GivenBack), ..) => Standing::Ended,
        (None, Some(taken), _) => Standing::Held { until: taken.deadline },
        _ => Standing::Unknown,
    }
}
