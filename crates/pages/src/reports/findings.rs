//! Titles that say what was found. Each is chosen by the figures: where none of the findings is true, the title names
//! the figure and claims nothing.

use super::told::{Report, Running, ShowReport, Sku};
use crate::{
    numbers::{count, share, span, tenths},
    words::Language,
};

/// Characters of a name in a title at most.
const NAME_CHARS_MAX: usize = 40;

/// Units that a channel has to have had before anything is said of how it pays.
const UNITS_TO_JUDGE: u64 = 20;

/// How far channels have to lie apart before they are said to differ, in tenths of a percent.
const APART_TENTHS: u64 = 50;

/// A name, short enough for a title.
pub(crate) fn brief(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let kept: String = name.chars().take(NAME_CHARS_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The one with the most, if it is the only one with as many.
fn most<T>(all: &[T], figure: impl Fn(&T) -> u64) -> Option<&T> {
    let best = all.iter().max_by_key(|one| figure(one))?;
    let as_many = all.iter().filter(|one| figure(one) == figure(best)).count();
    (figure(best) > 0 && as_many == 1).then_some(best)
}

/// The one with the least, if it is the only one with as little.
fn least<T>(all: &[T], figure: impl Fn(&T) -> u64) -> Option<&T> {
    let worst = all.iter().min_by_key(|one| figure(one))?;
    let as_many = all.iter().filter(|one| figure(one) == figure(worst)).count();
    (as_many == 1).then_some(worst)
}

/// Of sizes: which was asked for in vain, which sold best, which went first.
pub(crate) fn sizes(report: &Report, names: &[String], words: Language) -> String {
    let skus: Vec<(&Sku, &String)> = report.skus.iter().zip(names).collect();
    if report.opened_at_ms.is_none() || skus.is_empty() {
        return words.finding_sizes().to_owned();
    }
    if report.sold == 0 {
        let ended = report.phase.is_over();
        return if ended {
            words.finding_sizes_none_paid()
        } else {
            words.finding_sizes_none_paid_yet()
        }
        .to_owned();
    }
    if let [(sku, _)] = skus.as_slice() {
        return if sku.sold == sku.supplied {
            words.finding_size_all_paid(count(sku.sold))
        } else {
            words.finding_size_paid(count(sku.sold), count(sku.supplied))
        };
    }
    let refused: Option<Vec<u64>> = skus.iter().map(|(sku, _)| sku.refused_for_want).collect();
    let refused = refused.unwrap_or_default();
    let in_vain: u64 = refused.iter().sum();
    if report.left == 0 && in_vain > 0 && report.counts_complete {
        let asked: Vec<(u64, &String)> = refused.into_iter().zip(names).collect();
        if let Some((clicks, name)) = most(&asked, |(clicks, _)| *clicks) {
            let (name, of_all) = (brief(name), count(in_vain));
            return if clicks * 2 > in_vain {
                words.finding_sizes_in_vain_most(name, count(*clicks), of_all)
            } else {
                words.finding_sizes_in_vain(name, count(*clicks), of_all)
            };
        }
    }
    if report.sold == report.supplied {
        return words.finding_sizes_all_paid().to_owned();
    }
    let best = most(&skus, |(sku, _)| sku.sold);
    let Some((best, name)) = best else { return words.finding_sizes().to_owned() };
    let unsold = most(&skus, |(sku, _)| sku.left);
    match unsold {
        Some((left, other)) if left.left * 2 > report.left && other != name => words
            .finding_sizes_best_and_left(
                brief(name),
                brief(other),
                count(left.left),
                count(report.left),
            ),
        _ => words.finding_sizes_best(brief(name), count(best.sold), count(best.supplied)),
    }
}

/// What one channel brought, in units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) paid: u64,
    pub(super) came_back: u64,
}

impl Brought<'_> {
    /// Units whose holds have ended.
    fn ended(self) -> u64 {
        self.paid.saturating_add(self.came_back)
    }

    /// Tenths of a percent of these that were paid.
    fn pays(&self) -> u64 {
        share(self.paid, self.ended()).unwrap_or_default()
    }

    fn name(self) -> String {
        brief(self.name.unwrap_or_default())
    }
}

