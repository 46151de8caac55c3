//! Sizes that both halves of the protocol keep to.

use stampede_domain::limits::{
    ADDRESS_BYTES_MAX, KEY_BYTES_MAX, OPTIONS_PER_SKU_MAX, SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX,
    TITLE_BYTES_MAX,
};

/// Bytes of one frame from a client.
pub const CLIENT_FRAME_BYTES_MAX: usize = 4_096;
/// Bytes of one frame from the server.
pub const SERVER_FRAME_BYTES_MAX: usize = 1 << 20;
/// Bytes of a ticket.
pub const TICKET_BYTES_MAX: usize = 2_048;
/// Bytes of the client's name for itself in `hello`.
pub const CLIENT_NAME_BYTES_MAX: usize = 64;
/// Bytes of a sentence in `error` or of a close frame's reason, which RFC 6455 bounds at 123.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;
/// The largest integer that travels: 2^53 - 1, which every JSON reader keeps exact.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Bytes around the texts of one object: names of its fields, numbers, punctuation.
pub(crate) const OBJECT_BYTES: usize = 512;
/// JSON writes quotation marks and backslashes as two bytes; control characters are never in a plan.
pub(crate) const ESCAPED: usize = 2;

const SKU_BYTES_MAX: usize = OBJECT_BYTES
    + TEXT_ID_BYTES_MAX
    + ESCAPED * (2 * TITLE_BYTES_MAX + ADDRESS_BYTES_MAX)
    + OPTIONS_PER_SKU_MAX * (32 + ESCAPED * 2 * TITLE_BYTES_MAX);
const DROP_BYTES_MAX: usize =
    OBJECT_BYTES + ESCAPED * TITLE_BYTES_MAX + SKUS_PER_DROP_MAX * SKU_BYTES_MAX;

const _: () = assert!(
    TICKET_BYTES_MAX + 6 * CLIENT_NAME_BYTES_MAX + OBJECT_BYTES <= CLIENT_FRAME_BYTES_MAX,
    "every hello fits a frame"
);
const _: () = assert!(
    KEY_BYTES_MAX + TEXT_ID_BYTES_MAX + OBJECT_BYTES <= CLIENT_FRAME_BYTES_MAX,
    "every buy fits a frame"
);
const _: () = assert!(
    2 * OBJECT_BYTES + DROP_BYTES_MAX <= SERVER_FRAME_BYTES_MAX,
    "a welcome with any one drop fits a frame"
);
