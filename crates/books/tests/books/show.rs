//! Acts, records and effects in plain words.

use std::fmt::Write;

use stampede_books::{Act, CommandOutcome, Effect, HoldEnd};
use stampede_domain::{Charges, DropId, HoldId, NewEnd, PaymentId, PoolIndex, Rates, UnixMillis};
use stampede_ledger::{
    Amended, BrakeRecord, Command, CorrectionRecord, DeadlineRecord, HoldRecord, PaymentChange,
    PaymentRecord, PhaseRecord, PlannedCopy, Record, RecordedOutcome, RecoveredDrop, RequestEnd,
    RequestRecord, RoomChange, StreamRecord, UnmatchedEnd, UnmatchedRecord,
};

use crate::words::{span_words, time_words};

/// What a record is called.
pub(crate) fn record_name(record: &Record) -> &'static str {
    match record {
        Record::Planned { .. } => "planned",
        Record::Phase(PhaseRecord::Countdown { .. }) => "countdown",
        Record::Phase(PhaseRecord::CountdownCancelled) => "countdown_cancelled",
        Record::Phase(PhaseRecord::Opened) => "opened",
        Record::Phase(PhaseRecord::Paused) => "paused",
        Record::Phase(PhaseRecord::Resumed) => "resumed",
        Record::Phase(PhaseRecord::Closed) => "closed",
        Record::Phase(PhaseRecord::Settled) => "settled",
        Record::Phase(PhaseRecord::Cancelled) => "cancelled",
        Record::Phase(PhaseRecord::UndoBegun { .. }) => "undo_begun",
        Record::Phase(PhaseRecord::Voided) => "drop_voided",
        Record::Lot { .. } => "lot",
        Record::Hold(HoldRecord::Taken { .. }) => "taken",
        Record::Hold(HoldRecord::Confirmed { .. }) => "confirmed",
        Record::Hold(HoldRecord::Released { .. }) => "released",
        Record::Hold(HoldRecord::Expired { .. }) => "expired",
        Record::Stream(StreamRecord::Offline { .. }) => "offline",
        Record::Stream(StreamRecord::Online) => "online",
        Record::Stream(StreamRecord::OfflineLapsed) => "offline_lapsed",
        Record::Featured => "featured",
        Record::Correction(CorrectionRecord::Withdrawn { .. }) => "withdrawn",
        Record::Correction(CorrectionRecord::Reserved { .. }) => "reserved",
        Record::Correction(CorrectionRecord::Amended(_)) => "amended",
        Record::Correction(CorrectionRecord::WindsDown { .. }) => "winds_down",
        Record::Request(RequestRecord::Asked(_)) => "request_asked",
        Record::Request(RequestRecord::Ended(_)) => "request_ended",
        Record::Suspended { .. } => "suspended",
        Record::Recovered(_) => "recovered",
        Record::Tally(_) => "tally",
        Record::Command(_) => "command",
        Record::Heartbeat(_) => "heartbeat",
        Record::Room(room) => match &room.change {
            RoomChange::Owner(_) => "owner",
            RoomChange::Admitted(_) => "admitted",
            RoomChange::Dismissed(_) => "dismissed",
            RoomChange::Ended => "room_ended",
            RoomChange::VideoDelay(_) => "video_delay",
            RoomChange::HostsAllowed(_) => "hosts_allowed",
            RoomChange::HostsForbidden(_) => "hosts_forbidden",
        },
        Record::Payment(payment) => payment.change.name(),
        Record::Deadline(DeadlineRecord::Stretched { .. }) => "stretched",
        Record::Deadline(DeadlineRecord::Extended { .. }) => "extended",
        Record::Unmatched(UnmatchedRecord::Found(_)) => "payment unmatched",
        Record::Unmatched(UnmatchedRecord::Done(_)) => "unmatched done",
        Record::Brake(BrakeRecord::Halted(_)) => "halted",
        Record::Brake(BrakeRecord::RatesSet(_)) => "rates_set",
        Record::Brake(BrakeRecord::Banned(_)) => "banned",
        Record::Brake(BrakeRecord::Lifted { .. }) => "lifted",
    }
}

/// What stands behind the numbers of holds and pools.
pub(crate) trait Names {
    fn hold(&self, hold: HoldId) -> String;
    fn pool(&self, drop: DropId, pool: PoolIndex) -> String;
    fn payment(&self, payment: &PaymentId) -> String;
}