/// Of channels, `left_out` of which are not listed: which pays best, which brought the most.
pub(super) fn channels<'a>(
    listed: impl Iterator<Item = Brought<'a>>,
    left_out: u64,
    sold: u64,
    words: Language,
) -> String {
    let named: Vec<Brought<'_>> = listed.filter(|channel| channel.name.is_some()).collect();
    let judged: Vec<&Brought<'_>> =
        named.iter().filter(|channel| channel.ended() >= UNITS_TO_JUDGE).collect();
    // Those that are not listed may pay better, or worse.
    if left_out == 0
        && judged.len() >= 2
        && let (Some(best), Some(worst)) =
            (most(&judged, |channel| channel.pays()), least(&judged, |channel| channel.pays()))
        && best.pays() >= worst.pays() + APART_TENTHS
    {
        let (high, low) = (tenths(words, best.pays()), tenths(words, worst.pays()));
        return words.finding_channels_pay(best.name(), high, worst.name(), low);
    }
    let named: Vec<&Brought<'_>> = named.iter().collect();
    match most(&named, |channel| channel.paid) {
        Some(best) if sold > 0 => {
            let part = tenths(words, share(best.paid, sold).unwrap_or_default());
            words.finding_channels_most(best.name(), part)
        }
        _ => words.finding_channels().to_owned(),
    }
}

/// Of paying over time.
pub(crate) fn paid(report: &Report, words: Language) -> String {
    let time = |ms| span(words, ms);
    if report.sold == 0 {
        let ended = report.phase.is_over();
        return if ended { words.finding_none_paid() } else { words.finding_none_paid_yet() }
            .to_owned();
    }
    let half =
        report.half_paid_after_ms.filter(|_| !report.supply_changed() && report.supplied > 1);
    let is_all = report.sold == report.supplied;
    match (half, report.last_paid_after_ms) {
        (Some(half), Some(last)) if is_all => words.finding_half_and_last(time(half), time(last)),
        (Some(half), _) if report.phase.is_over() && report.left > 0 => {
            words.finding_half_and_left(time(half), count(report.left))
        }
        (Some(half), _) => words.finding_half(time(half)),
        (None, Some(last)) if report.phase.is_over() || is_all => {
            words.finding_last_paid(time(last))
        }
        _ => words.finding_paid_so_far(count(report.sold), count(report.supplied)),
    }
}

/// Of what came back.
pub(crate) fn came_back(report: &Report, words: Language) -> String {
    let (taken, back) = (report.taken.all.units, report.came_back.units);
    let is_open = report.held > 0;
    if taken == 0 {
        let is_over = report.running() == Running::Over;
        return if is_over {
            words.finding_nothing_taken()
        } else {
            words.finding_nothing_taken_yet()
        }
        .to_owned();
    }
    if back == 0 {
        return if is_open { words.finding_none_back_yet() } else { words.finding_none_back() }
            .to_owned();
    }
    if back == taken {
        return words.finding_all_back().to_owned();
    }
    // "1 in 7" where that is true within a tenth of it, else the share.
    let nearest = (taken + back / 2) / back;
    let is_near =
        u128::from(taken.abs_diff(nearest.saturating_mul(back))) * 10 <= u128::from(taken);
    let is_again = report.is_all_taken_again();
    if (2..=20).contains(&nearest) && is_near {
        return if is_again {
            words.finding_one_in_again(nearest)
        } else {
            words.finding_one_in_back(nearest)
        };
    }
    let part = tenths(words, share(back, taken).unwrap_or_default());
    if is_again { words.finding_part_again(part) } else { words.finding_part_back(part) }
}

/// Of the first moments.
pub(crate) fn taken(report: &Report, words: Language, time: fn(Language, u64) -> String) -> String {
    let said = |ms| time(words, ms);
    match (report.half_after_ms, report.sold_out_after_ms) {
        (_, Some(all)) if report.supplied == 1 => words.finding_only_taken(said(all)),
        (Some(half), Some(all)) if !report.supply_changed() => {
            words.finding_half_and_all_taken(said(half), said(all))
        }
        (_, Some(all)) => words.finding_first_all_taken(said(all)),
        (Some(half), None) if !report.supply_changed() => words.finding_half_taken(said(half)),
        _ => words.finding_taken(count(report.taken.all.units)),
    }
}

