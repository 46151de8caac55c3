//! The drill: the real writer sells until the power goes, many times.

use std::{collections::HashSet, fmt, fs, path::Path};

use stampede_domain::HoldId;
use stampede_ledger::{
    DataDir, HoldRecord, OpenError, OpenLedger, Record, SqliteLedger, SqliteOptions, Synchronous,
};

use crate::{
    disk::{Disk, Random},
    support::{Rig, confirmed, entry, expired, hold, lot, node, taken, wait},
    vfs,
};

/// Takes of one round at most; most rounds end earlier, by the cut.
const TAKES_PER_ROUND: u32 = 4_000;
/// A small log, so that cuts fall into checkpoints too.
const WAL_BYTES_MAX: usize = 96 << 10;

/// What a drill found.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) synchronous: Synchronous,
    pub(crate) cuts: u32,
    /// Cuts that fell into the opening of the ledger.
    pub(crate) cuts_in_recovery: u32,
    /// Takes that were told to be durable.
    pub(crate) promises: usize,
    pub(crate) promises_lost: usize,
    /// The first failure to open, or none.
    pub(crate) damage: Option<String>,
}

impl fmt::Display for Report {
    /// One JSON object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verify = self.damage.as_deref().unwrap_or("ok");
        let synchronous = match self.synchronous {
            Synchronous::Full => "full",
            Synchronous::Off => "off",
        };
        write!(
            f,
            "{{\"drill\":\"powercut\",\"seed\":{},\"cuts\":{},\"cuts_in_recovery\":{},\
             \"promises\":{},\"promises_lost\":{},\"verify\":{verify:?},\
             \"synchronous\":\"{synchronous}\"}}",
            self.seed, self.cuts, self.cuts_in_recovery, self.promises, self.promises_lost,
        )
    }
}

impl Report {
    pub(crate) fn passed(&self) -> bool {
        self.promises_lost == 0 && self.damage.is_none()
    }
}

/// Runs the drill in an empty directory. One drill at a time: the machine has one disk.
pub(crate) fn run(dir: &Path, seed: u64, cuts: u32, synchronous: Synchronous) -> Report {
    vfs::install(Disk::new(seed));
    let mut random = Random(seed ^ 0x005e_ed0f_d211);
    let mut report = Report {
        seed,
        synchronous,
        cuts: 0,
        cuts_in_recovery: 0,
        promises: 0,
        promises_lost: 0,
        damage: None,
    };
    let mut promised = HashSet::new();
    while report.cuts < cuts {
        // One cut in four falls into the first operations, which are those of the opening.
        let within = if random.below(4) == 0 { 40 } else { 1_500 };
        vfs::with_disk(|disk| disk.cut_after(random.below(within)));
        match open(dir, synchronous) {
            Ok(opened) => sell(opened, &mut random, &mut promised),
            Err(_) => report.cuts_in_recovery += 1,
        }
        if vfs::with_disk(|disk| disk.is_powered()) {
            report.damage = Some("the ledger could not be opened or stopped by itself".into());
            break;
        }
        report.cuts += 1;
        vfs::with_disk(Disk::power_on);
        // A machine without power cannot have noted that its disk failed.
        fs::write(dir.join("ledger.health"), "0").expect("the folder is writable");
        match found(dir, synchronous) {
            Ok(found) => {
                let before = promised.len();
                promised.retain(|hold| found.contains(hold));
                report.promises_lost += before - promised.len();
            }
            Err(error) => {
                report.promises_lost += promised.len();
                promised.clear();
                report.damage = Some(error.to_string());
                break;
            }
        }
    }
    report.promises = promised.len() + report.promises_lost;
    report
}

fn open(dir: &Path, synchronous: Synchronous) -> Result<OpenLedger, OpenError> {
    let options = SqliteOptions {
        vfs: Some(vfs::NAME.into()),
        synchronous,
        wal_bytes_max: WAL_BYTES_MAX,
        ..SqliteOptions::default()
    };
    let data = DataDir::lock(dir).expect("the former run has ended");
    SqliteLedger::open_with(&data, &node(), &options)
}

/// Sells until the power goes; notes what was told to be durable.
fn sell(opened: OpenLedger, random: &mut Random, promised: &mut HashSet<HoldId>) {
    let mut rig = Rig::start(opened);
    let incarnation = rig.incarnation;
    let mut holds = Vec::new();
    let mut ended = 0;
    rig.core.push(entry(lot(1_000_000)));
    while !rig.core.is_stopped() {
        for _ in 0..=random.below(40) {
            let number = u32::try_from(holds.len() + 1).expect("few takes");
            if rig.core.room() == 0 || number > TAKES_PER_ROUND {
                break;
            }
            let hold = hold(incarnation, number);
            rig.core.push(entry(taken(hold)));
            holds.push(hold);
        }
        let wanted = rig.core.pushed();
        wait(|| rig.core.durable() >= wanted || rig.core.is_stopped());
        // The latest take ends, so that orders and gives are among what is cut.
        if let Some(hold) = holds.last().filter(|_| holds.len() > ended)
            && !rig.core.is_stopped()
        {
            let end = if random.below(2) == 0 { confirmed(*hold) } else { expired(*hold) };
            rig.steward.push(entry(end));
            ended = holds.len();
        }
    }
    // The ring's first entry was the lot.
    let durable = usize::try_from(rig.core.durable().get()).expect("few takes");
    promised.extend(holds.into_iter().take(durable.saturating_sub(1)));
}

/// Opens the ledger on a disk with power, which checks all of it; every take in it.
fn found(dir: &Path, synchronous: Synchronous) -> Result<HashSet<HoldId>, OpenError> {
    let opened = open(dir, synchronous)?;
    let mut holds = HashSet::new();
    for row in opened.history {
        for record in row?.decode() {
            if let Ok(Record::Hold(HoldRecord::Taken { hold, .. })) = record {
                holds.insert(hold);
            }
        }
    }
    Ok(holds)
}
