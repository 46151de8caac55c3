//! Who may do what: each path of the interface, each page, by every role or by nobody.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};
use stampede_control::{CLIENT_PATH, NewStaff};
use stampede_domain::UnixMillis;
use stampede_engine::{Role, StreamScope};

use crate::{
    browser::{Browser, ORIGIN},
    rig::{Answer, Ask, NOON, Rig, mugs},
};

/// The drops are acme's; `nina` is a creator, `stage` bound to the stream in question, `payments` to acme,
/// `nobody` sends nothing.
const CALLERS: [&str; 10] =
    ["admin", "host", "ops", "platform", "nina", "acme", "zeta", "stage", "payments", "nobody"];

/// What pages send by themselves.
const PRESSED: [&str; 10] = [
    "/v1/drops/{drop}/orders/{order}/cancel",
    "/v1/drops/{drop}/open",
    "/v1/drops/{drop}/cancel-countdown",
    "/v1/drops/{drop}/pause",
    "/v1/drops/{drop}/resume",
    "/v1/drops/{drop}/close",
    "/v1/drops/{drop}/feature",
    "/v1/drops/{drop}/lots",
    "/v1/brake/stop",
    "/v1/brake/go",
];

/// What answers the machine that reports payments beside the paths under `/v1/payments`: what is there for
/// everybody, and its own session.
const OPEN_TO_PAYMENTS: [(&str, &str); 9] = [
    ("GET", CLIENT_PATH),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/readyz"),
    ("GET", "/shared/{secret}/{file}"),
    ("POST", "/v1/invitations/look"),
    ("POST", "/v1/sessions"),
    ("DELETE", "/v1/sessions/current"),
    ("GET", "/v1/sessions/current"),
];

/// Makes what a request needs, anew for each.
struct Matrix {
    rig: Rig,
    made: u32,
    /// The terms of the drop that was planned last.
    planned: Value,
    /// A hold of a drop of acme's.
    hold: String,
}

impl Matrix {
    async fn new() -> Self {
        let mut rig = Rig::new();
        let mut plan = mugs();
        // It is there for every caller, and takes are stopped by some.
        plan["hold_ttl_ms"] = json!(86_400_000);
        let drop = rig.open(plan).await;
        let hold = rig.buy(&drop, "v1", "mug", 1).await.to_string();
        Self { rig, made: 0, planned: Value::Null, hold }
    }

