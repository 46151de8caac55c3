//! What a load test writes down: counts, latencies, the promises that viewers received.

mod counts;
mod latency;
mod promise;

pub use self::{
    counts::{Counts, CrowdResult, Progress, TROUBLES_MAX},
    latency::{Latency, LatencySummary},
    promise::{
        Promise, PromiseLog, PromiseLogError, Promised, promise_bytes, read_promises,
        read_promises_within,
    },
};
