//! Browsers that have signed in.

use std::net::IpAddr;

use axum::http::StatusCode;
use serde_json::json;
use stampede_proxies::{ClientAddress, Peer};

use crate::rig::{Answer, Ask, Rig};

/// Where the interface's own pages are, by its default settings.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:7701";

/// What a browser has of its session.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// The line that it sends.
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) session: String,
}

impl Browser {
    /// The browser that got this answer.
    pub(crate) fn of(answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        let text = |field: &str| answer.json[field].as_str().unwrap().to_owned();
        Self { cookie: cookie.to_owned(), csrf: text("csrf"), session: text("session") }
    }
}

impl Ask {
    /// Comes from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        let ip: IpAddr = address.parse().unwrap();
        self.request = self.request.extension(Peer::from(ClientAddress::new(ip)));
        self
    }
}

impl Rig {
    /// A request by a browser that has signed in.
    pub(crate) fn browse(&self, browser: &Browser, method: &str, path: &str) -> Ask {
        self.ask_nobody(method, path).header("cookie", &browser.cookie)
    }

    /// A command by a page of such a browser, as our own pages send it.
    pub(crate) fn press(&self, browser: &Browser, method: &str, path: &str) -> Ask {
        self.browse(browser, method, path)
            .header("origin", ORIGIN)
            .header("x-csrf-token", &browser.csrf)
    }

    /// Signs a browser in by a token.
    pub(crate) async fn sign_in(&self, who: &str) -> Browser {
        let body = json!({"token": self.token(who)});
        let ask = self.ask_nobody("POST", "/v1/sessions").header("origin", ORIGIN).json(&body);
        Browser::of(&ask.expect(StatusCode::CREATED).await)
    }
}