/// Of refused clicks.
pub(crate) fn refused(report: &Report, words: Language) -> String {
    let all: u64 = report.refusals.values().sum();
    if all == 0 {
        let none = if report.counts_complete {
            words.finding_none_refused()
        } else {
            words.finding_none_refused_known()
        };
        return none.to_owned();
    }
    let least =
        |said: String, at_least: String| if report.counts_complete { said } else { at_least };
    let part = share(report.refused_for_want, all).unwrap_or_default();
    match part {
        1_000 => least(
            words.finding_refused_all_want(count(all)),
            words.finding_refused_least(count(all)),
        ),
        950.. => least(
            words.finding_refused_most_want(count(all)),
            words.finding_refused_least(count(all)),
        ),
        _ => least(words.finding_refused(count(all)), words.finding_refused_least(count(all))),
    }
}

/// Of viewers over time: the first moment with the most.
pub(crate) fn viewers(points: &[(u64, u64)], words: Language) -> String {
    let most =
        points.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best });
    most.map_or_else(
        || words.finding_viewers().to_owned(),
        |(_, viewers)| words.finding_most_viewers(count(viewers)),
    )
}

/// Of a whole show.
pub(crate) fn show(report: &ShowReport, paid: &str, words: Language) -> String {
    let drops = count(u64::try_from(report.drops.len()).unwrap_or(u64::MAX));
    words.finding_show(paid, drops)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            fixtures::{report, with},
            told::Channel,
        },
        refused as refused_title, *,
    };
    use crate::{answers::Phase, numbers::milliseconds};

    const EN: Language = Language::English;

    fn plain(said: impl AsRef<str>) -> String {
        said.as_ref().replace('\u{a0}', " ").replace(['\u{2068}', '\u{2069}'], "")
    }

    fn names(report: &Report) -> Vec<String> {
        report.skus.iter().map(|sku| sku.options[0].value.clone()).collect()
    }

    #[track_caller]
    fn check_sizes(report: &Report, expected: &str) {
        assert_eq!(plain(sizes(report, &names(report), EN)), expected);
    }

    #[test]
    fn of_sizes() {
        let sold_out = report();
        check_sizes(
            &sold_out,
            "Most of the clicks refused for want of units asked for 50 ml: 141,503 of 184,609",
        );
        // Nothing is said of what was not counted, or of two that are alike.
        let mut uncounted = sold_out.clone();
        uncounted.skus[0].refused_for_want = None;
        check_sizes(&uncounted, "Every size is paid to the last unit");
        let mut alike = uncounted;
        (alike.sold, alike.skus[2].sold) = (14_000, 1_000);
        check_sizes(&alike, "50 ml sold best: 9,000 of 9,000");
        alike.skus[0].sold = 9_000;
        check_sizes(&alike, "What was sold, by size");
        let mut slow = sold_out.clone();
        (slow.sold, slow.left) = (14_612, 388);
        (slow.skus[0].left, slow.skus[1].sold) = (300, 8_612);
        check_sizes(&slow, "50 ml sold best; most of what is left is 30 ml, 300 of 388");
        check_sizes(&Report { sold: 0, ..sold_out.clone() }, "Nothing was paid, of any size");
        check_sizes(&Report { opened_at_ms: None, ..sold_out.clone() }, "What was sold, by size");
        let one = Report { skus: sold_out.skus[..1].to_vec(), ..sold_out };
        check_sizes(&one, "All 4,000 paid");
    }

    #[test]
    fn most_is_more_than_half() {
        let mut thirds = report();
        for sku in &mut thirds.skus {
            sku.refused_for_want = Some(100);
        }
        thirds.skus[1].refused_for_want = Some(101);
        check_sizes(
            &thirds,
            "50 ml was asked for in vain more often than any other: 101 of 301 clicks",
        );
    }

    #[test]
    fn of_channels() {
        let told = report();
        let of = |listed: &[Channel], left_out| {
            let brought = listed.iter().map(|channel| Brought {
                name: channel.name.as_deref(),
                paid: channel.units,
                came_back: channel.came_back,
            });
            plain(channels(brought, left_out, 15_000, EN))
        };
        let said = |listed: &[Channel]| of(listed, 0);
        assert_eq!(
            said(&told.channels),
            "newsletter pays best: 90.7 % of what it held; tom least, 70.6 %"
        );
        // Not where some are not listed, or two are worst.
        let most = "friday-show brought the most: 45.8 % of what was paid";
        assert_eq!(of(&told.channels, 1), most);
        let mut worst = told.channels.clone();
        let tom = Channel { name: Some("tim".to_owned()), ..worst[3].clone() };
        worst.push(tom);
        assert_eq!(said(&worst), most);
        // Too few to judge, or too near each other.
        let few = &told.channels[..1];
        assert_eq!(said(few), "friday-show brought the most: 45.8 % of what was paid");
        let near = [told.channels[0].clone(), told.channels[1].clone()];
        assert_eq!(said(&near), "friday-show brought the most: 45.8 % of what was paid");
        let twice = [told.channels[0].clone(), told.channels[0].clone()];
        assert_eq!(said(&twice), "Who came by which channel");
        assert_eq!(said(&told.channels[4..]), "Who came by which channel");
    }

    #[test]
    fn of_paying() {
        let said = |report: &Report| plain(paid(report, EN));
        assert_eq!(said(&report()), "Half was paid after 41.2 s, the last after 4 min 1 s");
        let left = Report { sold: 14_000, left: 1_000, ..report() };
        assert_eq!(said(&left), "Half was paid after 41.2 s; 1,000 were left");
        let few = Report { half_paid_after_ms: None, ..left };
        assert_eq!(said(&few), "The last was paid after 4 min 1 s");
        let running = Report { phase: Phase::Open, ..few.clone() };
        assert_eq!(said(&running), "14,000 of 15,000 are paid so far");
        assert_eq!(said(&Report { sold: 0, ..few }), "Nothing was paid");
        let one = Report { supplied: 1, planned: 1, sold: 1, ..report() };
        assert_eq!(said(&one), "The last was paid after 4 min 1 s");
    }

    #[test]
    fn of_what_came_back() {
        let said = |report: &Report| plain(came_back(report, EN));
        assert_eq!(said(&report()), "1 unit in 7 came back, and was taken again");
        let part = |taken: u64, back: u64, again: u64| {
            let told = with(|told| {
                told["taken"]["all"]["units"] = taken.into();
                told["came_back"]["units"] = back.into();
                told["taken_again"] = again.into();
            });
            said(&told)
        };
        assert_eq!(part(1_000, 0, 0), "All that was taken was paid");
        assert_eq!(part(1_000, 1_000, 0), "All that was taken came back");
        // Something is left: nobody knows whether all of it was taken again.
        let left = with(|told| told["left"] = 3.into());
        assert_eq!(said(&left), "1 unit in 7 came back");
        assert_eq!(part(1_000, 7, 0), "0.7 % of the units taken came back");
        assert_eq!(
            part(1_000, 700, 700),
            "70.0 % of the units taken came back, and were taken again"
        );
        assert_eq!(part(10, 5, 2), "1 unit in 2 came back");
        assert_eq!(part(0, 0, 0), "Nothing was taken");
    }

    #[test]
    fn of_taking_and_refusing() {
        let said = |report: &Report| plain(taken(report, EN, milliseconds));
        assert_eq!(said(&report()), "Half was taken after 395 ms, all after 802 ms");
        assert_eq!(
            said(&Report { supplied: 16_000, ..report() }),
            "All that was on sale was taken after 802 ms"
        );
        let slow = Report { sold_out_after_ms: None, ..report() };
        assert_eq!(said(&slow), "Half was taken after 395 ms");
        assert_eq!(said(&Report { half_after_ms: None, ..slow }), "Units were taken 17,489 times");
        let refused = |report: &Report| plain(refused_title(report, EN));
        assert_eq!(refused(&report()), "185,419 clicks were refused, nearly all for want of units");
        assert_eq!(
            refused(&Report { counts_complete: false, ..report() }),
            "At least 185,419 clicks were refused"
        );
        let none = Report { refusals: std::collections::BTreeMap::new(), ..report() };
        assert_eq!(refused(&none), "No click was refused");
        let unknown = Report { counts_complete: false, ..none };
        assert_eq!(refused(&unknown), "No refused click is on record");
    }

    #[test]
    fn of_viewers() {
        // Those before the opening are in another figure, which says so.
        let said = plain(viewers(&[(1_000, 3_494), (2_000, 3_490)], EN));
        assert_eq!(said, "3,494 viewers at once after the opening, at most");
        assert_eq!(EN.sound_connected(), "Most viewers, before the opening too");
    }

    #[test]
    fn a_name_in_a_title_is_short() {
        assert_eq!(brief("50 ml"), "50 ml");
        assert_eq!(brief(&"W".repeat(200)).chars().count(), NAME_CHARS_MAX);
    }
}
