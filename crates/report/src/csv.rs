//! Tables as CSV.
//!
//! The form is RFC 4180 (Y. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files"):
//! a header, lines that end with CR LF, texts in double quotes. UTF-8, without a byte order mark.
//!
//! **Texts that a spreadsheet would take for a formula begin with an apostrophe**, as OWASP advises ("CSV Injection",
//! OWASP Foundation): those that begin with `=`, `+`, `-`, `@`, a tab, CR or LF, or with one of the four signs in full
//! width, whatever blank or invisible characters stand before. So does a text that begins with an apostrophe itself:
//! whoever reads the file by a program takes one apostrophe off wherever a text begins with one, and has the text.

use stampede_domain::{Currency, Money, UnixMillis};

use crate::{json, times::iso_utc};

/// A line in the making.
pub(crate) struct Line<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Line<'a> {
    /// A line behind what is there.
    pub(crate) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, is_first: true }
    }

    /// Ends the line.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// An empty cell, which is no text.
    pub(crate) fn nothing(&mut self) {
        self.next();
    }

    fn next(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    /// A text, always in quotes.
    pub(crate) fn text(&mut self, text: &str) {
        self.next();
        self.out.push(b'"');
        if needs_apostrophe(text) {
            self.out.push(b'\'');
        }
        for byte in text.bytes() {
            if byte == b'"' {
                self.out.push(byte);
            }
            self.out.push(byte);
        }
        self.out.push(b'"');
    }

    /// A name in the header, without quotes.
    pub(crate) fn name(&mut self, name: &str) {
        self.next();
        self.out.extend_from_slice(name.as_bytes());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.next();
        self.out.extend_from_slice(number.to_string().as_bytes());
    }

    /// In minor units, then with the currency's decimals.
    pub(crate) fn money(&mut self, minor: u64, currency: Currency) {
        let minor = json::exact(minor);
        self.number(minor);
        self.next();
        let amount = Money::new(minor, currency).map(|amount| amount.to_string());
        let decimal = amount.as_deref().and_then(|amount| amount.split(' ').next());
        self.out.extend_from_slice(decimal.unwrap_or_default().as_bytes());
    }

    /// As people write it, then in milliseconds since 1970; both are empty without one.
    pub(crate) fn time(&mut self, at: Option<UnixMillis>) {
        self.next();
        self.out.extend_from_slice(at.map(iso_utc).unwrap_or_default().as_bytes());
        match at {
            Some(at) => self.number(json::time(at)),
            None => self.next(),
        }
    }
}

/// Whether a text begins like a formula, or like one that was made harmless.
fn needs_apostrophe(text: &str) -> bool {
    let begins = |c: char| "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}'".contains(c);
    // Programs pass over blanks, and over what nobody sees, before they look for a formula.
    let is_passed_over = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c,
                '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    text.starts_with(begins) || text.trim_start_matches(is_passed_over).starts_with(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_gets_an_apostrophe() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\t",
            " =1",
            "\u{202E}=1",
            "\u{FEFF}=1",
            "\u{FF1D}1",
            "\u{FF0B}1",
            "\u{FF0D}1",
            "\u{FF20}A",
            "'=1",
            "'s-Hertogenbosch",
            "\u{A0}-1",
        ] {
            assert!(needs_apostrophe(text), "{text:?}");
        }
        for text in ["", " ", "a=1", "1+1", "007", "No. 1", "\u{202E}abc", "caf\u{e9}", "\"=1\""] {
            assert!(!needs_apostrophe(text), "{text:?}");
        }
    }

    #[test]
    fn a_text_has_its_quotes_doubled_and_its_line_breaks_kept() {
        let mut out = Vec::new();
        let mut line = Line::new(&mut out);
        for text in ["a,b", "say \"no\"", "one\r\ntwo", "\n=1", "007", ""] {
            line.text(text);
        }
        let expected = "\"a,b\",\"say \"\"no\"\"\",\"one\r\ntwo\",\"'\n=1\",\"007\",\"\"";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        for (minor, code, expected) in [
            (4_990, "EUR", "4990,49.90"),
            (5, "EUR", "5,0.05"),
            (4_990, "JPY", "4990,4990"),
            (1_234, "KWD", "1234,1.234"),
        ] {
            let mut out = Vec::new();
            Line::new(&mut out).money(minor, code.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
