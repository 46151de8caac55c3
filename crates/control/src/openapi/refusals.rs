//! What each operation may refuse although the request is as the document says: because of how things
//! stand, of the clock, of characters that no pattern tells apart, or of several fields together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::operations;
#[allow(clippy::enum_glob_use, reason = "the tables name most of them")]
use crate::problem::Code::{self, *};

/// Decided about every request, before anything else is.
const ANY: &[Code] = &[BadRequest, RequestTimeout, Internal];
/// Decided about whoever has to show who they are.
const SIGNED_IN: &[Code] = &[TokenMissing, TokenUnknown, SessionExpired, TooManyGuesses];
/// A browser's request that changes something.
const BY_PAGE: &[Code] = &[OriginRefused, CsrfFailed];
/// Decided about every command that the engine gets.
const COMMAND: &[Code] =
    &[Forbidden, KeyReused, InvalidReason, Busy, Poisoned, Stopping, OutcomeUnknown];
/// What does not stop a sale has a pace.
const PACED: &[Code] = &[TooManyCommands];
const DROP: &[Code] = &[UnknownDrop, WrongPhase];
/// What is not meant to stop a sale counts towards a drop's commands.
const COUNTED: &[Code] = &[CommandsFull];
const SEEN: &[Code] = &[DropChanged];
const TERMS: &[Code] = &[
    InvalidPlan,
    UnknownCurrency,
    PriceBelowMinimum,
    MemoryFull,
    InThePast,
    TooFarAhead,
    EndsTooSoon,
];
const EDIT: &[Code] = &[StaleTerms, FixedField, AlreadySupplied];
const ROOM: &[Code] = &[UnknownRoom, StreamNotYours];
const OWNER: &[Code] = &[InvalidAccount, FieldsConflict, RoomsFull];
const LEDGER: &[Code] = &[Busy, LedgerDamaged];
/// Decided about every request about payments.
const PAYMENT: &[Code] = &[Forbidden, Busy, Poisoned, Stopping];
const SECRET: &[Code] = &[InvitationUnknown, InvitationUsed, InvitationOver, TooManyGuesses];

/// What a request gets that is not as the document says, some of it from the engine.
const MALFORMED: &[Code] = &[
    BadQuery,
    IdMalformed,
    KeyMissing,
    KeyMalformed,
    IfMatchMissing,
    IfMatchMalformed,
    BadJson,
    BadBody,
    NotJson,
    BodyTooLarge,
    RateOutOfRange,
    ExpiryOutOfRange,
    VideoDelayOutOfRange,
    ExtensionOutOfRange,
];

