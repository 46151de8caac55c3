//! A server's file of ticket keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use stampede_wire::ticket::KeySpec;

/// There is no key to sign tickets with.
#[derive(Debug, thiserror::Error)]
#[error("no ticket key in {}: {why}", path.display())]
pub struct TicketKeyError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<KeySpec>,
}

/// The first key of a file like the one that a server makes for itself on an empty folder.
///
/// # Errors
/// [`TicketKeyError`] if there is no such file, or no key in it.
pub fn first_ticket_key(path: &Path) -> Result<KeySpec, TicketKeyError> {
    let no_key = |why: String| TicketKeyError { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| no_key(error.to_string()))?;
    let set: KeySet = serde_json::from_slice(&text).map_err(|error| no_key(error.to_string()))?;
    set.keys.into_iter().next().ok_or_else(|| no_key("the set is empty".to_owned()))
}
