//! Numbers as the reader writes them.
//!
//! `assets/numbers.mjs` has the same rules for what moves; a test compares the two.

use stampede_domain::Currency;

use crate::words::Language;

/// Symbols that stand in front of an amount; other currencies show their code.
const SYMBOLS: [(&str, &str); 9] = [
    ("EUR", "€"),
    ("USD", "$"),
    ("GBP", "£"),
    ("CNY", "¥"),
    ("JPY", "¥"),
    ("KRW", "₩"),
    ("INR", "₹"),
    ("BRL", "R$"),
    ("AUD", "A$"),
];

/// A count, grouped: `12,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Shares of a whole in tenths of a percent that sum to 1,000: what rounding loses goes to the largest
/// remainders. All zero where the whole is.
pub(crate) fn shares<const N: usize>(parts: [u64; N]) -> [u64; N] {
    shares_of(&parts).try_into().expect("each part has its share")
}

/// The same for any number of parts.
pub(crate) fn shares_of(parts: &[u64]) -> Vec<u64> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if whole == 0 {
        return vec![0; parts.len()];
    }
    let exact: Vec<u128> = parts.iter().map(|part| u128::from(*part) * 1_000).collect();
    let share = |exact: &u128| u64::try_from(exact / whole).expect("a part is at most its whole");
    let mut shares: Vec<u64> = exact.iter().map(share).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // A stable sort: of equal remainders the first part gets the tenth.
    order.sort_by_key(|place| std::cmp::Reverse(exact[*place] % whole));
    let lost = 1_000 - shares.iter().sum::<u64>();
    for place in order.into_iter().take(usize::try_from(lost).unwrap_or(parts.len())) {
        shares[place] += 1;
    }
    shares
}

/// A share that stands alone, in tenths of a percent: to the nearest one, but only all is all, and only nothing is
/// nothing. `None` where there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> Option<u64> {
    if whole == 0 {
        return None;
    }
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
    let nearest = (part * 2_000 + whole) / (whole * 2);
    let share = if part == whole { 1_000 } else { nearest.clamp(u128::from(part > 0), 999) };
    Some(u64::try_from(share).expect("a share is at most 1,000"))
}

/// Tenths of a percent with one decimal: `56.2 %`.
pub(crate) fn tenths(language: Language, tenths: u64) -> String {
    language.percent(format_args!("{}.{}", tenths / 10, tenths % 10))
}

/// A length of time: `0.80 s`, `23.4 s`, `4 min 1 s`, `1 h 04 min`.
pub(crate) fn duration(language: Language, ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..10 => language.seconds(format_args!("{}.{:02}", s, ms % 1_000 / 10)),
        10..60 => language.seconds(format_args!("{}.{}", s, ms % 1_000 / 100)),
        60..3_600 => language.minutes_seconds(s / 60, s % 60),
        3_600..86_400 => language.hours_minutes(s / 3_600, format_args!("{:02}", s / 60 % 60)),
        _ => language.days_hours(s / 86_400, s / 3_600 % 24),
    }
}

/// A length of time in a sentence: without a part that is nothing, `4 min`, `2 h`.
pub(crate) fn span(language: Language, ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        60..3_600 if s.is_multiple_of(60) => language.in_min(s / 60),
        3_600..86_400 if (s / 60).is_multiple_of(60) => language.in_h(s / 3_600),
        86_400.. if (s / 3_600).is_multiple_of(24) => language.in_d(s / 86_400),
        _ => duration(language, ms),
    }
}

/// A length of time for whoever wants to know it exactly: `395 ms`, from ten seconds on like any other.
pub(crate) fn milliseconds(language: Language, ms: u64) -> String {
    if ms < 10_000 { language.in_ms(count(ms)) } else { duration(language, ms) }
}

/// A length of time in whole seconds, rounded up: a countdown, a setting.
pub(crate) fn whole_seconds(language: Language, ms: u64) -> String {
    let s = ms.div_ceil(1_000);
    if s < 60 { language.seconds(s) } else { duration(language, s * 1_000) }
}

/// A time that runs down, in whole seconds, rounded up: `1:56`, `1:01:42`.
pub(crate) fn timer(ms: u64) -> String {
    let s = ms.div_ceil(1_000);
    let (minutes, seconds) = (s / 60, s % 60);
    if s < 3_600 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", s / 3_600, minutes % 60)
    }
}

/// The symbol or the code in front of an amount.
fn mark(code: &str) -> String {
    let symbol = SYMBOLS.iter().find(|(known, _)| *known == code);
    symbol.map_or_else(|| format!("{code}\u{a0}"), |(_, symbol)| (*symbol).to_owned())
}

