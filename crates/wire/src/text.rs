//! Serde helpers for values that travel as text, for names of fixed sets, for bounded integers.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serializer,
    de::{self, Visitor},
};
use stampede_domain::{Mode, Phase};

use crate::limits::INTEGER_MAX;

/// Longest text of an id: a text id or a key.
const STACK_BYTES: usize = 64;

/// Formats on the stack, because an answer must not pay an allocation for each id in it.
struct StackText {
    bytes: [u8; STACK_BYTES],
    len: usize,
}

impl fmt::Write for StackText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes a value by its `Display`.
pub(crate) fn serialize<T: fmt::Display, S: Serializer>(
    value: &T,
    out: S,
) -> Result<S::Ok, S::Error> {
    let mut stack = StackText { bytes: [0; STACK_BYTES], len: 0 };
    if fmt::Write::write_fmt(&mut stack, format_args!("{value}")).is_err() {
        return out.serialize_str(&value.to_string());
    }
    let text = std::str::from_utf8(&stack.bytes[..stack.len]).expect("only whole texts are copied");
    out.serialize_str(text)
}

/// Reads a value by its `FromStr`.
pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Parse<T>(PhantomData<T>);
    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parse<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    from.deserialize_str(Parse(PhantomData))
}

/// The same for a field that may be absent.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, FromStr, Serializer, fmt};

    #[derive(Deserialize)]
    #[serde(bound = "T: FromStr<Err: fmt::Display>")]
    struct Wrapped<T>(#[serde(deserialize_with = "super::deserialize")] T);

    #[expect(clippy::ref_option, reason = "serde hands out references")]
    pub(crate) fn serialize<T, S>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error>
    where
        T: fmt::Display,
        S: Serializer,
    {
        match value {
            Some(value) => super::serialize(value, out),
            None => out.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        Ok(Option::<Wrapped<T>>::deserialize(from)?.map(|wrapped| wrapped.0))
    }
}

/// A text that borrows from the frame where the encoding allows it.
pub(crate) struct Borrowed<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keep;
        impl<'de> Visitor<'de> for Keep {
            type Value = Borrowed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Keep)
    }
}

/// Integers that stop at 2^53 - 1, above which JSON readers round.
pub(crate) mod integer {
    use super::{Deserialize, Deserializer, INTEGER_MAX, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(value: &u64, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64((*value).min(INTEGER_MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let value = u64::deserialize(from)?;
        if value > INTEGER_MAX {
            return Err(de::Error::custom(format_args!("{value} is above 2^53 - 1")));
        }
        Ok(value)
    }

    /// The same for a field that may be absent.
    pub(crate) mod optional {
        use super::{Deserialize, Deserializer, Serializer};

        #[derive(Deserialize)]
        struct Wrapped(#[serde(with = "super")] u64);

        #[expect(clippy::ref_option, reason = "serde hands out references")]
        pub(crate) fn serialize<S: Serializer>(
            value: &Option<u64>,
            out: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, out),
                None => out.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<u64>, D::Error> {
            Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
        }
    }
}

/// Phases by name. A drop whose opening is undone is called off for viewers, however far that has got.
pub(crate) mod phase {
    use super::{Borrowed, Deserialize, Deserializer, Phase, Serializer, de};

    const ALL: [Phase; 7] = [
        Phase::Scheduled,
        Phase::Countdown,
        Phase::Open,
        Phase::Paused,
        Phase::Closed,
        Phase::Settled,
        Phase::Cancelled,
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(value: &Phase, out: S) -> Result<S::Ok, S::Error> {
        let shown = if value.is_called_off() { Phase::Cancelled } else { *value };
        out.serialize_str(shown.name())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Phase, D::Error> {
        let name = Borrowed::deserialize(from)?.0;
        ALL.into_iter()
            .find(|phase| phase.name() == name)
            .ok_or_else(|| de::Error::custom(format_args!("unknown phase {name:?}")))
    }
}

/// Modes by name.
pub(crate) mod mode {
    use super::{Borrowed, Deserialize, Deserializer, Mode, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(value: &Mode, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(match value {
            Mode::Live => "live",
            Mode::Rehearsal => "rehearsal",
        })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
        match &*Borrowed::deserialize(from)?.0 {
            "live" => Ok(Mode::Live),
            "rehearsal" => Ok(Mode::Rehearsal),
            name => Err(de::Error::custom(format_args!("mode {name:?} is not live or rehearsal"))),
        }
    }
}

/// For flags that are absent unless they are true.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(crate) const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The longest head of `text` that fits `bytes_max` without splitting a character.
pub(crate) fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
