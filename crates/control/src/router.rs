//! Every path behind the layers that all of them share.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use stampede_proxies::{Claims, ClientAddress, Peer, client_address};
use tower_http::{
    limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    CLIENT_PATH, SignedIn, StaffError, assets,
    by_address::Client,
    credentials::signed_in,
    extract::TOO_LARGE,
    hand_over, metrics,
    openapi::{ApiDocument, Frame, finished},
    problem::{Cause, Code, PROBLEM_JSON, Problem},
    queries::{self, Queries},
    routes,
    staff::shown_path,
    state::{ControlParts, ControlState, Trouble},
};

/// The whole interface.
pub fn router(parts: ControlParts) -> Router {
    Interface::new(parts).router()
}

/// What anybody may read, for a listener of its own: the public files, and reports by their link.
pub fn shared(interface: &Interface) -> Router {
    let Interface { state, .. } = interface;
    let (paths, document) = routes::shared().split_for_parts();
    let paths = paths.route_layer(from_fn_with_state(Queries::of(&document), queries::check));
    behind_layers(paths.fallback(nothing_else), state)
}

/// The interface for pages that render its answers.
#[derive(Clone)]
pub struct Interface {
    router: Router,
    state: ControlState,
}

impl Interface {
    /// Puts the parts together.
    pub fn new(parts: ControlParts) -> Self {
        let (router, state) = build(parts);
        Self { router, state }
    }

    /// The interface itself.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Who is signed in where these headers come from; this is a use of the session.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: nobody is let in by a file that cannot be read.
    pub fn signed_in(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, StaffError> {
        signed_in(&self.state, headers)
    }
}

fn build(parts: ControlParts) -> (Router, ControlState) {
    let (paths, document) =
        OpenApiRouter::with_openapi(Frame::openapi()).merge(routes::all()).split_for_parts();
    let queries = Queries::of(&document);
    let document = finished(&document, &parts.config.site);
    let state = ControlState::new(parts, ApiDocument(Arc::new(document)));
    let paths = paths
        .route_layer(from_fn_with_state(state.clone(), hand_over::hand_over))
        .route_layer(from_fn_with_state(queries, queries::check));
    (behind_layers(paths, &state), state)
}

/// These paths with the public files, behind what every request goes through.
///
/// Layers run from the last to the first: what the timeout or the body limit answers becomes a problem and is counted
/// like every other answer.
fn behind_layers(paths: Router<ControlState>, state: &ControlState) -> Router {
    let fixed =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    let (body_bytes_max, request_wait) = state.request_limits();
    paths
        .merge(assets::routes())
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(body_bytes_max))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, request_wait.to_std()))
        .layer(from_fn_with_state(state.clone(), known))
        .layer(from_fn(as_problem))
        .layer(from_fn_with_state(state.clone(), measure))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .with_state(state.clone())
}

async fn nothing_else() -> Problem {
    let detail = format!("only {CLIENT_PATH} and shared reports are here");
    Problem::new(Code::UnknownPath, detail)
}

/// Finds out who sends a request, for the log: behind a trusted proxy that is not the socket's other
/// side. Wrong tokens are worth a warning, for somebody may be trying them out; failures of our own are
/// an error. Both may come with every request, so they are said once, then counted.
async fn known(
    State(state): State<ControlState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let client = client(&state, &request)?;
    // A trusted proxy's own requests are nobody's in particular.
    let single = client.filter(|client| !state.trusted_proxies().contains(*client));
    request.extensions_mut().insert(Client(single));
    let (method, path) = (request.method().clone(), shown_path(request.uri().path()));
    let mut response = next.run(request).await;
    let status = response.status();
    if let Some(Cause(error)) = response.extensions_mut().remove()
        && let Some(times) = state.note(Trouble::Request)
    {
        tracing::error!(%method, path, %error, times, "a request failed");
    }
    let client = client.map(tracing::field::display);
    let wrong =
        (status == StatusCode::UNAUTHORIZED).then(|| state.note(Trouble::WrongToken)).flatten();
    if let Some(times) = wrong {
        tracing::warn!(client, %method, path, times, "a request had no valid staff token or session");
    } else {
        tracing::debug!(client, %method, path, status = status.as_u16(), "answered");
    }
    Ok(response)
}

/// Who sends a request; a request that came without a socket, as tests send them, has nobody.
fn client(state: &ControlState, request: &Request) -> Result<Option<ClientAddress>, Problem> {
    let Some(&peer) = request.extensions().get::<Peer>() else { return Ok(None) };
    let lines = |name| -> Vec<&[u8]> {
        request.headers().get_all(name).iter().map(HeaderValue::as_bytes).collect()
    };
    let claims = Claims {
        x_forwarded_for: lines("x-forwarded-for"),
        forwarded: lines(header::FORWARDED.as_str()),
    };
    let client = client_address(peer, state.trusted_proxies(), &claims);
    client.map(Some).map_err(|why| Problem::new(Code::BadRequest, why.to_string()))
}

/// Gives every error the one shape, also those that a library answered.
async fn as_problem(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), shown_path(request.uri().path()));
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let done = kind.is_some_and(|kind| kind.as_bytes() == PROBLEM_JSON.as_bytes());
    if done || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let code = Code::of_status(status);
    let detail = match code {
        Code::UnknownPath => {
            format!("{path} is no path of this interface; /openapi.json lists them")
        }
        Code::MethodNotAllowed => {
            format!("{path} has no {method}; the header `Allow` lists what it has")
        }
        Code::BodyTooLarge => TOO_LARGE.to_owned(),
        Code::RequestTimeout => "the request was not answered in time; send it again, a command \
            with the same key"
            .to_owned(),
        _ => "the request cannot be understood; /openapi.json describes what can".to_owned(),
    };
    let mut problem = Problem::new(code, detail).into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

async fn measure(
    State(state): State<ControlState>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (started, method) = (state.engine().now(), request.method().clone());
    let response = next.run(request).await;
    let route = route.as_ref().map_or(metrics::UNKNOWN_ROUTE, MatchedPath::as_str);
    let took = state.engine().now().since(started).to_std();
    metrics::count_request(&method, route, response.status(), took);
    response
}
