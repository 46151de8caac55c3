//! What a show came to once all of its drops are over.

use serde::Serialize;

use crate::{
    answers::{Phase, Running, Snapshot},
    numbers::{count, live_money},
    past_shows::Gross,
    words::Language,
};

/// A show that is over.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ended {
    /// Units paid of all that were on sale.
    pub(crate) totals: String,
    /// What they cost, of each currency.
    pub(crate) money: String,
    /// Where its report is.
    pub(crate) report: String,
}

impl Ended {
    /// Of the stream's last show; `None` while one of its drops may sell.
    pub(super) fn of(snapshot: &Snapshot, running: &Running, words: Language) -> Option<Self> {
        let show = running.show.as_ref().filter(|show| show.is_over())?;
        if !all_over(snapshot.drops.iter().map(|sale| sale.phase)) {
            return None;
        }
        let (paid, all) = (count(show.sold), count(show.supplied));
        let money = |gross: &Gross| live_money(words, gross.minor, &gross.currency);
        Some(Self {
            totals: words.show_over_totals(paid, all),
            money: show.gross.iter().map(money).collect::<Vec<_>>().join(" + "),
            report: format!("/reports/shows/{}", show.show),
        })
    }
}

/// Whether nobody can take of any drop in these phases any more, and none is planned.
pub(crate) fn all_over(phases: impl IntoIterator<Item = Phase>) -> bool {
    phases.into_iter().all(Phase::is_over)
}
