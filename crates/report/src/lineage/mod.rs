//! What became of a hold, told in sentences: taken, deadline moved, paid, ordered, refunded.
//!
//! Each sentence is one record, with the time at which it became durable; a take has the time at which the stock
//! moved. Texts that people wrote are made fit for a terminal.

mod sentences;
mod subject;

use std::{collections::BTreeMap, fmt};

use stampede_domain::{DropId, DropPlan, HoldId, Money, Units, UnixMillis, ViewerId, ViewerNumber};
use stampede_ledger::{
    DeadlineRecord, HoldRecord, Journal, PaymentChange, ReadError, Record, Row, Rows,
};

pub use self::subject::Subject;
use crate::{
    FoldError,
    orders::{OrderName, OrdersFold},
    times::iso_utc,
};

/// What became of one hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The hold.
    pub hold: HoldId,
    /// What it is of.
    pub about: String,
    /// What happened, in the order of the journal.
    pub events: Vec<LineageEvent>,
    /// How it stands, as far as the journal reaches.
    pub stands: String,
}

/// Something that happened to a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageEvent {
    /// When.
    pub at: UnixMillis,
    /// What, as one sentence.
    pub text: String,
}

impl fmt::Display for Lineage {
    /// A line for the hold, a line for each event, a line for how it stands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.about)?;
        for event in &self.events {
            writeln!(f, "{}  {}", iso_utc(event.at), event.text)?;
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
/// A hold whose units were taken again for its own late payment comes with the hold that took them.
///
/// # Errors
/// [`LineageError`].
pub fn lineage(journal: &dyn Journal, subject: &Subject) -> Result<Vec<Lineage>, LineageError> {
    let found = subject::holds(journal, subject)?;
    let viewers = subject::viewers(journal)?;
    let mut told = Vec::new();
    for (drop, mut holds) in found {
        subject::add_retaken(journal, drop, &mut holds)?;
        let mut teller = Teller::new(drop, &viewers);
        for hold in holds {
            teller.lives.insert(hold, Life::default());
        }
        for row in rows(journal, drop)? {
            teller.row(&row?)?;
        }
        let mut lives = teller.told();
        lives.sort_by_key(|(taken_at, lineage)| (*taken_at, lineage.hold));
        told.extend(lives.into_iter().map(|(_, lineage)| lineage));
    }
    Ok(told)
}

/// The rows of a drop, then those of its adjustments.
fn rows(
    journal: &dyn Journal,
    drop: DropId,
) -> Result<impl Iterator<Item = Result<Row, ReadError>> + '_, ReadError> {
    Ok(Rows::of_drop(journal, drop)?.chain(Rows::of_adjustments(journal, drop)?))
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
    fn says(&mut self, at: UnixMillis, text: String) {
        self.events.push(LineageEvent { at, text });
    }

    /// The hold as it waits for its end.
    fn live(&mut self) -> Option<&mut Taken> {
        if self.end.is_some() { None } else { self.taken.as_mut() }
    }
}

/// Tells what becomes of some holds of a drop.
struct Teller<'a> {
    fold: OrdersFold,
    viewers: &'a BTreeMap<ViewerNumber, ViewerId>,
    lives: BTreeMap<HoldId, Life>,
}

impl<'a> Teller<'a> {
    fn new(drop: DropId, viewers: &'a BTreeMap<ViewerNumber, ViewerId>) -> Self {
        Self { fold: OrdersFold::new(drop), viewers, lives: BTreeMap::new() }
    }

