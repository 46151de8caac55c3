//! A disk in memory that forgets what was not synced.

use std::collections::HashMap;

/// Bytes that a device writes as a whole.
const SECTOR_BYTES: usize = 512;

/// Every file on the disk, with the moment at which its power goes.
pub(crate) struct Disk {
    files: HashMap<String, Contents>,
    random: Random,
    /// Writes, truncations and syncs until the power goes.
    ops_left: Option<u64>,
    powered: bool,
}

/// A file as programs see it, and as it would be after a cut.
#[derive(Default)]
struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

/// The power is off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PowerOff;

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        Self { files: HashMap::new(), random: Random(seed), ops_left: None, powered: true }
    }

    pub(crate) fn cut_after(&mut self, ops: u64) {
        self.ops_left = Some(ops);
    }

    pub(crate) fn is_powered(&self) -> bool {
        self.powered
    }

    /// Loses a random part of what was never synced, then goes on with the rest.
    pub(crate) fn power_on(&mut self) {
        for file in self.files.values_mut() {
            file.lose_unsynced(&mut self.random);
        }
        self.ops_left = None;
        self.powered = true;
    }

    pub(crate) fn open(&mut self, name: &str) -> Result<(), PowerOff> {
        self.check()?;
        self.files.entry(name.to_owned()).or_default();
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str) {
        self.files.remove(name);
    }

    pub(crate) fn len(&self, name: &str) -> usize {
        self.files.get(name).map_or(0, |file| file.seen.len())
    }

    /// Fills `out` from the file, with zeros behind its end; tells how many bytes there were.
    pub(crate) fn read(&self, name: &str, at: usize, out: &mut [u8]) -> Result<usize, PowerOff> {
        self.check()?;
        let seen = self.files.get(name).map_or(&[][..], |file| &file.seen);
        let rest = seen.get(at..).unwrap_or(&[]);
        let found = rest.len().min(out.len());
        out[..found].copy_from_slice(&rest[..found]);
        out[found..].fill(0);
        Ok(found)
    }

    pub(crate) fn write(&mut self, name: &str, at: usize, bytes: &[u8]) -> Result<(), PowerOff> {
        let file = self.change(name)?;
        write(&mut file.seen, at, bytes);
        file.pending.push(Change::Write { at, bytes: bytes.to_vec() });
        self.count()
    }

    pub(crate) fn truncate(&mut self, name: &str, len: usize) -> Result<(), PowerOff> {
        let file = self.change(name)?;
        file.seen.resize(len, 0);
        file.pending.push(Change::Truncate { len });
        self.count()
    }

    /// Makes everything durable, unless the power goes just then.
    pub(crate) fn sync(&mut self, name: &str) -> Result<(), PowerOff> {
        self.count()?;
        let file = self.change(name)?;
        for change in std::mem::take(&mut file.pending) {
            change.apply(&mut file.durable);
        }
        Ok(())
    }

    fn change(&mut self, name: &str) -> Result<&mut Contents, PowerOff> {
        self.check()?;
        Ok(self.files.entry(name.to_owned()).or_default())
    }

    fn check(&self) -> Result<(), PowerOff> {
        if self.powered { Ok(()) } else { Err(PowerOff) }
    }

    fn count(&mut self) -> Result<(), PowerOff> {
        if let Some(left) = &mut self.ops_left {
            if *left == 0 {
                self.powered = false;
            }
            *left = left.saturating_sub(1);
        }
        self.check()
    }
}

impl Contents {
    /// What was not synced arrives in part, in any combination; one write may be torn.
    fn lose_unsynced(&mut self, random: &mut Random) {
        let pending = std::mem::take(&mut self.pending);
        // Sometimes nothing arrived, sometimes nearly everything did.
        let kept_of_8 = random.below(9);
        for change in pending {
            if random.below(8) >= kept_of_8 {
                continue;
            }
            let torn = match change {
                Change::Write { at, mut bytes } if random.below(6) == 0 => {
                    let sectors = u64::try_from(bytes.len() / SECTOR_BYTES + 1).unwrap_or(1);
                    let kept = usize::try_from(random.below(sectors)).unwrap_or(0);
                    bytes.truncate(kept * SECTOR_BYTES);
                    Change::Write { at, bytes }
                }
                whole => whole,
            };
            torn.apply(&mut self.durable);
        }
        self.seen.clone_from(&self.durable);
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(file, *at, bytes),
            Self::Truncate { len } => file.resize(*len, 0),
        }
    }
}

fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

/// The splitmix64 generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
