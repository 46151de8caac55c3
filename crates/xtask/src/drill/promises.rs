//! Promises in a trace, each with the sync that covers the write of its record.
//!
//! A record names its hold, a command's record its reason, so each can be found in what went into
//! the ledger's log. The layout of records is that of `docs/ledger.md`.

use std::collections::BTreeMap;

use super::strace::Call;

/// Ending of the path of the ledger's write-ahead log.
const LOG: &str = "/ledger.db-wal";

/// What was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Held,
    Order,
    Released,
    Command,
}

/// A promise that left through a socket.
#[derive(Debug)]
pub(super) struct Promise<'a> {
    pub(super) kind: Kind,
    /// The hold, or the command's reason.
    pub(super) name: String,
    /// The first write of its record.
    pub(super) write: Option<&'a Call>,
    /// The first sync that began after that write.
    pub(super) sync: Option<&'a Call>,
    /// The write to the socket.
    pub(super) send: &'a Call,
}

impl Kind {
    /// Messages that promise something, with the ordinal of the record behind each.
    const MESSAGES: [(Self, &'static str, u8); 3] = [
        (Self::Held, r#""type":"held""#, 11),
        (Self::Order, r#""type":"order""#, 12),
        (Self::Released, r#""type":"released""#, 13),
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Order => "order",
            Self::Released => "released",
            Self::Command => "command",
        }
    }
}

impl Promise<'_> {
    /// Whether the sync was over before the promise left.
    pub(super) fn is_kept(&self) -> bool {
        self.sync.is_some_and(|sync| sync.ended < self.send.began)
    }
}

/// Every promise that left, in that order.
pub(super) fn promises(calls: &[Call]) -> Vec<Promise<'_>> {
    let mut found = Vec::new();
    // What came in through each socket since the last answer.
    let mut asked: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.file.starts_with("socket:") && call.result > 0) {
        match call.name.as_str() {
            "recvfrom" | "read" => {
                asked.entry(&call.file).or_default().extend_from_slice(&call.bytes);
            }
            _ => {
                let request = asked.remove(call.file.as_str()).unwrap_or_default();
                if let Some(reason) = command(&request, &call.bytes) {
                    let pattern = reason.as_bytes().to_vec();
                    found.push(promise(calls, Kind::Command, reason, &pattern, call));
                }
                for (kind, hold, ordinal) in messages(&call.bytes) {
                    let mut pattern = vec![ordinal];
                    pattern.extend_from_slice(&hold.to_be_bytes());
                    found.push(promise(calls, kind, format!("{hold:032x}"), &pattern, call));
                }
            }
        }
    }
    found
}

fn promise<'a>(
    calls: &'a [Call],
    kind: Kind,
    name: String,
    pattern: &[u8],
    send: &'a Call,
) -> Promise<'a> {
    let log = |call: &&Call| call.file.ends_with(LOG);
    let writes = |call: &&Call| call.name == "pwrite64" && contains(&call.bytes, pattern);
    let write = calls.iter().filter(log).find(writes);
    let sync = write.and_then(|write| {
        let syncs = |call: &&Call| {
            matches!(call.name.as_str(), "fdatasync" | "fsync")
                && call.began > write.ended
                && call.result == 0
        };
        calls.iter().filter(log).find(syncs)
    });
    Promise { kind, name, write, sync, send }
}

/// The reason, or the plan's title, of a command that `answer` says has been carried out.
fn command(request: &[u8], answer: &[u8]) -> Option<String> {
    if !answer.starts_with(b"HTTP/1.1 2") || !contains(request, b"POST /v1/") {
        return None;
    }
    let request = String::from_utf8_lossy(request);
    [r#""reason":""#, r#""title":"probe"#].into_iter().find_map(|field| {
        let start = request.find(field)? + field.rfind('"')? + 1;
        Some(request[start..].split('"').next()?.to_owned())
    })
}

