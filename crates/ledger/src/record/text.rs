//! Free text within a record.

use std::fmt;

/// Free text within a record: at most [`Text::BYTES_MAX`] bytes.
///
/// Longer text is cut at the last character that fits, because a record must never fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// Bytes that a text has at most.
    pub const BYTES_MAX: usize = 1024;

    /// Wraps a text, cut to [`Text::BYTES_MAX`].
    pub fn new(text: &str) -> Self {
        let cut = text.floor_char_boundary(Self::BYTES_MAX);
        Self(text[..cut].into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_as_it_is() {
        let text = Text::from("on air");
        assert_eq!((text.as_str(), text.to_string().as_str()), ("on air", "on air"));
    }
}
