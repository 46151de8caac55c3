//! The commands at the foot of the page: always in their place, with a reason where they make no sense.

use serde::Serialize;

use super::{
    Cast, Reader, Standing,
    cue::countdown,
    standing::{Sum, units_asked},
};
use crate::{
    answers::{Phase, Sale, Snapshot},
    numbers::{count, short_clock},
    words::Language,
};

/// Drops that the sheet offers to put on air, as many as have a key.
const AIRS: [&str; 4] = ["4", "5", "6", "7"];

/// How long after an opening it is told why it can no longer be undone, in milliseconds.
const UNDO_SOUGHT_MS: u64 = 60_000;

/// The commands in their order.
#[derive(Debug, Serialize)]
pub(crate) struct Buttons {
    pub(crate) stop: Button,
    pub(crate) restock: Button,
    /// Opens the sheet with those that follow.
    pub(crate) more: Button,
    /// Asks which units come off sale.
    pub(crate) take_back: Button,
    /// Asks by how much the end moves.
    pub(crate) extend: Button,
    /// Asks whether the drop sells on what comes back, then closes.
    pub(crate) wind_down: Button,
    /// Asks for the limits of viewers.
    pub(crate) limits: Button,
    /// Drops that can go on air in the place of the one that is; one dead button if there is none.
    pub(crate) airs: Vec<Button>,
    pub(crate) close: Button,
    /// Beside the result of the last command.
    pub(crate) undo: Button,
    pub(crate) next: Button,
}

/// One command.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Button {
    /// What a press asks for, as the last part of the command's path.
    pub(crate) act: &'static str,
    /// The drop that it is asked of, empty if there is none.
    pub(crate) drop: String,
    pub(crate) label: &'static str,
    /// What it does, or why it cannot.
    pub(crate) effect: String,
    pub(crate) key: &'static str,
    pub(crate) icon: &'static str,
    /// `solid`, `go` or `plain`; `gone` if it is not there.
    pub(crate) look: &'static str,
    pub(crate) enabled: bool,
}

/// What each role may ask for; the server decides, this only says it beforehand.
pub(crate) fn may(role: &str, act: &str) -> bool {
    match role {
        "admin" => true,
        "merchant" => act != "withdraw",
        "host" => !matches!(act, "grant" | "decline"),
        "creator" => {
            !matches!(act, "restock" | "take-back" | "amend" | "grant" | "decline" | "withdraw")
        }
        "ops" => matches!(act, "pause" | "close" | "cancel-countdown"),
        _ => false,
    }
}

/// Whether the role sets the video's delay and writes the line for the stage.
pub(crate) fn may_write(role: &str) -> bool {
    matches!(role, "admin" | "merchant" | "host" | "creator")
}

/// Whether a role may invite somebody to the stage.
pub(crate) fn may_invite(role: &str) -> bool {
    matches!(role, "admin" | "merchant" | "host")
}

impl Button {
    /// What the browser copies for each drop that can be put on air.
    pub(crate) fn blank_air(words: Language) -> Self {
        let (drop, effect, label) = (String::new(), String::new(), words.put_on_air());
        Self {
            act: "feature",
            drop,
            label,
            effect,
            key: "",
            icon: "air",
            look: "plain",
            enabled: false,
        }
    }

    /// The same button, dead for a reason.
    fn dead(self, why: &str) -> Self {
        Self { enabled: false, look: "plain", effect: why.to_owned(), ..self }
    }

    fn for_role(self, reader: Reader<'_>) -> Self {
        if self.enabled && !may(reader.role, self.act) {
            return self.dead(reader.language.why_role());
        }
        self
    }
}

impl Buttons {
    pub(crate) fn new(snapshot: &Snapshot, cast: &Cast<'_>, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let airs = airs(snapshot, cast, reader);
        let take_back = take_back(cast.air, words).for_role(reader);
        let close = close(cast.air, words).for_role(reader);
        let [extend, wind_down, limits] =
            [extend(cast.air, reader), wind_down(cast.air, words), limits(cast.air, words)]
                .map(|one| one.for_role(reader));
        Self {
            stop: stop(cast.air, words).for_role(reader),
            restock: restock(cast.air, words).for_role(reader),
            more: more([&take_back, &extend, &wind_down, &limits, &close], &airs, words),
            take_back,
            extend,
            wind_down,
            limits,
            airs,
            close,
            undo: undo(cast.air, reader),
            next: next(cast, snapshot.video_delay_ms, words).for_role(reader),
        }
    }
}

