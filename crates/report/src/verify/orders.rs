//! The orders table joined with the confirmed holds, both in the order of the journal.

use std::collections::{HashMap, HashSet, VecDeque};

use stampede_domain::{ChannelId, HoldId, UnixMillis};
use stampede_ledger::{Journal, Mark, OrderRow, Projection, ReadError, Row, RowKey};

use super::{
    facts::JournalOrder,
    finding::{Findings, Place},
    tables::{TableFault, key},
};

/// Orders fetched at a time.
const ORDERS_PER_FETCH: u32 = 4_096;

/// A confirmed hold with its place in the journal.
#[derive(Clone, Debug)]
struct ConfirmedHold {
    ordered: JournalOrder,
    place: Place,
    row: RowKey,
    at: UnixMillis,
}

/// Walks both sides at once. In a sound ledger the fronts always match, so nothing is kept;
/// whatever does not match waits for its partner until the end.
pub(super) struct OrderJoin<'a> {
    journal: &'a dyn Journal,
    mark: Mark,
    fetched: VecDeque<OrderRow>,
    last_place: u64,
    orders_waiting: HashMap<HoldId, OrderRow>,
    confirmed_waiting: HashMap<HoldId, ConfirmedHold>,
    /// Confirmed holds that the projection has not reached.
    ahead: HashSet<HoldId>,
    latest: Mark,
    pub(super) orders: u64,
}

impl<'a> OrderJoin<'a> {
    pub(super) fn new(journal: &'a dyn Journal) -> Result<Self, ReadError> {
        Ok(Self {
            journal,
            mark: journal.mark(Projection::Orders)?,
            fetched: VecDeque::new(),
            last_place: 0,
            orders_waiting: HashMap::new(),
            confirmed_waiting: HashMap::new(),
            ahead: HashSet::new(),
            latest: Mark::default(),
            orders: 0,
        })
    }

    /// Joins the confirmed holds of a row.
    pub(super) fn row(
        &mut self,
        row: &Row,
        at: UnixMillis,
        confirmed: &[JournalOrder],
        findings: &mut Findings,
    ) -> Result<(), ReadError> {
        let row_key = RowKey::of(row);
        self.latest = Mark { row: row_key, record: row.records.saturating_sub(1) };
        let place = Place::row(row.drop, row.incarnation, row.seq);
        for ordered in confirmed {
            if (Mark { row: row_key, record: ordered.record }) > self.mark {
                self.ahead.insert(ordered.hold);
                continue;
            }
            let place = place.record(ordered.record);
            let confirmed = ConfirmedHold { ordered: ordered.clone(), place, row: row_key, at };
            self.join(&confirmed, findings)?;
        }
        Ok(())
    }

    fn join(
        &mut self,
        confirmed: &ConfirmedHold,
        findings: &mut Findings,
    ) -> Result<(), ReadError> {
        loop {
            self.fetch()?;
            let Some(front) = self.fetched.front() else { break };
            let is_partner = front.hold == confirmed.ordered.hold;
            if !is_partner && key(front.incarnation, front.seq, front.drop) >= confirmed.row {
                break;
            }
            let Some(order) = self.fetched.pop_front() else { break };
            if is_partner {
                compare(&order, confirmed, findings);
                return Ok(());
            }
            self.set_aside(order, findings);
        }
        match self.orders_waiting.remove(&confirmed.ordered.hold) {
            Some(order) => compare(&order, confirmed, findings),
            None => {
                self.confirmed_waiting.insert(confirmed.ordered.hold, confirmed.clone());
            }
        }
        Ok(())
    }

    fn fetch(&mut self) -> Result<(), ReadError> {
        if self.fetched.is_empty() {
            self.fetched.extend(self.journal.orders(self.last_place, ORDERS_PER_FETCH)?);
            if let Some(last) = self.fetched.back() {
                self.last_place = last.place;
            }
            self.orders += u64::try_from(self.fetched.len()).expect("a page of orders is small");
        }
        Ok(())
    }

