//! Text that a person will see: titles, options, reasons, names.

use std::{borrow::Cow, fmt, ops::RangeInclusive};

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup,
    },
};

/// Joins and parts letters in Persian and in Indian scripts.
const NON_JOINER: char = '\u{200C}';
/// Joins emoji, and letters in Indian scripts.
const JOINER: char = '\u{200D}';
/// The flag that tags turn into the flag of a part of a country.
const BLACK_FLAG: char = '\u{1F3F4}';
/// The tag that ends such a flag.
const CANCEL_TAG: char = '\u{E007F}';
/// Tags between the flag and the tag that ends it: the code of a region, like `gbeng`.
const REGION_TAGS: RangeInclusive<usize> = 3..=6;
/// Braille without a dot: a symbol, but blank.
const BRAILLE_BLANK: char = '\u{2800}';
/// A note without a head, and the blanks of hieroglyphs: symbols and letters that leave no ink.
const BLANKS: [char; 4] = [BRAILLE_BLANK, '\u{1D159}', '\u{13441}', '\u{13442}'];

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

/// Whether two texts are the same in composed form, whichever form each is kept in: texts from before the rule may be in
/// any.
pub fn is_same_text(one: &str, other: &str) -> bool {
    one == other || composed(one) == composed(other)
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
/// and the non-joiner are allowed, each where it changes what is seen.
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
    !BLANKS.contains(&c) && marks.contains(category(c)) && !is_ignorable(c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// The first character that is not seen itself, unless it belongs to one that is.
fn unseen(text: &str) -> Option<(usize, char)> {
    let mut rest = text.chars();
    let (mut place, mut before) = (0, None);
    while let Some(c) = rest.next() {
        let belongs = if is_joiner(c) {
            before.is_some_and(|before| joins(before, rest.as_str()))
        } else if is_selector(c) {
            before.is_some_and(has_forms)
        } else {
            !is_unseen(c)
        };
        if !belongs {
            return Some((place, c));
        }
        (place, before) = (place + 1, Some(c));
        if c == BLACK_FLAG
            && let Some(tags) = region_tags(rest.as_str())
        {
            (place, before) = (place + tags, rest.nth(tags - 1));
        }
    }
    None
}

/// Whether a character joins or parts its neighbours. The separator of Mongolian vowels does so too.
const fn is_joiner(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER | '\u{180E}')
}

/// Whether a joiner has two neighbours. An Indian letter without its vowel may have one at its end, which shows it
/// in another form.
fn joins(before: char, after: &str) -> bool {
    let class = CodePointMapData::<CanonicalCombiningClass>::new();
    !is_joiner(before)
        && (!after.is_empty() || class.get(before) == CanonicalCombiningClass::Virama)
}

/// Whether a character chooses a form of the character before it, such as a coloured emoji; Mongolian has its own.
const fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{180B}'..='\u{180D}' | '\u{180F}')
}

/// Whether a character may have several forms: it is seen, or stands over one that is.
fn has_forms(c: char) -> bool {
    is_seen(c) || (GeneralCategoryGroup::Mark.contains(category(c)) && !is_ignorable(c))
}

/// How many tags make the flag in front of them that of a region: its code in letters and digits, and an end.
fn region_tags(after: &str) -> Option<usize> {
    let is_of_code = |c: &char| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}');
    let code = after.chars().take_while(is_of_code).count();
    let is_ended = after.chars().nth(code) == Some(CANCEL_TAG);
    (is_ended && REGION_TAGS.contains(&code)).then_some(code + 1)
}