    fn row(&mut self, row: &Row) -> Result<(), FoldError> {
        let (at, records) = records(row)?;
        // Whole first: an order's code and numbers are known in the sentence that makes it.
        self.fold.apply(row)?;
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
                self.moved(Some(*hold), None, span.get(), at, "An attempt to pay began");
            }
            Record::Deadline(DeadlineRecord::Extended { span, until }) => {
                self.moved(
                    None,
                    Some(*until),
                    span.get(),
                    at,
                    "Staff gave every live hold more time",
                );
            }
            Record::Suspended { span, until } => {
                self.moved(None, Some(*until), span.get(), at, "Nobody was served for a while");
            }
            Record::Recovered(recovered) => {
                let span = recovered.outage.get();
                self.moved(None, None, span, at, "The server came back after an outage");
            }
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Lot { .. }
            | Record::Unmatched(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    fn hold(&mut self, record: &HoldRecord, at: UnixMillis) {
        let hold = record.hold();
        let order = self.fold.order(hold);
        let title = self.title(hold);
        let Some(life) = self.lives.get_mut(&hold) else { return };
        match record {
            HoldRecord::Taken { viewer, units, taken_at, deadline, channel, .. } => {
                let who = self.viewers.get(viewer);
                let text = sentences::taken(who, *units, &title, channel.as_ref(), *deadline);
                life.taken = Some(Taken { at: *taken_at, units: *units, deadline: *deadline });
                life.says(*taken_at, text);
            }
            HoldRecord::Confirmed { units, amount, .. } => {
                life.end = Some(End::Ordered);
                life.says(at, sentences::ordered(order.as_ref(), *units, *amount));
            }
            HoldRecord::Released { units, .. } => {
                life.end = Some(End::GivenBack);
                life.says(
                    at,
                    format!("{} given back before the deadline.", sentences::were(units.get())),
                );
            }
            HoldRecord::Expired { units, .. } => {
                life.end = Some(End::GivenBack);
                let were = sentences::were(units.get());
                life.says(at, format!("The deadline passed without an order: {were} given back."));
            }
        }
    }

    fn payment(&mut self, hold: HoldId, change: &PaymentChange, at: UnixMillis) {
        let currency = self.plan().and_then(|plan| Some(plan.skus.first()?.price.currency()));
        if let PaymentChange::Retaken { payment, into } = change
            && let Some(life) = self.lives.get_mut(into)
        {
            life.says(at, sentences::retaken_from(payment, hold));
        }
        let Some(life) = self.lives.get_mut(&hold) else { return };
        let text = match change {
            PaymentChange::Cancelled(cancelled) => {
                let more = cancelled.units.saturating_sub(life.cancelled);
                life.cancelled = cancelled.units;
                let of = life.taken.map_or(cancelled.units, |taken| taken.units.get());
                sentences::cancelled(cancelled, more, of)
            }
            change => sentences::payment(change, currency),
        };
        life.says(at, text);
    }

    /// The deadline moved: of one hold, or of all live ones that were taken before a moment.
    fn moved(
        &mut self,
        hold: Option<HoldId>,
        taken_before: Option<UnixMillis>,
        span_ms: u64,
        at: UnixMillis,
        why: &str,
    ) {
        for (id, life) in &mut self.lives {
            let is_meant = hold.is_none_or(|hold| hold == *id);
            let Some(taken) = life.live().filter(|_| is_meant) else { continue };
            if taken_before.is_some_and(|moment| taken.at >= moment) {
                continue;
            }
            taken.deadline = UnixMillis::new(taken.deadline.get().saturating_add(span_ms));
            let text = sentences::moved(why, span_ms, taken.deadline);
            life.says(at, text);
        }
    }

    fn plan(&self) -> Option<&DropPlan> {
        self.fold.plan().map(|plan| &**plan)
    }

    /// The title of a hold's SKU with its id.
    fn title(&self, hold: HoldId) -> String {
        let found = self.plan().and_then(|plan| plan.sku(plan.pools().sku_of(hold.pool())?));
        found.map_or_else(
            || format!("pool {}", hold.pool()),
            |sku| format!("{} ({})", sentences::shown(&sku.title), sku.id),
        )
    }

    /// Each hold with the time of its take.
    fn told(mut self) -> Vec<(Option<UnixMillis>, Lineage)> {
        let lives = std::mem::take(&mut self.lives);
        let told = lives.into_iter().map(|(hold, life)| {
            let lineage = Lineage {
                hold,
                about: self.about(hold),
                stands: self.stands(hold, &life),
                events: life.events,
            };
            (life.taken.map(|taken| taken.at), lineage)
        });
        told.collect()
    }

    fn about(&self, hold: HoldId) -> String {
        let title = self.title(hold);
        let drop = hold.drop_id().sale();
        let terms = self.plan().map(|plan| {
            let mode = crate::json::mode(plan.mode);
            format!(", stream {}, merchant {}, {mode}", plan.stream, plan.merchant)
        });
        format!("Hold {hold} of {title}, drop {drop}{}", terms.unwrap_or_default())
    }

    fn stands(&self, hold: HoldId, life: &Life) -> String {
        match (life.end, life.taken, self.fold.order(hold)) {
            (Some(End::Ordered), _, Some(order)) => sentences::order_stands(&order),
            (Some(End::GivenBack), ..) => "The hold has ended without an order.".to_owned(),
            (None, Some(taken), _) => format!("It is held until {}.", iso_utc(taken.deadline)),
            _ => "The journal does not have its take.".to_owned(),
        }
    }
}

/// An amount in the currency of a sale; only a damaged ledger has one that cannot be written.
fn money(minor: u64, currency: stampede_domain::Currency) -> String {
    Money::new(minor, currency).map_or_else(|| format!("{minor} {currency}"), |of| of.to_string())
}
