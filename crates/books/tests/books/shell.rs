//! The shell of a story: carries out acts, keeps records on the way, then performs effects.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use stampede_books::{
    Act, Books, CommandOutcome, Counted, Decision, DropBook, Effect, HoldEnd, HoldLook, NewRecord,
    OverDrop, StaffCommand, Totals,
};
use stampede_domain::{BanId, DropId, DurationMs, Moment, Phase, Rates, UnixMillis, ViewerNumber};
use stampede_ledger::{HoldRecord, Record, ViewerLink};

use crate::{
    journal::Journal,
    log::Log,
    show,
    stock::{Hold, HoldState, Stock},
    words::{BEGIN_MS, LIMITS},
};

/// Records that become durable together, with what waits for them.
#[derive(Default)]
pub(crate) struct Batch {
    records: Vec<NewRecord>,
    effects: Vec<Effect>,
    /// What the books knew when they had decided this.
    state: String,
    decided_at: Option<Moment>,
    /// Which command was accepted by it.
    given: Option<usize>,
    is_take: bool,
}

/// A command that was decided.
pub(crate) struct DecidedCommand {
    pub(crate) command: StaffCommand,
    pub(crate) outcome: CommandOutcome,
    pub(crate) is_durable: bool,
}

/// The brake as viewers meet it.
#[derive(Default)]
pub(crate) struct Brake {
    pub(crate) is_halted: bool,
    pub(crate) rates: Rates,
    /// With whom they keep out.
    pub(crate) bans: BTreeMap<BanId, String>,
}

pub(crate) struct Shell {
    pub(crate) books: Books,
    decision: Decision,
    pub(crate) sale: UnixMillis,
    /// By how many milliseconds the wall clock is ahead of the sale's.
    pub(crate) wall_ahead: i64,
    /// Nothing becomes durable by itself.
    pub(crate) hangs: bool,
    pub(crate) staged: Batch,
    pub(crate) on_way: VecDeque<Batch>,
    pub(crate) journal: Journal,
    /// What the live books knew at the last durable record.
    pub(crate) durable_state: String,
    /// When that was decided.
    pub(crate) decided_at: Moment,
    pub(crate) stock: Stock,
    pub(crate) brake: Brake,
    /// The drops that viewers are told of, by stream and mode.
    pub(crate) air: BTreeMap<String, DropId>,
    pub(crate) releases: VecDeque<(ViewerNumber, BanId)>,
    pub(crate) viewers: Vec<Arc<ViewerLink>>,
    pub(crate) given: Vec<DecidedCommand>,
    pub(crate) over: BTreeMap<DropId, OverDrop>,
    pub(crate) counted: BTreeMap<DropId, Totals>,
    /// Commands were given so often that keys were pushed out.
    pub(crate) keys_are_full: bool,
    pub(crate) incarnation: u32,
    /// Something has become durable since the start, so that the node is known to have worked.
    pub(crate) has_worked: bool,
    /// When it was last known to work.
    pub(crate) worked_until: UnixMillis,
    pub(crate) log: Log,
    /// Counts what has happened: a turn ends when nothing more does.
    steps: u64,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let (books, journal, sale) =
            (Books::new(LIMITS), Journal::default(), UnixMillis::new(BEGIN_MS));
        let durable_state = journal.state(&books, Moment { sale, wall: sale });
        Self {
            books,
            decision: Decision::default(),
            sale,
            wall_ahead: 0,
            hangs: false,
            staged: Batch::default(),
            on_way: VecDeque::new(),
            journal,
            durable_state,
            decided_at: Moment { sale, wall: sale },
            stock: Stock::default(),
            brake: Brake::default(),
            air: BTreeMap::new(),
            releases: VecDeque::new(),
            viewers: Vec::new(),
            given: Vec::new(),
            over: BTreeMap::new(),
            counted: BTreeMap::new(),
            keys_are_full: false,
            incarnation: 1,
            has_worked: true,
            worked_until: sale,
            log: Log::default(),
            steps: 0,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let sale = self.sale;
        Moment { sale, wall: sale }.with_ahead_ms(-self.wall_ahead)
    }

