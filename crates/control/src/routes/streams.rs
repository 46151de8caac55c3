//! What the platform reports about its streams.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use stampede_engine::Action;

use super::commands::{CommandProblems, KEY_HELP, Sender, marked};
use crate::{
    auth::Staff,
    dto::{Reason, StreamReported},
    extract::{Key, OptionalBody, StreamPath},
    problem::Problem,
    state::ControlState,
};

macro_rules! reports {
    ($($(#[$doc:meta])* $name:ident $path:literal $id:literal $action:ident $online:literal)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "streams",
            operation_id = $id,
            params(
                ("stream" = String, Path, description = "The stream, by the platform's id."),
                ("Idempotency-Key" = String, Header, description = KEY_HELP),
            ),
            request_body(content = Option<Reason>, description = "May be left out."),
            security(("staff" = [])),
            responses(
                (status = 200, description = "The report is recorded.", body = StreamReported),
                CommandProblems,
            )
        )]
        pub(super) async fn $name(
            State(state): State<ControlState>,
            staff: Staff,
            Key(key): Key,
            StreamPath(stream): StreamPath,
            OptionalBody(body): OptionalBody<Reason>,
        ) -> Result<Response, Problem> {
            let reported = StreamReported::new(&stream, $online);
            let sender = Sender { state, staff, key };
            let done = sender.decided(None, Action::$action { stream }, body.reason).await?;
            Ok(marked(Json(reported).into_response(), done.replayed))
        }
    )*};
}

reports! {
    /// Report that a stream is offline. Its drops go on, or pause after the time that their plan allows.
    offline "/v1/streams/{stream}/offline" "stream_offline" StreamOffline false
    /// Report that a stream is back. Drops that paused meanwhile go on if their plan says so.
    online "/v1/streams/{stream}/online" "stream_online" StreamOnline true
}
