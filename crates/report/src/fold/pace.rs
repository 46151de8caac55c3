//! How fast units went: marks on the way to sold out, units by second.

use std::collections::BTreeMap;

use stampede_domain::{DurationMs, UnixMillis};

/// Seconds with takes that are kept for one drop: a day without a pause.
pub const SECONDS_MAX: usize = 86_400;

/// Units taken in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Seconds since opening, from 0.
    pub second: u64,
    /// Units taken in it.
    pub units: u64,
}

/// The pace of one drop.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    opened_at: Option<UnixMillis>,
    latest_take: UnixMillis,
    half: Option<UnixMillis>,
    nine_tenths: Option<UnixMillis>,
    sold_out: Option<UnixMillis>,
    seconds: BTreeMap<u64, u64>,
    seconds_cut: bool,
}

impl Pace {
    /// Takes begin; later ones (there are none in a sound journal) change nothing.
    pub(super) fn open(&mut self, at: UnixMillis) {
        self.opened_at.get_or_insert(at);
    }

    /// Counts a take; `taken` of `supplied` units are held or sold with it. Returns the moment
    /// that the journal has reached: takes become durable in any order, so it is the latest one.
    pub(super) fn take(
        &mut self,
        taken_at: UnixMillis,
        units: u64,
        taken: u64,
        supplied: u64,
    ) -> UnixMillis {
        self.latest_take = self.latest_take.max(taken_at);
        let now = self.latest_take;
        let reaches = |tenths: u64| taken.saturating_mul(10) >= supplied.saturating_mul(tenths);
        for (mark, tenths) in
            [(&mut self.half, 5), (&mut self.nine_tenths, 9), (&mut self.sold_out, 10)]
        {
            if mark.is_none() && reaches(tenths) {
                *mark = Some(now);
            }
        }
        let opened_at = self.opened_at.unwrap_or(taken_at);
        let second = taken_at.since(opened_at).get() / 1_000;
        if self.seconds.len() < SECONDS_MAX || self.seconds.contains_key(&second) {
            *self.seconds.entry(second).or_default() += units;
        } else {
            self.seconds_cut = true;
        }
        now
    }

    /// When takes first began.
    pub fn opened_at(&self) -> Option<UnixMillis> {
        self.opened_at
    }

    /// The span from opening to `at`.
    pub(super) fn since_opening(&self, at: Option<UnixMillis>) -> Option<DurationMs> {
        Some(at?.since(self.opened_at?))
    }

    /// From opening to half of the supply.
    pub fn half_after(&self) -> Option<DurationMs> {
        self.since_opening(self.half)
    }

    /// From opening to nine tenths of the supply.
    pub fn nine_tenths_after(&self) -> Option<DurationMs> {
        self.since_opening(self.nine_tenths)
    }

    /// From opening to sold out.
    pub fn sold_out_after(&self) -> Option<DurationMs> {
        self.since_opening(self.sold_out)
    }

    /// Seconds with takes in order.
    pub fn seconds(&self) -> Vec<Second> {
        self.seconds
            .iter()
            .map(|(second, units)| Second { second: *second, units: *units })
            .collect()
    }

    /// Whether seconds are missing.
    pub fn is_cut(&self) -> bool {
        self.seconds_cut
    }
}
