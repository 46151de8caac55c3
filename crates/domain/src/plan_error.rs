//! What is wrong with a plan, in sentences.

use crate::{Currency, DropId, ShownAddressFault, SkuId, TextFault, Units, UnixMillis};

/// What is wrong with a plan, by the field's name on the interfaces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A list has too few or too many entries.
    #[error("{field} has {count} entries; {min} to {max} are allowed")]
    Count {
        /// The field.
        field: &'static str,
        /// Entries given.
        count: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// A text cannot be shown as it was written.
    #[error("{field} {fault}")]
    Unreadable {
        /// The field, with the SKU's place.
        field: String,
        /// What is wrong with it.
        fault: TextFault,
    },
    /// The address of a picture is none.
    #[error("{field} {fault}")]
    Address {
        /// The field, with the SKU's place.
        field: String,
        /// What is wrong with it.
        fault: ShownAddressFault,
    },
    /// A number is out of range.
    #[error("{field} is {value}; {min} to {max} are allowed")]
    Range {
        /// The field.
        field: &'static str,
        /// The number given.
        value: u64,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// Two SKUs have the same id.
    #[error("SKU id {id} is used twice")]
    DuplicateSku {
        /// The id.
        id: SkuId,
    },
    /// Prices in different currencies.
    #[error("SKU {id} is priced in {found}, the first one in {expected}; a drop has one currency")]
    MixedCurrencies {
        /// The SKU that differs.
        id: SkuId,
        /// Its currency.
        found: String,
        /// The currency of the first SKU.
        expected: String,
    },
    /// The price of all units that a pool can have does not fit a [`Money`](crate::Money).
    #[error(
        "SKU {id}: the price is too high: 2^24 units would cost more than 2^53 - 1 minor units"
    )]
    ValueTooLarge {
        /// The SKU.
        id: SkuId,
    },
    /// The price of all units of all SKUs does not fit a [`Money`](crate::Money): nobody could add up what was sold.
    #[error(
        "the units of all SKUs would cost more than 2^53 - 1 minor units together; plan fewer of them, or \
         several drops"
    )]
    GrossTooLarge,
    /// More units than a pool can count.
    #[error(
        "SKU {id}: supply {supply} and reserve {reserve} are together more than the {max} units that a SKU can have"
    )]
    TooManyUnits {
        /// The SKU.
        id: SkuId,
        /// Units of the first lot.
        supply: Units,
        /// Units in reserve.
        reserve: Units,
        /// The most allowed together.
        max: Units,
    },
    /// No SKU has a unit.
    #[error("supply is 0 for every SKU; at least one needs a unit when the drop opens")]
    NothingToSell,
    /// A currency that is nobody's money, for real.
    #[error(
        "skus[{place}].price.currency is {currency}, which nobody can pay in; only a rehearsal may use it: \
         write the currency of the sale, like EUR"
    )]
    NobodysMoney {
        /// The SKU's place.
        place: usize,
        /// The code.
        currency: Currency,
    },
    /// Rounding that would make figures rise while the stock falls.
    #[error(
        "stock_display.rounded_above is {rounded_above}; a multiple of round_to ({round_to}) is \
         allowed"
    )]
    NotAMultiple {
        /// The bound.
        rounded_above: Units,
        /// The step.
        round_to: Units,
    },
    /// The drop has an end by the clock and one by its opening.
    #[error("ends_at_ms and ends_after_opening_ms are both given; leave one of them out")]
    TwoEnds,
    /// A copy for a rehearsal that would sell for real.
    #[error("a copy of {of} for a rehearsal has the mode rehearsal, not live")]
    LiveRehearsal {
        /// What it is a copy of.
        of: DropId,
    },
    /// The drop would end before it starts.
    #[error(
        "ends_at_ms {ends_at} is not after starts_at_ms {starts_at}; times are milliseconds since 1970"
    )]
    EndsBeforeStart {
        /// Planned start.
        starts_at: UnixMillis,
        /// Planned end.
        ends_at: UnixMillis,
    },
}
