//! Text that a person will see: titles, options, reasons, names.

use std::{borrow::Cow, fmt};

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};

/// Joins and parts letters in Persian and in Indian scripts.
const NON_JOINER: char = '\u{200C}';
/// Joins emoji, and letters in Indian scripts.
const JOINER: char = '\u{200D}';
/// The flag that tags turn into the flag of a part of a country.
const BLACK_FLAG: char = '\u{1F3F4}';
/// The tag that ends such a flag.
const CANCEL_TAG: char = '\u{E007F}';
/// Braille without a dot: a symbol, but blank.
const BRAILLE_BLANK: char = '\u{2800}';

/// Why a text cannot be shown as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing of it can be seen.
    Blank,
    /// It has a character that is not seen itself, and changes or feigns what is.
    Unseen {
        /// The character.
        code: u32,
        /// Its place, counted in characters from 1.
        place: usize,
    },
    /// It has more bytes than it may.
    TooLong {
        /// Bytes in composed form.
        bytes: usize,
        /// Most bytes allowed.
        max: usize,
    },
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("is blank to the eye; write something that can be read"),
            Self::Unseen { code, place } => write!(
                f,
                "has U+{code:04X} as its character {place}, which cannot be seen and changes how text is \
                 read; leave it out"
            ),
            Self::TooLong { bytes, max } => {
                write!(f, "has {bytes} bytes; at most {max} are allowed: shorten it")
            }
        }
    }
}

impl std::error::Error for TextFault {}

/// A text in composed form (NFC), which two ways of writing the same letters share. Texts that people see
/// are kept in it; ids never are, for they are compared byte by byte.
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Checks a text that may be empty, in composed form.
///
/// # Errors
/// The first fault: too long, or a character that is not seen.
pub fn check_note(text: &str, bytes_max: usize) -> Result<(), TextFault> {
    let bytes = text.len();
    if bytes > bytes_max {
        return Err(TextFault::TooLong { bytes, max: bytes_max });
    }
    match unseen(text) {
        Some((place, unseen)) => Err(TextFault::Unseen { code: unseen.into(), place: place + 1 }),
        None => Ok(()),
    }
}

/// Checks a text that has to say something, in composed form. Scripts of every direction, emoji with joiners
/// and the non-joiner are allowed.
///
/// # Errors
/// The first fault: too long, a character that is not seen, or nothing that is.
pub fn check_shown(text: &str, bytes_max: usize) -> Result<(), TextFault> {
    check_note(text, bytes_max)?;
    if text.chars().any(is_seen) { Ok(()) } else { Err(TextFault::Blank) }
}

/// Whether a character leaves ink by itself.
fn is_seen(c: char) -> bool {
    // Most ids and titles are ASCII, and every id of a ledger passes here at a start.
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    let marks = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    c != BRAILLE_BLANK && marks.contains(category(c)) && !is_ignorable(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// The first character that is not seen itself, unless it belongs to one that is.
fn unseen(text: &str) -> Option<(usize, char)> {
    let mut in_flag = false;
    for (place, c) in text.chars().enumerate() {
        let is_tag = ('\u{E0020}'..=CANCEL_TAG).contains(&c);
        if in_flag && is_tag {
            in_flag = c != CANCEL_TAG;
            continue;
        }
        in_flag = c == BLACK_FLAG;
        if is_unseen(c) {
            return Some((place, c));
        }
    }
    None
}

/// Whether a character is made not to be seen: a control, a break of lines, what turns the direction of the
/// text around it, a filler.
fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    match c {
        // Joiners and marks of direction shape what stands beside them; variation selectors choose a form
        // of the character before them, such as a coloured emoji; Mongolian has its own.
        NON_JOINER
        | JOINER
        | '\u{200E}'
        | '\u{200F}'
        | '\u{061C}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}'
        | '\u{180B}'..='\u{180F}' => false,
        BRAILLE_BLANK => true,
        _ => match category(c) {
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => true,
            // Signs that stand over or under Arabic and Syriac numbers are formats, and are seen.
            GeneralCategory::Format => is_ignorable(c) || matches!(c, '\u{FFF9}'..='\u{FFFB}'),
            _ => is_ignorable(c),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), TextFault> {
        check_shown(text, 200)
    }

    #[test]
    fn what_is_read_is_allowed_in_every_script() {
        for text in [
            "No. 5, 50 ml",
            "שלום לכולם",
            "عطر ٥٠ مل",
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "香水",
            "향수",
            "👩\u{200D}👩\u{200D}👧",
            "❤\u{FE0F}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} only",
            "ᠮᠣᠩᠭᠣᠯ\u{180E}ᠠ",
            "a\u{A0}b\u{3000}c",
            "-",
            "\u{600}١",
        ] {
            assert_eq!(checked(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn what_is_blank_to_the_eye_is_refused() {
        for text in
            ["", " ", "\u{A0}", "\u{3000}\u{2003}", "\u{200D}", "\u{FE0F}", "\u{301}", "\u{E000}"]
        {
            assert_eq!(checked(text), Err(TextFault::Blank), "{text:?}");
        }
        assert_eq!(check_note("", 500), Ok(()));
    }

    #[test]
    fn what_is_not_seen_is_named_with_its_place() {
        for unseen in [
            '\u{0}',
            '\n',
            '\u{85}',
            '\u{AD}',
            '\u{34F}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{200B}',
            '\u{2028}',
            '\u{2029}',
            '\u{202A}',
            '\u{202E}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{206A}',
            '\u{2800}',
            '\u{3164}',
            '\u{FEFF}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{E0041}',
            '\u{E007F}',
            '\u{E0001}',
        ] {
            let text = format!("é{unseen}b");
            let fault = TextFault::Unseen { code: unseen.into(), place: 2 };
            assert_eq!(checked(&text), Err(fault), "{text:?}");
            assert_eq!(check_note(&text, 500), Err(fault));
            assert!(checked(&unseen.to_string()).is_err(), "alone");
        }
        assert_eq!(
            checked("a\u{202E}b").unwrap_err().to_string(),
            "has U+202E as its character 2, which cannot be seen and changes how text is read; leave it out"
        );
    }

    #[test]
    fn letters_and_marks_are_kept_composed() {
        assert_eq!(composed("Cafe\u{301}"), "Café");
        assert!(matches!(composed("Café"), Cow::Borrowed("Café")));
        assert_eq!(composed("ﬁ ²"), "ﬁ ²", "what only looks alike stays");
        let fault = TextFault::TooLong { bytes: 201, max: 200 };
        assert_eq!(checked(&"x".repeat(201)), Err(fault));
    }
}
