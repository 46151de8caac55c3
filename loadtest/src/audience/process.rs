//! An audience in a process of its own: both sides.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde::{Deserialize, Serialize};
use stampede_swarm::raise_descriptor_limit;
use tokio::sync::mpsc;

use super::{AudiencePlan, AudienceReport, Word, watch};
use crate::Checkout;

/// One line from the process.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Report(AudienceReport),
    Checkout(Checkout),
    Failed(String),
}

/// A running audience; it goes with this value, also when the process that has it dies.
#[derive(Debug)]
pub struct Audience {
    child: Child,
    /// Closing it sends everybody home.
    input: Option<ChildStdin>,
    listener: Option<JoinHandle<()>>,
}

impl Audience {
    /// Starts the process; the command must end up in [`audience_process`]. `heard` gets each report, or
    /// in words why there are no more; whoever pays goes through the door of the platform's till.
    ///
    /// # Errors
    /// The system's, if there is no process.
    pub fn spawn(
        mut command: Command,
        plan: &AudiencePlan,
        door: mpsc::Sender<Checkout>,
        mut heard: impl FnMut(Result<AudienceReport, String>) + Send + 'static,
    ) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().expect("it was asked for");
        let output = child.stdout.take().expect("it was asked for");
        let mut line = serde_json::to_vec(plan)?;
        line.push(b'\n');
        input.write_all(&line)?;
        let listen = move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                heard(match serde_json::from_str(&line) {
                    Ok(Line::Report(report)) => Ok(report),
                    Ok(Line::Checkout(checkout)) => {
                        // A till that has closed takes nobody any more.
                        let _closed = door.blocking_send(checkout);
                        continue;
                    }
                    Ok(Line::Failed(why)) => Err(why),
                    Err(error) => Err(format!("its line {line:?} is not understood: {error}")),
                });
            }
            heard(Err("it has ended".to_owned()));
        };
        let listener = thread::Builder::new().name("audience-listener".to_owned()).spawn(listen)?;
        Ok(Self { child, input: Some(input), listener: Some(listener) })
    }

    /// Sends everybody home; when this returns, every promise is in the logs and every report was heard.
    /// Blocks the thread.
    ///
    /// # Errors
    /// The system's.
    pub fn stop(&mut self) -> io::Result<()> {
        self.input = None;
        if let Some(listener) = self.listener.take() {
            listener.join().expect("the listener does not panic");
        }
        self.child.wait().map(|_| ())
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        // It has ended already if it was stopped.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The whole life of an audience's process: the plan is the first line of standard input, the end of
/// standard input ends it, reports leave by standard output.
pub fn audience_process() -> ExitCode {
    raise_descriptor_limit();
    match from_input() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _unheard = say(&Line::Failed(why));
            ExitCode::FAILURE
        }
    }
}

fn from_input() -> Result<(), String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| format!("cannot read the plan: {error}"))?;
    let plan: AudiencePlan =
        serde_json::from_str(&line).map_err(|error| format!("this is no plan: {error}"))?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    let wait = move || {
        // The end of the input or a broken one: nobody needs the audience any more.
        let _end = io::copy(&mut io::stdin().lock(), &mut io::sink());
        stop.store(true, Ordering::Relaxed);
    };
    let waiter = thread::Builder::new().name("audience-stop".to_owned()).spawn(wait);
    waiter.map_err(|error| format!("cannot watch the input: {error}"))?;
    let tell = |word: Word<'_>| {
        say(&match word {
            Word::Report(report) => Line::Report(report.clone()),
            Word::Checkout(checkout) => Line::Checkout(checkout.clone()),
        })
    };
    watch(&plan, |_| true, tell, &stopped).map_err(|error| error.to_string())
}

fn say(line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}
