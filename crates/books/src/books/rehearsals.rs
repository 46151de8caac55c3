//! Rehearsals by one press: a copy of each planned drop, over when the rehearsal is.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, DurationMs, MerchantId, Mode, Moment, Phase, StreamId, UnixMillis,
    limits::REHEARSAL_MS_MAX,
};
use stampede_ledger::PhaseRecord;

use super::Books;
use crate::{
    command::CommandRefusal, decision::Decision, drop::DropBook, rehearsal::RehearsalRefusal,
};

/// A rehearsal that a member of staff begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct RehearsalAsk<'a> {
    /// Where.
    pub(super) stream: &'a StreamId,
    /// Whose drops alone, if the actor is bound to a merchant. The owner of the room ends whatever rehearses there.
    pub(super) merchant: Option<&'a MerchantId>,
}

impl RehearsalAsk<'_> {
    fn is_about(&self, plan: &DropPlan) -> bool {
        plan.stream == *self.stream && self.merchant.is_none_or(|own| *own == plan.merchant)
    }
}

impl DropBook {
    /// Whether it belongs to a rehearsal by one press, and goes on.
    pub(crate) fn rehearses(&self) -> bool {
        self.plan.rehearsal.is_some() && has_not_ended(self.phase)
    }

    /// When its rehearsal ends by itself, by the wall clock, if it goes on until then.
    pub(crate) fn rehearses_until(&self) -> Option<UnixMillis> {
        self.plan.rehearsal.filter(|_| has_not_ended(self.phase)).map(|copy| copy.until)
    }
}

/// Whether a drop may still sell.
const fn has_not_ended(phase: Phase) -> bool {
    matches!(phase, Phase::Scheduled | Phase::Countdown | Phase::Open | Phase::Paused)
}

impl Books {
    /// The copies that end with a rehearsal, oldest first. None has ended yet: the command is recorded with the first one,
    /// whose chain may end with it.
    pub(super) fn copies_to_end(
        &self,
        ask: RehearsalAsk<'_>,
    ) -> Result<Vec<DropId>, RehearsalRefusal> {
        let copies = self.copies(|plan| ask.is_about(plan));
        if copies.is_empty() {
            return Err(RehearsalRefusal::NoneRuns { stream: ask.stream.clone() });
        }
        Ok(copies)
    }

    /// Plans a copy of each scheduled live drop, in running order. Returns the first one.
    pub(super) fn begin_rehearsal(
        &mut self,
        ask: RehearsalAsk<'_>,
        now: Moment,
        out: &mut Decision,
    ) -> Result<DropId, CommandRefusal> {
        let stream = ask.stream;
        let until = now.wall.plus(DurationMs::new(REHEARSAL_MS_MAX));
        let is_planned = |book: &DropBook| {
            let plan = book.plan();
            book.phase() == Phase::Scheduled && plan.mode == Mode::Live && ask.is_about(plan)
        };
        let planned = self.live().filter(|(_, book)| is_planned(book));
        let copy = |(of, book): (DropId, &DropBook)| Arc::new(book.plan().rehearsed(of, until));
        let mut copies: Vec<Arc<DropPlan>> = planned.map(copy).collect();
        if copies.is_empty() {
            return Err(RehearsalRefusal::NothingPlanned { stream: stream.clone() }.into());
        }
        // Whoever has nothing to rehearse learns nothing of what others do in the stream.
        self.check_air(ask)?;
        self.check_places(stream, &copies, ask.merchant.is_none())?;
        self.check_memory_of_all(&copies)?;
        // Stable: equal places keep the order of planning.
        copies.sort_by_key(|plan| plan.running_order);
        let first = self.next_drop;
        for plan in copies {
            self.add_drop(self.next_drop, 1, (&plan, now.sale), out);
        }
        Ok(first)
    }

