//! The samples that report payments, against the running server.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use stampede_client::{ConnectOptions, Connection, ServerMessage, Subprotocol};
use stampede_domain::HoldId;

use crate::{
    running::{Running, stampede, stdout},
    shop::{Shop, command, done, open_drop, sample, tree},
};

const SAMPLES: [(&str, &str); 3] = [
    ("python3", "report_payment.py"),
    ("node", "report_payment.mjs"),
    ("java", "ReportPayment.java"),
];

/// A shop whose payments are reported from outside.
struct Till {
    shop: Shop,
    /// Missing while it is killed.
    server: Option<Running>,
    viewers: String,
    control: String,
    /// The first token, with which drops are run.
    staff: String,
    /// What reports payments comes with.
    token: String,
    drop: String,
}

impl Till {
    fn open() -> Self {
        Self::open_with(|_| Vec::new())
    }

    /// A till whose server has arguments of the test's own.
    fn open_with(args: impl FnOnce(&Shop) -> Vec<String>) -> Self {
        let shop = Shop::with_keys(&["HS256"]);
        let args = args(&shop);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let server = Running::with(&shop.data(), &args);
        let staff = server.token.clone().unwrap();
        let mut add = stampede();
        add.args(["token", "add", "--name", "till", "--role", "payments", "--merchant", "potter"]);
        let token = stdout(&add.arg("--data").arg(shop.data()).assert().success());
        let drop = open_drop(&server, &staff, "friday");
        let (viewers, control) = (server.viewers.clone(), server.control.clone());
        let token = token.trim().to_owned();
        Self { shop, server: Some(server), viewers, control, staff, token, drop }
    }

    /// A viewer buys the one that it may have.
    fn held(&self, viewer: &str) -> String {
        let ticket = self.shop.ticket("HS256", "friday", viewer);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hold: HoldId = runtime.block_on(async {
            let options = ConnectOptions::new(&self.viewers, Subprotocol::Json);
            let (mut connection, welcome) = Connection::open(&options, &ticket).await.unwrap();
            let key = viewer.parse().unwrap();
            connection.buy(welcome.drops[0].drop, "mug", 1, &key).await.unwrap();
            loop {
                if let ServerMessage::Held(held) = connection.next().await.unwrap() {
                    return held.hold;
                }
            }
        });
        hold.to_string()
    }

    /// A sample with its queue; `paid` is what it has to report.
    fn sample(&self, (program, file): (&str, &str), paid: &[&str]) -> Command {
        let mut run = Command::new(program);
        run.arg(sample(file)).arg(self.queue(file)).args(paid);
        run.env("STAMPEDE", &self.control).env("TOKEN", &self.token);
        run
    }

    fn queue(&self, file: &str) -> PathBuf {
        self.shop.file(&format!("queue-{file}"))
    }

    /// What a sample was answered.
    fn report(&self, which: (&str, &str), paid: &[&str]) -> Vec<Value> {
        let answers = answers(&done(&mut self.sample(which, paid)));
        assert_eq!(reports_in(&self.queue(which.1)), 0, "{which:?}: all of it was answered");
        answers
    }

    fn todo(&self) -> Value {
        serde_json::from_str(&self.read(&self.token, "v1/payments/todo")).unwrap()
    }

    /// Kills the server; what `meanwhile` does happens before it comes back at the same addresses.
    fn while_killed<T>(&mut self, meanwhile: impl FnOnce(&Self) -> T) -> T {
        self.server.take().unwrap().stop(Signal::KILL);
        let done = meanwhile(self);
        let address = |url: &str| url.split("//").nth(1).unwrap().trim_end_matches('/').to_owned();
        let (viewers, control) = (address(&self.viewers), address(&self.control));
        self.server = Some(Running::at_both(&viewers, &control, &self.shop.data(), &[]));
        done
    }

    /// Closes the drop; its orders by the audit.
    fn orders(&self) -> Vec<Value> {
        let close = format!("drops/{}/close", self.drop);
        command(self.server.as_ref().unwrap(), &self.staff, &close, "close-1", &json!({}));
        let audit = self.read(&self.staff, &format!("v1/drops/{}/audit", self.drop));
        answers(&audit).into_iter().filter(|line| line["type"] == "order").collect()
    }

    fn read(&self, token: &str, path: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "-H", &format!("Authorization: Bearer {token}")]);
        done(curl.arg(format!("{}{path}", self.control)))
    }
}

fn answers(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many reports wait in a queue.
fn reports_in(queue: &Path) -> usize {
    let Ok(files) = std::fs::read_dir(queue) else { return 0 };
    let names = files.map(|file| file.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|end| end == "json")).count()
}

/// Waits until a sample has written its report down, gives it back alive.
fn started(mut run: Command, queue: &Path) -> Child {
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while reports_in(queue) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it had written its report");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn outcome(answer: &Value) -> &str {
    answer["holds"][0]["outcome"].as_str().unwrap()
}

