//! One drop as lines for an auditor: every hold, every order, what became of money, the tallies, a summary.

mod payment;
mod source;
mod tally;

use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
};

use serde::Serialize;
use stampede_domain::{
    ChannelId, DropId, HoldId, KeyFingerprint, PoolIndex, SkuIndex, Units, UnixMillis, ViewerId,
    ViewerNumber,
};
use stampede_ledger::{
    DeadlineRecord, HoldRecord, Journal, Mark, OrderRow, Record, Row, RowKey, Rows,
};

use self::source::{Owners, head, is_house, viewers};
pub use self::{payment::PaymentLine, tally::TallyLine};
use crate::{
    FoldError, ReportError,
    fold::DropFold,
    json::{self, exact, time},
    suspensions::Suspensions,
};

/// Orders fetched at a time.
const ORDERS_PER_FETCH: u32 = 1_024;

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AuditLine {
    /// A hold, once it has ended or the journal has.
    Hold(HoldLine),
    /// A row of the orders table.
    Order(OrderLine),
    /// Something about the money for a hold.
    Payment(Box<PaymentLine>),
    /// A tally.
    Tally(TallyLine),
    /// The end. A stream without it, or without the next one in its place, was cut off.
    Summary(SummaryLine),
    /// The end, in place of the summary, where the journal contradicts itself: the sums would be wrong, the
    /// lines before still say what there is.
    Damage(DamageLine),
}

/// A hold.
#[derive(Clone, Debug, Serialize)]
pub struct HoldLine {
    /// The hold's id.
    pub hold: String,
    /// The platform's id of the taker; absent if it was erased.
    pub viewer: Option<String>,
    /// The SKU.
    pub sku: String,
    /// Units taken.
    pub units: u32,
    /// The channel of the taker's ticket; absent where the ticket named none.
    pub channel: Option<String>,
    /// Fingerprint of the idempotency key, 32 hexadecimal digits.
    pub key: String,
    /// `held`, `confirmed`, `released` or `expired`.
    pub state: &'static str,
    /// When the stock moved.
    pub taken_at_ms: u64,
    /// The deadline that its viewer was shown last; the hold stays for the plan's grace longer.
    pub deadline_ms: u64,
    /// Time of the commit that ended it.
    pub ended_at_ms: Option<u64>,
}

/// An order.
#[derive(Clone, Debug, Serialize)]
pub struct OrderLine {
    /// The order's id, which is the hold's.
    pub order: String,
    /// The platform's id of the buyer; absent if it was erased.
    pub viewer: Option<String>,
    /// The channel that gets the credit; absent where the buyer's ticket named none.
    pub channel: Option<String>,
    /// The SKU.
    pub sku: String,
    /// The merchant's own code for it.
    pub merchant_sku: String,
    /// Units bought.
    pub units: u64,
    /// Price of all units.
    pub amount_minor: u64,
    /// The currency.
    pub currency: String,
    /// Time of the confirming commit.
    pub at_ms: u64,
}

/// The sums, and how much came before.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SummaryLine {
    /// The drop.
    pub drop: String,
    /// Its stream.
    pub stream: String,
    /// Whose the stream was when the drop was planned; absent in ledgers from before streams had owners.
    pub owner_when_planned: Option<String>,
    /// Whose it is now.
    pub owner: Option<String>,
    /// Where it stands.
    pub phase: &'static str,
    /// Units of all lots.
    pub supplied: u64,
    /// Units in holds.
    pub held: u64,
    /// Units in orders, by the journal.
    pub sold: u64,
    /// Buys decided, by the tallies.
    pub clicks: u64,
    /// Buys answered again, by the tallies.
    pub retries: u64,
    /// Refusals by reason, by the tallies.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Hold lines.
    pub holds: u64,
    /// Order lines.
    pub orders: u64,
    /// Payment lines.
    pub payments: u64,
    /// Confirmed holds whose order the projection still has to make.
    pub orders_pending: u64,
}

