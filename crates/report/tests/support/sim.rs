//! A sale in a few words: takes, ends, phases, restarts, as the engine would record them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use stampede_domain::{
    ChannelId, Charges, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Money, PaymentId,
    Phase, SkuIndex, TakeNumber, UnixMillis, ViewerId,
};
use stampede_ledger::{
    Command, DeadlineRecord, Entry, HoldRecord, Link, PaymentChange, PaymentRecord, PhaseRecord,
    Record, RecordedOutcome, Tally, TallySources, ViewerLink,
};

use stampede_testkit::Rig;

use super::{
    COUNTDOWN_MS, GRACE_MS, START_MS, TTL_MS,
    sale::{Hold, Sale, State, count_clicks, pool},
    units, viewer,
};

/// The channel by which a viewer came: every second one by one of two.
pub fn channel_of(who: u64) -> Option<ChannelId> {
    let name = match who % 4 {
        1 => "nina-tv",
        3 => "ben-tv",
        _ => return None,
    };
    Some(name.parse().unwrap())
}

/// What a viewer pays beyond the goods: every third one for shipping.
pub fn charges_of(who: u64) -> Charges {
    let shipping = if who.is_multiple_of(3) { 490 } else { 0 };
    Charges { shipping, ..Charges::NONE }
}

/// A payment in the sandbox.
pub fn payment(reference: &str) -> PaymentId {
    PaymentId::new("sandbox", reference).unwrap()
}

pub struct Sim {
    pub path: PathBuf,
    pub sales: BTreeMap<DropId, Sale>,
    pub now_ms: u64,
    rig: Option<Rig>,
    steward: Vec<Entry<()>>,
    takes: Vec<Entry<()>>,
}

