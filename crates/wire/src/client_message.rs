//! Messages from a viewer's client.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, Visitor},
    ser::SerializeMap,
};
use stampede_domain::{DropId, HoldId, IdempotencyKey, TestCard};

use crate::{DecodeError, limits::CLIENT_NAME_BYTES_MAX, text::Borrowed};

/// The hold that a text names which is no hold id: no viewer ever has it.
pub const NO_HOLD: HoldId = HoldId::from_bytes([0; 16]);

/// One message from a client. Texts borrow from the frame.
///
/// Ids are opaque to clients, so a text that is no id is not malformed, it just names nothing: it
/// decodes to [`DropId::HOUSE`], which no viewer can buy from, or to [`NO_HOLD`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage<'a> {
    /// First message: who is there.
    Hello {
        /// The ticket that the platform signed.
        ticket: Cow<'a, str>,
        /// The client's name and version, for the server's logs; at most 64 bytes.
        client: Option<Cow<'a, str>>,
    },
    /// A new ticket on the open connection, before the old one expires.
    Refresh {
        /// The new ticket.
        ticket: Cow<'a, str>,
    },
    /// A request for units of one SKU.
    Buy {
        /// The drop.
        drop: DropId,
        /// The SKU's name within the drop, unchecked.
        sku: Cow<'a, str>,
        /// How many, unchecked.
        units: u64,
        /// The client's name for this request, stored before sending and kept for retries.
        key: IdempotencyKey,
    },
    /// Gives a hold back.
    Release {
        /// The hold.
        hold: HoldId,
    },
    /// Starts the sandbox payment for a hold.
    Pay {
        /// The hold.
        hold: HoldId,
        /// What shall come of it; `None` for what the server's settings say.
        card: Option<TestCard>,
    },
    /// Asks for a pong: browsers cannot send the WebSocket's own ping.
    Ping,
}

impl ClientMessage<'_> {
    /// The value of the field `type`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Refresh { .. } => "refresh",
            Self::Buy { .. } => "buy",
            Self::Release { .. } => "release",
            Self::Pay { .. } => "pay",
            Self::Ping => "ping",
        }
    }
}

impl Serialize for ClientMessage<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let fields = match self {
            Self::Ping => 0,
            Self::Refresh { .. } | Self::Release { .. } => 1,
            Self::Pay { card, .. } => 1 + usize::from(card.is_some()),
            Self::Hello { client, .. } => 1 + usize::from(client.is_some()),
            Self::Buy { .. } => 4,
        };
        let mut map = out.serialize_map(Some(1 + fields))?;
        map.serialize_entry("type", self.type_name())?;
        match self {
            Self::Hello { ticket, client } => {
                map.serialize_entry("ticket", ticket)?;
                if let Some(client) = client {
                    map.serialize_entry("client", client)?;
                }
            }
            Self::Refresh { ticket } => map.serialize_entry("ticket", ticket)?,
            Self::Buy { drop, sku, units, key } => {
                map.serialize_entry("drop", &ByDisplay(drop))?;
                map.serialize_entry("sku", sku)?;
                map.serialize_entry("units", units)?;
                map.serialize_entry("key", key.as_str())?;
            }
            Self::Release { hold } => map.serialize_entry("hold", &ByDisplay(hold))?,
            Self::Pay { hold, card } => {
                map.serialize_entry("hold", &ByDisplay(hold))?;
                if let Some(card) = card {
                    map.serialize_entry("card", card.name())?;
                }
            }
            Self::Ping => {}
        }
        map.end()
    }
}

/// A value that travels by its `Display`.
struct ByDisplay<'a, T>(&'a T);

impl<T: fmt::Display> Serialize for ByDisplay<'_, T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        crate::text::serialize(self.0, out)
    }
}

/// The fields of all client messages in one flat place.
///
/// Serde's own tagged enums buffer a whole message before they know its type. Here every field has
/// the same form in every message, so one pass without a buffer is enough, whatever the order.
#[derive(Default)]
pub(crate) struct Fields<'a> {
    kind: Option<Cow<'a, str>>,
    ticket: Option<Cow<'a, str>>,
    client: Option<Cow<'a, str>>,
    drop: Option<Cow<'a, str>>,
    sku: Option<Cow<'a, str>>,
    units: Option<u64>,
    key: Option<Cow<'a, str>>,
    hold: Option<Cow<'a, str>>,
    card: Option<Cow<'a, str>>,
}

/// Names of the fields in the order of [`Fields`].
const NAMES: [&str; 9] =
    ["type", "ticket", "client", "drop", "sku", "units", "key", "hold", "card"];

/// The fields are filled in place: returned through two libraries' results they would be copied again
/// and again, which was a seventh of the whole decoding.
impl<'de> DeserializeSeed<'de> for &mut Fields<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Fields<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message: a map with the field type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name>()? {
            self.read(name, &mut map)?;
        }
        Ok(())
    }
}

/// The place of a field's name in [`NAMES`].
#[derive(Clone, Copy)]
struct Name(usize);

