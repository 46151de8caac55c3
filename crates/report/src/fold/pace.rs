//! How fast units went: marks on the way to sold out and to all paid, units over time up to there.

use stampede_domain::{DurationMs, UnixMillis};

use super::curve::Curve;

/// The pace of one drop.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    opened_at: Option<UnixMillis>,
    latest_take: Option<UnixMillis>,
    latest_paid: Option<UnixMillis>,
    half: Option<UnixMillis>,
    nine_tenths: Option<UnixMillis>,
    sold_out: Option<UnixMillis>,
    half_paid: Option<UnixMillis>,
    all_paid: Option<UnixMillis>,
    curve: Curve<u64>,
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
        let now = self.latest_take.map_or(taken_at, |latest| latest.max(taken_at));
        self.latest_take = Some(now);
        if self.sold_out.is_none() {
            self.curve.add(self.after_ms(taken_at).unwrap_or(0), units);
        }
        self.reach(now, taken, supplied);
        now
    }

    /// An order was committed; `sold` of `supplied` units are in orders with it.
    pub(super) fn pay(&mut self, at: UnixMillis, sold: u64, supplied: u64) {
        self.latest_paid = Some(self.latest_paid.map_or(at, |latest| latest.max(at)));
        self.reach_paid(at, sold, supplied);
    }

    /// Fewer units are supplied from now on: `taken` of them are held or sold, `sold` in orders.
    pub(super) fn shrink(&mut self, now: UnixMillis, (taken, sold): (u64, u64), supplied: u64) {
        self.reach(now, taken, supplied);
        self.reach_paid(now, sold, supplied);
    }

    /// Sets the marks of takes that are reached now. Where nothing was taken, nothing is sold out.
    fn reach(&mut self, now: UnixMillis, taken: u64, supplied: u64) {
        let reaches =
            |tenths: u64| taken > 0 && taken.saturating_mul(10) >= supplied.saturating_mul(tenths);
        for (mark, tenths) in
            [(&mut self.half, 5), (&mut self.nine_tenths, 9), (&mut self.sold_out, 10)]
        {
            if mark.is_none() && reaches(tenths) {
                *mark = Some(now);
            }
        }
    }

    fn reach_paid(&mut self, now: UnixMillis, sold: u64, supplied: u64) {
        for (mark, parts) in [(&mut self.half_paid, 2), (&mut self.all_paid, 1)] {
            if mark.is_none() && sold > 0 && sold.saturating_mul(parts) >= supplied {
                *mark = Some(now);
            }
        }
    }

    /// When takes first began.
    pub(super) const fn opened_at(&self) -> Option<UnixMillis> {
        self.opened_at
    }

    /// Milliseconds from the opening to `at`, 0 for what came before; `None` before the opening.
    pub(super) fn after_ms(&self, at: UnixMillis) -> Option<u64> {
        self.opened_at.map(|opened_at| at.since(opened_at).get())
    }

    /// The span from opening to `at`.
    pub(super) fn since_opening(&self, at: Option<UnixMillis>) -> Option<DurationMs> {
        Some(at?.since(self.opened_at?))
    }

    /// From opening to half of the supply.
    pub(super) fn half_after(&self) -> Option<DurationMs> {
        self.since_opening(self.half)
    }

    /// From opening to nine tenths of the supply.
    pub(super) fn nine_tenths_after(&self) -> Option<DurationMs> {
        self.since_opening(self.nine_tenths)
    }

    /// From opening to sold out.
    pub(super) fn sold_out_after(&self) -> Option<DurationMs> {
        self.since_opening(self.sold_out)
    }

    /// From opening to the latest take.
    pub(super) fn last_taken_after(&self) -> Option<DurationMs> {
        self.since_opening(self.latest_take)
    }

    /// From opening to half of the supply in orders.
    pub(super) fn half_paid_after(&self) -> Option<DurationMs> {
        self.since_opening(self.half_paid)
    }

    /// From opening to all of the supply in orders.
    pub(super) fn all_paid_after(&self) -> Option<DurationMs> {
        self.since_opening(self.all_paid)
    }

    /// From opening to the latest order.
    pub(super) fn last_paid_after(&self) -> Option<DurationMs> {
        self.since_opening(self.latest_paid)
    }

    /// Units taken over time, up to sold out.
    pub(super) const fn curve(&self) -> &Curve<u64> {
        &self.curve
    }
}
