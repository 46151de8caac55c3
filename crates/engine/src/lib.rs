//! One sale: takes on every core joined to the ledger by a single steward thread.
//!
//! Each gateway core owns a [`CorePort`] that decides buys on the spot; everything else is decided
//! by the steward in one order. Promises leave when they are durable: takes by the position of
//! their record, the steward's decisions by the events and answers that it sends afterwards.

mod answers;
mod applier;
mod brake;
mod buy;
mod changes;
mod clock;
mod command;
mod config;
mod core_drop;
mod counts;
mod engine;
mod event;
mod fresh_takes;
mod growth;
mod hold_channels;
mod hold_ends;
mod last_work;
pub mod metrics;
mod offline;
mod on_air;
mod port;
mod recent;
mod recover;
mod recover_brake;
mod recover_error;
mod recover_pool;
mod recover_rooms;
mod recover_times;
mod rooms;
mod sale;
mod seen;
mod shared;
mod shared_spent;
mod start;
mod steward;
mod stream_scope;
mod summary;
mod suspensions;
mod tally;
mod video;
mod view;
mod viewer;

pub use answers::Answered;
pub use brake::{Arrival, Ban, Brake, BrakeEntry, BrakeView};
pub use buy::{Buy, BuyRequest, HoldLook, HoldStatus};
pub use changes::Changes;
pub use clock::{Clock, MachineTime, Moment};
pub use command::{Action, CommandOutcome, CommandRefusal, Done, Role, StaffCommand, Unavailable};
pub use config::{ConfigError, EngineConfig};
pub use engine::{Engine, Health};
pub use event::{CoreEvent, ViewerEvent, Wake};
pub use hold_ends::{HoldEnding, SOON_MS};
pub use port::CorePort;
pub use recent::{SECONDS_KEPT, Second};
pub use recover_error::RecoverError;
pub use rooms::RoomView;
pub use sale::{SaleDrop, SkuFigures};
pub use seen::SeenDrop;
pub use shared_spent::SharedSpent;
pub use stampede_ledger::{BootId, Position, RoomOwner};
pub use start::{StartError, start};
pub use steward::{ConfirmOutcome, FailOutcome};
pub use stream_scope::StreamScope;
pub use summary::{DropSummary, FinalFigures};
pub use tally::Totals;
pub use video::VideoRefusal;
pub use view::{DropStanding, DropView};
pub use viewer::{Connection, Viewer};
