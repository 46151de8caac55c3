//! The results of a story's line, in the order in which they happened.

use stampede_domain::UnixMillis;

use crate::words::time_words;

#[derive(Default)]
pub(crate) struct Log {
    lines: Vec<String>,
    /// Of the latest line, to which more of its kind is added.
    kind: &'static str,
    /// A time that has come, of which nothing was told yet.
    at: Option<UnixMillis>,
}

impl Log {
    pub(crate) fn note(&mut self, kind: &'static str, text: impl AsRef<str>) {
        let text = text.as_ref();
        if let Some(at) = self.at.take() {
            self.lines.push(format!("at {}", time_words(at)));
            self.kind = "";
        }
        match self.lines.last_mut().filter(|_| self.kind == kind) {
            Some(line) => {
                *line += ", ";
                *line += text;
            }
            None => self.lines.push(format!("{kind}: {text}")),
        }
        self.kind = kind;
    }

    /// It is this time.
    pub(crate) fn at(&mut self, at: UnixMillis) {
        self.at = Some(at);
    }

    /// All lines so far; the next line begins anew.
    pub(crate) fn take(&mut self) -> Vec<String> {
        (self.kind, self.at) = ("", None);
        std::mem::take(&mut self.lines)
    }
}
