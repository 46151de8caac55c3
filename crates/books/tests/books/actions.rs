//! Every command of these tests is made here.

use std::sync::Arc;

use stampede_books::{
    Action, AmendTerms, BrakeAction, CancelOrder, DropAction, Role, SeenDrop, StaffCommand,
    StreamAction, StreamScope, TakeBack,
};
use stampede_domain::{
    BanId, BanTarget, DropId, DropPlan, DurationMs, HoldId, Incarnation, KeyFingerprint,
    MerchantId, NewEnd, PaymentId, Rates, StreamId,
};
use stampede_ledger::RoomOwner;
use stampede_testkit::units;

use crate::words::{Words, plan_words, span, time};

/// A member of staff with the token that commands come with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// The merchant that the token is bound to.
    pub(crate) merchant: Option<&'static str>,
}

const fn staff(name: &'static str, role: Role, merchant: Option<&'static str>) -> Staff {
    Staff { name, role, merchant }
}

/// One for each role; two merchants, of whom the second has nothing in the stream `show`.
pub(crate) const CAST: [Staff; 9] = [
    staff("ada", Role::Admin, None),
    staff("nina", Role::Host, None),
    staff("acme", Role::Merchant, Some("acme")),
    staff("beta", Role::Merchant, Some("beta")),
    staff("olga", Role::Ops, None),
    staff("pia", Role::Platform, None),
    staff("carla", Role::Creator, None),
    staff("stan", Role::Stage, None),
    staff("petra", Role::Payments, None),
];

/// A command of one of the cast.
pub(crate) fn command(by: Staff, key: &str, action: Action) -> StaffCommand {
    StaffCommand {
        actor: by.name.to_owned(),
        role: by.role,
        merchant: by.merchant.map(|merchant| merchant.parse().unwrap()),
        streams: StreamScope::All,
        key: key.parse().unwrap(),
        reason: action.needs_reason().then(|| "the provider is down".to_owned()),
        action,
    }
}

/// The same command, for the drop as it was seen.
pub(crate) fn seen(command: StaffCommand, seen: Option<SeenDrop>) -> StaffCommand {
    match command.action {
        Action::Drop { drop, action, .. } => {
            StaffCommand { action: action.on_seen(drop, seen), ..command }
        }
        _ => command,
    }
}

/// What makes two commands the same: whose, with which key, for what and for whom.
pub(crate) fn identity(
    command: &StaffCommand,
) -> (&str, KeyFingerprint, KeyFingerprint, Option<KeyFingerprint>) {
    let key = command.key.fingerprint();
    (&command.actor, key, command.request(), command.action.personal())
}

/// The viewer whom the command is to ban.
pub(crate) fn banned_viewer(command: &StaffCommand) -> Option<&str> {
    match &command.action {
        Action::Brake(BrakeAction::Ban { target: BanTarget::Viewer(viewer), .. }) => {
            Some(viewer.as_str())
        }
        _ => None,
    }
}

/// A command in words, after its actor: `open d1 in 20s`, `stop for 5m`, `ban viewer bob release`.
/// `None` if the first word is no command.
pub(crate) fn spoken(line: &str) -> Option<Action> {
    let mut words = Words::of(line);
    let verb = words.word();
    if verb == "close_unmatched" {
        let (account, reference) = words.word().split_once('/').unwrap();
        let payment = PaymentId::new(account, reference).unwrap();
        words.end();
        return Some(Action::CloseUnmatched { payment });
    }
    let action = of_drop(verb, &mut words)
        .or_else(|| of_brake(verb, &mut words).map(Action::from))
        .or_else(|| of_stream(verb, &mut words))?;
    words.end();
    Some(action)
}

fn of_drop(verb: &str, words: &mut Words<'_>) -> Option<Action> {
    if verb == "cancel_order" {
        let (order, units): (HoldId, _) = (words.word().parse().unwrap(), words.number());
        let amount = words.after("amount").map(|minor| minor.parse().unwrap());
        let restock = words.take("restock");
        let seen = words.after("seen").map(|count| count.parse().unwrap());
        let cancel = CancelOrder { order, units, amount, restock, seen };
        return Some(DropAction::CancelOrder(cancel).on(order.drop_id()));
    }
    let verbs = "edit cancel open cancel_countdown pause resume feature move wind_down close undo restock \
                 take_back amend extend grant_request decline_request withdraw_request";
    if !verbs.split(' ').any(|known| known == verb) {
        return None;
    }
    let drop: DropId = words.word().parse().unwrap();
    let action = match verb {
        "edit" => DropAction::Edit { plan: Arc::new(plan_words(words)) },
        "cancel" => DropAction::Cancel,
        "open" => match words.after("in") {
            Some(countdown) => DropAction::StartCountdownFor { countdown: span(countdown) },
            None => DropAction::StartCountdown,
        },
        "cancel_countdown" => DropAction::CancelCountdown,
        "pause" => DropAction::Pause,
        "resume" => DropAction::Resume,
        "feature" => DropAction::Feature,
        "move" => {
            let place = u16::try_from(words.number()).expect("a place of the running order");
            DropAction::Move { place }
        }
        "wind_down" => DropAction::WindDown,
        "close" => DropAction::Close,
        "undo" => DropAction::Undo,
        "extend" => DropAction::Extend { by: words.span() },
        "amend" => DropAction::Amend(other_terms(words)),
        "grant_request" => DropAction::GrantRequest { number: words.number() },
        "decline_request" => DropAction::DeclineRequest { number: words.number() },
        "withdraw_request" => DropAction::WithdrawRequest { number: words.number() },
        "restock" => {
            let (sku, units) = (words.word().parse().unwrap(), units(words.number()));
            DropAction::Restock { sku, units }
        }
        _ => {
            let sku = words.word().parse().unwrap();
            let units = if words.take("all") { None } else { Some(units(words.number())) };
            let to_reserve = words.take("to_reserve");
            DropAction::TakeBack(TakeBack { sku, units, to_reserve })
        }
    };
    Some(action.on(drop))
}

