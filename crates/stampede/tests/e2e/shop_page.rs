//! A viewer on the sample shop's page, which imports the client from the server.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::harness::{Browser, Drop as Planned, Look, Server};

const STREAM: &str = "browser-show";

/// A file beside the guide for viewer apps.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrate").join(name)
}

/// The shop's own server, ended with the test.
struct ShopPage {
    child: Child,
    url: String,
}

impl ShopPage {
    fn start(port: u16, key: &Path, server: &Server) -> Self {
        let mut node = Command::new("node");
        node.arg(sample("shop.mjs")).arg(port.to_string()).arg(key).arg(STREAM);
        node.arg(&server.viewers).arg(format!("{}client/stampede.mjs", server.control));
        let mut child = node.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("shop on ").map(str::to_owned));
        let shop = Self { child, url: url.unwrap_or_default() };
        assert_ne!(shop.url, "", "the shop says where it listens");
        // Reads on until it ends, so that it never blocks on its output.
        std::thread::spawn(move || lines.count());
        shop
    }
}

impl Drop for ShopPage {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Lays out the folder of a server that trusts the shop's key and its page's origin.
fn laid_out(folder: &Path, port: u16) -> Vec<String> {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let mut node = Command::new("node");
    node.arg(sample("make_ticket_key.mjs")).args(["platform-EdDSA", "EdDSA"]);
    node.arg(folder.join("key.json")).arg(data.join("ticket-keys.json"));
    assert!(node.stdout(Stdio::null()).status().unwrap().success());
    let settings = folder.join("stampede.toml");
    let origins = format!("[viewers]\norigins = [\"http://127.0.0.1:{port}\"]\n");
    std::fs::write(&settings, origins).unwrap();
    let settings = settings.to_str().unwrap();
    ["--payments", "sandbox", "--payment-delay-ms", "1", "--config", settings]
        .map(str::to_owned)
        .into()
}

#[test]
fn a_browser_buys_loses_the_server_comes_back_pays() {
    // The server must know the page's origin before the page can know the server.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Server::prepared(|folder| laid_out(folder, port));
    let drop = server.plan(&Planned { countdown_ms: 0, ..Planned::new(STREAM, 1, "Mug", 50) });
    server.command(&format!("drops/{drop}/open"), &serde_json::json!({}));
    let shop = ShopPage::start(port, &server.file("key.json"), &server);
    let browser = Browser::start();
    let page = browser.visitor(Look::LAPTOP).open(&shop.url);
    page.see("#state", "online");
    page.see("#drops p", "50 left");
    page.press("button.buy");
    page.see(".hold", "Held for you: 1 × Mug");
    page.see("#drops p", "49 left");
    page.press("button.buy");
    page.see("#notice", "You have as many as one person may have.");

    server.kill();
    page.see("#state", "no connection; it comes back by itself");
    server.restart();
    page.see("#state", "online");
    page.see(".hold", "Held for you: 1");
    page.press("button.pay");
    page.see(".order", "Yours: 1 × Mug, order ");
    page.until("without the hold", "document.querySelector('.hold') === null");
}
