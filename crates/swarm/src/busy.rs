//! The cost of the generator itself.

use rustix::{
    io,
    process::{Resource, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
    time::{ClockId, Timespec, clock_gettime},
};

/// Compares the time that this thread has run with the time that has passed.
#[derive(Clone, Copy, Debug)]
pub struct Busy {
    ran_ns: u64,
    passed_ns: u64,
}

impl Busy {
    /// Starts to measure the calling thread.
    pub fn start() -> Self {
        Self { ran_ns: ran_ns(), passed_ns: passed_ns() }
    }

    /// The share of the time since the start that the calling thread has run: 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than three digits")]
    pub fn share(&self) -> f64 {
        let passed = passed_ns().saturating_sub(self.passed_ns).max(1);
        let ran = ran_ns().saturating_sub(self.ran_ns);
        (ran as f64 / passed as f64).min(1.0)
    }
}

fn ran_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

fn passed_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

fn nanoseconds(at: Timespec) -> u64 {
    let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(at.tv_nsec).unwrap_or(0)
}

/// Keeps the calling thread, with the threads and processes that it starts later, on one core.
pub fn stay_on_core(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores)
}

/// Lets this process have as many descriptors as it may; how many that are.
pub fn raise_descriptor_limit() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let current = limit.current;
        limit.current = limit.maximum;
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit.current = current;
        }
    }
    limit.current.unwrap_or(u64::MAX)
}
