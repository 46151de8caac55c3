//! Messages to everybody in a stream, encoded once for all of them.
//!
//! Ticks are pulled: an audience counts them, each session knows the last one that it wrote, so a
//! slow reader skips whatever became old in the meantime. Nothing is queued for it.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use stampede_domain::{DropId, Mode, Phase, ShownUnits, StreamId, UnixMillis};
use stampede_engine::{Moment, SaleDrop};
use stampede_wire::{DropInfo, ServerMessage, Subprotocol, frame::put_message};

use super::{
    slab::{Slab, Token},
    view,
};

/// A message with its frame in each subprotocol that somebody has asked for.
#[derive(Debug)]
pub(crate) struct Broadcast {
    message: ServerMessage,
    frames: [Option<Bytes>; 2],
}

impl Broadcast {
    pub(crate) const fn new(message: ServerMessage) -> Self {
        Self { message, frames: [None, None] }
    }

    pub(crate) fn frame(&mut self, subprotocol: Subprotocol) -> Bytes {
        let place = match subprotocol {
            Subprotocol::MsgPack => 0,
            Subprotocol::Json => 1,
        };
        let fresh = || {
            let mut frame = Vec::new();
            put_message(&mut frame, subprotocol, &subprotocol.encode_server(&self.message));
            Bytes::from(frame)
        };
        self.frames[place].get_or_insert_with(fresh).clone()
    }
}

/// The sessions of one stream on this core: those who are told the same.
pub(crate) struct Audience {
    stream: StreamId,
    mode: Mode,
    pub(crate) members: Vec<Token>,
    drops: Vec<ShownDrop>,
    /// The drop that was last told in a message of its own.
    told: Option<Broadcast>,
    /// Counts the ticks in which anything changed.
    tick: u64,
    /// Members to whom the latest tick was not spread yet, going down from `next`, around the end.
    unspread: usize,
    next: usize,
}

struct ShownDrop {
    sale: Arc<SaleDrop>,
    standing: Standing,
    /// Units available by SKU, as last shown.
    available: Vec<ShownUnits>,
    /// The tick of the latest change, with the one before it.
    changed: u64,
    changed_before: u64,
    /// What changed in the latest tick.
    delta: Option<Broadcast>,
    /// Everything, for those who missed a tick.
    full: Option<Broadcast>,
    info: Option<(Moment, Arc<DropInfo>)>,
}

/// Where a drop stood when viewers were last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    revision: u32,
    phase: Phase,
    version: u64,
    featured: bool,
    opens_at: Option<UnixMillis>,
}

impl Standing {
    fn of(sale: &SaleDrop) -> Self {
        // The version first: a change that comes while this is read is told later.
        let version = sale.version();
        Self {
            revision: sale.revision(),
            phase: sale.phase(),
            version,
            featured: sale.is_featured(),
            opens_at: sale.opens_at(),
        }
    }
}

impl ShownDrop {
    fn new(sale: Arc<SaleDrop>) -> Self {
        Self {
            standing: Standing::of(&sale),
            available: view::available(&sale),
            sale,
            changed: 0,
            changed_before: 0,
            delta: None,
            full: None,
            info: None,
        }
    }

    /// Looks at the stock; `true` if what viewers see of it differs from what was last shown. A
    /// rounded figure that stays the same is no news, however the stock moves under it.
    fn look(&mut self, tick: u64) -> bool {
        let available = view::available(&self.sale);
        if available == self.available {
            return false;
        }
        let moved = |place: usize| self.available.get(place) != available.get(place);
        let delta = view::stock(&self.sale, &available, moved);
        self.delta = Some(Broadcast::new(ServerMessage::Stock(delta)));
        (self.full, self.info) = (None, None);
        self.available = available;
        (self.changed_before, self.changed) = (self.changed, tick);
        true
    }

    /// The tick for somebody who has seen everything up to `seen`.
    fn tick_since(&mut self, seen: u64, subprotocol: Subprotocol) -> Option<Bytes> {
        if self.changed <= seen {
            return None;
        }
        if self.changed_before <= seen {
            return self.delta.as_mut().map(|delta| delta.frame(subprotocol));
        }
        let full = || view::stock(&self.sale, &self.available, |_| true);
        let shared = self.full.get_or_insert_with(|| Broadcast::new(ServerMessage::Stock(full())));
        Some(shared.frame(subprotocol))
    }

    /// The drop for a welcome. Hellos come in storms, so those of one millisecond share it.
    fn info(&mut self, now: Moment) -> Arc<DropInfo> {
        match &self.info {
            Some((at, info)) if *at == now => Arc::clone(info),
            _ => {
                let info = Arc::new(view::drop_info(&self.sale, &self.available, now));
                self.info = Some((now, Arc::clone(&info)));
                info
            }
        }
    }
}

