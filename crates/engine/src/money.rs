//! The money of holds, for whoever asks.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use stampede_books::ReopenedDrop;
use stampede_domain::{DropId, HoldId, Mode, Money, SkuIndex, Units};
use stampede_ledger::{Journal, ReadError, Record, RecordError, Row, RowKey, RowSpan, Rows};
use stampede_settlement::{HoldAccount, Matter, PaymentBook};

use crate::HoldLook;

/// The money of one hold with how the hold stands; all of it is durable.
#[derive(Clone, Debug)]
pub struct HoldMoney {
    /// Where the hold's id leads.
    pub look: HoldLook,
    /// Whether its drop has left memory.
    pub is_over: bool,
    /// Whether its drop's money is in memory; that of a drop that is over is after [`Engine::reopen`](crate::Engine::reopen).
    pub is_read: bool,
    /// What it is for, as long as that is remembered.
    pub goods: Option<HoldGoods>,
    /// What was heard of its money, if anything.
    pub account: Option<HoldAccount>,
    /// What is to be done about it.
    pub matters: Vec<Matter>,
}

/// What a hold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldGoods {
    /// Of which SKU of its drop.
    pub sku: SkuIndex,
    /// How many units.
    pub units: Units,
    /// What they cost together, without charges.
    pub amount: Money,
}

/// Holds with what is to be done about the money of each, by their ids.
pub type OpenMatters = Vec<(HoldId, Vec<Matter>)>;

/// Why the money of a drop cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row is damaged.
    #[error("the money of {drop} cannot be read: {source}")]
    Record {
        /// The chain.
        drop: DropId,
        /// What is wrong with it.
        source: RecordError,
    },
}

/// Drops with something to be done about their money that are kept by how many holds that is about, all together.
const OPEN_HOLDS_KEPT_MAX: usize = 100_000;
/// Drops that are kept with nothing to be done: each takes a few words.
const DONE_DROPS_KEPT_MAX: usize = 100_000;

/// What is to be done about the money of drops that have left memory, as far as somebody asked: those that were read
/// are read again only once something was recorded about them since. Of too many drops the newest are kept, since lists
/// begin with them.
#[derive(Debug)]
pub struct OverMoney(Mutex<KeptMoney>);

impl Default for OverMoney {
    fn default() -> Self {
        Self::new()
    }
}

/// What is to be done about the money of one drop.
#[derive(Clone, Debug)]
pub struct OverMatters {
    /// Its holds; `None` if nothing is to be done.
    pub open: Option<Arc<OpenMatters>>,
    /// Whether the drop had to be read for it, which takes as long as it has records.
    pub was_read: bool,
}

impl OverMoney {
    /// Nothing is read yet.
    pub fn new() -> Self {
        Self(Mutex::new(KeptMoney::new(OPEN_HOLDS_KEPT_MAX, DONE_DROPS_KEPT_MAX)))
    }

    /// What is to be done about a drop's money, by its holds.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn matters(&self, journal: &dyn Journal, drop: DropId) -> Result<OverMatters, MoneyError> {
        let seen = self.0.lock().seen(drop);
        if let Some(seen) = seen
            && !has_more(journal, drop, seen.to)?
        {
            return Ok(OverMatters { open: seen.open, was_read: false });
        }
        let (mut payments, mut to) = (PaymentBook::default(), RowKey::default());
        for row in Rows::of_drop(journal, drop)?.chain(Rows::of_adjustments(journal, drop)?) {
            let row = row?;
            apply(&row, &mut |record| payments.apply(record))?;
            to = RowKey::of(&row);
        }
        let holds = payments.open_holds(None);
        let open: OpenMatters = holds.map(|hold| (hold, payments.matters_of(hold))).collect();
        let open = Some(open).filter(|open| !open.is_empty()).map(Arc::new);
        self.0.lock().note(drop, SeenMoney { to, open: open.clone() });
        Ok(OverMatters { open, was_read: true })
    }
}

/// A drop's money as it was read.
#[derive(Clone, Debug)]
struct SeenMoney {
    /// The last row that was read.
    to: RowKey,
    /// What is to be done, if anything is.
    open: Option<Arc<OpenMatters>>,
}

/// The drops that were read.
#[derive(Debug)]
struct KeptMoney {
    open: BTreeMap<DropId, (RowKey, Arc<OpenMatters>)>,
    /// Holds of all of these.
    open_holds: usize,
    open_holds_max: usize,
    /// Drops with nothing to be done, with the last row that was read.
    done: BTreeMap<DropId, RowKey>,
    done_max: usize,
}

impl KeptMoney {
    const fn new(open_holds_max: usize, done_max: usize) -> Self {
        Self {
            open: BTreeMap::new(),
            open_holds: 0,
            open_holds_max,
            done: BTreeMap::new(),
            done_max,
        }
    }

