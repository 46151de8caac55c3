//! The commands of staff. The engine decides, records and answers them.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stampede_domain::{DropPlan, DurationMs, IdempotencyKey, KeyFingerprint, composed};
use stampede_engine::{
    Action, CommandOutcome, CommandRefusal, Done, DropAction, Role, RoomView, StaffCommand,
};
use tokio::sync::oneshot;
use utoipa::IntoResponses;

use crate::{
    answered::answered,
    auth::{Staff, holder},
    dto::{
        Accepted, Cancellation, Decision, Extension, MoveBody, OpenBody, PlainBody, PlanBody,
        Reason,
    },
    extract::{Body, DropOrderPath, DropPath, Key, OptionalBody, tag},
    metrics,
    problem::{Code, Problem, ProblemBody},
    reopening::reopen,
    state::ControlState,
};

use super::ledger::place_of;

/// Marks an answer that an earlier request with the same key got.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The revision of a drop's terms as they were planned.
const REVISION_FIRST: u32 = 1;

/// What every command may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
pub(super) enum CommandProblems {
    /// No idempotency key, or a malformed request.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token, or one that is not known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The role is not trusted with this command.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// No such drop, or another merchant's; no such ban.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchDrop(ProblemBody),
    /// Not possible as the drop stands now.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is not declared as JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemBody),
    /// The request is understood but not acceptable, or its key was used for another command.
    #[response(status = 422, content_type = "application/problem+json")]
    Unacceptable(ProblemBody),
    /// The token's name gives more commands than may be: send it again later.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// Busy, stopping, failed, or the outcome is not known: send the same request with the same key.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// A request that carries a command, without the command.
pub(super) struct Sender {
    pub(super) state: ControlState,
    pub(super) staff: Staff,
    pub(super) key: IdempotencyKey,
}

impl Sender {
    /// Gives a command.
    pub(super) async fn give(
        self,
        action: impl Into<Action>,
        reason: Option<String>,
    ) -> Result<Response, Problem> {
        let action = action.into();
        let name = action.name();
        let done = self.decided(action, reason).await?;
        Ok(accepted(name, &done))
    }

