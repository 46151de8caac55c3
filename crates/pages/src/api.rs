//! The documented interface, asked from within the process.
//!
//! Pages reach the server the way every tool does: each question is a request to the interface's own
//! router, with the visitor's cookie, so roles, bindings with limits hold as they do outside.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, header},
};
use serde::de::DeserializeOwned;
use stampede_proxies::Peer;
use tower::ServiceExt as _;

use crate::answers::Problem;

/// Bytes of an answer at most; the largest is a stream with as many drops as it may have.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Headers that say who asks.
const IDENTITY: [HeaderName; 4] =
    [header::COOKIE, header::ORIGIN, header::FORWARDED, HeaderName::from_static("x-forwarded-for")];

/// The interface's router.
#[derive(Clone)]
pub(crate) struct Api(Router);

/// Who asks: what the interface needs to know of the visitor's request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    headers: HeaderMap,
    peer: Option<Peer>,
}

/// An answer that is not the one asked for.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) problem: Problem,
}

impl Asker {
    pub(crate) fn new(headers: &HeaderMap, peer: Option<Peer>) -> Self {
        let mut kept = HeaderMap::new();
        for name in IDENTITY {
            for value in headers.get_all(&name) {
                kept.append(&name, value.clone());
            }
        }
        Self { headers: kept, peer }
    }
}

impl Api {
    pub(crate) fn new(router: Router) -> Self {
        Self(router)
    }

    /// Reads `path`.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        asker: &Asker,
        path: &str,
    ) -> Result<T, Refused> {
        let bytes = self.ask(asker, Method::GET, path, String::new()).await?;
        parsed(&bytes)
    }

    /// Reads `path` as it is sent, for whoever parses it elsewhere.
    pub(crate) async fn bytes(&self, asker: &Asker, path: &str) -> Result<Vec<u8>, Refused> {
        self.ask(asker, Method::GET, path, String::new()).await
    }

    /// Reads `path` as text.
    pub(crate) async fn text(&self, asker: &Asker, path: &str) -> Result<String, Refused> {
        let bytes = self.ask(asker, Method::GET, path, String::new()).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends `body` as JSON to `path`.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        asker: &Asker,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Refused> {
        let bytes = self.ask(asker, Method::POST, path, body.to_string()).await?;
        parsed(&bytes)
    }

    async fn ask(
        &self,
        asker: &Asker,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Vec<u8>, Refused> {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| Refused::of(StatusCode::NOT_FOUND))?;
        *request.headers_mut() = asker.headers.clone();
        let json = header::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json.clone());
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        if let Some(peer) = asker.peer {
            request.extensions_mut().insert(peer);
        }
        let answer = match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await;
        let bytes = bytes.map_err(|_| Refused::of(StatusCode::INTERNAL_SERVER_ERROR))?;
        if status.is_success() {
            return Ok(bytes.into());
        }
        let problem = serde_json::from_slice(&bytes).unwrap_or_default();
        Err(Refused { status, problem })
    }
}

/// An answer as what it tells.
pub(crate) fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes).map_err(|_| Refused::of(StatusCode::INTERNAL_SERVER_ERROR))
}

impl Refused {
    pub(crate) fn of(status: StatusCode) -> Self {
        Self { status, problem: Problem::default() }
    }
}
