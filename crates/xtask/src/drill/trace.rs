//! Traces a real server: each promise leaves after the sync that covers its record.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Binaries, DrillOutcome, check,
    promises::{Promise, promises},
    server::{Place, Server, finished_trace, verify},
    strace::{self, Call},
};
use crate::failure::Failure;

/// A page of the log with its frame must fit into what strace shows of a buffer.
const TRACER: [&str; 6] = [
    "-ttt",
    "--decode-fds=path",
    "-xx",
    "--string-limit=8192",
    "--signal=none",
    "--trace=pwrite64,fdatasync,fsync,sendto,sendmsg,write,writev,recvfrom,read",
];
/// A third of them pays, a third gives the hold back, a third keeps it.
const BUYERS: u32 = 9;

pub(super) fn run(binaries: &Binaries) -> Result<DrillOutcome, Failure> {
    let place = Place::new()?;
    println!("a server under strace, {BUYERS} buyers one after the other");
    let server = Server::start(binaries, &place, &TRACER)?;
    let probe = server.probe(binaries, &place, BUYERS)?;
    let status = server.stop()?;
    let calls = strace::calls(&finished_trace(&place.trace())?);
    let found = promises(&calls);
    show(&found);
    let kept = found.iter().filter(|promise| promise.is_kept()).count();
    let violations: Vec<String> = found.iter().filter(|p| !p.is_kept()).map(in_words).collect();
    let said = count(&probe["promises"]) + count(&probe["commands"]);
    let verify = verify(binaries, &place)?;
    let mut wrong = violations.clone();
    check(&mut wrong, status.success(), || format!("the server ended with {status}"));
    check(&mut wrong, verify == "ok", || format!("the verifier says {verify}"));
    check(&mut wrong, probe["promises"] == u64::from(BUYERS + BUYERS / 3 * 2), || {
        format!("not every buyer got what was asked for: {probe}")
    });
    check(&mut wrong, found.len() == said, || {
        format!("{said} promises were received, {} are in the trace", found.len())
    });
    let json = json!({
        "drill": "trace",
        "ok": wrong.is_empty(),
        "promises": found.len(),
        "promises_after_sync": kept,
        "violations": violations.len(),
        "system_calls": calls.len(),
        "syncs": calls.iter().filter(|call| is_sync(call)).count(),
        "verify": verify,
        "wrong": wrong,
    });
    let words = format!("{} promises left, {kept} of them after the sync", found.len());
    Ok(DrillOutcome { drill: "trace", json, words, wrong })
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
}

fn is_sync(call: &Call) -> bool {
    matches!(call.name.as_str(), "fdatasync" | "fsync") && call.file.ends_with("-wal")
}

/// The lines behind each promise, whole for the first of a kind.
fn show(found: &[Promise<'_>]) {
    let mut shown = BTreeSet::new();
    for promise in found {
        println!("{}", in_words(promise));
        if shown.insert(promise.kind) {
            for call in [promise.write, promise.sync, Some(promise.send)].into_iter().flatten() {
                println!("    {}", line(call));
            }
        }
    }
}

fn in_words(promise: &Promise<'_>) -> String {
    let Promise { kind, name, write, sync, send } = promise;
    let after = |call: Option<&Call>| {
        call.map_or("never".to_owned(), |call| {
            let us = i128::from(send.at_us) - i128::from(call.at_us);
            format!("{us} us before, line {}", call.ended + 1)
        })
    };
    format!(
        "{} {name} left on line {}: written {}, synced {}",
        kind.name(),
        send.began + 1,
        after(*write),
        after(*sync)
    )
}

/// A call as one short line.
fn line(call: &Call) -> String {
    const BYTES_SHOWN: usize = 90;
    let file = call.file.rsplit('/').next().unwrap_or_default();
    let text = String::from_utf8_lossy(&call.bytes);
    // The end of a page says more than its beginning; of an answer it is the other way round.
    let readable: String = text.chars().filter(|c| (' '..='~').contains(c)).collect();
    let shown = readable.get(..BYTES_SHOWN).unwrap_or(&readable);
    let lines = if call.began == call.ended {
        format!("{}", call.began + 1)
    } else {
        format!("{} to {}", call.began + 1, call.ended + 1)
    };
    let Call { thread, name, result, .. } = call;
    format!("line {lines} thread {thread} {name}({file}, \"{shown}\") = {result}")
}
