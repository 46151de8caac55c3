//! Every fixed limit in one place, checked against each other at compile time.
//!
//! Limits that can be configured are in the configuration of their crates; those here are fixed by
//! a format or by memory that is laid out ahead.

use crate::Units;

/// Bytes of a text id.
pub const TEXT_ID_BYTES_MAX: usize = 64;
/// Bytes of a viewer's id, which the platform chose long before it met this server.
pub const VIEWER_ID_BYTES_MAX: usize = 128;
/// Bytes of a payment provider's reference; those of Stripe's checkout sessions have 66.
pub const PAYMENT_REFERENCE_BYTES_MAX: usize = 128;
/// Characters of what a platform calls an order.
pub const ORDER_REFERENCE_CHARS_MAX: usize = 128;
/// Bytes of it: a character has four at most.
pub const ORDER_REFERENCE_BYTES_MAX: usize = 4 * ORDER_REFERENCE_CHARS_MAX;
/// Payments of one hold, failed attempts included; one more is refused.
pub const PAYMENTS_PER_HOLD_MAX: usize = 32;
/// Holds that one payment may cover.
pub const HOLDS_PER_PAYMENT_MAX: usize = 64;
/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 64;
/// Bytes of a title or an option's name or value.
pub const TITLE_BYTES_MAX: usize = 200;
/// Bytes of an image address.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// Bytes of a reason that staff gives for a command.
pub const REASON_BYTES_MAX: usize = 500;
/// SKUs of one drop.
pub const SKUS_PER_DROP_MAX: usize = 64;
/// Option values of one SKU (colour, size and so on).
pub const OPTIONS_PER_SKU_MAX: usize = 8;
/// Channels that one tally names; the clicks of all others are one number.
pub const CHANNELS_PER_TALLY_MAX: usize = 256;
/// Stock words of one drop.
pub const POOLS_PER_DROP_MAX: usize = 256;
/// Drops of one stream that have neither settled nor been cancelled.
pub const LIVE_DROPS_PER_STREAM_MAX: usize = 64;
/// Drops of one stream, neither settled nor cancelled, of one merchant who does not own it; one more is
/// refused.
pub const ADMITTED_DROPS_PER_STREAM_MAX: usize = 32;
/// Places of a stream that only the merchant who owns it may take.
pub const OWNER_DROPS_PER_STREAM_KEPT: usize = 16;
/// Bytes of the name of a creator's account.
pub const ACCOUNT_BYTES_MAX: usize = 64;
/// Accepted commands of one drop, after which only those that let less happen are accepted. Their
/// idempotency keys stay in memory.
pub const COMMANDS_PER_DROP_MAX: usize = 10_000;
/// Open requests of one drop for more units than are in reserve; one more is refused.
pub const REQUESTS_PER_DROP_MAX: usize = 8;
/// Requests of one drop that are shown after they ended, the latest ones.
pub const REQUESTS_ENDED_KEPT: usize = 8;
/// Units that one request may ask for.
pub const UNITS_PER_BUY_MAX: u32 = 1_000;
/// Holds that one viewer may make in one drop, ended ones included: the upper bound of the plan's value.
pub const HOLDS_PER_VIEWER_MAX: u16 = 64;
/// Holds that one viewer may make in one drop if the plan does not say.
pub const HOLDS_PER_VIEWER_DEFAULT: u16 = 16;
/// Shortest time that a hold lives, in milliseconds.
pub const HOLD_TTL_MS_MIN: u64 = 1_000;
/// Longest time that a hold lives, in milliseconds.
pub const HOLD_TTL_MS_MAX: u64 = 24 * 3_600_000;
/// Longest time that a hold stays beyond the deadline that its viewer is shown, in milliseconds.
pub const PAYMENT_GRACE_MS_MAX: u64 = 60_000;
/// That time if the plan does not say, in milliseconds: a payment that was reported at the last moment is
/// on its way.
pub const PAYMENT_GRACE_MS_DEFAULT: u64 = 3_000;
/// Longest time by which an attempt to pay may stretch its hold, in milliseconds.
pub const PAYMENT_STRETCH_MS_MAX: u64 = 3_600_000;
/// That time if the plan does not say, in milliseconds.
pub const PAYMENT_STRETCH_MS_DEFAULT: u64 = 60_000;
/// Shortest time by which all live holds of a drop may be extended at once, in milliseconds.
pub const EXTENSION_MS_MIN: u64 = 1_000;
/// Longest time by which all live holds of a drop may be extended at once, in milliseconds.
pub const EXTENSION_MS_MAX: u64 = 3_600_000;
/// Longest time by which the holds of one drop may be extended in all, in milliseconds: no hold stays for
/// longer than that beyond what the plan gives it.
pub const EXTENDED_MS_MAX: u64 = HOLD_TTL_MS_MAX;
/// Longest time that a hold may stay from its take on if somebody is served all the time, in milliseconds.
pub const HOLD_LIFE_MS_MAX: u64 =
    HOLD_TTL_MS_MAX + PAYMENT_STRETCH_MS_MAX + EXTENDED_MS_MAX + PAYMENT_GRACE_MS_MAX;
