//! Every command of these tests is made here.

use std::sync::Arc;

use stampede_books::{Action, Role, SeenDrop, StaffCommand, StreamScope};
use stampede_domain::{
    BanId, BanTarget, DropId, DropPlan, DurationMs, KeyFingerprint, MerchantId, Rates,
};
use stampede_ledger::RoomOwner;
use stampede_testkit::units;

use crate::words::{Words, plan_words, span};

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
pub(crate) const CAST: [Staff; 8] = [
    staff("ada", Role::Admin, None),
    staff("nina", Role::Host, None),
    staff("acme", Role::Merchant, Some("acme")),
    staff("beta", Role::Merchant, Some("beta")),
    staff("olga", Role::Ops, None),
    staff("pia", Role::Platform, None),
    staff("carla", Role::Creator, None),
    staff("stan", Role::Stage, None),
];

/// A command of one of the cast.
pub(crate) fn command(
    by: Staff,
    key: &str,
    (drop, action): (Option<DropId>, Action),
) -> StaffCommand {
    StaffCommand {
        actor: by.name.to_owned(),
        role: by.role,
        merchant: by.merchant.map(|merchant| merchant.parse().unwrap()),
        streams: StreamScope::All,
        key: key.parse().unwrap(),
        reason: None,
        drop,
        seen: None,
        action,
    }
}

/// The same command, for the drop as it was seen.
pub(crate) fn seen(command: StaffCommand, seen: Option<SeenDrop>) -> StaffCommand {
    StaffCommand { seen, ..command }
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
        Action::Ban { target: BanTarget::Viewer(viewer), .. } => Some(viewer.as_str()),
        _ => None,
    }
}

/// A command in words, after its actor: `open d1 in 20s`, `stop for 5m`, `ban viewer bob release`.
/// `None` if the first word is no command.
pub(crate) fn spoken(line: &str) -> Option<(Option<DropId>, Action)> {
    let mut words = Words::of(line);
    let verb = words.word();
    let (drop, action) = match of_drop(verb, &mut words) {
        Some((drop, action)) => (Some(drop), action),
        None => (None, of_brake(verb, &mut words).or_else(|| of_stream(verb, &mut words))?),
    };
    words.end();
    Some((drop, action))
}

fn of_drop(verb: &str, words: &mut Words<'_>) -> Option<(DropId, Action)> {
    let verbs = "edit cancel open cancel_countdown pause resume feature close restock";
    if !verbs.split(' ').any(|known| known == verb) {
        return None;
    }
    let drop = words.word().parse().unwrap();
    let action = match verb {
        "edit" => Action::Edit { plan: Arc::new(plan_words(words)) },
        "cancel" => Action::Cancel,
        "open" => match words.after("in") {
            Some(countdown) => Action::OpenAfter { countdown: span(countdown) },
            None => Action::Open,
        },
        "cancel_countdown" => Action::CancelCountdown,
        "pause" => Action::Pause,
        "resume" => Action::Resume,
        "feature" => Action::Feature,
        "close" => Action::Close,
        _ => {
            let (sku, count) = (words.word().parse().unwrap(), words.number());
            Action::Restock { sku, units: units(count) }
        }
    };
    Some((drop, action))
}

fn of_brake(verb: &str, words: &mut Words<'_>) -> Option<Action> {
    Some(match verb {
        "stop" => Action::Stop { expires_in: words.lasting() },
        "go" => Action::Go,
        "rates" => {
            let rates = Rates {
                buys_per_s: words.after("buys").map(|rate| rate.parse().unwrap()),
                hellos_per_s: words.after("hellos").map(|rate| rate.parse().unwrap()),
                tick_interval: words.after("ticks").map(span),
            };
            words.take("none");
            Action::SetRates { rates, expires_in: words.lasting() }
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
            Action::Ban { target, release_holds, expires_in: words.lasting() }
        }
        "unban" => Action::Unban { ban: words.word().parse().unwrap() },
        _ => return None,
    })
}

fn of_stream(verb: &str, words: &mut Words<'_>) -> Option<Action> {
    if verb == "plan" {
        return Some(Action::Plan { plan: Arc::new(plan_words(words)) });
    }
    let verbs = "offline online make_room move_room admit dismiss end_room video";
    if !verbs.split(' ').any(|known| known == verb) {
        return None;
    }
    let stream = words.word().parse().unwrap();
    Some(match verb {
        "offline" => Action::StreamOffline { stream },
        "online" => Action::StreamOnline { stream },
        "make_room" => Action::MakeRoom { stream, owner: owner(words) },
        "move_room" => Action::MoveRoom { stream, owner: owner(words) },
        "admit" => Action::Admit { stream, merchant: words.word().parse().unwrap() },
        "dismiss" => Action::Dismiss { stream, merchant: words.word().parse().unwrap() },
        "end_room" => Action::EndRoom { stream },
        _ => Action::SetVideoDelay { stream, delay: words.span() },
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
pub(crate) fn every_action(drop: DropId, plan: &DropPlan) -> Vec<(Option<DropId>, Action)> {
    let show = || plan.stream.clone();
    let beta: MerchantId = "beta".parse().unwrap();
    let plan = || Arc::new(DropPlan { title: "Other mugs".into(), ..plan.clone() });
    let (target, span) = (BanTarget::Viewer("bob".parse().unwrap()), DurationMs::from_secs);
    let of_drop = [
        Action::Edit { plan: plan() },
        Action::Cancel,
        Action::Open,
        Action::OpenAfter { countdown: span(20) },
        Action::CancelCountdown,
        Action::Pause,
        Action::Resume,
        Action::Feature,
        Action::Close,
        Action::Restock { sku: "mug".parse().unwrap(), units: units(3) },
    ];
    let of_house = [
        Action::Plan { plan: plan() },
        Action::Stop { expires_in: Some(span(60)) },
        Action::Go,
        Action::SetRates { rates: Rates { buys_per_s: Some(10), ..Rates::NONE }, expires_in: None },
        Action::Ban { target, release_holds: true, expires_in: None },
        Action::Unban { ban: BanId::new(1) },
        Action::StreamOffline { stream: show() },
        Action::StreamOnline { stream: show() },
        Action::MakeRoom { stream: "other".parse().unwrap(), owner: RoomOwner::House },
        Action::MoveRoom { stream: show(), owner: RoomOwner::House },
        Action::Admit { stream: show(), merchant: beta },
        Action::Dismiss { stream: show(), merchant: "acme".parse().unwrap() },
        Action::EndRoom { stream: show() },
        Action::SetVideoDelay { stream: show(), delay: span(5) },
    ];
    let of_drop = of_drop.map(|action| (Some(drop), action));
    of_drop.into_iter().chain(of_house.map(|action| (None, action))).collect()
}

/// What an action is called in the table.
pub(crate) fn label(action: &Action) -> &'static str {
    match action {
        Action::OpenAfter { .. } => "open (in 20s)",
        action => action.name(),
    }
}

/// Whether it makes sense only while takes are stopped.
pub(crate) fn needs_stop(action: &Action) -> bool {
    matches!(action, Action::Go)
}
