//! Compares promises, stock and books with the rows.

use stampede_domain::Phase;
use stampede_engine::{CoreEvent, ViewerEvent};
use tokio::sync::oneshot;

use super::{Pending, PendingAnswer, World, last_takes};
use crate::{durable::End, violation::Violation};

impl World {
    /// Holds what everybody was told, what is on sale, and what the books know against the rows.
    pub(super) fn look(&mut self) -> Result<(), Violation> {
        self.promises()?;
        self.answers()?;
        self.events()?;
        self.hear_attempts();
        self.durable.money.compare(&self.provider)?;
        let is_quiet = self.is_quiet();
        self.stock(is_quiet)?;
        self.hidden(is_quiet)?;
        if is_quiet {
            self.compare()?;
            self.compared.quiet += 1;
        }
        Ok(())
    }

    fn promises(&mut self) -> Result<(), Violation> {
        let (node, durable) = (&self.node, &self.durable);
        let may_leave = |p: &mut Pending| node.ports[p.core].durable() >= p.position;
        for promise in self.pending.extract_if(.., may_leave) {
            if !durable.takes.contains_key(&promise.hold) {
                return Err(format!("{} was promised and is in no row", promise.hold));
            }
            self.held.insert(promise.request, promise.hold);
        }
        Ok(())
    }

    fn answers(&mut self) -> Result<(), Violation> {
        let (durable, mut paused, mut wrong) = (&self.durable, Vec::new(), None);
        let mut heard = Vec::new();
        self.asked.retain_mut(|asked| match asked {
            PendingAnswer::Command { key, stops, answer } => is_open(answer, |outcome| {
                let Ok(done) = outcome else { return };
                if !durable.has_command(*key) {
                    wrong = Some(format!("a command about {} is in no row", done.drop));
                }
                paused.extend(stops.filter(|_| !done.replayed));
            }),
            PendingAnswer::Payment { reported, names_all, answer } => {
                is_open(answer, |outcome| heard.push((*reported, *names_all, outcome)))
            }
        });
        // Nothing was asked since: whoever paused sees the number of the last take.
        for drop in paused.into_iter().filter(|_| self.asked.is_empty()) {
            let book = self.node.books().drop(drop);
            if book.is_some_and(|book| book.phase() == Phase::Paused) {
                self.paused.insert(drop, last_takes(&self.node, drop));
            }
        }
        for (reported, names_all, outcome) in heard {
            self.heard(reported, names_all, &outcome)?;
        }
        wrong.map_or(Ok(()), Err)
    }

    fn events(&mut self) -> Result<(), Violation> {
        let mut events = Vec::new();
        for port in &mut self.node.ports {
            port.drain(&mut events);
        }
        for event in events {
            let CoreEvent::Viewer { event, .. } = event else { continue };
            let (hold, expected) = match event {
                ViewerEvent::Ordered(hold) => (hold, Some(End::Ordered)),
                ViewerEvent::Released { hold, .. }
                | ViewerEvent::CalledOff { hold, .. }
                | ViewerEvent::Expired { hold, .. } => (hold, Some(End::GivenBack)),
                ViewerEvent::Held(_) | ViewerEvent::PaymentFailed(_) => continue,
            };
            let end = self.durable.takes.get(&hold).and_then(|take| take.end);
            if end != expected {
                return Err(format!("a viewer was told {event:?}, which is {end:?} in the rows"));
            }
        }
        Ok(())
    }

    /// Viewers hear of a drop once a row lets them, and of no other.
    fn hidden(&self, is_quiet: bool) -> Result<(), Violation> {
        for drop in &self.drops {
            let Some(sale) = self.node.engine.sale(*drop) else { continue };
            let may_be_shown = self.durable.shown.contains(drop);
            if !sale.is_hidden() && !may_be_shown {
                return Err(format!("{drop} is hidden in the rows, and viewers hear of it"));
            }
            if is_quiet && sale.is_hidden() && may_be_shown {
                return Err(format!("{drop} was shown, and viewers do not hear of it"));
            }
        }
        Ok(())
    }

    /// Units on sale are those that no row and no take on its way has. Those of a hold that has ended come
    /// back before nothing is under way any more.
    fn stock(&self, is_quiet: bool) -> Result<(), Violation> {
        for ((drop, pool), rows) in &self.durable.pools {
            let Some(sale) = self.node.engine.sale(*drop) else { continue };
            let Some(sku) = sale.plan().pools().sku_of(*pool) else { continue };
            let is_shown =
                !matches!(sale.phase(), Phase::Scheduled | Phase::Countdown | Phase::Cancelled);
            if !is_shown || !self.is_selling {
                continue;
            }
            let book = self.durable.books.drop(*drop);
            if is_quiet && book.is_some_and(|book| **book.plan() != *sale.terms()) {
                return Err(format!("{drop}: its terms are others than those of the rows"));
            }
            let figures = sale.figures()[usize::from(sku.get())];
            let reserve = u64::from(figures.reserve.get());
            if is_quiet && reserve != self.durable.reserves[&(*drop, *pool)] {
                return Err(format!(
                    "{drop} {pool}: {reserve} in reserve, the rows have another figure"
                ));
            }
            let on_the_way = |p: &&Pending| p.hold.drop_id() == *drop && p.hold.pool() == *pool;
            let taken: u64 = self.pending.iter().filter(on_the_way).map(|p| p.units).sum();
            // A pending take may stand in a row already.
            let counted = |p: &&Pending| on_the_way(p) && self.durable.takes.contains_key(&p.hold);
            let twice: u64 = self.pending.iter().filter(counted).map(|p| p.units).sum();
            let (available, out) = (u64::from(figures.available.get()), rows.out + taken - twice);
            if available + out > rows.supplied || is_quiet && available + out < rows.supplied {
                let supplied = rows.supplied;
                return Err(format!(
                    "{drop} {pool}: {available} on sale with {out} out, of {supplied} supplied"
                ));
            }
        }
        Ok(())
    }
}

/// Looks whether an answer is there; `false` once it was, or once nobody will give one.
fn is_open<T>(answer: &mut oneshot::Receiver<T>, look: impl FnOnce(T)) -> bool {
    match answer.try_recv() {
        Err(oneshot::error::TryRecvError::Empty) => true,
        Err(oneshot::error::TryRecvError::Closed) => false,
        Ok(outcome) => {
            look(outcome);
            false
        }
    }
}