/// What keeps the journal from being summed, and how much came before.
#[derive(Clone, Debug, Serialize)]
pub struct DamageLine {
    /// The first contradiction, with the commit that it was found at.
    pub what: String,
    /// Hold lines.
    pub holds: u64,
    /// Order lines.
    pub orders: u64,
    /// Payment lines.
    pub payments: u64,
    /// Confirmed holds that have no order.
    pub orders_pending: u64,
}

/// How an audit ended.
#[derive(Debug)]
pub struct AuditEnd {
    /// Whether the sink took everything.
    pub flow: Flow,
    /// The first contradiction of the journal.
    pub damage: Option<FoldError>,
}

impl AuditEnd {
    /// The sink wants nothing more.
    const STOPPED: Self = Self { flow: Flow::Break(()), damage: None };
}

/// What an auditor's sink says to a line or a chunk: go on, or stop.
pub type Flow = ControlFlow<()>;

/// Hands every line of a drop to `sink`: holds, payments and tallies in the order of the journal, then holds
/// that still live, then orders, then the summary.
///
/// The journal only grows, so the state at the beginning is reached by reading up to its last
/// commit in short reads: a slow sink holds nothing up.
///
/// A journal that contradicts itself is what auditors look for: its lines come all the same, with
/// [`AuditLine::Damage`] as the last one.
///
/// # Errors
/// [`ReportError`]. Lines that came before stand.
pub fn audit(
    journal: &dyn Journal,
    drop: DropId,
    sink: &mut dyn FnMut(AuditLine) -> Flow,
) -> Result<AuditEnd, ReportError> {
    let (end, ordered) = head(journal)?;
    let mut audit = Audit {
        fold: DropFold::new(drop),
        damage: None,
        viewers: viewers(journal)?,
        owners: Owners::default(),
        live: BTreeMap::new(),
        outage_ms: 0,
        suspensions: Suspensions::default(),
        confirmed: 0,
        summary: SummaryLine::default(),
        sink,
    };
    for row in Rows::after(journal, RowKey::default()) {
        let row = row?;
        if RowKey::of(&row) > end {
            break;
        }
        if is_house(&row) {
            audit.owners.house(&row)?;
        }
        // What became of its money after it had ended belongs to it.
        if row.drop.sale() == drop && audit.row(&row).is_break() {
            return Ok(AuditEnd::STOPPED);
        }
    }
    if audit.fold.plan().is_none() {
        return Err(ReportError::NoDrop { drop });
    }
    audit.finish(journal, drop, ordered)
}

/// The same as newline-delimited JSON in chunks of whole lines, each of at most `chunk_bytes_max` bytes if it has
/// more than one.
///
/// # Errors
/// [`ReportError`].
pub fn audit_ndjson(
    journal: &dyn Journal,
    drop: DropId,
    chunk_bytes_max: usize,
    sink: &mut dyn FnMut(Vec<u8>) -> Flow,
) -> Result<AuditEnd, ReportError> {
    let mut chunk = Vec::new();
    let mut end = audit(journal, drop, &mut |line| {
        let bytes = chunk.len();
        serde_json::to_writer(&mut chunk, &line).expect("a line is plain data");
        chunk.push(b'\n');
        if bytes == 0 || chunk.len() <= chunk_bytes_max {
            return Flow::Continue(());
        }
        let next = chunk.split_off(bytes);
        sink(std::mem::replace(&mut chunk, next))
    })?;
    if end.flow.is_continue() && !chunk.is_empty() {
        end.flow = sink(chunk);
    }
    Ok(end)
}

/// A hold that has not ended.
struct Live {
    viewer: ViewerNumber,
    key: KeyFingerprint,
    channel: Option<ChannelId>,
    units: Units,
    taken_at: UnixMillis,
    /// Deadline without the outages before the take, with its stretch.
    deadline_base: u64,
}