    /// Keeps an order whose confirmed hold has not come by; a second one of a hold is a fault.
    fn set_aside(&mut self, order: OrderRow, findings: &mut Findings) {
        let (hold, place) = (order.hold, order.place);
        if self.orders_waiting.insert(hold, order).is_some() {
            let fault = TableFault::OrderUnfounded { hold, place };
            findings.add(Place::drop(hold.drop_id()), fault);
        }
    }

    /// Pairs what is left; returns how many orders the projection still has to make.
    pub(super) fn finish(mut self, findings: &mut Findings) -> Result<(u64, u64), ReadError> {
        loop {
            self.fetch()?;
            let Some(order) = self.fetched.pop_front() else { break };
            self.set_aside(order, findings);
        }
        let mut missing: Vec<ConfirmedHold> = Vec::new();
        for (hold, confirmed) in self.confirmed_waiting.drain() {
            match self.orders_waiting.remove(&hold) {
                Some(order) => compare(&order, &confirmed, findings),
                None => missing.push(confirmed),
            }
        }
        missing.sort_unstable_by_key(|confirmed| (confirmed.row, confirmed.ordered.record));
        for confirmed in missing {
            let hold = confirmed.ordered.hold;
            findings.add(confirmed.place, TableFault::OrderMissing { hold });
        }
        let mut left: Vec<OrderRow> = self.orders_waiting.into_values().collect();
        left.sort_unstable_by_key(|order| order.place);
        for OrderRow { hold, place, .. } in left {
            let fault = if self.ahead.contains(&hold) {
                TableFault::OrderEarly { hold }
            } else {
                TableFault::OrderUnfounded { hold, place }
            };
            findings.add(Place::drop(hold.drop_id()), fault);
        }
        if self.mark > self.latest {
            let Mark { row, record } = self.mark;
            findings.add(Place::LEDGER, TableFault::ProjectionBeyond { row, record });
        }
        let pending = u64::try_from(self.ahead.len()).expect("a set in memory fits 64 bits");
        Ok((self.orders, pending))
    }
}

/// Compares every column of an order with what the journal says.
fn compare(order: &OrderRow, confirmed: &ConfirmedHold, findings: &mut Findings) {
    let ConfirmedHold { ordered, place, row, at } = confirmed;
    let hold = ordered.hold;
    let mut differ = |field, stored: &dyn ToString, expected: &dyn ToString| {
        let (stored, expected) = (stored.to_string(), expected.to_string());
        if stored != expected {
            findings.add(*place, TableFault::OrderDiffers { hold, field, stored, expected });
        }
    };
    let same_numbers = (order.drop.get(), order.pool, order.sku.get(), order.viewer)
        == (row.drop, hold.pool(), ordered.sku.get(), ordered.viewer);
    let same_money = (order.units, order.amount_minor, order.currency.as_str())
        == (
            u64::from(ordered.units.get()),
            ordered.amount.minor(),
            ordered.amount.currency().code(),
        );
    let same_row =
        (order.at, order.incarnation.get(), order.seq.get()) == (*at, row.incarnation, row.seq);
    if same_numbers && same_money && same_row && order.channel == ordered.channel {
        return;
    }
    differ("drop", &order.drop.get(), &row.drop);
    differ("pool", &order.pool, &hold.pool());
    differ("SKU", &order.sku, &ordered.sku);
    differ("viewer", &order.viewer, &ordered.viewer);
    differ("units", &order.units, &ordered.units);
    differ("amount", &order.amount_minor, &ordered.amount.minor());
    differ("currency", &order.currency, &ordered.amount.currency());
    differ("time", &order.at, at);
    differ("incarnation", &order.incarnation, &row.incarnation);
    differ("commit", &order.seq, &row.seq);
    differ("channel", &named(order.channel.as_ref()), &named(ordered.channel.as_ref()));
}

fn named(channel: Option<&ChannelId>) -> &str {
    channel.map_or("no channel", ChannelId::as_str)
}
