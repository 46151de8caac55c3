//! Real browsers at a real server with a running crowd: `cargo xtask e2e`.
//!
//! [`harness`] has what every run stands on; each other module is one kind of run.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod accounts;
mod axe;
mod buffered;
mod corrections;
mod cue;
mod evening;
mod faults;
mod harness;
mod host_plans;
mod keyboard;
mod load;
mod measure;
mod more;
mod ops;
mod orders;
mod past;
mod pictures;
mod plan;
mod plan_table;
mod plan_tabs;
mod rehearsal;
mod reports;
mod share;
mod shop_page;
mod show;
mod staged;
mod tabs;
mod two_hosts;