/// The currency's minor units in one of its units.
fn minor_in_one(code: &str) -> (u64, usize) {
    let digits = Currency::new(code).ok().and_then(Currency::minor_digits).unwrap_or(2);
    (10_u64.saturating_pow(digits.into()), digits.into())
}

/// An exact amount by the currency's digits: `€24.90`.
pub(crate) fn money(minor: u64, code: &str) -> String {
    let (one, digits) = minor_in_one(code);
    let (units, rest) = (count(minor / one), minor % one);
    let mark = mark(code);
    if digits == 0 { format!("{mark}{units}") } else { format!("{mark}{units}.{rest:0digits$}") }
}

/// An amount that moves: to the nearest whole unit; from ten million in millions, rounded down.
pub(crate) fn live_money(language: Language, minor: u64, code: &str) -> String {
    let one = minor_in_one(code).0;
    let units = minor.saturating_add(one / 2) / one;
    let mark = mark(code);
    if units < 10_000_000 {
        return format!("{mark}{}", count(units));
    }
    match language {
        Language::English => {
            let tenths = units / 100_000;
            format!("{mark}{}.{} M", count(tenths / 10), tenths % 10)
        }
        Language::Chinese => format!("{mark}{} 万", count(units / 10_000)),
    }
}

/// A time of day by a clock that is this many minutes ahead of UTC: `20:33:12`.
pub(crate) fn clock(unix_ms: u64, ahead_min: i32) -> String {
    let s = seconds_of_day(unix_ms, ahead_min);
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// A time of day without its seconds: `20:50`.
pub(crate) fn short_clock(unix_ms: u64, ahead_min: i32) -> String {
    let s = seconds_of_day(unix_ms, ahead_min);
    format!("{:02}:{:02}", s / 3_600, s / 60 % 60)
}

/// A day by a clock that is this many minutes ahead of UTC: `27 November 2026`, `2026年11月27日`.
pub(crate) fn date(language: Language, unix_ms: u64, ahead_min: i32) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let s = i64::try_from(unix_ms / 1_000).unwrap_or(i64::MAX / 2) + i64::from(ahead_min) * 60;
    let (year, month, day) = civil(s.div_euclid(86_400));
    match language {
        Language::English => format!("{day} {} {year}", MONTHS[month]),
        Language::Chinese => format!("{year}年{}月{day}日", month + 1),
    }
}

/// The same with the day of the week: `Friday 27 November 2026`, `2026年11月27日 星期五`.
pub(crate) fn long_date(language: Language, unix_ms: u64, ahead_min: i32) -> String {
    const DAYS: [(&str, char); 7] = [
        ("Thursday", '四'),
        ("Friday", '五'),
        ("Saturday", '六'),
        ("Sunday", '日'),
        ("Monday", '一'),
        ("Tuesday", '二'),
        ("Wednesday", '三'),
    ];
    let s = i64::try_from(unix_ms / 1_000).unwrap_or(i64::MAX / 2) + i64::from(ahead_min) * 60;
    // 1970-01-01 was a Thursday.
    let day = usize::try_from(s.div_euclid(86_400).rem_euclid(7)).expect("a week has 7 days");
    let date = date(language, unix_ms, ahead_min);
    match language {
        Language::English => format!("{} {date}", DAYS[day].0),
        Language::Chinese => format!("{date} 星期{}", DAYS[day].1),
    }
}

/// Year, month from 0 and day of the month, so many days after 1970-01-01.
///
/// The way of counting is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms", 2013): years begin in
/// March, so that the day of a leap year stands at the end.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let is_next = i64::from(month < 2);
    (era * 400 + year + is_next, usize::try_from(month).expect("a month is below 12"), day)
}

