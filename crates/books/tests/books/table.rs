//! Every command in every phase by every role: the answer and the records.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write,
    sync::Arc,
};

use stampede_books::{
    Act, Action, Books, CommandContext, CommandOutcome, Decision, DropBook, HoldLook, HoldStatus,
    Role, Withdrawal,
};
use stampede_domain::{DropId, DurationMs, HoldId, Moment, Phase, UnixMillis, ViewerNumber};
use stampede_ledger::{UnmatchedPayment, ViewerLink};

use crate::{
    actions::{
        CAST, Staff, banned_viewer, command, every_action, label, needs_stop, spoken,
        unmatched_payment,
    },
    show::record_name,
    words::{LIMITS, Words, plan_words, span},
};

const DROP: DropId = DropId::new(1);
const PLAN: &str = "plan mug 5 reserve 3 countdown 10s offline 30s";
const HEAD: &str = "\
Every command in every phase, by role. ok: accepted. Else the refusal's code; with * its record is in the
house's chain. What is recorded stands behind the row, alike for every role that may.

The stream's room is the creator's, who has admitted the drop's merchant. \"paused*\": by its stream. Its host has
asked for more than the reserve once it was open.

";

/// How a drop gets where it stands: by commands and timers alone.
const PHASES: [&str; 10] = [
    "scheduled",
    "countdown",
    "open",
    "paused",
    "paused*",
    "closed",
    "settled",
    "cancelled",
    "voiding",
    "voided",
];

/// Books with one drop, asked one thing after the other.
struct World {
    books: Books,
    out: Decision,
    now: u64,
    commands: u32,
}

impl World {
    /// The drop in this phase; a viewer is banned, takes are stopped where that is asked for.
    fn in_phase(phase: &str, is_stopped: bool) -> Self {
        let (books, out) = (Books::new(LIMITS), Decision::default());
        let mut world = Self { books, out, now: 1_000_000, commands: 0 };
        world.admin("make_room show creator carla");
        world.admin("admit show acme");
        world.admin("ban addresses 10.1.0.0/16");
        if is_stopped {
            world.admin("stop");
        }
        world.admin(PLAN);
        let steps: &[&str] = match phase {
            "scheduled" => &[],
            "countdown" => &["open d1"],
            "open" => &["open d1", "10s", "ask"],
            "paused" => &["open d1", "10s", "ask", "pause d1"],
            "paused*" => &["open d1", "10s", "ask", "offline show", "30s"],
            "closed" => &["open d1", "10s", "ask", "close d1"],
            "settled" => &["open d1", "10s", "ask", "close d1", "settle"],
            "voiding" => &["open d1", "10s", "ask", "undo d1"],
            "voided" => &["open d1", "10s", "ask", "undo d1", "settle"],
            _ => &["cancel d1"],
        };
        for step in steps {
            world.step(step);
        }
        let (payment, amount) = (unmatched_payment(), stampede_testkit::euros(1_990));
        let unmatched = UnmatchedPayment { payment, amount, named: "order 7".into() };
        world.books.unmatched(UnixMillis::new(world.now), unmatched, &mut world.out);
        assert_eq!(world.book().phase().name(), phase.trim_end_matches('*'));
        assert_eq!(world.book().watch().has_paused(), phase == "paused*");
        world
    }

    fn step(&mut self, step: &str) {
        if step == "settle" {
            self.books.settle(DROP, self.moment(), &mut self.out);
        } else if step == "ask" {
            self.ask(CAST[1], spoken("restock d1 mug 30").unwrap()).unwrap();
        } else if step.ends_with('s') {
            self.now += span(step).get();
            for drop in self.books.due(self.moment()) {
                self.books.timer(drop, self.moment(), &mut self.out);
            }
        } else {
            self.admin(step);
        }
        let shut = |act: &Act| matches!(act, Act::StopTakes { phase, .. } if *phase == Phase::Paused || phase.is_ending());
        if self.out.at_once.drain(..).any(|act| shut(&act)) {
            self.books.note_last_takes(DROP, vec![0]);
        }
    }

    fn book(&self) -> &DropBook {
        self.books.drop(DROP).unwrap()
    }

    fn moment(&self) -> Moment {
        let now = UnixMillis::new(self.now);
        Moment { sale: now, wall: now }
    }

    fn admin(&mut self, what: &str) {
        self.ask(CAST[0], spoken(what).unwrap()).unwrap();
    }

