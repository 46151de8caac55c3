//! What about money needs somebody: for whoever answers customers and settles accounts.

use std::collections::BTreeSet;

use axum::{Json, extract::State, response::Response};
use stampede_domain::{DropId, HoldId, PaymentAccount};
use stampede_engine::{Action, CommandRefusal, Matter, MoneyError, UnmatchedAsk};
use stampede_report::{
    Journal, ReadError,
    orders::{OrdersError, PAGE_DROPS_MAX},
};

use super::{
    QueryProblems,
    commands::{CommandProblems, KEY_HELP, Sender},
    ledger::place,
    orders::may_read,
    payments::read,
    standing::{Standing, is_seen, sees},
};
use crate::{
    auth::Staff,
    dto::{
        ATTENTION_DEFAULT, Accepted, AttentionKind, AttentionLine, AttentionList, AttentionParams,
        Closing,
    },
    extract::{Body, Key, PageLimit, Params, PaymentPath},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// Holds that the engine is asked for at a time.
const HOLDS_PER_ASK: usize = 500;
/// How often the engine is asked for one page: whoever presses Pause comes in between.
const ASKS_MAX: usize = 10;
/// Drops that have left memory that one page looks at.
const OVER_DROPS_MAX: usize = 1_000;

/// What about money needs somebody, of one kind, a page at a time: first holds of drops in memory, then those of drops
/// that have left memory, of which the newest drop comes first.
#[utoipa::path(
    get,
    path = "/v1/attention",
    tag = "ledger",
    operation_id = "attention",
    params(AttentionParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "What the token may see.", body = AttentionList),
        QueryProblems,
        (status = 403, description = "The role is not trusted with orders.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<AttentionParams>,
) -> Result<Json<AttentionList>, Problem> {
    may_read(&staff)?;
    let limit = params.limit.map_or(ATTENTION_DEFAULT, PageLimit::get);
    let from = params.after.as_deref().map(From::read).transpose()?;
    let named = match params.kind {
        AttentionKind::Unmatched => Some(true),
        AttentionKind::Unnamed => Some(false),
        _ => None,
    };
    if let Some(named) = named {
        return unmatched(state, staff, (named, from), limit).await;
    }
    let mut page = Page { kind: params.kind, limit, found: Vec::new(), drops: BTreeSet::new() };
    let stopped = match from {
        None => page.in_memory(&state, &staff, None).await?,
        Some(From::Hold(hold)) => page.in_memory(&state, &staff, Some(hold)).await?,
        Some(From::Over(_)) => None,
    };
    let place = place(&state, &staff)?;
    let server_time_ms = state.engine().moment().wall.get();
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        let journal = state.ledger().open()?;
        let next = match (stopped, from) {
            (Some(hold), _) => Some(From::Hold(hold)),
            (None, Some(From::Over(hold))) => page.over(&state, &staff, &*journal, Some(hold))?,
            (None, None | Some(From::Hold(_))) => page.over(&state, &staff, &*journal, None)?,
        };
        let matters = page.told(&state, &*journal)?;
        let next = next.map(From::written);
        Ok::<_, AttentionFailure>(AttentionList { server_time_ms, matters, next })
    });
    let list = read.await.map_err(|error| Problem::internal(&error))?;
    list.map(Json).map_err(|error| Problem::internal(&error))
}

/// Says that money which nobody can match was seen to: given back by another way, or another shop's. It leaves its list
/// for good.
#[utoipa::path(
    post,
    path = "/v1/attention/{account}/{reference}/close",
    tag = "commands",
    operation_id = "close_unmatched",
    params(
        ("account" = String, Path, description = "Where the money goes through, like `stripe:main`."),
        ("reference" = String, Path, description = "The payment's name there."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = Closing,
    security(("staff" = [])),
    responses((status = 200, description = "It is on record.", body = Accepted), CommandProblems)
)]
pub(super) async fn close(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    PaymentPath(payment): PaymentPath,
    Body(body): Body<Closing>,
) -> Result<Response, Problem> {
    let action = Action::CloseUnmatched { payment: payment.clone() };
    // Nobody is told of another's payments.
    if staff.role().may(&action)
        && accounts(&state, &staff).is_some_and(|own| !own.contains(&payment.account))
    {
        return Err(CommandRefusal::NotUnmatched { payment }.into());
    }
    Sender { state, staff, key }.give(action, Some(body.reason)).await
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Behind a hold of a drop in memory, or a place among what nobody could match, written the same way.
    Hold(HoldId),
    /// Behind a hold of a drop that has left memory.
    Over(HoldId),
}