    /// Gives a command that makes something, which can be read at `location`.
    pub(super) async fn make(
        self,
        action: impl Into<Action>,
        reason: Option<String>,
        location: impl FnOnce(&Done) -> Option<String>,
    ) -> Result<Response, Problem> {
        let action = action.into();
        let name = action.name();
        let done = self.decided(action, reason).await?;
        let made = (StatusCode::CREATED, Json(Accepted::new(name, &done)));
        let mut response = marked(made.into_response(), done.replayed);
        if let Some(location) = location(&done) {
            let location = HeaderValue::try_from(location).expect("an id is plain ASCII");
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    /// Has the command carried out, whether or not anybody still waits for the outcome.
    pub(super) async fn decided(
        self,
        action: Action,
        reason: Option<String>,
    ) -> Result<Done, Problem> {
        // What stops a sale is never too much.
        if !action.is_safety() {
            self.count()?;
        }
        self.hand_over(action, reason).await
    }

    /// Counts a command towards the rate of its token's name.
    pub(super) fn count(&self) -> Result<(), Problem> {
        let who = self.staff.name();
        self.state.pace().count(who, self.state.engine().now()).map_err(|wait| {
            metrics::count_command("too_many");
            too_many(who, wait)
        })
    }

    /// The answer that an earlier request with this fingerprint got by the same key, if there was one.
    pub(super) async fn answered(&self, request: KeyFingerprint) -> Result<Option<Done>, Problem> {
        let key = self.staff.key(self.key.clone());
        replayed(&self.state, (self.staff.name(), &key), request).await
    }

    /// Has the command carried out, which was counted already.
    pub(super) async fn hand_over(
        &self,
        action: Action,
        reason: Option<String>,
    ) -> Result<Done, Problem> {
        let command = StaffCommand {
            actor: self.staff.name().to_owned(),
            role: self.staff.role(),
            merchant: self.staff.merchant().cloned(),
            streams: self.staff.streams().clone(),
            key: self.staff.key(self.key.clone()),
            reason: reason.map(|reason| composed(&reason).into_owned()),
            action,
        };
        let carried_out = tokio::spawn(carry_out(self.state.clone(), command));
        carried_out.await.map_err(|error| Problem::internal(&error))?
    }
}

/// Refuses terms with prices that cannot be paid, to those who may set them for this merchant in this stream. Whoever may
/// not is refused by the books, which put that on record, and is told nothing about the merchant's account.
fn check_prices(state: &ControlState, command: &StaffCommand) -> Result<(), Problem> {
    let may_set = |plan: &DropPlan| {
        command.merchant.as_ref().is_none_or(|own| *own == plan.merchant)
            && command.streams.covers(&plan.stream)
            && is_host_let(state, command, plan)
    };
    let (plan, before) = match &command.action {
        Action::Plan { plan } if is_let_in(state, command, plan) => (plan, None),
        Action::Drop {
            drop,
            action: DropAction::Edit { plan } | DropAction::Patch { plan, .. },
            ..
        } => match state.engine().sale(*drop) {
            Some(sale) if may_set(sale.plan()) => (plan, Some(sale)),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    if !command.role.may(&command.action) || !may_set(plan) {
        return Ok(());
    }
    state.price_minima().check(plan, before.as_ref().map(|sale| &**sale.plan()))
}

/// Whether the stream is everybody's, or its owner lets the plan's merchant in. The house plans everywhere.
fn is_let_in(state: &ControlState, command: &StaffCommand, plan: &DropPlan) -> bool {
    let is_house = command.role == Role::Admin && command.merchant.is_none();
    is_house || state.engine().room(&plan.stream).is_none_or(|room| room.lets_in(&plan.merchant))
}

/// Whether whoever gives the command is no host, or one whom the plan's merchant lets plan in the stream.
fn is_host_let(state: &ControlState, command: &StaffCommand, plan: &DropPlan) -> bool {
    let lets = |room: RoomView| room.hosts_plan_for.contains(&plan.merchant);
    command.role != Role::Host || state.engine().room(&plan.stream).is_some_and(lets)
}

/// What the ledger knows of a key, counted as the answer to a command.
async fn replayed(
    state: &ControlState,
    (actor, key): (&str, &IdempotencyKey),
    request: KeyFingerprint,
) -> Result<Option<Done>, Problem> {
    let Some(outcome) = answered(state, actor, key, request).await? else { return Ok(None) };
    metrics::count_command(if outcome.is_ok() { "replayed" } else { "refused" });
    Ok(Some(outcome?))
}

/// Hands a command over unless its key was bound before, then waits for the outcome to become durable.
///
/// What stops a sale goes to the engine first, which may not wait for a disk; only when the drop is over
/// is the ledger asked whether this is a retry.
async fn carry_out(state: ControlState, command: StaffCommand) -> Result<Done, Problem> {
    let bound = (&*command.actor, &command.key);
    if !command.action.is_safety()
        && let Some(done) = replayed(&state, bound, command.request()).await?
    {
        return Ok(done);
    }
    check_prices(&state, &command)?;
    let mut outcome = outcome_of(&state, &command).await?;
    if outcome == Err(CommandRefusal::MoneyNotLoaded)
        && let Some(drop) = command.action.drop()
    {
        let place = place_of(&state, &holder(command.merchant.as_ref(), &command.actor))?;
        reopen(&state, place, drop).await?;
        outcome = outcome_of(&state, &command).await?;
    }
    let refusal = match outcome {
        Ok(done) => {
            metrics::count_command(if done.replayed { "replayed" } else { "accepted" });
            if !done.replayed {
                state.followed().note(state.engine(), &command, &done);
            }
            return Ok(done);
        }
        Err(refusal) => refusal,
    };
    if command.action.is_safety()
        && matches!(refusal, CommandRefusal::WrongPhase { .. } | CommandRefusal::Changed { .. })
        && let Ok(Some(Ok(done))) =
            answered(&state, &command.actor, &command.key, command.request()).await
    {
        metrics::count_command("replayed");
        return Ok(done);
    }
    metrics::count_command("refused");
    Err(refusal.into())
}

/// Has the engine decide a command; waits for the outcome to become durable.
async fn outcome_of(
    state: &ControlState,
    command: &StaffCommand,
) -> Result<CommandOutcome, Problem> {
    let mut answer = state.engine().command(command.clone()).inspect_err(|_| {
        metrics::count_command("unavailable");
    })?;
    let waited = tokio::time::timeout(state.answer_wait().to_std(), &mut answer).await;
    if let Ok(Ok(outcome)) = waited {
        return Ok(outcome);
    }
    metrics::count_command("unknown");
    if waited.is_err() {
        tokio::spawn(tell_late(state.clone(), command.clone(), answer));
    }
    Err(Problem::retry(
        Code::OutcomeUnknown,
        "the command was handed over, but its outcome is not durable yet; send the same \
         request with the same key to learn it",
    ))
}

/// Tells those who follow of a command whose giver waited no longer, once it is carried out.
async fn tell_late(
    state: ControlState,
    given: StaffCommand,
    answer: oneshot::Receiver<CommandOutcome>,
) {
    if let Ok(Ok(done)) = answer.await
        && !done.replayed
    {
        state.followed().note(state.engine(), &given, &done);
    }
}

/// Refuses what a token's name sends too often.
pub(super) fn too_many(who: &str, wait: DurationMs) -> Problem {
    let detail = format!("{who} gives more commands than may be; send this one again later");
    Problem::new(Code::TooManyCommands, detail).retry_after(wait)
}

/// The answer to a command that was carried out.
pub(super) fn accepted(name: &'static str, done: &Done) -> Response {
    marked(Json(Accepted::new(name, done)).into_response(), done.replayed)
}

/// Marks the answer to a retry.
pub(super) fn marked(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Add a drop. Its first lots go on sale when it opens.
#[utoipa::path(
    post,
    path = "/v1/drops",
    tag = "commands",
    operation_id = "plan_drop",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body = PlanBody,
    security(("staff" = [])),
    responses(
        (status = 201, description = "The drop is planned.", body = Accepted,
            headers(
                ("Location", description = "Where the drop can be read."),
                ("ETag", description = "Of the terms, for the first edit."),
            )),
        CommandProblems,
    )
)]
pub(super) async fn plan(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    Body(mut body): Body<PlanBody>,
) -> Result<Response, Problem> {
    let reason = body.reason.take();
    let action = Action::Plan { plan: Arc::new(body.to_plan()?) };
    let planned = |done: &Done| Some(format!("/v1/drops/{}", done.drop));
    let made = Sender { state, staff, key }.make(action, reason, planned).await?;
    // A retry gets the tag of its first answer too: if the terms were edited since, an edit with it is told so.
    Ok(([(header::ETAG, tag(REVISION_FIRST))], made).into_response())
}

/// Start the countdown of a scheduled drop; at its end the drop opens.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/open",
    tag = "commands",
    operation_id = "open_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<OpenBody>, description = "May be left out."),
    security(("staff" = [])),
    responses((status = 200, description = "The countdown runs.", body = Accepted), CommandProblems)
)]
pub(super) async fn open(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    OptionalBody(body): OptionalBody<OpenBody>,
) -> Result<Response, Problem> {
    let (action, seen) = (body.to_action(), body.seen());
    Sender { state, staff, key }.give(action.on_seen(drop, seen), body.reason).await
}

/// Give a scheduled drop another place in its stream's running order; nothing else of its terms. Whoever may open it may.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/move",
    tag = "commands",
    operation_id = "move_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = MoveBody,
    security(("staff" = [])),
    responses((status = 200, description = "The drop has its place.", body = Accepted), CommandProblems)
)]
pub(super) async fn move_to(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    Body(body): Body<MoveBody>,
) -> Result<Response, Problem> {
    let (action, seen) = (body.to_action(), body.seen());
    Sender { state, staff, key }.give(action.on_seen(drop, seen), body.reason).await
}

