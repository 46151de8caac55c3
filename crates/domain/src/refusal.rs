//! Reasons why a request is refused: outcomes, not errors.

use std::fmt;

use crate::{DurationMs, Units};

/// Why a viewer's request was refused, with the numbers that belong to it.
///
/// The order of the variants in [`RefusalCode`] is the order of precedence: where several reasons
/// hold, the earliest is reported. [`Refusal::Busy`] gives way to what is known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The server cannot take part right now; nothing was decided. Send the same request again.
    Busy {
        /// When to try again.
        retry_after: DurationMs,
    },
    /// The viewer sent more requests than allowed.
    RateLimited {
        /// When to try again.
        retry_after: DurationMs,
    },
    /// The ticket ran out on the open connection; refresh it.
    TicketExpired,
    /// No such drop in the viewer's stream and mode.
    UnknownDrop,
    /// No such SKU in the drop.
    UnknownSku,
    /// Zero units, or more than a single request may ask for.
    UnitsOutOfRange {
        /// The most a request may ask for.
        max: Units,
    },
    /// The same key was used before for another request.
    KeyReused,
    /// The drop has not opened yet.
    NotOpen,
    /// The drop is paused.
    Paused,
    /// The drop is over.
    Closed,
    /// The viewer would have more units than one viewer may.
    OverViewerLimit {
        /// The limit that stands in the way.
        limit: Units,
        /// Whether no end of a hold helps: the viewer's orders alone leave too little room, or the viewer has made as
        /// many holds as it may.
        for_good: bool,
    },
    /// The viewer has made as many holds in this drop as one viewer may, ended ones included.
    HoldsCapped {
        /// Holds that one viewer may make in one drop.
        max: u16,
    },
    /// Nothing is available. Units may come back.
    SoldOut,
    /// Fewer units are available than asked for.
    NotEnough {
        /// How many there are.
        available: Units,
    },
    /// No such hold of this viewer.
    UnknownHold,
    /// The hold has ended by release or expiry.
    HoldEnded,
    /// The hold has become an order, which cannot be released.
    HoldConfirmed,
    /// A payment for the hold is already under way.
    PaymentPending,
    /// Viewers cannot pay here: the payment provider reports on its own.
    PayNotOffered,
}

/// A refusal without its numbers; the discriminants are stable, records hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefusalCode {
    /// See [`Refusal::Busy`].
    Busy = 0,
    /// See [`Refusal::RateLimited`].
    RateLimited = 1,
    /// See [`Refusal::TicketExpired`].
    TicketExpired = 2,
    /// See [`Refusal::UnknownDrop`].
    UnknownDrop = 3,
    /// See [`Refusal::UnknownSku`].
    UnknownSku = 4,
    /// See [`Refusal::UnitsOutOfRange`].
    UnitsOutOfRange = 5,
    /// See [`Refusal::KeyReused`].
    KeyReused = 6,
    /// See [`Refusal::NotOpen`].
    NotOpen = 7,
    /// See [`Refusal::Paused`].
    Paused = 8,
    /// See [`Refusal::Closed`].
    Closed = 9,
    /// See [`Refusal::OverViewerLimit`].
    OverViewerLimit = 10,
    /// See [`Refusal::HoldsCapped`].
    HoldsCapped = 11,
    /// See [`Refusal::SoldOut`].
    SoldOut = 12,
    /// See [`Refusal::NotEnough`].
    NotEnough = 13,
    /// See [`Refusal::UnknownHold`].
    UnknownHold = 14,
    /// See [`Refusal::HoldEnded`].
    HoldEnded = 15,
    /// See [`Refusal::HoldConfirmed`].
    HoldConfirmed = 16,
    /// See [`Refusal::PaymentPending`].
    PaymentPending = 17,
    /// See [`Refusal::PayNotOffered`].
    PayNotOffered = 18,
}

impl RefusalCode {
    /// Every code, in the order of the discriminants.
    pub const ALL: [Self; 19] = [
        Self::Busy,
        Self::RateLimited,
        Self::TicketExpired,
        Self::UnknownDrop,
        Self::UnknownSku,
        Self::UnitsOutOfRange,
        Self::KeyReused,
        Self::NotOpen,
        Self::Paused,
        Self::Closed,
        Self::OverViewerLimit,
        Self::HoldsCapped,
        Self::SoldOut,
        Self::NotEnough,
        Self::UnknownHold,
        Self::HoldEnded,
        Self::HoldConfirmed,
        Self::PaymentPending,
        Self::PayNotOffered,
    ];

    /// Whether units were wanting: the SKU had none left, or too few.
    pub const fn is_for_want(self) -> bool {
        matches!(self, Self::SoldOut | Self::NotEnough)
    }

    /// The code with this stable discriminant.
    pub fn from_ordinal(ordinal: u8) -> Option<Self> {
        Self::ALL.get(usize::from(ordinal)).copied()
    }

