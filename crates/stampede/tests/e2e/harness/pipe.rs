//! The `DevTools` protocol over a pipe: calls with their answers, events between them.

use std::{
    cell::{Cell, RefCell},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

use serde_json::{Value, json};

/// Longest wait for an answer of the browser.
const ANSWER_WAIT: Duration = Duration::from_mins(1);
/// Longest silence of a browser that was told to close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Messages that may lie unread.
const UNREAD_MAX: usize = 65_536;
/// Events that are kept for later calls; a page that has more floods.
const EVENTS_MAX: usize = 10_000;

/// What the browser did not do.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The browser's words.
    pub(crate) why: String,
}

/// A browser that listens at a pipe and ends with it.
pub(super) struct Pipe {
    child: Child,
    to: RefCell<ChildStdin>,
    from: Receiver<Value>,
    last: Cell<u64>,
    events: RefCell<Vec<Value>>,
}

impl Pipe {
    /// Starts the browser on a folder of its own.
    pub(super) fn start(profile: &Path, flags: &[&str]) -> Self {
        // The browser reads at descriptor 3, writes at 4; it ends by itself when these close.
        const LAYOUT: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1"#;
        let mut command = Command::new("sh");
        command.args(["-c", LAYOUT, "sh", "chromium", "--remote-debugging-pipe"]).args(flags);
        command.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let to = RefCell::new(child.stdin.take().unwrap());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (tell, from) = sync_channel(UNREAD_MAX);
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                let text = message.strip_suffix(&[0]).unwrap_or(&message);
                let Ok(value) = serde_json::from_slice(text) else { return };
                if tell.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Self { child, to, from, last: Cell::new(0), events: RefCell::default() }
    }

    /// Calls a method, of the browser itself or of one page's session.
    pub(super) fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, Refused> {
        let id = self.last.get() + 1;
        self.last.set(id);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.borrow_mut().write_all(&bytes).unwrap();
        loop {
            let mut heard = match self.from.recv_timeout(ANSWER_WAIT) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Timeout) => panic!("{method} has no answer after 60 s"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser ended in {method}"),
            };
            if heard["id"] == id {
                let why = heard["error"]["message"].as_str().map(str::to_owned);
                return match why {
                    Some(why) => Err(Refused { why }),
                    None => Ok(heard["result"].take()),
                };
            }
            if heard.get("method").is_some() && self.events.borrow().len() < EVENTS_MAX {
                self.events.borrow_mut().push(heard);
            }
        }
    }

    /// Takes the events of a session that came so far, of one method.
    pub(super) fn take_events(&self, session: &str, method: &str) -> Vec<Value> {
        let all = self.events.take();
        let is_asked = |event: &Value| event["sessionId"] == session && event["method"] == method;
        let (asked, others) = all.into_iter().partition(is_asked);
        self.events.replace(others);
        asked
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Told to close it ends what it has started, which writes no more into the profile.
        let _told = self.to.borrow_mut().write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        while self.from.recv_timeout(CLOSE_WAIT).is_ok() {}
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