/// Whether a character is made not to be seen: a control, a break of lines, what turns the direction of the
/// text around it, a filler.
fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c == BRAILLE_BLANK
        || match category(c) {
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => true,
            // Signs that stand over or under Arabic and Syriac numbers are formats, and are seen.
            GeneralCategory::Format => is_ignorable(c) || matches!(c, '\u{FFF9}'..='\u{FFFB}'),
            _ => is_ignorable(c),
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
            "🏴\u{E0075}\u{E0073}\u{E0063}\u{E0061}\u{E007F}\u{200D}!",
            "🏴\u{200D}☠\u{FE0F}",
            "🏳\u{FE0F}\u{200D}🌈",
            "👩🏽\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏻",
            "👁\u{FE0F}\u{200D}🗨\u{FE0F}",
            "1\u{FE0F}\u{20E3} #\u{FE0F}\u{20E3}",
            "🇩🇪",
            "葛\u{E0100}飾",
            "نمی\u{200C}شود",
            "श\u{94D}\u{200D}र\u{940}",
            "अन\u{94D}\u{200C}याय",
            "അവന\u{D4D}\u{200D}",
            "ᠮᠣᠩᠭᠣᠯ\u{180E}ᠠ",
            "ᠠ\u{180B}",
            "a\u{A0}b\u{3000}c",
            "-",
            "\u{600}١",
        ] {
            assert_eq!(checked(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn what_is_blank_to_the_eye_is_refused() {
        for text in [
            "",
            " ",
            "\u{A0}",
            "\u{3000}\u{2003}",
            "\u{301}",
            "\u{E000}",
            "\u{1D159}",
            "\u{13441} \u{13442}",
        ] {
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
            '\u{200E}',
            '\u{200F}',
            '\u{61C}',
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
    fn what_belongs_to_nothing_that_is_seen_is_refused() {
        let flag = "\u{1F3F4}";
        for (text, place, code) in [
            // A flag of a region has three to six letters or digits, and an end.
            (format!("{flag}\u{E0067}\u{E0062}\u{E007F}"), 2, 0xE_0067),
            (format!("{flag}{}\u{E007F}", "\u{E0061}".repeat(7)), 2, 0xE_0061),
            (format!("{flag}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}"), 2, 0xE_0067),
            (format!("{flag}\u{E0047}\u{E0042}\u{E0045}\u{E007F}"), 2, 0xE_0047),
            (format!("{flag}\u{E0061}\u{E0062}\u{E0063}\u{E007F}\u{E0064}"), 6, 0xE_0064),
            (format!("{flag}\u{E0020}\u{E0062}\u{E0063}\u{E007F}"), 2, 0xE_0020),
            // A selector chooses a form of one character.
            ("\u{FE0F}a".to_owned(), 1, 0xFE0F),
            ("❤\u{FE0F}\u{FE0F}".to_owned(), 3, 0xFE0F),
            ("❤\u{FE0F}\u{E0100}".to_owned(), 3, 0xE_0100),
            ("a\u{200D}\u{FE0F}b".to_owned(), 3, 0xFE0F),
            ("a \u{FE00}b".to_owned(), 3, 0xFE00),
            // A joiner stands between two.
            ("\u{200D}a".to_owned(), 1, 0x200D),
            ("\u{200C}a".to_owned(), 1, 0x200C),
            ("a\u{200C}".to_owned(), 2, 0x200C),
            ("👩\u{200D}".to_owned(), 2, 0x200D),
            ("a\u{200D}\u{200C}b".to_owned(), 3, 0x200C),
            ("a\u{200C}\u{200C}b".to_owned(), 3, 0x200C),
            ("ᠠ\u{180E}".to_owned(), 2, 0x180E),
            ("\u{200D}".to_owned(), 1, 0x200D),
            ("\u{FE0F}".to_owned(), 1, 0xFE0F),
        ] {
            let fault = TextFault::Unseen { code, place };
            assert_eq!(checked(&text), Err(fault), "{text:?}");
            assert_eq!(check_note(&text, 200), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn letters_and_marks_are_kept_composed() {
        assert_eq!(composed("Cafe\u{301}"), "Café");
        assert!(matches!(composed("Café"), Cow::Borrowed("Café")));
        assert_eq!(composed("ﬁ ²"), "ﬁ ²", "what only looks alike stays");
        assert!(is_same_text("Cafe\u{301}", "Café") && is_same_text("nina", "nina"));
        assert!(!is_same_text("Cafe", "Café") && !is_same_text("ﬁ", "fi"));
        let fault = TextFault::TooLong { bytes: 201, max: 200 };
        assert_eq!(checked(&"x".repeat(201)), Err(fault));
    }
}
