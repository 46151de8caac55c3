//! The effects of staff commands, by the records in front of them.

use std::collections::HashMap;

use stampede_domain::{
    Amendment, BanId, BanTarget, DropId, DurationMs, HoldId, Money, NewEnd, PaymentId, PoolIndex,
    Rates, RequestId, SkuId, StreamId, Units, UnixMillis, ViewerId, ViewerLimits, ViewerNumber,
};
use stampede_ledger::{
    BanRecord, BanScope, BrakePart, BrakeRecord, Command, CorrectionRecord, DeadlineRecord,
    Journal, PaymentChange, PaymentRecord, PhaseRecord, PlannedCopy, Record, RecordedOutcome,
    RequestEnd, RequestRecord, Room, RoomChange, UnmatchedRecord, links,
};

use super::RecordedCommand;
use crate::ReportError;

/// Terms that were put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendedTerms {
    /// Units over all SKUs that one viewer may have since, if that has changed.
    pub limit_per_viewer: Option<Units>,
    /// The same of SKUs, as far as it has changed.
    pub skus: Vec<(SkuId, Units)>,
    /// The end since, if it was set anew.
    pub end: Option<NewEnd>,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandEffect {
    /// Stopped all takes.
    Stopped {
        /// When that ends by itself.
        expires_at: Option<UnixMillis>,
    },
    /// Set limits.
    RatesSet {
        /// The limits.
        rates: Rates,
        /// When they end by themselves.
        expires_at: Option<UnixMillis>,
    },
    /// Kept somebody out.
    Banned {
        /// The ban, as the chain tells it.
        ban: BanRecord,
        /// Whom; `None` once that was erased.
        target: Option<BanTarget>,
    },
    /// Ended a ban.
    Unbanned {
        /// Which.
        ban: BanId,
    },
    /// Changed who may sell in a stream.
    Room(Room),
    /// Added units.
    Restocked {
        /// The lot's number within the drop.
        lot: u32,
        /// To which SKU.
        sku: Option<SkuId>,
        /// How many.
        units: Units,
        /// The request that was granted by it.
        request: Option<RequestId>,
    },
    /// Asked for more units than were in reserve.
    Asked {
        /// The request.
        request: RequestId,
        /// Of which SKU.
        sku: Option<SkuId>,
        /// How many.
        units: Units,
    },
    /// Ended a request: nothing goes on sale by it.
    RequestEnded {
        /// The request.
        request: RequestId,
        /// Of which SKU.
        sku: Option<SkuId>,
        /// How many units were asked for.
        units: Units,
    },
    /// Took units off the sale.
    TakenBack {
        /// Of which SKU.
        sku: Option<SkuId>,
        /// How many.
        units: Units,
        /// Whether they went into the reserve.
        to_reserve: bool,
    },
    /// Put terms right.
    Amended(Box<AmendedTerms>),
    /// Had the drop wind down.
    WoundDown {
        /// When it closes at the latest, by the sale's clock.
        until: UnixMillis,
    },
    /// Cancelled units of an order, or gave money back for it.
    OrderCancelled {
        /// The order.
        order: HoldId,
        /// All units of it that were cancelled by then.
        units: u32,
        /// What goes back by it.
        amount: Money,
        /// The lot by which the units went back on sale.
        lot: Option<u32>,
    },
    /// Began a rehearsal of a show, or ended one.
    Rehearsal {
        /// Whose show was rehearsed.
        stream: StreamId,
    },
    /// Called off a drop that was opened by mistake.
    Undone {
        /// What became of the copy of its terms.
        copy: PlannedCopy,
    },
    /// Gave every live hold more time.
    Extended {
        /// How much more.
        by: DurationMs,
    },
    /// Saw to money that nobody could match.
    UnmatchedClosed {
        /// The payment.
        payment: PaymentId,
    },
}

impl CommandEffect {
    /// Whether this is what a command of this name does.
    fn is_of(&self, action: &str) -> bool {
        let name = match self {
            Self::Room(Room { change: RoomChange::Owner(_), .. }) => {
                return matches!(action, "make_room" | "move_room");
            }
            Self::Room(Room { change: RoomChange::Admitted(_), .. }) => "admit",
            Self::Room(Room { change: RoomChange::Dismissed(_), .. }) => "dismiss",
            Self::Room(Room { change: RoomChange::HostsAllowed(_), .. }) => "allow_hosts",
            Self::Room(Room { change: RoomChange::HostsForbidden(_), .. }) => "forbid_hosts",
            Self::Room(Room { change: RoomChange::Ended, .. }) => "end_room",
            Self::Room(Room { change: RoomChange::VideoDelay(_), .. }) => "set_video_delay",
            Self::Stopped { .. } => "stop",
            Self::RatesSet { .. } => "set_rates",
            Self::Banned { .. } => "ban",
            Self::Unbanned { .. } => "unban",
            Self::Restocked { request: Some(_), .. } => "grant_request",
            Self::Restocked { request: None, .. } | Self::Asked { .. } => "restock",
            Self::RequestEnded { .. } => {
                return matches!(action, "decline_request" | "withdraw_request");
            }
            Self::TakenBack { .. } => "take_back",
            Self::Amended(_) => "amend",
            Self::WoundDown { .. } => "wind_down",
            Self::OrderCancelled { .. } => "cancel_order",
            Self::Rehearsal { .. } => return matches!(action, "rehearse" | "end_rehearsal"),
            Self::Undone { .. } => "undo",
            Self::Extended { .. } => "extend",
            Self::UnmatchedClosed { .. } => "close_unmatched",
        };
        name == action
    }
}

