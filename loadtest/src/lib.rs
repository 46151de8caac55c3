//! An open-loop crowd of viewers that audits every promise it received.
//!
//! The crowd is a black box's opposite number: it knows the viewer protocol and the HTTP API, nothing
//! of the engine. [`run_crowd`] plays the viewers of one process; [`CrowdProcesses`] starts several
//! processes and adds them up. Arrivals follow a schedule whatever the replies, and latency counts from
//! the planned moment, so a slow server cannot slow the measurement down.
//!
//! | module | what it does |
//! |---|---|
//! | `plan` | what one process of the crowd is to do |
//! | `crowd` | the schedule, the viewers who follow it, several processes of them |
//! | `run` | a whole load test against a running server: sale, audit, verdict |
//! | `screen` | progress for a person at a terminal |
//! | `audience` | people who stay for a whole show, whatever its host does |
//! | `till` | a platform's payment side: takes money, reports it, gives it back |
//! | `recorder` | counts, latencies, the log of promises |
//! | `audit` | promises held against the ledger |
//! | `causes` | errors for people |
//! | `control`, `keys` | what a load test needs of the HTTP API, of the server's keys |

mod audience;
mod audit;
mod causes;
mod control;
mod crowd;
mod keys;
mod plan;
mod recorder;
mod run;
mod screen;
mod till;

pub use audience::{
    Audience, AudienceError, AudiencePlan, AudienceReport, Interest, RehearsalAudience,
    RehearsalPlan, audience_process,
};
pub use audit::{
    AuditResult, Ledger, LedgerError, Money, Outage, Reconciliation, Sums, audit_promises,
    early_expiries, reconcile,
};
pub use control::{
    ControlClient, ControlError, Demand, DropState, DropTerms, PaymentTimes, PlannedDrop,
    PlannedSku, Price, SkuState, SkuTerms,
};
pub use crowd::{
    CrowdError, CrowdProcessError, CrowdProcesses, CrowdWord, Live, crowd_process, run_crowd,
};
pub use keys::{TicketKeyError, signing_ticket_key};
pub use plan::{Behaviour, CrowdPlan, PayAt, PlanError, Roots, SchedulePlan, ViewerRange};
pub use recorder::{
    Counts, CrowdResult, Latency, LatencySummary, Progress, Promise, PromiseLog, PromiseLogError,
    Promised, TROUBLES_MAX, promise_bytes, read_promises, read_promises_within,
};
pub use run::{LoadArgs, run_load};
pub use screen::Screen;
pub use till::{Checkout, Provider, ReportedMoney, Till, TillAccount, TillFigures};