struct Audit<'a> {
    fold: DropFold,
    /// The first contradiction; nothing is summed behind it.
    damage: Option<FoldError>,
    viewers: HashMap<ViewerNumber, ViewerId>,
    owners: Owners,
    live: BTreeMap<HoldId, Live>,
    outage_ms: u64,
    suspensions: Suspensions,
    confirmed: u64,
    summary: SummaryLine,
    sink: &'a mut dyn FnMut(AuditLine) -> Flow,
}

impl Audit<'_> {
    fn row(&mut self, row: &Row) -> Flow {
        if self.damage.is_none() {
            self.damage = self.fold.apply(row).err();
        }
        // What cannot be read is what the fold has met as well.
        let Ok(header) = row.header() else { return Flow::Continue(()) };
        for record in row.decode().map_while(Result::ok) {
            self.record(&record, header.at)?;
        }
        Flow::Continue(())
    }

    fn record(&mut self, record: &Record, at: UnixMillis) -> Flow {
        match *record {
            Record::Hold(HoldRecord::Taken {
                hold,
                viewer,
                key,
                units,
                taken_at,
                deadline,
                ref channel,
            }) => {
                let deadline_base = deadline.get().saturating_sub(self.outage_ms);
                let channel = channel.clone();
                let live = Live { viewer, key, channel, units, taken_at, deadline_base };
                self.live.insert(hold, live);
                Flow::Continue(())
            }
            Record::Hold(HoldRecord::Confirmed { hold, .. }) => {
                self.confirmed += 1;
                self.ended(hold, "confirmed", at)
            }
            Record::Hold(HoldRecord::Released { hold, .. }) => self.ended(hold, "released", at),
            Record::Hold(HoldRecord::Expired { hold, .. }) => self.ended(hold, "expired", at),
            Record::Recovered(ref recovered) => {
                self.outage_ms = self.outage_ms.saturating_add(recovered.outage.get());
                Flow::Continue(())
            }
            Record::Suspended { span, until } => {
                self.suspensions.add(span, until);
                Flow::Continue(())
            }
            Record::Deadline(record) => {
                self.move_deadlines(record);
                Flow::Continue(())
            }
            Record::Payment(ref record) => {
                self.summary.payments += 1;
                let line = Box::new(PaymentLine::of(record, at));
                (self.sink)(AuditLine::Payment(line))
            }
            Record::Tally(ref tally) => {
                let line = TallyLine::of(tally, at, |sku| self.sku(sku));
                (self.sink)(AuditLine::Tally(line))
            }
            Record::Planned { ref plan, .. } => {
                self.owners.planned(plan);
                Flow::Continue(())
            }
            Record::Phase(_)
            | Record::Lot { .. }
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Unmatched(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => Flow::Continue(()),
        }
    }

    fn move_deadlines(&mut self, record: DeadlineRecord) {
        match record {
            DeadlineRecord::Stretched { hold, span } => {
                if let Some(live) = self.live.get_mut(&hold) {
                    live.deadline_base = live.deadline_base.saturating_add(span.get());
                }
            }
            DeadlineRecord::Extended { span, until } => self.suspensions.add(span, until),
        }
    }

    fn ended(&mut self, hold: HoldId, state: &'static str, at: UnixMillis) -> Flow {
        match self.live.remove(&hold) {
            Some(live) => self.hold(hold, &live, state, Some(at)),
            None => Flow::Continue(()),
        }
    }

    fn hold(
        &mut self,
        hold: HoldId,
        live: &Live,
        state: &'static str,
        ended_at: Option<UnixMillis>,
    ) -> Flow {
        self.summary.holds += 1;
        let suspended_ms = self.suspensions.moved_ms(live.taken_at);
        let moved_ms = self.outage_ms.saturating_add(suspended_ms);
        let line = HoldLine {
            hold: hold.to_string(),
            viewer: self.viewer(live.viewer),
            sku: self.sku_of(hold.pool()),
            units: live.units.get(),
            channel: live.channel.as_ref().map(ToString::to_string),
            key: live.key.to_string(),
            state,
            taken_at_ms: time(live.taken_at),
            deadline_ms: exact(live.deadline_base.saturating_add(moved_ms)),
            ended_at_ms: ended_at.map(time),
        };
        (self.sink)(AuditLine::Hold(line))
    }

    fn order(&mut self, order: &OrderRow) -> Flow {
        self.summary.orders += 1;
        let line = OrderLine {
            order: order.hold.to_string(),
            viewer: self.viewer(order.viewer),
            channel: order.channel.as_ref().map(ToString::to_string),
            sku: self.sku_of(order.pool),
            merchant_sku: self
                .fold
                .sku_of(order.pool)
                .map_or_else(String::new, |sku| sku.merchant_sku.clone()),
            units: exact(order.units),
            amount_minor: exact(order.amount_minor),
            currency: order.currency.clone(),
            at_ms: time(order.at),
        };
        (self.sink)(AuditLine::Order(line))
    }

    fn finish(
        mut self,
        journal: &dyn Journal,
        drop: DropId,
        ordered: Mark,
    ) -> Result<AuditEnd, ReportError> {
        for (hold, live) in std::mem::take(&mut self.live) {
            if self.hold(hold, &live, "held", None).is_break() {
                return Ok(AuditEnd::STOPPED);
            }
        }
        let mut last_place = 0;
        loop {
            let orders = journal.orders(last_place, ORDERS_PER_FETCH)?;
            let Some(last) = orders.last() else { break };
            last_place = last.place;
            let reached = |order: &&OrderRow| key(order) <= ordered.row;
            for order in orders.iter().filter(reached).filter(|order| order.drop == drop) {
                if self.order(order).is_break() {
                    return Ok(AuditEnd::STOPPED);
                }
            }
        }
        self.summary.orders_pending = self.confirmed.saturating_sub(self.summary.orders);
        let damage = self.damage.take();
        let flow = match &damage {
            Some(what) => {
                let SummaryLine { holds, orders, payments, orders_pending, .. } = self.summary;
                let what = what.to_string();
                let line = DamageLine { what, holds, orders, payments, orders_pending };
                (self.sink)(AuditLine::Damage(line))
            }
            None => self.summarize(drop),
        };
        Ok(AuditEnd { flow, damage })
    }

    fn summarize(mut self, drop: DropId) -> Flow {
        let mut summary = std::mem::take(&mut self.summary);
        if let Some(report) = self.fold.report() {
            summary.drop = drop.to_string();
            summary.phase = report.phase.name();
            summary.supplied = exact(report.supplied);
            summary.held = exact(report.held);
            summary.sold = exact(report.sold);
            summary.clicks = exact(report.clicks());
            summary.retries = exact(report.retries);
            summary.refusals = json::refusals(&report.refusals);
        }
        if let Some((stream, when_planned, now)) = self.owners.of_drop() {
            (summary.stream, summary.owner_when_planned, summary.owner) =
                (stream, when_planned, now);
        }
        (self.sink)(AuditLine::Summary(summary))
    }

    fn viewer(&self, viewer: ViewerNumber) -> Option<String> {
        self.viewers.get(&viewer).map(ToString::to_string)
    }

    fn sku_of(&self, pool: PoolIndex) -> String {
        let sku = self.fold.sku_of(pool);
        sku.map_or_else(|| format!("pool {pool}"), |sku| sku.id.to_string())
    }

    fn sku(&self, index: SkuIndex) -> String {
        let sku = self.fold.plan().and_then(|plan| plan.sku(index));
        sku.map_or_else(|| format!("SKU {index}"), |sku| sku.id.to_string())
    }
}

fn key(order: &OrderRow) -> RowKey {
    RowKey { incarnation: order.incarnation.get(), seq: order.seq.get(), drop: order.drop.get() }
}
