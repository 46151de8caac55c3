//! Server messages from bytes, by the type that stands first.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{ServerMessage, text::Borrowed};

/// A decoded message, or `None` for a type that this version does not know.
pub(crate) struct KnownMessage(pub(crate) Option<ServerMessage>);

impl<'de> Deserialize<'de> for KnownMessage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Dispatch;
        impl<'de> Visitor<'de> for Dispatch {
            type Value = KnownMessage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message: a map that starts with the field type")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KnownMessage, A::Error> {
                if map.next_key::<Borrowed<'de>>()?.is_none_or(|name| name.0 != "type") {
                    return Err(de::Error::custom("type must be the first field"));
                }
                let kind = map.next_value::<Borrowed<'de>>()?;
                by_type(&kind.0, map).map(KnownMessage)
            }
        }
        from.deserialize_map(Dispatch)
    }
}

/// Reads the rest of a message straight into its struct: the type came first, so nothing is buffered.
fn by_type<'de, A>(kind: &str, mut map: A) -> Result<Option<ServerMessage>, A::Error>
where
    A: MapAccess<'de>,
{
    fn rest<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
    Ok(Some(match kind {
        "welcome" => ServerMessage::Welcome(rest(map)?),
        "refreshed" => ServerMessage::Refreshed(rest(map)?),
        "held" => ServerMessage::Held(rest(map)?),
        "refused" => ServerMessage::Refused(rest(map)?),
        "released" => ServerMessage::Released(rest(map)?),
        "expired" => ServerMessage::Expired(rest(map)?),
        "order" => ServerMessage::Order(rest(map)?),
        "payment_failed" => ServerMessage::PaymentFailed(rest(map)?),
        "stock" => ServerMessage::Stock(rest(map)?),
        "phase" => ServerMessage::Phase(rest(map)?),
        "drop" => ServerMessage::DropInfo(rest(map)?),
        "pong" => ServerMessage::Pong(rest(map)?),
        "error" => ServerMessage::Error(rest(map)?),
        _ => {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
    }))
}
