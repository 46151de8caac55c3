//! The JSON bodies of the HTTP interface, separate from the domain's own types.

mod amendment;
mod attention;
mod brake;
mod command;
mod demo;
mod drop;
mod follow;
mod health;
mod invitation;
mod list;
mod orders;
mod payment_facts;
mod payments;
mod people;
mod plan;
mod recorded;
mod rehearsal;
mod report;
mod requests;
mod rooms;
mod session;
mod settings;
mod shares;
mod shows;
mod stage;
mod standing;
mod stream_list;
mod timeline;
mod tokens;

pub(crate) use amendment::{Amendment, SkuLimit};
pub(crate) use attention::{
    ATTENTION_DEFAULT, AttentionKind, AttentionLine, AttentionList, AttentionParams,
};
pub(crate) use brake::{BanBody, BanList, BanParams, BanState, BrakeState, RatesBody, StopBody};
pub(crate) use command::{
    Accepted, Cancellation, Closing, Decision, Extension, MoveBody, OpenBody, PlainBody, Reason,
    Restock, StreamReported, TakeBack,
};
pub use demo::{DemoKill, DemoStage, DemoState};
pub(crate) use drop::DropState;
pub(crate) use follow::{
    DropFigures, DropGone, Encoded, FollowParams, SecondState, StillThere, StreamSnapshot,
};
pub(crate) use health::{Alive, Ready};
pub(crate) use invitation::{
    InvitationBody, InvitationLine, InvitationList, Invited, LookBody, Seen,
};
pub(crate) use list::{DropList, DropSummary, ListParams, StreamState};
pub(crate) use orders::{
    FoundHold, OrderForm, OrderLine, OrderList, OrderParams, OrderSearch, OrderSearchParams,
    OrderTextKind, SEARCH_FOUND_DEFAULT,
};
pub(crate) use payment_facts::{FactAnswer, FactBody};
pub(crate) use payments::{ChargesBody, HoldState, PaymentAnswer, TodoHold, TodoList, TodoParams};
pub(crate) use people::{CommandGiven, PeopleState, PersonState};
pub(crate) use plan::{ModeName, PlanBody};
pub(crate) use recorded::{CommandLine, CommandList, CommandParams};
pub(crate) use rehearsal::{RehearsalBody, RehearsalState};
pub(crate) use report::{ReportForm, ReportParams, SharedParams, ShowReportForm, ShowReportParams};
pub(crate) use requests::{RequestLine, RequestList, RequestParams, RequestState};
pub(crate) use rooms::{
    Guest, NewOwner, RoomBody, RoomChanged, RoomDrop, RoomList, RoomParams, RoomState, RoomSummary,
    VideoDelay,
};
pub(crate) use session::{
    SessionEnding, SessionLine, SessionList, SessionState, SignIn, SignInBody,
};
pub(crate) use settings::SettingsInForce;
pub(crate) use shares::{
    MadeShareBody, ShareBody, ShareLine, ShareList, ShareParams, SharedFacts, SharedReport,
};
pub(crate) use shows::{GrossOfCurrency, ListedShow, ShowDrop, ShowList, ShowParams};
pub(crate) use stage::{LineBody, StageDrop, StreamChanged, StreamFacts};
pub(crate) use standing::{PhaseName, SeenState};
pub(crate) use stream_list::{StreamList, StreamListParams, StreamSummary};
pub(crate) use timeline::{HoldStory, Timeline};
pub(crate) use tokens::{TokenLine, TokenList};
