//! Crowds without a viewers' port.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use stampede_control::{Crowd, CrowdFigures, CrowdSource};
use stampede_domain::StreamId;

/// Sends crowds of which only the number is known.
#[derive(Default)]
pub(crate) struct FakeCrowds {
    /// Places for viewers that are taken, of 2,500.
    pub(crate) taken: Mutex<u32>,
    /// Whether real viewers need the places of the crowds.
    pub(crate) is_nearly_full: AtomicBool,
    /// Whether no crowd can set out.
    pub(crate) fails: AtomicBool,
    /// The crowds that are in.
    pub(crate) sent: Arc<Mutex<Vec<(StreamId, u32)>>>,
    /// Whether those that are in could not go on.
    pub(crate) has_left: Arc<AtomicBool>,
}

struct FakeCrowd {
    stream: StreamId,
    viewers: u32,
    sent: Arc<Mutex<Vec<(StreamId, u32)>>>,
    has_left: Arc<AtomicBool>,
}

impl FakeCrowds {
    /// Viewers of each stream's crowd.
    pub(crate) fn viewers(&self) -> Vec<u32> {
        self.sent.lock().iter().map(|(_, viewers)| *viewers).collect()
    }
}

impl CrowdSource for FakeCrowds {
    fn places(&self, _connected: u32) -> u32 {
        2_500 - *self.taken.lock()
    }

    fn is_nearly_full(&self) -> bool {
        self.is_nearly_full.load(Ordering::Relaxed)
    }

    fn send(&self, stream: &StreamId, viewers: u32) -> io::Result<Box<dyn Crowd>> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.sent.lock().push((stream.clone(), viewers));
        let (stream, sent) = (stream.clone(), Arc::clone(&self.sent));
        let has_left = Arc::clone(&self.has_left);
        Ok(Box::new(FakeCrowd { stream, viewers, sent, has_left }))
    }
}

impl Crowd for FakeCrowd {
    fn figures(&self) -> Option<CrowdFigures> {
        let is_here = !self.has_left.load(Ordering::Relaxed);
        is_here.then_some(CrowdFigures { connected: self.viewers, holds: 3, orders: 1 })
    }
}

impl Drop for FakeCrowd {
    fn drop(&mut self) {
        self.sent.lock().retain(|(stream, _)| *stream != self.stream);
    }
}
