//! Who may come in, whose the shows are, what the server is set to: for its admins.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    answers::Session,
    api::{Api, Refused},
    pages::{Frame, page, refused},
    reader::Reader,
    visitor::Visitor,
    words::Language,
};

/// Shows of one page of the interface's list.
const ROOMS: usize = 1_000;

/// Times that an invitation may be made for, in hours.
const VALID_HOURS: [u64; 4] = [1, 12, 24, 168];

/// Roles that the form invites to, the one that is asked for most often first.
const ROLES: [&str; 8] =
    ["host", "merchant", "ops", "creator", "stage", "admin", "platform", "payments"];

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    words: Language,
    people: Vec<Person>,
    invitations: Vec<Invitation>,
    browsers: Vec<Browser>,
    rooms: Vec<Room>,
    tables: Vec<Table>,
    /// How long an invitation may be good, in hours and in words.
    valid: Vec<(u64, String)>,
    roles: [&'static str; 8],
}

/// Somebody who may come in.
struct Who {
    name: String,
    role: String,
    /// Whose drops, and of which shows.
    sees: String,
}

struct Person {
    token: String,
    who: Who,
    since: String,
    is_own: bool,
}

struct Invitation {
    id: String,
    who: Who,
    by: String,
    until: String,
    came: Option<String>,
}

struct Browser {
    session: String,
    who: Who,
    since: String,
    used: String,
    is_own: bool,
}

struct Room {
    stream: String,
    owner: String,
    admitted: Vec<String>,
    /// Merchants who may plan there, with whether hosts may plan for them.
    merchants: Vec<(String, bool)>,
    delay: String,
}

/// A table of the file of settings.
struct Table {
    name: String,
    settings: Vec<(String, String)>,
}

/// Whom a token, an invitation or a session lets in.
#[derive(Deserialize)]
struct Member {
    name: String,
    role: String,
    #[serde(default)]
    merchant: Option<String>,
    #[serde(default)]
    streams: Vec<String>,
}

#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<TokenLine>,
}

#[derive(Deserialize)]
struct TokenLine {
    token: String,
    #[serde(flatten)]
    member: Member,
    created_at_ms: u64,
    current: bool,
}

#[derive(Deserialize)]
struct Invitations {
    invitations: Vec<InvitationLine>,
}

#[derive(Deserialize)]
struct InvitationLine {
    invitation: String,
    #[serde(flatten)]
    member: Member,
    #[serde(default)]
    by: Option<String>,
    expires_at_ms: u64,
    #[serde(default)]
    redeemed_at_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<SessionLine>,
}

#[derive(Deserialize)]
struct SessionLine {
    session: String,
    #[serde(flatten)]
    member: Member,
    current: bool,
    started_at_ms: u64,
    used_at_ms: u64,
}

