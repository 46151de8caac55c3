//! The key file of the tickets: a JSON Web Key Set in the data directory.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use stampede_intake::Exact;
use stampede_wire::ticket::{KEYS_MAX, KeyError, KeySpec, TicketKeys, TicketMinter};
use tracing::warn;

/// The file's name within the data directory.
pub(crate) const KEY_FILE: &str = "ticket-keys.json";
/// Bytes of a secret that the server makes itself.
const SECRET_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct KeySet {
    keys: Vec<KeySpec>,
}

/// Why ticket keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no JSON Web Key Set: {source}", path.display())]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("{}: {source}", path.display())]
    Key { path: PathBuf, source: KeyError },
    #[error("{} has no key that can sign; mint tickets where the private key is", path.display())]
    NoSigner { path: PathBuf },
}

/// A key of this process alone, for the tickets of rehearsals' crowds. It is written nowhere.
fn of_process() -> KeySpec {
    let secret: [u8; SECRET_BYTES] = rand::random();
    KeySpec::hs256(&format!("rehearsal-{:08x}", rand::random::<u32>()), &secret)
}

/// Reads the keys that tickets are checked with; makes a secret of its own in a new directory. One more
/// of them is this process's own, which comes with them, unless the file has as many as there may be.
pub(crate) fn load_or_make(dir: &Path) -> Result<(TicketKeys, Option<KeySpec>), KeyFileError> {
    let path = dir.join(KEY_FILE);
    if !path.exists() {
        let secret: [u8; SECRET_BYTES] = rand::random();
        // A name of its own: another directory's tickets then fail as unknown, not as forged.
        let kid = format!("local-{:08x}", rand::random::<u32>());
        let keys = vec![KeySpec::hs256(&kid, &secret)];
        write(&path, &KeySet { keys })
            .map_err(|source| KeyFileError::Io { path: path.clone(), source })?;
    }
    let mut specs = read(&path)?;
    let own = (1..KEYS_MAX).contains(&specs.len()).then(of_process);
    if specs.len() >= KEYS_MAX {
        warn!(
            keys = specs.len(),
            "no key is left for the crowds of rehearsals: nobody can rehearse by one press"
        );
    }
    specs.extend(own.clone());
    let keys = TicketKeys::new(&specs).map_err(|source| KeyFileError::Key { path, source })?;
    Ok((keys, own))
}

/// The first key of the file that can sign.
pub(crate) fn signer(dir: &Path) -> Result<(KeySpec, TicketMinter), KeyFileError> {
    let path = dir.join(KEY_FILE);
    let specs = read(&path)?;
    let signer = specs.into_iter().find_map(|spec| {
        let minter = TicketMinter::new(&spec).ok()?;
        Some((spec, minter))
    });
    signer.ok_or(KeyFileError::NoSigner { path })
}

fn read(path: &Path) -> Result<Vec<KeySpec>, KeyFileError> {
    let text = fs::read_to_string(path)
        .map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    let set: Exact<KeySet> = serde_json::from_str(&text)
        .map_err(|source| KeyFileError::Parse { path: path.to_owned(), source })?;
    Ok(set.0.keys)
}

/// Writes a file that only its owner may read.
fn write(path: &Path, set: &KeySet) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    serde_json::to_writer_pretty(&file, set)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_gets_a_secret_that_signs_and_verifies() {
        let dir = tempfile::tempdir().unwrap();
        load_or_make(dir.path()).unwrap();
        let (spec, _) = signer(dir.path()).unwrap();
        load_or_make(dir.path()).unwrap();
        assert_eq!(signer(dir.path()).unwrap().0.k, spec.k, "the secret stays");
    }

    #[test]
    fn a_file_with_as_many_keys_as_may_be_leaves_none_for_crowds() {
        let dir = tempfile::tempdir().unwrap();
        for (count, has_own) in [(KEYS_MAX - 1, true), (KEYS_MAX, false)] {
            let key = |number| KeySpec::hs256(&format!("key-{number}"), &[7; SECRET_BYTES]);
            let path = dir.path().join(KEY_FILE);
            write(&path, &KeySet { keys: (0..count).map(key).collect() }).unwrap();
            assert_eq!(load_or_make(dir.path()).unwrap().1.is_some(), has_own, "{count}");
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_no_key_set_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["[]", "[[]]", "{\"keys\": [[\"kid\"]]}"] {
            fs::write(dir.path().join(KEY_FILE), text).unwrap();
            let refused = load_or_make(dir.path()).unwrap_err().to_string();
            assert!(refused.contains("ticket-keys.json is no JSON Web Key Set"), "{refused}");
            assert!(refused.contains("a list, expected an object"), "{refused}");
        }
    }
}
