//! The bytes of `staff.json`.

use serde::{Deserialize, Serialize};
use stampede_domain::{IdError, UnixMillis};
use stampede_engine::{Role, StreamScope};

use super::{NewStaff, StaffToken, file::Content};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u32,
    tokens: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    /// The streams that it is bound to; none of them for every stream.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    streams: Vec<String>,
    blake3: String,
    created_at_ms: u64,
}

/// A token with the hash of its secret.
#[derive(Clone, Debug)]
pub(super) struct TokenRecord {
    pub(super) token: StaffToken,
    pub(super) hash: blake3::Hash,
}

impl Content for Vec<TokenRecord> {
    type Document = Document;
    const FILE: &str = "staff.json";
    const LOCK: &str = "staff.lock";

    fn read(document: Document) -> Result<Self, String> {
        check_version(document.version, VERSION)?;
        document.tokens.into_iter().map(stored).collect()
    }

    fn write(&self) -> Document {
        let rows = self.iter().map(|stored| Row {
            id: stored.token.id.clone(),
            name: stored.token.staff.name.clone(),
            role: stored.token.staff.role.name().to_owned(),
            merchant: stored.token.staff.merchant.as_ref().map(|id| id.as_str().to_owned()),
            streams: names(&stored.token.staff.streams),
            blake3: stored.hash.to_hex().to_string(),
            created_at_ms: stored.token.created_at.get(),
        });
        Document { version: VERSION, tokens: rows.collect() }
    }
}

fn stored(row: Row) -> Result<TokenRecord, String> {
    let Row { id, name, role, merchant, streams, blake3, created_at_ms } = row;
    let role = self::role(&role).map_err(|what| format!("token {id}: {what}"))?;
    let merchant = merchant.map(|text| text.parse()).transpose();
    let merchant = merchant.map_err(|error| format!("token {id}: {error}"))?;
    let hash = hash(&blake3).map_err(|what| format!("token {id}: {what}"))?;
    let streams = scope(&streams).map_err(|what| format!("token {id}: {what}"))?;
    let staff = NewStaff { name, role, merchant, streams };
    let token = StaffToken { id, staff, created_at: UnixMillis::new(created_at_ms) };
    Ok(TokenRecord { token, hash })
}

/// A role as it is written.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| format!("there is no role {text:?}"))
}

/// The streams of a scope as they are written.
pub(super) fn names(scope: &StreamScope) -> Vec<String> {
    scope.streams().iter().map(ToString::to_string).collect()
}

/// A scope as it is written.
pub(super) fn scope(streams: &[String]) -> Result<StreamScope, String> {
    let parsed: Result<Vec<_>, _> = streams.iter().map(|stream| stream.parse()).collect();
    parsed.map(StreamScope::of).map_err(|error: IdError| error.to_string())
}

/// A hash as it is written.
pub(super) fn hash(text: &str) -> Result<blake3::Hash, String> {
    blake3::Hash::from_hex(text).map_err(|_| "blake3 is not 64 hexadecimal digits".to_owned())
}

/// Says so if a document is of another version.
pub(super) fn check_version(given: u32, own: u32) -> Result<(), String> {
    if given == own { Ok(()) } else { Err(format!("version {given} instead of {own}")) }
}