    /// Has the books decide; the records wait for [`Self::hand_over`].
    pub(crate) fn decide<T>(&mut self, ask: impl FnOnce(&mut Books, &mut Decision) -> T) -> T {
        let mut decision = std::mem::take(&mut self.decision);
        let answer = ask(&mut self.books, &mut decision);
        for act in decision.at_once.drain(..) {
            self.steps += 1;
            if matches!(act, Act::Make { .. }) {
                // It names the drop's SKUs from now on.
                self.act(&act);
                self.log.note("acts", show::act(&act, &self.stock));
            } else {
                self.log.note("acts", show::act(&act, &self.stock));
                self.act(&act);
            }
        }
        for recorded in decision.records.drain(..) {
            self.steps += 1;
            let text = show::record(recorded.drop, &recorded.record, &self.stock);
            self.log.note("records", text);
            self.staged.records.push(recorded);
        }
        self.staged.effects.append(&mut decision.when_durable);
        self.decision = decision;
        answer
    }

    /// What was decided is on its way to the ledger, all of it or nothing.
    pub(crate) fn hand_over(&mut self, given: Option<usize>) {
        if self.staged.records.is_empty() {
            assert!(self.staged.effects.is_empty(), "what waits, waits for a record");
            return;
        }
        let state = self.journal.state(&self.books, self.now());
        let decided_at = Some(self.now());
        let batch = Batch { state, decided_at, given, ..std::mem::take(&mut self.staged) };
        self.on_way.push_back(batch);
    }

    /// A take is on its way, by a ring of its own.
    pub(crate) fn push_take(&mut self, drop: DropId, record: HoldRecord) {
        let record = Record::from(record);
        self.log.note("records", show::record(drop, &record, &self.stock));
        let records = vec![NewRecord { drop, record, link: None }];
        self.on_way.push_back(Batch { records, is_take: true, ..Batch::default() });
    }

    /// The next commit on the way, or the next take, becomes durable; `false` if there is none.
    pub(crate) fn commit(&mut self, of_takes: Option<bool>) -> bool {
        let next =
            self.on_way.iter().position(|batch| of_takes.is_none_or(|is| batch.is_take == is));
        let batch = next.and_then(|next| self.on_way.remove(next));
        batch.map(|batch| self.commit_batch(batch)).is_some()
    }

    /// Everything on the way, or every take, becomes durable by one commit.
    pub(crate) fn commit_all(&mut self, of_takes: Option<bool>) {
        self.journal.begin();
        while self.commit(of_takes) {}
    }

    /// What was handed over last becomes durable first, by a ring of its own.
    pub(crate) fn commit_last(&mut self) {
        self.journal.begin();
        let batch = self.on_way.pop_back().expect("something is on the way");
        self.commit_batch(batch);
    }

    fn commit_batch(&mut self, batch: Batch) {
        self.steps += 1;
        self.has_worked = true;
        for NewRecord { drop, record, link } in batch.records {
            if let Record::Hold(HoldRecord::Taken { hold, .. }) = &record {
                self.stock.by_id(*hold).state = HoldState::Held;
                self.books.note_take(drop, hold.pool());
            }
            self.journal.push(self.sale, (drop, record), link);
        }
        if let Some(given) = batch.given {
            self.given[given].is_durable = true;
        }
        if let Some(decided_at) = batch.decided_at {
            (self.durable_state, self.decided_at) = (batch.state, decided_at);
        }
        for effect in batch.effects {
            let done = self.perform(&effect);
            let text = show::effect(&effect, &self.stock);
            self.log.note("then", text + if done { "" } else { " (overtaken)" });
        }
    }

    /// Whether everything decided is durable.
    pub(crate) fn is_quiet(&self) -> bool {
        self.on_way.is_empty() && self.staged.records.is_empty()
    }

    /// Does all that is due now.
    pub(crate) fn turn(&mut self) {
        for _ in 0..1_000 {
            let before = self.steps;
            if !self.hangs {
                self.commit_all(None);
            }
            self.expire();
            self.end_called_off();
            self.timers();
            while self.books.brake().due(self.now().wall).is_some() {
                let wall = self.now().wall;
                self.decide(|books, out| books.brake_timer(wall, out));
                self.hand_over(None);
            }
            self.release_banned();
            if self.steps == before {
                return;
            }
        }
        panic!("something is due for ever");
    }

