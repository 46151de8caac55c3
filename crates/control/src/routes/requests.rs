//! Requests for more units than a drop has in reserve: listed, granted, declined, withdrawn.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use stampede_domain::RequestId;
use stampede_engine::DropAction;

use super::{
    QueryProblems,
    commands::{CommandProblems, KEY_HELP, Sender, marked},
    standing::{Standing, sees, visible},
};
use crate::{
    auth::Staff,
    dto::{Accepted, Reason, RequestLine, RequestList, RequestParams},
    extract::{Key, OptionalBody, Params, RequestPath},
    problem::{Code, Problem, ProblemBody},
    rehearsed::leave_out_past,
    state::ControlState,
};

/// Requests for more units than are in reserve, a page at a time: those that nobody has answered first. Of a drop the
/// latest that have ended are kept while it is in memory; the list of commands has all.
#[utoipa::path(
    get,
    path = "/v1/requests",
    tag = "drops",
    operation_id = "list_requests",
    params(RequestParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The requests that the token may see.", body = RequestList),
        QueryProblems,
        (status = 403, description = "The role is told nothing of requests.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such drop, or another merchant's.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<RequestParams>,
) -> Result<Json<RequestList>, Problem> {
    staff.must_read_money("it is told nothing of requests")?;
    let engine = state.engine();
    let mut sales = match params.drop()? {
        Some(drop) => match visible(&state, &staff, drop)? {
            Standing::Here(sale) => vec![sale],
            Standing::Over(_) => Vec::new(),
        },
        None => engine.sales(),
    };
    leave_out_past(&mut sales);
    sales.retain(|sale| sees(&state, &staff, &Standing::Here(sale.clone())));
    let mut found: Vec<_> = sales.iter().flat_map(|sale| RequestLine::all(sale)).collect();
    found.sort_by(|one, other| one.request.order().cmp(&other.request.order()));
    let open = found.iter().filter(|line| line.request.is_open()).count();
    let total = found.len();
    let requests = found.into_iter().skip(params.skip.count()).take(params.limit.get()).collect();
    Ok(Json(RequestList { server_time_ms: engine.wall().get(), requests, open, total }))
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $path:literal $id:literal $action:ident $done:literal)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "commands",
            operation_id = $id,
            params(
                ("request" = String, Path, description = "The request's id, like `q17-2`."),
                ("Idempotency-Key" = String, Header, description = KEY_HELP),
            ),
            request_body(content = Option<Reason>, description = "May be left out."),
            security(("staff" = [])),
            responses((status = 200, description = $done, body = Accepted), CommandProblems)
        )]
        pub(super) async fn $name(
            State(state): State<ControlState>,
            staff: Staff,
            Key(key): Key,
            RequestPath(request): RequestPath,
            OptionalBody(body): OptionalBody<Reason>,
        ) -> Result<Response, Problem> {
            let action = DropAction::$action { number: request.number };
            answer(Sender { state, staff, key }, request, action, body.reason).await
        }
    )*};
}

answers! {
    /// Put the units of a request on sale, those in reserve first.
    grant "/v1/requests/{request}/grant" "grant_request" GrantRequest "The units are on sale."
    /// Leave the units of a request where they are.
    decline "/v1/requests/{request}/decline" "decline_request" DeclineRequest "The request is declined."
    /// Ask no more.
    withdraw "/v1/requests/{request}/withdraw" "withdraw_request" WithdrawRequest "The request is withdrawn."
}

/// Gives a command that ends a request. Who does not see its drop is told that there is no such request.
async fn answer(
    sender: Sender,
    request: RequestId,
    action: DropAction,
    reason: Option<String>,
) -> Result<Response, Problem> {
    let name = action.name();
    let done = sender.decided(action.on(request.drop), reason).await;
    let done = done.map_err(|problem| match problem.code() {
        Code::UnknownDrop => {
            let detail =
                format!("no request {request} that you may see; GET /v1/requests lists them");
            problem.named(Code::UnknownRequest, detail)
        }
        _ => problem,
    })?;
    let answer = Accepted::new(name, &done).about(request);
    Ok(marked(Json(answer).into_response(), done.replayed))
}