    /// The stable discriminant.
    pub const fn ordinal(self) -> u8 {
        self as u8
    }

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::RateLimited => "rate_limited",
            Self::TicketExpired => "ticket_expired",
            Self::UnknownDrop => "unknown_drop",
            Self::UnknownSku => "unknown_sku",
            Self::UnitsOutOfRange => "units_out_of_range",
            Self::KeyReused => "key_reused",
            Self::NotOpen => "not_open",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::OverViewerLimit => "over_viewer_limit",
            Self::HoldsCapped => "holds_capped",
            Self::SoldOut => "sold_out",
            Self::NotEnough => "not_enough",
            Self::UnknownHold => "unknown_hold",
            Self::HoldEnded => "hold_ended",
            Self::HoldConfirmed => "hold_confirmed",
            Self::PaymentPending => "payment_pending",
            Self::PayNotOffered => "pay_not_offered",
        }
    }

    /// Whether the same request may succeed later; `None` where [`Refusal::is_temporary`] knows alone.
    pub const fn is_temporary(self) -> Option<bool> {
        match self {
            Self::Busy
            | Self::RateLimited
            | Self::TicketExpired
            | Self::NotOpen
            | Self::Paused
            | Self::SoldOut
            | Self::NotEnough
            | Self::PaymentPending => Some(true),
            Self::OverViewerLimit => None,
            Self::UnknownDrop
            | Self::UnknownSku
            | Self::UnitsOutOfRange
            | Self::KeyReused
            | Self::Closed
            | Self::HoldsCapped
            | Self::UnknownHold
            | Self::HoldEnded
            | Self::HoldConfirmed
            | Self::PayNotOffered => Some(false),
        }
    }
}