    fn ask(&mut self, by: Staff, what: Action) -> CommandOutcome {
        self.commands += 1;
        let command = command(by, &format!("k{}", self.commands), what);
        let link = |viewer: &str| ViewerLink {
            number: ViewerNumber::new(7).unwrap(),
            id: viewer.parse().unwrap(),
        };
        let viewer = banned_viewer(&command).map(link).map(Arc::new);
        let order = command.action.order().map(|order| self.order(order));
        let reported_at = UnixMillis::new(self.now);
        let free = self.books.free_units(&command, None);
        let done = |units| Withdrawal::Done { units };
        let withdrawn = free.and_then(|free| free.units).map(done);
        let shown = CommandContext { over: None, order, viewer, withdrawn, reported_at };
        self.out.clear();
        self.books.command(&command, &shown, self.moment(), &mut self.out)
    }

    /// An order of a drop that has sold; nothing was heard of its payment.
    fn order(&self, hold: HoldId) -> HoldLook {
        let sells = [Phase::Open, Phase::Paused, Phase::Closed, Phase::Settled];
        if !sells.contains(&self.book().phase()) {
            return HoldLook::Unknown;
        }
        HoldLook::Known(HoldStatus {
            hold,
            viewer: ViewerNumber::new(7).unwrap(),
            sku: stampede_domain::SkuIndex::default(),
            units: stampede_testkit::units(2),
            amount: stampede_testkit::euros(3_980),
            deadline: UnixMillis::new(self.now),
            grace: DurationMs::ZERO,
            confirmed: true,
        })
    }

    /// The answer as the table shows it, with the records of an accepted command.
    fn answer(&mut self, by: Staff, what: Action) -> (String, Option<String>) {
        let outcome = self.ask(by, what);
        let records = self.out.records.iter().map(|recorded| record_name(&recorded.record));
        let records: Vec<_> = records.collect();
        match outcome {
            Ok(_) => ("ok".to_owned(), Some(records.join(" "))),
            Err(refusal) => {
                assert_eq!(records, ["command"], "a refusal is recorded and does nothing");
                let of_house = self.out.records[0].drop == DropId::HOUSE;
                (format!("{}{}", refusal.code(), if of_house { "*" } else { "" }), None)
            }
        }
    }
}

/// The answers to one command in one phase: a cell for each of the cast, then the records.
fn row(phase: &str, place: usize) -> Vec<String> {
    let mut recorded: Option<String> = None;
    let mut cells = Vec::new();
    for by in CAST {
        let what = actions().swap_remove(place);
        let mut world = World::in_phase(phase, needs_stop(&what));
        let (answer, records) = world.answer(by, what);
        cells.push(answer);
        let Some(records) = records else { continue };
        assert_eq!(*recorded.get_or_insert(records.clone()), records, "alike for every role");
    }
    cells.push(recorded.unwrap_or_default());
    cells
}

fn actions() -> Vec<Action> {
    let mut words = Words::of(PLAN);
    words.word();
    every_action(DROP, &plan_words(&mut words))
}

fn table() -> String {
    let mut text = HEAD.to_owned();
    let heads = CAST.map(|by| if by.name == "beta" { "merchant (other)" } else { by.role.name() });
    let heads = heads.map(str::to_owned);
    write_row(&mut text, "", heads.iter().chain([&"records".to_owned()]));
    for (place, action) in actions().iter().enumerate() {
        text += label(action);
        text += "\n";
        let mut rows: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        for phase in PHASES {
            let cells = row(phase, place);
            match rows.iter_mut().find(|(_, other)| *other == cells) {
                Some((phases, _)) => phases.push(phase),
                None => rows.push((vec![phase], cells)),
            }
        }
        for (phases, cells) in rows {
            let phases =
                if phases.len() == PHASES.len() { "any".to_owned() } else { phases.join(" ") };
            write_row(&mut text, &phases, cells.iter());
        }
    }
    text
}

fn write_row<'a>(text: &mut String, phases: &str, cells: impl Iterator<Item = &'a String>) {
    // Many phases have a line of their own.
    if phases.len() > 18 {
        writeln!(text, "  {phases}").unwrap();
    }
    let mut line = format!("  {:18}", if phases.len() > 18 { "" } else { phases });
    for cell in cells {
        write!(line, " {cell:17}").unwrap();
    }
    *text += line.trim_end();
    text.push('\n');
}

#[test]
fn whoever_reports_payments_commands_nothing() {
    for action in actions() {
        assert!(!Role::Payments.may(&action), "{}", action.name());
    }
}

#[test]
fn every_command_in_every_phase_by_every_role() {
    let named: BTreeSet<&str> = actions().iter().map(Action::name).collect();
    assert_eq!(named, Action::NAMES.iter().copied().collect(), "the table has every action");
    let asked: HashSet<Role> = CAST.iter().map(|by| by.role).collect();
    assert_eq!(asked, HashSet::from(Role::ALL), "every role asks");
    let phases: HashSet<&str> = PHASES.iter().map(|phase| phase.trim_end_matches('*')).collect();
    assert_eq!(phases.len(), 9, "every phase has its rows");
    insta::with_settings!({
        snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!("commands", table());
    });
}
