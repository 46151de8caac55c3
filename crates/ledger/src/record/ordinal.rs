//! The one table of the journal's ordinals.
//!
//! An ordinal is the first byte of a record and says which fields follow; `docs/ledger.md` lists them. Ordinals
//! and fields never change their meaning: another layout is another version.

/// The version of the body's layout, under which the table stands.
pub const BODY_VERSION: u8 = 1;

macro_rules! ordinals {
    ($($number:literal $ordinal:ident $name:literal $form:literal;)*) => {
        /// What the first byte of a record says.
        ///
        /// A record that got further fields later has two ordinals: its old bytes stay as they were.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Ordinal {
            $(
                #[doc = concat!("The record \"", $name, "\"", $form, ".")]
                $ordinal = $number,
            )*
        }

        impl Ordinal {
            /// Every ordinal, ascending from 1 without gaps.
            pub const ALL: &[Self] = &[$(Self::$ordinal),*];

            /// The record's name in `docs/ledger.md`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$ordinal => $name,)*
                }
            }
        }
    };
}

ordinals! {
    1 Planned "planned" ", of a plan without options";
    2 Countdown "countdown" "";
    3 CountdownCancelled "countdown cancelled" "";
    4 Opened "opened" "";
    5 Paused "paused" "";
    6 Resumed "resumed" "";
    7 Closed "closed" "";
    8 Settled "settled" "";
    9 Cancelled "cancelled" "";
    10 Lot "lot" "";
    11 Taken "taken" ", without a channel";
    12 Confirmed "confirmed" ", without a channel";
    13 Released "released" "";
    14 Expired "expired" "";
    15 Command "command" "";
    16 Recovered "recovered" "";
    17 Tally "tally" ", without times of answers";
    18 Halted "halted" "";
    19 RatesSet "rates set" "";
    20 Banned "banned" "";
    21 Lifted "lifted" "";
    22 PlannedWithOptions "planned" ", of a plan with options";
    23 StreamOffline "stream offline" "";
    24 StreamOnline "stream online" "";
    25 OfflineLapsed "offline lapsed" "";
    26 TakenInChannel "taken" ", with a channel";
    27 ConfirmedInChannel "confirmed" ", with a channel";
    28 TallyWithAnswers "tally" ", with times of answers";
    29 Heartbeat "heartbeat" "";
    30 Suspended "suspended" "";
    31 Featured "featured" "";
    32 Room "room" "";
    33 Charged "charged" "";
    34 Referenced "referenced" "";
    35 PaymentBegun "payment begun" "";
    36 Authorized "authorized" "";
    37 Paid "paid" "";
    38 PaymentFailed "payment failed" "";
    39 Voided "voided" "";
    40 RefundDue "refund due" "";
    41 Refunded "refunded" "";
    42 ProviderAsked "provider asked" "";
    43 ProviderDeclined "provider declined" "";
    44 UnitsCancelled "units cancelled" "";
    45 Retaken "retaken" "";
    46 Stretched "stretched" "";
    47 Extended "extended" "";
    48 PaymentUnmatched "payment unmatched" "";
    49 UnmatchedDone "unmatched done" "";
    50 TallyWithSources "tally" ", with SKUs and channels of clicks";
    51 Withdrawn "withdrawn" "";
    52 Reserved "reserved" "";
    53 Amended "amended" "";
    54 WindsDown "winds down" "";
    55 UndoBegun "undo begun" "";
    56 DropVoided "drop voided" "";
    57 RequestAsked "request asked" "";
    58 RequestEnded "request ended" "";
}

const _: () = {
    let mut place = 0;
    while place < Ordinal::ALL.len() {
        assert!(Ordinal::ALL[place] as usize == place + 1, "ordinals count from 1 without gaps");
        place += 1;
    }
};

impl Ordinal {
    /// The byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The ordinal of a byte; `None` if no record begins with it.
    pub fn from_byte(byte: u8) -> Option<Self> {
        let place = usize::from(byte).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const GOLDEN: &str = include_str!("../../tests/golden/ordinals-v1.txt");
    const DOCUMENT: &str = include_str!("../../../../docs/ledger.md");

    /// Ordinals with their names, as a table of the document lists them: the first two cells of each row.
    fn documented() -> Vec<(u8, &'static str)> {
        let table = DOCUMENT.split("| ordinal | record | fields |\n").nth(1).unwrap();
        let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("| "));
        rows.map(|row| {
            let mut cells = row.split(" | ");
            let (ordinal, name) = (cells.next().unwrap(), cells.next().unwrap());
            (ordinal.parse().unwrap(), name)
        })
        .collect()
    }

    #[test]
    fn the_ordinals_of_version_1_never_change() {
        let mut table = String::new();
        for ordinal in Ordinal::ALL {
            writeln!(table, "{} {ordinal:?}", ordinal.byte()).unwrap();
        }
        assert_eq!((table.as_str(), BODY_VERSION), (GOLDEN, 1));
    }

    #[test]
    fn the_document_lists_every_ordinal_by_its_name() {
        let table: Vec<_> = Ordinal::ALL.iter().map(|o| (o.byte(), o.name())).collect();
        assert_eq!(documented(), table);
    }

    #[test]
    fn a_byte_is_an_ordinal_or_none() {
        for byte in 0..=u8::MAX {
            let listed = Ordinal::ALL.iter().copied().find(|ordinal| ordinal.byte() == byte);
            assert_eq!(Ordinal::from_byte(byte), listed, "{byte}");
        }
    }
}