    /// Whether nothing is on air in the stream, neither for real nor for trying. A refusal names drops that the actor may
    /// see, no others.
    fn check_air(&self, ask: RehearsalAsk<'_>) -> Result<(), RehearsalRefusal> {
        let stream = ask.stream;
        let owns = |own| self.rooms.get(stream).is_some_and(|room| room.is_of(own));
        let is_seen = |plan: &DropPlan| ask.is_about(plan) || ask.merchant.is_some_and(owns);
        let named = |drop, book: &DropBook| is_seen(book.plan()).then_some(drop);
        let of_stream = || self.live().filter(|(_, book)| book.plan().stream == *stream);
        let on_air = |book: &DropBook| {
            matches!(book.phase(), Phase::Countdown | Phase::Open | Phase::Paused)
        };
        let sells = of_stream().find(|(_, book)| book.plan().mode == Mode::Live && on_air(book));
        if let Some((drop, book)) = sells {
            let (stream, phase, drop) = (stream.clone(), book.phase(), named(drop, book));
            return Err(RehearsalRefusal::LiveOnAir { stream, drop, phase });
        }
        if let Some((drop, book)) = of_stream().find(|(_, book)| book.rehearses()) {
            let (stream, drop) = (stream.clone(), named(drop, book));
            return Err(RehearsalRefusal::Runs { stream, drop });
        }
        let is_tried = |book: &DropBook| book.plan().mode == Mode::Rehearsal && on_air(book);
        match of_stream().find(|(_, book)| is_tried(book)) {
            Some((drop, book)) => {
                let (stream, phase, drop) = (stream.clone(), book.phase(), named(drop, book));
                Err(RehearsalRefusal::OnAir { stream, drop, phase })
            }
            None => Ok(()),
        }
    }

    /// A live drop of the stream goes on air: whatever rehearses there ends first.
    pub(super) fn end_rehearsals(&mut self, stream: &StreamId, at: UnixMillis, out: &mut Decision) {
        for drop in self.copies(|plan| plan.stream == *stream) {
            self.end_copy(drop, at, out);
        }
    }

    /// A drop of a rehearsal is over: called off before it opened, closed otherwise.
    pub(super) fn end_copy(&mut self, drop: DropId, at: UnixMillis, out: &mut Decision) {
        match self.drops[&drop].phase() {
            Phase::Scheduled => self.forbid(at, drop, PhaseRecord::Cancelled, out),
            Phase::Countdown => {
                self.forbid(at, drop, PhaseRecord::CountdownCancelled, out);
                self.forbid(at, drop, PhaseRecord::Cancelled, out);
            }
            Phase::Open | Phase::Paused => self.forbid(at, drop, PhaseRecord::Closed, out),
            Phase::Closed | Phase::Settled | Phase::Cancelled | Phase::Voiding | Phase::Voided => {}
        }
    }