/// What the effects of commands about a drop are told by.
struct SaleTerms {
    /// The SKU of each pool.
    skus: Vec<SkuId>,
    limits: ViewerLimits,
    stream: StreamId,
}

/// The latest doing in each chain. A command's record follows what it did within one chain: only
/// takes, deadlines or tallies may come between.
#[derive(Default)]
pub(super) struct LatestEffects {
    latest: HashMap<DropId, CommandEffect>,
    /// Of drops that are not over.
    sales: HashMap<DropId, SaleTerms>,
}

impl LatestEffects {
    /// Follows a record that is no command.
    pub(super) fn see(&mut self, drop: DropId, record: Record) {
        match record {
            Record::Planned { plan, .. } => {
                let pools = plan.pools();
                let skus = pools.iter().filter_map(|(_, sku)| plan.sku(sku));
                let skus = skus.map(|sku| sku.id.clone()).collect();
                let (limits, stream) = (ViewerLimits::of(&plan), plan.stream.clone());
                if plan.rehearsal.is_some() {
                    let stream = stream.clone();
                    self.latest.insert(drop, CommandEffect::Rehearsal { stream });
                }
                self.sales.insert(drop, SaleTerms { skus, limits, stream });
            }
            Record::Phase(PhaseRecord::Settled | PhaseRecord::Cancelled | PhaseRecord::Voided) => {
                self.sales.remove(&drop);
            }
            Record::Phase(PhaseRecord::UndoBegun { copy }) => {
                self.latest.insert(drop, CommandEffect::Undone { copy });
            }
            Record::Lot { pool, units, lot } => {
                let sku = self.sku(drop, pool);
                let did = CommandEffect::Restocked { lot, sku, units, request: None };
                self.latest.insert(drop, did);
            }
            Record::Request(record) => self.request(drop, &record),
            Record::Correction(record) => self.correction(drop, record),
            Record::Room(room) => {
                self.latest.insert(drop, CommandEffect::Room(*room));
            }
            Record::Brake(record) => self.brake(drop, record),
            Record::Payment(payment) => self.payment(drop, *payment),
            Record::Unmatched(UnmatchedRecord::Done(done)) => {
                let payment = done.payment;
                self.latest.insert(drop, CommandEffect::UnmatchedClosed { payment });
            }
            Record::Deadline(DeadlineRecord::Extended { span, .. }) => {
                self.latest.insert(drop, CommandEffect::Extended { by: span });
            }
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::CountdownCancelled
                | PhaseRecord::Opened
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed,
            )
            | Record::Hold(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Deadline(DeadlineRecord::Stretched { .. })
            | Record::Unmatched(UnmatchedRecord::Found(_))
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_) => {}
        }
    }

    fn correction(&mut self, drop: DropId, record: CorrectionRecord) {
        let did = match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                let sku = self.sku(drop, pool);
                CommandEffect::TakenBack { sku, units, to_reserve: false }
            }
            CorrectionRecord::Reserved { .. } => {
                // What a restock draws is told by its lot, which follows.
                if let Some(CommandEffect::TakenBack { to_reserve, .. }) =
                    self.latest.get_mut(&drop)
                {
                    *to_reserve = true;
                }
                return;
            }
            CorrectionRecord::Amended(amended) => {
                CommandEffect::Amended(Box::new(self.amended(drop, amended.amendment)))
            }
            CorrectionRecord::WindsDown { until } => CommandEffect::WoundDown { until },
        };
        self.latest.insert(drop, did);
    }

    fn request(&mut self, drop: DropId, record: &RequestRecord) {
        let did = match record {
            RequestRecord::Asked(asked) => {
                let request = RequestId { drop, number: asked.number };
                let sku = self.sku(drop, asked.pool);
                CommandEffect::Asked { request, sku, units: asked.units }
            }
            RequestRecord::Ended(ended) => {
                let request = RequestId { drop, number: ended.number };
                let (sku, units) = (self.sku(drop, ended.pool), ended.units);
                match ended.end {
                    RequestEnd::Granted { lot } => {
                        CommandEffect::Restocked { lot, sku, units, request: Some(request) }
                    }
                    RequestEnd::Declined | RequestEnd::Withdrawn => {
                        CommandEffect::RequestEnded { request, sku, units }
                    }
                }
            }
        };
        self.latest.insert(drop, did);
    }

    fn amended(&mut self, drop: DropId, amendment: Amendment) -> AmendedTerms {
        let Amendment { limits, end } = amendment;
        let sale = self.sales.get_mut(&drop).zip(limits);
        let (limit_per_viewer, skus) = sale.map_or_else(Default::default, |(sale, limits)| {
            let before = std::mem::replace(&mut sale.limits, limits);
            let (limits, names) = (&sale.limits, &sale.skus);
            let of_drop = Some(limits.of_drop).filter(|limit| *limit != before.of_drop);
            // A plan has one pool for each SKU, in their order.
            let skus = names.iter().zip(before.of_skus).zip(&limits.of_skus);
            let changed = skus.filter(|((_, before), limit)| before != *limit);
            (of_drop, changed.map(|((sku, _), limit)| (sku.clone(), *limit)).collect())
        });
        AmendedTerms { limit_per_viewer, skus, end }
    }

    fn payment(&mut self, drop: DropId, record: PaymentRecord) {
        let PaymentRecord { hold: order, change } = record;
        if let PaymentChange::Cancelled(cancelled) = change {
            let (units, amount, lot) = (cancelled.units, cancelled.amount, cancelled.lot);
            let did = CommandEffect::OrderCancelled { order, units, amount, lot };
            self.latest.insert(drop, did);
        }
    }

    fn brake(&mut self, drop: DropId, record: BrakeRecord) {
        let did = match record {
            BrakeRecord::Halted(order) => CommandEffect::Stopped { expires_at: order.expires_at },
            BrakeRecord::RatesSet(set) => {
                CommandEffect::RatesSet { rates: set.rates, expires_at: set.order.expires_at }
            }
            BrakeRecord::Banned(ban) => {
                let target = match &ban.scope {
                    BanScope::Channel { channel, stream } => Some(BanTarget::Channel {
                        channel: channel.clone(),
                        stream: stream.clone(),
                    }),
                    BanScope::Viewer(_) | BanScope::Addresses => None,
                };
                CommandEffect::Banned { ban: *ban, target }
            }
            BrakeRecord::Lifted { expired: true, .. } => return,
            BrakeRecord::Lifted { part: BrakePart::Ban(ban), .. } => {
                CommandEffect::Unbanned { ban }
            }
            // Limits that staff ended leave nothing to tell about the command.
            BrakeRecord::Lifted { part: BrakePart::Halt | BrakePart::Rates, .. } => {
                self.latest.remove(&drop);
                return;
            }
        };
        self.latest.insert(drop, did);
    }

    /// What this command did, the next in its chain.
    pub(super) fn of(&mut self, drop: DropId, command: &Command) -> Option<CommandEffect> {
        let accepted = command.outcome == RecordedOutcome::Accepted;
        // It stands in front of what it does.
        if command.action.as_str() == "end_rehearsal" {
            let ended = self.sales.get(&drop).filter(|_| accepted);
            return ended.map(|sale| CommandEffect::Rehearsal { stream: sale.stream.clone() });
        }
        let latest = self.latest.get(&drop).filter(|did| did.is_of(command.action.as_str()));
        latest.filter(|_| accepted).cloned()
    }

    fn sku(&self, drop: DropId, pool: PoolIndex) -> Option<SkuId> {
        self.sales.get(&drop)?.skus.get(usize::from(pool.get())).cloned()
    }
}

