//! A text that is most often short.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

/// Bytes that need no memory of their own.
const INLINE_BYTES_MAX: usize = 22;

/// A text whose copies share nothing if it has at most 22 bytes: a thread that copies or drops one on
/// another thread waits for no counter. Longer ones are shared.
#[derive(Clone)]
pub(crate) enum InlineText {
    Inline { len: u8, bytes: [u8; INLINE_BYTES_MAX] },
    Shared(Arc<str>),
}

const _: () = assert!(size_of::<InlineText>() == 24);

impl InlineText {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Shared(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for InlineText {
    fn from(text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(len) if text.len() <= INLINE_BYTES_MAX => {
                let mut bytes = [0; INLINE_BYTES_MAX];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Self::Inline { len, bytes }
            }
            _ => Self::Shared(text.into()),
        }
    }
}

impl Deref for InlineText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Inline { .. } => {
                std::str::from_utf8(self.as_bytes()).expect("its bytes were a text's")
            }
            Self::Shared(text) => text,
        }
    }
}

impl std::fmt::Display for InlineText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for InlineText {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for InlineText {}

impl PartialOrd for InlineText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InlineText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for InlineText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_kept_and_compared() {
        let all: Vec<String> = (0..=64).map(|len| "abc".repeat(22)[..len].to_owned()).collect();
        for (place, text) in all.iter().enumerate() {
            let kept = InlineText::from(text.as_str());
            assert_eq!(&*kept, text);
            assert_eq!(matches!(kept, InlineText::Inline { .. }), text.len() <= 22);
            for (other_place, other) in all.iter().enumerate() {
                let other = InlineText::from(other.as_str());
                assert_eq!(kept.cmp(&other), place.cmp(&other_place));
                assert_eq!(kept == other, place == other_place);
            }
        }
    }

    #[test]
    fn texts_are_shown_sorted_and_hashed_as_their_letters() {
        use std::hash::BuildHasher;

        let long = "a".repeat(30);
        let hasher = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default();
        for text in ["", "abc", long.as_str()] {
            let kept = InlineText::from(text);
            assert_eq!(kept.to_string(), text);
            assert_eq!(kept.partial_cmp(&InlineText::from("b")), text.partial_cmp("b"));
            assert_eq!(hasher.hash_one(&kept), hasher.hash_one(text.as_bytes()));
        }
    }
}