    /// The drops of rehearsals that go on, oldest first: a restart finds their changes in this order.
    fn copies(&self, of: impl Fn(&DropPlan) -> bool) -> Vec<DropId> {
        let copies = self.live().filter(|(_, book)| book.rehearses() && of(book.plan()));
        copies.map(|(drop, _)| drop).collect()
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{PlanError, Rehearsal, WhenOffline};
    use stampede_ledger::{Record, RoomChange, RoomOwner};
    use stampede_testkit::plan;

    use super::*;
    use crate::{
        StreamScope,
        books::given::{self, change_room, merchant},
        command::{CommandOutcome, Role, StaffCommand, StreamAction},
    };

    fn show() -> StreamId {
        "show".parse().unwrap()
    }

    /// Adds drops of a merchant to the stream `show`.
    fn add(books: &mut Books, name: &str, count: u32) {
        for _ in 0..count {
            let (drop, merchant) = (books.next_drop, name.parse().unwrap());
            let plan = Arc::new(DropPlan { merchant, ..plan(1) });
            given::follow(books, drop, Record::Planned { plan, revision: 1 });
        }
    }

    /// The room `show` of acme, with others let in.
    fn room(admitted: &[&str]) -> Books {
        let mut books = given::empty();
        change_room(&mut books, "show", RoomChange::Owner(merchant("acme")));
        for name in admitted {
            change_room(&mut books, "show", RoomChange::Admitted(name.parse().unwrap()));
        }
        books
    }

    fn give(books: &mut Books, who: (Role, Option<&str>), action: StreamAction) -> CommandOutcome {
        let (role, bound) = who;
        let merchant = bound.map(|name| name.parse().unwrap());
        let key = format!("k{}", books.next_drop).parse().unwrap();
        let command = StaffCommand { merchant, key, ..given::command(role, action.on(show())) };
        let context = crate::CommandContext::default();
        books.command(&command, &context, given::moment(), &mut Decision::default())
    }

    fn rehearse(books: &mut Books, who: (Role, Option<&str>)) -> Result<DropId, CommandRefusal> {
        let done = give(books, who, StreamAction::Rehearse { viewers: 10 });
        done.map(|done| done.drop)
    }

    fn own(name: &str) -> (Role, Option<&str>) {
        (Role::Merchant, Some(name))
    }

    #[test]
    fn copies_have_no_more_places_in_a_room_than_what_is_planned_by_hand() {
        let of = |name: &'static str| {
            move |refused: CommandRefusal| {
                assert!(
                    matches!(&refused, CommandRefusal::ShareFull { of, .. } if of == name),
                    "{refused}"
                );
            }
        };
        let mut books = room(&["beta", "gamma"]);
        add(&mut books, "beta", 17);
        rehearse(&mut books, own("beta")).map_err(of("beta")).unwrap_err();
        let mut books = room(&["beta", "gamma"]);
        add(&mut books, "beta", 16);
        rehearse(&mut books, own("beta")).unwrap();
        let mut books = room(&["beta", "gamma"]);
        add(&mut books, "beta", 15);
        add(&mut books, "gamma", 15);
        let host = (Role::Host, None);
        rehearse(&mut books, host).map_err(of("all admitted merchants")).unwrap_err();
        let mut books = room(&[]);
        add(&mut books, "acme", 32);
        assert_eq!(rehearse(&mut books, host), Ok(DropId::new(33)), "the owner has no share");
        let mut books = room(&[]);
        add(&mut books, "acme", 33);
        let full = rehearse(&mut books, host);
        assert!(matches!(full, Err(CommandRefusal::StreamFull { max: 64 })));
    }

    #[test]
    fn whoever_is_let_in_no_more_plans_no_copies_either() {
        let mut books = room(&["beta"]);
        add(&mut books, "beta", 1);
        change_room(&mut books, "show", RoomChange::Dismissed("beta".parse().unwrap()));
        let refused = rehearse(&mut books, own("beta"));
        assert!(matches!(refused, Err(CommandRefusal::StreamNotYours { .. })), "{refused:?}");
        // What stands in the show can still be run, so whoever runs all of it can try it.
        rehearse(&mut books, (Role::Host, None)).unwrap();
    }

    #[test]
    fn nobody_learns_of_drops_that_he_may_not_see_by_rehearsing() {
        let mut books = room(&["beta"]);
        add(&mut books, "acme", 1);
        let live = DropId::new(1);
        given::follow(&mut books, live, PhaseRecord::Countdown { opens_at: given::NOW });
        let refused = |books: &mut Books, who| rehearse(books, who).unwrap_err().to_string();
        let nothing = refused(&mut books, own("beta"));
        assert!(nothing.starts_with("no live drop is planned"), "{nothing}");
        add(&mut books, "beta", 1);
        let told = refused(&mut books, own("beta"));
        assert!(told.starts_with("another merchant's drop is on air in stream show"), "{told}");
        add(&mut books, "acme", 1);
        assert!(refused(&mut books, own("acme")).starts_with("d1 is on air"));
        // What is let in may be seen by whoever owns the room.
        given::follow(&mut books, live, PhaseRecord::CountdownCancelled);
        rehearse(&mut books, own("beta")).unwrap();
        assert!(refused(&mut books, own("acme")).contains("d4 is part of it"));
    }

