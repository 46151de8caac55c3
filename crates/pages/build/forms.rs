//! The parts of a message: text, values, values with two forms.
//!
//! `{name}` is a value. `{name: # unit | # units}` says the first form of the number 1, the second of
//! any other; `#` is the number itself.

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Words as they stand.
    Text(&'a str),
    /// The value of this name.
    Value(&'a str),
    /// One of two forms, by the value of this name.
    Forms {
        /// Which value decides.
        name: &'a str,
        /// Of the number 1.
        one: &'a str,
        /// Of any other.
        other: &'a str,
    },
}

/// Words of English that go with many and end on `s` for another reason, or do not end on it.
const MANY: [&str; 4] = ["are", "were", "have", "people"];
const NOT_MANY: [&str; 3] = ["was", "has", "its"];

/// The parts of a message.
///
/// # Errors
/// What is wrong with it: a brace without its other, a name that is none, a form that is missing.
pub(crate) fn parts(said: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = said;
    while let Some((text, behind)) = rest.split_once('{') {
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let (inside, behind) = behind.split_once('}').ok_or("a brace is not closed")?;
        parts.push(braced(inside)?);
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    if parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('}'))) {
        return Err("a brace is not opened".to_owned());
    }
    Ok(parts)
}

fn braced(inside: &str) -> Result<Part<'_>, String> {
    let (name, forms) = match inside.split_once(": ") {
        Some((name, forms)) => (name, Some(forms)),
        None => (inside, None),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Err(format!("{name:?} names no value"));
    }
    let Some(forms) = forms else { return Ok(Part::Value(name)) };
    match forms.split(" | ").collect::<Vec<_>>().as_slice() {
        [one, other] if !one.is_empty() && !other.is_empty() => {
            Ok(Part::Forms { name, one, other })
        }
        _ => Err(format!("{name} needs two forms, one for 1 and one for all others")),
    }
}

/// The names of the values, in the order of their first use.
pub(crate) fn names<'a>(parts: &[Part<'a>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for part in parts {
        if let Part::Value(name) | Part::Forms { name, .. } = *part
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// The first value that an English message says with a word for many, whatever the value is: "1 units".
pub(crate) fn always_many<'a>(parts: &[Part<'a>]) -> Option<&'a str> {
    let beside = parts.windows(2).filter_map(|two| match two {
        [Part::Value(name), Part::Text(text)] => Some((*name, text.strip_prefix(' ')?)),
        _ => None,
    });
    let is_letter = |c: char| c.is_ascii_lowercase();
    let mut many = beside.filter(|(_, text)| {
        let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
        let word = &text[..end];
        MANY.contains(&word) || word.len() > 2 && word.ends_with('s') && !NOT_MANY.contains(&word)
    });
    many.next().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_text_values_and_forms() {
        let said = "Of {n: # unit | # units} {paid: # is | # are} paid, {left} left";
        let found = parts(said).unwrap();
        let forms = |name, one, other| Part::Forms { name, one, other };
        let expected = [
            Part::Text("Of "),
            forms("n", "# unit", "# units"),
            Part::Text(" "),
            forms("paid", "# is", "# are"),
            Part::Text(" paid, "),
            Part::Value("left"),
            Part::Text(" left"),
        ];
        assert_eq!(found, expected);
        assert_eq!(names(&found), ["n", "paid", "left"]);
    }

    #[test]
    fn a_form_that_is_missing_is_a_fault() {
        let wrong =
            ["{n: # units}", "{n: # a | # b | # c}", "{n:  | # units}", "{n", "n}", "{N}", "{}"];
        for said in wrong {
            assert!(parts(said).is_err(), "{said}");
        }
    }

    #[test]
    fn a_count_that_is_always_many_is_found() {
        let found = |said| always_many(&parts(said).unwrap());
        assert_eq!(found("{n} units"), Some("n"));
        assert_eq!(found("{first} and {n} others are here"), Some("n"));
        assert_eq!(found("{paid} are paid"), Some("paid"));
        for said in [
            "{n: # unit | # units}",
            "{title} has changed",
            "{n} s",
            "{n} ms",
            "{n} is all",
            "{n}s",
        ] {
            assert_eq!(found(said), None, "{said}");
        }
    }
}