    /// Every path with its methods.
    async fn rows(&self) -> Vec<(String, String)> {
        let document = self.rig.ask_nobody("GET", "/openapi.json").send().await.json;
        let mut rows = vec![(CLIENT_PATH.to_owned(), "GET".to_owned())];
        for (path, methods) in document["paths"].as_object().unwrap() {
            let names = methods.as_object().unwrap().keys().map(|name| name.to_uppercase());
            rows.extend(names.map(|method| (path.clone(), method)));
        }
        rows.sort_unstable();
        rows
    }

    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("n{}", self.made)
    }

    fn plan(&mut self) -> Value {
        let mut plan = mugs();
        let name = self.fresh();
        (plan["stream"], plan["title"]) = (json!(name), json!(name));
        plan
    }

    /// A request of the host's for more than the reserve.
    async fn request(&mut self) -> String {
        let (plan, name) = (self.plan(), self.fresh());
        let drop = self.rig.open(plan).await;
        let body = json!({ "sku": "mug", "units": 1 });
        let lots = format!("/v1/drops/{drop}/lots");
        text(self.rig.ask("host", "POST", &lots).key(&name).json(&body), "request").await
    }

    /// The path with something that is there for each name in braces.
    async fn path(&mut self, template: &str) -> String {
        let (plan, name) = (self.plan(), self.fresh());
        if template.starts_with("/shared/") {
            return self.share("path").await + "/report.json";
        }
        let mut path = template
            .replace("{table}", "sizes.csv")
            .replace("{merchant}", "zeta")
            .replace("{name}", "no-file")
            .replace("{file}", "no-file");
        path += match template {
            "/v1/attention" => "?kind=refund",
            "/v1/orders/search" => "?text=R-1001",
            _ => "",
        };
        if template.contains("{drop}") || template.contains("{stream}") {
            let ask = self.rig.ask("acme", "POST", "/v1/drops").key(&name).json(&plan);
            path = path.replace("{drop}", &text(ask, "drop").await);
            path = path.replace("{stream}", plan["stream"].as_str().unwrap());
            self.planned = plan;
        }
        // Nobody has bought anything: whoever may ask is told that there is none.
        path = path.replace("{order}", &"0".repeat(32));
        if template.contains("{ban}") {
            let body = json!({ "viewer": name });
            let ask = self.rig.ask("admin", "POST", "/v1/bans").key(&name).json(&body);
            path = path.replace("{ban}", &text(ask, "ban").await);
        }
        if template.contains("{request}") {
            path = path.replace("{request}", &self.request().await);
        }
        if template.contains("{share}") {
            path = path.replace("{share}", &self.share("id").await);
        }
        if template.contains("{session}") {
            path = path.replace("{session}", &self.rig.sign_in("host").await.session);
        }
        path = path.replace("{hold}", &self.hold).replace("{account}", "platform");
        if template.contains("{reference}") {
            let fact = json!({ "payment": name, "event": "begun", "holds": [self.hold] });
            let ask = self.rig.ask("admin", "POST", "/v1/payments").key(&name).json(&fact);
            ask.expect(StatusCode::OK).await;
            path = path.replace("{reference}", &name);
        }
        if template.contains("{token}") {
            let (role, streams) = (Role::Host, StreamScope::All);
            let staff = NewStaff { name: name.clone(), role, merchant: None, streams };
            let made = self.rig.staff.add(staff, UnixMillis::new(NOON)).unwrap();
            path = path.replace("{token}", &made.token.id);
        }
        let body = json!({ "name": name, "role": "host", "valid_ms": 3_600_000 });
        let invite = || self.rig.ask("admin", "POST", "/v1/invitations").json(&body);
        if template.contains("{invitation}") {
            path = path.replace("{invitation}", &text(invite(), "invitation").await);
        }
        if template.contains("{secret}") {
            let link = text(invite(), "link").await;
            path = path.replace("{secret}", link.rsplit('/').next().unwrap());
        }
        path
    }

    /// Something of a new share of acme's drop.
    async fn share(&self, field: &str) -> String {
        let ask = self.rig.ask("acme", "POST", "/v1/shares").json(&json!({ "drop": "d1" }));
        text(ask, field).await
    }

    fn body(&mut self, method: &str, template: &str) -> Value {
        let name = self.fresh();
        match (method, template) {
            ("POST", "/v1/drops") => self.plan(),
            ("PUT", "/v1/drops/{drop}") => self.planned.clone(),
            ("POST", "/v1/drops/{drop}/lots" | "/v1/drops/{drop}/take-back") => {
                json!({ "sku": "mug", "units": 1 })
            }
            ("POST", "/v1/drops/{drop}/move") => json!({ "running_order": 7 }),
            ("POST", "/v1/drops/{drop}/amend") => json!({ "ends_at_ms": null }),
            ("POST", "/v1/drops/{drop}/orders/{order}/cancel") => {
                json!({ "units": 1, "reason": "it broke" })
            }
            ("POST", "/v1/drops/{drop}/extend") => {
                json!({ "by_ms": 1_000, "reason": "the provider is down" })
            }
            ("POST", "/v1/brake/rates") => json!({ "buys_per_s": 20_000 }),
            ("POST", "/v1/bans") => json!({ "viewer": name }),
            ("POST", "/v1/rooms") => json!({ "stream": name, "owner": { "kind": "house" } }),
            ("POST", "/v1/rooms/{stream}/move") => json!({ "owner": { "kind": "house" } }),
            ("POST", "/v1/rooms/{stream}/video-delay") => json!({ "video_delay_ms": 6_000 }),
            ("PUT", "/v1/streams/{stream}/stage-line") => json!({ "line": "the middle one first" }),
            ("POST", "/v1/rooms/{stream}/admit" | "/v1/rooms/{stream}/dismiss") => {
                json!({ "merchant": "zeta" })
            }
            ("POST", "/v1/rooms/{stream}/allow-hosts" | "/v1/rooms/{stream}/forbid-hosts") => {
                json!({ "merchant": "acme" })
            }
            ("POST", "/v1/payments") => {
                json!({ "payment": name, "event": "begun", "holds": [self.hold] })
            }
            ("PUT", "/v1/payments/holds/{hold}/charges") => json!({ "shipping": 490 }),
            ("POST", "/v1/sessions") => json!({ "token": "stf_nobody" }),
            ("POST", "/v1/invitations") => {
                json!({ "name": name, "role": "host", "valid_ms": 3_600_000 })
            }
            ("POST", "/v1/shares") => json!({ "drop": "d1" }),
            ("POST", "/v1/invitations/look") => json!({ "invitation": "sti_nobody" }),
            _ => json!({}),
        }
    }

    /// A caller's token; the stage's is for the stream of the drop that was planned last.
    fn token(&self, caller: &str) -> Option<String> {
        match caller {
            "nobody" => None,
            "stage" => {
                let stream = self.planned["stream"].as_str().unwrap_or("show");
                let streams = StreamScope::of([stream.parse().unwrap()]);
                let name = format!("stage-{stream}");
                let staff = NewStaff { name, role: Role::Stage, merchant: None, streams };
                let made = self.rig.staff.add(staff, UnixMillis::new(NOON)).unwrap();
                Some(made.secret.reveal().to_owned())
            }
            known => Some(self.rig.token(known).to_owned()),
        }
    }

    async fn browser(&self, caller: &str) -> Option<Browser> {
        let body = json!({ "token": self.token(caller)? });
        let ask = self.rig.ask_nobody("POST", "/v1/sessions").header("origin", ORIGIN).json(&body);
        Some(Browser::of(&ask.expect(StatusCode::CREATED).await))
    }

    /// What a tool or a page of the caller's gets.
    async fn ask(
        &mut self,
        (template, method): (&str, &str),
        caller: &str,
        by_page: bool,
    ) -> String {
        let (path, key) = (self.path(template).await, self.fresh());
        let body = self.body(method, template);
        let browser = if by_page { self.browser(caller).await } else { None };
        let ask = match (&browser, self.token(caller)) {
            (Some(browser), _) => self.rig.press(browser, method, &path),
            (None, None) => self.rig.ask_nobody(method, &path),
            (None, Some(token)) => {
                let ask = self.rig.ask_nobody(method, &path);
                ask.header("authorization", &format!("Bearer {token}"))
            }
        };
        let ask = ask.key(&key).header("accept", "application/json").header("if-match", "*");
        let answer = if method == "GET" { ask } else { ask.json(&body) }.send().await;
        self.sign_out(browser).await;
        shown(&answer)
    }

    /// What a browser of the caller's sees where a page is.
    async fn look(&mut self, pages: &Router, template: &str, caller: &str) -> String {
        let path = self.path(template).await;
        let browser = self.browser(caller).await;
        let ask = self.rig.ask_nobody("GET", &path).to(pages.clone());
        let ask = match &browser {
            Some(browser) => ask.header("cookie", &browser.cookie),
            None => ask,
        };
        let answer = ask.send().await;
        self.sign_out(browser).await;
        shown(&answer)
    }

    async fn sign_out(&self, browser: Option<Browser>) {
        if let Some(browser) = browser {
            let path = "/v1/sessions/current";
            self.rig.press(&browser, "DELETE", path).expect(StatusCode::NO_CONTENT).await;
        }
    }
}

