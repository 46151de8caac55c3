//! The stock that viewers see: exact while it is scarce, rounded while there is plenty.

use crate::Units;

/// How a plan wants its stock shown.
///
/// Above [`StockDisplay::rounded_above`] a figure is rounded down to a multiple of
/// [`StockDisplay::round_to`]; up to it the figure is exact. The bound is itself a multiple of the
/// step, so what is shown never exceeds what there is, is never zero while there are units, and
/// never rises while the stock falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockDisplay {
    /// Figures up to this one are exact; a multiple of `round_to`.
    pub rounded_above: Units,
    /// Figures above the bound are rounded down to a multiple of this; at least 2.
    pub round_to: Units,
}

/// A figure as viewers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownUnits {
    /// The figure; never more than there is.
    pub units: Units,
    /// Whether it was rounded.
    pub approximate: bool,
}

impl StockDisplay {
    /// What viewers see of `available` units; `self` is valid.
    pub fn show(self, available: Units) -> ShownUnits {
        if available <= self.rounded_above {
            return ShownUnits::exact(available);
        }
        let rest = Units::new(available.get() % self.round_to.get()).expect("less than the step");
        let units = available.checked_take(rest).expect("the rest is part of it");
        ShownUnits { units, approximate: true }
    }
}

impl ShownUnits {
    /// A figure that is shown as it is.
    pub const fn exact(units: Units) -> Self {
        Self { units, approximate: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(count: u32) -> Units {
        Units::new(count).unwrap()
    }

    #[test]
    fn a_figure_is_exact_while_scarce_and_rounded_while_plenty() {
        let display = StockDisplay { rounded_above: units(100), round_to: units(50) };
        let shown = |count| {
            let shown = display.show(units(count));
            (shown.units.get(), shown.approximate)
        };
        assert_eq!(shown(0), (0, false));
        assert_eq!(shown(99), (99, false));
        assert_eq!(shown(100), (100, false));
        assert_eq!(shown(101), (100, true));
        assert_eq!(shown(149), (100, true));
        assert_eq!(shown(150), (150, true));
        assert_eq!(shown(15_049), (15_000, true));
        assert_eq!(shown(Units::MAX.get()), (16_777_200, true));
    }

    #[test]
    fn what_is_shown_never_exceeds_the_stock_nor_rises_while_it_falls() {
        for (above, step) in [(2, 2), (100, 50), (300, 100), (64, 64)] {
            let display = StockDisplay { rounded_above: units(above), round_to: units(step) };
            let mut last = Units::MAX;
            for count in (0..1_000).rev().map(units) {
                let shown = display.show(count).units;
                assert!(shown <= count && shown <= last, "{shown} of {count} after {last}");
                assert_eq!(shown.is_zero(), count.is_zero());
                last = shown;
            }
        }
    }
}
