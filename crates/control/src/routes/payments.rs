//! Payments: a platform's server reports them, asks how holds stand, asks what is to be done.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use stampede_domain::{DropId, HoldId, KeyFingerprint, PaymentFact, limits::HOLDS_PER_PAYMENT_MAX};
use stampede_engine::{
    FactRefusal, HoldLook, HoldMoney, HoldOutcome, PaymentOutcome, PaymentRefusal, Unavailable,
    read_money,
};
use tokio::sync::oneshot;

use super::{QueryProblems, commands::CommandProblems, ledger, standing::Standing};
use crate::{
    auth::PaymentsCaller,
    dto::{
        ChargesBody, FactAnswer, FactBody, HoldState, PaymentAnswer, TodoHold, TodoList, TodoParams,
    },
    extract::{Body, HoldPath, Key, Params, PaymentPath},
    problem::{Code, Problem},
    state::ControlState,
};

/// How often the money of a drop that is over is read, if something is recorded about it meanwhile.
const REOPENINGS_MAX: u32 = 3;

/// What the key of a report is for, in the OpenAPI document.
const KEY_HELP: &str = "Names this report: 1 to 64 letters, digits or `. _ : -`. Send the report again with the same \
    key until it is answered. The server knows a fact by its account, payment and event, so nothing is counted twice \
    with any key; a retry is told how things stand now.";

/// Report what happened to a payment. It is answered once everything that follows is durable.
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "payments",
    operation_id = "report_payment",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body(content = FactBody, example = json!({
        "payment": "pay-81723", "event": "paid", "amount": {"minor": 9980, "currency": "EUR"},
        "holds": ["00000001000001000000001900000007"], "order_reference": "R-1001",
    })),
    security(("staff" = [])),
    responses(
        (status = 200, description = "What it came to for each hold.", body = FactAnswer, example = json!({
            "account": "platform", "payment": "pay-81723",
            "holds": [{
                "hold": "00000001000001000000001900000007", "outcome": "ordered",
                "order": "00000001000001000000001900000007",
            }],
        })),
        CommandProblems,
    )
)]
pub(super) async fn report(
    State(state): State<ControlState>,
    caller: PaymentsCaller,
    Key(key): Key,
    Body(body): Body<FactBody>,
) -> Result<Json<FactAnswer>, Problem> {
    let mut fact = body.to_fact()?;
    if fact.holds.is_empty() {
        // The engine would take those of all merchants.
        fact.holds = own_holds(&state, &caller, &fact).await?;
    }
    must_know(&state, &caller, &fact.holds)?;
    let bytes = serde_json::to_vec(&body).map_err(|error| Problem::internal(&error))?;
    let staff = caller.staff();
    let report = KeyFingerprint::of(&bytes);
    let new_key = state.payment_keys().bind(staff.name(), &staff.key(key), report)?;
    let event = fact.event.clone();
    let decided = decided(&state, &caller, fact).await;
    if let (Err(problem), Some(new_key)) = (&decided, new_key)
        && problem.code != Code::OutcomeUnknown
    {
        state.payment_keys().unbind(new_key);
    }
    Ok(Json(FactAnswer::new(&event, &decided?)))
}

/// Has the fact decided, also by drops that have left memory.
async fn decided(
    state: &ControlState,
    caller: &PaymentsCaller,
    fact: PaymentFact,
) -> Result<PaymentOutcome, Problem> {
    if fact.holds.is_empty() {
        return Err(FactRefusal::NoHolds.into());
    }
    for _ in 0..REOPENINGS_MAX {
        let outcome = recorded(state, state.engine().payment(fact.clone())?).await??;
        if !outcome.holds.iter().any(|(_, outcome)| *outcome == HoldOutcome::Over) {
            return Ok(outcome);
        }
        // Nothing was decided: the money of these drops has to be read first.
        for hold in over(state, &fact.holds) {
            money_of(state, caller, hold).await?;
        }
    }
    let detail = "more drops that are over are asked about than can be read; send it again soon";
    Err(Problem::retry(Code::Busy, detail))
}

/// A hold of each drop of these that has left memory.
fn over(state: &ControlState, holds: &[HoldId]) -> Vec<HoldId> {
    let drops: BTreeMap<_, _> = holds.iter().map(|hold| (hold.drop_id(), *hold)).collect();
    let over = drops.into_iter().filter(|(drop, _)| state.engine().sale(*drop).is_none());
    over.map(|(_, hold)| hold).collect()
}

/// The money of a hold. That of a drop that has left memory is read from the ledger first, unless it was before.
async fn money_of(
    state: &ControlState,
    caller: &PaymentsCaller,
    hold: HoldId,
) -> Result<HoldMoney, Problem> {
    let money = read(state, state.engine().money_of(hold)?).await?;
    if money.is_read || !money.is_over {
        return Ok(money);
    }
    reopen(state, caller, hold.drop_id()).await?;
    read(state, state.engine().money_of(hold)?).await
}

