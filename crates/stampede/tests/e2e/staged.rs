//! A newcomer with the staged demo: one link, a sell-out, a restock, the next drop, a kill in mid-sale.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::harness::{Browser, Look, Tab, binary, pictures};

/// Viewers of the run in the gate; `STAMPEDE_STAGE_VIEWERS` names another number.
const VIEWERS: u32 = 2_000;

/// A window that fits a README.
const LOOK: Look = Look { size: (1280, 800), theme: "dark", ..Look::LAPTOP };

/// The demo, ended with the test: what it has started ends with it.
struct Demo(Child);

impl Demo {
    /// Starts it, waits for its link.
    fn start(viewers: u32, place: &std::path::Path) -> (Self, String) {
        let mut command = Command::new(binary());
        command.env_clear().args(["demo", "--stage", "--no-browser", "--viewers"]);
        command.arg(viewers.to_string()).arg("--data").arg(place);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let link = lines.find(|line| line.contains("/join/")).expect("it prints its link");
        std::thread::spawn(move || lines.count());
        (Self(child), link.trim().to_owned())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Time that passes, by the machine's clock.
struct Watch(Instant);

impl Watch {
    #[allow(clippy::disallowed_methods, reason = "what a newcomer waits for is measured")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn say(&self, what: &str) {
        println!("{:6.1} s  {what}", self.0.elapsed().as_secs_f64());
    }
}

fn picture(tab: &Tab, name: &str) {
    tab.picture_to(&pictures().join(format!("demo-{name}.png")));
}

/// The number behind a word of the strip's last sentence.
fn counted(said: &str, from: &str, to: &str) -> u64 {
    let (_, rest) = said.split_once(from).unwrap();
    rest.split_once(to).unwrap().0.replace(',', "").trim().parse().unwrap()
}

#[test]
fn a_newcomer_sells_out_and_kills_the_server_in_mid_sale() {
    let viewers = std::env::var("STAMPEDE_STAGE_VIEWERS").ok();
    let viewers = viewers.map_or(VIEWERS, |number| number.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let (_demo, link) = Demo::start(viewers, place.path());
    let browser = Browser::start();
    let watch = Watch::start();
    let tab = browser.visitor(LOOK).open(&link);
    tab.press("[data-form=invitation] [type=submit]");
    tab.see("[data-s=next-title]", "Eau de parfum");
    tab.see("[data-s=demo-last]", "Kill the server while it sells");
    watch.say("the control room is there");
    picture(&tab, "waiting");

    tab.press("[data-command=next]");
    tab.see("[data-s=hero]", "All taken");
    watch.say("all of the first drop is taken");
    picture(&tab, "taken");
    tab.press("[data-command=restock]");
    tab.press("[data-form=restock] [type=submit]");
    tab.see("[data-s=result]", "Restocked");
    watch.say("restocked");

    tab.press("[data-command=next]");
    tab.see("[data-s=title]", "Scented candle");
    tab.see("[data-s=state]", "Open");
    tab.until("selling", "document.querySelector('[data-s=bar-held]').textContent.length > 1");
    picture(&tab, "selling");
    tab.press("[data-do=kill]");
    watch.say("the server is killed in mid-sale");
    // A server that is back within half a second is never seen to be gone.
    picture(&tab, "killed");
    tab.see("[data-s=demo-last]", "kept. Killed at");
    watch.say("the promises are counted");
    let said = tab.text("[data-s=demo-last]");
    println!("{said}");
    let given = counted(&said, "", " promises given before the kill");
    assert!(given > 0);
    assert_eq!(given, counted(&said, "before the kill, ", " kept"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
    // The page and the crowd are back, the sale goes on.
    tab.see("[data-s=link]", "Connected");
    tab.see("[data-s=state]", "Open");
    let all = tab.text("[data-s=demo-viewers]");
    let (_, all) = all.split_once(" of ").unwrap();
    tab.see("[data-s=demo-viewers]", &format!("{} of {all}", all.split(' ').next().unwrap()));
    watch.say("everybody is back");
    picture(&tab, "kept");
}
