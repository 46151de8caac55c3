//! Messages to bytes, bytes to messages.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, de::DeserializeSeed};

use crate::{
    ClientMessage, ServerMessage, Subprotocol,
    by_type::KnownMessage,
    client_message::Fields,
    decode_error::DecodeError,
    limits::{CLIENT_FRAME_BYTES_MAX, SERVER_FRAME_BYTES_MAX},
    text,
};

/// Maps and lists inside each other: a client message has one level, a welcome five.
const DEPTH_MAX: usize = 16;
/// Bytes of an answer that is not a welcome, so that encoding one grows its buffer at most once.
const ANSWER_BYTES: usize = 256;

impl Subprotocol {
    /// Reads one frame from a client; strict.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong; the connection cannot go on.
    pub fn decode_client(self, frame: &[u8]) -> Result<ClientMessage<'_>, DecodeError> {
        let mut fields = Fields::default();
        self.read(&mut fields, frame, CLIENT_FRAME_BYTES_MAX)?;
        fields.take_message()
    }

    /// Reads one frame from the server; `None` is a type that this version does not know, which a
    /// client skips.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn decode_server(self, frame: &[u8]) -> Result<Option<ServerMessage>, DecodeError> {
        self.read(PhantomData::<KnownMessage>, frame, SERVER_FRAME_BYTES_MAX).map(|known| known.0)
    }

    /// The bytes of one frame to the server.
    pub fn encode_client(self, message: &ClientMessage<'_>) -> Vec<u8> {
        let mut frame = Vec::with_capacity(ANSWER_BYTES);
        self.write(message, &mut frame);
        frame
    }

    /// The bytes of one frame to a client.
    pub fn encode_server(self, message: &ServerMessage) -> Vec<u8> {
        let mut frame = Vec::with_capacity(ANSWER_BYTES);
        self.encode_server_into(message, &mut frame);
        frame
    }

    /// Appends the bytes of one frame to a client to `frame`.
    pub fn encode_server_into(self, message: &ServerMessage, frame: &mut Vec<u8>) {
        self.write(message, frame);
    }

    /// Whether a frame from the server is a stock tick, told from its first bytes alone: for
    /// clients that drive many connections without showing the stock.
    pub fn is_stock_tick(self, frame: &[u8]) -> bool {
        match self {
            Self::MsgPack => frame.get(1..).is_some_and(|f| f.starts_with(b"\xa4type\xa5stock")),
            Self::Json => frame.starts_with(br#"{"type":"stock""#),
        }
    }

    fn read<'a, T: DeserializeSeed<'a>>(
        self,
        into: T,
        frame: &'a [u8],
        max: usize,
    ) -> Result<T::Value, DecodeError> {
        if frame.len() > max {
            return Err(DecodeError::TooLong { bytes: frame.len(), max });
        }
        match self {
            Self::MsgPack => {
                let mut from = rmp_serde::Deserializer::from_read_ref(frame);
                from.set_max_depth(DEPTH_MAX);
                let value = into.deserialize(&mut from).map_err(|error| malformed(&error))?;
                // The deserializer does not tell where it stands, but at the end no marker is left.
                match <()>::deserialize(&mut from) {
                    Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
                    _ => Err(DecodeError::Malformed { why: "trailing bytes".to_owned() }),
                }
            }
            Self::Json => {
                let mut from = serde_json::Deserializer::from_slice(frame);
                let value = into.deserialize(&mut from).map_err(|error| malformed(&error))?;
                from.end().map_err(|error| malformed(&error))?;
                Ok(value)
            }
        }
    }

    fn write<T: Serialize>(self, message: &T, frame: &mut Vec<u8>) {
        let encodable = "messages have only text, numbers, booleans, lists of known length";
        match self {
            Self::MsgPack => {
                let mut out = rmp_serde::Serializer::new(frame).with_struct_map();
                message.serialize(&mut out).expect(encodable);
            }
            Self::Json => serde_json::to_writer(frame, message).expect(encodable),
        }
    }
}

fn malformed(error: &dyn std::error::Error) -> DecodeError {
    DecodeError::Malformed { why: text::head(&error.to_string(), 400).to_owned() }
}
