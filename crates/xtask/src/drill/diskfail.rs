//! A disk that fails in the middle of a sale: strace lets a sync of the writer return an error.

use serde_json::{Value, json};

use super::{
    Binaries, DrillOutcome, check,
    server::{Place, Server, finished_trace, verify},
    strace,
};
use crate::failure::Failure;

/// The writer's sync that fails, with every later one; strace counts for each thread alone.
const FAILS_FROM: u32 = 25;
/// More than the writer can serve before its disk fails.
const BUYERS: u32 = 60;

pub(super) fn run(binaries: &Binaries) -> Result<DrillOutcome, Failure> {
    let place = Place::new()?;
    println!("a server whose disk fails from a thread's sync {FAILS_FROM} on, buyers until then");
    let inject = format!("--inject=fdatasync,fsync:error=EIO:when={FAILS_FROM}+");
    let tracer =
        ["-ttt", "--decode-fds=path", "-xx", "--signal=none", "--trace=fdatasync,fsync", &inject];
    let server = Server::start(binaries, &place, &tracer)?;
    let token = server.token.clone().unwrap_or_default();
    let probe = server.probe(binaries, &place, BUYERS)?;
    let stopped = server.stop()?;
    let calls = strace::calls(&finished_trace(&place.trace())?);
    let syncs_failed = calls.iter().filter(|call| call.injected).count();
    println!("{syncs_failed} syncs failed; the server ended with {stopped}; it starts again");

    let again = Server::start(binaries, &place, &[])?;
    let drop = probe["drop"].as_str().unwrap_or_default();
    let audit = again.audit(binaries, &place, &token, drop)?;
    let status = again.stop()?;
    let verify = verify(binaries, &place)?;
    let mut wrong = wrong(&probe, &audit);
    check(&mut wrong, syncs_failed > 0, || "no sync failed".to_owned());
    check(&mut wrong, stopped.code() == Some(1), || {
        format!("the first server ended with {stopped}")
    });
    check(&mut wrong, status.success(), || format!("the second server ended with {status}"));
    check(&mut wrong, verify == "ok", || format!("the verifier says {verify}"));

    let json = json!({
        "drill": "diskfail",
        "ok": wrong.is_empty(),
        "syncs_failed": syncs_failed,
        "promises": probe["promises"],
        "promises_after_failure": probe["promises_after_failure"],
        "unanswered": probe["unanswered"],
        "silent": probe["silent"],
        "refused": probe["refused"],
        "ready_status": probe["ready_status"],
        "promises_lost": audit["promises_lost"],
        "verify": verify,
        "wrong": wrong,
    });
    let words = format!(
        "{} promises, none after the failure; then {} refusals, readyz {}; after a restart {} lost",
        probe["promises"], probe["refused"], probe["ready_status"], audit["promises_lost"],
    );
    Ok(DrillOutcome { drill: "diskfail", json, words, wrong })
}

/// What should not have happened while the disk failed, or be missing after it.
fn wrong(probe: &Value, audit: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(&mut wrong, probe["held"] != 0 && probe["orders"] != 0, || {
        "the disk failed before the first promises".to_owned()
    });
    let count = |field: &str| probe[field].as_u64().unwrap_or(0);
    let failing = count("unanswered") + count("silent");
    check(&mut wrong, failing == 1, || {
        format!("{failing} requests got no answer; the one in the failing commit should")
    });
    check(&mut wrong, probe["promises_after_failure"] == 0, || {
        format!("{} promises left after the failure", probe["promises_after_failure"])
    });
    check(&mut wrong, probe["refused"]["busy"].as_u64() >= Some(1), || {
        format!("the engine did not say busy: {}", probe["refused"])
    });
    check(&mut wrong, probe["joined_after_failure"] == false, || {
        "a newcomer was welcomed by an engine that cannot sell".to_owned()
    });
    check(&mut wrong, probe["ready_status"] == 503, || {
        format!("/readyz says {}", probe["ready_status"])
    });
    check(
        &mut wrong,
        audit["promises"] == probe["promises"] && audit["promises_lost"] == 0,
        || format!("the ledger does not keep every promise: {audit}"),
    );
    wrong
}
