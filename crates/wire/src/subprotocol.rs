//! The two encodings with the choice between them.

use std::fmt;

/// How messages become bytes; named in the WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subprotocol {
    /// `stampede.v1.msgpack`: one `MessagePack` map per binary frame.
    MsgPack,
    /// `stampede.v1.json`: one JSON object per text frame.
    Json,
}

/// Why no subprotocol was agreed on; the handshake is refused with this text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NegotiateError {
    /// The client offered none.
    #[error("no subprotocol offered; offer stampede.v1.msgpack or stampede.v1.json")]
    NoneOffered,
    /// The client offered only others.
    #[error(
        "{offered} subprotocols offered, none known; offer stampede.v1.msgpack or stampede.v1.json"
    )]
    NoneKnown {
        /// How many were offered.
        offered: usize,
    },
}

impl Subprotocol {
    /// Both, in the order that the server prefers where a client offers both.
    pub const ALL: [Self; 2] = [Self::MsgPack, Self::Json];

    /// The name in `Sec-WebSocket-Protocol`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MsgPack => "stampede.v1.msgpack",
            Self::Json => "stampede.v1.json",
        }
    }

    /// Whether messages travel in text frames; otherwise they travel in binary ones.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Json)
    }

    /// The subprotocol with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Chooses from what the client offers: `Sec-WebSocket-Protocol` values, each a comma-separated
    /// list (the header may be repeated).
    ///
    /// # Errors
    /// [`NegotiateError`] if nothing, or nothing known, was offered.
    pub fn negotiate<'a>(
        offers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NegotiateError> {
        let names = offers.into_iter().flat_map(|list| list.split(',')).map(str::trim);
        let (mut best, mut offered) = (None, 0);
        for name in names.filter(|name| !name.is_empty()) {
            offered += 1;
            best = match (best, Self::from_name(name)) {
                (Some(Self::MsgPack), _) | (_, Some(Self::MsgPack)) => Some(Self::MsgPack),
                (best, found) => found.or(best),
            };
        }
        match best {
            Some(chosen) => Ok(chosen),
            None if offered == 0 => Err(NegotiateError::NoneOffered),
            None => Err(NegotiateError::NoneKnown { offered }),
        }
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_preference_wins_over_the_order_of_offers() {
        let both = "stampede.v1.json, stampede.v1.msgpack";
        assert_eq!(Subprotocol::negotiate([both]), Ok(Subprotocol::MsgPack));
        assert_eq!(
            Subprotocol::negotiate(["chat", "stampede.v1.json"]),
            Ok(Subprotocol::Json),
            "the header may come twice"
        );
    }

    #[test]
    fn nothing_known_says_what_to_offer() {
        assert_eq!(Subprotocol::negotiate([" , "]), Err(NegotiateError::NoneOffered));
        assert_eq!(
            Subprotocol::negotiate(["chat,stampede.v2.json"]),
            Err(NegotiateError::NoneKnown { offered: 2 })
        );
    }
}
