//! Which drop is on air in each stream, by one set of rules for deciding as for replaying.

use std::collections::HashMap;

use stampede_domain::{DropId, DropPlan, Mode, Phase, StreamId};

/// Live drops and rehearsals of a stream never touch each other.
type Scene = (StreamId, Mode);

fn scene(plan: &DropPlan) -> Scene {
    (plan.stream.clone(), plan.mode)
}

/// The drop on air in each stream: the one that began last or that staff chose, until it ends.
#[derive(Clone, Debug, Default)]
pub struct OnAir {
    airings: HashMap<Scene, Airing, foldhash::fast::RandomState>,
}

#[derive(Clone, Debug, Default)]
struct Airing {
    /// Stays after its end while no other takes over.
    current: Option<DropId>,
    /// Staff chose it: a countdown that ends does not take over.
    chosen: bool,
    /// Drops that are going on, in the order in which they went on air last.
    turns: Vec<DropId>,
}

impl OnAir {
    /// Follows a drop's change of phase; returns the drop that goes on air by it.
    pub(crate) fn follow(
        &mut self,
        drop: DropId,
        plan: &DropPlan,
        (before, after): (Phase, Phase),
        phase_of: impl Fn(DropId) -> Option<Phase>,
    ) -> Option<DropId> {
        if before == after {
            return None;
        }
        let airing = self.airings.entry(scene(plan)).or_default();
        match (before, after) {
            (Phase::Countdown, Phase::Open) if airing.chosen => None,
            (_, Phase::Countdown | Phase::Open) => airing.begin(drop, false),
            (_, Phase::Paused) => None,
            _ => airing.end(drop, phase_of),
        }
    }

    /// A drop that sells on makes way for others; returns the drop that goes on air by it.
    pub(crate) fn give_up(
        &mut self,
        drop: DropId,
        plan: &DropPlan,
        phase_of: impl Fn(DropId) -> Option<Phase>,
    ) -> Option<DropId> {
        self.airings.entry(scene(plan)).or_default().end(drop, phase_of)
    }

    /// Staff put a drop on air; returns it unless it was there.
    pub(crate) fn choose(&mut self, drop: DropId, plan: &DropPlan) -> Option<DropId> {
        self.airings.entry(scene(plan)).or_default().begin(drop, true)
    }

    /// A drop that was planned anew has not been on air; one that has left memory is there no more.
    pub(crate) fn forget(&mut self, drop: DropId, plan: &DropPlan) {
        let scene = scene(plan);
        let Some(airing) = self.airings.get_mut(&scene) else { return };
        airing.turns.retain(|other| *other != drop);
        if airing.current == Some(drop) {
            airing.current = None;
            airing.chosen = false;
        }
        if airing.current.is_none() && airing.turns.is_empty() {
            self.airings.remove(&scene);
        }
    }

    /// What the journal tells: all of it. Where nothing has been on air, whether that was noted goes by when
    /// drops leave memory.
    pub(crate) fn journaled(&self) -> String {
        let airings = self.airings.iter();
        let airings = airings.filter(|(_, it)| it.current.is_some() || !it.turns.is_empty());
        let scenes = airings.map(|((stream, mode), airing)| {
            let Airing { current, chosen, turns } = airing;
            format!("{stream} {mode:?} {current:?} chosen {chosen} turns {turns:?}")
        });
        let mut scenes: Vec<_> = scenes.collect();
        scenes.sort_unstable();
        scenes.join(", ")
    }

    /// The drops on air.
    pub fn drops(&self) -> impl Iterator<Item = DropId> + '_ {
        self.airings.values().filter_map(|airing| airing.current)
    }
}

impl Airing {
    fn begin(&mut self, drop: DropId, chosen: bool) -> Option<DropId> {
        self.turns.retain(|other| *other != drop);
        self.turns.push(drop);
        self.chosen = chosen;
        (self.current.replace(drop) != Some(drop)).then_some(drop)
    }