impl Refusal {
    /// The code.
    pub const fn code(self) -> RefusalCode {
        match self {
            Self::Busy { .. } => RefusalCode::Busy,
            Self::RateLimited { .. } => RefusalCode::RateLimited,
            Self::TicketExpired => RefusalCode::TicketExpired,
            Self::UnknownDrop => RefusalCode::UnknownDrop,
            Self::UnknownSku => RefusalCode::UnknownSku,
            Self::UnitsOutOfRange { .. } => RefusalCode::UnitsOutOfRange,
            Self::KeyReused => RefusalCode::KeyReused,
            Self::NotOpen => RefusalCode::NotOpen,
            Self::Paused => RefusalCode::Paused,
            Self::Closed => RefusalCode::Closed,
            Self::OverViewerLimit { .. } => RefusalCode::OverViewerLimit,
            Self::HoldsCapped { .. } => RefusalCode::HoldsCapped,
            Self::SoldOut => RefusalCode::SoldOut,
            Self::NotEnough { .. } => RefusalCode::NotEnough,
            Self::UnknownHold => RefusalCode::UnknownHold,
            Self::HoldEnded => RefusalCode::HoldEnded,
            Self::HoldConfirmed => RefusalCode::HoldConfirmed,
            Self::PaymentPending => RefusalCode::PaymentPending,
            Self::PayNotOffered => RefusalCode::PayNotOffered,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_temporary(self) -> bool {
        match (self, self.code().is_temporary()) {
            (Self::OverViewerLimit { for_good, .. }, _) => !for_good,
            (_, temporary) => matches!(temporary, Some(true)),
        }
    }

    /// When to try again, where the server can tell.
    pub const fn retry_after(self) -> Option<DurationMs> {
        match self {
            Self::Busy { retry_after } | Self::RateLimited { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Refusal {
    /// A sentence for the viewer-app's developer that says what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { retry_after } => {
                write!(f, "the server is busy; send the same request again in {retry_after}")
            }
            Self::RateLimited { retry_after } => write!(f, "too many requests; wait {retry_after}"),
            Self::TicketExpired => {
                f.write_str("the ticket has expired; send refresh with a new one")
            }
            Self::UnknownDrop => f.write_str("no such drop in this stream; the welcome lists them"),
            Self::UnknownSku => f.write_str("no such SKU in this drop; the welcome lists them"),
            Self::UnitsOutOfRange { max } => write!(f, "ask for 1 to {max} units"),
            Self::KeyReused => {
                f.write_str("this key was used for another request; make a new key for each buy")
            }
            Self::NotOpen => f.write_str("the drop has not opened yet; wait for phase open"),
            Self::Paused => f.write_str("the drop is paused; wait for phase open"),
            Self::Closed => f.write_str("the drop is closed"),
            Self::OverViewerLimit { limit, for_good: true } => {
                write!(
                    f,
                    "one viewer may have {limit} units; no hold that ends lets you have these"
                )
            }
            Self::OverViewerLimit { limit, for_good: false } => {
                write!(f, "one viewer may have {limit} units; a hold that ends makes room")
            }
            Self::HoldsCapped { max } => write!(f, "one viewer may make {max} holds in a drop"),
            Self::SoldOut => f.write_str("sold out for now; held units may come back"),
            Self::NotEnough { available: Units::ONE } => f.write_str("only 1 unit is available"),
            Self::NotEnough { available } => write!(f, "only {available} units are available"),
            Self::UnknownHold => f.write_str("you have no such hold; the welcome lists yours"),
            Self::HoldEnded => f.write_str("the hold has ended; its units went back on sale"),
            Self::HoldConfirmed => f.write_str("the hold has become an order"),
            Self::PaymentPending => {
                f.write_str("a payment for this hold is under way; wait for its result")
            }
            Self::PayNotOffered => f.write_str(
                "this server takes no payments; for trials start it with --payments sandbox",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_the_places_in_the_list() {
        for (place, code) in RefusalCode::ALL.iter().enumerate() {
            assert_eq!(usize::from(code.ordinal()), place);
            assert_eq!(RefusalCode::from_ordinal(code.ordinal()), Some(*code));
        }
        assert_eq!(RefusalCode::from_ordinal(19), None);
    }

    #[test]
    fn two_refusals_are_for_want_of_units() {
        let for_want = RefusalCode::ALL.into_iter().filter(|code| code.is_for_want());
        let for_want: Vec<_> = for_want.collect();
        assert_eq!(for_want, [RefusalCode::SoldOut, RefusalCode::NotEnough]);
    }

    /// Every refusal with what viewers get of it.
    fn table(retry_after: DurationMs) -> [(Refusal, &'static str); 19] {
        let units = |count| Units::new(count).unwrap();
        [
            (
                Refusal::Busy { retry_after },
                "busy, later: the server is busy; send the same request again in 50 ms",
            ),
            (
                Refusal::RateLimited { retry_after },
                "rate_limited, later: too many requests; wait 50 ms",
            ),
            (
                Refusal::TicketExpired,
                "ticket_expired, later: the ticket has expired; send refresh with a new one",
            ),
            (
                Refusal::UnknownDrop,
                "unknown_drop: no such drop in this stream; the welcome lists them",
            ),
            (Refusal::UnknownSku, "unknown_sku: no such SKU in this drop; the welcome lists them"),
            (
                Refusal::UnitsOutOfRange { max: units(4) },
                "units_out_of_range: ask for 1 to 4 units",
            ),
            (
                Refusal::KeyReused,
                "key_reused: this key was used for another request; make a new key for each buy",
            ),
            (Refusal::NotOpen, "not_open, later: the drop has not opened yet; wait for phase open"),
            (Refusal::Paused, "paused, later: the drop is paused; wait for phase open"),
            (Refusal::Closed, "closed: the drop is closed"),
            (
                Refusal::OverViewerLimit { limit: units(2), for_good: true },
                "over_viewer_limit: one viewer may have 2 units; no hold that ends lets you have these",
            ),
            (
                Refusal::HoldsCapped { max: 16 },
                "holds_capped: one viewer may make 16 holds in a drop",
            ),
            (Refusal::SoldOut, "sold_out, later: sold out for now; held units may come back"),
            (
                Refusal::NotEnough { available: units(2) },
                "not_enough, later: only 2 units are available",
            ),
            (Refusal::UnknownHold, "unknown_hold: you have no such hold; the welcome lists yours"),
            (Refusal::HoldEnded, "hold_ended: the hold has ended; its units went back on sale"),
            (Refusal::HoldConfirmed, "hold_confirmed: the hold has become an order"),
            (
                Refusal::PaymentPending,
                "payment_pending, later: a payment for this hold is under way; wait for its result",
            ),
            (
                Refusal::PayNotOffered,
                "pay_not_offered: this server takes no payments; for trials start it with --payments sandbox",
            ),
        ]
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let retry_after = DurationMs::new(50);
        let table = table(retry_after);
        assert_eq!(table.map(|(refusal, _)| refusal.code()), RefusalCode::ALL);
        for (refusal, said) in table {
            let later = if refusal.is_temporary() { ", later" } else { "" };
            assert_eq!(format!("{}{later}: {refusal}", refusal.code()), said);
            let waits = matches!(refusal.code(), RefusalCode::Busy | RefusalCode::RateLimited);
            assert_eq!(refusal.retry_after(), waits.then_some(retry_after));
        }
        let one = Refusal::NotEnough { available: Units::ONE };
        assert_eq!(one.to_string(), "only 1 unit is available");
    }

    #[test]
    fn a_viewers_limit_is_final_where_orders_fill_it_alone() {
        for for_good in [false, true] {
            let refusal = Refusal::OverViewerLimit { limit: Units::ONE, for_good };
            assert_eq!(refusal.is_temporary(), !for_good);
        }
        assert!(Refusal::SoldOut.is_temporary() && !Refusal::Closed.is_temporary());
    }
}