/// A record with its figures.
pub(crate) fn record(drop: DropId, record: &Record, names: &dyn Names) -> String {
    let name = record_name(record);
    let text = match record {
        Record::Planned { revision, .. } => format!("{name} r{revision}"),
        Record::Phase(PhaseRecord::Countdown { opens_at }) => {
            format!("{name} to {}", time_words(*opens_at))
        }
        Record::Phase(PhaseRecord::UndoBegun { copy }) => format!("{name} {}", copy_words(*copy)),
        Record::Lot { pool, units, lot } => {
            format!("{name} {lot} {} {units}", names.pool(drop, *pool))
        }
        Record::Correction(record) => correction_record(name, drop, record, names),
        Record::Request(record) => request_record(name, drop, record, names),
        Record::Hold(record) => return hold_record(name, record, names),
        Record::Stream(StreamRecord::Offline { at }) => format!("{name} from {}", time_words(*at)),
        Record::Suspended { span, until }
        | Record::Deadline(DeadlineRecord::Extended { span, until }) => {
            format!("{name} {} until {}", span_words(*span), time_words(*until))
        }
        Record::Recovered(found) => recovered(drop, found, names),
        Record::Tally(tally) => {
            format!("{name} held {} retries {}", tally.held, tally.retries)
        }
        Record::Command(command) => return command_record(command),
        Record::Room(room) => {
            return format!("{name} {}{}", room.stream, room_words(&room.change));
        }
        Record::Brake(record) => return brake_record(name, record),
        Record::Payment(payment) => {
            let chain = if drop.is_adjustments() { " (adjustment)" } else { "" };
            return payment_record(payment, names) + chain;
        }
        Record::Deadline(DeadlineRecord::Stretched { hold, span }) => {
            return format!("{name} {} by {}", names.hold(*hold), span_words(*span));
        }
        Record::Unmatched(UnmatchedRecord::Found(found)) => {
            format!("{name} {} {}", names.payment(&found.payment), found.amount)
        }
        Record::Unmatched(UnmatchedRecord::Done(done)) => {
            let end = match &done.end {
                UnmatchedEnd::Matched { hold } => format!("for {}", names.hold(*hold)),
                UnmatchedEnd::GivenBack => "given back".to_owned(),
                UnmatchedEnd::Closed { actor, reason } => format!("by {actor}: {reason}"),
            };
            format!("{name} {} {end}", names.payment(&done.payment))
        }
        Record::Phase(_) | Record::Stream(_) | Record::Featured | Record::Heartbeat(_) => {
            name.to_owned()
        }
    };
    format!("{drop} {text}")
}

/// What has changed of a room, behind its name.
fn room_words(change: &RoomChange) -> String {
    match change {
        RoomChange::Owner(owner) => format!(" {owner}"),
        RoomChange::Admitted(merchant)
        | RoomChange::Dismissed(merchant)
        | RoomChange::HostsAllowed(merchant)
        | RoomChange::HostsForbidden(merchant) => format!(" {merchant}"),
        RoomChange::Ended => String::new(),
        RoomChange::VideoDelay(delay) => format!(" {}", span_words(*delay)),
    }
}

fn correction_record(
    name: &str,
    drop: DropId,
    record: &CorrectionRecord,
    names: &dyn Names,
) -> String {
    match record {
        CorrectionRecord::Withdrawn { pool, units }
        | CorrectionRecord::Reserved { pool, left: units } => {
            format!("{name} {} {units}", names.pool(drop, *pool))
        }
        CorrectionRecord::Amended(amended) => format!("{name}{}", amended_words(amended)),
        CorrectionRecord::WindsDown { until } => format!("{name} until {}", time_words(*until)),
    }
}

fn request_record(name: &str, drop: DropId, record: &RequestRecord, names: &dyn Names) -> String {
    match record {
        RequestRecord::Asked(asked) => {
            let (number, pool, by) = (asked.number, names.pool(drop, asked.pool), &asked.by.actor);
            format!("{name} {number} {pool} {} of {} by {by}", asked.units, asked.reserve)
        }
        RequestRecord::Ended(ended) => {
            let (number, end, by) = (ended.number, request_end(ended.end), &ended.by.actor);
            format!("{name} {number} {end} by {by}")
        }
    }
}

fn request_end(end: RequestEnd) -> String {
    match end {
        RequestEnd::Granted { lot } => format!("granted as lot {lot}"),
        RequestEnd::Declined => "declined".to_owned(),
        RequestEnd::Withdrawn => "withdrawn".to_owned(),
    }
}

fn amended_words(Amended { amendment, last_takes }: &Amended) -> String {
    let list = |numbers: Vec<String>| numbers.join(" ");
    let limits = amendment.limits.as_ref().map(|limits| {
        let of_skus = list(limits.of_skus.iter().map(ToString::to_string).collect());
        let takes = list(last_takes.iter().map(ToString::to_string).collect());
        format!(" to limit {} of SKUs {of_skus} after take {takes}", limits.of_drop)
    });
    let end = amendment.end.map(|end| match end {
        NewEnd::At(at) => format!(" to end at {}", time_words(at)),
        NewEnd::Never => " to end never".to_owned(),
    });
    limits.unwrap_or_default() + &end.unwrap_or_default()
}