#[test]
fn every_language_reports_what_was_paid_once_and_gives_back_what_is_due() {
    let till = Till::open();
    for which in SAMPLES {
        let (_, file) = which;
        let hold = till.held(&format!("v-{file}"));
        let payment = format!("pay-{file}");
        let paid = [&*payment, "1500", "EUR", &*hold];
        let first = till.report(which, &paid);
        assert_eq!((first.len(), outcome(&first[0])), (1, "ordered"), "{file}");
        assert_eq!(first[0]["holds"][0]["order"], json!(hold), "{file}");
        let again = till.report(which, &paid);
        assert_eq!((again.len(), outcome(&again[0])), (1, "already_ordered"), "{file}");

        let second = format!("twice-{file}");
        let back = till.report(which, &[&*second, "1500", "EUR", &*hold]);
        assert_eq!(back[0]["holds"][0]["reason"], json!("second_payment"), "{file}");
        assert_eq!(
            (back.len(), outcome(&back[1])),
            (2, "noted"),
            "{file}: what went back was reported"
        );
    }
    assert_eq!(till.todo()["holds"], json!([]));
}

#[test]
fn a_report_in_every_language_outlives_a_server_that_is_killed() {
    let mut till = Till::open();
    for which in SAMPLES {
        let (_, file) = which;
        let hold = till.held(&format!("v-{file}"));
        let payment = format!("pay-{file}");
        let queue = till.queue(file);
        let child = till.while_killed(|till| {
            let paid = [&*payment, "1500", "EUR", &*hold];
            started(till.sample(which, &paid), &queue)
        });
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let complained = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{file}: {complained}");
        let told = answers(&String::from_utf8(stdout).unwrap());
        assert_eq!((told.len(), outcome(&told[0])), (1, "ordered"), "{file}: {complained}");
        assert_eq!(reports_in(&queue), 0);
    }
    let orders = till.orders();
    assert_eq!(orders.len(), SAMPLES.len(), "one for each: {orders:?}");
}

#[test]
fn a_report_in_every_language_outlives_its_own_program() {
    let mut till = Till::open();
    for which in SAMPLES {
        let (_, file) = which;
        let hold = till.held(&format!("v-{file}"));
        let payment = format!("pay-{file}");
        let queue = till.queue(file);
        till.while_killed(|till| {
            let paid = [&*payment, "1500", "EUR", &*hold];
            let mut child = started(till.sample(which, &paid), &queue);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        assert_eq!(reports_in(&queue), 1, "{file}");
        let told = till.report(which, &[]);
        assert_eq!((told.len(), outcome(&told[0])), (1, "ordered"), "{file}");
    }
    assert_eq!(till.orders().len(), SAMPLES.len());
}

#[test]
fn a_report_that_is_refused_stays_in_the_queue_and_keeps_no_other_one() {
    let till = Till::open();
    for which in SAMPLES {
        let (_, file) = which;
        let nobodys = "000000010000010000000fff00000007";
        let refused = format!("refused-{file}");
        let paid = [&*refused, "1500", "EUR", nobodys];
        let output = till.sample(which, &paid).output().unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{file}: {complained}");
        assert!(complained.contains("unknown_hold"), "{file}: {complained}");
        let hold = till.held(&format!("v-{file}"));
        let payment = format!("pay-{file}");
        let output = till.sample(which, &[&payment, "1500", "EUR", &hold]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}: one is refused still");
        let told = answers(&String::from_utf8(output.stdout).unwrap());
        assert_eq!((told.len(), outcome(&told[0])), (1, "ordered"), "{file}");
        assert_eq!(reports_in(&till.queue(file)), 1, "{file}");
    }
}

/// What signs an event like Stripe, and sends it: secret, address and body are its arguments.
const STRIPE: &str = r"
import hashlib, hmac, sys, time, urllib.request
secret, url, body = sys.argv[1:]
at = int(time.time())
signature = hmac.new(secret.encode(), f'{at}.{body}'.encode(), hashlib.sha256).hexdigest()
headers = {'Stripe-Signature': f't={at},v1={signature}', 'Content-Type': 'application/json'}
request = urllib.request.Request(url, body.encode(), headers)
print(urllib.request.urlopen(request).status)
";

#[test]
fn the_settings_of_the_guide_let_stripe_report() {
    let secret = format!("whsec_{}", "s".repeat(32));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let till = Till::open_with(|shop| {
        let secrets = shop.file("stripe-main.secrets");
        std::fs::write(&secrets, format!("# the endpoint for live payments\n{secret}\n")).unwrap();
        let guide = std::fs::read_to_string(tree().join("docs/payments.md")).unwrap();
        let settings = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        // Real money, for what this test sells.
        let settings = settings
            .replace("\"/etc/stampede/stripe-main.secrets\"", &format!("{secrets:?}"))
            .replace("127.0.0.1:7703", &format!("127.0.0.1:{port}"))
            .replace("maison-nord", "potter")
            .replace("mode = \"test\"", "mode = \"live\"");
        let file = shop.file("stampede.toml");
        std::fs::write(&file, settings).unwrap();
        vec!["--config".to_owned(), file.display().to_string()]
    });
    let hold = till.held("v-1");
    let event = json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_790_000_000,
        "livemode": true, "data": {"object": {
            "id": "pi_1", "object": "payment_intent", "amount": 1_500, "amount_received": 1_500,
            "currency": "eur", "metadata": {"stampede_hold": hold},
        }},
    });
    let url = format!("http://127.0.0.1:{port}/v1/payments/stripe/main");
    let mut stripe = Command::new("python3");
    stripe.args(["-c", STRIPE, &secret, &url, &event.to_string()]);
    assert_eq!(done(&mut stripe).trim(), "200");
    let payment = till.read(&till.token, "v1/payments/stripe:main/pi_1");
    let payment: Value = serde_json::from_str(&payment).unwrap();
    assert_eq!(payment["holds"][0]["state"], json!("ordered"), "{payment}");
}
