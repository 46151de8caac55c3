//! The node's books, holds, drops that have left memory: compared with what follows the rows.

use stampede_domain::{DropId, SkuIndex, Units};
use stampede_engine::HoldLook;

use super::World;
use crate::{durable::End, violation::Violation};

impl World {
    /// A start leaves behind what has been over for long enough, to the millisecond. What it ends itself is in no row yet.
    pub(super) fn opened(&self) -> Result<(), Violation> {
        for (drop, _) in self.node.books().drops() {
            let over_since = self.durable.over_since(drop);
            if over_since.is_some_and(|since| since.plus(self.kept) <= self.looked_at) {
                return Err(format!("{drop} has come back, which was over since {over_since:?}"));
            }
        }
        Ok(())
    }

    /// What a start has made of the rows.
    pub(super) fn recovered(&mut self) -> Result<(), Violation> {
        self.compare()?;
        self.compared.recovered += 1;
        Ok(())
    }

    /// Compares the node with what follows the rows, while nothing is under way.
    pub(super) fn compare(&mut self) -> Result<(), Violation> {
        self.memory()?;
        self.books()?;
        self.starts()?;
        self.holds()
    }

    /// Drops leave memory once they have been over for long enough, with a summary in their place.
    fn memory(&mut self) -> Result<(), Violation> {
        let (node, kept) = (&self.node, self.kept);
        let is_there = |drop: DropId| node.books().drop(drop).is_some();
        self.durable.leave_behind(is_there, self.looked_at, kept)?;
        for (drop, book) in self.node.books().drops().filter(|(_, book)| book.phase().is_final()) {
            // The steward counts from when the end was carried out, which came between.
            let since = *self.seen_over.entry(drop).or_insert(self.carried_out_at);
            if since.plus(kept) <= self.looked_at && since < self.looked_at {
                let phase = book.phase();
                return Err(format!("{drop} is {phase} since {since} and has not left memory"));
            }
        }
        self.compared.left = 0;
        for drop in self.durable.left() {
            self.compared.left += 1;
            let over = self.node.engine.over(drop);
            let over = over.ok_or_else(|| format!("{drop} has left without a summary"))?;
            for (sku, figures) in (0..).filter_map(SkuIndex::new).zip(&over.skus) {
                let (stated, sold) = (figures.sold, self.durable.sold(drop, sku));
                if u64::from(Units::get(stated)) != sold {
                    return Err(format!("{drop} {sku}: {sold} sold, its summary says {stated}"));
                }
            }
        }
        Ok(())
    }

    /// The books that decided know what the books know that follow the rows.
    fn books(&self) -> Result<(), Violation> {
        let (live, followed) = (self.node.books().journaled(), self.durable.books.journaled());
        if live == followed {
            return Ok(());
        }
        let differs = live.lines().zip(followed.lines()).find(|(a, b)| a != b);
        Err(format!("the books differ from the rows: {differs:#?}"))
    }

    /// A start that is over is so by the rows, or was missed, which has no record. A drop settles once
    /// nothing of it is left.
    fn starts(&self) -> Result<(), Violation> {
        for (drop, book) in self.node.books().drops() {
            let Some(followed) = self.durable.books.drop(drop) else { continue };
            let by_rows = followed.start_is_over();
            let may_be_missed = book.plan().starts_at.is_some();
            if book.start_is_over() != by_rows && (by_rows || !may_be_missed) {
                return Err(format!("{drop}: its start is over by the rows: {by_rows}"));
            }
            let is_left = book.live_holds() > 0 || !self.is_selling;
            if book.phase().is_ending() && !is_left {
                let phase = book.phase();
                return Err(format!("{drop} is {phase} without a hold and has not ended"));
            }
        }
        Ok(())
    }

    /// What was promised is there, and stands as the rows say.
    fn holds(&self) -> Result<(), Violation> {
        for hold in self.held.values() {
            let take = &self.durable.takes[hold];
            let is_there = self.node.books().drop(hold.drop_id()).is_some();
            let look = self.node.engine.hold(*hold);
            let is_right = match (look, take.end) {
                (HoldLook::Known(status), None | Some(End::Ordered)) => {
                    let is_taken = (status.viewer, u64::from(status.units.get()));
                    status.confirmed == take.end.is_some() && is_taken == (take.viewer, take.units)
                }
                (HoldLook::Ended, Some(End::GivenBack)) => true,
                (HoldLook::Unknown, Some(_)) => !is_there,
                _ => false,
            };
            if !is_right {
                return Err(format!("{hold} is {look:?}, by the rows {take:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stampede_books::DropBook;
    use stampede_domain::{DurationMs, Phase};
    use stampede_engine::{Action, DropAction, StreamAction};
    use stampede_testkit::plan;

    use super::*;
    use crate::world::STREAM;

    fn phase(world: &World, drop: DropId) -> Option<Phase> {
        world.node.books().drop(drop).map(DropBook::phase)
    }

    /// A world in which drops that are over stay for `kept`, with a drop that is planned.
    fn planned(kept: DurationMs) -> World {
        let mut world = World::new(1);
        world.kept = kept;
        world.start_again().unwrap();
        world.settle().unwrap();
        world.give(Action::Plan { plan: Arc::new(plan(3)) }).unwrap();
        world.settle().unwrap();
        world
    }

    const COPY: DropId = DropId::new(2);

    /// The same after a restart in the middle of a rehearsal.
    fn rehearsed(kept: DurationMs) -> World {
        let mut world = planned(kept);
        world.give(StreamAction::Rehearse { viewers: 10 }.on(STREAM.parse().unwrap())).unwrap();
        world.settle().unwrap();
        assert_eq!(phase(&world, COPY), Some(Phase::Scheduled));
        world.start_again().unwrap();
        world
    }

    /// A start calls off what was rehearsed. It carries that out once it is durable, however long that takes.
    #[test]
    fn a_drop_that_a_start_calls_off_stays_for_as_long_as_any_other() {
        let mut world = rehearsed(DurationMs::from_secs(5));
        world.clock.advance(3_000);
        world.settle().unwrap();
        assert_eq!(phase(&world, COPY), Some(Phase::Cancelled));
        world.clock.advance(4_999);
        world.settle().unwrap();
        assert_eq!(
            phase(&world, COPY),
            Some(Phase::Cancelled),
            "it is over for less than it stays"
        );
        world.clock.advance(1);
        world.settle().unwrap();
        assert_eq!(phase(&world, COPY), None);
    }

    #[test]
    fn a_drop_that_a_start_calls_off_has_not_come_back() {
        let mut world = rehearsed(DurationMs::ZERO);
        assert_eq!(phase(&world, COPY), Some(Phase::Cancelled));
        world.settle().unwrap();
        assert_eq!(phase(&world, COPY), None, "it leaves at once where nothing stays");
    }

    /// The time until a drop leaves is in no row. A machine that starts anew with its clock set back has it before itself.
    #[test]
    fn a_drop_that_had_left_is_there_again_where_its_time_was_lost() {
        let mut world = planned(DurationMs::new(500));
        let drop = DropId::new(1);
        world.give(DropAction::Cancel.on(drop)).unwrap();
        world.settle().unwrap();
        world.clock.advance(600);
        world.settle().unwrap();
        assert_eq!(phase(&world, drop), None);
        world.clock.set_system(-2_000);
        world.clock.reboot();
        world.start_again().unwrap();
        world.settle().unwrap();
        assert_eq!(phase(&world, drop), Some(Phase::Cancelled));
        world.clock.advance(500);
        world.settle().unwrap();
        assert_eq!(phase(&world, drop), None);
    }
}