fn seconds_of_day(unix_ms: u64, ahead_min: i32) -> i64 {
    let s = i64::try_from(unix_ms / 1_000).unwrap_or(i64::MAX / 2);
    (s + i64::from(ahead_min) * 60).rem_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;
    const ZH: Language = Language::Chinese;

    #[test]
    fn counts_are_grouped() {
        let said = [0, 12, 999, 1_000, 16_777_215].map(count);
        assert_eq!(said, ["0", "12", "999", "1,000", "16,777,215"]);
    }

    #[test]
    fn parts_sum_to_the_whole_by_the_largest_remainder() {
        assert_eq!(shares([6_746, 1_036, 4_218]), [562, 86, 352]);
        assert_eq!(shares([1, 1, 1]), [334, 333, 333]);
        assert_eq!(shares([0, 0, 15_000]), [0, 0, 1_000]);
        assert_eq!(shares([0, 0, 0]), [0, 0, 0]);
        for parts in [
            vec![1; 7],
            vec![6_874, 4_912, 1_802, 1_133, 279],
            vec![u64::MAX / 8; 6],
            vec![1, 999_999],
        ] {
            assert_eq!(shares_of(&parts).iter().sum::<u64>(), 1_000, "{parts:?}");
        }
        assert!(shares_of(&[]).is_empty());
    }

    #[test]
    fn a_sentence_leaves_out_what_is_nothing() {
        let said = [802, 60_000, 61_000, 7_200_000, 7_260_000, 172_800_000]
            .map(|ms| span(EN, ms).replace('\u{a0}', " "));
        assert_eq!(said, ["0.80 s", "1 min", "1 min 1 s", "2 h", "2 h 01 min", "2 d"]);
    }

    #[test]
    fn only_all_is_all() {
        assert_eq!(share(15_000, 17_489), Some(858));
        assert_eq!(share(9_999, 10_000), Some(999));
        assert_eq!(share(1, 100_000), Some(1));
        assert_eq!([share(7, 7), share(0, 7), share(0, 0)], [Some(1_000), Some(0), None]);
    }

    #[test]
    fn a_day_has_its_name() {
        let friday = 1_795_811_592_000;
        assert_eq!(long_date(EN, friday, 0), "Friday 27 November 2026");
        assert_eq!(long_date(ZH, friday, 240), "2026年11月28日 星期六");
        assert_eq!(long_date(EN, 0, -1), "Wednesday 31 December 1969");
        assert_eq!(shares([u64::MAX, u64::MAX, 1]).iter().sum::<u64>(), 1_000);
        for parts in [[1, 2, 4], [7, 7, 9], [14_999, 1, 0], [5, 11, 3]] {
            assert_eq!(shares(parts).iter().sum::<u64>(), 1_000, "{parts:?}");
        }
    }

    #[test]
    fn shares_have_one_decimal() {
        assert_eq!(tenths(EN, 562), "56.2\u{a0}%");
        assert_eq!(tenths(ZH, 1_000), "100.0%");
    }

    #[test]
    fn durations_get_coarser() {
        let said = [800, 23_400, 241_000, 3_840_000, 522_000_000].map(|ms| duration(EN, ms));
        assert_eq!(said, ["0.80 s", "23.4 s", "4 min 1 s", "1 h 04 min", "6 d 1 h"].map(hard));
        assert_eq!(duration(ZH, 241_000), "4 分 1 秒");
        assert_eq!(whole_seconds(EN, 9_001), hard("10 s"));
        assert_eq!([54_100, 116_000, 3_702_000].map(timer), ["0:55", "1:56", "1:01:42"]);
    }

    fn hard(said: &str) -> String {
        said.replace(' ', "\u{a0}")
    }

    #[test]
    fn money_follows_its_currency() {
        assert_eq!(money(2_490, "EUR"), "€24.90");
        assert_eq!(money(1_200, "JPY"), "¥1,200");
        assert_eq!(money(5, "CHF"), "CHF\u{a0}0.05");
        assert_eq!(live_money(EN, 16_797_599, "EUR"), "€167,976");
        assert_eq!(live_money(EN, 1_029_280, "EUR"), "€10,293");
        assert_eq!(live_money(EN, 1_029_249, "EUR"), "€10,292");
        assert_eq!(live_money(EN, 1_200, "JPY"), "¥1,200");
        assert_eq!(live_money(EN, 1_240_000_000, "EUR"), "€12.4 M");
        assert_eq!(live_money(ZH, 1_240_000_000, "EUR"), "€1,240 万");
    }

    #[test]
    fn days_have_their_names() {
        const DAY: u64 = 86_400_000;
        assert_eq!(date(EN, 0, 0), "1 January 1970");
        assert_eq!(date(EN, 0, -1), "31 December 1969");
        assert_eq!(date(EN, 1_795_811_592_000, 0), "27 November 2026");
        assert_eq!(date(ZH, 1_795_811_592_000, 480), "2026年11月28日");
        // 29 February is there in 2000 and 2024, not in 2100.
        assert_eq!(date(EN, 11_016 * DAY, 0), "29 February 2000");
        assert_eq!(date(EN, 19_782 * DAY, 0), "29 February 2024");
        assert_eq!(date(EN, 47_540 * DAY, 0), "28 February 2100");
        assert_eq!(date(EN, 47_541 * DAY, 0), "1 March 2100");
    }

    #[test]
    fn clocks_go_round() {
        assert_eq!(clock(1_000, 0), "00:00:01");
        assert_eq!(clock(0, -60), "23:00:00");
        assert_eq!(short_clock(86_399_000, 60), "00:59");
    }
}
