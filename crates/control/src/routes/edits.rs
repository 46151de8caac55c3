//! Edits of a drop's terms: of all of them, or of some. Each says which terms it is about, so that of two people
//! who edit at once the second is told, and nothing comes back that was changed.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use stampede_domain::{DropId, Phase};
use stampede_engine::{DropAction, SeenDrop};
use utoipa::IntoResponses;

use super::{
    commands::{CommandProblems, KEY_HELP, Sender},
    standing::{Standing, visible},
};
use crate::{
    auth::Staff,
    dto::{Accepted, PlanBody},
    extract::{Body, DropPath, IfMatch, Key, tag, value},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

const IF_MATCH_HELP: &str =
    "The `ETag` of the terms that are edited, from reading the drop; `*` for whichever they are.";

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
    Body(changes): Body<Value>,
) -> Result<Response, Problem> {
    let changes = match changes {
        Value::Object(changes) => changes,
        other => {
            let found = if other.is_array() { "a list" } else { "a single value" };
            let detail = format!("invalid type: {found}, expected an object with fields by name");
            return Err(Problem::new(Code::BadBody, detail));
        }
    };
    let Standing::Here(sale) = visible(&state, &staff, drop)? else {
        let detail = "the drop is over, so its terms are fixed";
        return Err(Problem::new(Code::WrongPhase, detail));
    };
    // A retry of the last edit that was accepted finds the terms as the edit left them; applied once more the
    // patch changes nothing, so it is the same request.
    let mut plan = json_of(&PlanBody::from(&**sale.plan()))?;
    merge(&mut plan, changes);
    let body: PlanBody = value(&Value::Object(plan).to_string())?;
    replace(Sender { state, staff, key }, drop, revision, body).await
}

async fn replace(
    sender: Sender,
    drop: DropId,
    revision: Option<u32>,
    mut body: PlanBody,
) -> Result<Response, Problem> {
    let reason = body.reason.take();
    let action = DropAction::Edit { plan: Arc::new(body.to_plan()?) };
    let phase = Phase::Scheduled;
    let seen = revision.map(|revision| SeenDrop { phase, revision, phase_changes: None });
    let edited = sender.give(action.on_seen(drop, seen), reason).await;
    let response = edited.map_err(|problem| stale(problem, revision))?;
    let after = revision.and_then(|revision| revision.checked_add(1));
    Ok(match after {
        Some(after) => ([(header::ETAG, tag(after))], response).into_response(),
        None => response,
    })
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

/// Applies a merge patch, RFC 7396, section 2.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(inner) => {
                let place = target.entry(name).or_insert(Value::Null);
                let mut fields = match place.take() {
                    Value::Object(fields) => fields,
                    _ => Map::new(),
                };
                merge(&mut fields, inner);
                *place = Value::Object(fields);
            }
            other => {
                target.insert(name, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_merge_as_the_standard_says() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else {
                panic!()
            };
            merge(&mut target, patch);
            assert_eq!(Value::Object(target), merged);
        }
    }
}
