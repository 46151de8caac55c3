//! A file of ticket keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use stampede_wire::ticket::{KeySpec, TicketMinter};

/// There is no key to sign tickets with.
#[derive(Debug, thiserror::Error)]
#[error("no key in {} signs tickets: {why}", path.display())]
pub struct TicketKeyError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// A server keeps a set of keys, a platform its own private key.
#[derive(Deserialize)]
#[serde(untagged)]
enum KeyFile {
    Set { keys: Vec<KeySpec> },
    One(KeySpec),
}

/// The first key that can sign, in a file like the one that a server makes for itself on an empty folder,
/// or the only key of a file that holds one JSON Web Key.
///
/// # Errors
/// [`TicketKeyError`] if there is no such file, or no such key in it.
pub fn signing_ticket_key(path: &Path) -> Result<KeySpec, TicketKeyError> {
    let no_key = |why: String| TicketKeyError { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| no_key(error.to_string()))?;
    let file = serde_json::from_slice(&text).map_err(|error| match error.classify() {
        // What the parser says of either form helps nobody.
        serde_json::error::Category::Data => no_key(
            "it is neither a JSON Web Key nor a set of them (`{\"keys\": [...]}`)".to_owned(),
        ),
        _ => no_key(error.to_string()),
    })?;
    let keys = match file {
        KeyFile::Set { keys } => keys,
        KeyFile::One(key) => vec![key],
    };
    let mut why = "the set is empty".to_owned();
    for key in keys {
        match TicketMinter::new(&key) {
            Ok(_) => return Ok(key),
            Err(error) => why = error.to_string(),
        }
    }
    Err(no_key(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        signing_ticket_key(file.path()).map(|key| key.kid).map_err(|error| error.why)
    }

    #[test]
    fn a_set_or_one_key_signs_but_a_public_half_does_not() {
        let one = serde_json::to_string(&KeySpec::hs256("one", &[1; 32])).unwrap();
        assert_eq!(read(&one).unwrap(), "one");
        let public = r#"{"kid":"p","kty":"OKP","alg":"EdDSA","crv":"Ed25519","x":"AAAA"}"#;
        assert_eq!(read(&format!(r#"{{"keys":[{public},{one}]}}"#)).unwrap(), "one");
        assert!(read(public).unwrap_err().contains("cannot sign"));
        assert!(read("[]").unwrap_err().contains("neither a JSON Web Key nor a set"));
        assert!(read(r#"{"keys":[]}"#).unwrap_err().contains("the set is empty"));
        assert!(read("{").unwrap_err().contains("EOF"));
    }
}
