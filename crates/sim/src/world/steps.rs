//! Random steps of viewers, staff and time.

use std::sync::Arc;

use stampede_books::DropBook;
use stampede_domain::{
    BanTarget, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Mode, NewEnd, PaymentTerms,
    Phase, Rates, UnixMillis, WhenOffline,
};
use stampede_engine::{
    Action, AmendTerms, BrakeAction, Buy, BuyRequest, CancelOrder, DropAction, Role, StaffCommand,
    StreamAction, StreamScope, TakeBack,
};
use stampede_testkit::{plan_of, sku};

use super::{CORES, KEYS, Pending, PendingAnswer, SKUS, STREAM, VIEWERS, World, last_takes, units};
use crate::{durable::End, violation::Violation};

impl World {
    /// A plan with few units, so that drops sell out.
    pub(super) fn plan(&mut self) -> DropPlan {
        let chance = &mut self.chance;
        let skus = SKUS.map(|name| {
            let mut sku = sku(name, chance.pick(&[0, 3, 9, 30, 90]));
            sku.limit_per_viewer = units(chance.pick(&[1, 4, 12, 30]));
            sku.reserve = units(chance.pick(&[0, 0, 3, 40]));
            sku
        });
        let mut plan = DropPlan { more_by_request: true, ..plan_of(skus) };
        plan.limit_per_viewer = units(chance.pick(&[2, 20, 40]));
        plan.holds_per_viewer_max = u16::try_from(chance.pick(&[3, 12, 40])).expect("few");
        plan.hold_ttl = DurationMs::from_secs(chance.pick(&[5, 30, 60, 90]));
        plan.countdown = DurationMs::new(chance.pick(&[0, 0, 0, 3_000]));
        let now = self.node.engine.wall().get() + 2_000;
        if chance.percent(15) {
            let at = now + chance.within(5_000, 60_000);
            plan.starts_at = Some(UnixMillis::new(at));
        }
        if chance.percent(30) {
            let at = now + chance.within(120_000, 400_000);
            plan.ends_at = Some(UnixMillis::new(at));
        } else if chance.percent(20) {
            let span = DurationMs::new(chance.within(30_000, 200_000));
            plan.ends_after_opening = Some(span);
        }
        if chance.percent(40) {
            let pause_after = DurationMs::from_secs(chance.within(10, 40));
            plan.when_offline = Some(WhenOffline { pause_after, resume: chance.percent(50) });
        }
        if chance.percent(10) {
            plan.mode = Mode::Rehearsal;
        }
        plan.hidden = chance.percent(30);
        if chance.percent(70) {
            let grace = DurationMs::new(chance.pick(&[0, 500, 5_000]));
            let stretch = DurationMs::new(chance.pick(&[0, 10_000, 60_000]));
            plan.payment_terms = Some(PaymentTerms { grace, stretch });
        }
        plan
    }

    /// One step, chosen by chance.
    pub(crate) fn step(&mut self) -> Result<(), Violation> {
        match self.chance.within(0, 99) {
            0..=40 => self.buy()?,
            41..=47 => self.end_hold(),
            48..=50 => self.move_any(),
            51..=55 => self.report_any(),
            56..=60 => self.command()?,
            61..=66 => self.pass_time(),
            67..=68 => self.flush(),
            69..=85 => self.work()?,
            _ => self.write()?,
        }
        self.look()
    }

    fn buy(&mut self) -> Result<(), Violation> {
        let Some(drop) = self.any_drop().filter(|_| self.is_selling) else { return Ok(()) };
        let who = self.chance.place(VIEWERS);
        let (key, sku) = (self.chance.within(1, KEYS), self.chance.pick(&SKUS));
        let (wanted, request) = (self.chance.pick(&[1, 1, 2]), (drop, who, key));
        let Some(sale) = self.node.engine.sale(drop) else { return Ok(()) };
        let mode = sale.plan().mode;
        let numbers = last_takes(&self.node, drop);
        let name: IdempotencyKey = format!("k{key}").parse().expect("a key");
        let buy = BuyRequest { drop, sku, units: wanted, key: &name, channel: None };
        let stream = STREAM.parse().expect("a stream's id");
        let core = who % CORES;
        let bought = self.node.ports[core].buy(&self.viewers[who], &stream, mode, buy);
        let waits = self.pending.iter().find(|p| p.request == request).map(|p| p.hold);
        let known = self.held.get(&request).copied().or(waits);
        match bought {
            Buy::Pending { hold, position } => {
                self.takes += 1;
                if let Some(before) = known {
                    return Err(format!("a retry of the request of {before} took {hold}"));
                }
                if let Some(last) = self.paused.get(&drop) {
                    return Err(format!("{hold} was taken after {last:?}, while it was paused"));
                }
                let pending = Pending { core, position, hold, units: wanted, request };
                self.pending.push(pending);
                if self.chance.percent(80) {
                    self.node.ports[core].flush();
                }
            }
            Buy::Replay { hold } | Buy::Awaiting { hold } => {
                if known.is_some_and(|before| before != hold) {
                    return Err(format!("a retry of {known:?} was answered with {hold}"));
                }
                if last_takes(&self.node, drop) != numbers {
                    return Err(format!("a retry of {hold} moved the number of takes"));
                }
            }
            Buy::Refused(refusal) => {
                if last_takes(&self.node, drop) != numbers {
                    return Err(format!("a refusal ({refusal:?}) moved the number of takes"));
                }
            }
        }
        Ok(())
    }

