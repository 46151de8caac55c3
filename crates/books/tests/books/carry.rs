//! Carrying out what was decided: acts at once, effects once their records are durable.

use std::sync::Arc;

use stampede_books::{Act, Effect, HoldEnd, brake::Ban};
use stampede_domain::{BanTarget, Phase, Rates, ViewerId, ViewerLimits, ViewerNumber};
use stampede_ledger::{BrakePart, ViewerLink};

use crate::{
    shell::Shell,
    stock::{HoldState, Sale},
};

impl Shell {
    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Make { drop, plan, .. } => {
                self.air.retain(|_, on_air| on_air != drop);
                self.stock.sales.insert(*drop, Sale::new(plan));
            }
            Act::StopTakes { drop, phase, .. } => {
                let sale = self.stock.sales.get_mut(drop).unwrap();
                sale.takes_on = false;
                if !phase.is_final() {
                    (sale.phase, sale.opens_at) = (*phase, None);
                }
                if *phase == Phase::Paused || phase.is_ending() {
                    let last = sale.pools.iter().map(|pool| pool.last_take).collect();
                    self.books.note_last_takes(*drop, last);
                }
            }
            Act::EndHold { held, end } => {
                let hold = self.stock.by_id(held.hold);
                assert_eq!(hold.state, HoldState::Held, "a hold ends once");
                hold.state = match end {
                    HoldEnd::Ordered => HoldState::Ordered,
                    HoldEnd::Released | HoldEnd::Expired | HoldEnd::CalledOff => HoldState::Ending,
                };
            }
            Act::Stretch { hold, span } => {
                let hold = self.stock.by_id(*hold);
                hold.deadline = hold.deadline.plus(*span);
            }
            Act::Extend { drop, span, until } => self.stock.extend(*drop, *span, *until),
            Act::Halt(_) => self.brake.is_halted = true,
            Act::Limit(rates) => self.brake.rates = *rates,
            Act::KeepOut(ban) => {
                self.brake.bans.insert(ban.id, ban.target.to_string());
                self.release_for(ban);
            }
            Act::ShowStream { .. }
            | Act::ShowReserved { .. }
            | Act::MoveOrder { .. }
            | Act::MissStart { .. }
            | Act::BeginStart { .. }
            | Act::NoteCounted { .. }
            | Act::ExpectCounts { .. }
            | Act::NoteTally { .. }
            | Act::LetGo(_) => {}
        }
    }

    /// `false` if a later decision has overtaken it.
    pub(crate) fn perform(&mut self, effect: &Effect) -> bool {
        match effect {
            // An edited drop has not been on air, though the one that it replaces may be by now.
            Effect::Publish { drop, .. } => {
                self.air.retain(|_, on_air| on_air != drop);
                self.stock.sales.get_mut(drop).unwrap().is_published = true;
            }
            Effect::Enter { drop, changes, phase, opens_at } => {
                if self.books.drop(*drop).is_none_or(|book| book.phase_changes() != *changes) {
                    return false;
                }
                let sale = self.stock.sales.get_mut(drop).unwrap();
                (sale.phase, sale.opens_at) = (*phase, *opens_at);
                sale.takes_on = *phase == Phase::Open;
            }
            Effect::Air(drop) => {
                let plan = &self.stock.sales[drop].plan;
                self.air.insert(format!("{} {:?}", plan.stream, plan.mode), *drop);
            }
            Effect::Amend { drop, plan, .. } => {
                let sale = self.stock.sales.get_mut(drop).unwrap();
                let same_limits = ViewerLimits::of(plan) == ViewerLimits::of(&sale.plan);
                assert!(same_limits || !sale.takes_on, "limits change while takes are shut");
                sale.plan = Arc::clone(plan);
            }
            Effect::Room(_)
            | Effect::WindDown { .. }
            | Effect::Requests { .. }
            | Effect::Stretched { .. }
            | Effect::Extended { .. }
            | Effect::Attempt(_)
            | Effect::PaymentFailed { .. }
            | Effect::Draw { .. } => {}
            Effect::Supply { drop, pool, units } => {
                let pool = self.stock.sales.get_mut(drop).unwrap().pool(*pool);
                pool.supplied += units.get();
                pool.available += units.get();
            }
            Effect::Give { hold, units, .. } => {
                let of = self.stock.by_id(*hold);
                assert_eq!(of.state, HoldState::Ending, "units come back once");
                of.state = HoldState::Ended;
                let sale = self.stock.sales.get_mut(&hold.drop_id()).unwrap();
                sale.pool(hold.pool()).available += units.get();
            }
            Effect::Order { hold, .. } => {
                assert_eq!(self.stock.by_id(*hold).state, HoldState::Ordered);
            }
            Effect::Lift { part, decision } => return self.lift(*part, *decision),
            Effect::SetRates { decision } => {
                if !self.books.brake().is_latest(BrakePart::Rates, *decision) {
                    return false;
                }
                self.books.brake_mut().put_in_force();
                self.brake.rates = self.books.brake().rates().map_or(Rates::NONE, |(set, _)| *set);
            }
        }
        true
    }

    fn lift(&mut self, part: BrakePart, decision: u64) -> bool {
        if !self.books.brake().is_latest(part, decision) {
            return false;
        }
        match part {
            BrakePart::Halt => self.brake.is_halted = false,
            BrakePart::Rates => {
                self.books.brake_mut().put_in_force();
                self.brake.rates = Rates::NONE;
            }
            BrakePart::Ban(ban) => {
                self.brake.bans.remove(&ban);
            }
        }
        true
    }

    /// Whose live holds a ban releases; also after a restart, for the crash may have come in between.
    pub(crate) fn release_for(&mut self, ban: &Ban) {
        if !ban.releases_holds {
            return;
        }
        match &ban.target {
            BanTarget::Viewer(viewer) => {
                let viewer = self.viewer(viewer.as_str()).number;
                self.releases.push_back((viewer, ban.id));
            }
            BanTarget::Addresses(_) => {}
            BanTarget::Channel { channel, .. } => {
                let brought =
                    self.stock.holds.values().filter(|hold| hold.channel.as_ref() == Some(channel));
                let viewers: Vec<ViewerNumber> = brought.map(|hold| hold.viewer).collect();
                self.releases.extend(viewers.into_iter().map(|viewer| (viewer, ban.id)));
            }
        }
    }

    /// The number of a viewer, new or old.
    pub(crate) fn viewer(&mut self, name: &str) -> Arc<ViewerLink> {
        let id: ViewerId = name.parse().unwrap();
        if let Some(known) = self.viewers.iter().find(|known| known.id == id) {
            return Arc::clone(known);
        }
        let number = u64::try_from(self.viewers.len()).unwrap() + 1;
        let link = Arc::new(ViewerLink { number: ViewerNumber::new(number).unwrap(), id });
        self.viewers.push(Arc::clone(&link));
        link
    }
}
