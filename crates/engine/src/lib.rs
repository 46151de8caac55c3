//! One sale: takes on every core joined to the ledger by a single steward thread.
//!
//! Each gateway core owns a [`CorePort`] that decides buys on the spot; everything else is decided
//! by the steward in one order. Promises leave when they are durable: takes by the position of
//! their record, the steward's decisions by the events and answers that it sends afterwards.

mod answers;
mod applier;
mod asked;
mod attempts;
mod brake;
mod buy;
mod changes;
mod channel_counts;
mod clock;
mod config;
mod core_drop;
mod counter;
mod counts;
mod ended_holds;
mod engine;
mod event;
mod extensions;
mod figures;
mod fresh_takes;
mod growth;
mod health;
mod hold_channels;
mod hold_ends;
mod hold_look;
mod last_work;
pub mod metrics;
mod money;
mod moved_orders;
mod paying;
mod port;
mod recent;
mod recover;
mod recover_error;
mod recover_pool;
mod recover_rooms;
mod recover_stock;
mod reserves;
mod sale;
mod shared;
mod shared_rate_debt;
mod span;
mod start;
#[cfg(feature = "stepped")]
pub mod stepped;
mod steward;
mod stretches;
mod summary;
mod suspensions;
mod tally;
mod terms;
mod unavailable;
mod video;
mod view;
mod viewer;

pub use answers::AnswerTotals;
pub use asked::ShownRequests;
pub use brake::{Brake, BrakeView};
pub use buy::{Buy, BuyRequest, Durability};
pub use changes::Changes;
pub use clock::{Clock, MachineTime};
pub use config::{ConfigError, EngineConfig};
pub use engine::Engine;
pub use event::{CoreEvent, ViewerEvent, Wake};
pub use figures::SkuFigures;
pub use health::{Health, HealthWatch};
pub use hold_ends::{HoldEnding, SOON_MS};
pub use money::{
    HoldGoods, HoldMoney, MoneyError, OpenMatters, OverMatters, OverMoney, read_money,
};
pub use paying::{PAYING_WINDOW_MS, PayingFigures};
pub use port::CorePort;
pub use recent::{SECONDS_KEPT, Second};
pub use recover_error::RecoverError;
pub use sale::SaleDrop;
pub use shared_rate_debt::SharedRateDebt;
pub use stampede_books::{
    Action, AmendRefusal, AmendTerms, AskedFor, Attempt, BrakeAction, CancelOrder, CommandOutcome,
    CommandRefusal, Done, DropAction, FactRefusal, HoldLook, HoldOutcome, HoldStatus,
    PaymentOutcome, ReopenedDrop, RequestRefusal, RestockRequest, Role, RoomView, SeenDrop,
    StaffCommand, StockRefusal, StreamAction, StreamScope, TakeBack, Totals, UnmatchedAsk,
    UnmatchedEntry, UnmatchedPage, VideoRefusal, WindDownRefusal,
    brake::{Arrival, Ban, BrakeEntry},
    patch_request,
};
pub use stampede_domain::Moment;
pub use stampede_ledger::{
    BootId, NoCopy, PlannedCopy, Position, ProviderRequest, RequestEnd, RoomOwner, UnmatchedPayment,
};
pub use stampede_settlement::{
    HoldAccount, Matter, MatterKind, Part, PartOutcome, PartState, PaymentRefusal,
};
pub use start::{StartError, start};
pub use summary::{DropSummary, FinalFigures};
pub use unavailable::Unavailable;
pub use view::{DropStanding, DropView};
pub use viewer::{Connection, Viewer};
