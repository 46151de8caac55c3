//! Parts of a request, refused in the one shape of errors.

use std::str::FromStr;

use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderValue, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use serde_path_to_error::Track;
use stampede_domain::{
    BanId, DropId, HoldId, IdempotencyKey, OrderCodeError, PaymentId, RequestId, StreamId,
    limits::KEY_BYTES_MAX,
};
use stampede_report::orders::OrderName;

use crate::{
    problem::{Code, Problem},
    report_file::DropTable,
};

/// The header that names a command.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<Box<RawValue>>::from_request(request, state).await {
            Ok(Json(text)) => value(text.get()).map(Self),
            Err(rejection) => Err(body_problem(&rejection)),
        }
    }
}

/// The value of a JSON text, by the rules of the schemas; a refusal names its place.
pub(crate) fn value<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut from = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    let read =
        stampede_intake::exact(serde_path_to_error::Deserializer::new(&mut from, &mut track));
    read.map_err(|error: serde_json::Error| {
        let code = if error.is_data() { Code::BadBody } else { Code::BadJson };
        match track.path().to_string().as_str() {
            "." => Problem::new(code, error.to_string()),
            // Many write a date here.
            place if error.is_data() && place.ends_with("_at_ms") => {
                Problem::new(code, format!("{place}: {error}; times are milliseconds since 1970"))
            }
            place => Problem::new(code, format!("{place}: {error}")),
        }
    })
}

/// A JSON body that may be left out, or be `null`.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::new(body), state).await;
        let bytes = bytes.map_err(|rejection| body_problem(&JsonRejection::from(rejection)))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(parts, bytes.into());
        let body = Body::<Option<T>>::from_request(request, state).await;
        body.map(|Body(value)| Self(value.unwrap_or_default()))
    }
}

fn body_problem(rejection: &JsonRejection) -> Problem {
    let code = match rejection {
        JsonRejection::JsonDataError(_) => Code::BadBody,
        JsonRejection::JsonSyntaxError(_) => Code::BadJson,
        JsonRejection::MissingJsonContentType(_) => Code::NotJson,
        other => Code::of_status(other.status()),
    };
    let detail = match code {
        Code::NotJson => "send the body as JSON with `Content-Type: application/json`".to_owned(),
        Code::BodyTooLarge => TOO_LARGE.to_owned(),
        _ => with_cause(rejection),
    };
    Problem::new(code, detail)
}

/// What to do about a body that is too large.
pub(crate) const TOO_LARGE: &str = "the body has more bytes than the server accepts; \
    the largest plan that can be valid fits, so shorten its texts";

/// The innermost cause says where the text is wrong; the outer ones name the library's types.
fn with_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The `Idempotency-Key` of a command.
pub(crate) struct Key(pub(crate) IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let OptionalKey(given) = OptionalKey::from_request_parts(parts, state).await?;
        given.map(Self).ok_or_else(|| {
            let detail = format!(
                "every command needs the header `Idempotency-Key` with 1 to {KEY_BYTES_MAX} letters, \
                 digits or . _ : - that you make up; retry with the same key, so that nothing is \
                 done twice"
            );
            Problem::new(Code::KeyMissing, detail)
        })
    }
}

/// The `Idempotency-Key` of a request that may come without one.
pub(crate) struct OptionalKey(pub(crate) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(first) = given.next() else { return Ok(Self(None)) };
        let malformed = |why: String| Problem::new(Code::KeyMalformed, why);
        if given.next().is_some() {
            return Err(malformed("the header `Idempotency-Key` is there more than once".into()));
        }
        let text = first.to_str().map_err(|_| malformed("the key is not plain ASCII".into()))?;
        let key = IdempotencyKey::new(text).map_err(|error| malformed(error.to_string()))?;
        Ok(Self(Some(key)))
    }
}

/// The revision of a drop's terms that an edit is about, from the header `If-Match`: the `ETag` that reading the drop
/// gave. `None` is `*`, whichever they are.
pub(crate) struct IfMatch(pub(crate) Option<u32>);

/// The tag of a drop's terms: they are the same as long as their revision is.
pub(crate) fn tag(revision: u32) -> HeaderValue {
    HeaderValue::try_from(format!("\"r{revision}\"")).expect("digits are a header's value")
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(header::IF_MATCH).iter();
        let Some(first) = given.next() else {
            let detail = "an edit needs the header `If-Match` with the `ETag` of the terms that it replaces: \
                read the drop, decide, send both; `*` replaces whatever stands there";
            return Err(Problem::new(Code::IfMatchMissing, detail));
        };
        let text = first.to_str().unwrap_or_default().trim();
        if given.next().is_none() {
            if text == "*" {
                return Ok(Self(None));
            }
            let number = text.strip_prefix("\"r").and_then(|rest| rest.strip_suffix('"'));
            let is_number = |text: &&str| {
                (1..=10).contains(&text.len())
                    && !text.starts_with('0')
                    && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            if let Some(revision) = number.filter(is_number) {
                // No terms have the last number: a larger one is no more those of now than this.
                return Ok(Self(Some(revision.parse().unwrap_or(u32::MAX))));
            }
        }
        let detail = format!(
            "`If-Match` is `{text}`; send one `ETag` of the drop, with its double quotes, like `\"r3\"`, or `*`"
        );
        Err(Problem::new(Code::IfMatchMalformed, detail))
    }
}