    /// Holders give back, or pay; sometimes twice, sometimes for what has ended.
    fn end_hold(&mut self) {
        let mut held: Vec<_> = self.held.iter().map(|(request, hold)| (*request, *hold)).collect();
        if held.is_empty() || !self.is_selling {
            return;
        }
        held.sort_unstable();
        let ((_, who, _), hold) = held[self.chance.place(held.len())];
        match self.chance.within(0, 2) {
            0 => {
                let viewer = &self.viewers[who];
                // Whether it is refused at once is no matter of the ledger.
                let _taken = self.node.ports[who % CORES].release(viewer, hold, 1);
            }
            1 => self.pay(who, hold),
            _ => self.check_out(who, hold),
        }
    }

    fn command(&mut self) -> Result<(), Violation> {
        let drop = self.any_drop();
        let action = self.any_action(drop);
        self.give(action)
    }

    pub(super) fn give(&mut self, action: Action) -> Result<(), Violation> {
        self.next_command += 1;
        // One in ten repeats the key before, with whatever it asks for.
        let is_again = self.next_command > 9 && self.is_selling && self.chance.percent(10);
        let number = self.next_command - u64::from(is_again);
        let key: IdempotencyKey = format!("c{number}").parse().expect("a key");
        let stops = match action {
            Action::Drop { drop, action: DropAction::Pause, .. } => Some(drop),
            _ => None,
        };
        // Any of them may let a drop go on, if it is decided after the pause.
        self.paused.clear();
        let fingerprint = key.fingerprint();
        if self.durable.answers(fingerprint) {
            return Ok(());
        }
        // Whoever runs the sale asks for more than the reserve.
        let restocks = matches!(action, Action::Drop { action: DropAction::Restock { .. }, .. });
        let by_host = restocks && self.chance.percent(60);
        let command = StaffCommand {
            actor: "nina".into(),
            role: if by_host { Role::Host } else { Role::Admin },
            merchant: None,
            streams: StreamScope::All,
            key,
            reason: action.needs_reason().then(|| "by chance".to_owned()),
            action,
        };
        if let Ok(answer) = self.node.engine.command(command) {
            self.asked.push(PendingAnswer::Command { key: fingerprint, stops, answer });
        }
        // Keys leave memory with their drop. Nobody waits for as long as that in the steward's queue, except here, where
        // a moment is minutes.
        if is_again { self.work() } else { Ok(()) }
    }

    fn any_action(&mut self, drop: Option<DropId>) -> Action {
        let stream = STREAM.parse().expect("a stream's id");
        // Two drops sell at a time; others take the places of those that are over.
        let is_short = self.durable.books.live().count() < 2;
        let Some(drop) = drop.filter(|_| !is_short || self.chance.percent(70)) else {
            return Action::Plan { plan: Arc::new(self.plan()) };
        };
        match self.chance.within(0, 99) {
            0..=20 => DropAction::StartCountdown.on(drop),
            21..=26 => DropAction::Pause.on(drop),
            27..=38 => DropAction::Resume.on(drop),
            39..=42 => DropAction::Close.on(drop),
            43..=44 => {
                let by = DurationMs::new(self.chance.within(1_000, 20_000));
                DropAction::Extend { by }.on(drop)
            }
            45..=46 => self.cancellation(drop),
            47..=49 => self.other_stock(drop),
            50..=51 => DropAction::CancelCountdown.on(drop),
            52 => DropAction::Cancel.on(drop),
            53 => DropAction::Feature.on(drop),
            54 => {
                let place = u16::try_from(self.chance.within(0, 30)).expect("small");
                DropAction::Move { place }.on(drop)
            }
            55 => DropAction::WindDown.on(self.durable.on_sale(drop)),
            56..=59 => self.other_terms(drop),
            60..=61 => {
                // Rather one whose copy has other terms than those that were planned.
                let put_right = self.durable.undoable_put_right();
                DropAction::Undo.on(put_right.unwrap_or_else(|| self.durable.on_sale(drop)))
            }
            62..=64 => {
                let plan = Arc::new(self.plan());
                DropAction::Edit { plan }.on(drop)
            }
            76 => BrakeAction::Halt { expires_in: Some(DurationMs::from_secs(60)) }.into(),
            77..=84 => BrakeAction::Go.into(),
            85..=88 => {
                let buys_per_s = Some(u32::try_from(self.chance.within(20, 90)).expect("few"));
                let rates = Rates { buys_per_s, ..Rates::NONE };
                BrakeAction::SetRates { rates, expires_in: None }.into()
            }
            89..=92 => BrakeAction::SetRates { rates: Rates::NONE, expires_in: None }.into(),
            93..=94 => {
                let who = format!("v{}", self.chance.place(VIEWERS)).parse().expect("a viewer");
                let (target, release_holds) = (BanTarget::Viewer(who), self.chance.percent(50));
                let expires_in = Some(DurationMs::from_secs(60));
                BrakeAction::Ban { target, release_holds, expires_in }.into()
            }
            of_stream => self.of_stream(of_stream).on(stream),
        }
    }

