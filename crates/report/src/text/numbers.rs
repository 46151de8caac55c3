//! Numbers, shares, money and times as people read them.

use stampede_domain::{Currency, DurationMs, Money, UnixMillis};
use time::OffsetDateTime;

/// `12,345,678`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12,345.60 EUR`.
pub(super) fn money(amount: Money) -> String {
    let text = amount.to_string();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = text[..end].parse().expect("an amount begins with digits that fit 2^53");
    grouped(whole) + &text[end..]
}

/// `+12,345.60 EUR`, `-0.05 EUR`, `0.00 EUR`.
pub(super) fn change(minor: i64, currency: Currency) -> String {
    let sign = match minor.signum() {
        1 => "+",
        0 => "",
        _ => "-",
    };
    let amount = Money::new(minor.unsigned_abs().min(Money::MINOR_MAX), currency);
    sign.to_owned() + &money(amount.expect("it is within the limit"))
}

/// `12.345 s`.
pub(super) fn seconds(span: DurationMs) -> String {
    let millis = span.get();
    format!("{}.{:03} s", grouped(millis / 1_000), millis % 1_000)
}

/// `99.9 %`, rounded down so that only all of it reads 100.
pub(super) fn share(part: u64, whole: u64) -> String {
    tenths(u128::from(part) * 1_000 / u128::from(whole.max(1)))
}

/// The shares of parts in their sum, in tenths of a percent that add up to 100.0 %: rounded down, then
/// those that lost most by it get a tenth back. All are 0.0 % where there is nothing to share.
pub(super) fn shares(parts: &[u64]) -> Vec<String> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    let exact = |part: &u64| u128::from(*part) * 1_000;
    let divisor = whole.max(1);
    let mut rounded: Vec<u128> = parts.iter().map(|part| exact(part) / divisor).collect();
    let missing = if whole == 0 { 0 } else { 1_000 - rounded.iter().sum::<u128>() };
    let mut by_loss: Vec<usize> = (0..parts.len()).collect();
    by_loss.sort_by_key(|place| std::cmp::Reverse(exact(&parts[*place]) % divisor));
    for (place, _) in by_loss.into_iter().zip(0..missing) {
        rounded[place] += 1;
    }
    rounded.into_iter().map(tenths).collect()
}

fn tenths(tenths: u128) -> String {
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `2026-11-30 02:21:05`, in UTC; a time beyond the year 9999 as it is.
pub(super) fn utc(at: UnixMillis) -> String {
    let seconds = i64::try_from(at.get() / 1_000).ok();
    let Some(at) = seconds.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()) else {
        return format!("{} ms after 1970", at.get());
    };
    let (date, (hour, minute, second)) = (at.date(), at.to_hms());
    format!("{date} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn money_is_grouped_before_its_point() {
        let show = |minor, code: &str| money(Money::new(minor, code.parse().unwrap()).unwrap());
        assert_eq!(show(123_456_789, "EUR"), "1,234,567.89 EUR");
        assert_eq!(show(5, "EUR"), "0.05 EUR");
        assert_eq!(show(4_990, "JPY"), "4,990 JPY");
        assert_eq!(show(Money::MINOR_MAX, "KWD"), "9,007,199,254,740.991 KWD");
    }

    #[test]
    fn a_difference_has_its_sign() {
        let euro = "EUR".parse().unwrap();
        let shown = [123_456, -5, 0].map(|minor| change(minor, euro));
        assert_eq!(shown, ["+1,234.56 EUR", "-0.05 EUR", "0.00 EUR"]);
        assert_eq!(change(i64::MIN, "JPY".parse().unwrap()), "-9,007,199,254,740,991 JPY");
    }

    #[test]
    fn all_of_it_alone_reads_as_all() {
        assert_eq!(share(14_999, 15_000), "99.9 %");
        assert_eq!(share(15_000, 15_000), "100.0 %");
        assert_eq!(share(0, 0), "0.0 %");
    }

    #[test]
    fn thirds_add_up() {
        assert_eq!(shares(&[1, 1, 1]), ["33.4 %", "33.3 %", "33.3 %"]);
        assert_eq!(shares(&[0, 0]), ["0.0 %", "0.0 %"]);
        assert_eq!(shares(&[7]), ["100.0 %"]);
        assert_eq!(shares(&[1, 999_999]), ["0.0 %", "100.0 %"]);
    }

    proptest! {
        #[test]
        fn parts_always_add_up(parts in prop::collection::vec(0..1_u64 << 40, 1..20)) {
            let tenths = |share: &String| {
                share.trim_end_matches(" %").replace('.', "").parse::<u64>().unwrap()
            };
            let sum: u64 = shares(&parts).iter().map(tenths).sum();
            let whole: u64 = parts.iter().sum();
            prop_assert_eq!(sum, if whole == 0 { 0 } else { 1_000 });
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_999, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_796_005_265_163, "2026-11-30 02:21:05"),
            (1_830_297_599_000, "2027-12-31 23:59:59"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
        ];
        for (millis, text) in cases {
            assert_eq!(utc(UnixMillis::new(millis)), text);
        }
    }
}
