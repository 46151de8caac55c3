//! The real server as a process of the test, with what staff do by the interface.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{self, Answer};

/// The folder that has the binary, if not the one that the test was built with.
const BINARIES: &str = "STAMPEDE_BINARIES";
/// Time between two looks at the server, and how often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 3_000;

/// The binary that is tried.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os(BINARIES).map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_stampede")),
        |folder| PathBuf::from(folder).join("stampede"),
    )
}

/// A drop to plan: one stream, one merchant, goods.
#[derive(Clone)]
pub(crate) struct Drop {
    pub(crate) stream: String,
    pub(crate) title: String,
    pub(crate) place: u16,
    pub(crate) merchant: String,
    pub(crate) goods: Vec<Goods>,
    pub(crate) countdown_ms: u32,
    /// Units that one viewer may have.
    pub(crate) limit: u32,
    /// How long a hold lives, in milliseconds.
    pub(crate) hold_ttl_ms: u32,
    /// Whether viewers hear nothing of it before its countdown.
    pub(crate) hidden: bool,
    /// How long after its opening it ends, in milliseconds.
    pub(crate) ends_after_opening_ms: Option<u32>,
}

/// One SKU of a drop.
#[derive(Clone)]
pub(crate) struct Goods {
    pub(crate) id: String,
    /// What tells it from the others, "" if it is the only one.
    pub(crate) option: String,
    pub(crate) supply: u32,
    /// Units that are not on sale at first.
    pub(crate) reserve: u32,
    /// In cents.
    pub(crate) price: u32,
}

impl Drop {
    /// A drop of one SKU `mug`, which opens a second after it is told to.
    pub(crate) fn new(stream: &str, place: u16, title: &str, supply: u32) -> Self {
        let (id, option) = ("mug".to_owned(), String::new());
        let goods = Goods { id, option, supply, reserve: 0, price: 1_500 };
        Self {
            stream: stream.to_owned(),
            title: title.to_owned(),
            place,
            merchant: "potter".to_owned(),
            goods: vec![goods],
            countdown_ms: 1_000,
            limit: 1,
            hold_ttl_ms: 120_000,
            hidden: false,
            ends_after_opening_ms: None,
        }
    }

    /// The same with so many units in reserve, which a host restocks without asking.
    pub(crate) fn reserving(mut self, units: u32) -> Self {
        self.goods[0].reserve = units;
        self
    }

    fn plan(&self) -> Value {
        let skus = self.goods.iter().map(|goods| {
            let options = match goods.option.as_str() {
                "" => json!([]),
                option => json!([{ "name": "Colour", "value": option }]),
            };
            json!({ "id": goods.id, "title": self.title, "options": options, "supply": goods.supply,
                "reserve": goods.reserve,
                "price": { "minor": goods.price, "currency": "EUR" } })
        });
        let mut plan = json!({ "stream": self.stream, "running_order": self.place, "title": self.title,
            "merchant": self.merchant, "host": "nina", "limit_per_viewer": self.limit,
            "hold_ttl_ms": self.hold_ttl_ms, "countdown_ms": self.countdown_ms, "hidden": self.hidden,
            "skus": skus.collect::<Vec<_>>() });
        if let Some(after) = self.ends_after_opening_ms {
            plan["ends_after_opening_ms"] = after.into();
        }
        plan
    }
}

/// A running server; ports are chosen by the system at its first start, kept from then on.
pub(crate) struct Server {
    folder: TempDir,
    args: Vec<String>,
    child: Child,
    /// Requests so far: each has its number as its key.
    asked: AtomicU64,
    /// Where viewers connect, like `ws://127.0.0.1:7700/`.
    pub(crate) viewers: String,
    /// Where staff connect, like `http://127.0.0.1:7701/`.
    pub(crate) control: String,
    /// The first staff token, an admin's.
    pub(crate) token: String,
}

impl Server {
    /// Starts a server on an empty folder; payments are those of the sandbox, at once.
    pub(crate) fn start() -> Self {
        Self::with(&["--payments", "sandbox", "--payment-delay-ms", "50"])
    }

    /// The same with arguments of its own.
    pub(crate) fn with(args: &[&str]) -> Self {
        Self::prepared(|_folder| args.iter().copied().map(str::to_owned).collect())
    }

    /// The same on a folder that is prepared first; its data are in `data` there.
    pub(crate) fn prepared(prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let args = prepare(folder.path());
        let at = ("127.0.0.1:0", "127.0.0.1:0");
        let (child, said) = launch(&folder.path().join("data"), at, &args, 3);
        let mut said = said.into_iter();
        let mut next = || said.next().unwrap();
        let (viewers, control, token) = (next(), next(), next());
        let asked = AtomicU64::new(0);
        Self { folder, args, child, asked, viewers, control, token }
    }

    /// The folder of its ledger and keys.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file of the run's own, gone with it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to drain; it ends when it is ready to.
    pub(crate) fn drain(&self) {
        kill_process(self.id(), Signal::TERM).unwrap();
    }

    /// Lets each of its writes to a file fail from now on.
    pub(crate) fn fail_writes(&self) {
        let nothing = Rlimit { current: Some(0), maximum: Some(0) };
        prlimit(Some(self.id()), Resource::Fsize, nothing).unwrap();
    }

    fn id(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap()
    }