fn payment_record(record: &PaymentRecord, names: &dyn Names) -> String {
    let PaymentRecord { hold, change } = record;
    let (name, hold) = (change.name(), names.hold(*hold));
    let what = match change {
        PaymentChange::Charged(Charges { shipping, tax, fee }) => {
            format!("shipping {shipping} tax {tax} fee {fee}")
        }
        PaymentChange::Referenced(reference) => reference.to_string(),
        PaymentChange::Begun { payment } | PaymentChange::Voided { payment } => {
            names.payment(payment)
        }
        PaymentChange::Authorized { payment, amount } | PaymentChange::Paid { payment, amount } => {
            format!("{} {amount}", names.payment(payment))
        }
        PaymentChange::Failed { payment, reason } => {
            format!("{} {reason}", names.payment(payment))
        }
        PaymentChange::RefundDue { payment, amount, reason } => {
            format!("{} {amount} {reason}", names.payment(payment))
        }
        PaymentChange::Refunded { payment, total } => format!("{} {total}", names.payment(payment)),
        PaymentChange::Asked { payment, request } => {
            format!("{} {}", names.payment(payment), request.name())
        }
        PaymentChange::Declined { payment, request, reason } => {
            format!("{} {} {reason}", names.payment(payment), request.name())
        }
        PaymentChange::Cancelled(cancelled) => {
            format!("{} {} lot {:?}", cancelled.units, cancelled.amount, cancelled.lot)
        }
        PaymentChange::Retaken { payment, into } => {
            format!("{} {}", names.payment(payment), names.hold(*into))
        }
    };
    format!("{name} {hold} {what}")
}

fn hold_record(name: &str, record: &HoldRecord, names: &dyn Names) -> String {
    let hold = names.hold(record.hold());
    match record {
        HoldRecord::Taken { deadline, .. } => {
            format!("{name} {hold} until {}", time_words(*deadline))
        }
        _ => format!("{name} {hold}"),
    }
}

fn recovered(drop: DropId, found: &RecoveredDrop, names: &dyn Names) -> String {
    let mut text = format!("recovered after {}", span_words(found.outage));
    for pool in found.pools.iter().filter(|pool| pool.last_take.get() > 0) {
        write!(text, ", {} up to take {}", names.pool(drop, pool.pool), pool.last_take).unwrap();
        for lost in &pool.lost {
            write!(text, " without {lost}").unwrap();
        }
    }
    text
}

fn command_record(command: &Command) -> String {
    match &command.outcome {
        RecordedOutcome::Accepted => format!("command {}", command.action.as_str()),
        RecordedOutcome::Refused { code, .. } => {
            format!("refused command {} ({})", command.action.as_str(), code.as_str())
        }
    }
}

fn brake_record(name: &str, record: &BrakeRecord) -> String {
    match record {
        BrakeRecord::Halted(order) => format!("{name}{}", until(order.expires_at)),
        BrakeRecord::RatesSet(set) => format!("{name}{}", until(set.order.expires_at)),
        BrakeRecord::Banned(banned) => {
            format!("{name} {}{}", banned.ban, until(banned.order.expires_at))
        }
        BrakeRecord::Lifted { part, expired } => {
            format!("{name} {part}{}", if *expired { ", expired" } else { "" })
        }
    }
}

fn until(at: Option<UnixMillis>) -> String {
    at.map_or(String::new(), |at| format!(" until {}", time_words(at)))
}

/// An act with its figures.
pub(crate) fn act(act: &Act, names: &dyn Names) -> String {
    match act {
        Act::Make { drop, revision, .. } => format!("make {drop} r{revision}"),
        Act::StopTakes { drop, phase, .. } => format!("stop takes of {drop} ({phase})"),
        Act::ShowStream { drop, offline_since: Some(at) } => {
            format!("show {drop} offline since {}", time_words(*at))
        }
        Act::ShowStream { drop, offline_since: None } => format!("show {drop} online"),
        Act::ShowReserved { drop, pool, units } => {
            format!("show {units} more in reserve of {drop} {}", names.pool(*drop, *pool))
        }
        Act::MissStart { drop, at, why } => {
            format!("start of {drop} at {} missed: {why}", time_words(*at))
        }
        Act::BeginStart { drop, late_ms: 0 } => format!("begin start of {drop}"),
        Act::BeginStart { drop, late_ms } => format!("begin start of {drop} {late_ms} ms late"),
        Act::EndHold { held, end } => format!("end {} ({})", names.hold(held.hold), end_name(*end)),
        Act::MoveOrder { old, new } => {
            format!("{} becomes {}", names.hold(*old), names.hold(*new))
        }
        Act::Stretch { hold, span } => {
            format!("stretch {} by {}", names.hold(*hold), span_words(*span))
        }
        Act::Extend { drop, span, until } => {
            format!("extend {drop} by {} until {}", span_words(*span), time_words(*until))
        }
        Act::NoteCounted { drop, counted } => format!("count {} held in {drop}", counted.held),
        Act::ExpectCounts { drop } => format!("expect counts of {drop}"),
        Act::NoteTally { counted } => format!("tally {}", counted.held),
        Act::Halt(entry) => format!("halt{}", until(entry.expires_at)),
        Act::Limit(rates) => format!("limit to {}", rates_words(*rates)),
        Act::KeepOut(ban) => format!("keep out {}", ban.target),
        Act::LetGo(ban) => format!("let go of {}", ban.target),
    }
}