    /// The latest that is open takes over, else the latest that is about to open.
    fn end(&mut self, drop: DropId, phase_of: impl Fn(DropId) -> Option<Phase>) -> Option<DropId> {
        self.turns.retain(|other| *other != drop);
        if self.current != Some(drop) {
            return None;
        }
        self.chosen = false;
        let latest =
            |phase| self.turns.iter().rev().copied().find(|other| phase_of(*other) == Some(phase));
        let next = latest(Phase::Open).or_else(|| latest(Phase::Countdown))?;
        self.begin(next, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: DropId = DropId::new(1);
    const TWO: DropId = DropId::new(2);

    /// A stream's drops with their phases.
    #[derive(Default)]
    struct Stage {
        air: OnAir,
        phases: HashMap<DropId, Phase>,
    }

    impl Stage {
        fn enter(&mut self, drop: DropId, phase: Phase) -> Option<DropId> {
            let before = self.phases.insert(drop, phase).unwrap_or(Phase::Scheduled);
            let phase_of = |drop| self.phases.get(&drop).copied();
            self.air.follow(drop, &stampede_testkit::plan(1), (before, phase), phase_of)
        }

        fn give_up(&mut self, drop: DropId) -> Option<DropId> {
            let phase_of = |drop| self.phases.get(&drop).copied();
            self.air.give_up(drop, &stampede_testkit::plan(1), phase_of)
        }

        fn forget(&mut self, drop: DropId) {
            self.air.forget(drop, &stampede_testkit::plan(1));
        }

        fn on_air(&self) -> Vec<DropId> {
            self.air.drops().collect()
        }
    }

    #[test]
    fn a_countdown_that_ends_takes_over_unless_staff_chose() {
        let mut stage = Stage::default();
        for drop in [ONE, TWO] {
            assert_eq!(stage.enter(drop, Phase::Countdown), Some(drop));
        }
        assert_eq!(stage.enter(ONE, Phase::Open), Some(ONE));
        assert_eq!(stage.air.choose(TWO, &stampede_testkit::plan(1)), Some(TWO));
        let three = DropId::new(3);
        assert_eq!(stage.enter(three, Phase::Countdown), Some(three));
        assert_eq!(stage.air.choose(TWO, &stampede_testkit::plan(1)), Some(TWO));
        assert_eq!(stage.enter(three, Phase::Open), None);
        assert_eq!(stage.on_air(), [TWO]);
    }

    #[test]
    fn a_drop_that_gives_the_air_up_stays_while_there_is_no_other() {
        let mut stage = Stage::default();
        stage.enter(ONE, Phase::Open);
        assert_eq!(stage.give_up(ONE), None);
        assert_eq!(stage.on_air(), [ONE], "viewers see it until another begins");
        assert_eq!(stage.enter(TWO, Phase::Open), Some(TWO));
        assert_eq!(stage.enter(TWO, Phase::Closed), None, "it takes over no more");
        stage.enter(TWO, Phase::Open);
        let three = DropId::new(3);
        assert_eq!(stage.enter(three, Phase::Open), Some(three));
        assert_eq!(stage.give_up(three), Some(TWO));
    }

    #[test]
    fn a_pause_leaves_a_drop_on_air() {
        let mut stage = Stage::default();
        for drop in [ONE, TWO] {
            assert_eq!(stage.enter(drop, Phase::Open), Some(drop));
        }
        assert_eq!(stage.enter(TWO, Phase::Paused), None);
        assert_eq!(stage.on_air(), [TWO]);
        assert_eq!(stage.enter(TWO, Phase::Closed), Some(ONE));
    }

    #[test]
    fn a_drop_that_is_forgotten_takes_over_no_more() {
        let mut stage = Stage::default();
        for drop in [ONE, TWO] {
            assert_eq!(stage.enter(drop, Phase::Open), Some(drop));
        }
        stage.forget(ONE);
        assert_eq!(stage.on_air(), [TWO], "the other stays");
        assert_eq!(stage.enter(TWO, Phase::Closed), None, "nobody is left to take over");
    }

    #[test]
    fn who_goes_on_takes_over_from_one_that_is_forgotten_and_ended() {
        let mut stage = Stage::default();
        for drop in [ONE, TWO] {
            assert_eq!(stage.enter(drop, Phase::Open), Some(drop));
        }
        stage.forget(TWO);
        assert_eq!(stage.on_air(), []);
        let three = DropId::new(3);
        assert_eq!(stage.enter(three, Phase::Open), Some(three));
        assert_eq!(stage.enter(three, Phase::Closed), Some(ONE), "its turn is still known");
        stage.forget(three);
        stage.enter(ONE, Phase::Closed);
        stage.forget(ONE);
        assert!(stage.air.airings.is_empty(), "a stream without drops costs nothing");
    }
}