impl From {
    /// What stands before the id of a hold whose drop has left memory.
    const OVER: &'static str = "over-";

    fn read(text: &str) -> Result<Self, Problem> {
        let (id, from): (&str, fn(HoldId) -> Self) = match text.strip_prefix(Self::OVER) {
            Some(id) => (id, Self::Over),
            None => (text, Self::Hold),
        };
        let id = id.parse().map(from);
        id.map_err(|_| Problem::new(Code::BadQuery, "after: not the `next` of a page"))
    }

    /// A place among what nobody could match.
    fn at_place(place: u64) -> Self {
        Self::Hold(HoldId::from_bytes(u128::from(place).to_be_bytes()))
    }

    /// The same, read back; the beginning for what is none.
    fn place(self) -> u64 {
        let (Self::Hold(id) | Self::Over(id)) = self;
        u64::try_from(u128::from_be_bytes(id.to_bytes())).unwrap_or(u64::MAX)
    }

    fn written(self) -> String {
        match self {
            Self::Hold(hold) => hold.to_string(),
            Self::Over(hold) => format!("{}{hold}", Self::OVER),
        }
    }
}

/// Why a list fails.
#[derive(Debug, thiserror::Error)]
enum AttentionFailure {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Orders(#[from] OrdersError),
}

/// A page in the making.
struct Page {
    kind: AttentionKind,
    limit: usize,
    found: Vec<(HoldId, Matter)>,
    /// The drops of what was found: each may have to be folded.
    drops: BTreeSet<DropId>,
}

impl Page {
    /// Takes in what is of the page's kind; the hold in front of the first one that has no room, if one has none.
    fn take(
        &mut self,
        matters: &[(HoldId, Vec<Matter>)],
        mut behind: Option<HoldId>,
        sees: impl Fn(DropId) -> bool,
    ) -> Result<Option<HoldId>, Option<HoldId>> {
        for (hold, matters) in matters {
            let drop = hold.drop_id();
            let wanted = matters.iter().filter(|matter| self.kind == (&matter.kind).into());
            let wanted: Vec<_> = wanted.filter(|_| sees(drop)).collect();
            let is_new = !wanted.is_empty() && !self.drops.contains(&drop);
            let is_full = !wanted.is_empty() && self.found.len() >= self.limit;
            if is_full || is_new && self.drops.len() >= PAGE_DROPS_MAX {
                return Err(behind);
            }
            if !wanted.is_empty() {
                self.drops.insert(drop);
                self.found.extend(wanted.into_iter().map(|matter| (*hold, matter.clone())));
            }
            behind = Some(*hold);
        }
        Ok(behind)
    }

    /// What is to be done about drops in memory, behind a hold; the hold to go on behind, if the page is full.
    async fn in_memory(
        &mut self,
        state: &ControlState,
        staff: &Staff,
        mut after: Option<HoldId>,
    ) -> Result<Option<HoldId>, Problem> {
        let sees = |drop: DropId| is_seen(state, staff, drop);
        for _ in 0..ASKS_MAX {
            let asked = state.engine().matters(after, HOLDS_PER_ASK, staff.merchant().cloned())?;
            let matters = read(state, asked).await?;
            let is_last = matters.len() < HOLDS_PER_ASK;
            match self.take(&matters, after, sees) {
                Err(stopped) => {
                    let stopped = stopped.expect("a page has room for the first hold");
                    return Ok(Some(stopped));
                }
                Ok(_) if is_last => return Ok(None),
                Ok(behind) => after = behind,
            }
        }
        Ok(after)
    }

