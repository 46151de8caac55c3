//! The thread that answers what is asked under `/v1/payments`, apart from all other requests.
//!
//! Facts about payments may come in floods, and the interface has one thread, which a host's Pause needs at once. So
//! that thread only finds out who asks; the rest happens here: the body, the decision, the answer. A request that
//! nobody waits for any more is answered all the same, so what was read is decided.

use std::thread;

use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use crate::{
    ControlConfig,
    auth::PaymentsCaller,
    fair_use::{HeldPlace, NoPlace, Places},
    problem::{Code, Problem},
};

/// A thread with its requests, of which each caller has a share at most.
#[derive(Debug)]
pub(crate) struct PaymentLane {
    places: Places,
    /// Begun by the first request: most servers have none.
    thread: Mutex<Option<LaneThread>>,
}

#[derive(Debug)]
struct LaneThread {
    runtime: Handle,
    /// The thread ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

impl PaymentLane {
    pub(crate) fn new(config: &ControlConfig) -> Self {
        let places =
            Places::new(config.payments_in_flight_max, config.payments_in_flight_per_caller_max);
        Self { places, thread: Mutex::default() }
    }

    pub(crate) fn place(&self, caller: &PaymentsCaller) -> Result<HeldPlace, Problem> {
        self.places.take(&caller.staff().holder()).map_err(|none| {
            let whose = match none {
                NoPlace::Share => "as many of your own requests about payments as may be",
                NoPlace::Full => "as many requests about payments as may be",
            };
            Problem::retry(Code::Busy, format!("{whose} are under way; send this one again soon"))
        })
    }

    pub(crate) fn runtime(&self) -> Result<Handle, Problem> {
        let mut thread = self.thread.lock();
        if let Some(running) = &*thread {
            return Ok(running.runtime.clone());
        }
        let begun = LaneThread::begin().map_err(|error| Problem::internal(&error))?;
        Ok(thread.insert(begun).runtime.clone())
    }
}

impl LaneThread {
    fn begin() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // An error is the end that was waited for: the sender is gone.
            let _ = runtime.block_on(stopped);
        };
        thread::Builder::new().name("payments-api".into()).spawn(run)?;
        Ok(Self { runtime: handle, _stop: stop })
    }
}
