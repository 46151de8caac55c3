//! Tokens that are bound to streams: what lies outside is as if it did not exist.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::NewStaff;
use stampede_domain::UnixMillis;
use stampede_engine::{Role, StreamScope};

use crate::rig::{Ask, Rig, mugs};

const ROLES: [Role; 6] =
    [Role::Admin, Role::Host, Role::Merchant, Role::Ops, Role::Platform, Role::Creator];

/// A drop in the stream `show`, one in `late`, both open and of merchant acme, both rooms nina's; with a
/// token of each role that is bound to `show`.
struct Shows {
    rig: Rig,
    own: String,
    other: String,
    tokens: Vec<(Role, String)>,
}

impl Shows {
    async fn new() -> Self {
        let rig = Rig::new();
        let own = rig.open(mugs()).await;
        let mut plan = mugs();
        (plan["stream"], plan["title"]) = (json!("late"), json!("Late"));
        let other = rig.open(plan).await;
        for stream in ["show", "late"] {
            let owner = json!({"owner": {"kind": "creator", "name": "olga"}});
            let ask = rig.ask("admin", "POST", &format!("/v1/rooms/{stream}/move"));
            ask.key(&format!("move-{stream}")).json(&owner).expect(StatusCode::OK).await;
        }
        let tokens = ROLES.map(|role| {
            // The creator who owns both rooms.
            let name = if role == Role::Creator { "olga".into() } else { format!("bound {role}") };
            let merchant = (role == Role::Merchant).then(|| "acme".parse().unwrap());
            let streams = StreamScope::of(["show".parse().unwrap()]);
            let staff = NewStaff { name, role, merchant, streams };
            let issued = rig.staff.add(staff, UnixMillis::new(1)).unwrap();
            (role, issued.secret.reveal().to_owned())
        });
        Self { rig, own, other, tokens: tokens.into() }
    }

    fn ask(&self, token: &str, method: &str, path: &str) -> Ask {
        let ask = self.rig.ask_nobody(method, path);
        ask.header("authorization", &format!("Bearer {token}")).header("if-match", "*")
    }

    async fn read(&self, token: &str, path: &str) -> (u16, Value) {
        let answer = self.ask(token, "GET", path).send().await;
        (answer.status.as_u16(), answer.json)
    }
}

/// Every command about a drop, with a body that it takes.
fn drop_commands() -> Vec<(&'static str, &'static str, Value)> {
    let lot = json!({"sku": "mug", "units": 1});
    let mut commands = vec![("PUT", "", mugs()), ("PATCH", "", json!({})), ("POST", "/lots", lot)];
    let plain =
        ["/cancel", "/open", "/cancel-countdown", "/pause", "/resume", "/feature", "/close"];
    commands.extend(plain.map(|path| ("POST", path, json!({}))));
    commands
}

#[tokio::test]
async fn no_role_reads_beyond_its_streams() {
    let shows = Shows::new().await;
    for (role, token) in &shows.tokens {
        let drop = |id: &str, part: &str| format!("/v1/drops/{id}{part}");
        let own = if *role == Role::Platform { 403 } else { 200 };
        assert_eq!(shows.read(token, &drop(&shows.own, "")).await.0, own, "{role}");
        assert_eq!(shows.read(token, &drop(&shows.own, "/report")).await.0, own, "{role}");
        for part in ["", "/report"] {
            let (status, told) = shows.read(token, &drop(&shows.other, part)).await;
            assert_eq!((status, told["code"].as_str()), (404, Some("unknown_drop")), "{role}");
        }
        let (status, _) = shows.read(token, &drop(&shows.other, "/audit")).await;
        assert!(status == 404 || status == 403, "{role} {status}");
        let (_, list) = shows.read(token, "/v1/drops").await;
        assert_eq!(list["drops"].as_array().unwrap().len(), 1, "{role}: {list}");
        assert_eq!(list["drops"][0]["drop"], shows.own.as_str());
        assert_eq!(shows.read(token, "/v1/streams/show").await.0, 200, "{role}");
        assert_eq!(shows.read(token, "/v1/streams/late").await.0, 404, "{role}");
        assert_eq!(shows.read(token, "/v1/rooms/late").await.0, 404, "{role}");
        let (_, rooms) = shows.read(token, "/v1/rooms").await;
        assert!(!rooms.to_string().contains("late"), "{role}: {rooms}");
        for everybodys in ["/metrics", "/v1/bans", "/v1/bans/b1"] {
            assert_eq!(shows.read(token, everybodys).await.0, 403, "{role} {everybodys}");
        }
        let (status, commands) = shows.read(token, "/v1/commands").await;
        let reads = matches!(role, Role::Admin | Role::Ops | Role::Merchant);
        assert_eq!(status, if reads { 200 } else { 403 }, "{role}");
        for line in commands["commands"].as_array().into_iter().flatten() {
            assert_eq!(line["drop"], shows.own.as_str(), "{role}: {line}");
        }
    }
}

