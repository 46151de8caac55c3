//! The steps of a sale, made by the fuzzer from its bytes.

use arbitrary::Arbitrary;

/// Something that happens.
#[derive(Clone, Debug, Arbitrary)]
pub enum Step {
    /// A connection is opened.
    Open {
        json: bool,
        address: u8,
    },
    /// A connection is opened and says hello.
    Join {
        json: bool,
        address: u8,
        viewer: u8,
    },
    /// The same message is sent twice.
    Twice {
        who: u8,
        what: Wish,
    },
    /// A message is sent.
    Send {
        who: u8,
        what: Wish,
    },
    /// Bytes that may be no message are sent.
    Bytes {
        who: u8,
        text: bool,
        bytes: Vec<u8>,
    },
    /// A ping, a pong, a close, broken framing.
    Ping {
        who: u8,
        bytes: u8,
    },
    Pong {
        who: u8,
    },
    Close {
        who: u8,
        code: Option<u16>,
    },
    Broken {
        who: u8,
        too_big: bool,
    },
    /// A connection breaks.
    Gone {
        who: u8,
    },
    /// A connection takes some of what waits for it.
    Read {
        who: u8,
        bytes: u16,
    },
    /// The core does what it does by itself.
    Wake,
    Tick,
    Sweep,
    /// Time passes.
    Wait {
        ms: u16,
    },
    /// Everything decided so far becomes durable.
    Settle,
    /// A payment is reported.
    Paid {
        nth: u8,
    },
    /// Staff does something.
    Staff {
        what: Order,
    },
    /// The next commit fails, leaving its rows or not, or hangs until the next `Settle`.
    Fail {
        leaves_rows: bool,
    },
    Hang,
    /// The server is about to stop.
    Drain,
}

/// A message of a client.
#[derive(Clone, Debug, Arbitrary)]
pub enum Wish {
    Hello { viewer: u8 },
    Refresh { viewer: u8 },
    Buy { sku: u8, units: u8, key: u8 },
    Release { nth: u8 },
    Pay { nth: u8 },
    Ping,
}

/// A command of staff.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub enum Order {
    Pause,
    Resume,
    Close,
    Restock,
    Stop,
    Go,
    Ban { address: u8 },
    Offline,
    Online,
}