    fn of_stream(&mut self, dice: u64) -> StreamAction {
        match dice {
            65..=69 => StreamAction::Offline,
            70..=75 => StreamAction::Online,
            95 => StreamAction::Rehearse { viewers: 10 },
            96 => StreamAction::EndRehearsal,
            97 => {
                let merchant = "acme".parse().expect("a merchant");
                if self.chance.percent(50) {
                    StreamAction::AllowHosts { merchant }
                } else {
                    StreamAction::ForbidHosts { merchant }
                }
            }
            _ => {
                let delay = DurationMs::new(self.chance.pick(&[0, 2_000, 5_000]));
                StreamAction::SetVideoDelay { delay }
            }
        }
    }

    /// Units that go on sale, are asked for, or come off sale; or the answer to whoever asks.
    fn other_stock(&mut self, drop: DropId) -> Action {
        let (sku, count) = (self.chance.pick(&SKUS), self.chance.within(1, 4));
        let (sku, units) = (sku.parse().expect("a SKU"), units(count));
        match self.chance.within(0, 9) {
            0..=3 => DropAction::Restock { sku, units }.on(drop),
            4..=6 => {
                let number = u32::try_from(self.chance.within(1, 6)).expect("few");
                match self.chance.within(0, 3) {
                    0 => DropAction::DeclineRequest { number },
                    1 => DropAction::WithdrawRequest { number },
                    _ => DropAction::GrantRequest { number },
                }
                .on(drop)
            }
            _ => {
                let to_reserve = self.chance.percent(50);
                let units = Some(units).filter(|_| self.chance.percent(70));
                let take_back = TakeBack { sku, units, to_reserve };
                DropAction::TakeBack(take_back).on(self.durable.on_sale(drop))
            }
        }
    }

    /// Limits of a drop that is paused, a new end of any other; at times both, or what is refused.
    fn other_terms(&mut self, drop: DropId) -> Action {
        let drop = self.durable.on_sale(drop);
        let phase = self.durable.books.drop(drop).map(DropBook::phase);
        let (now, is_paused) = (self.node.engine.wall().get(), phase == Some(Phase::Paused));
        let chance = &mut self.chance;
        let mut wanted = AmendTerms::default();
        let limits = if is_paused { 70 } else { 10 };
        if chance.percent(limits) {
            wanted.limit_per_viewer = Some(units(chance.pick(&[1, 2, 20, 40])));
        }
        if chance.percent(limits) {
            let sku = chance.pick(&SKUS).parse().expect("a SKU");
            wanted.skus.push((sku, units(chance.pick(&[1, 2, 12, 30]))));
        }
        if chance.percent(if is_paused { 30 } else { 90 }) {
            let at = UnixMillis::new(now + chance.within(30_000, 200_000));
            wanted.end = Some(if chance.percent(70) { NewEnd::At(at) } else { NewEnd::Never });
        }
        DropAction::Amend(wanted).on(drop)
    }

    /// Units of a hold that may have become an order, of this drop if there is one.
    fn cancellation(&mut self, drop: DropId) -> Action {
        let mut held: Vec<_> = self.held.values().copied().collect();
        held.sort_unstable_by_key(|hold| (hold.drop_id() != drop, *hold));
        let ordered = |hold: &HoldId| self.durable.takes[hold].end == Some(End::Ordered);
        let Some(order) = held.into_iter().find(ordered) else {
            return DropAction::Feature.on(drop);
        };
        let units = self.chance.pick(&[0, 1, 1, 2]);
        let restock = units > 0 && self.chance.percent(50);
        let cancel = CancelOrder { order, units, amount: None, restock, seen: None };
        DropAction::CancelOrder(cancel).on(order.drop_id())
    }

    fn pass_time(&mut self) {
        match self.chance.within(0, 19) {
            0 => self.clock.sleep(self.chance.within(100, 20_000)),
            1 => self
                .clock
                .set_wall(i64::try_from(self.chance.within(0, 10_000)).expect("small") - 5_000),
            2..=4 => self.clock.advance(self.chance.within(5_000, 40_000)),
            _ => self.clock.advance(self.chance.within(1, 2_000)),
        }
    }
}
