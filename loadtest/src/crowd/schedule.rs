//! The crowd's script: who comes, clicks, leaves at which moment, drawn ahead from a seed.

use rand::{
    Rng, SeedableRng,
    distr::{Distribution, weighted::WeightedIndex},
    rngs::StdRng,
};

use crate::plan::{Behaviour, CrowdPlan, SchedulePlan};

/// Shortest time between two clicks of a viewer: a thumb's speed.
const AGAIN_US_MIN: u64 = 150_000;
/// Salts, so that seats, viewers and other users of the seed draw from streams of their own.
const SEAT_SALT: u64 = 0x5ea7;
const VIEWER_SALT: u64 = 0x71e3;

/// All viewers of a process with all their moments in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    /// By place: the viewer's number less the first number of the range.
    pub(crate) viewers: Vec<ViewerScript>,
    /// Moments relative to the opening, earliest first.
    pub(crate) moments: Vec<Moment>,
    /// How many viewers, from place 0, are there before the opening.
    pub(crate) first_wave: u32,
}

/// What one viewer will do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewerScript {
    pub(crate) number: u32,
    pub(crate) units: u32,
    pub(crate) temper: Temper,
    pub(crate) clicks: Vec<Click>,
}

/// One planned click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Click {
    /// Microseconds from the opening; negative is before it.
    pub(crate) at_us: i64,
    /// The same key twice at once.
    pub(crate) double: bool,
    /// The connection drops before the answer.
    pub(crate) dropped: bool,
}

/// What a viewer does with a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    Pays,
    PaysLater { after_us: u64 },
    NeverPays,
    WalksAway { after_us: u64 },
    Releases { after_us: u64 },
}

/// One planned moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) at_us: i64,
    pub(crate) place: u32,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Arrive,
    Click { index: u32 },
    Leave,
}

impl Script {
    /// Draws the script of a plan that has been checked.
    pub(crate) fn draw(plan: &CrowdPlan) -> Self {
        let count = plan.viewers.to - plan.viewers.from;
        let first_wave = plan.connected.min(count);
        let mut script = Self { viewers: Vec::new(), moments: Vec::new(), first_wave };
        for place in 0..count {
            let number = plan.viewers.from + place;
            let stay = Stay::of(plan, place, count);
            let viewer = ViewerScript::draw(plan, number, stay);
            if let Some(at_us) = stay.arrives_us {
                script.moments.push(Moment { at_us, place, what: What::Arrive });
            }
            if let Some(at_us) = stay.leaves_us {
                script.moments.push(Moment { at_us, place, what: What::Leave });
            }
            let clicks = (0..).zip(&viewer.clicks);
            script.moments.extend(clicks.map(|(index, click)| Moment {
                at_us: click.at_us,
                place,
                what: What::Click { index },
            }));
            script.viewers.push(viewer);
        }
        script.moments.sort_unstable();
        script
    }
}

/// When a viewer is there.
#[derive(Clone, Copy)]
struct Stay {
    /// `None`: before the opening.
    arrives_us: Option<i64>,
    /// `None`: stays to the end.
    leaves_us: Option<i64>,
}

impl Stay {
    /// Viewers take turns on the seats; each seat changes hands at random moments of the turnover.
    fn of(plan: &CrowdPlan, place: u32, count: u32) -> Self {
        let (seat, turn) = (place % plan.connected, place / plan.connected);
        let turns = (count - seat).div_ceil(plan.connected);
        let mut rng =
            rng(plan.seed, SEAT_SALT, u64::from(plan.viewers.from) << 32 | u64::from(seat));
        let schedule = &plan.schedule;
        let window = signed_us(schedule.turnover_from_ms)..signed_us(schedule.turnover_to_ms);
        let mut changes: Vec<i64> = (1..turns).map(|_| rng.random_range(window.clone())).collect();
        changes.sort_unstable();
        let change = |turn: u32| changes.get(usize::try_from(turn).unwrap_or(usize::MAX)).copied();
        Self { arrives_us: turn.checked_sub(1).and_then(change), leaves_us: change(turn) }
    }
}

