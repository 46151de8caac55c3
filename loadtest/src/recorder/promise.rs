//! The log of promises: what the server said that it must keep.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// One promise as it was received; one line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// When it was received: milliseconds since 1970-01-01 UTC by the crowd's clock.
    pub at_ms: u64,
    /// When the request that it answers was sent, by the same clock; absent for what came unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_ms: Option<u64>,
    /// Who received it.
    pub viewer: String,
    /// The hold, or the hold that the order came from.
    pub hold: String,
    /// The SKU.
    pub sku: String,
    /// How many units.
    pub units: u32,
    /// What was promised.
    #[serde(flatten)]
    pub what: Promised,
}

/// What was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "promise", rename_all = "snake_case")]
pub enum Promised {
    /// The units are held.
    Held {
        /// The key of the buy; absent in a welcome.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Whether an earlier buy with the same key had got them.
        retry: bool,
        /// How long the hold still lives.
        expires_in_ms: u64,
        /// What the units cost, in minor units.
        amount_minor: u64,
    },
    /// The hold is an order.
    Order {
        /// The order.
        order: String,
        /// The key of the buy that this answers, if it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// What the units cost, in minor units.
        amount_minor: u64,
    },
    /// The hold was given back.
    Released,
    /// The hold's time ran out.
    Expired,
}

impl fmt::Display for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { key: Some(key), .. } => write!(f, "its units under the key {key}"),
            Self::Held { key: None, .. } => f.write_str("in a welcome that it lives"),
            Self::Order { order, .. } => write!(f, "the order {order}"),
            Self::Released => f.write_str("that it was given back"),
            Self::Expired => f.write_str("that its time ran out"),
        }
    }
}

/// Why promises cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PromiseLogError {
    /// The file cannot be used.
    #[error("cannot use the promise log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no promise.
    #[error("line {line} of the promise log {} is no promise: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
}

/// Writes promises as they come.
#[derive(Debug)]
pub struct PromiseLog {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl PromiseLog {
    /// Begins a new file.
    ///
    /// # Errors
    /// [`PromiseLogError::Io`].
    pub fn create(path: &Path) -> Result<Self, PromiseLogError> {
        let created = File::create(path);
        let file =
            created.map_err(|source| PromiseLogError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), failed: None })
    }

    /// Appends a promise. A failure is kept for [`PromiseLog::flush`].
    pub fn write(&mut self, promise: &Promise) {
        let written = serde_json::to_writer(&mut self.file, promise).map_err(io::Error::from);
        if let Err(error) = written.and_then(|()| self.file.write_all(b"\n")) {
            self.failed.get_or_insert(error);
        }
    }

    /// Hands everything to the system; reports the first failure since the last flush.
    ///
    /// # Errors
    /// [`PromiseLogError::Io`].
    pub fn flush(&mut self) -> Result<(), PromiseLogError> {
        let flushed = self.failed.take().map_or(Ok(()), Err).and_then(|()| self.file.flush());
        flushed.map_err(|source| PromiseLogError::Io { path: self.path.clone(), source })
    }
}

/// Reads a log back.
///
/// # Errors
/// [`PromiseLogError`] names the file, and the line if it is one.
pub fn read_promises(path: &Path) -> Result<Vec<Promise>, PromiseLogError> {
    read_promises_within(path, u64::MAX)
}

/// Bytes of the whole lines of a log as it is now: its writer may be in the middle of one.
///
/// # Errors
/// [`PromiseLogError::Io`].
pub fn promise_bytes(path: &Path) -> Result<u64, PromiseLogError> {
    let text = std::fs::read(path);
    let text = text.map_err(|source| PromiseLogError::Io { path: path.to_owned(), source })?;
    let lines = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    Ok(u64::try_from(lines).unwrap_or(u64::MAX))
}

/// Reads what the first `bytes` of a log hold: what had come when it was so long.
///
/// # Errors
/// As [`read_promises`].
pub fn read_promises_within(path: &Path, bytes: u64) -> Result<Vec<Promise>, PromiseLogError> {
    let unusable = |source| PromiseLogError::Io { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(unusable)?.take(bytes));
    let mut promises = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        let promise = serde_json::from_str(&line.map_err(unusable)?);
        promises.push(promise.map_err(|source| PromiseLogError::Line {
            path: path.to_owned(),
            line: number,
            source,
        })?);
    }
    Ok(promises)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(what: Promised) -> Promise {
        Promise {
            at_ms: 1_000,
            asked_ms: None,
            viewer: "v1".into(),
            hold: "0".repeat(32),
            sku: "mug".into(),
            units: 2,
            what,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let held = Promised::Held {
            key: Some("k-1".into()),
            retry: false,
            expires_in_ms: 3_000,
            amount_minor: 998,
        };
        let order = Promised::Order { order: "1".repeat(32), key: None, amount_minor: 998 };
        let promises = [held, order, Promised::Released, Promised::Expired].map(promise);
        let mut log = PromiseLog::create(&path).unwrap();
        for promise in &promises {
            log.write(promise);
        }
        log.flush().unwrap();
        assert_eq!(read_promises(&path).unwrap(), promises);
    }

    #[test]
    fn a_log_that_grows_is_read_up_to_its_last_whole_line() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut log = PromiseLog::create(&path).unwrap();
        assert_eq!(promise_bytes(&path).unwrap(), 0);
        log.write(&promise(Promised::Expired));
        log.file.write_all(b"{\"at_ms\":1").unwrap();
        log.flush().unwrap();
        let bytes = promise_bytes(&path).unwrap();
        log.file.write_all(b"2}\n").unwrap();
        log.flush().unwrap();
        assert_eq!(read_promises_within(&path, bytes).unwrap(), [promise(Promised::Expired)]);
    }

    #[test]
    fn a_torn_line_is_named() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut log = PromiseLog::create(&path).unwrap();
        log.write(&promise(Promised::Expired));
        log.file.write_all(b"{\"at_ms\":1").unwrap();
        log.flush().unwrap();
        let error = read_promises(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of the promise log"), "{error}");
    }
}