impl Audience {
    fn new(stream: &StreamId, mode: Mode, sales: Vec<Arc<SaleDrop>>) -> Self {
        let shown = |sale: &Arc<SaleDrop>| sale.plan().mode == mode && may_be_told(sale);
        let drops = sales.into_iter().filter(shown).map(ShownDrop::new).collect();
        Self {
            stream: stream.clone(),
            mode,
            members: Vec::new(),
            drops,
            told: None,
            tick: 0,
            unspread: 0,
            next: 0,
        }
    }

    /// The latest tick.
    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    /// Looks at the stock of every drop; what changed is the next tick.
    pub(crate) fn look(&mut self) {
        let next = self.tick + 1;
        let mut changed = false;
        for drop in &mut self.drops {
            changed |= drop.look(next);
        }
        if changed {
            // A tick that is still being spread goes on as this one, then starts over: nobody is
            // passed by for long, however fast the stock moves.
            (self.tick, self.unspread) = (next, self.members.len());
        }
    }

    /// The next member who has to be sent the latest tick, if any is left.
    fn spread(&mut self) -> Option<Token> {
        self.unspread = self.unspread.checked_sub(1)?;
        self.next = match self.next.min(self.members.len()) {
            0 => self.members.len().checked_sub(1)?,
            next => next - 1,
        };
        self.members.get(self.next).copied()
    }

    /// The ticks for somebody who has seen everything up to `seen`.
    pub(crate) fn ticks_since(
        &mut self,
        seen: u64,
        subprotocol: Subprotocol,
    ) -> impl Iterator<Item = Bytes> + '_ {
        self.drops.iter_mut().filter_map(move |drop| drop.tick_since(seen, subprotocol))
    }

    /// The drops for a welcome, in running order.
    pub(crate) fn infos(&mut self, now: Moment) -> Vec<Arc<DropInfo>> {
        // Those who were there when a drop was called off know it, so it stays in the list.
        let shown = self.drops.iter_mut().filter(|drop| !is_cancelled(&drop.sale));
        shown.map(|drop| drop.info(now)).collect()
    }

    /// One drop as its message, encoded once for those who ask for it in a row.
    pub(crate) fn info_frame(
        &mut self,
        drop: DropId,
        subprotocol: Subprotocol,
        now: Moment,
    ) -> Option<Bytes> {
        let mut shown = self.drops.iter_mut().filter(|shown| !is_cancelled(&shown.sale));
        let shown = shown.find(|shown| shown.sale.id() == drop)?;
        let info = shown.info(now);
        let is_told = self.told.as_ref().is_some_and(|told| {
            matches!(&told.message, ServerMessage::DropInfo(known) if Arc::ptr_eq(known, &info))
        });
        if !is_told {
            self.told = Some(Broadcast::new(ServerMessage::DropInfo(info)));
        }
        self.told.as_mut().map(|told| told.frame(subprotocol))
    }

    /// What members are told about a drop that may have changed, if anything.
    fn news(&mut self, sale: &Arc<SaleDrop>, now: Moment) -> Option<Broadcast> {
        let place = self.drops.iter().position(|drop| drop.sale.id() == sale.id());
        let Some(place) = place else {
            return may_be_told(sale).then(|| self.insert(sale, now));
        };
        let drop = &mut self.drops[place];
        if !Arc::ptr_eq(&drop.sale, sale) {
            // An edited plan may have another place in the running order.
            self.drops.remove(place);
            return Some(self.insert(sale, now));
        }
        let standing = Standing::of(sale);
        let before = std::mem::replace(&mut drop.standing, standing);
        if before == standing {
            return None;
        }
        drop.info = None;
        if before.revision != standing.revision {
            return Some(Broadcast::new(ServerMessage::DropInfo(drop.info(now))));
        }
        Some(Broadcast::new(ServerMessage::Phase(view::phase_notice(sale, now))))
    }

    /// Adds a drop at its place in the running order; gives what members are told.
    fn insert(&mut self, sale: &Arc<SaleDrop>, now: Moment) -> Broadcast {
        let order = |sale: &SaleDrop| (sale.plan().running_order, sale.id());
        let place = self.drops.partition_point(|drop| order(&drop.sale) < order(sale));
        self.drops.insert(place, ShownDrop::new(Arc::clone(sale)));
        Broadcast::new(ServerMessage::DropInfo(self.drops[place].info(now)))
    }
}

/// Whether viewers who were not told of a drop before may be told of it.
fn may_be_told(sale: &SaleDrop) -> bool {
    !is_cancelled(sale) && !sale.is_hidden()
}

/// Whether a drop was called off: viewers who were not told of it before are not told of it at all. One of which holds
/// may still be there is shown.
fn is_cancelled(sale: &SaleDrop) -> bool {
    matches!(sale.phase(), Phase::Cancelled | Phase::Voided)
}

/// Every audience of one core.
pub(crate) struct Audiences {
    slab: Slab<Audience>,
    by_stream: HashMap<(StreamId, Mode), Token>,
}

impl Audiences {
    pub(crate) fn new() -> Self {
        Self { slab: Slab::new(), by_stream: HashMap::new() }
    }

