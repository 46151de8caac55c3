//! Files that anybody may read: the JavaScript client.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// Where the JavaScript client is found.
pub const CLIENT_PATH: &str = "/client/stampede.mjs";

const CLIENT: &str = include_str!("../assets/stampede.mjs");

/// Short: a page that was mended should reach viewers within minutes, revalidation costs 304.
const FRESH: &str = "public, max-age=300";

static CLIENT_TAG: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = blake3::hash(CLIENT.as_bytes()).to_hex();
    let tag = format!("\"{}\"", &hash[..32]);
    HeaderValue::from_str(&tag).expect("hexadecimal digits in quotation marks are a header value")
});

/// The paths, to be merged into a router.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(CLIENT_PATH, get(client))
}

async fn client(request: HeaderMap) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static(FRESH)),
        (header::ETAG, CLIENT_TAG.clone()),
        // Any shop's page may import it: it is public, it carries no state of anybody.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (CROSS_ORIGIN, HeaderValue::from_static("cross-origin")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    if is_known(&request) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, CLIENT).into_response()
}

/// Pages that isolate themselves load only what says that it may be.
const CROSS_ORIGIN: header::HeaderName =
    header::HeaderName::from_static("cross-origin-resource-policy");

/// Whether the client has this version already.
fn is_known(request: &HeaderMap) -> bool {
    let tags = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    tags.flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/").as_bytes() == CLIENT_TAG.as_bytes())
}
