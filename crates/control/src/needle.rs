//! A text that is looked for in names and titles.

use serde::Deserialize;
use stampede_domain::composed;

/// Characters of a text that is looked for.
const NEEDLE_CHARS_MAX: usize = 200;

/// What was asked for: blanks at its ends and the case of letters do not matter, nor how a letter with its accent is
/// written.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Needle(String);

/// The text is too long to be found anywhere.
#[derive(Debug, thiserror::Error)]
#[error("{chars} characters; at most {NEEDLE_CHARS_MAX} are allowed")]
pub(crate) struct NeedleError {
    chars: usize,
}

impl TryFrom<String> for Needle {
    type Error = NeedleError;

    fn try_from(text: String) -> Result<Self, NeedleError> {
        let chars = text.chars().count();
        if chars > NEEDLE_CHARS_MAX {
            return Err(NeedleError { chars });
        }
        Ok(Self(lowered(text.trim())))
    }
}

impl Needle {
    /// Whether it is somewhere in one of the texts.
    pub(crate) fn is_in<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        texts.into_iter().any(|text| lowered(text).contains(&self.0))
    }
}

fn lowered(text: &str) -> String {
    composed(text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_the_way_an_accent_is_written_do_not_matter() {
        let needle = |text: &str| Needle::try_from(text.to_owned()).unwrap();
        assert!(needle(" CAFE\u{301} ").is_in(["d1", "Le Caf\u{e9} noir"]));
        assert!(needle("").is_in(["anything"]));
        assert!(!needle("cafe").is_in(["Le Caf\u{e9} noir"]));
        assert!(Needle::try_from("x".repeat(NEEDLE_CHARS_MAX + 1)).is_err());
    }
}
