//! The seal that is written when a drop's chain has ended.
//!
//! A seal lets a start leave the chain alone: it has the chain's head, its sums, and what anybody may
//! still ask about the drop. `verify` works all of it out again.

use std::sync::Arc;

use stampede_domain::{
    Currency, DropId, DropPlan, HostId, Incarnation, MerchantId, Mode, Phase, Seq, SkuIndex,
    StreamId, Units, UnixMillis,
    limits::{SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX, TITLE_BYTES_MAX},
};

use crate::{
    NewOrder, ProjectionRow, Record, RecordError, RowHash, SupplyDelta,
    drop_pools::DropPools,
    record::bytes::{Reader, put_len, put_option, put_text, put_varint},
    turn::Turn,
};

/// The version of a summary's layout without what came later: opening and currency.
const SUMMARY_WITHOUT_SALE: u8 = 1;
/// The version of a summary's layout.
const SUMMARY_VERSION: u8 = 2;
/// The version of a layout that says what is in reserve behind the rest; only where something is.
const SUMMARY_WITH_RESERVE: u8 = 3;

/// A commit: the start, with the commit's number in it.
pub type CommitKey = (Incarnation, Seq);

/// The end of a drop's chain, with its sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The drop.
    pub drop: DropId,
    /// The commit of the chain's first row.
    pub first: CommitKey,
    /// The commit of its last row.
    pub last: CommitKey,
    /// Rows of the chain.
    pub rows: u64,
    /// Records of the chain.
    pub records: u64,
    /// Hash of the last row.
    pub head: RowHash,
    /// Units of all lots.
    pub units_supplied: u64,
    /// Units in orders.
    pub units_sold: u64,
    /// Orders.
    pub orders: u64,
    /// What all orders cost, in minor units.
    pub amount_minor: u64,
    /// Time of the last row.
    pub settled_at: UnixMillis,
    /// What may still be asked about the drop, see [`SealSummary::decode`].
    pub summary: Vec<u8>,
}

impl Seal {
    /// The first field in which another seal of the drop differs. A summary of version 1 is the same as one of
    /// version 2 that says nothing else in what both have.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let fields = [
            ("first row", self.first == other.first),
            ("last row", self.last == other.last),
            ("rows", self.rows == other.rows),
            ("records", self.records == other.records),
            ("head hash", self.head == other.head),
            ("units supplied", self.units_supplied == other.units_supplied),
            ("units sold", self.units_sold == other.units_sold),
            ("orders", self.orders == other.orders),
            ("amount", self.amount_minor == other.amount_minor),
            ("time", self.settled_at == other.settled_at),
            ("summary", is_same_summary(&self.summary, &other.summary)),
        ];
        fields.into_iter().find(|(_, is_same)| !is_same).map(|(field, _)| field)
    }
}

fn is_same_summary(one: &[u8], other: &[u8]) -> bool {
    one == other || {
        let read = [one, other].map(|bytes| SealSummary::decode(bytes).ok());
        let [Some(one), Some(other)] = read else { return false };
        one.is_version_1() != other.is_version_1() && one.version_1() == other.version_1()
    }
}

/// What a drop was, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealSummary {
    /// Settled, cancelled or voided.
    pub phase: Phase,
    /// Counts the edits of the plan; the first plan is 1.
    pub revision: u32,
    /// The stream.
    pub stream: StreamId,
    /// Place among the stream's drops.
    pub running_order: u16,
    /// Title for viewers.
    pub title: Box<str>,
    /// Whose goods were sold.
    pub merchant: MerchantId,
    /// Who ran it.
    pub host: HostId,
    /// Live or rehearsal.
    pub mode: Mode,
    /// Whether it was made for a rehearsal by one press.
    pub is_rehearsal_copy: bool,
    /// Whether it was cancelled before viewers had heard of it.
    pub was_hidden: bool,
    /// The SKUs in the plan's order.
    pub skus: Box<[SealedSku]>,
    /// Time of the row with which the drop opened. `None` if it never did, and in a summary of version 1.
    pub opened_at: Option<UnixMillis>,
    /// The currency of [`Seal::amount_minor`]. `None` in a summary of version 1.
    pub currency: Option<Currency>,
}

/// What became of a SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealedSku {
    /// Units of all lots; of a drop that was cancelled before its first lot, the plan's supply.
    pub supplied: Units,
    /// Units in orders.
    pub sold: Units,
    /// Units that were in reserve to the end.
    pub reserve: Units,
}

impl SealSummary {
    /// Whether it is of version 1, which had no currency.
    pub const fn is_version_1(&self) -> bool {
        self.currency.is_none()
    }