async fn text(ask: Ask, field: &str) -> String {
    let answer = ask.send().await;
    answer.json[field].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// `yes` where a request may be made, whether or not there is something to do now; else the status, or
/// where it leads.
fn shown(answer: &Answer) -> String {
    match (answer.status.as_u16(), answer.header("location")) {
        // Without the query, without the name of a stream.
        (303, Some(to)) => format!("to /{}", to.split(['/', '?']).nth(1).unwrap()),
        (200..300 | 409, _) => "yes".to_owned(),
        (404, _) if answer.json["code"] == "unknown_order" => "yes".to_owned(),
        (status, _) => status.to_string(),
    }
}

/// By path and method, a cell for each caller.
type Cells = BTreeMap<(String, String), Vec<String>>;

fn drawn(cells: &Cells) -> String {
    let line = |name: String, cells: &[String]| {
        let mut line = name;
        for cell in cells {
            write!(line, " {cell:<11}").unwrap();
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(" ".repeat(43), &CALLERS.map(str::to_owned))];
    let rows = cells.iter();
    lines
        .extend(rows.map(|((path, method), cells)| line(format!("{method:<6} {path:<36}"), cells)));
    lines.join("\n")
}

#[tokio::test]
async fn every_path_by_every_role_and_by_nobody() {
    let mut matrix = Matrix::new().await;
    let (mut cells, mut pressed) = (Cells::new(), Cells::new());
    let rows = matrix.rows().await;
    let pages = stampede_pages::router(matrix.rig.router.clone());
    for caller in CALLERS {
        for (path, method) in &rows {
            let cell = matrix.ask((path, method), caller, false).await;
            cells.entry((path.clone(), method.clone())).or_default().push(cell);
        }
        matrix.rig.ask("host", "DELETE", "/v1/sessions").send().await;
        for path in stampede_pages::paths() {
            let cell = matrix.look(&pages, path, caller).await;
            cells.entry((path.to_owned(), "page".to_owned())).or_default().push(cell);
        }
        for path in PRESSED {
            let cell = matrix.ask((path, "POST"), caller, true).await;
            pressed.entry((path.to_owned(), "POST".to_owned())).or_default().push(cell);
        }
        matrix.rig.advance(60_000);
    }
    for (row, by_page) in &pressed {
        assert_eq!(by_page, &cells[row], "{row:?}: a page may do what its token may");
    }
    // A path that is new here is a line that is new there: read who may.
    insta::assert_snapshot!(drawn(&cells));
}

#[tokio::test]
async fn whoever_reports_payments_gets_nothing_else() {
    let mut matrix = Matrix::new().await;
    let rows = matrix.rows().await;
    for open in OPEN_TO_PAYMENTS {
        assert!(
            rows.iter().any(|(path, method)| (method.as_str(), path.as_str()) == open),
            "{open:?}"
        );
    }
    for (path, method) in &rows {
        if path == "/v1/payments" || path.starts_with("/v1/payments/") {
            continue;
        }
        let is_open = OPEN_TO_PAYMENTS.contains(&(method.as_str(), path.as_str()));
        for by_page in [false, true] {
            // Signing in and out has its own test, for a browser is signed out by it.
            if is_open && by_page {
                continue;
            }
            let cell = matrix.ask((path, method), "payments", by_page).await;
            assert_eq!(cell == "403", !is_open, "{method} {path} by a page {by_page}: {cell}");
        }
        matrix.rig.ask("host", "DELETE", "/v1/sessions").send().await;
        matrix.rig.advance(60_000);
    }
}

#[tokio::test]
async fn whoever_reports_payments_has_no_page() {
    let mut matrix = Matrix::new().await;
    let pages = stampede_pages::router(matrix.rig.router.clone());
    for path in stampede_pages::paths() {
        let by_nobody = matrix.look(&pages, path, "nobody").await;
        let cell = matrix.look(&pages, path, "payments").await;
        match path {
            "/" => assert_eq!(cell, "to /shows"),
            // It is for whoever has signed in.
            _ if by_nobody == "to /sign-in" => assert_eq!(cell, "403", "{path}"),
            _ => assert_eq!(cell, by_nobody, "{path}"),
        }
    }
}

#[tokio::test]
async fn whoever_reports_payments_is_told_what_the_role_may() {
    let rig = Rig::new();
    let told = rig.ask("payments", "GET", "/v1/drops").refused(403, "forbidden").await;
    assert_eq!(
        told.detail(),
        "role payments reports payments and asks about holds that it names, under /v1/payments, and \
         nothing else"
    );
    let browser = rig.sign_in("payments").await;
    let current = rig.browse(&browser, "GET", "/v1/sessions/current").expect(StatusCode::OK).await;
    let who = (&current.json["role"], &current.json["merchant"]);
    assert_eq!(who, (&json!("payments"), &json!("acme")));
    rig.browse(&browser, "GET", "/v1/streams").refused(403, "forbidden").await;
    let out = rig.press(&browser, "DELETE", "/v1/sessions/current");
    out.expect(StatusCode::NO_CONTENT).await;
}
