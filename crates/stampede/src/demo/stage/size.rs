//! How many viewers this machine holds.

use std::{fs, path::Path};

use super::super::DemoError;

/// Descriptors that each process needs beside those of the viewers.
const DESCRIPTORS_ASIDE: u64 = 400;
/// Memory of a viewer in server, crowd and system together, with room to spare.
const VIEWER_BYTES: u64 = 24 << 10;
/// Fewer viewers make no crowd.
const VIEWERS_MIN: u32 = 10;
/// Free space that a show may need for its ledger with the promises.
const DISK_BYTES_MIN: u64 = 256 << 20;

/// The crowd's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) viewers: u32,
    /// What holds fewer than were asked for.
    pub(super) held_back_by: Option<Shortage>,
}

/// What a machine has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortage {
    Descriptors(u64),
    MemoryBytes(u64),
}

impl Size {
    /// As many as asked for, or as many as descriptors and half of the free memory allow.
    pub(super) fn fit(wanted: u32, descriptors: u64, memory_bytes: u64) -> Result<Self, DemoError> {
        let by_descriptors = descriptors.saturating_sub(DESCRIPTORS_ASIDE);
        let by_memory = memory_bytes / 2 / VIEWER_BYTES;
        let shortage = if by_descriptors <= by_memory {
            Shortage::Descriptors(descriptors)
        } else {
            Shortage::MemoryBytes(memory_bytes)
        };
        let room = u32::try_from(by_descriptors.min(by_memory)).unwrap_or(u32::MAX);
        if room < VIEWERS_MIN {
            return Err(DemoError::NoRoom { why: shortage.words() });
        }
        let viewers = wanted.min(room);
        let held_back_by = (viewers < wanted).then_some(shortage);
        Ok(Self { viewers, held_back_by })
    }
}

impl Shortage {
    /// The fact with the way out.
    pub(super) fn words(self) -> String {
        match self {
            Self::Descriptors(limit) => format!(
                "the limit of open descriptors is {limit}; `ulimit -Hn` shows it, the system's \
                 settings raise it"
            ),
            Self::MemoryBytes(bytes) => format!("{} MiB of memory are free", bytes >> 20),
        }
    }
}

/// Memory that can be had without swapping; plenty where the system does not tell.
pub(super) fn free_memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    available_bytes(&text).unwrap_or(u64::MAX)
}

fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Whether the show's ledger finds space.
pub(super) fn check_space(place: &Path) -> Result<(), DemoError> {
    let Ok(disk) = rustix::fs::statvfs(place) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < DISK_BYTES_MIN {
        let (path, free_mib, needed_mib) = (place.to_owned(), free >> 20, DISK_BYTES_MIN >> 20);
        return Err(DemoError::NoSpace { path, free_mib, needed_mib });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: u64 = 1 << 40;

    #[test]
    fn what_is_scarce_sets_the_crowd() {
        let full = Size::fit(18_000, 20_000, PLENTY).unwrap();
        assert_eq!(full, Size { viewers: 18_000, held_back_by: None });
        let few = Size::fit(18_000, 1_024, PLENTY).unwrap();
        assert_eq!((few.viewers, few.held_back_by), (624, Some(Shortage::Descriptors(1_024))));
        let little = Size::fit(18_000, 20_000, 96 << 20).unwrap();
        assert_eq!(little.viewers, 2_048);
        assert_eq!(little.held_back_by.unwrap().words(), "96 MiB of memory are free");
    }

    #[test]
    fn a_machine_without_room_is_told_what_is_missing() {
        let why = Size::fit(18_000, 256, PLENTY).unwrap_err().to_string();
        assert!(why.contains("limit of open descriptors is 256"), "{why}");
    }

    #[test]
    fn free_memory_is_read_in_kibibytes() {
        let text = "MemTotal:  9 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(available_bytes(text), Some(2 << 20));
        assert_eq!(available_bytes("MemTotal: 9 kB\n"), None);
    }
}