    /// What version 1 had of it.
    #[must_use]
    pub fn version_1(&self) -> Self {
        let skus = self.skus.iter().map(|sku| SealedSku { reserve: Units::ZERO, ..*sku });
        Self { opened_at: None, currency: None, skus: skus.collect(), ..self.clone() }
    }

    /// The bytes: version `1`, phase `1` (0 settled, 1 cancelled, 2 voided, 3 cancelled while hidden), revision `v`, stream `t`, running
    /// order `v`, title `t`, merchant `t`, host `t`, mode `1` (0 live, 1 rehearsal, 2 a copy for a
    /// rehearsal by one press), SKUs `v` ×
    /// (supplied `v`, sold `v`), from version 2 on opened at `o v` and the currency's three letters, in version 3 what
    /// each SKU had in reserve `v`, with the notation of `docs/ledger.md`. Without a currency it is version 1, which says
    /// nothing of an opening; with a reserve it is version 3.
    pub fn encode(&self) -> Vec<u8> {
        let has_reserve = self.skus.iter().any(|sku| !sku.reserve.is_zero());
        let version = match self.currency {
            None => SUMMARY_WITHOUT_SALE,
            Some(_) if has_reserve => SUMMARY_WITH_RESERVE,
            Some(_) => SUMMARY_VERSION,
        };
        let phase = match self.phase {
            Phase::Cancelled if self.was_hidden => 3,
            Phase::Cancelled => 1,
            Phase::Voided => 2,
            _ => 0,
        };
        let mut out = vec![version, phase];
        put_varint(&mut out, u64::from(self.revision));
        put_text(&mut out, self.stream.as_str());
        put_varint(&mut out, u64::from(self.running_order));
        put_text(&mut out, &self.title);
        put_text(&mut out, self.merchant.as_str());
        put_text(&mut out, self.host.as_str());
        out.push(match self.mode {
            Mode::Live => 0,
            Mode::Rehearsal => 1 + u8::from(self.is_rehearsal_copy),
        });
        put_len(&mut out, self.skus.len());
        for sku in &self.skus {
            put_varint(&mut out, u64::from(sku.supplied.get()));
            put_varint(&mut out, u64::from(sku.sold.get()));
        }
        if let Some(currency) = self.currency {
            put_option(&mut out, self.opened_at, |out, at| put_varint(out, at.get()));
            out.extend_from_slice(currency.code().as_bytes());
        }
        if version == SUMMARY_WITH_RESERVE {
            self.skus.iter().for_each(|sku| put_varint(&mut out, u64::from(sku.reserve.get())));
        }
        out
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if !matches!(version, SUMMARY_WITHOUT_SALE | SUMMARY_VERSION | SUMMARY_WITH_RESERVE) {
            return Err(RecordError::Version { found: version });
        }
        let (phase, was_hidden) = match reader.u8()? {
            0 => (Phase::Settled, false),
            1 => (Phase::Cancelled, false),
            2 => (Phase::Voided, false),
            3 => (Phase::Cancelled, true),
            _ => return Err(reader.invalid("phase")),
        };
        let revision = reader.int("revision")?;
        let stream = id(&mut reader, "stream", StreamId::new)?;
        let running_order = reader.int("running order")?;
        let title = reader.str("title", TITLE_BYTES_MAX)?.into();
        let merchant = id(&mut reader, "merchant", MerchantId::new)?;
        let host = id(&mut reader, "host", HostId::new)?;
        let (mode, is_rehearsal_copy) = match reader.u8()? {
            0 => (Mode::Live, false),
            1 => (Mode::Rehearsal, false),
            2 => (Mode::Rehearsal, true),
            _ => return Err(reader.invalid("mode")),
        };
        let mut summary = Self {
            phase,
            revision,
            stream,
            running_order,
            title,
            merchant,
            host,
            mode,
            is_rehearsal_copy,
            was_hidden,
            skus: skus(&mut reader)?,
            opened_at: None,
            currency: None,
        };
        if version != SUMMARY_WITHOUT_SALE {
            summary.opened_at = reader.option("opened at", |reader| reader.time("opened at"))?;
            summary.currency = Some(reader.currency("currency")?);
        }
        if version == SUMMARY_WITH_RESERVE {
            for sku in &mut summary.skus {
                sku.reserve = reader.units("reserve")?;
            }
            // Without any it is another version.
            if summary.skus.iter().all(|sku| sku.reserve.is_zero()) {
                return Err(reader.invalid("reserve"));
            }
        }
        if reader.is_at_end() { Ok(summary) } else { Err(reader.invalid("summary")) }
    }
}

