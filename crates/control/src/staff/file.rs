//! The bytes of `staff.json`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use serde::{Deserialize, Serialize};
use stampede_domain::UnixMillis;
use stampede_engine::Role;

use super::{NewStaff, StaffError, StaffToken};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
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
    blake3: String,
    created_at_ms: u64,
}

/// A token with the hash of its secret.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) token: StaffToken,
    pub(super) hash: blake3::Hash,
}

/// Tells one state of the file from another: replaced files differ in their inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    changed_s: i64,
    changed_ns: i64,
}

/// The file's stamp, or `None` while there is no file.
pub(super) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(Stamp {
            inode: meta.ino(),
            bytes: meta.size(),
            changed_s: meta.ctime(),
            changed_ns: meta.ctime_nsec(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads every token; no file is no token.
pub(super) fn read(path: &Path) -> Result<Vec<Stored>, StaffError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StaffError::Io { path: path.to_owned(), source }),
    };
    let damaged = |what: String| StaffError::Damaged { path: path.to_owned(), what };
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if document.version != VERSION {
        return Err(damaged(format!("version {} instead of {VERSION}", document.version)));
    }
    document.tokens.into_iter().map(|row| stored(row).map_err(damaged)).collect()
}

fn stored(row: Row) -> Result<Stored, String> {
    let Row { id, name, role, merchant, blake3, created_at_ms } = row;
    let role = Role::from_name(&role).ok_or_else(|| format!("token {id} has the role {role:?}"))?;
    let merchant = merchant.map(|text| text.parse()).transpose();
    let merchant = merchant.map_err(|error| format!("token {id}: {error}"))?;
    let hash = blake3::Hash::from_hex(&blake3)
        .map_err(|_| format!("token {id}: blake3 is not 64 hexadecimal digits"))?;
    let staff = NewStaff { name, role, merchant };
    let token = StaffToken { id, staff, created_at: UnixMillis::new(created_at_ms) };
    Ok(Stored { token, hash })
}

/// Replaces the file in one step: a reader sees the old tokens or the new ones, also after a crash.
pub(super) fn write(path: &Path, tokens: &[Stored]) -> io::Result<()> {
    let rows = tokens.iter().map(|stored| Row {
        id: stored.token.id.clone(),
        name: stored.token.staff.name.clone(),
        role: stored.token.staff.role.name().to_owned(),
        merchant: stored.token.staff.merchant.as_ref().map(|id| id.as_str().to_owned()),
        blake3: stored.hash.to_hex().to_string(),
        created_at_ms: stored.token.created_at.get(),
    });
    let document = Document { version: VERSION, tokens: rows.collect() };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    let fresh = path.with_extension("json.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