/// Reads the money of a drop that has left memory, for the engine to decide by.
async fn reopen(
    state: &ControlState,
    caller: &PaymentsCaller,
    drop: DropId,
) -> Result<(), Problem> {
    for _ in 0..REOPENINGS_MAX {
        let place = ledger::place(state, caller.staff())?;
        let source = Arc::clone(state.ledger());
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            read_money(&*source.open()?, drop)
        });
        let found = reading.await.map_err(|error| Problem::internal(&error))?;
        let found = found.map_err(|error| Problem::internal(&error))?;
        let money = found.ok_or_else(Problem::unknown_drop)?;
        if read(state, state.engine().reopen(money)?).await? {
            return Ok(());
        }
    }
    let detail =
        "the drop's money is being recorded faster than it can be read; send it again soon";
    Err(Problem::retry(Code::Busy, detail))
}

/// The caller's own holds that a payment had before.
async fn own_holds(
    state: &ControlState,
    caller: &PaymentsCaller,
    fact: &PaymentFact,
) -> Result<Vec<HoldId>, Problem> {
    let known = read(state, state.engine().holds_of(fact.payment.clone())?).await?;
    let mut own: Vec<_> = known.into_iter().filter(|hold| is_known(state, caller, *hold)).collect();
    let merchant = |hold: &HoldId| {
        Standing::of(state.engine(), hold.drop_id()).map(|found| found.merchant().clone())
    };
    // Two merchants may name their payments alike, and a token without a merchant may report for both.
    if own.windows(2).any(|pair| merchant(&pair[0]) != merchant(&pair[1])) {
        let detail = format!(
            "two merchants have a payment {}: name the holds that this report is about",
            fact.payment
        );
        return Err(Problem::new(Code::NoHolds, detail));
    }
    own.truncate(HOLDS_PER_PAYMENT_MAX);
    Ok(own)
}

/// Whether the caller may report for a hold that there is. Another merchant's is like one that never was.
fn is_known(state: &ControlState, caller: &PaymentsCaller, hold: HoldId) -> bool {
    let (engine, drop) = (state.engine(), hold.drop_id());
    let Some(found) = Standing::of(engine, drop) else { return false };
    if !caller.sells_for(found.merchant()) {
        return false;
    }
    match engine.hold(hold) {
        HoldLook::Known(_) | HoldLook::Ended => true,
        // Nobody was told of it yet.
        HoldLook::Pending => false,
        // What became of the holds of a drop that is over, its audit tells.
        HoldLook::Unknown => engine.sale(drop).is_none() && engine.over(drop).is_some(),
    }
}

/// Refuses a report as a whole if it names a hold that is unknown to the caller: the money would be split among the
/// others.
fn must_know(
    state: &ControlState,
    caller: &PaymentsCaller,
    holds: &[HoldId],
) -> Result<(), Problem> {
    let unknown = holds.iter().filter(|hold| !is_known(state, caller, **hold));
    let unknown: Vec<_> = unknown.map(ToString::to_string).collect();
    if unknown.is_empty() { Ok(()) } else { Err(unknown_hold(&unknown.join(", "))) }
}

fn unknown_hold(holds: &str) -> Problem {
    let detail = format!(
        "no hold {holds}: check the ids, each has 32 digits as its viewer's `held` has it; nothing was recorded"
    );
    Problem::new(Code::UnknownHold, detail)
}

/// Waits until what was handed over is durable.
async fn recorded<T>(state: &ControlState, answer: oneshot::Receiver<T>) -> Result<T, Problem> {
    let waited = tokio::time::timeout(state.answer_wait().to_std(), answer).await;
    match waited {
        Ok(Ok(outcome)) => Ok(outcome),
        _ => Err(Problem::retry(
            Code::OutcomeUnknown,
            "it was handed over, but its outcome is not durable yet; say it again to learn it: nothing is counted \
             twice",
        )),
    }
}

/// Waits until what is read is durable.
pub(super) async fn read<T>(
    state: &ControlState,
    answer: oneshot::Receiver<T>,
) -> Result<T, Problem> {
    match tokio::time::timeout(state.answer_wait().to_std(), answer).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(Unavailable::Poisoned.into()),
        Err(_) => {
            let detail = "what would be told is not durable yet; ask again soon";
            Err(Problem::retry(Code::Busy, detail))
        }
    }
}

/// How a hold stands; `None` for one that nobody was told of.
async fn state_of(
    state: &ControlState,
    caller: &PaymentsCaller,
    hold: HoldId,
) -> Result<Option<HoldState>, Problem> {
    let mut money = money_of(state, caller, hold).await?;
    let sale = state.engine().sale(hold.drop_id());
    // The drop may have left memory meanwhile.
    money.is_over |= sale.is_none();
    let plan = sale.as_ref().map(|sale| &**sale.plan());
    Ok(HoldState::new(hold, &money, plan, state.engine().moment()))
}