fn id<V, E>(
    reader: &mut Reader<'_>,
    field: &'static str,
    new: impl FnOnce(&str) -> Result<V, E>,
) -> Result<V, RecordError> {
    let text = reader.str(field, TEXT_ID_BYTES_MAX)?;
    new(text).map_err(|_| reader.invalid(field))
}

fn skus(reader: &mut Reader<'_>) -> Result<Box<[SealedSku]>, RecordError> {
    let count: usize = reader.int("SKUs")?;
    if count > SKUS_PER_DROP_MAX {
        return Err(reader.invalid("SKUs"));
    }
    (0..count)
        .map(|_| {
            let (supplied, sold) = (reader.units("supplied")?, reader.units("sold")?);
            Ok(SealedSku { supplied, sold, reserve: Units::ZERO })
        })
        .collect()
}

/// The sums of a chain that goes on, from which its seal is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSums {
    first: CommitKey,
    rows: u64,
    records: u64,
    orders: u64,
    amount_minor: u64,
    plan: Option<(u32, Arc<DropPlan>)>,
    opened_at: Option<UnixMillis>,
    ended: Option<Phase>,
    /// Whether viewers have heard of the drop: a plan showed it, its countdown began, or it opened.
    is_known: bool,
    /// Whether units were put on sale, withdrawn ones included.
    is_supplied: bool,
    /// The pools of the plan.
    pools: DropPools,
    /// Units supplied and sold, by SKU.
    skus: Vec<(u64, u64)>,
    /// Units in reserve, by SKU.
    reserve: Vec<Units>,
}

impl ChainSums {
    /// Of a chain whose first row stands in this commit; the row itself is still to come.
    pub(crate) fn new(first: CommitKey) -> Self {
        Self {
            first,
            rows: 0,
            records: 0,
            orders: 0,
            amount_minor: 0,
            plan: None,
            opened_at: None,
            ended: None,
            is_known: false,
            is_supplied: false,
            pools: DropPools::default(),
            skus: Vec::new(),
            reserve: Vec::new(),
        }
    }

    /// The pools of the drop.
    pub(crate) const fn pools(&self) -> &DropPools {
        &self.pools
    }

    /// The stream with the mode, which no edit changes.
    pub(crate) fn scene(&self) -> Option<(StreamId, Mode)> {
        self.plan.as_ref().map(|(_, plan)| (plan.stream.clone(), plan.mode))
    }

    /// A row of this many records follows.
    pub(crate) fn row(&mut self, records: u32) {
        self.rows += 1;
        self.records += u64::from(records);
    }

    /// A record of the latest row, which is of this time.
    pub(crate) fn record(&mut self, record: &Record, at: UnixMillis) {
        if let Some(order) = NewOrder::of(record, 0, &self.pools) {
            self.order(&order);
        }
        if let Some(delta) = SupplyDelta::of(record, &self.pools) {
            self.supply(&delta);
        }
        let mut turn = Turn::default();
        turn.take_in(record);
        self.turn(&turn, at);
    }

    /// A row that is being committed at this time, with what follows from its records.
    pub(crate) fn whole_row(
        &mut self,
        (records, at): (u32, UnixMillis),
        derived: &[ProjectionRow],
        supply: &[SupplyDelta],
        turn: &Turn,
    ) {
        self.row(records);
        for ProjectionRow::Order(order) in derived {
            self.order(order);
        }
        for delta in supply {
            self.supply(delta);
        }
        self.turn(turn, at);
    }

    fn order(&mut self, order: &NewOrder) {
        self.orders += 1;
        self.amount_minor = self.amount_minor.saturating_add(order.amount.minor());
        self.sku(order.sku).1 += u64::from(order.units.get());
    }

    fn supply(&mut self, delta: &SupplyDelta) {
        let supplied = &mut self.sku(delta.sku).0;
        *supplied = supplied.saturating_add_signed(delta.supplied);
    }

    fn sku(&mut self, sku: SkuIndex) -> &mut (u64, u64) {
        let place = usize::from(sku.get());
        if self.skus.len() <= place {
            self.skus.resize(place + 1, (0, 0));
        }
        &mut self.skus[place]
    }

    fn turn(&mut self, turn: &Turn, at: UnixMillis) {
        if turn.opened {
            self.opened_at.get_or_insert(at);
        }
        if let Some(planned) = &turn.planned {
            self.plan = Some(planned.clone());
            self.pools = DropPools::of(&planned.1);
            self.reserve = planned.1.skus.iter().map(|sku| sku.reserve).collect();
        }
        if let Some((revision, _)) = &mut self.plan {
            *revision = revision.saturating_add(turn.amended);
        }
        for (pool, left) in &turn.reserved {
            let place = usize::from(self.pools.sku_of(*pool).get());
            if let Some(reserve) = self.reserve.get_mut(place) {
                *reserve = *left;
            }
        }
        self.ended = turn.ended.or(self.ended);
        self.is_known |= turn.is_known;
        self.is_supplied |= turn.is_supplied;
    }

