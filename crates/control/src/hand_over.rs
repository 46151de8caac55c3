//! Requests about payments go to a thread of their own.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    auth::PaymentsCaller, credentials::is_of_payments, problem::Problem, state::ControlState,
};

/// Hands a request about payments over to its thread, every other request on.
pub(crate) async fn hand_over(
    State(state): State<ControlState>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !is_of_payments(path.as_str()) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let caller = PaymentsCaller::from_request_parts(&mut parts, &state).await?;
    let place = state.payment_lane().place(&caller)?;
    let runtime = state.payment_lane().runtime()?;
    parts.extensions.insert(caller);
    let request = Request::from_parts(parts, body);
    let answered = runtime.spawn(async move {
        let response = next.run(request).await;
        drop(place);
        response
    });
    answered.await.map_err(|error| Problem::internal(&error))
}