impl Sim {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            sales: BTreeMap::new(),
            now_ms: 0,
            rig: Some(Rig::open(path)),
            steward: Vec::new(),
            takes: Vec::new(),
        }
    }

    pub fn now(&self) -> UnixMillis {
        UnixMillis::new(START_MS + self.now_ms)
    }

    pub fn sale(&mut self, drop: DropId) -> &mut Sale {
        self.sales.get_mut(&drop).unwrap()
    }

    pub(super) fn push(&mut self, drop: DropId, record: Record) {
        self.steward.push(Entry { drop, record, link: None, tag: () });
    }

    /// Plans, counts down, opens: each in commits of its own.
    pub fn open(&mut self, plan: DropPlan) -> DropId {
        let drop = DropId::new(u32::try_from(self.sales.len()).unwrap() + 1);
        let plan = Arc::new(plan);
        let pools = plan.skus.len();
        let planned = Record::Planned { plan: Arc::clone(&plan), revision: 1 };
        let sale = Sale {
            plan: Arc::clone(&plan),
            phase: Phase::Open,
            holds: Vec::new(),
            supplied: plan.skus.iter().map(|sku| sku.supply.get()).collect(),
            lots: 0,
            tallied: Tally { sources: Some(TallySources::default()), ..Tally::default() },
            opened_at: None,
            restarts: 0,
            outage_ms: 0,
            last_take: vec![0; pools],
            floor: vec![0; pools],
            tally: Tally::default(),
        };
        self.sales.insert(drop, sale);
        self.push(drop, planned);
        self.flush();
        self.command(drop, "plan", RecordedOutcome::Accepted);
        let opens_at = self.now().plus(DurationMs::new(COUNTDOWN_MS));
        self.push(drop, Record::Phase(PhaseRecord::Countdown { opens_at }));
        self.command(drop, "open", RecordedOutcome::Accepted);
        self.flush();
        self.now_ms += COUNTDOWN_MS;
        let supplies: Vec<u32> = self.sale(drop).supplied.clone();
        for (number, supply) in supplies.into_iter().enumerate().filter(|(_, supply)| *supply > 0) {
            self.lot(drop, number, supply);
        }
        self.push(drop, Record::Phase(PhaseRecord::Opened));
        self.flush();
        let now = self.now();
        self.sale(drop).opened_at = Some(now);
        drop
    }

    pub(super) fn lot(&mut self, drop: DropId, number: usize, count: u32) {
        let sale = self.sale(drop);
        sale.lots += 1;
        let lot = sale.lots;
        self.push(drop, Record::Lot { pool: pool(number), units: units(count), lot });
    }

    /// A record of the house's chain.
    pub fn house(&mut self, record: Record) {
        self.push(DropId::HOUSE, record);
        self.flush();
    }

    pub fn command(&mut self, drop: DropId, action: &str, outcome: RecordedOutcome) {
        let role = if action == "plan" { "merchant" } else { "host" };
        self.command_by(drop, ("nina", role), action, outcome);
    }

    /// A command of somebody in a role.
    pub(super) fn command_by(
        &mut self,
        drop: DropId,
        (actor, role): (&str, &str),
        action: &str,
        outcome: RecordedOutcome,
    ) {
        let key = IdempotencyKey::new(&format!("{action}-{}", self.now_ms)).unwrap().fingerprint();
        self.push(
            drop,
            Record::Command(Box::new(Command {
                actor: actor.into(),
                role: role.into(),
                action: action.into(),
                key,
                request: key,
                reason: "".into(),
                outcome,
            })),
        );
    }

    /// A buy; the take is durable at the next flush.
    pub fn buy(&mut self, drop: DropId, who: u64, number: usize, count: u32, key: &str) {
        let (now, incarnation) = (self.now(), self.rig.as_ref().unwrap().incarnation);
        let sale = self.sales.get_mut(&drop).unwrap();
        if let Some(channel) = channel_of(who) {
            let sources = sale.tally.sources.get_or_insert_default();
            count_clicks(&mut sources.channels.named, channel, 1);
        }
        if sale.holds.iter().any(|hold| hold.viewer == who && hold.key == key) {
            sale.tally.retries += 1;
            return;
        }
        if let Err(code) = sale.may_take(who, number, count) {
            if code.is_for_want() {
                let sku = SkuIndex::new(u8::try_from(number).unwrap()).unwrap();
                count_clicks(&mut sale.tally.sources.get_or_insert_default().skus, sku, 1);
            }
            return sale.tally.refusals.add(code, 1);
        }
        sale.tally.held += 1;
        sale.last_take[number] += 1;
        let take = TakeNumber::new(sale.last_take[number]).unwrap();
        let id = HoldId::new(drop, incarnation, pool(number), sale.free_slot(number), take);
        let deadline = now.plus(sale.plan.hold_ttl);
        let hold = Hold {
            id,
            viewer: who,
            units: count,
            taken_at: now,
            deadline,
            state: State::Pending,
            key: key.to_owned(),
            ending: None,
        };
        let record = Record::Hold(HoldRecord::Taken {
            hold: id,
            viewer: viewer(who),
            key: IdempotencyKey::new(key).unwrap().fingerprint(),
            units: units(count),
            taken_at: now,
            deadline,
            channel: channel_of(who),
        });
        sale.holds.push(hold);
        let link =
            ViewerLink { number: viewer(who), id: ViewerId::new(&format!("v{who}")).unwrap() };
        self.takes.push(Entry { drop, record, link: Some(Link::Viewer(Arc::new(link))), tag: () });
    }

    /// Ends the `nth` live hold of a drop, if there is one.
    pub fn end(&mut self, drop: DropId, nth: usize, state: State) {
        let sale = self.sales.get_mut(&drop).unwrap();
        let now = UnixMillis::new(START_MS + self.now_ms);
        let grace = sale.plan.grace();
        let live = |hold: &&mut Hold| {
            hold.state == State::Held
                && hold.ending.is_none()
                && (hold.deadline.plus(grace) <= now) == (state == State::Expired)
        };
        let count = sale.holds.iter_mut().filter(live).count();
        if count == 0 {
            return;
        }
        let hold = sale.holds.iter_mut().filter(live).nth(nth % count).unwrap();
        let (id, who) = (hold.id, hold.viewer);
        let is_paid = state == State::Confirmed && sale.plan.payment_terms.is_some();
        if is_paid {
            let charges = charges_of(who);
            if !charges.is_none() {
                self.money(id, PaymentChange::Charged(charges));
            }
            let amount = charges.with(self.goods(id)).unwrap();
            let payment = payment(&format!("{id}-1"));
            self.money(id, PaymentChange::Paid { payment, amount });
        }
        self.end_hold(id, state);
    }

    /// What the goods of a hold cost.
    pub fn goods(&mut self, id: HoldId) -> Money {
        let sale = self.sale(id.drop_id());
        let price = sale.plan.skus[usize::from(id.pool().get())].price;
        let hold = sale.holds.iter().find(|hold| hold.id == id).unwrap();
        price.checked_times(units(hold.units)).unwrap()
    }

    /// A record about the money for a hold.
    pub fn money(&mut self, hold: HoldId, change: PaymentChange) {
        self.push(hold.drop_id(), PaymentRecord { hold, change }.into());
    }

    /// The same after the hold's drop has ended.
    pub fn adjust(&mut self, hold: HoldId, change: PaymentChange) {
        self.push(hold.drop_id().adjustments(), PaymentRecord { hold, change }.into());
    }

    /// An attempt to pay has the plan's stretch from now on.
    pub fn stretch(&mut self, id: HoldId) {
        let now = self.now();
        let sale = self.sale(id.drop_id());
        let stretch = sale.plan.stretch();
        let hold = sale.holds.iter_mut().find(|hold| hold.id == id).unwrap();
        let span = now.plus(stretch).since(hold.deadline);
        hold.deadline = hold.deadline.plus(span);
        self.push(id.drop_id(), DeadlineRecord::Stretched { hold: id, span }.into());
    }

    /// Staff give every live hold more time.
    pub fn extend(&mut self, drop: DropId, span: DurationMs) {
        let until = self.now().plus(DurationMs::new(1));
        for hold in self.sale(drop).holds.iter_mut().filter(|hold| hold.state == State::Held) {
            hold.deadline = hold.deadline.plus(span);
        }
        self.push(drop, DeadlineRecord::Extended { span, until }.into());
    }

    /// Ends a hold by a record of its own; whatever pays for it is recorded before.
    pub fn end_hold(&mut self, id: HoldId, state: State) {
        let drop = id.drop_id();
        let sale = self.sales.get_mut(&drop).unwrap();
        let hold = sale.holds.iter_mut().find(|hold| hold.id == id).unwrap();
        hold.ending = Some(state);
        let (id, units_held) = (hold.id, units(hold.units));
        let record = match state {
            State::Confirmed => Record::Hold(HoldRecord::Confirmed {
                hold: id,
                viewer: viewer(hold.viewer),
                units: units_held,
                amount: sale.plan.skus[usize::from(id.pool().get())]
                    .price
                    .checked_times(units_held)
                    .unwrap(),
                channel: channel_of(hold.viewer),
            }),
            State::Released => Record::Hold(HoldRecord::Released { hold: id, units: units_held }),
            _ => Record::Hold(HoldRecord::Expired { hold: id, units: units_held }),
        };
        self.push(drop, record);
    }

    /// Ends the first live hold of a drop by a record that the caller commits.
    pub fn decide_end(&mut self, drop: DropId, state: State) -> Record {
        self.end(drop, 0, state);
        self.steward.pop().unwrap().record
    }

    /// Time passes; what is due expires.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        let drops: Vec<DropId> = self.sales.keys().copied().collect();
        for drop in drops {
            let due = self.sales[&drop].holds.len();
            for _ in 0..due {
                self.end(drop, 0, State::Expired);
            }
        }
    }

    /// Commits everything that waits.
    pub fn flush(&mut self) {
        let takes = std::mem::take(&mut self.takes);
        self.commit(takes);
    }

    /// Commits the ends with every second take only, latest first: takes become durable in any
    /// order.
    pub fn flush_partly(&mut self) {
        let mut now = Vec::new();
        for (place, take) in std::mem::take(&mut self.takes).into_iter().enumerate() {
            if place % 2 == 1 { now.push(take) } else { self.takes.push(take) }
        }
        now.reverse();
        self.commit(now);
    }

    fn commit(&mut self, takes: Vec<Entry<()>>) {
        let mut entries = std::mem::take(&mut self.steward);
        entries.extend(takes);
        if entries.is_empty() {
            return;
        }
        let durable: BTreeSet<HoldId> = entries
            .iter()
            .filter_map(|entry| match &entry.record {
                Record::Hold(HoldRecord::Taken { hold, .. }) => Some(*hold),
                _ => None,
            })
            .collect();
        let now = self.now();
        assert!(self.rig.as_mut().unwrap().commit(now, entries), "the store takes a sound sale");
        for hold in self.sales.values_mut().flat_map(|sale| &mut sale.holds) {
            if durable.contains(&hold.id) {
                hold.state = State::Held;
            }
            if let Some(end) = hold.ending.take() {
                hold.state = end;
            }
        }
    }

    pub fn tally(&mut self, drop: DropId, connected: u64) {
        let tally = std::mem::take(&mut self.sale(drop).tally);
        let sources = Some(tally.sources.unwrap_or_default());
        self.write_tally(drop, Tally { connected, sources, ..tally });
    }

    /// A tally as older programs wrote it, which says nothing about SKUs and channels.
    pub fn old_tally(&mut self, drop: DropId, connected: u64) {
        let tally = std::mem::take(&mut self.sale(drop).tally);
        self.write_tally(drop, Tally { connected, sources: None, ..tally });
    }

    fn write_tally(&mut self, drop: DropId, tally: Tally) {
        let sale = self.sale(drop);
        sale.tallied.held += tally.held;
        sale.tallied.retries += tally.retries;
        sale.tallied.connected = sale.tallied.connected.max(tally.connected);
        tally.refusals.iter().for_each(|(code, times)| sale.tallied.refusals.add(code, times));
        match (&mut sale.tallied.sources, &tally.sources) {
            (Some(sum), Some(sources)) => {
                for (sku, times) in &sources.skus {
                    count_clicks(&mut sum.skus, *sku, *times);
                }
                for (channel, times) in &sources.channels.named {
                    count_clicks(&mut sum.channels.named, channel.clone(), *times);
                }
                sum.channels.other += sources.channels.other;
            }
            (sum, None) if tally.clicks() > 0 => *sum = None,
            _ => {}
        }
        self.push(drop, Record::Tally(Box::new(tally)));
    }

    pub fn pause(&mut self, drop: DropId) {
        if self.sale(drop).phase == Phase::Open {
            self.sale(drop).phase = Phase::Paused;
            self.push(drop, Record::Phase(PhaseRecord::Paused));
        } else if self.sale(drop).phase == Phase::Paused {
            self.push(drop, Record::Phase(PhaseRecord::Resumed));
            // Takes from before the pause may commit later than those behind it.
            self.flush_steward();
            self.sale(drop).phase = Phase::Open;
        }
    }

    /// A record of the drop's stream, in a commit of its own.
    pub fn stream(&mut self, drop: DropId, record: Record) {
        self.push(drop, record);
        self.flush();
    }

    /// A record of the drop in a commit that has no takes.
    pub fn record_alone(&mut self, drop: DropId, record: Record) {
        self.push(drop, record);
        self.flush_steward();
    }

    pub fn restock(&mut self, drop: DropId, number: usize, count: u32) {
        if matches!(self.sale(drop).phase, Phase::Open | Phase::Paused) {
            self.lot(drop, number, count);
            self.command(drop, "restock", RecordedOutcome::Accepted);
            self.flush();
            self.sale(drop).supplied[number] += count;
        }
    }

    /// Kills the node: whatever waits is lost. Then recovers after `outage_ms`.
    pub fn crash(&mut self, outage_ms: u64) {
        self.crash_and_recover(outage_ms, usize::MAX);
    }

    /// The same with a start that comes no further than these many drops.
    pub fn crash_and_recover(&mut self, outage_ms: u64, drops: usize) {
        // A phase under way would be lost as well; the sale goes on as decided instead.
        self.flush_steward();
        self.takes.clear();
        self.rig.take().unwrap().close();
        self.now_ms += outage_ms;
        let mut rig = Rig::open(&self.path);
        let now = UnixMillis::new(START_MS + self.now_ms);
        let outage = now.since(rig.last_at);
        let live = self.sales.iter_mut().filter(|(_, sale)| !sale.phase.is_final());
        for (drop, sale) in live.take(drops) {
            let recovered = sale.recover(outage);
            let entry = Entry {
                drop: *drop,
                record: Record::Recovered(recovered.into()),
                link: None,
                tag: (),
            };
            assert!(rig.commit(now, vec![entry]));
        }
        self.rig = Some(rig);
    }

    pub(super) fn flush_steward(&mut self) {
        self.commit(Vec::new());
    }

    /// Closes, lets everything expire, settles.
    pub fn settle(&mut self, drop: DropId) {
        if self.sale(drop).phase == Phase::Paused {
            self.flush();
        }
        self.sale(drop).phase = Phase::Closed;
        self.push(drop, Record::Phase(PhaseRecord::Closed));
        self.command(drop, "close", RecordedOutcome::Accepted);
        self.flush();
        self.wait(TTL_MS + GRACE_MS);
        self.flush();
        self.tally(drop, 0);
        self.push(drop, Record::Phase(PhaseRecord::Settled));
        self.flush();
        self.sale(drop).phase = Phase::Settled;
    }

    pub fn close(mut self) -> BTreeMap<DropId, Sale> {
        self.flush();
        self.rig.take().unwrap().close();
        self.sales
    }
}