/// A drop's id in the path.
pub(crate) struct DropPath(pub(crate) DropId);

impl<S: Send + Sync> FromRequestParts<S> for DropPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id(parts, state).await.map(Self)
    }
}

/// A drop's id in the path, with one of its tables.
pub(crate) struct DropTablePath(pub(crate) DropId, pub(crate) DropTable);

impl<S: Send + Sync> FromRequestParts<S> for DropTablePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(Code::IdMalformed, why);
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((drop, table)) = path.map_err(|rejection| malformed(rejection.body_text()))?;
        let none = || {
            malformed(
                "the tables of a report are sizes.csv, channels.csv and seconds.csv".to_owned(),
            )
        };
        Ok(Self(read(&drop)?, DropTable::of(&table).ok_or_else(none)?))
    }
}

/// A drop's id in the path, with that of one of its orders.
pub(crate) struct DropOrderPath(pub(crate) DropId, pub(crate) HoldId);

impl<S: Send + Sync> FromRequestParts<S> for DropOrderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(Code::IdMalformed, why);
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((drop, order)) = path.map_err(|rejection| malformed(rejection.body_text()))?;
        Ok(Self(read(&drop)?, read(&order)?))
    }
}

/// A ban's id in the path.
pub(crate) struct BanPath(pub(crate) BanId);

impl<S: Send + Sync> FromRequestParts<S> for BanPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id(parts, state).await.map(Self)
    }
}

/// A request's id in the path.
pub(crate) struct RequestPath(pub(crate) RequestId);

impl<S: Send + Sync> FromRequestParts<S> for RequestPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id(parts, state).await.map(Self)
    }
}

/// An order's name in the path: its id, or its code. A code that has the form of one, but cannot be any order's, is
/// handed on as it is.
pub(crate) struct OrderPath(pub(crate) Result<OrderName, OrderCodeError>);

impl<S: Send + Sync> FromRequestParts<S> for OrderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(Code::IdMalformed, why);
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|rejection| malformed(rejection.body_text()))?;
        match text.parse() {
            Ok(name) => Ok(Self(Ok(name))),
            Err(error) if has_form_of_code(&text) => Ok(Self(Err(error))),
            Err(error) => Err(malformed(format!("{error}; or give the order's id"))),
        }
    }
}

/// Two numbers without leading zeros and a digit, with hyphens between.
pub(crate) fn has_form_of_code(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = text.split('-').collect();
    matches!(groups.as_slice(), [drop, order, check]
        if [drop, order].into_iter().all(|number| is_digits(number) && !number.starts_with('0'))
            && is_digits(check) && check.len() == 1)
}

/// A stream's id in the path.
pub(crate) struct StreamPath(pub(crate) StreamId);

impl<S: Send + Sync> FromRequestParts<S> for StreamPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id(parts, state).await.map(Self)
    }
}

/// A hold's id in the path.
pub(crate) struct HoldPath(pub(crate) HoldId);

impl<S: Send + Sync> FromRequestParts<S> for HoldPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        id(parts, state).await.map(Self)
    }
}

/// A payment in the path: its account with its reference there.
pub(crate) struct PaymentPath(pub(crate) PaymentId);

impl<S: Send + Sync> FromRequestParts<S> for PaymentPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |why: String| Problem::new(Code::IdMalformed, why);
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((account, reference)) =
            path.map_err(|rejection| malformed(rejection.body_text()))?;
        let payment = PaymentId::new(&account, &reference);
        payment.map(Self).map_err(|error| malformed(error.to_string()))
    }
}

async fn id<T, S>(parts: &mut Parts, state: &S) -> Result<T, Problem>
where
    T: FromStr<Err: std::error::Error>,
    S: Send + Sync,
{
    let malformed = |why: String| Problem::new(Code::IdMalformed, why);
    let path = Path::<String>::from_request_parts(parts, state).await;
    let Path(text) = path.map_err(|rejection| malformed(rejection.body_text()))?;
    read(&text)
}

fn read<T: FromStr<Err: std::error::Error>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(Code::IdMalformed, error.to_string()))
}

/// Parameters of the query.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match query {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Problem::new(Code::BadQuery, with_cause(&rejection))),
        }
    }
}

/// How many lines a page may have, within its range.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(crate) struct PageLimit<const MAX: usize = 1_000>(usize);

impl<const MAX: usize> PageLimit<MAX> {
    pub(crate) const fn get(self) -> usize {
        self.0
    }
}

impl<const MAX: usize> Default for PageLimit<MAX> {
    fn default() -> Self {
        Self(100)
    }
}

/// A page would have no lines, or too many.
#[derive(Debug, thiserror::Error)]
#[error("{lines} lines; 1 to {max} are allowed")]
pub(crate) struct PageLimitError {
    lines: usize,
    max: usize,
}

impl<const MAX: usize> TryFrom<usize> for PageLimit<MAX> {
    type Error = PageLimitError;

    fn try_from(lines: usize) -> Result<Self, PageLimitError> {
        if (1..=MAX).contains(&lines) {
            Ok(Self(lines))
        } else {
            Err(PageLimitError { lines, max: MAX })
        }
    }
}