    /// The seal of a chain that has ended at this row; `None` while it goes on.
    pub(crate) fn seal(
        &self,
        drop: DropId,
        last: CommitKey,
        head: RowHash,
        settled_at: UnixMillis,
    ) -> Option<Seal> {
        let phase = self.ended?;
        let (revision, plan) = self.plan.as_ref()?;
        let units = |sum: u64| u32::try_from(sum).ok().and_then(Units::new).unwrap_or(Units::MAX);
        let skus = plan.skus.iter().enumerate().map(|(place, sku)| {
            let (supplied, sold) = self.skus.get(place).copied().unwrap_or_default();
            let supplied = if self.is_supplied { units(supplied) } else { sku.supply };
            let reserve = self.reserve.get(place).copied().unwrap_or_default();
            SealedSku { supplied, sold: units(sold), reserve }
        });
        let summary = SealSummary {
            phase,
            revision: *revision,
            stream: plan.stream.clone(),
            running_order: plan.running_order,
            title: plan.title.as_str().into(),
            merchant: plan.merchant.clone(),
            host: plan.host.clone(),
            mode: plan.mode,
            is_rehearsal_copy: plan.rehearsal.is_some(),
            was_hidden: phase == Phase::Cancelled && !self.is_known,
            skus: skus.collect(),
            opened_at: self.opened_at,
            currency: plan.skus.first().map(|sku| sku.price.currency()),
        };
        Some(Seal {
            drop,
            first: self.first,
            last,
            rows: self.rows,
            records: self.records,
            head,
            units_supplied: self.skus.iter().map(|(supplied, _)| supplied).sum(),
            units_sold: self.skus.iter().map(|(_, sold)| sold).sum(),
            orders: self.orders,
            amount_minor: self.amount_minor,
            settled_at,
            summary: summary.encode(),
        })
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        Amendment, HoldId, NewEnd, PoolIndex, PoolMap, SlotIndex, TakeNumber, ViewerNumber,
    };
    use stampede_testkit::{euros, plan_of, sku, units};

    use super::*;
    use crate::{Amended, CorrectionRecord, HoldRecord, PhaseRecord};

    #[test]
    fn a_seal_sums_every_pool_of_a_sku() {
        let pool = |number| PoolIndex::new(number).unwrap();
        let (start, seq) = (Incarnation::new(1).unwrap(), Seq::new(1).unwrap());
        let (slot, take) = (SlotIndex::new(1).unwrap(), TakeNumber::new(1).unwrap());
        let plan = plan_of([sku("mug", 5), sku("cup", 3)]);
        let (mut sums, at) = (ChainSums::new((start, seq)), UnixMillis::new(7));
        sums.record(&Record::Planned { plan: Arc::new(plan), revision: 1 }, at);
        sums.pools = PoolMap::new([0, 1, 0].map(|of| SkuIndex::new(of).unwrap())).unwrap().into();
        for (number, count) in [(0, 5), (1, 3), (2, 7)] {
            sums.record(&Record::Lot { pool: pool(number), units: units(count), lot: 1 }, at);
        }
        for (number, count) in [(2, 2), (1, 1), (0, 1)] {
            let hold = HoldId::new(DropId::new(1), start, pool(number), slot, take);
            let (viewer, units) = (ViewerNumber::new(1).unwrap(), units(count));
            let amount = euros(1990);
            let order = HoldRecord::Confirmed { hold, viewer, units, amount, channel: None };
            sums.record(&Record::Hold(order), at);
        }
        sums.record(&Record::Phase(PhaseRecord::Settled), at);
        let head = RowHash::genesis(DropId::new(1));
        let seal = sums.seal(DropId::new(1), (start, seq), head, UnixMillis::default()).unwrap();
        assert_eq!((seal.units_supplied, seal.units_sold), (15, 4));
        let summary = SealSummary::decode(&seal.summary).unwrap();
        let sealed = |supplied, sold| {
            let (supplied, sold) = (units(supplied), units(sold));
            SealedSku { supplied, sold, reserve: Units::ZERO }
        };
        assert_eq!(*summary.skus, [sealed(12, 3), sealed(3, 1)]);
        assert_eq!((summary.opened_at, summary.currency), (None, Some(euros(0).currency())));
    }

