//! The language of the stories: each line is asked of the shell, which tells what came of it.
//!
//! A line is a command, of `ada`, an admin, unless it begins with another of the cast; what is about an order
//! names its hold: `cancel_order h1 2 [amount 500] [restock]`. Or it is one of these:
//!
//! - `take d1 [cup] 2 by ann [on tv] -> h1`, `confirm h1`, `release h1 [by bob]`, `fail h1`;
//! - `paid h1 h2 39.80 as p1 [at stripe]`, in the same way `authorized`, `refunded`, and without an amount `begun`,
//!   `voided`, `failed ... [final]`; behind it `real` or `test` for the money's mode, `order o1` for the platform's
//!   name; without a hold it is about those that the payment had;
//! - `pay h1 [by bob]`, `charge h1 shipping 4.90 tax 1.00 fee 0.50`, `unmatched 19.90 as p1`, `reopen d1` for the
//!   money of a drop that was forgotten, `free h1` for goods that cost nothing until the next restart;
//! - `hang`: nothing becomes durable by itself any more; `durable`: all of it does by one commit, or with `2` so
//!   much by a commit each, or only `takes` or `decisions`, or the `last`; `work`: it does so by itself again, as at the beginning;
//! - `wait 5s`; `stall 5s`: the shell does nothing for that time; `late 5s`: the next line comes before what is
//!   due at its time; `sleep 5s`: the machine sleeps; `lock 5s`:
//!   another program locks the ledger; `wall ahead 5s`: the wall clock is set;
//! - `crash`, `restart after 5s`;
//! - `note d1`: somebody reads the drop, `... seen` behind a command is for the drop as it was read;
//!   `... key k` behind a command names its key, `again k` gives the command with this key again;
//! - `count d1 3` buys, `forget d1` after it is over, `erase b1`, `repeat 9 stop` without telling of it;
//! - `look` at `d1`, `h1`, `air`, `rooms`, `brake`, `memory`, `attempts`, `money h1`.
//!
//! A line that begins with `-` is part of what goes before the story: it must not be refused, and nothing of
//! it is told.

use std::fmt::Write;

use stampede_books::SeenDrop;
use stampede_domain::{DropId, DurationMs};

use crate::{
    actions::{CAST, Staff, command, seen, spoken},
    requests::Buy,
    shell::Shell,
    show::rates_words,
    stock::HoldState,
    words::{Words, span_words, time_words},
};

