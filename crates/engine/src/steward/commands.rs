//! Staff commands: what the books are shown with them, what is said of them.

use std::sync::Arc;

use stampede_books::{
    Action, BrakeAction, CommandContext, CommandOutcome, CommandRefusal, FreeUnits, OverDrop,
    SeenDrop, StaffCommand, Withdrawal,
};
use stampede_domain::{BanTarget, DropId};
use stampede_ledger::ViewerLink;
use stampede_stock::NotFree;
use tokio::sync::oneshot;
use tracing::{field::display, info};

use super::{Steward, effects::Promise};
use crate::{clock::Moment, metrics, view::DropStanding};

impl Steward {
    pub(super) fn command(
        &mut self,
        command: &StaffCommand,
        now: Moment,
        reply: oneshot::Sender<CommandOutcome>,
    ) {
        let over = command.action.drop().filter(|drop| self.books.drop(*drop).is_none());
        let over = over.and_then(|drop| self.shared.over(drop)).map(|over| OverDrop {
            stream: over.stream.clone(),
            merchant: over.merchant.clone(),
            stands: SeenDrop::from(&DropStanding::over(&over)),
        });
        let viewer = self.keep_whom(&command.action);
        let kept = viewer.as_ref().map(|link| link.number);
        let order = command.action.order().map(|order| self.books.order_of(order));
        let order = order.map(|order| self.hold_in_memory(order));
        let reported_at = self.report_time(now.sale);
        let free = self.books.free_units(command, over.as_ref());
        let withdrawn = free.map(|free| self.withdraw(free));
        let shown = CommandContext { over, order, viewer, withdrawn, reported_at };
        let outcome = self.decide(|books, out| books.command(command, &shown, now, out));
        let is_banned = outcome.as_ref().is_ok_and(|done| !done.replayed);
        if let Some(number) = kept.filter(|_| !is_banned) {
            self.shared.directory.let_go(number);
        }
        let is_undecided = outcome == Err(CommandRefusal::MoneyNotLoaded);
        if is_undecided || outcome.as_ref().is_ok_and(|done| done.replayed) {
            return self.after_records(Promise::Command(reply, outcome));
        }
        metrics::count_command(command.action.name(), outcome.is_ok());
        metrics::show_sale_bytes(self.books.memory().all());
        log(command, &outcome);
        self.after_records(Promise::Command(reply, outcome));
    }

    /// Takes units out of the stock that nobody has taken. What it takes the books record: they were asked before, and
    /// nothing else is decided in between.
    fn withdraw(&self, wanted: FreeUnits) -> Withdrawal {
        let FreeUnits { drop, pool, units } = wanted;
        let stock = self.sales[&drop].stock();
        let withdrawn = match units {
            Some(units) => stock.withdraw(pool, units).map(|()| units),
            None => stock.withdraw_all(pool),
        };
        match withdrawn {
            Ok(units) => {
                self.shared.drop_changed(drop);
                Withdrawal::Done { units }
            }
            Err(NotFree { free, .. }) => Withdrawal::NotFree { free },
        }
    }

    /// The number of a viewer who is to be banned, kept from now on: a record will name it.
    fn keep_whom(&self, action: &Action) -> Option<Arc<ViewerLink>> {
        let Action::Brake(BrakeAction::Ban { target: BanTarget::Viewer(viewer), .. }) = action
        else {
            return None;
        };
        Some(self.shared.directory.keep(viewer, &mut { self.shared.random }).link())
    }
}

/// One line for each command that was decided anew.
fn log(command: &StaffCommand, outcome: &Result<stampede_books::Done, CommandRefusal>) {
    let StaffCommand { actor, role, reason, .. } = command;
    let (action, reason) = (command.action.name(), reason.as_deref().unwrap_or_default());
    match outcome {
        Ok(done) => {
            let drop = Some(done.drop).filter(|drop| *drop != DropId::HOUSE).map(display);
            let ban = done.ban.map(display);
            info!(%actor, %role, action, drop, ban, reason, "command accepted");
        }
        Err(refusal) => {
            let drop = command.action.drop().map(display);
            info!(%actor, %role, action, drop, reason, %refusal, "command refused");
        }
    }
}
