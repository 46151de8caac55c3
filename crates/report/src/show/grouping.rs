//! Which drops make a show.

use std::collections::BTreeMap;

use stampede_domain::{DropId, StreamId, UnixMillis};

use crate::fold::DropReport;

/// A drop that begins later than this after the ends of those before it begins a new show, in milliseconds: six hours.
/// A show may go on past midnight, and one stream may have two on one day.
pub const SHOW_GAP_MS: u64 = 6 * 60 * 60 * 1_000;

/// Drops of a show at most: the one after that begins another show. A report of a show has all of its drops in memory.
pub const SHOW_DROPS_MAX: usize = 200;

/// What a drop's place among the shows follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowDrop {
    /// The drop.
    pub drop: DropId,
    /// Its stream.
    pub stream: StreamId,
    /// When it opened, if it did.
    pub opened_at: Option<UnixMillis>,
    /// When it is planned to start.
    pub planned_at: Option<UnixMillis>,
    /// When it was settled or cancelled, if it was.
    pub ended_at: Option<UnixMillis>,
}

/// Drops of one stream that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// Its name: the first of its drops.
    pub id: DropId,
    /// The stream.
    pub stream: StreamId,
    /// Its drops in the order of their times.
    pub drops: Vec<DropId>,
}

impl ShowDrop {
    /// A drop as its report has it.
    pub fn of(report: &DropReport) -> Self {
        let ended = report.phases.last().filter(|begun| begun.phase.is_final());
        Self {
            drop: report.drop,
            stream: report.plan.stream.clone(),
            opened_at: report.opened_at,
            planned_at: report.plan.starts_at,
            ended_at: ended.map(|begun| begun.at),
        }
    }

    /// The moment that stands for it: its opening, else its end, else its planned start, else now. Of a drop that was
    /// called off the plan may be gone, so its end stands before that.
    fn at(&self, now: UnixMillis) -> UnixMillis {
        self.opened_at.or(self.ended_at).or(self.planned_at).unwrap_or(now)
    }

    /// Until when it holds its show open: it goes on until it has ended. One that never opened is a moment, or else a
    /// plan that was forgotten would join all later drops of the stream to its show.
    fn goes_on_until(&self, now: UnixMillis) -> UnixMillis {
        let at = self.at(now);
        if self.opened_at.is_none() { at } else { self.ended_at.unwrap_or(now).max(at) }
    }
}

