//! A browser on the sample shop's page, which imports the client from the server.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use thirtyfour::prelude::*;

use crate::{
    running::Running,
    shop::{Shop, open_drop, sample},
};

const SANDBOX: [&str; 4] = ["--payments", "sandbox", "--payment-delay-ms", "1"];
const STREAM: &str = "browser-show";
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that serves the test, ended with it.
pub(crate) struct Helper(Child);

impl Helper {
    /// Starts it, reads on until the line that `find` takes something from.
    fn start(command: &mut Command, find: impl Fn(&str) -> Option<String>) -> (Self, String) {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let helper = Self(child);
        let mut lines = output.lines().map_while(Result::ok);
        let found = lines.find_map(|line| find(&line)).expect("it says where it listens");
        // Reads on until it ends, so that it never blocks on its output.
        std::thread::spawn(move || lines.count());
        (helper, found)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// What drives browsers, with its address.
pub(crate) fn driver() -> (Helper, String) {
    Helper::start(Command::new("chromedriver").arg("--port=0"), |line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
    })
}

fn shop_page(port: u16, key: &Path, viewers: &str, control: &str) -> (Helper, String) {
    let mut node = Command::new("node");
    node.arg(sample("shop.mjs")).arg(port.to_string()).arg(key).args([STREAM, viewers]);
    node.arg(format!("{control}client/stampede.mjs"));
    Helper::start(&mut node, |line| line.strip_prefix("shop on ").map(str::to_owned))
}

/// A browser with a profile of its own.
pub(crate) async fn browser(driver: &str, profile: &Path) -> WebDriver {
    let mut wishes = DesiredCapabilities::chrome();
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ] {
        wishes.add_arg(flag).unwrap();
    }
    wishes.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    WebDriver::new(driver, wishes).await.unwrap()
}

/// Waits until an element shows a text.
pub(crate) async fn see(page: &WebDriver, css: &str, text: &str) -> WebElement {
    let text = text.to_owned();
    let query = page.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(100));
    let found = query.with_text(move |shown: &str| shown.contains(&text)).first().await;
    match found {
        Ok(element) => element,
        Err(error) => panic!("{error}; the page is:\n{}", page.source().await.unwrap()),
    }
}

#[test]
fn a_browser_buys_loses_the_server_comes_back_pays() {
    let shop = Shop::with_keys(&["EdDSA"]);
    // The server must know the page's origin before the page can know the server.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = shop.file("stampede.toml");
    let origins = format!("[viewers]\norigins = [\"http://127.0.0.1:{port}\"]\n");
    std::fs::write(&settings, origins).unwrap();
    let args = [SANDBOX.as_slice(), &["--config", settings.to_str().unwrap()]].concat();

    let server = Running::with(&shop.data(), &args);
    open_drop(&server, server.token.as_deref().unwrap(), STREAM);
    let viewers = server.viewers.clone();
    let address = viewers.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let (_shop, url) = shop_page(port, &shop.key("EdDSA"), &viewers, &server.control);
    let (_driver, driver) = driver();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let page = browser(&driver, &shop.file("profile")).await;
        page.goto(&url).await.unwrap();
        see(&page, "#state", "online").await;
        see(&page, "#drops p", "50 left").await;
        see(&page, "button.buy", "Buy").await.click().await.unwrap();
        see(&page, ".hold", "Held for you: 1").await;
        see(&page, "#drops p", "49 left").await;
        see(&page, "button.buy", "Buy").await.click().await.unwrap();
        see(&page, "#notice", "You have as many as one person may have.").await;

        server.stop(Signal::KILL);
        see(&page, "#state", "waiting: no handshake").await;
        let server = Running::at(&address, &shop.data(), &args);
        see(&page, "#state", "online").await;
        see(&page, ".hold", "Held for you: 1").await;
        see(&page, "button.pay", "Pay").await.click().await.unwrap();
        see(&page, ".order", "Yours: 1, order ").await;
        assert!(page.find_all(By::Css(".hold")).await.unwrap().is_empty());
        page.quit().await.unwrap();
        server.stop(Signal::TERM);
    });
}