    /// What is to be done about drops that have left memory, the newest drop first, behind a hold; where to go on, if
    /// the page is full or has looked at as much as it may.
    fn over(
        &mut self,
        state: &ControlState,
        staff: &Staff,
        journal: &dyn Journal,
        after: Option<HoldId>,
    ) -> Result<Option<From>, AttentionFailure> {
        let all = Standing::all(state.engine()).into_iter().rev();
        let over = all.filter(|found| matches!(found, Standing::Over(_)));
        let behind = over.filter(|found| after.is_none_or(|after| found.id() <= after.drop_id()));
        let (mut read, mut last) = (0, after);
        for (looked, found) in behind.filter(|found| sees(state, staff, found)).enumerate() {
            let drop = found.id();
            if read >= PAGE_DROPS_MAX || looked >= OVER_DROPS_MAX {
                return Ok(last.map(From::Over));
            }
            let found = state.over_money().matters(journal, drop)?;
            read += usize::from(found.was_read);
            let own = after.filter(|after| after.drop_id() == drop);
            let open = found.open.as_deref().map_or(&[][..], Vec::as_slice);
            let behind = open.partition_point(|(hold, _)| own.is_some_and(|after| *hold <= after));
            if let Err(stopped) = self.take(&open[behind..], own, |_| true) {
                return Ok(Some(From::Over(stopped.or(last).unwrap_or_else(|| above(drop)))));
            }
            last = Some(last_of(drop));
        }
        Ok(None)
    }

    /// Each matter with what the ledger tells of it.
    fn told(
        &self,
        state: &ControlState,
        journal: &dyn Journal,
    ) -> Result<Vec<AttentionLine>, OrdersError> {
        let told = self.found.iter().map(|(hold, matter)| {
            let told = state.orders().payment_for(journal, (*hold, &matter.payment))?;
            Ok(AttentionLine::of_hold(*hold, matter, told.as_ref()))
        });
        told.collect()
    }
}

/// The last id that a hold of a drop may have: whatever is behind it is of an older drop.
fn last_of(drop: DropId) -> HoldId {
    let mut bytes = [u8::MAX; 16];
    bytes[..4].copy_from_slice(&drop.get().to_be_bytes());
    HoldId::from_bytes(bytes)
}

/// What stands in front of all holds of a drop, among those of newer drops.
fn above(drop: DropId) -> HoldId {
    last_of(DropId::new(drop.get().saturating_add(1)))
}

/// Money that nobody can match, newest first, until it is reported for a hold, given back or seen to. A merchant's
/// staff are told of what came through the merchant's own accounts.
async fn unmatched(
    state: ControlState,
    staff: Staff,
    (named, from): (bool, Option<From>),
    limit: usize,
) -> Result<Json<AttentionList>, Problem> {
    let mut before = Some(from.map_or(u64::MAX, From::place));
    let accounts = accounts(&state, &staff);
    let mut matters = Vec::new();
    for _ in 0..ASKS_MAX {
        let Some(from) = before.filter(|_| matters.len() < limit) else { break };
        let limit = limit - matters.len();
        let ask = UnmatchedAsk { named, before: from, limit, accounts: accounts.clone() };
        let page = read(&state, state.engine().unmatched_money(ask)?).await?;
        matters.extend(page.entries.iter().map(|entry| AttentionLine::unmatched(entry)));
        before = page.next;
    }
    let server_time_ms = state.engine().moment().wall.get();
    let next = before.map(From::at_place).map(From::written);
    Ok(Json(AttentionList { server_time_ms, matters, next }))
}

/// The accounts whose unmatched money somebody is told of; `None` for all.
fn accounts(state: &ControlState, staff: &Staff) -> Option<BTreeSet<PaymentAccount>> {
    if staff.is_everybodys() {
        return None;
    }
    let merchant = staff.merchant().filter(|_| staff.streams().is_all());
    Some(merchant.map(|merchant| state.accounts_of(merchant)).unwrap_or_default())
}
