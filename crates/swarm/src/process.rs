//! The system's figures about a process: memory, time on a core.

use std::{fs, io, path::PathBuf};

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Pages that it has in memory, those of its program file included.
    pub resident: u64,
    /// Pages of its own: heap, stacks.
    pub anonymous: u64,
}

/// A process, by the numbers that the system keeps.
#[derive(Clone, Debug)]
pub struct Process {
    folder: PathBuf,
}

impl Process {
    /// The process with this number.
    pub fn new(id: u32) -> Self {
        Self { folder: PathBuf::from("/proc").join(id.to_string()) }
    }

    /// This process.
    pub fn this() -> Self {
        Self { folder: PathBuf::from("/proc/self") }
    }

    /// Its memory. `smaps_rollup` walks the pages, whereas the cheaper counters of `status` lag by
    /// some pages for each thread.
    pub fn memory(&self) -> io::Result<Memory> {
        let text = fs::read_to_string(self.folder.join("smaps_rollup"))?;
        memory(&text).ok_or_else(|| io::Error::other("smaps_rollup has no Rss, no Anonymous"))
    }

    /// Time that its threads have spent on a core, in microseconds.
    ///
    /// # Errors
    /// The system's; above all that there is no such process.
    pub fn on_core_us(&self) -> io::Result<u64> {
        let mut ns = 0;
        for task in fs::read_dir(self.folder.join("task"))? {
            // A thread that has just ended has no file any more.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            ns += text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(ns / 1000)
    }
}

fn memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
        Some(kib << 10)
    };
    Some(Memory { resident: bytes("Rss:")?, anonymous: bytes("Anonymous:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_has_worked() {
        let process = Process::this();
        let memory = process.memory().unwrap();
        assert!(memory.resident > memory.anonymous && memory.anonymous > 0, "{memory:?}");
        assert!(process.on_core_us().unwrap() > 0);
        assert!(Process::new(u32::MAX).memory().is_err(), "there is no such process");
    }

    #[test]
    fn figures_are_read_in_kibibytes() {
        let text = "55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:  12 kB\nAnonymous:  8 kB\n";
        assert_eq!(memory(text), Some(Memory { resident: 12 << 10, anonymous: 8 << 10 }));
        assert_eq!(memory("Rss: 12 kB\n"), None);
    }
}
