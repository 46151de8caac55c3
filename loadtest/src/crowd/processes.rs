//! A crowd of several processes: started, watched, stopped, added up.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stampede_swarm::raise_descriptor_limit;
use tokio::sync::{mpsc, oneshot};

use crate::{Checkout, CrowdError, CrowdPlan, CrowdResult, CrowdWord, Live, Progress, run_crowd};

/// One line from a crowd process.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress(Progress),
    Checkout(Checkout),
    Result(CrowdResult),
    Failed(String),
}

/// Why a crowd process has no result.
#[derive(Debug, thiserror::Error)]
pub enum CrowdProcessError {
    /// The process cannot be started.
    #[error("cannot start crowd process {process}: {source}")]
    Start {
        /// Its place among them, from 0.
        process: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The process said why it failed.
    #[error("crowd process {process} failed: {why}")]
    Failed {
        /// Its place among them, from 0.
        process: usize,
        /// Its words.
        why: String,
    },
    /// The process ended without a word.
    #[error("crowd process {process} ended without a result: {status}")]
    Silent {
        /// Its place among them, from 0.
        process: usize,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Crowd processes that run at the same time.
#[derive(Debug)]
pub struct CrowdProcesses {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    child: Child,
    /// Closing it stops the crowd.
    input: Option<ChildStdin>,
    heard: Arc<Mutex<Heard>>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Heard {
    progress: Option<Progress>,
    result: Option<CrowdResult>,
    failed: Option<String>,
}

impl CrowdProcesses {
    /// Starts the processes. Each command must end up in [`crowd_process`].
    ///
    /// # Errors
    /// [`CrowdProcessError::Start`]; the processes that have started are ended.
    pub fn spawn(
        crowds: impl IntoIterator<Item = (Command, CrowdPlan)>,
    ) -> Result<Self, CrowdProcessError> {
        Self::spawn_paying_at(None, crowds)
    }

    /// The same; viewers who pay at their platform go through the door of its till.
    ///
    /// # Errors
    /// As for [`CrowdProcesses::spawn`].
    pub fn spawn_paying_at(
        door: Option<&mpsc::Sender<Checkout>>,
        crowds: impl IntoIterator<Item = (Command, CrowdPlan)>,
    ) -> Result<Self, CrowdProcessError> {
        let mut processes = Self { members: Vec::new() };
        for (process, (command, plan)) in crowds.into_iter().enumerate() {
            let member = Member::spawn(command, &plan, door.cloned());
            processes
                .members
                .push(member.map_err(|source| CrowdProcessError::Start { process, source })?);
        }
        Ok(processes)
    }

    /// How far all processes together are; `None` until each has reported once.
    pub fn progress(&self) -> Option<Progress> {
        let mut sum: Option<Progress> = None;
        for member in &self.members {
            let heard = member.heard.lock();
            let progress = heard.progress.as_ref()?;
            match &mut sum {
                None => sum = Some(progress.clone()),
                Some(sum) => sum.merge(progress),
            }
        }
        sum
    }

    /// Whether a process has ended, by itself or not.
    pub fn any_over(&self) -> bool {
        self.members
            .iter()
            .any(|member| member.listener.as_ref().is_none_or(JoinHandle::is_finished))
    }

    /// Whether every process has ended.
    pub fn all_over(&self) -> bool {
        self.members
            .iter()
            .all(|member| member.listener.as_ref().is_none_or(JoinHandle::is_finished))
    }

    /// Asks the processes to finish: no more clicks, outstanding answers, goodbyes, result.
    pub fn stop(&mut self) {
        for member in &mut self.members {
            member.input = None;
        }
    }

    /// Waits until all processes have ended, and adds their results up. Blocks the thread.
    ///
    /// # Errors
    /// The first process that has no result.
    pub fn wait(mut self) -> Result<CrowdResult, CrowdProcessError> {
        let mut sum = CrowdResult::default();
        for (process, member) in self.members.iter_mut().enumerate() {
            sum.merge(&member.wait(process)?);
        }
        Ok(sum)
    }
}

impl Drop for CrowdProcesses {
    /// No process outlives the crowd.
    fn drop(&mut self) {
        for member in &mut self.members {
            // It has ended already if it was waited for.
            let _ended = member.child.kill();
            let _reaped = member.child.wait();
        }
    }
}

impl Member {
    fn spawn(
        mut command: Command,
        plan: &CrowdPlan,
        door: Option<mpsc::Sender<Checkout>>,
    ) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().expect("it was asked for");
        let output = child.stdout.take().expect("it was asked for");
        let mut line = serde_json::to_vec(plan)?;
        line.push(b'\n');
        input.write_all(&line)?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ears = Arc::clone(&heard);
        let listener =
            thread::Builder::new().name("crowd-listener".to_owned()).spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    match serde_json::from_str(&line) {
                        Ok(Line::Progress(progress)) => ears.lock().progress = Some(progress),
                        // A till that has closed takes nobody any more.
                        Ok(Line::Checkout(checkout)) => {
                            let _closed = door.as_ref().map(|door| door.blocking_send(checkout));
                        }
                        Ok(Line::Result(result)) => ears.lock().result = Some(result),
                        Ok(Line::Failed(why)) => ears.lock().failed = Some(why),
                        Err(error) => {
                            let why = format!("its line {line:?} is not understood: {error}");
                            ears.lock().failed.get_or_insert(why);
                        }
                    }
                }
            })?;
        Ok(Self { child, input: Some(input), heard, listener: Some(listener) })
    }