    #[test]
    fn a_seal_says_what_was_in_reserve_to_the_end() {
        let (start, seq) = (Incarnation::new(1).unwrap(), Seq::new(1).unwrap());
        let (mut sums, at) = (ChainSums::new((start, seq)), UnixMillis::new(7));
        let mut plan = plan_of([sku("mug", 5), sku("cup", 3)]);
        (plan.skus[0].reserve, plan.skus[1].reserve) = (units(9), units(2));
        sums.record(&Record::Planned { plan: Arc::new(plan), revision: 1 }, at);
        let pool = PoolIndex::new(0).unwrap();
        for left in [4, 6] {
            let reserved = CorrectionRecord::Reserved { pool, left: units(left) };
            sums.record(&reserved.into(), at);
        }
        sums.record(&Record::Phase(PhaseRecord::Cancelled), at);
        let head = RowHash::genesis(DropId::new(1));
        let seal = sums.seal(DropId::new(1), (start, seq), head, at).unwrap();
        let summary = SealSummary::decode(&seal.summary).unwrap();
        assert_eq!(summary.skus.iter().map(|sku| sku.reserve.get()).collect::<Vec<_>>(), [6, 2]);
        assert_eq!((seal.summary[0], summary.encode()), (3, seal.summary.clone()));
        for end in 0..seal.summary.len() {
            assert!(SealSummary::decode(&seal.summary[..end]).is_err(), "cut after {end} bytes");
        }
        let mut none = seal.summary;
        let reserves = none.len() - 2;
        none[reserves..].fill(0);
        assert!(SealSummary::decode(&none).is_err(), "without any it is version 2");
    }

    #[test]
    fn terms_that_were_amended_are_another_revision_of_the_seal() {
        let (start, seq) = (Incarnation::new(1).unwrap(), Seq::new(1).unwrap());
        let (mut sums, at) = (ChainSums::new((start, seq)), UnixMillis::new(7));
        let plan = Arc::new(plan_of([sku("mug", 5)]));
        sums.record(&Record::Planned { plan, revision: 4 }, at);
        let amendment = Amendment { limits: None, end: Some(NewEnd::Never) };
        let amended = Amended { amendment, last_takes: Vec::new() };
        for _ in 0..2 {
            let amended = Box::new(amended.clone());
            sums.record(&CorrectionRecord::Amended(amended).into(), at);
        }
        sums.record(&Record::Phase(PhaseRecord::Settled), at);
        let head = RowHash::genesis(DropId::new(1));
        let seal = sums.seal(DropId::new(1), (start, seq), head, at).unwrap();
        assert_eq!(SealSummary::decode(&seal.summary).unwrap().revision, 6);
    }

    #[test]
    fn a_seal_has_the_time_of_the_first_opening_and_differs_from_older_ones_in_what_both_say() {
        let (start, seq) = (Incarnation::new(1).unwrap(), Seq::new(1).unwrap());
        let mut sums = ChainSums::new((start, seq));
        let plan = Arc::new(plan_of([sku("mug", 5)]));
        let phases = [PhaseRecord::Opened, PhaseRecord::Paused, PhaseRecord::Resumed];
        sums.record(&Record::Planned { plan, revision: 1 }, UnixMillis::new(1));
        for (at, phase) in (5..).zip(phases) {
            sums.record(&Record::Phase(phase), UnixMillis::new(at));
        }
        sums.record(&Record::Phase(PhaseRecord::Settled), UnixMillis::new(9));
        let head = RowHash::genesis(DropId::new(1));
        let seal = sums.seal(DropId::new(1), (start, seq), head, UnixMillis::new(9)).unwrap();
        let summary = SealSummary::decode(&seal.summary).unwrap();
        assert_eq!(summary.opened_at, Some(UnixMillis::new(5)));
        let with = |summary: &SealSummary| Seal { summary: summary.encode(), ..seal.clone() };
        let old = with(&summary.version_1());
        assert_eq!((old.summary[0], seal.summary[0]), (1, 2));
        assert_eq!(SealSummary::decode(&old.summary), Ok(summary.version_1()));
        assert_eq!((seal.difference(&old), old.difference(&seal)), (None, None));
        let later = SealSummary { opened_at: Some(UnixMillis::new(6)), ..summary.clone() };
        assert_eq!(seal.difference(&with(&later)), Some("summary"));
        let other = SealSummary { revision: 2, ..summary.version_1() };
        assert_eq!(seal.difference(&with(&other)), Some("summary"));
        assert_eq!(old.difference(&with(&other)), Some("summary"));
    }
}
