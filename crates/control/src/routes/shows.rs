//! Shows that have begun.

use std::{cmp::Reverse, collections::BTreeMap};

use axum::{Json, extract::State};
use stampede_domain::{Mode, Money, UnixMillis};

use super::{
    QueryProblems,
    show_groups::{DropsOfShow, shows_of},
    standing::{Standing, sees},
};
use crate::{
    auth::Staff,
    dto::{GrossOfCurrency, ListedShow, ShowDrop, ShowList, ShowParams},
    extract::Params,
    problem::Problem,
    state::ControlState,
};

/// Drops that a show of the list names.
const DROPS: usize = 6;

/// Shows of which a drop has opened or is over, newest first, a page at a time. A show is a row of drops of one stream
/// with less than six hours between the end of some and the beginning of the next.
#[utoipa::path(
    get,
    path = "/v1/shows",
    tag = "drops",
    operation_id = "list_shows",
    params(ShowParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The shows with drops that the token may see.", body = ShowList),
        QueryProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<ShowParams>,
) -> Result<Json<ShowList>, Problem> {
    let now = state.engine().moment();
    let mut drops = Standing::counted(state.engine());
    drops.retain(|found| sees(&state, &staff, found));
    let mut found = shows_of(drops, now);
    found.retain(|show| {
        let is_wanted = |q| show.drops().iter().any(|found| found.has(q));
        show.has_begun() && params.q.as_ref().is_none_or(is_wanted)
    });
    // One whose beginning is not known goes on now.
    let began = |show: &DropsOfShow| show.began().unwrap_or(now.wall);
    found.sort_by_key(|show| Reverse((began(show), show.first().id())));
    let total = found.len();
    let page = found.iter().skip(params.skip.count()).take(params.limit.get());
    let shows = page.map(|show| line(show, &staff)).collect();
    Ok(Json(ShowList { server_time_ms: now.wall.get(), shows, total }))
}

fn line(show: &DropsOfShow, staff: &Staff) -> ListedShow {
    let (shown, reads_money) = (show.shown(), staff.reads_money());
    let counted = || shown.iter().filter(|found| !found.phase().is_called_off());
    let (mut supplied, mut sold) = (0, 0);
    for units in counted().map(|found| found.units()) {
        (supplied, sold) = (supplied + units.0, sold + units.1);
    }
    let mut merchants: Vec<String> = Vec::new();
    for merchant in shown.iter().map(|found| found.merchant().as_str()) {
        if !merchants.iter().any(|known| known == merchant) {
            merchants.push(merchant.to_owned());
        }
    }
    let first = show.first();
    ListedShow {
        show: first.id().to_string(),
        stream: first.stream().to_string(),
        host: first.host().to_string(),
        merchants,
        began_ms: show.began().map(UnixMillis::get),
        ended_ms: show.ended().map(UnixMillis::get),
        running: show.is_running(),
        drops: shown.iter().take(DROPS).map(|found| drop(found, reads_money)).collect(),
        drops_total: shown.len(),
        supplied,
        sold: reads_money.then_some(sold),
        gross: gross(counted().copied()).filter(|_| reads_money),
    }
}

fn drop(found: &Standing, reads_money: bool) -> ShowDrop {
    let (supplied, sold) = found.units();
    ShowDrop {
        drop: found.id().to_string(),
        title: found.title().to_owned(),
        phase: found.phase().into(),
        mode: found.mode().into(),
        supplied,
        sold: reads_money.then_some(sold),
    }
}

/// What live drops sold for, by currency; `None` where one of them does not know it.
fn gross<'a>(drops: impl Iterator<Item = &'a Standing>) -> Option<Vec<GrossOfCurrency>> {
    let mut sums: BTreeMap<String, Money> = BTreeMap::new();
    for found in drops.filter(|found| found.mode() == Mode::Live) {
        let gross = found.gross()?;
        let code = gross.currency().code().to_owned();
        let sum = match sums.get(&code) {
            Some(sum) => sum.checked_add(gross)?,
            None => gross,
        };
        sums.insert(code, sum);
    }
    Some(sums.into_values().map(GrossOfCurrency::from).collect())
}
