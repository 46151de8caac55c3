//! Which messages the scripts of pages say: no other is sent to a browser.

use std::collections::BTreeSet;

/// What encloses a text in a script.
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The keys that scripts name, whole or as the beginning of one that they complete (`problem_${code}`).
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    whole: BTreeSet<String>,
    begun: BTreeSet<String>,
}

impl Spoken {
    /// Adds what a script says. Whatever stands between two quotes and could be a key counts as one: too many are sent
    /// rather than one too few.
    pub(crate) fn read(&mut self, script: &str) {
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        for part in script.split(QUOTES) {
            if !part.is_empty() && part.chars().all(is_key) {
                self.whole.insert(part.to_owned());
            } else if let Some((before, _)) = part.split_once("${")
                && before.ends_with('_')
                && before.chars().all(is_key)
            {
                self.begun.insert(before.to_owned());
            }
        }
    }

    /// Whether a script says the message of this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.whole.contains(key) || self.begun.iter().any(|before| key.starts_with(before))
    }
}