/// One story as it is played.
pub(crate) struct Script {
    shell: Shell,
    /// The drop as somebody read it.
    noted: Option<SeenDrop>,
    keys: u32,
    /// What is due waits for one more line.
    is_late: bool,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { shell: Shell::new(), noted: None, keys: 0, is_late: false }
    }

    /// Plays one line; returns what came of it.
    pub(crate) fn play(&mut self, line: &str) -> Vec<String> {
        let quiet = line.strip_prefix('-').map(str::trim_start);
        self.line(quiet.unwrap_or(line));
        let told = self.shell.log.take();
        if quiet.is_none() {
            return told;
        }
        assert!(!told.iter().any(|line| line.starts_with("answer: refused")), "{line}: {told:?}");
        Vec::new()
    }

    fn line(&mut self, line: &str) {
        let crashes = line == "crash";
        let (by, rest) = actor(line);
        if !self.staff(by, rest) && !self.passing(rest) && !self.shell.fact(rest) {
            self.act(rest);
        }
        if crashes || std::mem::take(&mut self.is_late) {
            return;
        }
        self.shell.turn();
        self.shell.check_shown();
    }

    /// A command of staff; `false` if the line is none.
    fn staff(&mut self, by: Staff, line: &str) -> bool {
        let (line, is_seen) = match line.strip_suffix(" seen") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (line, key) = match line.split_once(" key ") {
            Some((line, key)) => (line, Some(key)),
            None => (line, None),
        };
        let Some(what) = spoken(&self.with_ids(line)) else { return false };
        self.keys += 1;
        let key = key.map_or_else(|| format!("auto-{}", self.keys), ToOwned::to_owned);
        let command = command(by, &key, what);
        let noted = self.noted.filter(|_| is_seen);
        self.shell.command(seen(command, noted));
        true
    }

    /// The same with the id of an order in place of its hold's name.
    fn with_ids(&self, line: &str) -> String {
        let Some((name, rest)) =
            line.strip_prefix("cancel_order ").and_then(|of| of.split_once(' '))
        else {
            return line.to_owned();
        };
        let mut names = self.shell.stock.names.iter();
        let (order, _) = names.find(|(_, of)| *of == name).expect("a hold of this name");
        format!("cancel_order {order} {rest}")
    }

    /// Time that passes, and what becomes durable in it; `false` if the line is nothing of it.
    fn passing(&mut self, line: &str) -> bool {
        let shell = &mut self.shell;
        let mut words = Words::of(line);
        match words.word() {
            "hang" => shell.hangs = true,
            "work" => shell.hangs = false,
            "durable" => match words.peek() {
                None => shell.commit_all(None),
                Some("takes") => shell.commit_all(Some(true)),
                Some("decisions") => shell.commit_all(Some(false)),
                Some("last") => shell.commit_last(),
                Some(_) => (0..words.number()).for_each(|_| {
                    shell.journal.begin();
                    assert!(shell.commit(None));
                }),
            },
            "wait" => shell.wait_until(shell.sale.plus(words.span())),
            "stall" => shell.sale = shell.sale.plus(words.span()),
            "late" => {
                shell.sale = shell.sale.plus(words.span());
                self.is_late = true;
            }
            "sleep" => {
                let span = words.span();
                shell.sale = shell.sale.plus(span);
                shell.wake_up(span);
            }
            "lock" => {
                let span = words.span();
                shell.sale = shell.sale.plus(span);
                shell.suspend(span);
            }
            "wall" => {
                let is_ahead = words.word() == "ahead";
                let by = i64::try_from(words.span().get()).unwrap();
                shell.wall_ahead = if is_ahead { by } else { -by };
                shell.books.touch_all();
            }
            "crash" => shell.crash(),
            "restart" => {
                let down = words.after("after").map_or(DurationMs::ZERO, crate::words::span);
                shell.restart(down);
            }
            _ => return false,
        }
        true
    }

    fn act(&mut self, line: &str) {
        let shell = &mut self.shell;
        let mut words = Words::of(line);
        match words.word() {
            "take" => {
                let drop = drop_id(&mut words);
                let sku = words.peek().filter(|word| word.parse::<u32>().is_err());
                let sku = sku.map(|_| words.word());
                let (count, by) = (words.number(), words.after("by").unwrap());
                let channel = words.after("on");
                let name = words.after("->").unwrap();
                shell.take(&Buy { drop, sku, count, by, channel, name });
            }
            "confirm" => shell.confirm(words.word()),
            "release" => {
                let name = words.word();
                shell.release(name, words.after("by"));
            }
            "fail" => shell.fail(words.word()),
            "pay" => {
                let name = words.word();
                shell.pay(name, words.after("by"));
            }
            "free" => shell.stock.free(words.word()),
            "charge" => shell.charge(&mut words),
            "unmatched" => shell.unmatched(&mut words),
            "reopen" => shell.reopen(drop_id(&mut words)),
            "note" => {
                let drop = drop_id(&mut words);
                self.noted = shell.books.drop(drop).map(stampede_books::DropBook::stands);
            }
            "count" => {
                let drop = drop_id(&mut words);
                shell.count(drop, words.number());
            }
            "forget" => shell.forget(drop_id(&mut words)),
            "erase" => shell.erase(words.word()),
            "again" => {
                let key = words.word();
                let mut given = shell.given.iter().rev();
                let given = given.find(|given| given.command.key.as_str() == key);
                let command = given.expect("a command with this key").command.clone();
                shell.command(command);
            }
            "repeat" => {
                let times = words.number();
                let line = line.splitn(3, ' ').nth(2).expect("what is repeated");
                self.repeat(times, line);
            }
            "look" if words.take("money") => {
                let text = shell.money_of(words.word());
                shell.log.note("look", text);
            }
            "look" => self.look(words.word()),
            other => panic!("no word of this language: {other}"),
        }
    }

    /// Gives a command often, each time with a new key.
    fn repeat(&mut self, times: u32, line: &str) {
        let (by, line) = actor(line);
        let given = self.shell.given.len();
        for _ in 0..times {
            assert!(self.staff(by, line), "a command is repeated");
            self.shell.turn();
            self.shell.log.take();
        }
        self.shell.given.truncate(given);
        self.shell.keys_are_full = true;
    }

    fn look(&mut self, at: &str) {
        let text = match at {
            "air" => self.air(),
            "rooms" => self.rooms(),
            "brake" => self.brake(),
            "attempts" => self.shell.attempts(),
            "memory" => format!("{} bytes", self.shell.books.memory().all()),
            at if self.shell.stock.holds.contains_key(at) => self.hold(at),
            at => self.drop(at.parse().unwrap()),
        };
        self.shell.log.note("look", text);
    }

    fn air(&self) -> String {
        let air = self.shell.air.iter().map(|(scene, drop)| format!("{scene} {drop}"));
        or_none(&air.collect::<Vec<_>>())
    }

    fn rooms(&self) -> String {
        let rooms = self.shell.books.rooms().after(None).map(|room| {
            let mut text = format!("{} of {}", room.stream, room.owner);
            for merchant in &room.admitted {
                write!(text, " with {merchant}").unwrap();
            }
            if room.video_delay != DurationMs::ZERO {
                write!(text, " behind by {}", span_words(room.video_delay)).unwrap();
            }
            for merchant in &room.hosts_plan_for {
                write!(text, ", hosts plan for {merchant}").unwrap();
            }
            text
        });
        or_none(&rooms.collect::<Vec<_>>())
    }

    fn brake(&self) -> String {
        let brake = &self.shell.brake;
        let halted = if brake.is_halted { "halted" } else { "going" };
        let bans = brake.bans.keys().fold(String::new(), |bans, ban| format!("{bans}, {ban}"));
        format!("{halted}, rates {}{bans}", rates_words(brake.rates))
    }

    fn hold(&self, name: &str) -> String {
        let hold = &self.shell.stock.holds[name];
        match hold.state {
            HoldState::Pending | HoldState::Held => {
                format!("{name} {:?} until {}", hold.state, time_words(hold.deadline))
            }
            state => format!("{name} {state:?}"),
        }
    }

    fn drop(&mut self, drop: DropId) -> String {
        let now = self.shell.now();
        self.shell.books.set_timers(now);
        let (book, sale) = (self.shell.books.drop(drop).unwrap(), &self.shell.stock.sales[&drop]);
        let mut text =
            format!("{drop} {} r{} #{}", book.phase(), book.revision(), book.phase_changes());
        if sale.phase != book.phase() {
            write!(text, " (seen {})", sale.phase).unwrap();
        }
        for (pool, sku) in
            sale.pools.iter().zip(&sale.plan.skus).filter(|(pool, _)| pool.supplied > 0)
        {
            write!(text, ", {} {} of {}", sku.id, pool.available, pool.supplied).unwrap();
        }
        for (left, sku) in book.reserve().iter().zip(&sale.plan.skus) {
            if !left.is_zero() {
                write!(text, ", {left} {} in reserve", sku.id).unwrap();
            }
        }
        let open = book.requests().iter().filter(|request| request.ended.is_none()).count();
        if open > 0 {
            write!(text, ", {open} asked for").unwrap();
        }
        let live = book.live_holds();
        if live > 0 {
            write!(text, ", {live} live holds").unwrap();
        }
        if book.is_hidden() {
            text += ", hidden";
        }
        if let Some(since) = book.watch().offline_since() {
            write!(text, ", offline since {}", time_words(since)).unwrap();
        }
        if book.start_is_over() {
            text += ", start over";
        }
        if let Some(next) = self.shell.books.next_drop_timer() {
            write!(text, ", next timer {}", time_words(next)).unwrap();
        }
        text
    }
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// Who gives the command, and the rest of the line.
fn actor(line: &str) -> (Staff, &str) {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    match CAST.iter().find(|by| by.name == first) {
        Some(by) => (*by, rest),
        None => (CAST[0], line),
    }
}

fn drop_id(words: &mut Words<'_>) -> DropId {
    words.word().parse().unwrap()
}
