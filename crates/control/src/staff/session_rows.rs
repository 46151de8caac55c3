//! The bytes of `sessions.json`.

use serde::{Deserialize, Serialize};
use stampede_domain::UnixMillis;

use super::{
    file::Content,
    sessions::{Book, Grant, Stored},
    token_rows::{check_version, hash},
};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u32,
    sessions: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    token: String,
    /// The session that this one goes on for, by whose id its keys are told from others'.
    keys: String,
    blake3: String,
    started_at_ms: u64,
    used_at_ms: u64,
    ends_at_ms: u64,
}

impl Content for Book {
    type Document = Document;
    const FILE: &str = "sessions.json";
    const LOCK: &str = "sessions.lock";

    fn read(document: Document) -> Result<Self, String> {
        check_version(document.version, VERSION)?;
        let sessions = document.sessions.into_iter().map(stored).collect::<Result<_, _>>()?;
        Ok(Self { sessions })
    }

    fn write(&self) -> Document {
        let rows = self.sessions.iter().map(|stored| {
            let Grant::Token(token) = &stored.grant;
            Row {
                id: stored.id.clone(),
                name: stored.name.clone(),
                token: token.clone(),
                keys: stored.keys.clone(),
                blake3: stored.hash.to_hex().to_string(),
                started_at_ms: stored.started_at.get(),
                used_at_ms: stored.used_at.get(),
                ends_at_ms: stored.ends_at.get(),
            }
        });
        Document { version: VERSION, sessions: rows.collect() }
    }
}

fn stored(row: Row) -> Result<Stored, String> {
    let Row { id, name, token, keys, blake3, started_at_ms, used_at_ms, ends_at_ms } = row;
    let hash = hash(&blake3).map_err(|what| format!("session {id}: {what}"))?;
    Ok(Stored {
        id,
        name,
        grant: Grant::Token(token),
        keys,
        hash,
        started_at: UnixMillis::new(started_at_ms),
        used_at: UnixMillis::new(used_at_ms),
        ends_at: UnixMillis::new(ends_at_ms),
    })
}
