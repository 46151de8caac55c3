//! The line that a producer writes for the person on camera, one for each stream.
//!
//! It is no fact of the sale: it stands in memory and ends with the process.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::{StreamId, TextFault, check_shown, composed};
use tokio::sync::watch;
use unicode_segmentation::UnicodeSegmentation;

/// Characters of a line, as they are read: what fits the foot of the stage.
pub(crate) const LINE_CHARS_MAX: usize = 40;
/// Bytes of a line: a character as it is read can have any number of them.
const LINE_BYTES_MAX: usize = 400;
/// Streams with a line; beyond that the one that was written first is forgotten.
const LINES_MAX: usize = 1_024;

/// Every stream's line.
#[derive(Debug)]
pub(crate) struct StageLines {
    lines: Mutex<HashMap<StreamId, Line>>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Line {
    /// The change that wrote it.
    number: u64,
    text: Arc<str>,
}

/// Why a line cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    /// It does not fit.
    #[error("the line has {chars} characters as read; {max} fit the stage: shorten it", max = LINE_CHARS_MAX)]
    TooLong {
        /// How many it has.
        chars: usize,
    },
    /// It would not be read as it was written, or its characters are made of too many parts.
    #[error("the line {0}")]
    Text(TextFault),
}

impl Default for StageLines {
    fn default() -> Self {
        Self { lines: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl StageLines {
    /// Writes a stream's line in place of the one before; `None` clears it.
    pub(crate) fn write(&self, stream: &StreamId, text: Option<&str>) {
        let mut lines = self.lines.lock();
        if lines.get(stream).map(|line| &*line.text) == text {
            return;
        }
        let number = *self.changes.borrow() + 1;
        match text {
            Some(text) => {
                lines.insert(stream.clone(), Line { number, text: text.into() });
            }
            None => {
                lines.remove(stream);
            }
        }
        if lines.len() > LINES_MAX {
            let oldest = lines.iter().min_by_key(|(_, line)| line.number);
            let oldest = oldest.map(|(stream, _)| stream.clone());
            lines.remove(&oldest.expect("there are many"));
        }
        self.changes.send_replace(number);
    }

    /// A stream's line.
    pub(crate) fn of(&self, stream: &StreamId) -> Option<Arc<str>> {
        self.lines.lock().get(stream).map(|line| Arc::clone(&line.text))
    }

    /// Tells when any line has changed, by their number.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// The line as it will be shown, in composed form; `None` if nothing is left of it.
pub(crate) fn checked(line: &str) -> Result<Option<String>, LineError> {
    // Spaces at its ends do not count, but nobody needs so many.
    if line.chars().nth(LINE_BYTES_MAX).is_some() {
        let (bytes, max) = (line.len(), LINE_BYTES_MAX);
        return Err(LineError::Text(TextFault::TooLong { bytes, max }));
    }
    let line = composed(line.trim());
    if line.is_empty() {
        return Ok(None);
    }
    // Counting a body of the largest size is more work than a line is worth.
    let chars = line.graphemes(true).take(LINE_BYTES_MAX).count();
    match check_shown(&line, LINE_BYTES_MAX) {
        Err(TextFault::TooLong { .. }) | Ok(()) if chars > LINE_CHARS_MAX => {
            Err(LineError::TooLong { chars })
        }
        Err(fault) => Err(LineError::Text(fault)),
        Ok(()) => Ok(Some(line.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_counted_as_it_is_read() {
        assert_eq!(
            checked("  Three sizes, the middle one first "),
            Ok(Some("Three sizes, the middle one first".to_owned()))
        );
        assert_eq!(checked(" \u{3000} "), Ok(None));
        // A family is one character, whatever it is made of.
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(checked(&family.repeat(20)), Ok(Some(family.repeat(20))));
        assert_eq!(checked(&"é".repeat(41)), Err(LineError::TooLong { chars: 41 }));
        let marks = format!("e{}", "\u{301}".repeat(300));
        assert_eq!(
            checked(&marks),
            Err(LineError::Text(TextFault::TooLong { bytes: 600, max: 400 }))
        );
        assert_eq!(checked("שלום לכולם"), Ok(Some("שלום לכולם".to_owned())));
    }

    #[test]
    fn a_line_cannot_turn_what_stands_beside_it() {
        for control in ['\u{202E}', '\u{2066}', '\u{7}', '\n', '\u{2028}'] {
            let line = format!("a{control}b");
            let refused = checked(&line);
            let fault = TextFault::Unseen { code: control.into(), place: 2 };
            assert_eq!(refused, Err(LineError::Text(fault)));
        }
    }

    #[test]
    fn as_many_streams_as_may_have_a_line() {
        let lines = StageLines::default();
        let stream = |n: usize| format!("s{n}").parse::<StreamId>().unwrap();
        for n in 0..=LINES_MAX {
            lines.write(&stream(n), Some("hello"));
        }
        assert_eq!((lines.of(&stream(0)), lines.of(&stream(1)).as_deref()), (None, Some("hello")));
        lines.write(&stream(1), None);
        assert_eq!(lines.of(&stream(1)), None);
        assert_eq!(*lines.watch().borrow(), LINES_MAX as u64 + 2);
    }
}
