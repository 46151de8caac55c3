//! The kernel's memory for connections, counted by its own objects.

use std::{collections::BTreeMap, fs, io};

/// The caches of kernel objects that a connection has objects in. Each end of a connection over the
/// loopback device has the same ones, so that half of what they grow by is the server's.
const CACHES: [&str; 10] = [
    "TCP",
    "TCPv6",
    "dentry",
    "ep_head",
    "eventpoll_epi",
    "eventpoll_pwq",
    "filp",
    "lsm_file_cache",
    "lsm_inode_cache",
    "sock_inode_cache",
];
const PAGE_BYTES: u64 = 4096;

/// Memory of the kernel at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    /// Bytes of the caches' objects by name, the gaps between the objects included.
    caches: BTreeMap<String, u64>,
    /// Bytes of all slabs, for systems that do not show their caches.
    slabs: u64,
    /// Bytes in buffers of TCP sockets.
    buffers: u64,
}

/// What connections cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// Bytes of one end of one connection.
    pub(super) bytes: u64,
    /// The caches in it, the largest first.
    pub(super) by_cache: Vec<(String, u64)>,
    /// Whether the caches were shown; otherwise all slabs were counted.
    pub(super) exact: bool,
}

impl Kernel {
    /// Reads the counters. Only root sees the caches one by one.
    pub(super) fn read() -> io::Result<Self> {
        let caches = match fs::read_to_string("/proc/slabinfo") {
            Ok(text) => caches(&text),
            Err(_not_shown) => BTreeMap::new(),
        };
        let slabs = fs::read_to_string("/proc/meminfo")?;
        let buffers = fs::read_to_string("/proc/net/sockstat")?;
        Ok(Self { caches, slabs: slab_bytes(&slabs), buffers: buffer_bytes(&buffers) })
    }

    /// What one end of each of `connections`, both of whose ends are on this machine, has cost since
    /// `before`.
    pub(super) fn since(&self, before: &Self, connections: u64) -> Cost {
        let ends = (2 * connections).max(1);
        let one = |now: u64, then: u64| now.saturating_sub(then) / ends;
        let mut by_cache: Vec<_> = (self.caches.iter())
            .map(|(name, now)| {
                (name.clone(), one(*now, before.caches.get(name).copied().unwrap_or_default()))
            })
            .filter(|(_, bytes)| *bytes > 0)
            .collect();
        by_cache.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let exact = !self.caches.is_empty();
        let objects = if exact {
            by_cache.iter().map(|(_, bytes)| bytes).sum()
        } else {
            one(self.slabs, before.slabs)
        };
        Cost { bytes: objects + one(self.buffers, before.buffers), by_cache, exact }
    }
}

/// Objects in use, each with its share of the pages that hold it.
fn caches(text: &str) -> BTreeMap<String, u64> {
    let cache = |line: &str| {
        let mut fields = line.split_whitespace();
        let name = fields.next().filter(|name| CACHES.contains(name))?;
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (used, _all, _bytes) = (number()?, number()?, number()?);
        let (objects, pages) = (number()?, number()?);
        Some((name.to_owned(), used * pages * PAGE_BYTES / objects.max(1)))
    };
    text.lines().filter_map(cache).collect()
}

fn slab_bytes(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("Slab:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

fn buffer_bytes(sockstat: &str) -> u64 {
    let line = sockstat.lines().find(|line| line.starts_with("TCP:"));
    let pages = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    pages.unwrap_or_default() * PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLABINFO: &str = "\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables
TCP                  130    130   2368   13    8 : tunables    0    0    0 : slabdata 1 1 0
kmalloc-8k            36     36   8192    4    8 : tunables    0    0    0 : slabdata 9 9 0
filp                  21     21    192   21    1 : tunables    0    0    0 : slabdata 1 1 0
";

    #[test]
    fn objects_are_counted_with_their_share_of_the_pages() {
        let found = caches(SLABINFO);
        assert_eq!(found, BTreeMap::from([("TCP".into(), 327_680), ("filp".into(), 4_096)]));
    }

    #[test]
    fn the_growth_is_shared_by_both_ends() {
        let at = |tcp: u64, slabs: u64, buffers: u64| Kernel {
            caches: BTreeMap::from([("TCP".to_owned(), tcp), ("filp".to_owned(), 7)]),
            slabs,
            buffers,
        };
        let cost = at(501_000, 0, 8_000).since(&at(1_000, 0, 0), 100);
        assert_eq!((cost.bytes, cost.exact), (2_540, true));
        assert_eq!(cost.by_cache, [("TCP".to_owned(), 2_500)]);
        let blind = |slabs| Kernel { caches: BTreeMap::new(), slabs, buffers: 0 };
        let cost = blind(900_000).since(&blind(100_000), 100);
        assert_eq!((cost.bytes, cost.exact), (4_000, false), "all slabs stand in");
    }

    #[test]
    fn this_systems_counters_are_read() {
        let kernel = Kernel::read().unwrap();
        assert!(kernel.slabs > 0, "{kernel:?}");
        assert_eq!(kernel.since(&kernel, 10).bytes, 0);
        assert_eq!(
            buffer_bytes("sockets: used 9\nTCP: inuse 3 orphan 0 tw 1 alloc 3 mem 2\n"),
            8_192
        );
    }
}