#[tokio::test]
async fn no_role_commands_beyond_its_streams() {
    let shows = Shows::new().await;
    let before = shows.rig.state(&shows.other).await["version"].clone();
    let owner = json!({"owner": {"kind": "house"}});
    let room = json!({"stream": "new", "owner": {"kind": "house"}});
    let guest = json!({"merchant": "zeta"});
    let mut elsewhere = mugs();
    elsewhere["stream"] = json!("late");
    let others = [
        ("POST", "/v1/drops", elsewhere),
        ("POST", "/v1/streams/late/offline", json!({})),
        ("POST", "/v1/streams/late/online", json!({})),
        ("POST", "/v1/rooms", room),
        ("POST", "/v1/rooms/late/move", owner),
        ("POST", "/v1/rooms/late/admit", guest.clone()),
        ("POST", "/v1/rooms/late/dismiss", guest),
        ("DELETE", "/v1/rooms/late", json!({})),
        ("POST", "/v1/brake/stop", json!({})),
        ("POST", "/v1/brake/go", json!({})),
        ("POST", "/v1/brake/rates", json!({})),
        ("POST", "/v1/bans", json!({"viewer": "v1"})),
        ("DELETE", "/v1/bans/b1", json!({})),
    ];
    for (role, token) in &shows.tokens {
        for (method, part, body) in drop_commands() {
            let path = format!("/v1/drops/{}{part}", shows.other);
            let ask = shows.ask(token, method, &path).key("k").json(&body);
            ask.refused(404, "unknown_drop").await;
        }
        for (method, path, body) in &others {
            let answer = shows.ask(token, method, path).key("k").json(body).send().await;
            let status = answer.status.as_u16();
            assert!(status == 403 || status == 404, "{role} {path}: {}", answer.text);
        }
        let pauses = *role != Role::Platform;
        let ask = shows.ask(token, "POST", &format!("/v1/drops/{}/pause", shows.own)).key("own");
        assert_eq!(ask.send().await.status.is_success(), pauses, "{role}: its own stream's");
        if pauses {
            shows
                .rig
                .command(&shows.own, "resume", &format!("resume {}", role.name()).replace(' ', "-"))
                .await;
        }
        let reports = matches!(role, Role::Admin | Role::Ops | Role::Platform);
        let ask = shows.ask(token, "POST", "/v1/streams/show/online").key("online");
        assert_eq!(ask.send().await.status.is_success(), reports, "{role}: its own stream");
    }
    assert_eq!(shows.rig.state(&shows.other).await["version"], before, "nothing was done");
}

#[tokio::test]
async fn a_session_is_bound_like_its_token() {
    let shows = Shows::new().await;
    let (_, token) = shows.tokens.iter().find(|(role, _)| *role == Role::Host).unwrap();
    let ask = shows.rig.ask_nobody("POST", "/v1/sessions").json(&json!({ "token": token }));
    let answer = ask.expect(StatusCode::CREATED).await;
    assert_eq!(answer.json["streams"], json!(["show"]));
    let browser = crate::browser::Browser::of(&answer);
    let read = |drop: &str| shows.rig.browse(&browser, "GET", &format!("/v1/drops/{drop}"));
    read(&shows.own).expect(StatusCode::OK).await;
    read(&shows.other).refused(404, "unknown_drop").await;
    let path = format!("/v1/drops/{}/close", shows.other);
    let press = shows.rig.press(&browser, "POST", &path).key("k");
    press.refused(404, "unknown_drop").await;
}
