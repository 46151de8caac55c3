//! The HTTP interface for hosts, merchants, ops with their tools.
//!
//! [`router`] is the whole interface, [`shared`] the part that anybody may read; [`serve`] answers either on a
//! listener. Commands go to the
//! engine, which decides whether the actor may give them, records the outcome, answers when the
//! record is durable. Whatever is read from the ledger,
//! `stampede-report` reads.

mod answered;
mod assets;
mod auth;
mod by_address;
mod config;
mod cookie;
mod credentials;
mod damage;
mod demo;
mod draining;
mod dto;
mod extract;
mod fair_use;
mod follow;
mod guesses;
mod hand_over;
mod lane;
mod merge_patch;
pub mod metrics;
mod needle;
mod openapi;
mod opening;
mod payment_keys;
mod place;
mod price_minima;
mod problem;
mod queries;
mod rehearsal;
mod rehearsed;
mod reopening;
mod report_file;
mod router;
mod routes;
mod serve;
mod site;
mod staff;
mod stage;
mod stall;
mod state;

pub use assets::CLIENT_PATH;
pub use auth::SignedIn;
pub use config::{ConfigError, ControlConfig, FOLLOWERS_MAX};
pub use demo::{AskKill, Demo};
pub use draining::DrainSignal;
pub use dto::{DemoKill, DemoStage, DemoState};
pub use price_minima::{AccountMinima, PriceMinima};
pub use rehearsal::{
    CROWD_DEFAULT, CROWD_MAX, CROWD_MIN, CROWDS_VIEWERS_MAX, Crowd, CrowdFigures, CrowdSource,
};
pub use router::{Interface, router, shared};
pub use serve::serve;
pub use site::{PublicUrl, PublicUrlError, Site};
pub use staff::{
    Grant, INVITATION_VALID_MAX, INVITATION_VALID_MIN, INVITATIONS_MAX, INVITATIONS_PER_NAME_MAX,
    Invitation, Inviter, IssuedToken, MadeShare, NewInvitation, NewSession, NewShare, NewStaff,
    Opened, SESSION_KEPT, SESSIONS_MAX, SESSIONS_PER_NAME_MAX, SHARE_LABEL_BYTES_MAX,
    SHARE_VALID_DEFAULT, SHARE_VALID_MAX, SHARE_VALID_MIN, SHARES_MAX, SHARES_PER_HOLDER_MAX,
    STAFF_NAME_BYTES_MAX, STAFF_STREAMS_MAX, STAFF_TOKENS_MAX, Session, SessionLimits, Sessions,
    Share, ShareSubject, Shares, StaffError, StaffSecret, StaffToken, StaffTokens, join_path,
    shared_path, shown_path,
};
pub use state::{ControlParts, MetricsText};
