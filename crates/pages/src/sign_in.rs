//! Getting in: by a token, by an invitation; with what a browser chooses for itself.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    answers::Invitation,
    api::Api,
    numbers::duration,
    pages::{Frame, go, page, refused, secret_path},
    visitor::{Theme, Visitor, keep, own_path},
    words::Language,
};

/// Leads to the shows, or to the door.
pub(crate) async fn first(State(api): State<Api>, visitor: Visitor) -> Response {
    match visitor.session(&api).await {
        Ok(_) => go("/shows"),
        Err(_) => go("/sign-in"),
    }
}

#[derive(Deserialize)]
pub(crate) struct SignInQuery {
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage<'a> {
    frame: Frame,
    words: Language,
    to: &'a str,
    ended: bool,
}

/// Takes a pasted token.
pub(crate) async fn sign_in(visitor: Visitor, Query(query): Query<SignInQuery>) -> Response {
    let words = visitor.language;
    let to = own_path(query.to.as_deref());
    let frame = Frame::new(&visitor, "sign-in", words.sign_in()).runs("sign-in.mjs");
    let ended = to.starts_with("/live/") || to == "/ops";
    page(&visitor, StatusCode::OK, &SignInPage { frame, words, to, ended })
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage {
    frame: Frame,
    words: Language,
    title: String,
    name: String,
    streams: String,
    may: &'static str,
    may_not: &'static str,
    until: String,
    to: String,
}

#[derive(Template)]
#[template(path = "join-over.html")]
struct JoinOverPage {
    frame: Frame,
    words: Language,
}

/// Shows who invites whom to what; redeems nothing, for previews of chats fetch links. Keeps choices like
/// [`choose`], so that the secret need not be named to come back.
pub(crate) async fn join(
    State(api): State<Api>,
    visitor: Visitor,
    Path(secret): Path<String>,
    Query(choices): Query<Choices>,
) -> Response {
    if choices.language.is_some() || choices.theme.is_some() {
        return choices.keep(secret_path(&visitor.here));
    }
    let words = visitor.language;
    let asked = json!({ "invitation": secret });
    let looked = api.post(&visitor.asker, "/v1/invitations/look", &asked).await;
    let invitation: Invitation = match looked {
        Ok(invitation) => invitation,
        Err(why) if why.status.is_server_error() || why.status == StatusCode::TOO_MANY_REQUESTS => {
            return refused(&visitor, &why);
        }
        Err(_) => {
            let frame = Frame::new(&visitor, "sign-in", words.join_over());
            return page(&visitor, StatusCode::GONE, &JoinOverPage { frame, words });
        }
    };
    let template = JoinPage::new(&visitor, invitation);
    page(&visitor, StatusCode::OK, &template)
}

impl JoinPage {
    fn new(visitor: &Visitor, invitation: Invitation) -> Self {
        let words = visitor.language;
        let Invitation { name, role, streams, by, expires_in_ms, .. } = invitation;
        let streams = streams.unwrap_or_default();
        let to = match streams.as_slice() {
            [first, ..] if role == "stage" => format!("/stage/{first}"),
            [only] => format!("/live/{only}"),
            [] if role == "ops" => "/ops".to_owned(),
            _ => "/shows".to_owned(),
        };
        let listed = streams.join(", ");
        let what = if role == "host" && !streams.is_empty() {
            words.join_host(&listed)
        } else {
            words.join_role(words.role(&role))
        };
        let title = match by {
            Some(by) => words.join_title(by, &name, what),
            None => words.join_title_plain(&name, what),
        };
        let (may, may_not) = rights(words, &role);
        Self {
            frame: Frame::new(visitor, "sign-in", &title).runs("sign-in.mjs"),
            words,
            title,
            name,
            streams: if listed.is_empty() { words.join_all_streams().to_owned() } else { listed },
            may,
            may_not,
            until: words.join_once(duration(words, expires_in_ms)),
            to,
        }
    }
}

/// What a role may do, with what it may not.
fn rights(words: Language, role: &str) -> (&'static str, &'static str) {
    match role {
        "admin" => (words.may_admin(), words.may_not_admin()),
        "merchant" => (words.may_merchant(), words.may_not_merchant()),
        "ops" => (words.may_ops(), words.may_not_ops()),
        "platform" => (words.may_platform(), words.may_not_platform()),
        "creator" => (words.may_creator(), words.may_not_creator()),
        "stage" => (words.may_stage(), words.may_not_stage()),
        "payments" => (words.may_payments(), words.may_not_payments()),
        _ => (words.may_host(), words.may_not_host()),
    }
}

#[derive(Deserialize)]
pub(crate) struct Choices {
    language: Option<String>,
    theme: Option<String>,
    to: Option<String>,
}

/// Keeps a choice of language or colours in this browser, then goes back.
pub(crate) async fn choose(Query(choices): Query<Choices>) -> Response {
    choices.keep(choices.to.as_deref())
}

impl Choices {
    /// Keeps them, then leads to a path of ours.
    fn keep(&self, to: Option<&str>) -> Response {
        let mut answer = go(own_path(to));
        let headers = answer.headers_mut();
        if let Some(language) = self.language.as_deref().and_then(Language::from_tag) {
            headers.append(header::SET_COOKIE, keep("stampede_language", language.tag()));
        }
        if let Some(theme) = self.theme.as_deref().and_then(Theme::from_name) {
            headers.append(header::SET_COOKIE, keep("stampede_theme", theme.name()));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use stampede_engine::Role;

    use super::*;

    #[test]
    fn every_role_has_a_name_and_rights_of_its_own() {
        let named = |role: Role| Language::Chinese.role(role.name()) != role.name();
        assert!(Role::ALL.into_iter().all(named), "each has its word");
        let told: HashSet<_> = Role::ALL.map(|role| rights(Language::English, role.name())).into();
        assert_eq!(told.len(), Role::ALL.len(), "none is told what a host may");
    }
}
