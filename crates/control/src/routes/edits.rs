//! Edits of a drop's terms: of all of them, or of some. Each says which terms it is about, so that of two people
//! who edit at once the second is told, and nothing comes back that was changed.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use stampede_domain::{DropId, KeyFingerprint, Phase};
use stampede_engine::{CommandRefusal, Done, DropAction, SeenDrop, patch_request};
use utoipa::IntoResponses;

use super::{
    commands::{CommandProblems, KEY_HELP, Sender, accepted},
    standing::{Standing, visible},
};
use crate::{
    auth::Staff,
    dto::{Accepted, PlanBody},
    extract::{Body, DropPath, IfMatch, Key, tag, value},
    merge_patch::{Distinct, MergePatch},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

const IF_MATCH_HELP: &str =
    "The `ETag` of the terms that are edited, from reading the drop; `*` for whichever they are.";

/// Attempts to apply a patch to terms that nobody edits meanwhile.
const MERGES_MAX: usize = 16;

/// What an edit may be answered with besides what every command may.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum EditProblems {
    /// The terms were edited since they were read: read the drop, decide again.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(ProblemBody),
    /// The header `If-Match` is missing.
    #[response(status = 428, content_type = "application/problem+json")]
    Missing(ProblemBody),
}

/// Replace the terms of a scheduled drop. Stream, merchant and mode stay; what was put on sale stays too.
#[utoipa::path(
    put,
    path = "/v1/drops/{drop}",
    tag = "commands",
    operation_id = "edit_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
        ("If-Match" = String, Header, description = IF_MATCH_HELP),
    ),
    request_body = PlanBody,
    security(("staff" = [])),
    responses(
        (status = 200, description = "The new terms hold.", body = Accepted,
            headers(("ETag", description = "Of the new terms; not with `If-Match: *`."))),
        CommandProblems, EditProblems,
    )
)]
pub(super) async fn edit(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    IfMatch(revision): IfMatch,
    Body(body): Body<PlanBody>,
) -> Result<Response, Problem> {
    replace(Sender { state, staff, key }, drop, revision, body).await
}

/// Change some terms of a scheduled drop, by a JSON merge patch (RFC 7396): what is named is replaced, `null`
/// takes a field out, the list `skus` is replaced as a whole.
#[utoipa::path(
    patch,
    path = "/v1/drops/{drop}",
    tag = "commands",
    operation_id = "patch_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
        ("If-Match" = String, Header, description = IF_MATCH_HELP),
    ),
    request_body(content = Object, content_type = "application/merge-patch+json",
        description = "Fields of a `Plan`."),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The new terms hold.", body = Accepted,
            headers(("ETag", description = "Of the new terms; not with `If-Match: *`."))),
        CommandProblems, EditProblems,
    )
)]
pub(super) async fn patch(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    IfMatch(revision): IfMatch,
    Body(changes): Body<Distinct>,
) -> Result<Response, Problem> {
    let changes = MergePatch::new(changes).map_err(|found| {
        let detail = format!("invalid type: {found}, expected an object with fields by name");
        Problem::new(Code::BadBody, detail)
    })?;
    let sender = Sender { state, staff, key };
    sender.count()?;
    // What the changes make of the terms differs with the terms, and the drop may be over: a retry is known by what was
    // asked for, before anybody looks at the drop.
    let terms = revision.map_or_else(|| "*".to_owned(), |revision| format!("r{revision}"));
    let asked_for = changes.fingerprint(&terms, "reason");
    let done = match sender.answered(patch_request(drop, asked_for)).await? {
        Some(done) => done,
        None => merged(&sender, drop, revision, (&changes, asked_for)).await?,
    };
    Ok(edited(accepted("edit", &done), revision))
}

