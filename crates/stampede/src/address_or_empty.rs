//! An address that may be left out, so that every setting has a line with its default.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

#[allow(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(crate) fn serialize<S: Serializer>(
    address: &Option<SocketAddr>,
    out: S,
) -> Result<S::Ok, S::Error> {
    out.collect_str(&address.map(|address| address.to_string()).unwrap_or_default())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(input)?;
    let wrong = |_| D::Error::custom(format!("{text:?} is no address like 127.0.0.1:7702"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}