impl Name {
    const fn text(self) -> &'static str {
        NAMES[self.0]
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Find;
        impl Visitor<'_> for Find {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                NAMES.iter().position(|one| *one == name).map(Name).ok_or_else(|| unknown(name))
            }
        }
        from.deserialize_str(Find)
    }
}

impl<'de> Fields<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Name, map: &mut A) -> Result<(), A::Error> {
        let name = name.text();
        let text = match name {
            "units" => {
                let units = map.next_value::<Count>().map_err(|error| in_field(name, &error))?;
                return once(name, self.units.replace(units.0).is_none());
            }
            "ticket" => &mut self.ticket,
            "client" => &mut self.client,
            "drop" => &mut self.drop,
            "sku" => &mut self.sku,
            "key" => &mut self.key,
            "hold" => &mut self.hold,
            "card" => &mut self.card,
            _ => &mut self.kind,
        };
        let value = map.next_value::<Borrowed<'de>>().map_err(|error| in_field(name, &error))?;
        once(name, text.replace(value.0).is_none())
    }

    /// The message that the fields make.
    pub(crate) fn take_message(&mut self) -> Result<ClientMessage<'de>, DecodeError> {
        let kind = self.kind.take().ok_or(DecodeError::NoType)?;
        let message = match &*kind {
            "hello" => ClientMessage::Hello {
                ticket: self.take("hello", "ticket", |f| f.ticket.take())?,
                client: self.take_client()?,
            },
            "refresh" => ClientMessage::Refresh {
                ticket: self.take("refresh", "ticket", |f| f.ticket.take())?,
            },
            "buy" => ClientMessage::Buy {
                drop: self.take("buy", "drop", |f| f.drop.take())?.parse().unwrap_or(DropId::HOUSE),
                sku: self.take("buy", "sku", |f| f.sku.take())?,
                units: self.take("buy", "units", |f| f.units.take())?,
                key: IdempotencyKey::new(&self.take("buy", "key", |f| f.key.take())?)?,
            },
            "release" => ClientMessage::Release { hold: self.take_hold("release")? },
            "pay" => ClientMessage::Pay { hold: self.take_hold("pay")?, card: self.take_card()? },
            "ping" => ClientMessage::Ping,
            other => return Err(DecodeError::UnknownType { found: other.to_owned() }),
        };
        match self.left() {
            None => Ok(message),
            Some(field) => Err(DecodeError::ForeignField { message: message.type_name(), field }),
        }
    }

    fn take<T>(
        &mut self,
        message: &'static str,
        field: &'static str,
        from: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, DecodeError> {
        from(self).ok_or(DecodeError::MissingField { message, field })
    }

    fn take_client(&mut self) -> Result<Option<Cow<'de, str>>, DecodeError> {
        let client = self.client.take();
        match client.as_ref().map_or(0, |client| client.len()) {
            0..=CLIENT_NAME_BYTES_MAX => Ok(client),
            bytes => Err(DecodeError::ClientName { bytes, max: CLIENT_NAME_BYTES_MAX }),
        }
    }

    fn take_hold(&mut self, message: &'static str) -> Result<HoldId, DecodeError> {
        Ok(self.take(message, "hold", |f| f.hold.take())?.parse().unwrap_or(NO_HOLD))
    }

    fn take_card(&mut self) -> Result<Option<TestCard>, DecodeError> {
        let card = self.card.take().map(|name| name.parse());
        card.transpose().map_err(DecodeError::Card)
    }

    /// The first field that the message did not take.
    fn left(&self) -> Option<&'static str> {
        let there = [
            self.kind.is_some(),
            self.ticket.is_some(),
            self.client.is_some(),
            self.drop.is_some(),
            self.sku.is_some(),
            self.units.is_some(),
            self.key.is_some(),
            self.hold.is_some(),
            self.card.is_some(),
        ];
        NAMES.into_iter().zip(there).find_map(|(name, there)| there.then_some(name))
    }
}

/// A count; asked for as "any" so that both encodings name what they found instead.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(count))
            }

            // Some MessagePack encoders write all integers as signed ones.
            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Count, E> {
                let negative = |_| E::invalid_value(de::Unexpected::Signed(count), &self);
                u64::try_from(count).map(Count).map_err(negative)
            }

            // Languages with one kind of number write whole ones as fractions: 2.0, 2e0.
            fn visit_f64<E: de::Error>(self, count: f64) -> Result<Count, E> {
                let whole = stampede_intake::whole(count).and_then(|whole| whole.try_into().ok());
                let broken = || E::invalid_value(de::Unexpected::Float(count), &self);
                whole.map(Count).ok_or_else(broken)
            }
        }
        from.deserialize_any(Whole)
    }
}

fn once<E: de::Error>(name: &str, first: bool) -> Result<(), E> {
    if first { Ok(()) } else { Err(E::custom(format_args!("the field {name} appears twice"))) }
}

fn in_field<E: de::Error>(name: &str, error: &E) -> E {
    E::custom(format_args!("{name}: {error}"))
}

fn unknown<E: de::Error>(name: &str) -> E {
    let name = crate::text::head(name, 40);
    E::custom(format_args!("unknown field {name:?}; client messages have only {NAMES:?}"))
}