/// The shows that these drops make, whichever order they come in: by stream, then by time.
///
/// A drop that has opened goes on until it has ended, so that whatever begins meanwhile belongs to its show, up to
/// [`SHOW_DROPS_MAX`] drops.
pub fn shows(drops: impl IntoIterator<Item = ShowDrop>, now: UnixMillis) -> Vec<Show> {
    let mut streams: BTreeMap<StreamId, Vec<ShowDrop>> = BTreeMap::new();
    for drop in drops {
        streams.entry(drop.stream.clone()).or_default().push(drop);
    }
    let mut all = Vec::new();
    for (stream, mut drops) in streams {
        drops.sort_by_key(|drop| (drop.at(now), drop.drop));
        let mut latest_end = None::<UnixMillis>;
        for drop in drops {
            let at = drop.at(now);
            let follows = latest_end.is_some_and(|end| at.since(end).get() <= SHOW_GAP_MS);
            match all.last_mut() {
                Some(Show { drops, .. }) if follows && drops.len() < SHOW_DROPS_MAX => {
                    drops.push(drop.drop);
                }
                _ => {
                    let (id, stream) = (drop.drop, stream.clone());
                    all.push(Show { id, stream, drops: vec![id] });
                }
            }
            let end = drop.goes_on_until(now);
            latest_end = Some(latest_end.map_or(end, |latest| latest.max(end)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60 * 1_000;
    /// 2026-11-27 20:00 UTC.
    const EVENING: u64 = 1_795_809_600_000;

    fn at(hours: f64) -> UnixMillis {
        let ms = hours * 3_600_000.0;
        let ms = ms.to_string().parse::<i64>().expect("whole milliseconds");
        UnixMillis::new(EVENING.checked_add_signed(ms).expect("after 1970"))
    }

    fn drop(
        number: u32,
        opened: impl Into<Option<UnixMillis>>,
        ended: impl Into<Option<UnixMillis>>,
    ) -> ShowDrop {
        ShowDrop {
            drop: DropId::new(number),
            stream: "friday".parse().unwrap(),
            opened_at: opened.into(),
            planned_at: None,
            ended_at: ended.into(),
        }
    }

    fn told(drops: Vec<ShowDrop>, now: UnixMillis) -> Vec<Vec<u32>> {
        let forwards = shows(drops.clone(), now);
        let backwards = shows(drops.into_iter().rev(), now);
        assert_eq!(forwards, backwards, "the order in which they come changes nothing");
        for show in &forwards {
            assert_eq!(show.id, show.drops[0]);
        }
        let numbers = |show: &Show| show.drops.iter().map(|drop| drop.get()).collect();
        forwards.iter().map(numbers).collect()
    }

    #[test]
    fn a_show_goes_on_past_midnight() {
        let drops =
            vec![drop(1, at(0.0), at(1.0)), drop(2, at(3.5), at(4.5)), drop(3, at(5.0), at(5.5))];
        assert_eq!(told(drops, at(30.0)), [[1, 2, 3]]);
    }

    #[test]
    fn a_stream_may_have_two_shows_on_one_day() {
        let drops = vec![
            drop(1, at(-10.0), at(-9.0)),
            drop(2, at(-8.0), at(-7.0)),
            drop(3, at(0.0), at(1.0)),
        ];
        assert_eq!(told(drops, at(30.0)), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn six_hours_are_no_gap_and_a_millisecond_more_is_one() {
        let second = |more: u64| {
            let opened = UnixMillis::new(EVENING + HOUR + SHOW_GAP_MS + more);
            vec![drop(1, at(0.0), at(1.0)), drop(2, opened, at(9.0))]
        };
        assert_eq!(told(second(0), at(30.0)), [[1, 2]]);
        assert_eq!(told(second(1), at(30.0)), [[1], [2]]);
    }

    #[test]
    fn what_begins_while_a_long_drop_runs_belongs_to_its_show() {
        let drops = |ended: Option<UnixMillis>| {
            vec![drop(1, at(0.0), ended), drop(2, at(1.0), at(1.5)), drop(3, at(20.0), at(21.0))]
        };
        assert_eq!(told(drops(Some(at(18.0))), at(30.0)), [[1, 2, 3]]);
        assert_eq!(told(drops(None), at(30.0)), [[1, 2, 3]], "it runs still");
        assert_eq!(told(drops(Some(at(2.0))), at(30.0)), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn what_never_opened_stands_where_it_was_planned_or_ended() {
        let planned = |number, planned_at: Option<UnixMillis>, ended: Option<UnixMillis>| {
            ShowDrop { planned_at, ..drop(number, None, ended) }
        };
        let drops = vec![
            drop(1, at(0.0), at(1.0)),
            planned(2, Some(at(2.0)), Some(at(1.5))),
            planned(3, None, Some(at(1.2))),
            planned(4, Some(at(72.0)), None),
            planned(5, None, None),
        ];
        assert_eq!(told(drops, at(2.5)), [vec![1, 3, 2, 5], vec![4]]);
    }

    #[test]
    fn a_plan_that_was_forgotten_joins_nothing() {
        let forgotten = ShowDrop { planned_at: Some(at(1.5)), ..drop(2, None, None) };
        let drops = vec![drop(1, at(0.0), at(1.0)), forgotten, drop(3, at(24.0), at(25.0))];
        assert_eq!(told(drops, at(30.0)), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn what_was_called_off_stands_where_it_did_once_its_plan_is_gone() {
        let with = |planned_at: Option<UnixMillis>| {
            let called_off = ShowDrop { planned_at, ..drop(1, None, at(1.5)) };
            told(vec![called_off, drop(2, at(0.0), at(1.0)), drop(3, at(9.0), at(9.5))], at(30.0))
        };
        assert_eq!(with(Some(at(9.0))), with(None));
    }

    #[test]
    fn a_show_has_no_more_drops_than_a_report_may_hold() {
        let most = u32::try_from(SHOW_DROPS_MAX).expect("a small number");
        let drops = |count: u32| (1..=count).map(|number| drop(number, at(0.0), None)).collect();
        let sizes = |count| told(drops(count), at(1.0)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(most), [SHOW_DROPS_MAX]);
        assert_eq!(sizes(2 * most + 1), [SHOW_DROPS_MAX, SHOW_DROPS_MAX, 1]);
    }

    #[test]
    fn streams_have_shows_of_their_own() {
        let other = ShowDrop { stream: "monday".parse().unwrap(), ..drop(2, at(0.5), at(1.0)) };
        let drops = vec![drop(1, at(0.0), at(1.0)), other, drop(3, at(1.0), at(2.0))];
        assert_eq!(told(drops, at(3.0)), [vec![1, 3], vec![2]]);
        assert_eq!(shows([], at(0.0)), []);
    }
}