    #[test]
    fn the_owner_of_a_room_ends_whatever_rehearses_there() {
        let mut books = room(&["beta", "gamma"]);
        add(&mut books, "beta", 1);
        add(&mut books, "gamma", 1);
        let copy = rehearse(&mut books, own("beta")).unwrap();
        let refused = give(&mut books, own("gamma"), StreamAction::EndRehearsal);
        assert!(matches!(
            refused,
            Err(CommandRefusal::Rehearsal(RehearsalRefusal::NoneRuns { .. }))
        ));
        give(&mut books, own("acme"), StreamAction::EndRehearsal).unwrap();
        assert_eq!(books.drop(copy).unwrap().phase(), Phase::Cancelled);
    }

    #[test]
    fn copies_need_memory_together() {
        let with = |units: &[u32]| {
            let mut books = room(&[]);
            for units in units {
                let drop = books.next_drop;
                let plan = Arc::new(plan(*units));
                given::follow(&mut books, drop, Record::Planned { plan, revision: 1 });
            }
            rehearse(&mut books, own("acme"))
        };
        assert_eq!(with(&[240_000, 240_000]), Ok(DropId::new(3)));
        // Each copy alone has room.
        let full = with(&[260_000, 260_000]);
        assert!(matches!(full, Err(CommandRefusal::MemoryFull { .. })), "{full:?}");
    }

    #[test]
    fn a_show_is_rehearsed_where_the_token_reaches_and_by_creators_at_home() {
        let rehearse_as = |role, owner: &str, streams: &str| {
            let mut books = given::empty();
            let owner = RoomOwner::Creator(owner.into());
            change_room(&mut books, "show", RoomChange::Owner(owner));
            add(&mut books, "acme", 1);
            let action = StreamAction::Rehearse { viewers: 10 }.on(show());
            let streams = StreamScope::of([streams.parse().unwrap()]);
            let command = StaffCommand { streams, ..given::command(role, action) };
            let context = crate::CommandContext::default();
            let mut out = Decision::default();
            books.command(&command, &context, given::moment(), &mut out).map(|done| done.drop)
        };
        let unknown = Err(CommandRefusal::UnknownStream { stream: show() });
        assert_eq!(rehearse_as(Role::Host, "nina", "show"), Ok(DropId::new(2)));
        assert_eq!(rehearse_as(Role::Host, "nina", "other"), unknown);
        assert_eq!(rehearse_as(Role::Creator, "nina", "show"), unknown);
        assert_eq!(rehearse_as(Role::Creator, "ada", "show"), Ok(DropId::new(2)));
        assert_eq!(rehearse_as(Role::Creator, "ada", "other"), unknown);
    }

    #[test]
    fn a_drop_that_is_tried_by_hand_is_named_with_what_ends_it() {
        let mut books = room(&[]);
        add(&mut books, "acme", 1);
        let by_hand = DropPlan { mode: Mode::Rehearsal, ..plan(1) };
        let planned = Record::Planned { plan: Arc::new(by_hand), revision: 1 };
        given::follow(&mut books, DropId::new(2), planned);
        given::follow(&mut books, DropId::new(2), PhaseRecord::Countdown { opens_at: given::NOW });
        let refused = rehearse(&mut books, own("acme")).unwrap_err();
        assert_eq!(refused.code(), "rehearsal_on_air");
        assert!(refused.to_string().starts_with("d2 is on air"), "{refused}");
    }

    #[test]
    fn a_copy_for_a_rehearsal_waits_for_its_host_and_sells_nothing_real() {
        let at = |ms| Some(UnixMillis::new(ms));
        let pause_after = DurationMs::from_secs(5);
        let live = DropPlan {
            starts_at: at(1_000),
            ends_at: at(2_000),
            when_offline: Some(WhenOffline { pause_after, resume: true }),
            ..plan(5)
        };
        let (of, until) = (DropId::new(7), UnixMillis::new(9_000));
        let copy = live.rehearsed(of, until);
        assert_eq!(copy.validate(), Ok(()));
        let rehearsal = Some(Rehearsal { of, until });
        assert_eq!(copy, DropPlan { mode: Mode::Rehearsal, rehearsal, ..plan(5) });
        let sold = DropPlan { mode: Mode::Live, ..copy };
        assert_eq!(sold.check_format(), Err(PlanError::LiveRehearsal { of }));
    }
}