impl ViewerScript {
    fn draw(plan: &CrowdPlan, number: u32, stay: Stay) -> Self {
        let (schedule, behaviour) = (&plan.schedule, &plan.behaviour);
        let rng = &mut rng(plan.seed, VIEWER_SALT, number.into());
        let units =
            WeightedIndex::new(&behaviour.units_weights).map_or(0, |weights| weights.sample(rng));
        let temper = Temper::draw(behaviour, rng);
        let mut clicks = Vec::new();
        let end_us = stay.leaves_us.unwrap_or(i64::MAX).min(signed_us(schedule.sale_ms));
        let mut at_us = first_click_us(schedule, stay, rng);
        if stay.arrives_us.is_none() && rng.random_bool(behaviour.early_share) {
            let before_us = rng.random_range(0..=signed_us(schedule.early_ms));
            clicks.push(Click { at_us: -before_us, double: false, dropped: false });
        }
        let mut dropped = rng.random_bool(behaviour.dropped_share);
        while at_us < end_us {
            let double = !dropped && rng.random_bool(behaviour.double_share);
            clicks.push(Click { at_us, double, dropped });
            dropped = false;
            at_us = at_us.saturating_add(gap_us(schedule.again_every_ms, rng));
        }
        let units = u32::try_from(units).unwrap_or(0) + 1;
        Self { number, units, temper, clicks }
    }
}

impl Temper {
    fn draw(behaviour: &Behaviour, rng: &mut StdRng) -> Self {
        let mind_us = |rng: &mut StdRng| rng.random_range(0..=behaviour.change_mind_ms_max * 1000);
        let mut draw: f64 = rng.random();
        let mut within = |share: f64| {
            draw -= share;
            draw < 0.0
        };
        if within(behaviour.pay_later_share) {
            Self::PaysLater { after_us: rng.random_range(0..=behaviour.pay_later_ms_max * 1000) }
        } else if within(behaviour.never_pay_share) {
            Self::NeverPays
        } else if within(behaviour.walk_away_share) {
            Self::WalksAway { after_us: mind_us(rng) }
        } else if within(behaviour.release_share) {
            Self::Releases { after_us: mind_us(rng) }
        } else {
            Self::Pays
        }
    }
}

fn first_click_us(schedule: &SchedulePlan, stay: Stay, rng: &mut StdRng) -> i64 {
    let again_us = signed_us(schedule.again_every_ms);
    match stay.arrives_us {
        None if rng.random_bool(schedule.rush_share) => {
            rng.random_range(0..signed_us(schedule.rush_ms))
        }
        None => signed_us(schedule.rush_ms) + rng.random_range(0..again_us),
        Some(arrives_us) => arrives_us + rng.random_range(0..again_us),
    }
}

/// Exponential around the mean, so that clicks of many viewers come as a Poisson stream, but never
/// faster than a thumb.
fn gap_us(mean_ms: u64, rng: &mut StdRng) -> i64 {
    let mean_us = mean_ms.saturating_mul(1000);
    // From 1, because the logarithm of zero has no value.
    let quantile = f64::from(rng.random_range(1..=1000_u32)) / 1000.0;
    let spread_ms = std::time::Duration::from_micros(mean_us.saturating_sub(AGAIN_US_MIN));
    let drawn = spread_ms.mul_f64(-quantile.ln());
    i64::try_from(drawn.as_micros()).unwrap_or(i64::MAX).saturating_add(AGAIN_US_MIN.cast_signed())
}

fn signed_us(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1000)).unwrap_or(i64::MAX)
}