    fn wait(&mut self, process: usize) -> Result<CrowdResult, CrowdProcessError> {
        if let Some(listener) = self.listener.take() {
            listener.join().expect("the listener does not panic");
        }
        let status = self.child.wait();
        let status = status.map_err(|source| CrowdProcessError::Start { process, source })?;
        let mut heard = self.heard.lock();
        match (heard.failed.take(), heard.result.take()) {
            (Some(why), _) => Err(CrowdProcessError::Failed { process, why }),
            (None, Some(result)) => Ok(result),
            (None, None) => Err(CrowdProcessError::Silent { process, status }),
        }
    }
}

/// The whole life of one crowd process: the plan is the first line of standard input, the end of
/// standard input stops the crowd, progress with the result leaves by standard output.
pub fn crowd_process() -> ExitCode {
    raise_descriptor_limit();
    let (line, code) = match play_from_input() {
        Ok(result) => (Line::Result(result), ExitCode::SUCCESS),
        Err(why) => (Line::Failed(why), ExitCode::FAILURE),
    };
    if say(&line).is_ok() { code } else { ExitCode::FAILURE }
}

fn play_from_input() -> Result<CrowdResult, String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| format!("cannot read the plan: {error}"))?;
    let plan: CrowdPlan =
        serde_json::from_str(&line).map_err(|error| format!("this is no plan: {error}"))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let watch = move || {
        // Whatever comes, the end of the input or a broken one: nobody needs the crowd any more.
        let _end = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(stop);
    };
    let watcher = thread::Builder::new().name("crowd-stop".to_owned()).spawn(watch);
    watcher.map_err(|error| format!("cannot watch the input: {error}"))?;
    let told = |word: CrowdWord<'_>| {
        // A parent that is gone closes the input as well, which stops the crowd.
        let _said = say(&match word {
            CrowdWord::Progress(progress) => Line::Progress(progress.clone()),
            CrowdWord::Checkout(checkout) => Line::Checkout(checkout.clone()),
        });
    };
    let stop = async {
        let _dropped = stopped.await;
    };
    let result = run_crowd(plan, Arc::new(Live::default()), told, stop);
    result.map_err(|error: CrowdError| error.to_string())
}

fn say(line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}