    fn expire(&mut self) {
        while let Some((deadline, name)) = self.stock.next_deadline()
            && deadline <= self.sale
        {
            let HoldLook::Known(held) = self.stock.holds[&name].look() else { unreachable!() };
            let now = self.sale;
            self.decide(|books, out| books.end_hold(now, held, HoldEnd::Expired, out));
            self.hand_over(None);
        }
    }

    /// Holds of drops that are called off end, a commit for each.
    fn end_called_off(&mut self) {
        let is_called_off = |hold: &Hold| {
            let book = self.books.drop(hold.id.drop_id());
            book.is_some_and(|book| book.phase() == Phase::Voiding)
        };
        let looks = self.stock.holds.values().filter(|hold| is_called_off(hold)).map(Hold::look);
        let held = looks.filter_map(|look| match look {
            HoldLook::Known(held) if !held.confirmed => Some(held),
            _ => None,
        });
        let (held, now): (Vec<_>, _) = (held.collect(), self.sale);
        for held in held {
            self.decide(|books, out| books.end_hold(now, held, HoldEnd::CalledOff, out));
            self.hand_over(None);
        }
    }

    fn timers(&mut self) {
        let now = self.now();
        for drop in self.books.due(now) {
            self.decide(|books, out| books.timer(drop, now, out));
            if self.books.drop(drop).is_some_and(|book| book.tally_is_due(now.sale)) {
                self.tally(drop);
            }
            if self.books.drop(drop).is_some_and(DropBook::is_done) {
                self.tally(drop);
                self.decide(|books, out| books.settle(drop, now, out));
            }
            self.hand_over(None);
        }
        self.books.set_timers(now);
    }

    fn tally(&mut self, drop: DropId) {
        let (now, totals) = (self.now(), self.counted.get(&drop).cloned().unwrap_or_default());
        let counted = Counted { totals, ..Counted::default() };
        self.decide(|books, out| books.tally(drop, now, (counted, 0), out));
    }

    fn release_banned(&mut self) {
        for (viewer, ban) in std::mem::take(&mut self.releases) {
            if self.books.brake().ban(ban).is_none() {
                continue;
            }
            let of_viewer = self.stock.holds.values().filter(|hold| hold.viewer == viewer);
            let looks: Vec<HoldLook> = of_viewer.map(Hold::look).collect();
            if looks.contains(&HoldLook::Pending) {
                self.releases.push_back((viewer, ban));
            }
            for look in looks {
                if let HoldLook::Known(held) = look
                    && !held.confirmed
                {
                    let now = self.sale;
                    self.decide(|books, out| books.end_hold(now, held, HoldEnd::Released, out));
                }
            }
            self.hand_over(None);
        }
    }

    /// Time passes; whatever comes due on the way happens at its time.
    pub(crate) fn wait_until(&mut self, end: UnixMillis) {
        loop {
            let timers = [
                self.books.next_drop_timer(),
                self.stock.next_deadline().map(|(at, _)| at),
                self.books.next_brake_timer(self.now()),
            ];
            let Some(next) = timers.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            assert!(next > self.sale, "what was due is done");
            self.sale = next;
            self.log.at(next);
            self.turn();
        }
        self.sale = end;
        self.log.at(end);
        self.turn();
    }

    /// Nobody was served for `span` before now: deadlines move, the chains say so.
    pub(crate) fn suspend(&mut self, span: DurationMs) {
        let until = UnixMillis::new((self.sale.get() + 1).saturating_sub(span.get()));
        self.stock.move_deadlines(span, until);
        let now = self.sale;
        for drop in self.books.moved_by_suspensions() {
            self.decide(|books, out| books.suspend(drop, (span, until), now, out));
        }
        self.hand_over(None);
    }

    /// The machine has slept for `span`.
    pub(crate) fn wake_up(&mut self, span: DurationMs) {
        let now = self.now();
        for (drop, at) in self.books.missed_by_sleep(now) {
            self.decide(|books, out| books.miss_by_sleep(drop, at, now, out));
            self.hand_over(None);
        }
        self.suspend(span);
    }
}