#[derive(Deserialize)]
struct Rooms {
    rooms: Vec<RoomLine>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct RoomLine {
    stream: String,
    owner: Owner,
    admitted: Vec<String>,
    video_delay_ms: u64,
    hosts_plan_for: Vec<String>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Settings {
    settings: Map<String, Value>,
}

/// What the page is made of.
struct Told {
    session: Session,
    tokens: Tokens,
    invitations: Invitations,
    sessions: Sessions,
    rooms: Vec<RoomLine>,
    settings: Settings,
}

impl Told {
    async fn read(api: &Api, visitor: &Visitor) -> Result<Self, Refused> {
        let asker = &visitor.asker;
        Ok(Self {
            session: visitor.session(api).await?,
            tokens: api.get(asker, "/v1/tokens").await?,
            invitations: api.get(asker, "/v1/invitations").await?,
            sessions: api.get(asker, "/v1/sessions").await?,
            rooms: rooms(api, visitor).await?,
            settings: api.get(asker, "/v1/settings").await?,
        })
    }
}

/// Every room, page by page of the list.
async fn rooms(api: &Api, visitor: &Visitor) -> Result<Vec<RoomLine>, Refused> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/rooms?limit={ROOMS}{after}");
        let told: Rooms = api.get(&visitor.asker, &path).await?;
        all.extend(told.rooms);
        match told.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}

/// Staff, invitations, browsers, shows, settings.
pub(crate) async fn accounts(State(api): State<Api>, visitor: Visitor) -> Response {
    match Told::read(&api, &visitor).await {
        Ok(told) => page(&visitor, StatusCode::OK, &AccountsPage::new(told, &visitor)),
        Err(why) => refused(&visitor, &why),
    }
}

impl AccountsPage {
    fn new(told: Told, visitor: &Visitor) -> Self {
        let (words, reader) = (visitor.language, Reader::new(visitor));
        let who = |member| Who::new(words, member);
        let person = |line: TokenLine| Person {
            token: line.token,
            who: who(line.member),
            since: reader.moment(line.created_at_ms),
            is_own: line.current,
        };
        let invitation = |line: InvitationLine| Invitation {
            id: line.invitation,
            who: who(line.member),
            by: line.by.unwrap_or_else(|| words.accounts_by_machine().to_owned()),
            until: reader.moment(line.expires_at_ms),
            came: line.redeemed_at_ms.map(|at| reader.moment(at)),
        };
        let browser = |line: SessionLine| Browser {
            session: line.session,
            who: who(line.member),
            since: reader.moment(line.started_at_ms),
            used: reader.moment(line.used_at_ms),
            is_own: line.current,
        };
        let frame = Frame::new(visitor, "accounts", words.accounts_title());
        Self {
            words,
            people: told.tokens.tokens.into_iter().map(person).collect(),
            invitations: told.invitations.invitations.into_iter().map(invitation).collect(),
            browsers: told.sessions.sessions.into_iter().map(browser).collect(),
            rooms: told.rooms.into_iter().map(|line| Room::new(words, line)).collect(),
            tables: tables(&told.settings.settings, words),
            valid: VALID_HOURS.map(|hours| (hours, lasts(words, hours))).into(),
            roles: ROLES,
            frame: frame.signed_in(told.session).runs("accounts.mjs"),
        }
    }
}

/// How long an invitation is good.
fn lasts(words: Language, hours: u64) -> String {
    if hours < 24 { words.accounts_hours(hours) } else { words.accounts_days(hours / 24) }
}

impl Who {
    fn new(words: Language, member: Member) -> Self {
        let Member { name, role, merchant, streams } = member;
        let whose = merchant.unwrap_or_else(|| words.accounts_every_merchant().to_owned());
        let shows = if streams.is_empty() {
            words.accounts_every_show().to_owned()
        } else {
            streams.join(", ")
        };
        let sees = words.accounts_sees(whose, shows);
        Self { name, role: words.role(&role).to_owned(), sees }
    }
}

impl Room {
    fn new(words: Language, line: RoomLine) -> Self {
        let own = line.owner.name.iter().filter(|_| line.owner.kind == "merchant");
        let merchants = own.chain(&line.admitted);
        let merchants =
            merchants.map(|of| (of.clone(), line.hosts_plan_for.contains(of))).collect();
        let owner = match (line.owner.kind.as_str(), line.owner.name) {
            ("creator", Some(name)) => words.accounts_creator(name),
            (_, Some(name)) => name,
            (_, None) => words.accounts_house().to_owned(),
        };
        let delay = match line.video_delay_ms {
            0 => words.accounts_no_delay().to_owned(),
            ms => words.accounts_delay(seconds(ms)),
        };
        Self { stream: line.stream, owner, admitted: line.admitted, merchants, delay }
    }
}

/// `6`, `2.5`.
fn seconds(ms: u64) -> String {
    let (whole, tenth) = (ms / 1_000, ms % 1_000 / 100);
    if tenth == 0 { whole.to_string() } else { format!("{whole}.{tenth}") }
}

/// The tables of the file of settings by their names there, a table within another behind it.
fn tables(settings: &Map<String, Value>, words: Language) -> Vec<Table> {
    let mut all = Vec::new();
    let mut waiting: Vec<(String, &Map<String, Value>)> = Vec::new();
    let mut next = Some((String::new(), settings));
    while let Some((name, values)) = next {
        let mut own = Vec::new();
        let mut inner = Vec::new();
        for (key, value) in values {
            match value {
                Value::Object(of) if name.is_empty() => inner.push((key.clone(), of)),
                Value::Object(of) => inner.push((format!("{name}.{key}"), of)),
                _ => own.push((key.clone(), shown(value, words))),
            }
        }
        if !own.is_empty() {
            all.push(Table { name, settings: own });
        }
        inner.append(&mut waiting);
        waiting = inner;
        next = if waiting.is_empty() { None } else { Some(waiting.remove(0)) };
    }
    all
}

/// A value as the file has it, without its quotes.
fn shown(value: &Value, words: Language) -> String {
    match value {
        Value::String(text) if text.is_empty() => words.accounts_not_set().to_owned(),
        Value::Null => words.accounts_not_set().to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => words.accounts_not_set().to_owned(),
        Value::Array(all) => {
            let all = all.iter().map(|one| shown(one, words));
            all.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_stand_in_the_tables_of_their_file() {
        let settings = json!({
            "node": { "name": "main", "sale_memory_mib_max": 4096 },
            "viewers": { "origins": [], "unlimited_addresses": ["127.0.0.0/8", "::1/128"], "tls": null },
            "payments": {
                "provider": "none", "failure_rate": 0.0,
                "stripe": { "shop": { "merchant": "acme", "secrets_file": "/etc/shop.secrets" } },
            },
        });
        let all = tables(settings.as_object().unwrap(), Language::English);
        let told: Vec<String> = all
            .iter()
            .map(|table| {
                let of = table.settings.iter().map(|(name, value)| format!("{name}={value}"));
                format!("[{}] {}", table.name, of.collect::<Vec<_>>().join(" | "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "[node] name=main | sale_memory_mib_max=4096",
                "[payments] failure_rate=0.0 | provider=none",
                "[payments.stripe.shop] merchant=acme | secrets_file=/etc/shop.secrets",
                "[viewers] origins=not set | tls=not set | unlimited_addresses=127.0.0.0/8, ::1/128",
            ]
        );
    }

    #[test]
    fn delays_are_told_in_seconds() {
        assert_eq!([6_000, 2_500, 60_000].map(seconds), ["6", "2.5", "60"]);
    }
}