    /// Waits for its end after [`Server::drain`].
    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        let viewers = self.viewers.trim_start_matches("ws://").trim_end_matches('/').to_owned();
        let at = (viewers.as_str(), self.address());
        let (child, _) = launch(&self.data(), at, &self.args, 2);
        self.child = child;
    }

    /// Where its control listens, like `127.0.0.1:7701`.
    pub(crate) fn address(&self) -> &str {
        self.control.trim_start_matches("http://").trim_end_matches('/')
    }

    /// The address of a page, like `/shows`.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{}", self.control, path.trim_start_matches('/'))
    }

    /// A token of somebody with a role.
    pub(crate) fn staff(&self, name: &str, role: &str) -> String {
        self.staff_with(&["--name", name, "--role", role])
    }

    /// A token of somebody with a role, bound to one merchant.
    pub(crate) fn staff_of(&self, name: &str, role: &str, merchant: &str) -> String {
        self.staff_with(&["--name", name, "--role", role, "--merchant", merchant])
    }

    fn staff_with(&self, args: &[&str]) -> String {
        let mut command = Command::new(binary());
        command.env_clear().args(["token", "add"]).args(args);
        let output = command.arg("--data").arg(self.data()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let token = printed.split_whitespace().find(|word| word.starts_with("stf_"));
        token.unwrap_or_else(|| panic!("no token: {printed}")).to_owned()
    }

    /// A request by the first token; commands have a new key each time.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.token, method, path, body)
    }

    /// The same by somebody's token.
    pub(crate) fn ask_as(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let key = self.asked.fetch_add(1, Ordering::Relaxed);
        // An edit here is of whichever terms there are.
        let edit = if method == "PUT" { "if-match: *\r\n" } else { "" };
        let headers = format!("authorization: Bearer {token}\r\nidempotency-key: k{key}\r\n{edit}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http::ask(self.address(), method, path, &headers, &body).unwrap()
    }

    /// A file that somebody's token may read.
    pub(crate) fn download(&self, token: &str, path: &str) -> Vec<u8> {
        let headers = format!("authorization: Bearer {token}\r\n");
        let (status, bytes) = http::download(self.address(), path, &headers).unwrap();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        bytes
    }

    /// A command that has to succeed; its answer.
    pub(crate) fn command(&self, path: &str, body: &Value) -> Value {
        self.command_as(&self.token, path, body)
    }

    /// The same by somebody's token.
    pub(crate) fn command_as(&self, token: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask_as(token, "POST", &format!("/v1/{path}"), body);
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Plans a drop; its id.
    pub(crate) fn plan(&self, drop: &Drop) -> String {
        self.plan_as(&self.token, drop)
    }

    /// The same by somebody's token.
    pub(crate) fn plan_as(&self, token: &str, drop: &Drop) -> String {
        self.command_as(token, "drops", &drop.plan())["drop"].as_str().unwrap().to_owned()
    }

    /// A drop as the interface shows it.
    pub(crate) fn drop_state(&self, drop: &str) -> Value {
        self.ask("GET", &format!("/v1/drops/{drop}"), &Value::Null).body
    }

    /// Waits until a drop is as wanted; what it is then.
    pub(crate) fn until(&self, drop: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.until_told(&format!("/v1/drops/{drop}"), what, is_so)
    }

    /// Waits until the interface tells what is wanted; what it tells then.
    pub(crate) fn until_told(
        &self,
        path: &str,
        what: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let ask = || self.ask("GET", path, &Value::Null).body;
        for _ in 0..LOOKS_MAX {
            let told = ask();
            if is_so(&told) {
                return told;
            }
            thread::park_timeout(LOOK_EVERY);
        }
        panic!("{path} did not become {what}: {}", ask());
    }

    /// An invitation for a stream; the link's path.
    pub(crate) fn invite(&self, name: &str, role: &str, streams: &[&str], valid_ms: u64) -> String {
        let mut body = json!({ "name": name, "role": role, "valid_ms": valid_ms });
        if !streams.is_empty() {
            body["streams"] = json!(streams);
        }
        let link = self.command("invitations", &body)["link"].as_str().unwrap().to_owned();
        link.split_once("/join/").map(|(_, secret)| format!("/join/{secret}")).unwrap()
    }
}

impl std::ops::Drop for Server {
    fn drop(&mut self) {
        // It is gone already if it was stopped.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Starts the process, reads its first lines: where viewers, where staff connect, the first token.
fn launch(
    data: &Path,
    (viewers, control): (&str, &str),
    args: &[String],
    lines: usize,
) -> (Child, Vec<String>) {
    // A write beyond the limit of file sizes fails; by default it would end the process.
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("RUST_LOG", "error");
    command.arg("-c").arg("trap '' XFSZ; exec \"$0\" \"$@\"").arg(binary());
    command.arg("serve").arg("--data").arg(data);
    command.args(["--viewers", viewers, "--control", control]).args(args);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = (&mut output).take(lines).collect();
    assert_eq!(said.len(), lines, "the server says where it listens");
    // Reads on until it ends, so that it never blocks on its output.
    thread::spawn(move || output.count());
    let value = |line: String| {
        line.split_once(": ")
            .or_else(|| line.split_once(" on "))
            .map(|(_, value)| value.to_owned())
            .unwrap()
    };
    (child, said.into_iter().map(value).collect())
}