/// Adds to bans whom they keep out, which stands outside the chain; what was erased stays unnamed.
pub(super) fn name_targets(
    journal: &dyn Journal,
    commands: &mut [RecordedCommand],
) -> Result<(), ReportError> {
    let (mut viewers, mut bans) =
        (HashMap::<ViewerNumber, Option<ViewerId>>::new(), HashMap::new());
    let unnamed = commands.iter_mut().filter_map(|command| match &mut command.did {
        Some(CommandEffect::Banned { ban, target: target @ None }) => Some((ban, target)),
        _ => None,
    });
    let unnamed: Vec<_> = unnamed.collect();
    for (ban, _) in &unnamed {
        match ban.scope {
            BanScope::Viewer(number) => drop(viewers.insert(number, None)),
            BanScope::Addresses => drop(bans.insert(ban.ban, None)),
            BanScope::Channel { .. } => {}
        }
    }
    if unnamed.is_empty() {
        return Ok(());
    }
    for row in journal.links()? {
        // Unreadable links are the verifier's business; here their people stay unnamed.
        let found = links::decode(&row.pairs).unwrap_or_default();
        for link in found.viewers {
            viewers.entry(link.number).and_modify(|id| *id = Some(link.id));
        }
        for link in found.addresses {
            bans.entry(link.ban).and_modify(|range| *range = Some(link.range));
        }
    }
    for (ban, target) in unnamed {
        *target = match ban.scope {
            BanScope::Viewer(number) => viewers[&number].clone().map(BanTarget::Viewer),
            BanScope::Addresses => bans[&ban.ban].map(BanTarget::Addresses),
            BanScope::Channel { .. } => None,
        };
    }
    Ok(())
}