/// Cancellations of one order, goodwill included; one more is refused. Their idempotency keys stay in memory.
pub const CANCELLATIONS_PER_ORDER_MAX: u32 = 64;
/// Payments that nobody can match, of which a node knows that it has recorded them: the latest. One that is reported
/// again after so many others is recorded again.
pub const UNMATCHED_KEPT_MAX: usize = 65_536;
/// Longest countdown, in milliseconds.
pub const COUNTDOWN_MS_MAX: u64 = 600_000;
/// Countdown if the plan does not say, in milliseconds.
pub const COUNTDOWN_MS_DEFAULT: u64 = 10_000;
/// Shortest delay that a stream's video can have besides none, in milliseconds.
pub const VIDEO_DELAY_MS_MIN: u64 = 2_000;
/// Longest delay that a stream's video can have, in milliseconds.
pub const VIDEO_DELAY_MS_MAX: u64 = 60_000;
/// Shortest part of a countdown in which the host speaks before the word is on its way, in milliseconds.
pub const SPEAK_MS_MIN: u64 = 3_000;
const _: () = assert!(VIDEO_DELAY_MS_MAX + SPEAK_MS_MIN <= COUNTDOWN_MS_MAX);
/// Shortest time between a drop's opening and its planned end, in milliseconds: one that is shorter
/// would be over before anybody can buy.
pub const OPEN_MS_MIN: u64 = 1_000;
/// Longest time that a rehearsal by one press goes on, in milliseconds: two hours. It ends by itself then.
pub const REHEARSAL_MS_MAX: u64 = 2 * 3_600_000;
/// How far ahead a start or an end may be planned, in milliseconds: 366 days. What lies further is
/// most often a time in microseconds.
pub const PLANNED_AHEAD_MS_MAX: u64 = 366 * 86_400_000;
/// Longest time that a drop goes on while its stream is offline, where the plan pauses it, in
/// milliseconds.
pub const OFFLINE_MS_MAX: u64 = 3_600_000;
/// Records of one commit.
pub const BATCH_RECORDS_MAX: usize = 32_768;
/// Bytes of one encoded record, plans included.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// How long a settled or cancelled drop stays in memory with its orders, by the sale's clock, in
/// milliseconds: ten minutes.
pub const SETTLED_KEPT_MS: u64 = 600_000;
/// Bytes of one journal row.
pub const ROW_BYTES_MAX: usize = 8 << 20;
/// Most buys or hellos that a limit may admit per second.
pub const ADMITTED_PER_S_MAX: u32 = 10_000_000;
/// Shortest time between two stock ticks of a drop, in milliseconds.
pub const TICK_INTERVAL_MS_MIN: u64 = 1;
/// Longest time between two stock ticks of a drop, in milliseconds.
pub const TICK_INTERVAL_MS_MAX: u64 = 60_000;
/// Bans in force at a time; one more is refused.
pub const BANS_MAX: usize = 10_000;
/// Leading bits that a banned range of IPv4 addresses has at least: one 256th of them all.
pub const BAN_PREFIX_V4_MIN: u8 = 8;
/// Leading bits that a banned range of IPv6 addresses has at least.
pub const BAN_PREFIX_V6_MIN: u8 = 16;
/// Shortest time after which something that operations staff set may expire, in milliseconds.
pub const BRAKE_EXPIRY_MS_MIN: u64 = 1_000;
/// Longest such time, in milliseconds: 366 days.
pub const BRAKE_EXPIRY_MS_MAX: u64 = 366 * 86_400_000;
/// Cores that may take: one bit each in a viewer's presence word.
pub const CORES_MAX: usize = 64;

/// The most bytes that a plan can need, generously counted.
const PLAN_BYTES_MAX: usize = 4 * TITLE_BYTES_MAX
    + SKUS_PER_DROP_MAX
        * (2 * TITLE_BYTES_MAX
            + ADDRESS_BYTES_MAX
            + 2 * TEXT_ID_BYTES_MAX
            + OPTIONS_PER_SKU_MAX * 2 * TITLE_BYTES_MAX
            + 64);

const _: () = assert!(PLAN_BYTES_MAX <= RECORD_BYTES_MAX, "every valid plan fits a record");
/// The most bytes that the channels of a tally can need: a name, its length, a count each.
const TALLY_CHANNELS_BYTES_MAX: usize = CHANNELS_PER_TALLY_MAX * (TEXT_ID_BYTES_MAX + 1 + 10);
const _: () =
    assert!(TALLY_CHANNELS_BYTES_MAX <= RECORD_BYTES_MAX / 2, "every tally fits a record");
const _: () = assert!(RECORD_BYTES_MAX <= ROW_BYTES_MAX, "every record fits a row");
const _: () = assert!(SKUS_PER_DROP_MAX <= POOLS_PER_DROP_MAX, "every SKU has a common pool");
const _: () = assert!(POOLS_PER_DROP_MAX <= 1 << 8, "a pool index has 8 bits");
const _: () = assert!(
    ADMITTED_DROPS_PER_STREAM_MAX + OWNER_DROPS_PER_STREAM_KEPT <= LIVE_DROPS_PER_STREAM_MAX,
    "an owner's places are kept from every other merchant"
);
const _: () = assert!(UNITS_PER_BUY_MAX <= Units::MAX.get(), "a buy fits the stock word");
const _: () = assert!(HOLDS_PER_VIEWER_DEFAULT <= HOLDS_PER_VIEWER_MAX, "the default is allowed");
const _: () = assert!(HOLD_TTL_MS_MIN < HOLD_TTL_MS_MAX, "some time to live is allowed");
const _: () = assert!(COUNTDOWN_MS_DEFAULT <= COUNTDOWN_MS_MAX, "the default is allowed");
const _: () = assert!(EXTENSION_MS_MIN < EXTENSION_MS_MAX, "some extension is allowed");
const _: () = assert!(EXTENSION_MS_MAX <= EXTENDED_MS_MAX, "the longest extension is allowed once");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_in_days_are_what_they_say() {
        const DAY_MS: u64 = 86_400_000;
        assert_eq!(HOLD_TTL_MS_MAX, DAY_MS);
        assert_eq!([PLANNED_AHEAD_MS_MAX, BRAKE_EXPIRY_MS_MAX], [366 * DAY_MS; 2]);
    }
}