/// `limit 4 mug 2 cup 3 end 5m`, each part as needed; `end never` takes the end away.
fn other_terms(words: &mut Words<'_>) -> AmendTerms {
    let limit_per_viewer = words.after("limit").map(|limit| units(limit.parse().unwrap()));
    let mut skus = Vec::new();
    while let Some(sku) = words.next_if(|word| word != "end") {
        skus.push((sku.parse().unwrap(), units(words.number())));
    }
    let end = words.after("end").map(|end| match end {
        "never" => NewEnd::Never,
        at => NewEnd::At(time(span(at))),
    });
    AmendTerms { limit_per_viewer, skus, end }
}

fn of_brake(verb: &str, words: &mut Words<'_>) -> Option<BrakeAction> {
    Some(match verb {
        "stop" => BrakeAction::Halt { expires_in: words.lasting() },
        "go" => BrakeAction::Go,
        "rates" => {
            let rates = Rates {
                buys_per_s: words.after("buys").map(|rate| rate.parse().unwrap()),
                hellos_per_s: words.after("hellos").map(|rate| rate.parse().unwrap()),
                tick_interval: words.after("ticks").map(span),
            };
            words.take("none");
            BrakeAction::SetRates { rates, expires_in: words.lasting() }
        }
        "ban" => {
            let target = match words.word() {
                "viewer" => BanTarget::Viewer(words.word().parse().unwrap()),
                "addresses" => BanTarget::Addresses(words.word().parse().unwrap()),
                _ => BanTarget::Channel {
                    channel: words.word().parse().unwrap(),
                    stream: words.after("in").map(|stream| stream.parse().unwrap()),
                },
            };
            let release_holds = words.take("release");
            BrakeAction::Ban { target, release_holds, expires_in: words.lasting() }
        }
        "unban" => BrakeAction::Unban { ban: words.word().parse().unwrap() },
        _ => return None,
    })
}

fn of_stream(verb: &str, words: &mut Words<'_>) -> Option<Action> {
    if verb == "plan" {
        return Some(Action::Plan { plan: Arc::new(plan_words(words)) });
    }
    let verbs = "offline online make_room move_room admit dismiss allow_hosts forbid_hosts end_room video rehearse \
         end_rehearsal";
    if !verbs.split(' ').any(|known| known == verb) {
        return None;
    }
    let stream = words.word().parse().unwrap();
    Some(match verb {
        "offline" => StreamAction::Offline.on(stream),
        "online" => StreamAction::Online.on(stream),
        "make_room" => StreamAction::MakeRoom { owner: owner(words) }.on(stream),
        "move_room" => StreamAction::MoveRoom { owner: owner(words) }.on(stream),
        "admit" => StreamAction::Admit { merchant: words.word().parse().unwrap() }.on(stream),
        "dismiss" => StreamAction::Dismiss { merchant: words.word().parse().unwrap() }.on(stream),
        "allow_hosts" => {
            StreamAction::AllowHosts { merchant: words.word().parse().unwrap() }.on(stream)
        }
        "forbid_hosts" => {
            StreamAction::ForbidHosts { merchant: words.word().parse().unwrap() }.on(stream)
        }
        "end_room" => StreamAction::EndRoom.on(stream),
        "rehearse" => StreamAction::Rehearse { viewers: 200 }.on(stream),
        "end_rehearsal" => StreamAction::EndRehearsal.on(stream),
        _ => StreamAction::SetVideoDelay { delay: words.span() }.on(stream),
    })
}

fn owner(words: &mut Words<'_>) -> RoomOwner {
    match words.word() {
        "house" => RoomOwner::House,
        "merchant" => RoomOwner::Merchant(words.word().parse().unwrap()),
        _ => RoomOwner::Creator(words.word().into()),
    }
}

