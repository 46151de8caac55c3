//! Which drops of rehearsals by one press show: those of rehearsals that go on.

use std::{collections::HashSet, sync::Arc};

use stampede_domain::{Phase, StreamId, UnixMillis};
use stampede_engine::{Engine, SaleDrop};

/// A rehearsal that goes on: its drops that are not over, in running order, and until when it goes on.
pub(crate) fn running(
    engine: &Engine,
    stream: &StreamId,
) -> Option<(UnixMillis, Vec<Arc<SaleDrop>>)> {
    let mut copies = engine.stream(stream);
    let until = copies.iter().find_map(|sale| goes_on(sale))?;
    copies.retain(|sale| sale.plan().rehearsal.is_some_and(|copy| copy.until == until));
    Some((until, copies))
}

/// Until when the rehearsal goes on that a drop belongs to, if it keeps it going.
fn goes_on(sale: &SaleDrop) -> Option<UnixMillis> {
    let may_sell =
        matches!(sale.phase(), Phase::Scheduled | Phase::Countdown | Phase::Open | Phase::Paused);
    sale.plan().rehearsal.filter(|_| may_sell).map(|copy| copy.until)
}

/// Whether a drop of the list belongs to a rehearsal that is over: such a drop shows nowhere.
pub(crate) fn any_is_past<'a>(sales: impl Iterator<Item = &'a Arc<SaleDrop>> + Clone) -> bool {
    let on: HashSet<(&StreamId, UnixMillis)> = rehearsing(sales.clone());
    sales.into_iter().any(|sale| is_past(sale, &on))
}

/// Takes the drops of rehearsals out that are over.
pub(crate) fn leave_out_past(sales: &mut Vec<Arc<SaleDrop>>) {
    let copies = sales.clone();
    let on = rehearsing(copies.iter());
    sales.retain(|sale| !is_past(sale, &on));
}

/// The rehearsals that go on: by stream, and by when they end.
fn rehearsing<'a>(
    sales: impl Iterator<Item = &'a Arc<SaleDrop>>,
) -> HashSet<(&'a StreamId, UnixMillis)> {
    sales.filter_map(|sale| Some((&sale.plan().stream, goes_on(sale)?))).collect()
}

fn is_past(sale: &SaleDrop, on: &HashSet<(&StreamId, UnixMillis)>) -> bool {
    let plan = sale.plan();
    plan.rehearsal.is_some_and(|copy| !on.contains(&(&plan.stream, copy.until)))
}
