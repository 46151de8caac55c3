//! Times in which nobody could take: the drop was paused, or the node was away.

use stampede_domain::{DurationMs, Phase, UnixMillis};

use super::phases::PhaseTime;

/// Gaps that a report has at most, the earliest ones.
pub const GAPS_MAX: usize = 256;

/// Why nobody could take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// The drop was paused.
    Paused,
    /// The node was away, or its machine slept.
    Away,
}

impl GapKind {
    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Away => "away",
        }
    }
}

/// A time in which nobody could take, as spans since the opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// When it began.
    pub from: DurationMs,
    /// When it ended, or how far the journal goes.
    pub to: DurationMs,
}

/// Times in which the node was away.
#[derive(Clone, Debug, Default)]
pub(super) struct Absences(Vec<(UnixMillis, UnixMillis)>);

impl Absences {
    /// It was away for this long, up to here.
    pub(super) fn add(
        &mut self,
        span: DurationMs,
        until: UnixMillis,
        opened_at: Option<UnixMillis>,
    ) {
        // What came before the opening is no gap of the sale.
        if opened_at.is_some_and(|opened_at| until > opened_at) && self.0.len() <= GAPS_MAX {
            let from = UnixMillis::new(until.get().saturating_sub(span.get()));
            self.0.push((from, until));
        }
    }

    /// All gaps since the opening in their order, at most [`GAPS_MAX`]; whether there are more.
    pub(super) fn gaps(
        &self,
        phases: &[PhaseTime],
        opened_at: Option<UnixMillis>,
        as_of: UnixMillis,
    ) -> (Vec<Gap>, bool) {
        let Some(opened_at) = opened_at else { return (Vec::new(), false) };
        let ends = phases.iter().skip(1).map(|next| next.at).chain([as_of]);
        let paused = phases.iter().zip(ends).filter(|(begun, _)| begun.phase == Phase::Paused);
        let paused = paused.map(|(begun, end)| (begun.at, end, GapKind::Paused));
        let away = self.0.iter().map(|(from, to)| (*from, *to, GapKind::Away));
        let mut all: Vec<_> = paused.chain(away).filter(|(from, to, _)| from < to).collect();
        all.sort_unstable();
        let is_cut = all.len() > GAPS_MAX;
        all.truncate(GAPS_MAX);
        let since = |at: UnixMillis| at.since(opened_at);
        let gap = |(from, to, kind)| Gap { kind, from: since(from), to: since(to) };
        (all.into_iter().map(gap).collect(), is_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> UnixMillis {
        UnixMillis::new(100_000 + ms)
    }

    #[test]
    fn gaps_come_in_their_order_and_are_bounded() {
        let opened_at = Some(at(0));
        let mut absences = Absences::default();
        absences.add(DurationMs::new(500), UnixMillis::new(99_000), opened_at);
        absences.add(DurationMs::new(500), at(300), opened_at);
        let phase = |phase, ms| PhaseTime { phase, at: at(ms), by_stream: false };
        let phases = [phase(Phase::Open, 0), phase(Phase::Paused, 100), phase(Phase::Open, 250)];
        let told = |gaps: &[Gap]| -> Vec<_> {
            gaps.iter().map(|gap| (gap.kind, gap.from.get(), gap.to.get())).collect()
        };
        let (gaps, is_cut) = absences.gaps(&phases, opened_at, at(900));
        assert_eq!(told(&gaps), [(GapKind::Away, 0, 300), (GapKind::Paused, 100, 250)]);
        assert!(!is_cut);
        let (still, _) = absences.gaps(&phases[..2], opened_at, at(900));
        assert_eq!(told(&still)[1], (GapKind::Paused, 100, 900), "it is paused still");
        for number in 0..400 {
            absences.add(DurationMs::new(1), at(1_000 + number), opened_at);
        }
        let (gaps, is_cut) = absences.gaps(&phases, opened_at, at(9_000));
        assert_eq!((gaps.len(), is_cut), (GAPS_MAX, true));
        assert!(absences.gaps(&phases, None, at(9_000)).0.is_empty());
    }
}