    pub(crate) fn get_mut(&mut self, audience: Token) -> Option<&mut Audience> {
        self.slab.get_mut(audience)
    }

    /// Whether some members were not sent the latest tick yet.
    pub(crate) fn are_spreading(&self) -> bool {
        self.slab.iter().any(|audience| audience.unspread > 0)
    }

    /// About `count` members who have to be sent the latest tick, as many of each audience, so that
    /// no stream waits for a larger one.
    pub(crate) fn spread(&mut self, count: usize) -> impl Iterator<Item = Token> + '_ {
        let spreading = self.slab.iter().filter(|audience| audience.unspread > 0).count();
        let share = count.div_ceil(spreading.max(1));
        self.iter_mut()
            .flat_map(move |audience| std::iter::from_fn(move || audience.spread()).take(share))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Audience> {
        self.slab.iter_mut().map(|(_, audience)| audience)
    }

    /// Adds a session; gives its audience with its place in there.
    pub(crate) fn join(
        &mut self,
        stream: &StreamId,
        mode: Mode,
        session: Token,
        sales: impl FnOnce() -> Vec<Arc<SaleDrop>>,
    ) -> (Token, usize) {
        let key = (stream.clone(), mode);
        let audience = *self
            .by_stream
            .entry(key)
            .or_insert_with(|| self.slab.insert(Audience::new(stream, mode, sales())));
        let found = self.slab.get_mut(audience).expect("it was just found");
        found.members.push(session);
        if found.unspread > 0 {
            // It stands on the way that a tick still has to go.
            found.unspread += 1;
        }
        (audience, found.members.len() - 1)
    }

    /// Removes the session at `place`; gives the session that moved to that place, if one did.
    pub(crate) fn leave(&mut self, audience: Token, place: usize) -> Option<Token> {
        let found = self.slab.get_mut(audience)?;
        found.members.swap_remove(place);
        let moved = found.members.get(place).copied();
        if found.members.is_empty()
            && let Some(Audience { stream, mode, .. }) = self.slab.remove(audience)
        {
            self.by_stream.remove(&(stream, mode));
        }
        moved
    }

    /// Who has to be told what about a drop that may have changed.
    pub(crate) fn news(
        &mut self,
        sale: &Arc<SaleDrop>,
        now: Moment,
    ) -> Option<(Vec<Token>, Broadcast)> {
        let key = (sale.plan().stream.clone(), sale.plan().mode);
        let audience = self.slab.get_mut(*self.by_stream.get(&key)?)?;
        let news = audience.news(sale, now)?;
        Some((audience.members.clone(), news))
    }

    /// A drop has left memory: nothing here holds on to it.
    pub(crate) fn forget(&mut self, drop: DropId) {
        for audience in self.iter_mut() {
            audience.drops.retain(|shown| shown.sale.id() != drop);
        }
    }

    /// The drop that a session of this audience may ask about.
    pub(crate) fn shows(&self, audience: Token, drop: DropId) -> bool {
        let found = self.slab.get(audience);
        found.is_some_and(|audience| audience.drops.iter().any(|shown| shown.sale.id() == drop))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whoever_joins_or_leaves_while_a_tick_spreads_passes_nobody_by() {
        let stream: StreamId = "show".parse().unwrap();
        for (first, joining) in [(0, 5), (3, 5), (7, 1), (10, 40)] {
            let mut audiences = Audiences::new();
            let join = |audiences: &mut Audiences, session| {
                audiences.join(&stream, Mode::Live, session, Vec::new).0
            };
            let audience = (0..10).map(|n| join(&mut audiences, n)).last().unwrap();
            let found = audiences.get_mut(audience).unwrap();
            (found.next, found.unspread) = (first, found.members.len());
            let mut seen: BTreeSet<Token> = audiences.spread(2).collect();
            // Whoever comes to stand where a leaver stood is listed by the sessions themselves.
            seen.extend(audiences.leave(audience, 4));
            for session in 10..10 + joining {
                join(&mut audiences, session);
            }
            seen.extend(audiences.spread(usize::MAX));
            let missed: Vec<Token> =
                (0..10).filter(|session| *session != 4 && !seen.contains(session)).collect();
            assert_eq!(missed, [0; 0], "from {first} with {joining} joining");
            assert!(!audiences.are_spreading());
        }
    }

    #[test]
    fn a_large_audience_leaves_ticks_for_a_small_one() {
        let mut audiences = Audiences::new();
        let mut session = 0;
        for (stream, members) in [("large", 1_000), ("small", 10)] {
            let stream: StreamId = stream.parse().unwrap();
            let mut audience = 0;
            for _ in 0..members {
                audience = audiences.join(&stream, Mode::Live, session, Vec::new).0;
                session += 1;
            }
            audiences.get_mut(audience).unwrap().unspread = members;
        }
        let small = audiences.spread(256).filter(|session| *session >= 1_000).count();
        assert_eq!(small, 10);
    }
}
