//! Faults of a frame that is not a message.

use stampede_domain::IdError;

/// Why a frame is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than a frame may be.
    #[error("the frame has {bytes} bytes; at most {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Not of the encoding, or a field of the wrong form.
    #[error("malformed message: {why}")]
    Malformed {
        /// What the decoder met.
        why: String,
    },
    /// No field `type`.
    #[error("the field type is missing")]
    NoType,
    /// A type that clients do not send.
    #[error("unknown type {found:?}; send hello, refresh, buy, release, pay or ping")]
    UnknownType {
        /// What stood there.
        found: String,
    },
    /// A field that the message needs.
    #[error("{message} needs the field {field}")]
    MissingField {
        /// The message's type.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field that belongs to other messages.
    #[error("{message} has no field {field}")]
    ForeignField {
        /// The message's type.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A client's name for itself that is too long.
    #[error("client has {bytes} bytes; at most {max} are allowed")]
    ClientName {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// A card that the sandbox does not have.
    #[error("card: {0}")]
    Card(#[source] IdError),
    /// A key that is none.
    #[error(transparent)]
    Key(#[from] IdError),
}
