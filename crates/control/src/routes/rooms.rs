//! Whose a stream is, who may sell in it.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stampede_domain::{MerchantId, StreamId};
use stampede_engine::{Role, RoomOwner, RoomView, StreamAction};

use super::{
    QueryProblems,
    commands::{CommandProblems, KEY_HELP, Sender, marked},
};
use crate::{
    auth::Staff,
    dto::{
        Guest, NewOwner, Reason, RoomBody, RoomChanged, RoomDrop, RoomList, RoomParams, RoomState,
        RoomSummary, VideoDelay,
    },
    extract::{Body, Key, OptionalBody, Params, StreamPath},
    problem::{Code, Problem, ProblemBody},
    rehearsed::leave_out_past,
    state::ControlState,
};

/// How much of a room a token may see.
pub(super) enum Sight {
    /// All of it: it is the owner's, or the token is bound to no merchant.
    Whole,
    /// What is about this merchant, who is admitted.
    Of(MerchantId),
    /// Nothing.
    Nothing,
}

impl Sight {
    pub(super) fn of(staff: &Staff, room: &RoomView) -> Self {
        if !staff.streams().covers(&room.stream) {
            return Self::Nothing;
        }
        match (staff.role(), staff.merchant()) {
            (Role::Creator, _) if room.is_creators(staff.name()) => Self::Whole,
            (Role::Creator, _) => Self::Nothing,
            (_, None) => Self::Whole,
            (_, Some(bound)) if room.owner == RoomOwner::Merchant(bound.clone()) => Self::Whole,
            (_, Some(bound)) if room.lets_in(bound) => Self::Of(bound.clone()),
            _ => Self::Nothing,
        }
    }

    fn sees(&self, merchant: &MerchantId) -> bool {
        match self {
            Self::Whole => true,
            Self::Of(own) => own == merchant,
            Self::Nothing => false,
        }
    }
}

/// The streams that belong to somebody, by name, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/rooms",
    tag = "rooms",
    operation_id = "list_rooms",
    params(RoomParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The rooms that the token may see.", body = RoomList),
        QueryProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<RoomParams>,
) -> Result<Json<RoomList>, Problem> {
    let after: Option<StreamId> = params.after.as_deref().map(str::parse).transpose().map_err(
        |error: stampede_domain::IdError| Problem::new(Code::BadQuery, format!("after: {error}")),
    )?;
    let limit = params.limit.get();
    let sees = |room: &RoomView| !matches!(Sight::of(&staff, room), Sight::Nothing);
    let mut found = state.engine().rooms(after.as_ref(), limit + 1, sees);
    let is_cut = found.len() > limit;
    found.truncate(limit);
    let summary = |room: &RoomView| {
        let sight = Sight::of(&staff, room);
        RoomSummary::new(room, |merchant| sight.sees(merchant))
    };
    let rooms: Vec<_> = found.iter().map(summary).collect();
    let next = rooms.last().filter(|_| is_cut).map(|last| last.stream.clone());
    Ok(Json(RoomList { rooms, next }))
}

/// A stream's owner, whom it admits, what is planned there.
#[utoipa::path(
    get,
    path = "/v1/rooms/{stream}",
    tag = "rooms",
    operation_id = "room_state",
    params(("stream" = String, Path, description = "The stream's id, as the plans name it.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The room, as far as the token may see it.", body = RoomState),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "The stream belongs to nobody, or to somebody who has not admitted the token's merchant.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn state(
    State(state): State<ControlState>,
    staff: Staff,
    StreamPath(stream): StreamPath,
) -> Result<Json<RoomState>, Problem> {
    let unknown = || {
        let detail = format!("stream {stream} belongs to nobody, or to nobody you work with");
        Problem::new(Code::UnknownRoom, detail)
    };
    let room = state.engine().room(&stream).ok_or_else(unknown)?;
    let sight = Sight::of(&staff, &room);
    if matches!(sight, Sight::Nothing) {
        return Err(unknown());
    }
    let mut drops = state.engine().stream(&stream);
    leave_out_past(&mut drops);
    drops.retain(|sale| !sale.phase().is_final() && sight.sees(&sale.plan().merchant));
    let drops = drops.iter().map(|sale| RoomDrop::new(sale)).collect();
    let room = RoomSummary::new(&room, |merchant| sight.sees(merchant));
    Ok(Json(RoomState { room, drops }))
}

