//! Close codes: what they mean, whether a client may come back.

use std::fmt;

use crate::{DecodeError, limits::CLOSE_REASON_BYTES_MAX, text, ticket::TicketError};

/// Why the server closes a connection.
///
/// The range is the contract: 4000 to 4099 reconnect with backoff, 4100 to 4199 mend what is wrong
/// first, 4200 to 4299 stay away. Clients that do not know a code go by its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The frame was of the other kind: text for `MessagePack`, or binary for JSON.
    WrongFrame = 1003,
    /// A text frame was not UTF-8.
    NotUtf8 = 1007,
    /// The frame was longer than a client frame may be.
    TooBig = 1009,
    /// The server stops or moves; another one, or the next start, takes over.
    GoingAway = 4000,
    /// The server has as many connections as it may.
    Overloaded = 4001,
    /// The client read too slowly: what waited for it reached its limit.
    TooSlow = 4002,
    /// Nothing came from the client for too long, not even a pong.
    Silent = 4003,
    /// No hello came in time.
    HelloLate = 4004,
    /// The server cannot promise anything: its ledger failed. It recovers by a restart.
    Unavailable = 4005,
    /// The address has as many connections as one may.
    AddressFull = 4006,
    /// The ticket is malformed, wrongly signed, or signed by an unknown key.
    BadTicket = 4100,
    /// The ticket has expired.
    TicketExpired = 4101,
    /// The refreshed ticket names another viewer, stream, channel or mode.
    TicketMismatch = 4102,
    /// The first message was not a hello, or a second hello came.
    HelloExpected = 4103,
    /// The message was malformed, of unknown type, or had wrong fields.
    BadMessage = 4104,
    /// The client kept sending although it was told to wait.
    Flooding = 4105,
    /// The viewer opened more connections than one viewer may; this was the oldest.
    Replaced = 4200,
    /// The viewer, the channel or the address is banned.
    Banned = 4201,
}

/// What a client does after the connection has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reconnect {
    /// Connect again after a random delay that grows with each failure.
    WithBackoff,
    /// Mend the ticket or the program first: the same again would be refused again.
    AfterFix,
    /// Do not come back by yourself.
    Never,
}

impl CloseCode {
    /// Every code that the server sends.
    pub const ALL: [Self; 18] = [
        Self::WrongFrame,
        Self::NotUtf8,
        Self::TooBig,
        Self::GoingAway,
        Self::Overloaded,
        Self::TooSlow,
        Self::Silent,
        Self::HelloLate,
        Self::Unavailable,
        Self::AddressFull,
        Self::BadTicket,
        Self::TicketExpired,
        Self::TicketMismatch,
        Self::HelloExpected,
        Self::BadMessage,
        Self::Flooding,
        Self::Replaced,
        Self::Banned,
    ];

    /// The number in the close frame.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The code with this number, if it is one of ours.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// Whether a server of this protocol may send such a code, also one that this version does not know.
    /// 1002 answers frames that break the WebSocket's own rules. Any other code comes from a proxy or
    /// from the network.
    pub const fn is_servers(code: u16) -> bool {
        matches!(code, 1002 | 1003 | 1007 | 1009 | 4000..=4299)
    }

    /// The name in `error` messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongFrame => "wrong_frame",
            Self::NotUtf8 => "not_utf8",
            Self::TooBig => "too_big",
            Self::GoingAway => "going_away",
            Self::Overloaded => "overloaded",
            Self::TooSlow => "too_slow",
            Self::Silent => "silent",
            Self::HelloLate => "hello_late",
            Self::Unavailable => "unavailable",
            Self::AddressFull => "address_full",
            Self::BadTicket => "bad_ticket",
            Self::TicketExpired => "ticket_expired",
            Self::TicketMismatch => "ticket_mismatch",
            Self::HelloExpected => "hello_expected",
            Self::BadMessage => "bad_message",
            Self::Flooding => "flooding",
            Self::Replaced => "replaced",
            Self::Banned => "banned",
        }
    }

    /// What the client does next.
    pub const fn reconnect(self) -> Reconnect {
        Reconnect::after(Some(self.code()))
    }

    /// `reason` cut to what a close frame can carry.
    pub fn reason(reason: &str) -> &str {
        text::head(reason, CLOSE_REASON_BYTES_MAX)
    }
}

impl Reconnect {
    /// What to do after a close with this code; `None` stands for a connection that broke without a
    /// close frame.
    ///
    /// A code that the server does not send, 1000 among them, came from a proxy or from the network.
    /// It says nothing about the viewer: connect again.
    pub const fn after(code: Option<u16>) -> Self {
        match code {
            Some(4200..=4299) => Self::Never,
            Some(4100..=4199 | 1002 | 1003 | 1007 | 1009) => Self::AfterFix,
            _ => Self::WithBackoff,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}

impl From<&TicketError> for CloseCode {
    fn from(error: &TicketError) -> Self {
        match error {
            TicketError::Expired { .. } => Self::TicketExpired,
            _ => Self::BadTicket,
        }
    }
}

impl From<&DecodeError> for CloseCode {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::TooLong { .. } => Self::TooBig,
            _ => Self::BadMessage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_says_whether_to_come_back() {
        let of = |code: CloseCode| code.reconnect();
        assert_eq!(of(CloseCode::GoingAway), Reconnect::WithBackoff);
        assert_eq!(of(CloseCode::BadTicket), Reconnect::AfterFix);
        assert_eq!(of(CloseCode::TooBig), Reconnect::AfterFix);
        assert_eq!(of(CloseCode::Replaced), Reconnect::Never);
        assert_eq!(Reconnect::after(None), Reconnect::WithBackoff);
        assert_eq!(Reconnect::after(Some(4099)), Reconnect::WithBackoff, "unknown: by range");
        assert_eq!(Reconnect::after(Some(4199)), Reconnect::AfterFix);
        assert_eq!(Reconnect::after(Some(4299)), Reconnect::Never);
    }

    #[test]
    fn a_code_that_the_server_does_not_send_means_come_back() {
        assert!(CloseCode::ALL.iter().all(|one| CloseCode::is_servers(one.code())));
        assert_eq!(Reconnect::after(Some(1002)), Reconnect::AfterFix, "the server sends it");
        for code in [1000, 1001, 1005, 1006, 1008, 1010, 1011, 1012, 1013, 1014, 1015, 3000, 4300] {
            assert_eq!(Reconnect::after(Some(code)), Reconnect::WithBackoff, "{code}");
            assert!(!CloseCode::is_servers(code), "{code}");
        }
    }

    #[test]
    fn codes_are_distinct_with_distinct_names() {
        for (place, one) in CloseCode::ALL.iter().enumerate() {
            assert_eq!(CloseCode::from_code(one.code()), Some(*one));
            assert!(CloseCode::ALL[..place].iter().all(|other| other.name() != one.name()));
        }
    }

    #[test]
    fn a_reason_fits_the_close_frame_without_split_characters() {
        let long = "ü".repeat(100);
        assert_eq!(CloseCode::reason(&long).len(), 122);
    }
}