/// Has the terms replaced by those as they stand with the changes. With `If-Match: *` that may take several attempts: if
/// somebody edits the terms meanwhile, the changes are applied to the new ones, so that no older term comes back.
async fn merged(
    sender: &Sender,
    drop: DropId,
    revision: Option<u32>,
    (changes, asked_for): (&MergePatch, KeyFingerprint),
) -> Result<Done, Problem> {
    for _ in 0..MERGES_MAX {
        let Standing::Here(sale) = visible(&sender.state, &sender.staff, drop)? else {
            let detail = "the drop is over, so its terms are fixed";
            return Err(Problem::new(Code::WrongPhase, detail));
        };
        let read = seen_terms(sale.revision());
        let seen = revision.map_or(read, seen_terms);
        if seen.revision > read.revision {
            // The edit that makes this revision may be on its way, and the changes would miss it.
            return Err(stale(CommandRefusal::Changed { seen, now: read }.into(), revision));
        }
        let plan = json_of(&PlanBody::to_patch(sale.plan()))?;
        let mut body = patched(plan, changes).map_err(|problem| {
            // What is wrong with a patch of any plan is wrong with the patch.
            let wrong = patched(complete(), changes).err();
            wrong.unwrap_or_else(|| problem.clone().named(Code::InvalidPlan, problem.detail))
        })?;
        let reason = body.reason.take();
        let plan = Arc::new(body.to_plan()?);
        let action = DropAction::Patch { plan, changes: asked_for };
        match sender.hand_over(action.on_seen(drop, Some(seen)), reason).await {
            Err(problem) if problem.code == Code::DropChanged && revision.is_none() => {}
            outcome => return outcome.map_err(|problem| stale(problem, revision)),
        }
    }
    let detail = "others edit the drop faster than this edit can follow; send the same request with the same key again";
    Err(Problem::retry(Code::Busy, detail))
}

fn patched(mut plan: Map<String, Value>, changes: &MergePatch) -> Result<PlanBody, Problem> {
    changes.apply_to(&mut plan);
    value(&Value::Object(plan).to_string())
}

/// A plan that lacks nothing, whatever a patch names.
fn complete() -> Map<String, Value> {
    let plan = json!({
        "stream": "s", "title": "t", "merchant": "m", "host": "h", "skus": [],
        "limit_per_viewer": 1, "hold_ttl_ms": 1_000,
        "stock_display": {"rounded_above": 2, "round_to": 2},
        "when_offline": {"pause_after_ms": 0},
    });
    match plan {
        Value::Object(fields) => fields,
        _ => unreachable!("a plan has fields"),
    }
}

async fn replace(
    sender: Sender,
    drop: DropId,
    revision: Option<u32>,
    mut body: PlanBody,
) -> Result<Response, Problem> {
    let reason = body.reason.take();
    let action = DropAction::Edit { plan: Arc::new(body.to_plan()?) };
    let given = sender.give(action.on_seen(drop, revision.map(seen_terms)), reason).await;
    let response = given.map_err(|problem| stale(problem, revision))?;
    Ok(edited(response, revision))
}

/// A drop whose terms can be edited, as whoever read this revision saw it.
const fn seen_terms(revision: u32) -> SeenDrop {
    SeenDrop { phase: Phase::Scheduled, revision, phase_changes: None }
}

/// The answer to an edit of these terms, with the tag of those that hold now.
fn edited(response: Response, revision: Option<u32>) -> Response {
    match revision.and_then(|revision| revision.checked_add(1)) {
        Some(after) => ([(header::ETAG, tag(after))], response).into_response(),
        None => response,
    }
}

/// The engine refuses what was not meant for the drop as it stands: of an edit, that are the terms.
fn stale(problem: Problem, revision: Option<u32>) -> Problem {
    let (Code::DropChanged, Some(revision)) = (problem.code, revision) else { return problem };
    let detail = format!(
        "somebody edited the drop since you read it as \"r{revision}\": read it again, decide, send the edit \
         with the new ETag"
    );
    problem.named(Code::StaleTerms, detail)
}

fn json_of(plan: &PlanBody) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(plan) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => unreachable!("a plan has fields"),
        Err(error) => Err(Problem::internal(&error)),
    }
}