/// By operation, what it may refuse besides what all of its kind may.
#[rustfmt::skip]
const OWN: &[(&[&str], &[&[Code]])] = &[
    (&["healthz", "openapi"], &[]),
    (&["readyz"], &[&[Draining, Poisoned]]),
    (&["metrics", "list_bans", "brake_state", "list_drops", "list_streams", "list_shows", "list_rooms", "list_sessions",
        "list_invitations", "sign_out_everywhere", "list_tokens", "settings"], &[&[Forbidden]]),
    (&["ban_state"], &[&[Forbidden, UnknownBan]]),
    (&["stop_takes"], &[COMMAND]),
    (&["let_takes_go", "set_rates"], &[COMMAND, PACED, &[NotInForce]]),
    (&["ban"], &[COMMAND, PACED, &[BansFull, FieldsConflict, InvalidViewer, NotAddresses, RangeTooWide]]),
    (&["unban"], &[COMMAND, PACED, &[UnknownBan]]),
    (&["list_commands"], &[LEDGER, &[Forbidden]]),
    (&["list_orders"], &[LEDGER, &[Forbidden, UnknownDrop]]),
    (&["attention"], &[LEDGER, PAYMENT]),
    (&["search_orders", "order_state", "order_timeline"], &[LEDGER, &[Forbidden, UnknownOrder]]),
    (&["demo"], &[&[Forbidden, NoDemo]]),
    (&["kill"], &[&[Forbidden, NoDemo, DemoBusy]]),
    (&["plan_drop"], &[COMMAND, PACED, TERMS, &[HostsNotAllowed, StreamFull, StreamNotYours, ShareFull, RoomsFull]]),
    (&["drop_state", "drop_audit", "drop_report", "drop_table", "show_report"], &[LEDGER, &[Forbidden, UnknownDrop]]),
    (&["edit_drop", "patch_drop"], &[COMMAND, PACED, COUNTED, DROP, TERMS, EDIT, &[HostsNotAllowed]]),
    (&["open_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[CountdownTooShort, InThePast, EndsTooSoon]]),
    (&["cancel_drop"], &[COMMAND, DROP, &[HostsNotAllowed]]),
    (&["cancel_countdown", "pause_drop"], &[COMMAND, DROP]),
    (&["close_drop"], &[COMMAND, DROP, SEEN]),
    (&["resume_drop", "wind_down"], &[COMMAND, PACED, COUNTED, DROP, SEEN]),
    (&["move_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[AlreadySupplied]]),
    (&["feature_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[StreamNotYours]]),
    (&["restock_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[UnknownSku, LotOutOfRange, MemoryFull, RequestsFull]]),
    (&["list_requests"], &[&[Forbidden, UnknownDrop]]),
    (&["grant_request"], &[COMMAND, PACED, COUNTED, &[UnknownRequest, RequestOver, LotOutOfRange, MemoryFull]]),
    (&["decline_request", "withdraw_request"], &[COMMAND, PACED, COUNTED, &[UnknownRequest, RequestOver]]),
    (&["undo_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[AlreadyPaid]]),
    (&["take_back"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[UnknownSku, LotOutOfRange, NotFree]]),
    (&["amend_drop"], &[COMMAND, PACED, COUNTED, DROP, SEEN, &[UnknownSku, InvalidPlan, InvalidAmendment, InThePast,
        TooFarAhead, EndsTooSoon]]),
    (&["cancel_order"], &[COMMAND, PACED, COUNTED, DROP, &[UnknownOrder, OrderChanged, NothingToCancel, MoreThanOrdered,
        MoreThanPaid, LotOutOfRange, MemoryFull, MoneyNotLoaded]]),
    (&["extend_holds"], &[COMMAND, PACED, COUNTED, DROP, &[ExtensionsFull]]),
    (&["close_unmatched"], &[COMMAND, PACED, &[UnknownPayment]]),
    (&["stream_state"], &[&[Forbidden, UnknownStream]]),
    (&["follow_stream"], &[&[TooManyFollowers, Draining]]),
    (&["stream_offline", "stream_online"], &[COMMAND, PACED, &[UnknownStream]]),
    (&["begin_rehearsal"], &[COMMAND, PACED, &[UnknownStream, LiveOnAir, RehearsalRuns, RehearsalOnAir, NothingPlanned, NoPlaces, NoCrowd,
        StreamNotYours, StreamFull, ShareFull, MemoryFull]]),
    (&["end_rehearsal"], &[COMMAND, &[UnknownStream, NoRehearsal]]),
    (&["rehearsal_state"], &[&[Forbidden]]),
    (&["write_stage_line"], &[PACED, &[Forbidden, UnknownRoom, InvalidLine]]),
    (&["room_state"], &[&[Forbidden, UnknownRoom]]),
    (&["make_room"], &[COMMAND, PACED, OWNER, &[RoomExists]]),
    (&["move_room"], &[COMMAND, PACED, OWNER, ROOM, &[RoomUnchanged]]),
    (&["admit_merchant"], &[COMMAND, PACED, ROOM, &[RoomUnchanged, RoomFull]]),
    (&["allow_hosts", "forbid_hosts"], &[COMMAND, PACED, ROOM, &[RoomUnchanged]]),
    (&["dismiss_merchant"], &[COMMAND, PACED, ROOM, &[RoomUnchanged]]),
    (&["set_video_delay"], &[COMMAND, PACED, ROOM, &[RoomUnchanged, CountdownRuns]]),
    (&["end_room"], &[COMMAND, PACED, ROOM, &[RoomInUse]]),
    (&["report_payment"], &[PAYMENT, &[UnknownHold, KeyReused, OutcomeUnknown, AccountReserved, FieldsConflict,
        UnknownCurrency, AmountDiffers, RefundAbovePayment, TooManyPayments, TestMoney, NoHolds,
        TooManyHolds]]),
    (&["hold_state"], &[PAYMENT, &[UnknownHold]]),
    (&["set_charges"], &[PAYMENT, &[UnknownHold, OutcomeUnknown, AmountFixed, AmountTooLarge]]),
    (&["payment_state"], &[PAYMENT, &[UnknownPayment]]),
    (&["payments_todo"], &[PAYMENT]),
    (&["sign_in"], &[SECRET, &[TokenUnknown, OriginRefused, FieldsConflict, PublicUrlMissing, SessionsFull]]),
    (&["current_session", "sign_out"], &[&[UnknownSession]]),
    (&["end_session"], &[&[Forbidden, UnknownSession]]),
    (&["look_at_invitation"], &[SECRET]),
    (&["invite"], &[&[Forbidden, FieldsConflict, InvalidName, NameTaken, InvitationsFull, PublicUrlMissing]]),
    (&["list_shares"], &[&[Forbidden]]),
    (&["share_report"], &[&[Forbidden, UnknownDrop, FieldsConflict, InvalidLabel, SharesFull, KeyReused]]),
    (&["shared_file"], &[&[UnknownShare, ShareOver, NotShared, TooManyReads, TooManyGuesses, Busy, ReportUnavailable]]),
    (&["revoke_share"], &[&[Forbidden, UnknownShare]]),
    (&["revoke_token"], &[&[Forbidden, UnknownToken, LastAdmin]]),
    (&["withdraw_invitation"], &[&[Forbidden, InvitationUnknown]]),
];

/// Lists the codes, and which statuses there are: of these and of requests that are not as the document says.
pub(super) fn say_refusals(document: &mut Value) {
    document["x-malformed"] = json!(by_status(MALFORMED));
    for (_, method, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let own = OWN.iter().find(|(ids, _)| ids.contains(&id.as_str()));
        let (_, own) = own.unwrap_or_else(|| unreachable!("{id} has no list of refusals"));
        let mut codes: Vec<Code> = own.concat();
        codes.extend(ANY);
        if operation.get("security").is_some() {
            codes.extend(SIGNED_IN);
            if method != "get" {
                codes.extend(BY_PAGE);
            }
        }
        operation["x-refusals"] = json!(by_status(&codes));
        codes.extend(malformed(operation));
        let all = by_status(&codes);
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        responses.retain(|status, _| status.starts_with('2') || all.contains_key(status));
        for (status, codes) in &all {
            responses.entry(status).or_insert_with(|| response(codes));
        }
    }
}

/// What a request gets that is not as the document says.
fn malformed(operation: &Value) -> Vec<Code> {
    // No operation takes a field of the query that it does not name.
    let mut codes = vec![BadQuery];
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        match parameter["name"].as_str() {
            Some("Idempotency-Key") if parameter["required"] == false => codes.push(KeyMalformed),
            Some("Idempotency-Key") => codes.extend([KeyMissing, KeyMalformed]),
            Some("If-Match") => codes.extend([IfMatchMissing, IfMatchMalformed]),
            _ if parameter["in"] == "path" => codes.push(IdMalformed),
            _ => {}
        }
    }
    if operation.get("requestBody").is_some() {
        codes.extend([BadJson, BadBody, NotJson, BodyTooLarge]);
    }
    codes
}

/// Names of codes by their status, each once.
fn by_status(codes: &[Code]) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for code in codes {
        found.entry(code.status().as_str().to_owned()).or_default().insert(code.name());
    }
    found
}

fn response(codes: &BTreeSet<&'static str>) -> Value {
    let titles: Vec<_> =
        codes.iter().filter_map(|name| Code::from_name(name)).map(Code::title).collect();
    json!({
        "description": format!("{}.", titles.join("; ")),
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
