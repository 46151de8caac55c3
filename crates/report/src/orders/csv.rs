//! Orders as CSV, for spreadsheets and for programs.
//!
//! The form is RFC 4180 (Y. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files"):
//! a header, lines that end with CR LF, texts in double quotes. UTF-8, without a byte order mark.
//!
//! **Texts that a spreadsheet would take for a formula begin with an apostrophe**, as OWASP advises ("CSV Injection",
//! OWASP Foundation): those that begin with `=`, `+`, `-`, `@`, a tab, CR or LF, or with one of the four signs in full
//! width, whatever blank or invisible characters stand before. So does a text that begins with an apostrophe itself:
//! whoever reads the file by a program takes one apostrophe off wherever a text begins with one, and has the text.

use std::fmt::Write as _;

use stampede_domain::{Currency, Money, UnixMillis};

use super::{Order, reader::ListedOrder};
use crate::{json, times::iso_utc};

/// The first line.
pub const CSV_HEADER: &str = "place,order,code,drop,stream,merchant,mode,state,confirmed_at,\
confirmed_at_ms,changed_at,changed_at_ms,sku,merchant_sku,title,options,units,cancelled_units,edition,currency,\
unit_price_minor,unit_price,goods_minor,goods,shipping_minor,shipping,tax_minor,tax,fee_minor,fee,paid_minor,paid,\
refunded_minor,refunded,refund_due_minor,refund_due,channel,viewer,order_reference,payments\r\n";

/// Appends the line of an order.
pub fn csv_line(listed: &ListedOrder, out: &mut Vec<u8>) {
    let mut line = Line { out, is_first: true };
    let ListedOrder { place, order } = listed;
    let (plan, sku, currency) = (&order.plan, order.sku_plan(), order.goods.currency());
    line.number(json::exact(*place));
    line.text(&order.id.to_string());
    line.text(&order.code.to_string());
    line.text(&order.code.drop_id().to_string());
    line.text(plan.stream.as_str());
    line.text(plan.merchant.as_str());
    line.text(json::mode(plan.mode));
    line.text(order.state.name());
    line.time(Some(order.confirmed_at));
    line.time(order.changed_at);
    line.text(sku.id.as_str());
    line.text(&sku.merchant_sku);
    line.text(&sku.title);
    let options = sku.options.iter().map(|option| format!("{}: {}", option.name, option.value));
    line.text(&options.collect::<Vec<_>>().join("; "));
    line.number(order.units.get().into());
    line.number(order.cancelled_units.into());
    line.text(&edition(order));
    line.text(currency.code());
    line.money(sku.price.minor(), currency);
    line.money(order.goods.minor(), currency);
    line.money(order.charges.shipping, currency);
    line.money(order.charges.tax, currency);
    line.money(order.charges.fee, currency);
    line.money(order.paid_minor, currency);
    line.money(order.refunded_minor, currency);
    line.money(order.refund_due_minor, currency);
    line.text(order.channel.as_ref().map_or("", |channel| channel.as_str()));
    line.text(order.viewer.as_ref().map_or("", |viewer| viewer.as_str()));
    line.text(order.reference.as_ref().map_or("", |reference| reference.as_str()));
    let payments = order.payments.iter().map(|part| {
        let mut text = format!("{} {}", part.payment, part.state.name());
        if let Some(amount) = part.amount {
            let _ = write!(text, " {amount}");
        }
        if let Some(refunded) = part.refunded() {
            let _ = write!(text, ", refunded {refunded}");
        }
        // With one alone, nobody asks which.
        if part.makes_order && order.payments.len() > 1 {
            text.push_str(", for the order");
        }
        text
    });
    line.text(&payments.collect::<Vec<_>>().join("; "));
    out.extend_from_slice(b"\r\n");
}

/// `No. 37-38 of 80`; nothing for an order without numbers.
fn edition(order: &Order) -> String {
    let Some(edition) = &order.edition else { return String::new() };
    match edition.numbers.to_string() {
        none if none.is_empty() => none,
        numbers => format!("{numbers} of {}", edition.of),
    }
}

/// A line in the making.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl Line<'_> {
    fn next(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    /// A text, always in quotes.
    fn text(&mut self, text: &str) {
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

    fn number(&mut self, number: u64) {
        self.next();
        self.out.extend_from_slice(number.to_string().as_bytes());
    }

    /// In minor units, then with the currency's decimals.
    fn money(&mut self, minor: u64, currency: Currency) {
        let minor = json::exact(minor);
        self.number(minor);
        self.next();
        let amount = Money::new(minor, currency).map(|amount| amount.to_string());
        let decimal = amount.as_deref().and_then(|amount| amount.split(' ').next());
        self.out.extend_from_slice(decimal.unwrap_or_default().as_bytes());
    }

    /// As people write it, then in milliseconds since 1970; both are empty without one.
    fn time(&mut self, at: Option<UnixMillis>) {
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
        let mut line = Line { out: &mut out, is_first: true };
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
            Line { out: &mut out, is_first: true }.money(minor, code.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
