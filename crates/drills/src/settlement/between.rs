//! A volley of reports that is stopped after the records and before the answers.
//!
//! The server stands still (`SIGSTOP`) while the reports are sent, then runs for moments. While it stands still
//! nothing can be on its way: what its journal has and what was answered can be compared at leisure. As soon as the
//! journal has the payment of a report without an answer, the server is killed where it stands. Proof comes after
//! the restart: asked before anything is reported again, the server knows payments whose connections ended without
//! a byte.

use std::{
    collections::BTreeSet,
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    http::{Answer, Request},
    till::{Event, Report, Till},
    waiting_holds::WaitingHold,
};
use crate::{error::DrillError, server::Server, waiting::out_of_patience};

/// Reports of one volley.
pub(super) const REPORTS: usize = 16;
/// Time for which the server runs before it is stopped again.
const RUN: Duration = Duration::from_micros(300);
/// How often it may run.
const RUNS_MAX: u32 = 4_000;
/// How often a process is looked at that is to stand still.
const LOOK_EVERY: Duration = Duration::from_micros(100);
const LOOKS_MAX: u32 = 100_000;
/// Ends the name of a volley's payment.
const END: char = '.';
/// Longest wait for the rest of an answer.
const REST_MAX: Duration = Duration::from_secs(10);

/// A report on its own connection.
struct Shot {
    report: Report,
    stream: Option<TcpStream>,
    heard: Vec<u8>,
}

/// Reports that were sent together.
pub(super) struct Volley {
    name: String,
    shots: Vec<Shot>,
}

impl Volley {
    /// Has the provider take the money; nobody is told yet.
    pub(super) fn aim(till: &Till, holds: &[WaitingHold], name: &str) -> Self {
        let mut books = till.books.lock();
        let shots = holds.iter().enumerate().map(|(place, waiting)| {
            let WaitingHold { hold, amount } = *waiting;
            let payment = format!("{name}-{place}{END}");
            books.take(&payment, amount);
            let report =
                Report { payment, event: Event::Paid(amount), holds: vec![hold], number: 0 };
            let stream = TcpStream::connect(till.payments.target()).ok();
            Shot { report, stream, heard: Vec::new() }
        });
        Self { name: format!("{name}-"), shots: shots.collect() }
    }

    /// Sends everything, stops the server again and again; whether it stands still between a record and its answer.
    pub(super) fn fly(
        &mut self,
        till: &Till,
        server: &Server,
        data: &Path,
    ) -> Result<bool, DrillError> {
        let process = server.process_id();
        stop(process)?;
        for shot in &mut self.shots {
            let bytes = shot.report.request().bytes(till.payments.token());
            let sent = shot
                .stream
                .as_mut()
                .map(|stream| stream.write_all(&bytes).and_then(|()| stream.set_nonblocking(true)));
            if !matches!(sent, Some(Ok(()))) {
                shot.stream = None;
            }
        }
        for _ in 0..RUNS_MAX {
            signal(process, Signal::CONT)?;
            thread::sleep(RUN);
            stop(process)?;
            self.hear();
            if self.shots.iter().all(|shot| !shot.heard.is_empty() || shot.stream.is_none()) {
                break;
            }
            let recorded = recorded(data, &self.name)?;
            let mut silent = self.shots.iter().filter(|shot| shot.heard.is_empty());
            if silent.any(|shot| recorded.contains(&shot.report.payment)) {
                return Ok(true);
            }
        }
        signal(process, Signal::CONT)?;
        Ok(false)
    }

    /// Reads what has come; never waits.
    fn hear(&mut self) {
        for shot in &mut self.shots {
            let mut bytes = [0; 4_096];
            while let Some(stream) = &mut shot.stream {
                match stream.read(&mut bytes) {
                    Ok(count) if count > 0 => shot.heard.extend_from_slice(&bytes[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(_) | Err(_) => shot.stream = None,
                }
            }
        }
    }

    /// Reads until every answer is there or its connection has ended.
    pub(super) fn hear_rest(&mut self) {
        for shot in &mut self.shots {
            let mut bytes = [0; 4_096];
            while let Some(stream) = &mut shot.stream
                && Answer::parse(&shot.heard).is_none()
            {
                let patient = stream.set_nonblocking(false);
                let patient = patient.and_then(|()| stream.set_read_timeout(Some(REST_MAX)));
                match patient.and_then(|()| stream.read(&mut bytes)) {
                    Ok(count) if count > 0 => shot.heard.extend_from_slice(&bytes[..count]),
                    Ok(_) | Err(_) => shot.stream = None,
                }
            }
        }
    }

    /// Asks, if the server was killed, what it knows of payments that it gave no answer about: how many. Then reports
    /// everything again that has no answer.
    pub(super) async fn settle(self, till: &Till, was_killed: bool) -> Result<u64, DrillError> {
        let mut proven = 0;
        for shot in self.shots.iter().filter(|shot| was_killed && shot.heard.is_empty()) {
            let path = format!("/v1/payments/platform/{}", shot.report.payment);
            let known = till.payments.call(&Request::get(path)).await?;
            proven += u64::from(known.status == 200);
        }
        for Shot { report, heard, .. } in self.shots {
            match Answer::parse(&heard) {
                Some(answer) if answer.status == 200 => till.note(&report, &answer)?,
                _ => till.report(&report).await?,
            }
        }
        Ok(proven)
    }
}

/// Payments of a volley that the journal's newest pages name. The server must stand still.
fn recorded(data: &Path, name: &str) -> Result<BTreeSet<String>, DrillError> {
    let failed = |source| DrillError::System { what: "read the journal", source };
    let journal = match fs::read(data.join("ledger.db-wal")) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.map_err(failed)?,
    };
    let text = String::from_utf8_lossy(&journal);
    let named = text.match_indices(name).filter_map(|(at, _)| {
        let rest = &text[at..];
        rest.find(END).map(|end| rest[..=end].to_owned())
    });
    Ok(named.collect())
}

/// Stops a process, waits until it stands still.
fn stop(process: u32) -> Result<(), DrillError> {
    signal(process, Signal::STOP)?;
    for _ in 0..LOOKS_MAX {
        let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let after_name = state.rsplit(')').next().unwrap_or_default().trim_start();
        if after_name.starts_with('T') {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
    Err(out_of_patience("a server that stands still"))
}

fn signal(process: u32, signal: Signal) -> Result<(), DrillError> {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    let id = id.expect("a child has a process number");
    kill_process(id, signal)
        .map_err(|errno| DrillError::System { what: "signal the server", source: errno.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_names_the_payments_of_a_volley() {
        let folder = tempfile::tempdir().unwrap();
        assert!(recorded(folder.path(), "volley-1-2").unwrap().is_empty(), "no journal yet");
        let bytes = b"\xff\0volley-1-2-14.\xfe volley-1-2-3.. volley-1-9-3. volley-1-2-";
        fs::write(folder.path().join("ledger.db-wal"), bytes).unwrap();
        let found = recorded(folder.path(), "volley-1-2-").unwrap();
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["volley-1-2-14.", "volley-1-2-3."]);
    }
}