/// How a hold stands: what is held, until when, what is owed, every payment, what is to be done.
#[utoipa::path(
    get,
    path = "/v1/payments/holds/{hold}",
    tag = "payments",
    operation_id = "hold_state",
    params(("hold" = String, Path, description = "The hold's id, as its viewer's `held` has it.")),
    security(("staff" = [])),
    responses((status = 200, description = "How it stands, all of it durable.", body = HoldState), QueryProblems)
)]
pub(super) async fn hold(
    State(state): State<ControlState>,
    caller: PaymentsCaller,
    HoldPath(hold): HoldPath,
) -> Result<Json<HoldState>, Problem> {
    known_state(&state, &caller, hold).await.map(Json)
}

async fn known_state(
    state: &ControlState,
    caller: &PaymentsCaller,
    hold: HoldId,
) -> Result<HoldState, Problem> {
    let unknown = || unknown_hold(&hold.to_string());
    if !is_known(state, caller, hold) {
        return Err(unknown());
    }
    state_of(state, caller, hold).await?.ok_or_else(unknown)
}

/// Say what is owed for a hold beyond its goods, in place of what was said before. Payments have to come to goods with
/// charges. Once the hold is an order, or has ended, nothing changes any more.
#[utoipa::path(
    put,
    path = "/v1/payments/holds/{hold}/charges",
    tag = "payments",
    operation_id = "set_charges",
    params(("hold" = String, Path, description = "The hold's id, as its viewer's `held` has it.")),
    request_body(content = ChargesBody, description = "What is left out is 0."),
    security(("staff" = [])),
    responses((status = 200, description = "How the hold stands now.", body = HoldState), CommandProblems)
)]
pub(super) async fn charge(
    State(state): State<ControlState>,
    caller: PaymentsCaller,
    HoldPath(hold): HoldPath,
    Body(body): Body<ChargesBody>,
) -> Result<Json<HoldState>, Problem> {
    let charges = body.to_charges()?;
    must_know(&state, &caller, &[hold])?;
    let charged = recorded(&state, state.engine().charge(hold, charges)?).await?;
    // A drop that is over has no charges to set.
    charged.unwrap_or(Err(PaymentRefusal::AmountIsFixed))?;
    known_state(&state, &caller, hold).await.map(Json)
}

/// A payment with its holds, as far as drops in memory know.
#[utoipa::path(
    get,
    path = "/v1/payments/{account}/{reference}",
    tag = "payments",
    operation_id = "payment_state",
    params(
        ("account" = String, Path, description = "Where the money goes through, like `platform`."),
        ("reference" = String, Path, description = "The payment's name there."),
    ),
    security(("staff" = [])),
    responses((status = 200, description = "Its holds, all of it durable.", body = PaymentAnswer), QueryProblems)
)]
pub(super) async fn payment(
    State(state): State<ControlState>,
    caller: PaymentsCaller,
    PaymentPath(payment): PaymentPath,
) -> Result<Json<PaymentAnswer>, Problem> {
    let known = read(&state, state.engine().holds_of(payment.clone())?).await?;
    let own = known.into_iter().filter(|hold| is_known(&state, &caller, *hold));
    let mut holds = Vec::new();
    for hold in own.take(HOLDS_PER_PAYMENT_MAX) {
        holds.extend(state_of(&state, &caller, hold).await?);
    }
    if holds.is_empty() {
        let detail = format!(
            "no payment {payment} is known: check account and reference. Drops that are over are in their audits"
        );
        return Err(Problem::new(Code::UnknownPayment, detail));
    }
    let (account, payment) = (payment.account.to_string(), payment.reference.to_string());
    Ok(Json(PaymentAnswer { account, payment, holds }))
}

/// Everything that is to be done about payments for holds of drops in memory, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/payments/todo",
    tag = "payments",
    operation_id = "payments_todo",
    params(TodoParams),
    security(("staff" = [])),
    responses((status = 200, description = "Holds with something to be done.", body = TodoList), QueryProblems)
)]
pub(super) async fn todo(
    State(state): State<ControlState>,
    caller: PaymentsCaller,
    Params(params): Params<TodoParams>,
) -> Result<Json<TodoList>, Problem> {
    let after = params.after.as_deref().map(str::parse).transpose().map_err(
        |error: stampede_domain::IdError| Problem::new(Code::BadQuery, format!("after: {error}")),
    )?;
    let limit = params.limit.get();
    let asked = state.engine().matters(after, limit + 1, caller.merchant().cloned())?;
    let mut found = read(&state, asked).await?;
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_cut).map(|(hold, _)| hold.to_string());
    let holds = found.iter().map(|(hold, matters)| TodoHold::new(*hold, matters)).collect();
    Ok(Json(TodoList { holds, next }))
}
