//! Ids that come from outside as short text.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{
    TextFault, check_shown,
    inline_text::InlineText,
    limits::{
        ORDER_REFERENCE_BYTES_MAX, ORDER_REFERENCE_CHARS_MAX, PAYMENT_REFERENCE_BYTES_MAX,
        TEXT_ID_BYTES_MAX, VIEWER_ID_BYTES_MAX,
    },
};

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than [`TEXT_ID_BYTES_MAX`], for a viewer's id [`VIEWER_ID_BYTES_MAX`].
    #[error("{kind} has {bytes} bytes; 1 to {max} are allowed")]
    Length {
        /// What the text was meant to be.
        kind: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Longer than [`ORDER_REFERENCE_CHARS_MAX`].
    #[error("{kind} has {characters} characters; 1 to {max} are allowed")]
    Characters {
        /// What the text was meant to be.
        kind: &'static str,
        /// Its length in characters.
        characters: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// A character outside the allowed set.
    #[error("{kind} has the character {found:?}; letters, digits and . _ : - are allowed")]
    Character {
        /// What the text was meant to be.
        kind: &'static str,
        /// The first character that is not allowed.
        found: char,
    },
    /// A text that cannot be printed.
    #[error("{kind} {fault}")]
    Unprintable {
        /// What the text was meant to be.
        kind: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
    /// Not of the id's form.
    #[error("not a {kind}; expected {expected}")]
    Malformed {
        /// What the text was meant to be.
        kind: &'static str,
        /// The form in words.
        expected: &'static str,
    },
}

fn check_length(kind: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() || text.len() > max {
        return Err(IdError::Length { kind, bytes: text.len(), max });
    }
    Ok(())
}

/// Checks the length and the characters that all text ids and keys share.
pub(crate) fn check(kind: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    check_length(kind, text, max)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    match text.chars().find(|c| !allowed(*c)) {
        Some(found) => Err(IdError::Character { kind, found }),
        None => Ok(()),
    }
}

/// Checks a viewer's id: any text that can be printed. It is compared byte by byte, so it is taken as it is.
fn check_viewer(kind: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    check_length(kind, text, max)?;
    check_shown(text, max).map_err(|fault| IdError::Unprintable { kind, fault })
}

/// Checks what a platform calls an order: any text that can be printed, taken as it is. Its length is counted as its
/// authors count it.
fn check_order(kind: &'static str, text: &str, bytes_max: usize) -> Result<(), IdError> {
    let (characters, max) = (text.chars().count(), ORDER_REFERENCE_CHARS_MAX);
    if characters == 0 || characters > max {
        return Err(IdError::Characters { kind, characters, max });
    }
    check_shown(text, bytes_max).map_err(|fault| IdError::Unprintable { kind, fault })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        text_id!($(#[$doc])* $name, $kind, Arc<str>);
    };
    ($(#[$doc:meta])* $name:ident, $kind:literal, $text:ty) => {
        text_id!(
            $(#[$doc])*
            ///
            /// 1 to 64 bytes of ASCII letters, digits, `.`, `_`, `:` or `-`; cheap to clone.
            $name, $kind, $text, check, TEXT_ID_BYTES_MAX
        );
    };
    ($(#[$doc:meta])* $name:ident, $kind:literal, $text:ty, $check:ident, $max:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`IdError`]: its length, or a character that is not allowed.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $check($kind, text, $max)?;
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

text_id! {
    /// A live stream, named by the platform.
    StreamId, "stream id"
}
text_id! {
    /// A merchant, whose drops nobody else's staff can see.
    MerchantId, "merchant id"
}
text_id! {
    /// The person who runs a drop during the stream.
    HostId, "host id"
}
text_id! {
    /// The source that gets the credit for a viewer: a creator, a partner, a placement.
    // A copy of it goes with every take to another thread: mostly without a shared count.
    ChannelId, "channel id", InlineText
}
text_id! {
    /// A viewer, named by the platform. Never written into the chain.
    ///
    /// 1 to 128 bytes of any text that can be printed, as identity providers make them: `auth0|5f7c`,
    /// a mail address. Compared byte by byte; cheap to clone.
    ViewerId, "viewer id", Arc<str>, check_viewer, VIEWER_ID_BYTES_MAX
}
impl ViewerId {
    /// An id that a ledger has. It was printable by the rules of its time, which may have changed since: it stays
    /// readable.
    ///
    /// # Errors
    /// [`IdError::Length`].
    pub fn recorded(text: &str) -> Result<Self, IdError> {
        check_length("viewer id", text, VIEWER_ID_BYTES_MAX)?;
        Ok(Self(text.into()))
    }
}
text_id! {
    /// A sellable variant, named by the planner and unique within its drop.
    SkuId, "SKU id"
}
text_id! {
    /// One running server.
    NodeId, "node id"
}
text_id! {
    /// An account with a payment provider: `sandbox`, `platform`, or `stripe:` with its name.
    PaymentAccount, "payment account"
}
text_id! {
    /// What the platform or the merchant calls an order, such as `#1001`.
    ///
    /// 1 to 128 characters of any text that can be printed. Kept byte by byte; cheap to clone. Never a person's name.
    OrderReference, "order reference", Arc<str>, check_order, ORDER_REFERENCE_BYTES_MAX
}
impl OrderReference {
    /// A reference that a ledger has. It was printable by the rules of its time, which may have changed since: it stays
    /// readable.
    ///
    /// # Errors
    /// [`IdError::Length`].
    pub fn recorded(text: &str) -> Result<Self, IdError> {
        check_length("order reference", text, ORDER_REFERENCE_BYTES_MAX)?;
        Ok(Self(text.into()))
    }
}
text_id! {
    /// What a payment provider, or the platform, calls something of its own: a payment, a reason.
    ///
    /// 1 to 128 bytes of ASCII letters, digits, `.`, `_`, `:` or `-`; cheap to clone. Never a person's name.
    PaymentReference, "payment reference", Arc<str>, check, PAYMENT_REFERENCE_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_ids_say_what_is_wrong() {
        assert_eq!(
            StreamId::new("").unwrap_err().to_string(),
            "stream id has 0 bytes; 1 to 64 are allowed"
        );
        assert_eq!(
            SkuId::new("red mug").unwrap_err().to_string(),
            "SKU id has the character ' '; letters, digits and . _ : - are allowed"
        );
        assert!(StreamId::new(&"s".repeat(64)).is_ok());
        assert!(StreamId::new(&"s".repeat(65)).is_err());
    }

    #[test]
    fn a_viewer_has_the_id_that_the_platform_gave() {
        for text in [
            "v-1001",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "nina@example.org",
            "https://id.example/u/7?x=1#me",
            "Nina von Ä",
            "会员/7",
            "{\"id\": 7}",
            &"v".repeat(128),
        ] {
            assert_eq!(ViewerId::new(text).unwrap().as_str(), text);
        }
        let (composed, parted) = ("Ä", "A\u{308}");
        assert_ne!(
            ViewerId::new(composed).unwrap(),
            ViewerId::new(parted).unwrap(),
            "no bytes change"
        );
        for (text, why) in [
            ("", "viewer id has 0 bytes; 1 to 128 are allowed"),
            (&*"v".repeat(129), "viewer id has 129 bytes; 1 to 128 are allowed"),
            (" ", "viewer id is blank to the eye"),
            ("a\nb", "viewer id has U+000A as its character 2"),
            ("a\u{202E}b", "viewer id has U+202E as its character 2"),
            ("a\u{200F}b", "viewer id has U+200F as its character 2"),
        ] {
            let refused = ViewerId::new(text).unwrap_err().to_string();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn an_order_is_called_what_its_merchant_calls_it() {
        for text in ["#1001", "R-1001", "Order 7/b", "注文 42", "=1+1", &"é".repeat(128)] {
            assert_eq!(OrderReference::new(text).unwrap().as_str(), text);
            assert_eq!(OrderReference::recorded(text).unwrap().as_str(), text);
        }
        for (text, why) in [
            ("", "order reference has 0 characters; 1 to 128 are allowed"),
            (&*"é".repeat(129), "order reference has 129 characters; 1 to 128 are allowed"),
            (" ", "order reference is blank to the eye"),
            ("a\tb", "order reference has U+0009 as its character 2"),
            ("a\u{202E}b", "order reference has U+202E as its character 2"),
        ] {
            let refused = OrderReference::new(text).unwrap_err().to_string();
            assert!(refused.starts_with(why), "{refused}");
        }
        assert!(OrderReference::recorded("a\u{202E}b").is_ok(), "no later rule");
        assert!(OrderReference::recorded(&"o".repeat(513)).is_err());
    }

    #[test]
    fn a_viewer_id_of_a_ledger_is_read_by_no_later_rule() {
        for text in ["v1", "a\u{200F}b", "\u{200C}", &"v".repeat(128)] {
            assert_eq!(ViewerId::recorded(text).unwrap().as_str(), text);
        }
        for text in ["", &"v".repeat(129)] {
            assert_eq!(ViewerId::recorded(text), ViewerId::new(text));
        }
    }
}