/// The messages of `sent` that promise something, each with its hold and its record's ordinal.
fn messages(sent: &[u8]) -> Vec<(Kind, u128, u8)> {
    let text = String::from_utf8_lossy(sent);
    let mut found = Vec::new();
    for message in text.split(r#"{"type":"#).skip(1) {
        let message = format!(r#""type":{message}"#);
        for (kind, start, ordinal) in Kind::MESSAGES {
            let hold = message.split_once(r#""hold":""#).and_then(|(_, tail)| tail.get(..32));
            let hold = hold.and_then(|hold| u128::from_str_radix(hold, 16).ok());
            if let (true, Some(hold)) = (message.starts_with(start), hold) {
                found.push((kind, hold, ordinal));
            }
        }
    }
    found
}

fn contains(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: u128 = 0x0001_0000_0040_0000_0000_0000_0000_0001;

    fn call(line: usize, name: &str, file: &str, bytes: &[u8], result: i64) -> Call {
        Call {
            thread: 1,
            name: name.to_owned(),
            file: file.to_owned(),
            bytes: bytes.to_vec(),
            began: line,
            ended: line,
            at_us: 0,
            result,
            injected: false,
        }
    }

    fn record() -> Vec<u8> {
        [&[7, 11][..], &HOLD.to_be_bytes(), &[9]].concat()
    }

    fn held() -> Vec<u8> {
        format!(r#"..{{"type":"held","key":"k","hold":"{HOLD:032x}","units":1}}"#).into_bytes()
    }

    /// The calls in the order given, each with its place as its line.
    fn kept(calls: &[(&str, &str, Vec<u8>, i64)]) -> Vec<bool> {
        let calls: Vec<_> = (0..)
            .zip(calls)
            .map(|(line, (name, file, bytes, result))| call(line, name, file, bytes, *result))
            .collect();
        promises(&calls).iter().map(Promise::is_kept).collect()
    }

    #[test]
    fn a_promise_after_the_sync_is_kept() {
        let write = ("pwrite64", "/d/ledger.db-wal", record(), 4096);
        let sync = ("fdatasync", "/d/ledger.db-wal", vec![], 0);
        let send = ("sendto", "socket:[1]", held(), 90);
        assert_eq!(kept(&[write.clone(), sync.clone(), send.clone()]), [true]);
        assert_eq!(kept(&[write.clone(), send.clone(), sync.clone()]), [false]);
        assert_eq!(kept(&[sync, write, send]), [false], "that sync does not cover it");
    }

    #[test]
    fn a_sync_of_another_file_or_a_failed_one_covers_nothing() {
        let write = ("pwrite64", "/d/ledger.db-wal", record(), 4096);
        let send = ("sendto", "socket:[1]", held(), 90);
        let other = ("fdatasync", "/d/ledger.db", vec![], 0);
        assert_eq!(kept(&[write.clone(), other, send.clone()]), [false]);
        let failed = ("fdatasync", "/d/ledger.db-wal", vec![], -1);
        assert_eq!(kept(&[write, failed, send]), [false]);
    }

    #[test]
    fn an_order_needs_a_record_of_its_own() {
        let order = format!(r#"{{"type":"order","order":"x","hold":"{HOLD:032x}"}}"#).into_bytes();
        let calls = [
            ("pwrite64", "/d/ledger.db-wal", record(), 4096),
            ("fdatasync", "/d/ledger.db-wal", vec![], 0),
            ("sendto", "socket:[1]", order, 90),
        ];
        assert_eq!(kept(&calls), [false]);
    }

    #[test]
    fn a_command_is_found_by_its_reason() {
        let request = br#"POST /v1/drops/d1/pause HTTP/1.1 {"reason":"probe: pause"}"#.to_vec();
        let answer = b"HTTP/1.1 200 OK {}".to_vec();
        let write = ("pwrite64", "/d/ledger.db-wal", b"..probe: pause..".to_vec(), 4096);
        let sync = ("fdatasync", "/d/ledger.db-wal", vec![], 0);
        let ask = ("recvfrom", "socket:[2]", request, 60);
        let send = ("writev", "socket:[2]", answer, 20);
        assert_eq!(kept(&[ask.clone(), write.clone(), sync, send.clone()]), [true]);
        assert_eq!(kept(&[ask, write, send]), [false]);
        let plan = br#"POST /v1/drops HTTP/1.1 {"stream":"s","title":"probe: plan"}"#;
        assert_eq!(command(plan, b"HTTP/1.1 201 Created").as_deref(), Some("probe: plan"));
        assert_eq!(command(plan, b"HTTP/1.1 503 Busy"), None, "a refusal here is no promise");
    }
}