/// Cancel units of an order, or give money back for it as goodwill. What goes back is due at once, whoever pays it out.
/// Also long after the drop is over; units go back on sale only while it is open or paused.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/orders/{order}/cancel",
    tag = "commands",
    operation_id = "cancel_order",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("order" = String, Path, description = "The order: the id of the hold that was paid for."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = Cancellation,
    security(("staff" = [])),
    responses((status = 200, description = "The money is due back.", body = Accepted), CommandProblems)
)]
pub(super) async fn cancel_order(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropOrderPath(drop, order): DropOrderPath,
    Body(body): Body<Cancellation>,
) -> Result<Response, Problem> {
    let action = body.to_action(order).on(drop);
    Sender { state, staff, key }.give(action, Some(body.reason)).await
}

/// Give every live hold of the drop more time: payments cannot go through. Holds taken later have their time as it is.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/extend",
    tag = "commands",
    operation_id = "extend_holds",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = Extension,
    security(("staff" = [])),
    responses((status = 200, description = "Viewers are told the new deadlines.", body = Accepted), CommandProblems)
)]
pub(super) async fn extend(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    Body(body): Body<Extension>,
) -> Result<Response, Problem> {
    let action = body.to_action().on(drop);
    Sender { state, staff, key }.give(action, Some(body.reason)).await
}