fn id(sale: Option<&Sale>) -> String {
    sale.map(|sale| sale.drop.clone()).unwrap_or_default()
}

fn stop(air: Option<&Sale>, words: Language) -> Button {
    let pause = Button {
        act: "pause",
        drop: id(air),
        label: words.pause(),
        effect: words.pause_effect().to_owned(),
        key: "P",
        icon: "bars",
        look: "solid",
        enabled: true,
    };
    match air.map(Standing::of) {
        Some(Standing::Open | Standing::AllTaken) => pause,
        Some(Standing::Countdown) => Button {
            act: "cancel-countdown",
            label: words.cancel_countdown(),
            effect: words.cancel_effect().to_owned(),
            key: "Esc",
            icon: "cross",
            ..pause
        },
        Some(Standing::Paused) => Button {
            act: "resume",
            label: words.resume(),
            effect: words.resume_effect().to_owned(),
            key: "O",
            icon: "play",
            look: "go",
            ..pause
        },
        Some(Standing::SoldOut) => pause.dead(words.why_nothing_to_stop()),
        _ => pause.dead(words.why_nothing_open()),
    }
}

fn restock(air: Option<&Sale>, words: Language) -> Button {
    let reserve = air.map_or(0, |sale| Sum::of(&sale.skus).reserve);
    let asked = air.map_or(0, units_asked);
    let button = Button {
        act: "restock",
        drop: id(air),
        label: words.restock(),
        effect: match (asked, reserve) {
            (0, 0) => words.restock_effect().to_owned(),
            (0, reserve) => words.in_reserve(count(reserve)),
            (asked, _) => words.asked_for(count(asked)),
        },
        key: "R",
        icon: "plus",
        look: "plain",
        enabled: true,
    };
    match while_open(air, words) {
        Some(why) => button.dead(why),
        None => button,
    }
}

fn take_back(air: Option<&Sale>, words: Language) -> Button {
    let button = Button {
        act: "take-back",
        drop: id(air),
        label: words.take_back(),
        effect: words.take_back_effect().to_owned(),
        key: "1",
        icon: "minus",
        look: "plain",
        enabled: true,
    };
    let is_empty = air.is_none_or(|sale| Sum::of(&sale.skus).left == 0);
    let why = while_open(air, words).or(is_empty.then(|| words.why_nothing_left()));
    match why {
        Some(why) => button.dead(why),
        None => button,
    }
}

fn extend(air: Option<&Sale>, reader: Reader<'_>) -> Button {
    let words = reader.language;
    let ends = air.and_then(Sale::ends_at_ms).zip(reader.ahead_min);
    let button = Button {
        act: "amend",
        drop: id(air),
        label: words.extend(),
        effect: match ends {
            Some((at, ahead)) => words.extend_ends(short_clock(at, ahead)),
            None => words.extend_effect().to_owned(),
        },
        key: "2",
        icon: "clock",
        look: "plain",
        enabled: true,
    };
    // Nothing moves the end of one that winds down.
    let why_not = match air {
        Some(sale) if sale.winds_down() => Some(words.why_winds_down()),
        Some(sale) if sale.closes_in_ms.is_some() => None,
        _ => Some(words.why_no_end()),
    };
    match while_open(air, words).or(why_not) {
        Some(why) => button.dead(why),
        None => button,
    }
}

fn wind_down(air: Option<&Sale>, words: Language) -> Button {
    let button = Button {
        act: "wind-down",
        drop: id(air),
        label: words.wind_down(),
        effect: words.wind_down_effect().to_owned(),
        key: "3",
        icon: "wind",
        look: "plain",
        enabled: true,
    };
    let why_not = match air {
        Some(sale) if sale.winds_down() => Some(words.why_winds_down()),
        Some(sale) if sale.phase == Phase::Paused => Some(words.why_resume_first()),
        _ => None,
    };
    match while_open(air, words).or(why_not) {
        Some(why) => button.dead(why),
        None => button,
    }
}

fn limits(air: Option<&Sale>, words: Language) -> Button {
    let limit = air.map_or(0, |sale| sale.plan.most_each());
    let button = Button {
        act: "amend",
        drop: id(air),
        label: words.limits(),
        effect: words.limits_effect(count(limit)),
        key: "L",
        icon: "person",
        look: "plain",
        enabled: true,
    };
    let is_paused = air.is_some_and(|sale| sale.phase == Phase::Paused);
    match while_open(air, words).or((!is_paused).then(|| words.why_pause_first())) {
        Some(why) => button.dead(why),
        None => button,
    }
}

