//! Crowds without a viewers' port.

use std::{io, sync::Arc};

use parking_lot::Mutex;
use stampede_control::{Crowd, CrowdFigures, CrowdSource};
use stampede_domain::StreamId;

/// Sends crowds of which only the number is known.
#[derive(Default)]
pub(crate) struct FakeCrowds {
    /// Places for viewers that are taken, of 1,500.
    pub(crate) taken: Mutex<u32>,
    /// The crowds that are in.
    pub(crate) sent: Arc<Mutex<Vec<(StreamId, u32)>>>,
}

struct FakeCrowd {
    stream: StreamId,
    viewers: u32,
    sent: Arc<Mutex<Vec<(StreamId, u32)>>>,
}

impl FakeCrowds {
    /// Viewers of each stream's crowd.
    pub(crate) fn viewers(&self) -> Vec<u32> {
        self.sent.lock().iter().map(|(_, viewers)| *viewers).collect()
    }
}

impl CrowdSource for FakeCrowds {
    fn places(&self) -> u32 {
        1_500 - *self.taken.lock()
    }

    fn send(&self, stream: &StreamId, viewers: u32) -> io::Result<Box<dyn Crowd>> {
        self.sent.lock().push((stream.clone(), viewers));
        let (stream, sent) = (stream.clone(), Arc::clone(&self.sent));
        Ok(Box::new(FakeCrowd { stream, viewers, sent }))
    }
}

impl Crowd for FakeCrowd {
    fn figures(&self) -> CrowdFigures {
        CrowdFigures { connected: self.viewers, holds: 3, orders: 1 }
    }
}

impl Drop for FakeCrowd {
    fn drop(&mut self) {
        self.sent.lock().retain(|(stream, _)| *stream != self.stream);
    }
}
