//! The allocator: what is freed goes back to the system within a minute.

use tikv_jemallocator::Jemalloc;

/// A thread of its own gives free pages back ten seconds after they came free, so that neither a core nor
/// the steward does it. The system's allocator kept what drops had used until the next restart.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc, thread, time::Duration};

    use rustix::param::page_size;

    /// Bytes that the system keeps in memory for this process.
    fn resident_bytes() -> usize {
        let statm = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * page_size()
    }

    #[test]
    fn what_another_thread_frees_goes_back_to_the_system_by_itself() {
        const PIECES: usize = 400_000;
        const PIECE_BYTES: usize = 256;
        let before = resident_bytes();
        let (send, receive) = mpsc::sync_channel(1_024);
        let makes = thread::spawn(move || {
            // A piece in a hundred outlives the others, as what a summary needs outlives its drop.
            for place in 0..PIECES {
                send.send((place % 100 == 0, vec![1_u8; PIECE_BYTES])).unwrap();
            }
        });
        let all: Vec<_> = receive.into_iter().collect();
        makes.join().unwrap();
        let used = resident_bytes() - before;
        assert!(used >= PIECES * PIECE_BYTES, "{used}");
        let kept: Vec<_> = all.into_iter().filter(|(is_kept, _)| *is_kept).collect();
        // No thread allocates meanwhile: nothing but the allocator's own thread gives pages back.
        while resident_bytes() - before > used / 2 {
            thread::park_timeout(Duration::from_millis(100));
        }
        assert_eq!(kept.len(), PIECES / 100);
    }
}