/// What the key is for, in the OpenAPI document.
pub(super) const KEY_HELP: &str = "Names this command: 1 to 64 letters, digits or `. _ : -`. A retry with the \
    same key does nothing twice and gets the same answer, marked `Idempotency-Replayed: true`.";

macro_rules! plain_commands {
    ($($(#[$doc:meta])* $name:ident $path:literal $id:literal $action:ident $body:ident $done:literal)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "commands",
            operation_id = $id,
            params(
                ("drop" = String, Path, description = "The drop's id, like `d17`."),
                ("Idempotency-Key" = String, Header, description = KEY_HELP),
            ),
            request_body(content = Option<$body>, description = "May be left out."),
            security(("staff" = [])),
            responses((status = 200, description = $done, body = Accepted), CommandProblems)
        )]
        pub(super) async fn $name(
            State(state): State<ControlState>,
            staff: Staff,
            Key(key): Key,
            DropPath(drop): DropPath,
            OptionalBody(body): OptionalBody<$body>,
        ) -> Result<Response, Problem> {
            let seen = body.seen();
            let sender = Sender { state, staff, key };
            sender.give(DropAction::$action.on_seen(drop, seen), body.reason).await
        }
    )*};
}

plain_commands! {
    /// Cancel a scheduled drop for good.
    cancel "/v1/drops/{drop}/cancel" "cancel_drop" Cancel Reason "The drop will never open."
    /// Cancel the countdown: the drop is scheduled again.
    cancel_countdown "/v1/drops/{drop}/cancel-countdown" "cancel_countdown" CancelCountdown Reason
        "The drop is scheduled again."
    /// Stop takes for now, at once. Holds live on.
    pause "/v1/drops/{drop}/pause" "pause_drop" Pause Reason "No further take succeeds."
    /// Resume takes after a pause.
    resume "/v1/drops/{drop}/resume" "resume_drop" Resume Decision "Takes go on."
    /// Put the drop on air in its stream, in place of the one that is on air; while it is counting down, open or
    /// paused. Live drops and rehearsals never touch each other.
    feature "/v1/drops/{drop}/feature" "feature_drop" Feature Decision "The drop is on air."
    /// Go on selling what comes back, off air, for at most two hold times, then close; sooner, once nothing is left and
    /// nothing is held. While the drop is open.
    wind_down "/v1/drops/{drop}/wind-down" "wind_down" WindDown Decision "The drop winds down."
    /// Call off a drop that was opened by mistake, while it is open or paused and nothing of it is paid. Takes end at
    /// once, and no hold becomes an order any more; when the last hold has ended, the drop is voided. A copy of its
    /// terms is planned in its place: `copy` is its id, or `no_copy` says why there is none.
    undo "/v1/drops/{drop}/undo" "undo_drop" Undo Decision "The drop is called off."
    /// End takes for good, at once. Holds live on; when the last has ended, the drop settles.
    close "/v1/drops/{drop}/close" "close_drop" Close Decision "No further take will succeed."
}
