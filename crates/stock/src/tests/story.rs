//! A stock that is driven by words, for scripts.

use stampede_domain::{HoldId, PoolIndex};

use super::support::{pool, request, units};
use crate::{
    DropStock, End, GiveOutcome, HoldView, Lane, NotFree, StockConfig, Take, TakeRequest, WaitJoin,
};

pub(super) struct Story {
    pub(super) stock: DropStock,
    pub(super) lane: Lane,
    pub(super) holds: Vec<HoldId>,
}

impl Story {
    pub(super) fn new(config: StockConfig) -> Self {
        let stock = DropStock::new(config);
        let lane = stock.lane();
        Self { stock, lane, holds: Vec::new() }
    }

    pub(super) fn hold(&self, name: &str) -> HoldId {
        self.holds[name[1..].parse::<usize>().unwrap() - 1]
    }

    pub(super) fn name(&self, hold: HoldId) -> String {
        let place = self.holds.iter().position(|other| *other == hold).unwrap();
        format!("h{}", place + 1)
    }

    pub(super) fn step(&mut self, words: &[&str]) -> String {
        match words {
            ["open"] => self.stock.permit_takes(),
            ["close"] => self.stock.forbid_takes(),
            ["limits", of_drop, of_skus @ ..] => {
                let count = |word: &&str| units(word.parse().unwrap());
                let of_skus: Vec<_> = of_skus.iter().map(count).collect();
                self.stock.set_limits(count(of_drop), &of_skus);
            }
            ["lot", count, rest @ ..] => {
                let count = units(count.parse().unwrap());
                self.stock.add_supply(named_pool(rest), count).unwrap();
            }
            ["withdraw", "all", rest @ ..] => {
                return match self.stock.withdraw_all(named_pool(rest)) {
                    Ok(units) => format!("withdrawn {units}"),
                    Err(NotFree { free, .. }) => format!("not_free {free}"),
                };
            }
            ["withdraw", count, rest @ ..] => {
                let count = units(count.parse().unwrap());
                return match self.stock.withdraw(named_pool(rest), count) {
                    Ok(()) => "withdrawn".into(),
                    Err(NotFree { free, .. }) => format!("not_free {free}"),
                };
            }
            ["buy", by, with, count, rest @ ..] => return self.buy(by, with, count, rest),
            ["held", hold] => self.stock.mark_held(self.hold(hold)),
            ["confirm", hold] => return end(self.stock.confirm(self.hold(hold))),
            ["end", hold] => return end(self.stock.end(self.hold(hold))),
            ["give", hold] => return given(self.stock.give(self.hold(hold))),
            ["view", hold] => return view(self.stock.view(self.hold(hold))),
            ["wait", count] => {
                return match self.stock.join_waiting(pool(0), units(count.parse().unwrap())) {
                    WaitJoin::Waiting => "waiting".into(),
                    WaitJoin::Available { available } => format!("available {available}"),
                };
            }
            ["served", left] => self.stock.clear_waiting(pool(0), units(left.parse().unwrap())),
            ["stock"] => {
                let view = self.stock.pools().next().unwrap();
                return format!("available={} takes={}", view.available, view.last_take);
            }
            other => panic!("no such step: {other:?}"),
        }
        String::new()
    }

    pub(super) fn buy(&mut self, by: &str, with: &str, count: &str, rest: &[&str]) -> String {
        let number = |word: &str| word[1..].parse().unwrap();
        let request = TakeRequest {
            pool: named_pool(rest),
            ..request(number(by), number(with), count.parse().unwrap())
        };
        match self.stock.take(&mut self.lane, &request, || !rest.contains(&"full")) {
            Take::Taken(hold) => {
                self.holds.push(hold);
                self.name(hold)
            }
            Take::Replay(hold) => format!("replay {}", self.name(hold)),
            Take::KeyReused => "key_reused".into(),
            Take::Shut => "shut".into(),
            Take::OverViewerLimit { limit, for_good } => {
                format!("over_limit {limit}{}", if for_good { " for good" } else { "" })
            }
            Take::HoldsCapped { max } => format!("capped {max}"),
            Take::SoldOut => "sold_out".into(),
            Take::NotEnough { available } => format!("not_enough {available}"),
            Take::NoRoom => "no_room".into(),
        }
    }
}

/// The pool that a word such as `p1` names, else the first.
fn named_pool(words: &[&str]) -> PoolIndex {
    let number = words.iter().find_map(|word| word.strip_prefix('p'));
    pool(number.map_or(0, |number| number.parse().unwrap()))
}

fn end(end: End) -> String {
    match end {
        End::Won(_) => "won",
        End::Pending => "pending",
        End::Confirmed => "confirmed",
        End::Ended => "ended",
        End::Unknown => "unknown",
    }
    .into()
}

fn given(given: GiveOutcome) -> String {
    match given {
        GiveOutcome::ToPublic(body) => format!("public {}", body.units),
        GiveOutcome::ToWaiting(body) => format!("waiting {}", body.units),
        GiveOutcome::Refused => "refused".into(),
    }
}

fn view(view: HoldView) -> String {
    match view {
        HoldView::Pending(_) => "pending",
        HoldView::Held(_) => "held",
        HoldView::Confirmed(_) => "confirmed",
        HoldView::Ended => "ended",
        HoldView::Unknown => "unknown",
    }
    .into()
}

/// Plays a script and holds each outcome against what stands behind the arrow.
pub(super) fn check(config: StockConfig, script: &str) {
    let mut story = Story::new(config);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (step, expected) = line.split_once("->").unwrap_or((line, ""));
        let words: Vec<&str> = step.split_whitespace().collect();
        assert_eq!(story.step(&words), expected.trim(), "at: {line}");
    }
}
