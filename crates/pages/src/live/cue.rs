//! When the host speaks: the countdown to the word, which is ahead of the opening by the video's delay.

use serde::Serialize;

use super::{Reader, Standing};
use crate::{
    answers::{Sale, Snapshot},
    numbers::{clock, whole_seconds},
    words::Language,
};

/// Seconds of a countdown that are drawn at most, in a stream whose video is not behind.
const BLOCKS_MAX: u64 = 30;
/// Seconds that are drawn before the word, at least, where the countdown has them.
const SPEAK_BLOCKS: u64 = 10;
/// Time after the opening in which the word arrives, in milliseconds.
const HEARD_MS: u64 = 3_000;
/// Least time to get to the word, in milliseconds.
const SPEAK_MS_MIN: u64 = 3_000;

/// Where the word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// To be said in this many seconds.
    Ahead(u64),
    /// To be said in this second.
    Now,
    /// Said; viewers hear it in this many seconds.
    Under(u64),
    /// Viewers hear it.
    Heard,
}

impl Word {
    /// Where the word of a drop is, in a stream that viewers see so much later; `None` if no word is told.
    pub(crate) fn of(sale: &Sale, standing: Standing, delay_ms: u64) -> Option<Self> {
        if delay_ms == 0 {
            return None;
        }
        match standing {
            Standing::Countdown => {
                let left = sale.opens_in_ms.unwrap_or_default();
                Some(match left {
                    0 => Self::Heard,
                    left if left > delay_ms => Self::Ahead((left - delay_ms).div_ceil(1_000)),
                    left if left + 1_000 > delay_ms => Self::Now,
                    left => Self::Under(left.div_ceil(1_000)),
                })
            }
            Standing::Open | Standing::AllTaken => {
                sale.opened_ago_ms.filter(|ago| *ago < HEARD_MS).map(|_| Self::Heard)
            }
            _ => None,
        }
    }

    /// The sentence that the host reads.
    pub(crate) fn said(self, words: Language) -> String {
        match self {
            Self::Ahead(n) => words.say_go_in(n),
            Self::Now => words.say_go_now().to_owned(),
            Self::Under(n) => words.hear_go_in(n),
            Self::Heard => words.hear_you_now().to_owned(),
        }
    }
}

/// The countdown that an opening of the drop has, in milliseconds: the plan's, or as long as the host needs.
pub(crate) fn countdown(plan_ms: u64, delay_ms: u64) -> u64 {
    match delay_ms {
        0 => plan_ms,
        delay => plan_ms.max((delay + SPEAK_MS_MIN).next_multiple_of(1_000)),
    }
}

/// The countdown, one block for each second.
#[derive(Debug, Serialize)]
pub(crate) struct Cue {
    pub(crate) blocks: u64,
    pub(crate) passed: u64,
    /// Blocks in which the host speaks; in the others the word is on its way.
    pub(crate) speak: u64,
    /// Where the word is said, in tenths of a percent of the row; 0 where no word is told.
    pub(crate) mark: u64,
    /// The same in steps of 5 %, for what stands below it.
    pub(crate) step: u64,
    /// Whether the word is to be said in this very second.
    pub(crate) now: bool,
    /// For how long the host speaks.
    pub(crate) speaks: String,
    /// When the word is said, by the reader's clock.
    pub(crate) go: String,
    /// How long it is on its way.
    pub(crate) way: String,
    /// When it opens by the reader's clock.
    pub(crate) at: String,
}

impl Cue {
    pub(crate) fn new(
        sale: &Sale,
        snapshot: &Snapshot,
        word: Option<Word>,
        reader: Reader<'_>,
    ) -> Self {
        let (words, delay) = (reader.language, snapshot.video_delay_ms);
        let left = sale.opens_in_ms.unwrap_or_default();
        let whole = countdown(sale.plan.countdown_ms, delay).max(left).max(1_000);
        let most = BLOCKS_MAX.max(delay.div_ceil(1_000) + SPEAK_BLOCKS);
        let blocks = whole.div_ceil(1_000).min(most);
        let passed = blocks - left.div_ceil(1_000).min(blocks);
        let opened = sale.opened_ago_ms.unwrap_or_default();
        let opens = (snapshot.server_time_ms + left).saturating_sub(opened);
        let at = |time: u64| reader.ahead_min.map(|ahead| clock(time, ahead)).unwrap_or_default();
        let opens_at =
            if reader.ahead_min.is_some() { words.opens_at(at(opens)) } else { String::new() };
        if delay == 0 {
            let none = String::new;
            let (speaks, go, way) = (none(), none(), none());
            return Self {
                blocks,
                passed,
                speak: blocks,
                mark: 0,
                step: 0,
                now: false,
                speaks,
                go,
                way,
                at: opens_at,
            };
        }
        let mark = (blocks * 1_000).saturating_sub(delay) / blocks;
        let go = if reader.ahead_min.is_some() {
            words.go_at(at(opens.saturating_sub(delay)))
        } else {
            words.go().to_owned()
        };
        Self {
            blocks,
            passed,
            speak: blocks.saturating_sub(delay / 1_000),
            mark,
            step: (mark + 25) / 50 * 5,
            now: word == Some(Word::Now),
            speaks: words.you_speak(seconds(words, whole.saturating_sub(delay))),
            go,
            way: words.then_on_the_way(seconds(words, delay)),
            at: opens_at,
        }
    }
}

/// A length of time in seconds, with tenths where it is no whole number of them.
pub(crate) fn seconds(words: Language, ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        return whole_seconds(words, ms);
    }
    words.seconds(format!("{}.{}", ms / 1_000, ms % 1_000 / 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(left: u64, delay: u64) -> Option<Word> {
        let sale = Sale { opens_in_ms: Some(left), ..Sale::none() };
        Word::of(&sale, Standing::Countdown, delay)
    }

    #[test]
    fn the_word_is_ahead_of_the_opening_by_the_delay() {
        for (left, wanted) in [
            (10_000, Word::Ahead(4)),
            (9_000, Word::Ahead(3)),
            (6_001, Word::Ahead(1)),
            (6_000, Word::Now),
            (5_001, Word::Now),
            (5_000, Word::Under(5)),
            (1, Word::Under(1)),
            (0, Word::Heard),
        ] {
            assert_eq!(word(left, 6_000), Some(wanted), "{left}");
        }
        assert_eq!(word(9_000, 0), None);
    }

    #[test]
    fn viewers_hear_the_word_for_three_seconds() {
        let opened = |ago| {
            let sale = Sale { opened_ago_ms: Some(ago), ..Sale::none() };
            [Standing::Open, Standing::AllTaken, Standing::Paused, Standing::SoldOut]
                .map(|standing| Word::of(&sale, standing, 6_000))
        };
        assert_eq!(opened(2_999), [Some(Word::Heard), Some(Word::Heard), None, None]);
        assert_eq!(opened(3_000), [None; 4]);
    }

    #[test]
    fn a_countdown_is_never_too_short_for_the_word() {
        assert_eq!(countdown(10_000, 6_000), 10_000);
        assert_eq!(countdown(10_000, 8_000), 11_000);
        assert_eq!(countdown(0, 2_500), 6_000);
        assert_eq!(countdown(0, 0), 0);
    }
}