const fn end_name(end: HoldEnd) -> &'static str {
    match end {
        HoldEnd::Ordered => "ordered",
        HoldEnd::Released => "released",
        HoldEnd::Expired => "expired",
        HoldEnd::CalledOff => "called off",
    }
}

/// Limits in the words of the command that sets them.
pub(crate) fn rates_words(rates: Rates) -> String {
    let parts = [
        rates.buys_per_s.map(|rate| format!("buys {rate}")),
        rates.hellos_per_s.map(|rate| format!("hellos {rate}")),
        rates.tick_interval.map(|span| format!("ticks {}", span_words(span))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(" ") }
}

/// An effect as it was decided.
pub(crate) fn effect(effect: &Effect, names: &dyn Names) -> String {
    match effect {
        Effect::Publish { drop, .. } => format!("publish {drop}"),
        Effect::Enter { drop, phase, .. } => format!("{drop} enters {phase}"),
        Effect::Amend { drop, revision, .. } => format!("terms of {drop} r{revision} hold"),
        Effect::WindDown { drop, .. } => format!("{drop} shows to wind down"),
        Effect::Requests { drop, requests } => {
            let words = requests.iter().map(|request| match &request.ended {
                None => format!("{} open", request.number),
                Some((end, _)) => format!("{} {}", request.number, request_end(*end)),
            });
            format!("requests of {drop} show: {}", words.collect::<Vec<_>>().join(" and "))
        }
        Effect::Air(drop) => format!("air {drop}"),
        Effect::Room(room) => format!("room {} changes", room.stream),
        Effect::Supply { drop, pool, units } => {
            format!("supply {drop} {} {units}", names.pool(*drop, *pool))
        }
        Effect::Draw { drop, pool, units } => {
            format!("{units} fewer in reserve of {drop} {}", names.pool(*drop, *pool))
        }
        Effect::Give { hold, units, .. } => format!("give {units} of {}", names.hold(*hold)),
        Effect::Order { hold, .. } => format!("order {}", names.hold(*hold)),
        Effect::Stretched { hold, .. } => format!("stretch of {} shows", names.hold(*hold)),
        Effect::Extended { drop, .. } => format!("extension of {drop} shows"),
        Effect::Attempt(attempt) => {
            format!("attempt {} for {}", names.hold(attempt.hold), attempt.amount)
        }
        Effect::PaymentFailed { hold, .. } => format!("payment of {} failed", names.hold(*hold)),
        Effect::Lift { part, .. } => format!("lift {part}"),
        Effect::SetRates { .. } => "set the rates".to_owned(),
    }
}

/// What became of the copy of a drop.
fn copy_words(copy: PlannedCopy) -> String {
    match copy {
        PlannedCopy::Drop(drop) => format!("copy {drop}"),
        PlannedCopy::None(why) => format!("no copy ({})", why.code()),
    }
}

/// The answer to a command.
pub(crate) fn answer(outcome: &CommandOutcome) -> String {
    let done = match outcome {
        Ok(done) => done,
        Err(refusal) => return format!("refused, {}", refusal.code()),
    };
    let mut text = "ok".to_owned();
    if done.drop != DropId::HOUSE {
        write!(text, " {}", done.drop).unwrap();
    }
    text += &done.lot.map_or(String::new(), |lot| format!(" lot {lot}"));
    text += &done.units.map_or(String::new(), |units| format!(" of {units}"));
    text += &done.asked.map_or(String::new(), |asked| {
        format!(" asked {} with {} in reserve", asked.request, asked.reserve)
    });
    text += &done.copy.map_or(String::new(), |copy| format!(" {}", copy_words(copy)));
    text += &done.ban.map_or(String::new(), |ban| format!(" {ban}"));
    text + if done.replayed { " replayed" } else { "" }
}