/// Give an owner to a stream that has none.
#[utoipa::path(
    post,
    path = "/v1/rooms",
    tag = "rooms",
    operation_id = "make_room",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body = RoomBody,
    security(("staff" = [])),
    responses(
        (status = 201, description = "The stream has its owner.", body = RoomChanged,
            headers(("Location", description = "Where the room can be read."))),
        CommandProblems,
    )
)]
pub(super) async fn make(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    Body(body): Body<RoomBody>,
) -> Result<Response, Problem> {
    let (stream, action) = body.to_action()?;
    let location = format!("/v1/rooms/{stream}");
    let mut response = change(Sender { state, staff, key }, stream, action, body.reason).await?;
    *response.status_mut() = StatusCode::CREATED;
    let location = HeaderValue::try_from(location).expect("an id is plain ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Gives a command about a room.
async fn change(
    sender: Sender,
    stream: StreamId,
    action: StreamAction,
    reason: Option<String>,
) -> Result<Response, Problem> {
    let changed = RoomChanged { stream: stream.to_string(), action: action.name() };
    let done = sender.decided(action.on(stream), reason).await?;
    Ok(marked(Json(changed).into_response(), done.replayed))
}

macro_rules! changes {
    ($($(#[$doc:meta])* $method:ident $name:ident $path:literal $id:literal $done:literal
        $extract:ident $body:ty, $content:ty, $help:literal: $action:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            $method,
            path = $path,
            tag = "rooms",
            operation_id = $id,
            params(
                ("stream" = String, Path, description = "The stream's id, as the plans name it."),
                ("Idempotency-Key" = String, Header, description = KEY_HELP),
            ),
            request_body(content = $content, description = $help),
            security(("staff" = [])),
            responses((status = 200, description = $done, body = RoomChanged), CommandProblems)
        )]
        pub(super) async fn $name(
            State(state): State<ControlState>,
            staff: Staff,
            Key(key): Key,
            StreamPath(stream): StreamPath,
            $extract(body): $extract<$body>,
        ) -> Result<Response, Problem> {
            let action: fn(&$body) -> Result<StreamAction, Problem> = $action;
            let action = action(&body)?;
            change(Sender { state, staff, key }, stream, action, body.reason).await
        }
    )*};
}

changes! {
    /// Give a stream to another owner. Planned drops and admitted merchants stay.
    post move_to "/v1/rooms/{stream}/move" "move_room" "The stream has its new owner."
        Body NewOwner, NewOwner, "The new owner.": |body| body.to_action();
    /// Admit a merchant: it may plan drops in the stream.
    post admit "/v1/rooms/{stream}/admit" "admit_merchant" "The merchant may plan drops in the stream."
        Body Guest, Guest, "Whom.": |body| Ok(StreamAction::Admit { merchant: body.merchant()? });
    /// Dismiss a merchant: it may plan no more drops in the stream. Its planned drops stay.
    post dismiss "/v1/rooms/{stream}/dismiss" "dismiss_merchant"
        "The merchant may plan no more drops in the stream."
        Body Guest, Guest, "Whom.": |body| Ok(StreamAction::Dismiss { merchant: body.merchant()? });
    /// Let hosts plan drops of a merchant in the stream; for that merchant's staff and for admins.
    post allow_hosts "/v1/rooms/{stream}/allow-hosts" "allow_hosts" "Hosts may plan the merchant's drops in the stream."
        Body Guest, Guest, "Whose drops.": |body| Ok(StreamAction::AllowHosts { merchant: body.merchant()? });
    /// Let hosts plan drops of a merchant in the stream no more. What is planned stays.
    post forbid_hosts "/v1/rooms/{stream}/forbid-hosts" "forbid_hosts"
        "Hosts may plan no more of the merchant's drops in the stream."
        Body Guest, Guest, "Whose drops.": |body| Ok(StreamAction::ForbidHosts { merchant: body.merchant()? });
    /// Say how much later viewers see and hear the stream, so that its hosts are told when to speak.
    post video_delay "/v1/rooms/{stream}/video-delay" "set_video_delay" "The delay is set."
        Body VideoDelay, VideoDelay, "How much later.": |body| Ok(body.to_action());
    /// End the ownership of a stream without planned drops.
    delete end "/v1/rooms/{stream}" "end_room" "The stream belongs to nobody."
        OptionalBody Reason, Option<Reason>, "May be left out.": |_| Ok(StreamAction::EndRoom);
}
