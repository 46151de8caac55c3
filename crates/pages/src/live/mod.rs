//! The contents of the live page, worked out from the interface's answers.
//!
//! `assets/view.mjs` works out the same value from the same answers for what moves; a test compares the
//! two, so that nothing on the page jumps when the first event comes.

mod air;
mod alarm;
mod buttons;
mod cue;
mod ended;
mod left_over;
mod need;
mod order;
mod others;
mod rehearsal;
mod requests;
mod stage;
mod standing;
mod tiles;
#[cfg(test)]
mod twin;

use serde::Serialize;

pub(crate) use self::{
    air::{Air, SkuRow},
    alarm::Alarm,
    buttons::{Button, Buttons, may, may_invite, may_write},
    cue::Cue,
    ended::{Ended, all_over},
    left_over::LeftOver,
    order::{Next, Row},
    others::{Other, Others},
    rehearsal::may_end as may_end_rehearsals,
    stage::Stage,
    standing::Standing,
};
use crate::{
    answers::{Mode, Phase, Running, Sale, Snapshot},
    words::Language,
};

/// The reader, as far as the page depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The language.
    pub(crate) language: Language,
    /// How many minutes the reader's clock is ahead of UTC, if the browser has told.
    pub(crate) ahead_min: Option<i32>,
    /// What the session is trusted with.
    pub(crate) role: &'a str,
    /// Who has signed in.
    pub(crate) name: &'a str,
    /// Whether the reader may plan drops of the stream.
    pub(crate) plans: bool,
}

/// The live page's contents.
#[derive(Debug, Serialize)]
pub(crate) struct Live {
    /// The stream's id.
    pub(crate) stream: String,
    /// The drop on air.
    pub(crate) air: Option<Air>,
    /// What stands in its place.
    pub(crate) empty: Option<Empty>,
    /// What can go on air next.
    pub(crate) next: Option<Next>,
    /// What the show came to, once all of its drops are over.
    pub(crate) ended: Option<Ended>,
    /// What can become of the units of the drop on air when it opens.
    pub(crate) left_over: Option<LeftOver>,
    /// All drops of the stream.
    pub(crate) order: Vec<Row>,
    /// How late viewers see the stream, in words.
    pub(crate) video: String,
    /// The line for the person on camera.
    pub(crate) line: String,
    /// Units paid in this stream, rehearsals left out, in words.
    pub(crate) tonight: String,
    /// What needs the reader.
    pub(crate) alarm: Alarm,
    /// The commands.
    pub(crate) buttons: Buttons,
    /// Who else is at the show.
    pub(crate) others: Others,
    /// Whether a rehearsal by one press goes on: all of this is about it.
    pub(crate) rehearsing: bool,
    /// Whether one can begin.
    pub(crate) can_rehearse: bool,
}

impl Live {
    /// Whether another planned drop can be made the next one.
    pub(crate) fn offers_next(&self) -> bool {
        self.order.iter().any(|row| row.can_be_next)
    }
}

/// Words in the place of a drop on air.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {
    pub(crate) title: String,
    pub(crate) lead: String,
    /// Whether the reader sees no drop of a stream of this name at all, one that is over included.
    pub(crate) unnamed: bool,
}

impl Empty {
    fn new(snapshot: &Snapshot, is_planned: bool, unnamed: bool, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let plans = matches!(reader.role, "admin" | "merchant");
        let lead = match (is_planned, unnamed, plans) {
            (true, ..) => words.nothing_on_air_lead(),
            (false, true, true) => words.nothing_named_lead(),
            (false, true, false) => words.nothing_named(),
            (false, false, true) => words.nothing_planned_lead(),
            (false, false, false) => words.nothing_planned_ask(),
        };
        let title = if is_planned {
            words.nothing_on_air().to_owned()
        } else {
            words.nothing_planned(&snapshot.stream)
        };
        Self { title, lead: lead.to_owned(), unnamed }
    }
}

/// What stands where.
pub(crate) struct Cast<'a> {
    pub(crate) air: Option<&'a Sale>,
    pub(crate) next: Option<&'a Sale>,
}

impl<'a> Cast<'a> {
    /// The drop on air, live before rehearsal; then the first planned one behind it in the running order,
    /// else the first planned one at all.
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let drops = &snapshot.drops;
        // One whose countdown was cancelled is chosen still, yet nothing of it is on air.
        let is_on_air = |drop: &Sale| drop.featured && drop.phase != Phase::Scheduled;
        let featured =
            |mode| drops.iter().find(move |drop| is_on_air(drop) && drop.plan.mode == mode);
        let air = featured(Mode::Live).or_else(|| featured(Mode::Rehearsal));
        let is_planned = |drop: &&Sale| drop.phase == Phase::Scheduled;
        let place = air.and_then(|air| drops.iter().position(|drop| drop.drop == air.drop));
        let of_mode = |mode: Mode| {
            let planned = move |drop: &&'a Sale| is_planned(drop) && drop.plan.mode == mode;
            let behind = drops.iter().skip(place.map_or(0, |place| place + 1)).find(planned);
            behind.or_else(|| drops.iter().find(planned))
        };
        let next = match air {
            Some(air) => of_mode(air.plan.mode),
            None => of_mode(Mode::Live).or_else(|| of_mode(Mode::Rehearsal)),
        };
        Self { air, next }
    }
}

/// How late viewers see a stream.
pub(crate) fn video(delay_ms: u64, words: Language) -> String {
    match delay_ms {
        0 => words.video_in_time().to_owned(),
        ms => words.video_behind(cue::seconds(words, ms)),
    }
}

impl Live {
    pub(crate) fn new(snapshot: &Snapshot, running: &Running, reader: Reader<'_>) -> Self {
        let words = reader.language;
        let scene = rehearsal::scene(snapshot, running);
        let (snapshot, running) = scene.as_ref().map_or((snapshot, running), |(s, r)| (s, r));
        let cast = Cast::of(snapshot);
        let order = order::rows(snapshot, running, &cast, scene.is_some(), reader);
        let ended = if scene.is_none() { Ended::of(snapshot, running, words) } else { None };
        let empty = || match &ended {
            Some(ended) => Empty {
                title: words.show_over().to_owned(),
                lead: ended.totals.clone(),
                unnamed: order.is_empty(),
            },
            None => Empty::new(snapshot, cast.next.is_some(), order.is_empty(), reader),
        };
        let empty = cast.air.is_none().then(empty);
        Self {
            stream: snapshot.stream.clone(),
            air: cast.air.map(|sale| Air::new(sale, snapshot, &order, reader)),
            empty,
            next: cast.next.map(|sale| Next::new(sale, snapshot.video_delay_ms, reader)),
            ended: ended.clone(),
            left_over: LeftOver::of(&cast, reader),
            video: video(snapshot.video_delay_ms, words),
            line: snapshot.stage_line.clone().unwrap_or_default(),
            tonight: order::tonight(snapshot, running, words),
            alarm: Alarm::new(snapshot, &cast, reader),
            buttons: Buttons::new(snapshot, &cast, reader),
            others: Others::new(snapshot, reader),
            rehearsing: scene.is_some(),
            can_rehearse: scene.is_none() && rehearsal::is_offered(&cast, reader.role),
            order,
        }
    }
}