/// Every action once, with plain parameters about the drop and the stream `show`.
pub(crate) fn every_action(drop: DropId, plan: &DropPlan) -> Vec<Action> {
    let of_streams = on_stream(&plan.stream);
    let plan = || Arc::new(DropPlan { title: "Other mugs".into(), ..plan.clone() });
    let (target, span) = (BanTarget::Viewer("bob".parse().unwrap()), DurationMs::from_secs);
    let cancel = |restock| CancelOrder {
        order: order_of(drop),
        units: 1,
        amount: None,
        restock,
        seen: None,
    };
    let take_back =
        |to_reserve| TakeBack { sku: "mug".parse().unwrap(), units: Some(units(3)), to_reserve };
    let of_drop = [
        DropAction::Edit { plan: plan() },
        DropAction::Patch { plan: plan(), changes: KeyFingerprint::of(b"title") },
        DropAction::Cancel,
        DropAction::StartCountdown,
        DropAction::StartCountdownFor { countdown: span(20) },
        DropAction::CancelCountdown,
        DropAction::Pause,
        DropAction::Resume,
        DropAction::Feature,
        DropAction::Move { place: 5 },
        DropAction::WindDown,
        DropAction::Close,
        DropAction::Undo,
        DropAction::Restock { sku: "mug".parse().unwrap(), units: units(3) },
        DropAction::GrantRequest { number: 1 },
        DropAction::DeclineRequest { number: 1 },
        DropAction::WithdrawRequest { number: 1 },
        DropAction::WithdrawRequest { number: 2 },
        DropAction::TakeBack(take_back(false)),
        DropAction::TakeBack(take_back(true)),
        amend(Some(4), None),
        amend(None, Some(NewEnd::Never)),
        DropAction::CancelOrder(cancel(false)),
        DropAction::CancelOrder(cancel(true)),
        DropAction::Extend { by: span(30) },
    ];
    let of_brake = [
        BrakeAction::Halt { expires_in: Some(span(60)) },
        BrakeAction::Go,
        BrakeAction::SetRates {
            rates: Rates { buys_per_s: Some(10), ..Rates::NONE },
            expires_in: None,
        },
        BrakeAction::Ban { target, release_holds: true, expires_in: None },
        BrakeAction::Unban { ban: BanId::new(1) },
    ];
    let of_drop = of_drop.map(|action| action.on(drop)).into_iter();
    let of_brake = of_brake.map(Action::from).into_iter();
    let close = Action::CloseUnmatched { payment: unmatched_payment() };
    let others = [Action::Plan { plan: plan() }].into_iter().chain(of_brake).chain(of_streams);
    of_drop.chain(others).chain([close]).collect()
}

/// Every action about the stream once.
fn on_stream(stream: &StreamId) -> [Action; 12] {
    let show = || stream.clone();
    let merchant = |name: &str| -> MerchantId { name.parse().unwrap() };
    [
        StreamAction::Offline.on(show()),
        StreamAction::Online.on(show()),
        StreamAction::MakeRoom { owner: RoomOwner::House }.on("other".parse().unwrap()),
        StreamAction::MoveRoom { owner: RoomOwner::House }.on(show()),
        StreamAction::Admit { merchant: merchant("beta") }.on(show()),
        StreamAction::Dismiss { merchant: merchant("acme") }.on(show()),
        StreamAction::AllowHosts { merchant: merchant("acme") }.on(show()),
        StreamAction::ForbidHosts { merchant: merchant("acme") }.on(show()),
        StreamAction::EndRoom.on(show()),
        StreamAction::SetVideoDelay { delay: DurationMs::from_secs(5) }.on(show()),
        StreamAction::Rehearse { viewers: 200 }.on(show()),
        StreamAction::EndRehearsal.on(show()),
    ]
}

fn amend(limit: Option<u32>, end: Option<NewEnd>) -> DropAction {
    let (limit_per_viewer, skus) = (limit.map(units), Vec::new());
    DropAction::Amend(AmendTerms { limit_per_viewer, skus, end })
}

/// The payment that nobody can match.
pub(crate) fn unmatched_payment() -> PaymentId {
    PaymentId::new("stripe:main", "pi_1").unwrap()
}

/// The order that commands about one name.
pub(crate) fn order_of(drop: DropId) -> HoldId {
    stampede_testkit::hold(drop, Incarnation::new(1).unwrap(), 1)
}

/// What an action is called in the table.
pub(crate) fn label(action: &Action) -> &'static str {
    match action {
        Action::Drop { action: DropAction::StartCountdownFor { .. }, .. } => "open (in 20s)",
        Action::Drop { action: DropAction::CancelOrder(cancel), .. } if cancel.restock => {
            "cancel_order (restock)"
        }
        Action::Drop { action: DropAction::TakeBack(back), .. } if back.to_reserve => {
            "take_back (to reserve)"
        }
        Action::Drop { action: DropAction::WithdrawRequest { number: 2 }, .. } => {
            "withdraw_request (unknown)"
        }
        Action::Drop { action: DropAction::Amend(wanted), .. } if wanted.end.is_some() => {
            "amend (end)"
        }
        action => action.name(),
    }
}

/// Whether it makes sense only while takes are stopped.
pub(crate) fn needs_stop(action: &Action) -> bool {
    matches!(action, Action::Brake(BrakeAction::Go))
}
