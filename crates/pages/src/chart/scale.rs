//! Scales: which values are written at an axis.

use crate::{numbers::count, words::Language};

/// Lines of a grid at most, the lowest included.
const LINES_MAX: u64 = 5;

/// A place on an axis with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) value: u64,
    /// Empty where only the line is drawn.
    pub(crate) text: String,
}

/// Ticks from 0 up to `most`, which is one itself: the axis ends at what there was.
pub(crate) fn counts(most: u64) -> Vec<Tick> {
    let tick = |value: u64| Tick { value, text: count(value) };
    // Even parts that are round numbers.
    let is_even = |parts: &u64| most.is_multiple_of(*parts) && is_round(most / parts);
    if let Some(parts) = [4, 3, 2].into_iter().find(is_even) {
        return (0..=parts).map(|place| tick(most / parts * place)).collect();
    }
    let step = nice(most.div_ceil(LINES_MAX - 1));
    let lines = most.div_ceil(step);
    let mut ticks: Vec<Tick> = (0..lines).map(|place| tick(place * step)).collect();
    // Two numbers would stand in one place.
    if ticks.len() > 1 && ticks.last().is_some_and(|last| most - last.value < step * 2 / 5) {
        ticks.pop();
    }
    ticks.push(tick(most));
    ticks
}

/// Ticks at round numbers from 0 to the first that reaches `most`.
pub(crate) fn round_counts(most: u64) -> Vec<Tick> {
    let step = nice(most.max(1).div_ceil(LINES_MAX - 1));
    let lines = most.max(1).div_ceil(step);
    (0..=lines).map(|place| Tick { value: place * step, text: count(place * step) }).collect()
}

/// Whether a number has at most two digits before its zeros.
fn is_round(number: u64) -> bool {
    let mut number = number;
    while number > 0 && number.is_multiple_of(10) {
        number /= 10;
    }
    number > 0 && number < 100 && (number < 10 || number.is_multiple_of(5))
}

/// The least 1, 2 or 5 times a power of ten that reaches `least`.
fn nice(least: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            match power.checked_mul(factor) {
                Some(step) if step >= least => return step,
                Some(_) => {}
                None => return least,
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return least,
        }
    }
}

/// A unit of time: how many milliseconds it has, up to which span it is used, how it is written.
#[derive(Clone, Copy)]
struct Unit {
    ms: u64,
    /// Steps that people count in, in this unit.
    steps: &'static [u64],
}

const MS: Unit = Unit { ms: 1, steps: &[1, 2, 5, 10, 20, 50, 100, 200, 250, 500, 1_000, 2_000] };
const SECOND: Unit = Unit { ms: 1_000, steps: &[1, 2, 5, 10, 15, 20, 30] };
const MINUTE: Unit = Unit { ms: 60_000, steps: &[1, 2, 5, 10, 15, 20, 30] };
const HOUR: Unit = Unit { ms: 3_600_000, steps: &[1, 2, 3, 6, 12] };
const DAY: Unit = Unit { ms: 86_400_000, steps: &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] };

/// Ticks of a span of time from 0 on, `most` of them at most: the first and the last one with the unit.
pub(crate) fn times(words: Language, span_ms: u64, most: u64) -> Vec<Tick> {
    let unit = match span_ms {
        0..5_000 => MS,
        5_000..120_000 => SECOND,
        120_000..10_800_000 => MINUTE,
        10_800_000..259_200_000 => HOUR,
        _ => DAY,
    };
    let spans = span_ms / unit.ms;
    let wanted = spans.div_ceil(most.max(1)).max(1);
    let step = unit.steps.iter().copied().find(|step| *step >= wanted).unwrap_or(wanted);
    let places: Vec<u64> = (0..=spans / step).map(|place| place * step).collect();
    let last = places.len() - 1;
    let with_unit = |number: String| match unit.ms {
        1 => words.in_ms(number),
        1_000 => words.in_s(number),
        60_000 => words.in_min(number),
        3_600_000 => words.in_h(number),
        _ => words.in_d(number),
    };
    let ticks = places.iter().enumerate().map(|(place, number)| {
        let said = count(*number);
        let text = if place == 0 || place == last { with_unit(said) } else { said };
        Tick { value: number * unit.ms, text }
    });
    ticks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn an_axis_of_units_ends_at_the_supply() {
        assert_eq!(texts(&counts(15_000)), ["0", "5,000", "10,000", "15,000"]);
        assert_eq!(texts(&counts(1_000)), ["0", "250", "500", "750", "1,000"]);
        assert_eq!(texts(&counts(1)), ["0", "1"]);
        assert_eq!(texts(&counts(3)), ["0", "1", "2", "3"]);
        assert_eq!(texts(&counts(16_777_215)), ["0", "5,000,000", "10,000,000", "16,777,215"]);
        assert_eq!(texts(&counts(1_237)), ["0", "500", "1,000", "1,237"]);
        for most in 1..3_000 {
            let ticks = counts(most);
            assert!(ticks.len() <= 6 && ticks.last().unwrap().value == most, "{ticks:?}");
            assert!(ticks.windows(2).all(|two| two[0].value < two[1].value), "{ticks:?}");
        }
    }

    #[test]
    fn an_axis_of_viewers_reaches_the_most() {
        assert_eq!(texts(&round_counts(38_420)), ["0", "10,000", "20,000", "30,000", "40,000"]);
        assert_eq!(texts(&round_counts(0)), ["0", "1"]);
    }

    #[test]
    fn time_is_counted_in_the_unit_that_people_use() {
        let ticks = |span, most| times(Language::English, span, most);
        let said = |ticks: Vec<Tick>| texts(&ticks).join(" ").replace('\u{a0}', "_");
        assert_eq!(said(ticks(1_000, 4)), "0_ms 250 500 750 1,000_ms");
        assert_eq!(said(ticks(241_330, 6)), "0_min 1 2 3 4_min");
        assert_eq!(said(ticks(7_200_000, 5)), "0_min 30 60 90 120_min");
        assert_eq!(said(ticks(30_000, 6)), "0_s 5 10 15 20 25 30_s");
        assert_eq!(said(ticks(172_800_000, 8)), "0_h 6 12 18 24 30 36 42 48_h");
        assert_eq!(said(ticks(0, 4)), "0_ms");
        assert_eq!(said(ticks(864_000_000, 6)), "0_d 2 4 6 8 10_d");
    }
}
