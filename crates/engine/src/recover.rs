//! The state that a journal leaves behind, followed row by row: stock and the books each take what is theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stampede_books::{Books, Contradiction, Targets};
use stampede_domain::{
    AddressRange, BanId, DropId, DurationMs, Incarnation, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{BrakeRecord, Record, Row, SealedDrop};

use crate::{
    last_work::LastWork, recover_error::RecoverError, recover_rooms::RoomsPast,
    recover_stock::StockPast, summary::DropSummary, viewer::Directory,
};

/// Who halts takes where no member of staff does.
pub(crate) const SERVER: &str = "the server";

/// What stands beside the chain: who it names.
pub(crate) struct Links<'a> {
    pub(crate) directory: &'a Directory,
    /// Ranges by ban; one that is missing was erased.
    pub(crate) ranges: HashMap<BanId, AddressRange>,
}

impl Targets for Links<'_> {
    fn viewer(&self, number: ViewerNumber) -> Option<ViewerId> {
        self.directory.by_number(number).map(|viewer| viewer.id().clone())
    }

    fn range(&self, ban: BanId) -> Option<AddressRange> {
        self.ranges.get(&ban).copied()
    }
}

/// Everything that the journal leaves.
pub(crate) struct JournalState {
    pub(crate) books: Books,
    /// The drops' stock, of each drop that the books know.
    pub(crate) stocks: BTreeMap<DropId, StockPast>,
    pub(crate) rooms: RoomsPast,
    /// How long a drop that is over keeps its place.
    settled_kept: DurationMs,
    /// Drops that were over for long enough to need no more than this.
    pub(crate) over: BTreeMap<DropId, DropSummary>,
    /// Drops that are over by the time when they became that; their holds are still here.
    ending: BTreeSet<(UnixMillis, DropId)>,
    pub(crate) last_work: LastWork,
    /// The start in which the server itself halted all takes last, because the ledger is a copy.
    pub(crate) halted_in: Option<Incarnation>,
}

impl JournalState {
    pub(crate) fn new(books: Books, settled_kept: DurationMs) -> Self {
        Self {
            books,
            stocks: BTreeMap::new(),
            rooms: RoomsPast::default(),
            settled_kept,
            over: BTreeMap::new(),
            ending: BTreeSet::new(),
            last_work: LastWork::default(),
            halted_in: None,
        }
    }

    /// Follows one row. Rows come in commit order.
    pub(crate) fn apply(&mut self, row: &Row, links: &Links<'_>) -> Result<(), RecoverError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let damaged = |source| RecoverError::Record { drop, incarnation, seq, source };
        let at = row.header().map_err(damaged)?.at;
        for record in row.decode() {
            let record = record.map_err(damaged)?;
            match &record {
                Record::Planned { plan, .. } => {
                    self.rooms.planned(drop, plan);
                    self.stocks.insert(drop, StockPast::of(plan));
                }
                Record::Room(room) => self.rooms.record(room),
                Record::Heartbeat(beat) => self.last_work.beat(incarnation, at, **beat),
                Record::Brake(BrakeRecord::Halted(order)) if order.actor.as_str() == SERVER => {
                    self.halted_in = Some(incarnation);
                }
                record => {
                    if let Some(stock) = self.stocks.get_mut(&drop) {
                        stock.apply((drop, seq, at), record)?;
                    }
                }
            }
            let applied = self.books.apply(at, drop, &record, links);
            applied.map_err(|why| match why {
                Contradiction::NoPlan => RecoverError::NoPlan { drop, seq },
                Contradiction::UnknownPool { pool } => {
                    RecoverError::UnknownPool { drop, seq, pool }
                }
            })?;
        }
        if let Some(stock) = self.stocks.get_mut(&drop) {
            stock.last_at = at;
            if self.books.drop(drop).is_some_and(|book| book.phase().is_final()) {
                self.ending.insert((at, drop));
            }
        }
        self.leave_behind(at);
        self.last_work.row(incarnation, at);
        Ok(())
    }

    /// Takes over a drop of which there are no rows.
    pub(crate) fn sealed(&mut self, sealed: SealedDrop) {
        let (drop, summary) = (sealed.seal.drop, &sealed.summary);
        self.rooms.had(drop, &summary.stream, &summary.merchant);
        self.books.note_number(drop);
        self.over.insert(drop, DropSummary::sealed(sealed));
    }

    /// Puts summaries in the place of drops that had been over for long enough at this time.
    pub(crate) fn leave_behind(&mut self, now: UnixMillis) {
        while let Some((since, drop)) = self.ending.first().copied()
            && since.plus(self.settled_kept) <= now
        {
            self.ending.pop_first();
            if let Some(stock) = self.stocks.remove(&drop) {
                let book = self.books.drop(drop).expect("the books know every drop with a stock");
                self.over.insert(drop, stock.summary(drop, book));
                self.books.forget(drop);
            }
        }
    }
}
