//! Lists that are shown a page at a time.

use serde::de::DeserializeOwned;

use crate::{
    answers::{Drops, Shows},
    api::{Api, Asker, Refused},
    numbers::count,
    past_shows::PastShows,
    words::Language,
};

/// Lines of one page of a list: what is asked for at once, however many there are.
const SIZE: usize = 50;

/// Which part of a list is shown.
pub(crate) struct Pages {
    pub(crate) range: String,
    pub(crate) previous: Option<usize>,
    pub(crate) next: Option<usize>,
}

/// Part of a list, with how long the whole is.
pub(crate) trait Listed {
    fn total(&self) -> usize;
}

impl Listed for Shows {
    fn total(&self) -> usize {
        self.total
    }
}

impl Listed for PastShows {
    fn total(&self) -> usize {
        self.total
    }
}

impl Listed for Drops {
    fn total(&self) -> usize {
        self.total
    }
}

/// One page of a list; the last one instead of one that there is not.
pub(crate) async fn part<T: Listed + DeserializeOwned>(
    api: &Api,
    asker: &Asker,
    list: &str,
    wanted: usize,
) -> Result<(T, usize), Refused> {
    let ask = async |place: usize| {
        let skip = place.saturating_sub(1).saturating_mul(SIZE);
        // Lists are answered without waiting for anything: whoever has a press to make comes in between.
        tokio::task::yield_now().await;
        api.get::<T>(asker, &format!("{list}limit={SIZE}&skip={skip}")).await
    };
    let wanted = wanted.max(1);
    let found = ask(wanted).await?;
    let last = found.total().div_ceil(SIZE).max(1);
    if wanted <= last { Ok((found, wanted)) } else { Ok((ask(last).await?, last)) }
}

pub(crate) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Pages {
    /// The page with this number, from 1, of which this many lines are shown.
    pub(crate) fn new(place: usize, shown: usize, whole: usize, words: Language) -> Self {
        let first = (place - 1) * SIZE;
        let said = |place: usize| count(number(place));
        let range = words.shows_range(said(first + 1), said(first + shown), said(whole));
        Self {
            range: if whole > SIZE { range } else { String::new() },
            previous: (place > 1).then(|| place - 1),
            next: (first + shown < whole).then(|| place + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_those_beside_them() {
        let pages = |place, shown| Pages::new(place, shown, 120, Language::English);
        let last = pages(3, 20);
        assert_eq!((last.previous, last.next), (Some(2), None));
        assert_eq!(last.range, "101 to 120 of 120");
        let first = pages(1, 50);
        assert_eq!(
            (first.previous, first.next, first.range.as_str()),
            (None, Some(2), "1 to 50 of 120")
        );
    }

    #[test]
    fn a_short_list_has_no_pages() {
        let pages = Pages::new(1, 2, 2, Language::English);
        assert_eq!((pages.previous, pages.next, pages.range.as_str()), (None, None, ""));
    }
}