    fn seen(&self, drop: DropId) -> Option<SeenMoney> {
        if let Some((to, open)) = self.open.get(&drop) {
            return Some(SeenMoney { to: *to, open: Some(Arc::clone(open)) });
        }
        self.done.get(&drop).map(|to| SeenMoney { to: *to, open: None })
    }

    fn note(&mut self, drop: DropId, seen: SeenMoney) {
        self.done.remove(&drop);
        if let Some((_, before)) = self.open.remove(&drop) {
            self.open_holds -= before.len();
        }
        match seen.open {
            Some(open) => {
                self.open_holds += open.len();
                self.open.insert(drop, (seen.to, open));
            }
            None => {
                self.done.insert(drop, seen.to);
            }
        }
        while self.open_holds > self.open_holds_max
            && let Some((_, (_, oldest))) = self.open.pop_first()
        {
            self.open_holds -= oldest.len();
        }
        if self.done.len() > self.done_max {
            self.done.pop_first();
        }
    }
}

/// Whether a drop's adjustments go on behind a row.
fn has_more(journal: &dyn Journal, drop: DropId, after: RowKey) -> Result<bool, MoneyError> {
    let span = RowSpan { after, chain: Some((drop.adjustments(), RowKey::END)) };
    Ok(Rows::of_span(journal, span).next().transpose()?.is_some())
}

/// Reads the money of a drop that has left memory, adjustments included; for [`Engine::reopen`](crate::Engine::reopen).
/// Takes as long as the drop has records; the caller has a thread that may wait. `None` if there is no such drop.
///
/// # Errors
/// [`MoneyError`].
pub fn read_money(journal: &dyn Journal, drop: DropId) -> Result<Option<ReopenedDrop>, MoneyError> {
    let mut payments = PaymentBook::default();
    let (mut mode, mut adjustments) = (None, 0);
    for row in Rows::of_drop(journal, drop)? {
        apply(&row?, &mut |record| {
            if let Record::Planned { plan, .. } = record {
                mode = Some(plan.mode);
            }
            payments.apply(record);
        })?;
    }
    for row in Rows::of_adjustments(journal, drop)? {
        apply(&row?, &mut |record| {
            adjustments += 1;
            payments.apply(record);
        })?;
    }
    Ok(mode.map(|mode: Mode| ReopenedDrop { drop, mode, payments, adjustments }))
}

fn apply(row: &Row, each: &mut dyn FnMut(&Record)) -> Result<(), MoneyError> {
    for record in row.decode() {
        each(&record.map_err(|source| MoneyError::Record { drop: row.drop, source })?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(holds: u8) -> SeenMoney {
        let hold = |number| (HoldId::from_bytes([number; 16]), Vec::new());
        let open: OpenMatters = (0..holds).map(hold).collect();
        let open = Some(open).filter(|open| !open.is_empty()).map(Arc::new);
        SeenMoney { to: RowKey::default(), open }
    }

    #[test]
    fn the_newest_drops_are_kept_as_far_as_there_is_room() {
        let mut kept = KeptMoney::new(5, 2);
        let known = |kept: &KeptMoney| -> Vec<_> {
            let drops = (1..=9).filter_map(|drop| Some((drop, kept.seen(DropId::new(drop))?)));
            drops.map(|(drop, seen)| (drop, seen.open.map_or(0, |open| open.len()))).collect()
        };
        for (drop, holds) in [(3, 2), (1, 3), (2, 0), (4, 0), (5, 0)] {
            kept.note(DropId::new(drop), seen(holds));
        }
        assert_eq!(known(&kept), [(1, 3), (3, 2), (4, 0), (5, 0)]);
        kept.note(DropId::new(6), seen(1));
        assert_eq!(known(&kept), [(3, 2), (4, 0), (5, 0), (6, 1)], "the oldest one had to go");
        // What is done about a drop makes room.
        kept.note(DropId::new(3), seen(0));
        assert_eq!(known(&kept), [(4, 0), (5, 0), (6, 1)]);
        kept.note(DropId::new(5), seen(4));
        assert_eq!((known(&kept), kept.open_holds), (vec![(4, 0), (5, 4), (6, 1)], 5));
        // More than there is room for is not kept at all.
        kept.note(DropId::new(7), seen(6));
        assert_eq!((known(&kept), kept.open_holds), (vec![(4, 0)], 0));
    }

    #[test]
    fn whoever_asks_again_gets_the_same_list_without_a_copy() {
        let mut kept = KeptMoney::new(5, 2);
        kept.note(DropId::new(1), seen(3));
        let [one, two] = [0; 2].map(|_| kept.seen(DropId::new(1)).and_then(|seen| seen.open));
        assert!(one.zip(two).is_some_and(|(one, two)| Arc::ptr_eq(&one, &two)));
    }
}