fn rng(seed: u64, salt: u64, who: u64) -> StdRng {
    // SplitMix64's finalizer spreads neighbouring numbers over the whole range.
    let mut mixed = seed ^ salt.rotate_left(32) ^ who.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    StdRng::seed_from_u64(mixed ^ mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{PayAt, Roots, ViewerRange};

    fn plan() -> CrowdPlan {
        CrowdPlan {
            seed: 1,
            url: "ws://127.0.0.1:1/".into(),
            addresses: Vec::new(),
            roots: Roots::Mozilla,
            subprotocol: "stampede.v1.msgpack".into(),
            sources: Vec::new(),
            stream: "show".into(),
            drop: "d1".into(),
            sku: "mug".into(),
            ticket_key: stampede_wire::ticket::KeySpec::hs256("k", &[0; 32]),
            rehearsal: false,
            name_prefix: "v".into(),
            viewers: ViewerRange { from: 0, to: 4_000 },
            connected: 2_000,
            connects_per_s: 1_000,
            schedule: SchedulePlan {
                early_ms: 1_000,
                rush_ms: 1_000,
                rush_share: 0.9,
                again_every_ms: 800,
                turnover_from_ms: 2_000,
                turnover_to_ms: 6_000,
                sale_ms: 10_000,
            },
            behaviour: Behaviour {
                early_share: 0.1,
                double_share: 0.05,
                dropped_share: 0.02,
                retry_after_ms: 200,
                pay_later_share: 0.2,
                pay_later_ms_max: 500,
                never_pay_share: 0.1,
                walk_away_share: 0.05,
                release_share: 0.05,
                change_mind_ms_max: 500,
                units_weights: vec![3, 1],
            },
            pay_at: PayAt::Server,
            promise_log: "promises".into(),
        }
    }

    fn count(of: impl Iterator<Item = bool>) -> usize {
        of.filter(|yes| *yes).count()
    }

    #[test]
    fn a_seed_draws_one_script() {
        assert_eq!(Script::draw(&plan()), Script::draw(&plan()));
        let other = Script::draw(&CrowdPlan { seed: 2, ..plan() });
        assert_ne!(Script::draw(&plan()).moments, other.moments);
    }

    #[test]
    fn a_viewer_of_the_first_wave_is_the_same_in_every_process() {
        let whole = Script::draw(&CrowdPlan { connected: 4_000, ..plan() });
        let part = ViewerRange { from: 1_500, to: 4_000 };
        let part = Script::draw(&CrowdPlan { viewers: part, connected: 4_000, ..plan() });
        assert_eq!(part.viewers, whole.viewers[1_500..]);
    }

    #[test]
    fn everybody_comes_and_every_other_viewer_makes_room() {
        let script = Script::draw(&plan());
        assert_eq!(script.first_wave, 2_000);
        let at = |what: What| {
            let mut moments: Vec<_> =
                script.moments.iter().filter(|m| m.what == what).map(|m| m.at_us).collect();
            moments.sort_unstable();
            moments
        };
        let (arrivals, departures) = (at(What::Arrive), at(What::Leave));
        assert_eq!(arrivals.len(), 2_000);
        assert_eq!(arrivals, departures, "a seat never stays empty");
        assert!(arrivals.iter().all(|at_us| (2_000_000..6_000_000).contains(at_us)));
    }

    #[test]
    fn clicks_come_while_their_viewer_is_there() {
        let script = Script::draw(&plan());
        for viewer in &script.viewers {
            let place = viewer.number;
            let own = |what: What| {
                let mut moments = script.moments.iter();
                moments.find(|m| m.place == place && m.what == what).map(|m| m.at_us)
            };
            let arrives = own(What::Arrive).unwrap_or(-1_000_000);
            let leaves = own(What::Leave).unwrap_or(10_000_000);
            assert!(viewer.clicks.iter().all(|c| (arrives..leaves).contains(&c.at_us)), "{place}");
            assert!(viewer.clicks.is_sorted_by_key(|click| click.at_us));
        }
    }

    #[test]
    fn the_rush_is_as_dense_as_planned() {
        let script = Script::draw(&plan());
        let clicks = || script.viewers.iter().flat_map(|viewer| &viewer.clicks);
        let rush = count(clicks().map(|click| (0..1_000_000).contains(&click.at_us)));
        assert!((1_800..3_000).contains(&rush), "{rush}");
        let early = count(clicks().map(|click| click.at_us < 0));
        assert!((150..250).contains(&early), "{early}");
        let dropped = count(clicks().map(|click| click.dropped));
        assert!((40..130).contains(&dropped), "{dropped}");
    }

    #[test]
    fn tempers_and_sizes_follow_their_shares() {
        let script = Script::draw(&plan());
        let tempers = |like: fn(&Temper) -> bool| {
            count(script.viewers.iter().map(|viewer| like(&viewer.temper)))
        };
        for (share, found) in [
            (60, tempers(|t| matches!(t, Temper::Pays))),
            (20, tempers(|t| matches!(t, Temper::PaysLater { .. }))),
            (10, tempers(|t| matches!(t, Temper::NeverPays))),
            (5, tempers(|t| matches!(t, Temper::WalksAway { .. }))),
            (5, tempers(|t| matches!(t, Temper::Releases { .. }))),
        ] {
            assert!(found.abs_diff(share * 40) < 120, "{share} % are {found} of 4000");
        }
        let pairs = count(script.viewers.iter().map(|viewer| viewer.units == 2));
        assert!(pairs.abs_diff(1_000) < 120, "{pairs}");
    }
}
