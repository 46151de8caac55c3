//! An open-loop crowd of viewers that audits every promise it received.
//!
//! The crowd is a black box's opposite number: it knows the viewer protocol and the HTTP API, nothing
//! of the engine. [`run_crowd`] plays the viewers of one process; [`Fleet`] starts several processes
//! and adds them up. Arrivals follow a schedule whatever the replies, and latency counts from the
//! planned moment, so a slow server cannot slow the measurement down.

mod abuse;
mod audience;
mod audit;
mod clock_drill;
mod control;
mod core_shares;
mod cores;
mod counts;
mod crash;
mod crowd;
mod crowd_drill;
mod drill;
mod fleet;
mod gallery;
mod hall;
mod hearing;
mod keys;
mod latency;
mod mailbox;
mod open_loop;
mod pacer;
mod plan;
mod probe;
mod promise;
mod schedule;
mod server;
mod viewer;
mod world;

pub use abuse::{Abuse, AbuseError, AbuseOutcome, AbuseTally, SECONDS_MAX, run_abuse};
pub use audience::{
    Audience, AudienceError, AudiencePlan, AudienceReport, Interest, audience_process,
};
pub use audit::{
    AuditResult, Ledger, LedgerError, Outage, Reconciliation, Sums, audit_promises, early_expiries,
    reconcile,
};
pub use clock_drill::{ClockDrill, ClockOutcome, run_clock_drill};
pub use control::{
    ControlClient, ControlError, Demand, DropState, DropTerms, Price, SkuState, SkuTerms,
};
pub use counts::{Counts, CrowdResult, Progress};
pub use crash::{CrashDrill, CrashOutcome, run_crash_drill};
pub use crowd::{CrowdError, run_crowd};
pub use crowd_drill::{CrowdDrill, CrowdOutcome, run_crowd_drill, run_send_loop};
pub use drill::DrillError;
pub use fleet::{Fleet, FleetError, crowd_process};
pub use keys::{TicketKeyError, first_ticket_key};
pub use latency::{Latency, LatencySummary};
pub use open_loop::{OpenLoop, OpenLoopOutcome, OpenLoopRow, run_open_loop};
pub use plan::{Behaviour, CrowdPlan, PlanError, SchedulePlan, ViewerRange};
pub use probe::{Probe, ProbeError, ProbeOutcome, run_probe};
pub use promise::{
    Promise, PromiseLogError, Promised, promise_bytes, read_promises, read_promises_within,
};
pub use world::Live;