fn more(others: [&Button; 5], airs: &[Button], words: Language) -> Button {
    let button = Button {
        act: "more",
        drop: String::new(),
        label: words.more(),
        effect: words.more_effect().to_owned(),
        key: "M",
        icon: "more",
        look: "plain",
        enabled: true,
    };
    if others.into_iter().chain(airs).any(|button| button.enabled) {
        return button;
    }
    let [.., close] = others;
    button.dead(&close.effect)
}

fn airs(snapshot: &Snapshot, cast: &Cast<'_>, reader: Reader<'_>) -> Vec<Button> {
    let words = reader.language;
    let button = |drop: &str, key, effect| Button {
        act: "feature",
        drop: drop.to_owned(),
        label: words.put_on_air(),
        effect,
        key,
        icon: "air",
        look: "plain",
        enabled: true,
    };
    let could = |sale: &&Sale| {
        matches!(sale.phase, Phase::Countdown | Phase::Open | Phase::Paused)
            && cast.air.is_none_or(|air| air.drop != sale.drop && air.plan.mode == sale.plan.mode)
    };
    let found = snapshot.drops.iter().filter(could).zip(AIRS).map(|(sale, key)| {
        let left = count(Sum::of(&sale.skus).left);
        button(&sale.drop, key, words.put_on_air_effect(&sale.plan.title, left)).for_role(reader)
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return vec![button("", AIRS[0], String::new()).dead(words.why_no_other_open())];
    }
    found
}

fn close(air: Option<&Sale>, words: Language) -> Button {
    let button = Button {
        act: "close",
        drop: id(air),
        label: words.close(),
        effect: match air.map_or(0, |sale| Sum::of(&sale.skus).held) {
            0 => words.close_effect().to_owned(),
            held => words.close_effect_held(count(held)),
        },
        key: "C",
        icon: "square",
        look: "plain",
        enabled: true,
    };
    match while_open(air, words) {
        Some(why) => button.dead(why),
        None => button,
    }
}

/// Offered while nothing is paid; a minute after the opening nobody looks for it any more once something is.
fn undo(air: Option<&Sale>, reader: Reader<'_>) -> Button {
    let words = reader.language;
    let gone = Button {
        act: "undo",
        drop: id(air),
        label: words.undo(),
        effect: String::new(),
        key: "U",
        icon: "undo",
        look: "gone",
        enabled: false,
    };
    let is_open = |sale: &&Sale| matches!(sale.phase, Phase::Open | Phase::Paused);
    let Some(sale) = air.filter(is_open).filter(|_| may(reader.role, "undo")) else { return gone };
    match Sum::of_sale(sale).paid {
        0 => {
            let effect = words.undo_effect().to_owned();
            Button { effect, look: "plain", enabled: true, ..gone }
        }
        paid if sale.opened_ago_ms.is_some_and(|ago| ago < UNDO_SOUGHT_MS) => {
            gone.dead(&words.why_paid(count(paid)))
        }
        _ => gone,
    }
}

/// Why what needs an open drop is not possible.
fn while_open(air: Option<&Sale>, words: Language) -> Option<&'static str> {
    match air.map(|sale| sale.phase) {
        None => Some(words.why_nothing_open()),
        Some(Phase::Open | Phase::Paused) => None,
        Some(phase) if phase.is_before() => Some(words.why_once_open()),
        Some(_) => Some(words.why_over()),
    }
}

fn next(cast: &Cast<'_>, delay_ms: u64, words: Language) -> Button {
    let Cast { air, next } = *cast;
    let standing = air.map(Standing::of);
    let button = Button {
        act: "open",
        drop: next.map(|sale| sale.drop.clone()).unwrap_or_default(),
        label: words.start_next(),
        effect: String::new(),
        key: "N",
        icon: "skip",
        look: "plain",
        enabled: true,
    };
    let Some(sale) = next else { return button.dead(words.why_nothing_planned()) };
    if standing == Some(Standing::Countdown) {
        return button.dead(words.why_after_countdown());
    }
    let effect = match countdown(sale.plan.countdown_ms, delay_ms) {
        0 => words.start_next_at_once(&sale.plan.title),
        ms => words.start_next_effect(ms.div_ceil(1_000), &sale.plan.title),
    };
    // The show waits for it once nothing can be bought any more.
    let awaited = match standing {
        Some(Standing::Open) => air.is_some_and(Sale::winds_down),
        Some(Standing::Paused) => false,
        _ => true,
    };
    Button { effect, look: if awaited { "go" } else { "plain" }, ..button }
}
