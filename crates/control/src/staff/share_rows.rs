//! The bytes of `shares.json`.

use serde::{Deserialize, Serialize};
use stampede_domain::{DropId, IdError, UnixMillis};

use super::{
    file::Content,
    share::{Share, ShareSubject},
    shares::{ShareBook, StoredShare},
    token_rows::{check_version, hash},
};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u32,
    shares: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// One of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drop: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    show: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    blake3: String,
    created_at_ms: u64,
    ends_at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_at_ms: Option<u64>,
    uses: u64,
}

impl Content for ShareBook {
    type Document = Document;
    const FILE: &str = "shares.json";
    const LOCK: &str = "shares.lock";

    fn read(document: Document) -> Result<Self, String> {
        check_version(document.version, VERSION)?;
        let mut book = Self::default();
        for row in document.shares {
            let id = row.id.clone();
            book.add(stored(row).map_err(|what| format!("share {id}: {what}"))?);
        }
        Ok(book)
    }

    fn write(&self) -> Document {
        Document { version: VERSION, shares: self.all().map(row).collect() }
    }
}

fn row(stored: &StoredShare) -> Row {
    let StoredShare { share, hash } = stored;
    let (drop, show) = match share.subject {
        ShareSubject::Drop(drop) => (Some(drop.to_string()), None),
        ShareSubject::Show(drop) => (None, Some(drop.to_string())),
    };
    Row {
        id: share.id.clone(),
        drop,
        show,
        channel: share.channel.as_ref().map(ToString::to_string),
        label: share.label.clone(),
        by: share.by.clone(),
        merchant: share.merchant.as_ref().map(ToString::to_string),
        blake3: hash.to_hex().to_string(),
        created_at_ms: share.created_at.get(),
        ends_at_ms: share.ends_at.get(),
        revoked_at_ms: share.revoked_at.map(UnixMillis::get),
        used_at_ms: share.used_at.map(UnixMillis::get),
        uses: share.uses,
    }
}

fn stored(row: Row) -> Result<StoredShare, String> {
    let drop = |text: &str| text.parse::<DropId>().map_err(|error| error.to_string());
    let subject = match (row.drop.as_deref(), row.show.as_deref()) {
        (Some(id), None) => ShareSubject::Drop(drop(id)?),
        (None, Some(id)) => ShareSubject::Show(drop(id)?),
        _ => return Err("it shows neither a drop nor a show, or both".to_owned()),
    };
    let id = |error: IdError| error.to_string();
    let share = Share {
        id: row.id,
        subject,
        channel: row.channel.map(|text| text.parse()).transpose().map_err(id)?,
        label: row.label,
        by: row.by,
        merchant: row.merchant.map(|text| text.parse()).transpose().map_err(id)?,
        created_at: UnixMillis::new(row.created_at_ms),
        ends_at: UnixMillis::new(row.ends_at_ms),
        revoked_at: row.revoked_at_ms.map(UnixMillis::new),
        used_at: row.used_at_ms.map(UnixMillis::new),
        uses: row.uses,
    };
    Ok(StoredShare { share, hash: hash(&row.blake3)? })
}
