//! The supervisor of a show: tells the page its state, kills the server when asked, starts it again.

use std::time::Duration;

use stampede_control::{DemoKill, DemoStage, DemoState};
use stampede_engine::Clock as _;
use stampede_loadtest::{AudienceReport, ControlClient, Screen};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    super::{DemoError, Place},
    Ends,
    check::{Check, ReceivedPromises},
    screen::{show_gathering, show_staged},
    server::{Setup, StagedServer, Word},
};
use crate::{clock::SystemClock, failure::Failure};

/// Time between two states that are told.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Longest time that the crowd has to come in, in milliseconds; the show begins with those who are there.
const GATHER_MS_MAX: u64 = 90_000;
/// Longest time for the crowd to notice that the server is gone.
const NOTICE_WAIT: Duration = Duration::from_secs(10);

/// What the crowd's process last said, or why it says nothing more.
pub(super) type Heard = watch::Receiver<Result<AudienceReport, String>>;

/// Everything that runs.
pub(super) struct Supervisor<'a> {
    pub(super) place: &'a Place,
    pub(super) setup: Setup,
    pub(super) server: StagedServer,
    pub(super) words: mpsc::Receiver<(u64, Word)>,
    pub(super) crowd: Heard,
    pub(super) state: DemoState,
    pub(super) checking: Option<JoinHandle<Result<Check, Failure>>>,
    /// What the checks after kills found wrong, in words.
    pub(super) wrong: Vec<String>,
    pub(super) clock: SystemClock,
}

impl Supervisor<'_> {
    pub(super) fn control(&self) -> ControlClient {
        ControlClient::new(self.server.control_url(), self.server.staff_token())
    }

    /// Waits until everybody is connected, or for as long as anybody should have to wait.
    pub(super) async fn gather(&mut self, screen: &mut Screen) -> Result<(), DemoError> {
        let mut due = tokio::time::interval(TELL_EVERY);
        let begun_ms = self.clock.elapsed_ms();
        loop {
            due.tick().await;
            self.look()?;
            let DemoState { connected, viewers, .. } = self.state;
            show_gathering(screen, connected, viewers);
            let late = self.clock.elapsed_ms() - begun_ms > GATHER_MS_MAX;
            if connected < viewers && late {
                let trouble = self.trouble().map_or_else(String::new, |first| format!("; {first}"));
                screen.step(&format!("only {connected} of {viewers} viewers have come{trouble}"));
            }
            if connected >= viewers || late {
                self.state.stage = DemoStage::Running;
                self.server.tell(&self.state);
                return Ok(());
            }
            self.server.tell(&self.state);
        }
    }

    /// The first thing that went wrong in the crowd.
    fn trouble(&self) -> Option<String> {
        self.crowd.borrow().as_ref().ok()?.troubles.first().cloned()
    }

    /// Goes on until somebody ends the show, or something fails. A server that is being replaced is there
    /// before it ends.
    pub(super) async fn watch(
        &mut self,
        ends: &mut Ends,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        let mut due = tokio::time::interval(TELL_EVERY);
        loop {
            tokio::select! {
                _ = ends.come() => return Ok(()),
                word = self.words.recv() => match word {
                    Some((start, word)) if start == self.server.start => {
                        self.replace(word, screen).await?;
                    }
                    // The last word of a server that was replaced, or of none.
                    Some(_) | None => {}
                },
                checked = finished(&mut self.checking) => match checked {
                    Ok(check) => self.checked(check, screen),
                    // The server that it asked may be gone: its last word is on the way then.
                    Err(why) => match timeout(NOTICE_WAIT, self.words.recv()).await {
                        Ok(Some((start, Word::Gone))) if start == self.server.start => {
                            self.replace(Word::Gone, screen).await?;
                        }
                        _ => return Err(why),
                    },
                },
                _ = due.tick() => {}
            }
            self.look()?;
            self.server.tell(&self.state);
            show_staged(screen, &self.state);
        }
    }

    /// Takes over what the crowd says.
    fn look(&mut self) -> Result<(), DemoError> {
        match &*self.crowd.borrow_and_update() {
            Ok(report) => {
                self.state.connected = report.connected;
                self.state.promises = report.promises;
                Ok(())
            }
            Err(why) => Err(DemoError::AudienceEnded { why: why.clone() }),
        }
    }

    /// Kills the server and starts the next one. One that somebody else has killed is replaced the same
    /// way: `kill -9` in another terminal is as good as the button.
    async fn replace(&mut self, word: Word, screen: &mut Screen) -> Result<(), Failure> {
        if word == Word::Kill && self.state.stage != DemoStage::Running {
            return Ok(());
        }
        let at_ms = self.clock.wall().get();
        let killed_ms = self.clock.elapsed_ms();
        self.server.kill()?;
        // Whatever the server had sent was read by then; nothing comes until the next one is there.
        let is_gone = |heard: &Result<AudienceReport, String>| {
            heard.as_ref().map_or(true, |now| now.connected == 0)
        };
        let noticed = timeout(NOTICE_WAIT, self.crowd.wait_for(is_gone)).await.is_ok();
        if !noticed {
            screen.step("some viewers have not noticed that the server is gone");
        }
        self.look()?;
        let received = ReceivedPromises::now(&self.place.logs())?;
        let mut setup = self.setup.clone();
        let started = spawn_blocking(move || setup.start().map(|server| (setup, server)));
        (self.setup, self.server) =
            started.await.expect("a start neither panics nor is cancelled")?;
        let down_ms = self.clock.elapsed_ms() - killed_ms;
        self.state.kills += 1;
        let given = self.state.promises;
        self.state.last_kill = Some(DemoKill { at_ms, down_ms, given, ..DemoKill::default() });
        self.state.stage = DemoStage::Checking;
        screen.step(&format!("killed; back after {down_ms} ms, checking {given} promises"));
        let check = received.check(self.control(), self.place.ledger());
        if let Some(before) = self.checking.replace(tokio::spawn(check)) {
            // It belongs to a server that is gone.
            before.abort();
        }
        Ok(())
    }

    fn checked(&mut self, check: Check, screen: &mut Screen) {
        let Check { given, kept, sound, .. } = check;
        if let Some(kill) = &mut self.state.last_kill {
            (kill.given, kill.kept, kill.verified) = (given, Some(kept), Some(sound));
        }
        self.state.stage = DemoStage::Running;
        let verdict =
            if sound { "the verifier finds nothing wrong" } else { "the ledger is WRONG" };
        screen.step(&format!("{given} promises given before the kill, {kept} kept; {verdict}"));
        if !check.is_good() {
            self.wrong.extend(check.wrong);
        }
    }
}

/// The check that has come to its end; never, while none runs.
async fn finished(
    checking: &mut Option<JoinHandle<Result<Check, Failure>>>,
) -> Result<Check, Failure> {
    let Some(running) = checking else { return std::future::pending().await };
    let done = running.await;
    *checking = None;
    done.expect("a check neither panics nor is cancelled")
}
