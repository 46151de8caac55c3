//! The thread that makes places for takes ahead of need.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, SyncSender},
    },
    thread,
};

use crate::sale::SaleDrop;

/// Drops that may wait. When full: the drop asks again with a later take, and until then its takers
/// make their own places.
const DROPS_MAX: usize = 1_024;

/// Asks the thread; it ends with the last of these.
#[derive(Clone)]
pub(crate) struct Growth(SyncSender<Arc<SaleDrop>>);

impl Growth {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub(crate) fn spawn() -> io::Result<Self> {
        let (asked, drops) = mpsc::sync_channel::<Arc<SaleDrop>>(DROPS_MAX);
        let work = move || drops.into_iter().for_each(|sale| sale.grow());
        thread::Builder::new().name("stock-growth".into()).spawn(work)?;
        Ok(Self(asked))
    }

    /// Without a thread: the taker makes the places.
    #[cfg(feature = "stepped")]
    pub(crate) fn none() -> Self {
        let (asked, _nobody) = mpsc::sync_channel(1);
        Self(asked)
    }

    /// Has the drop's memory grown soon; never waits. A drop waits once at most.
    pub(crate) fn ask(&self, sale: &Arc<SaleDrop>) {
        if sale.may_ask_for_growth() && self.0.try_send(Arc::clone(sale)).is_err() {
            sale.may_ask_again();
        }
    }
}
