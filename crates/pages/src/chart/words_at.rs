//! How wide words are, before any font is known.

/// The width of a text in its own size. Systems have different fonts: it is that of a wide one.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().map(width_of_char).sum()
}

fn width_of_char(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
        ' ' | '\u{a0}' | 'f' | 't' | 'r' | '(' | ')' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.95,
        // Marks that isolate a text are not seen.
        '\u{2066}'..='\u{2069}' => 0.0,
        c if c.is_ascii_digit() => 0.6,
        c if c.is_ascii_uppercase() => 0.72,
        c if c.is_ascii() => 0.62,
        c if (c as u32) < 0x0600 => 0.65,
        _ => 1.02,
    }
}
