//! The drills that the project puts its own server through.
//!
//! Each starts a real server or is given one, plays its part against it from outside, then says what it
//! found as one line of JSON. What it finds wrong is in the outcome; an error means that the drill could
//! not be carried through. `cargo xtask drill` builds and runs them.
//!
//! | module | what it does to a server |
//! |---|---|
//! | `crash` | kills it again and again under load, then audits every promise |
//! | `settlement` | reports payments twice, late, in any order, kills it meanwhile, then compares the books |
//! | `undo` | undoes the opening of a drop with many holds, kills the server in the middle of that |
//! | `facts` | measures payments that are reported beside a sale, and what they leave of the host's Pause |
//! | `crowd` | measures what its viewers cost it, how fast it reaches all of them |
//! | `open_loop` | offers half of its peak by a schedule |
//! | `clocks` | sets its wall clock wrong, right and back while it sells |
//! | `abuse` | plays a sale beside hostile clients |
//! | `probe` | sends few buyers one after the other |
//! | `server`, `staffed_server` | a server as a process; the same with a staff that plans and opens drops |
//! | `host` | a host who presses Pause and Resume |
//! | `viewers` | viewers on one thread, as many as a drill needs |
//! | `requests` | requests to the control API as bytes |
//! | `core_pair`, `core_shares` | cores for the server and its load; how busy these are |
//! | `waiting`, `descriptors`, `figures`, `error` | patience, limits, rates, why a drill breaks off |

mod abuse;
mod clocks;
mod core_pair;
mod core_shares;
mod crash;
mod crowd;
mod descriptors;
mod error;
mod facts;
mod figures;
mod host;
mod open_loop;
mod probe;
mod requests;
mod server;
mod settlement;
mod staffed_server;
mod undo;
mod viewers;
mod waiting;

pub use abuse::{Abuse, AbuseError, AbuseOutcome, AbuseTally, SECONDS_MAX, run_abuse};
pub use clocks::{ClockDrill, ClockOutcome, run_clock_drill};
pub use crash::{CrashDrill, CrashOutcome, run_crash_drill};
pub use crowd::{CrowdDrill, CrowdOutcome, run_crowd_drill, run_send_loop};
pub use error::DrillError;
pub use facts::{FactsDrill, FactsOutcome, run_facts};
pub use open_loop::{OpenLoop, OpenLoopOutcome, OpenLoopRow, run_open_loop};
pub use probe::{Probe, ProbeError, ProbeOutcome, run_probe};
pub use settlement::{SettlementDrill, SettlementOutcome, run_settlement_drill};
pub use undo::{UndoDrill, UndoOutcome, run_undo_drill};
