//! A crash with what comes after it: books that follow the journal know what the live ones knew.

use std::collections::BTreeSet;

use stampede_books::{Decision, Done, DropBook, MissedWhy, Withdrawal};
use stampede_domain::{DropId, DurationMs, Moment, Phase, Units, UnixMillis};
use stampede_ledger::RecoveredDrop;

use crate::{
    actions,
    shell::{Brake, Shell},
    words::time_words,
};

impl Shell {
    /// The process is gone, with it everything that was not durable.
    pub(crate) fn crash(&mut self) {
        let lost = self.on_way.len();
        self.on_way.clear();
        self.releases.clear();
        self.hangs = false;
        if self.has_worked {
            self.worked_until = self.sale;
        }
        self.log.note("lost", format!("{lost} commits"));
        self.check_books();
        if !self.keys_are_full {
            self.check_keys();
        }
        // A request before the restart reaches nobody.
        self.books = self.journal.books();
    }

    /// Books made anew know what the live ones knew at the last durable record.
    fn check_books(&self) {
        let known = self.journal.state(&self.journal.books(), self.decided_at);
        assert_eq!(known, self.durable_state, "the books made anew, then the live ones");
    }

    /// The key of each command whose acceptance is durable gives its answer again; no other does anything
    /// but decide.
    fn check_keys(&mut self) {
        for place in 0..self.given.len() {
            let command = self.given[place].command.clone();
            let mut shown = self.shown(&command);
            let identity = actions::identity(&command);
            let mut accepted = self.given.iter().filter_map(|given| {
                let is_it = given.is_durable && actions::identity(&given.command) == identity;
                given.outcome.as_ref().ok().filter(|_| is_it)
            });
            let stays = self.journal.is_adjustment(command.key.fingerprint());
            let expected =
                accepted.next().filter(|done| stays || !self.journal.has_forgotten(done.drop));
            let mut books = self.journal.books();
            // As the recovery of a drop tells it.
            let shut = |book: &DropBook| matches!(book.phase(), Phase::Paused | Phase::Closed);
            let shut = books.drops().filter(|(_, book)| shut(book));
            let shut: Vec<_> =
                shut.map(|(drop, book)| (drop, vec![0; book.supplied().len()])).collect();
            for (drop, last_takes) in shut {
                books.note_last_takes(drop, last_takes);
            }
            let free = books.free_units(&command, shown.over.as_ref());
            shown.withdrawn =
                free.map(|free| Withdrawal::Done { units: free.units.unwrap_or(Units::ONE) });
            let mut out = Decision::default();
            let outcome = books.command(&command, &shown, self.now(), &mut out);
            let replayed = outcome.ok().filter(|done| done.replayed);
            let replayed = replayed.map(|done| Done { replayed: false, ..done });
            assert_eq!(replayed.as_ref(), expected, "again {} {}", command.actor, command.key);
        }
    }

    /// The node comes up after it was down for so long, as an engine does.
    pub(crate) fn restart(&mut self, down: DurationMs) {
        self.sale = self.sale.plus(down);
        let outage = self.sale.since(self.worked_until);
        self.has_worked = false;
        self.incarnation += 1;
        self.books = self.journal.books();
        self.books.brake_mut().put_in_force();
        let (stock, pools) = self.journal.stock(&self.stock.names);
        self.stock = stock;
        self.counted.clear();
        let brake = self.books.brake();
        self.brake = Brake {
            is_halted: brake.halt().is_some(),
            rates: brake.rates().map(|(rates, _)| *rates).unwrap_or_default(),
            bans: brake.bans().map(|ban| (ban.id, ban.target.to_string())).collect(),
        };
        let bans: Vec<_> = brake.bans().cloned().collect();
        for ban in bans {
            self.release_for(&ban);
        }
        self.air.clear();
        for drop in self.books.on_air().drops() {
            let plan = &self.stock.sales[&drop].plan;
            self.air.insert(format!("{} {:?}", plan.stream, plan.mode), drop);
        }
        let now = self.now();
        let drops: Vec<DropId> = self.books.drops().map(|(drop, _)| drop).collect();
        for drop in drops {
            let book = self.books.drop(drop).unwrap();
            let (phase, opens_at) = (book.phase(), book.opens_at());
            let sale = self.stock.sales.get_mut(&drop).unwrap();
            let shown = if phase == Phase::Open { Phase::Paused } else { phase };
            (sale.phase, sale.opens_at, sale.is_published) = (shown, opens_at, true);
            if phase.is_final() {
                continue;
            }
            self.stock.move_drop(drop, outage, UnixMillis::new(u64::MAX));
            self.restore_start(drop, now);
            let found = RecoveredDrop { outage, pools: pools[&drop].clone() };
            self.decide(|books, out| books.recover(drop, found, now, out));
            self.hand_over(None);
        }
    }

    /// A start that fell into the outage waits for the host.
    fn restore_start(&mut self, drop: DropId, now: Moment) {
        let book = self.books.drop_mut(drop);
        if book.phase() == Phase::Countdown {
            return;
        }
        if let Some(at) = book.missed(now) {
            book.end_start();
            let why = MissedWhy::ServerDown;
            self.log.note("acts", format!("start of {drop} at {} missed: {why}", time_words(at)));
        }
    }

    /// What viewers see once everything is durable is what was decided.
    pub(crate) fn check_shown(&self) {
        if !self.is_quiet() {
            return;
        }
        for (drop, book) in self.books.drops() {
            let sale = &self.stock.sales[&drop];
            assert_eq!((sale.phase, sale.opens_at), (book.phase(), book.opens_at()), "{drop}");
            assert_eq!(sale.takes_on, book.phase() == Phase::Open, "takes of {drop}");
            assert!(sale.is_published, "{drop} is seen");
            assert_eq!(book.live_holds(), self.stock.live_holds(drop), "live holds of {drop}");
            for (place, pool) in sale.pools.iter().enumerate() {
                assert_eq!(book.supplied()[place].get(), pool.supplied, "units of {drop}");
            }
        }
        self.stock.check_units();
        self.check_money();
        let air: BTreeSet<DropId> = self.air.values().copied().collect();
        assert_eq!(air, self.books.on_air().drops().collect(), "on air");
        let brake = self.books.brake();
        assert_eq!(self.brake.is_halted, brake.halt().is_some(), "the halt");
        let rates = brake.rates().map(|(rates, _)| *rates).unwrap_or_default();
        assert_eq!(self.brake.rates, rates, "the rates");
        assert!(self.brake.bans.keys().copied().eq(brake.bans().map(|ban| ban.id)), "the bans");
    }
}
