//! What the house's chain leaves of the brake.

use std::{collections::HashMap, sync::Arc};

use stampede_domain::{AddressRange, BanId, BanTarget, Incarnation, KeyFingerprint, UnixMillis};
use stampede_ledger::{BanScope, Banned, BrakeOrder, BrakePart, BrakeRecord, Record};
use tracing::warn;

use crate::{
    brake::{Ban, BrakeEntry},
    command::personal,
    shared::Shared,
    steward::BrakeBook,
    viewer::Directory,
};

/// Who stops takes where no member of staff does.
const SERVER: &str = "the server";
/// Why it does.
const WHY_STOPPED: &str = "this ledger is a copy: what was sold after it was made is not in it; compare it \
    with the original, then end the stop";

/// The brake as the records left it, with what stands beside the chain.
#[derive(Default)]
pub(crate) struct BrakePast {
    /// Ranges by ban; one that is missing was erased.
    ranges: HashMap<BanId, AddressRange>,
    pub(crate) book: BrakeBook,
    /// Fingerprint of what was personal about the latest ban.
    latest_personal: Option<KeyFingerprint>,
    /// The ban that staff ended last.
    latest_lifted: Option<BanId>,
    /// The start in which the server itself stopped all takes last, because the ledger is a copy.
    stopped_in: Option<Incarnation>,
    /// Bans whose range or viewer was erased, that were not lifted since.
    erased: Vec<BanId>,
}

impl BrakePast {
    pub(crate) fn new(ranges: HashMap<BanId, AddressRange>) -> Self {
        Self { ranges, ..Self::default() }
    }

    /// Folds a record of the house's chain.
    pub(crate) fn apply(
        &mut self,
        record: &BrakeRecord,
        incarnation: Incarnation,
        at: UnixMillis,
        directory: &Directory,
    ) {
        match record {
            BrakeRecord::Halted(order) => {
                if order.actor.as_str() == SERVER {
                    self.stopped_in = Some(incarnation);
                }
                self.book.halt = Some(entry(order, at));
            }
            BrakeRecord::RatesSet(set) => {
                self.book.rates = Some((set.rates, entry(&set.order, at)));
            }
            BrakeRecord::Banned(banned) => self.banned(banned, at, directory),
            BrakeRecord::Lifted { part: BrakePart::Halt, .. } => self.book.halt = None,
            BrakeRecord::Lifted { part: BrakePart::Rates, .. } => self.book.rates = None,
            BrakeRecord::Lifted { part: BrakePart::Ban(ban), expired } => {
                let _lifted = self.book.remove_ban(*ban);
                self.erased.retain(|erased| erased != ban);
                if !expired {
                    self.latest_lifted = Some(*ban);
                }
            }
        }
    }

    fn banned(&mut self, banned: &Banned, at: UnixMillis, directory: &Directory) {
        let Banned { ban: id, scope, releases_holds, order } = banned;
        self.book.last_ban = *id;
        self.latest_personal = None;
        let target = match scope {
            BanScope::Viewer(number) => {
                directory.by_number(*number).map(|viewer| BanTarget::Viewer(viewer.id().clone()))
            }
            BanScope::Addresses => self.ranges.get(id).copied().map(BanTarget::Addresses),
            BanScope::Channel { channel, stream } => {
                Some(BanTarget::Channel { channel: channel.clone(), stream: stream.clone() })
            }
        };
        let Some(target) = target else {
            self.erased.push(*id);
            return;
        };
        self.latest_personal = personal(&target);
        let (id, releases_holds, entry) = (*id, *releases_holds, entry(order, at));
        self.book.add_ban(Arc::new(Ban { id, target, releases_holds, entry }));
    }

    /// The ban that an accepted command named, with what was personal about it. Its record stands
    /// right before the command's.
    pub(crate) fn of_command(&self, action: &str) -> (Option<BanId>, Option<KeyFingerprint>) {
        match action {
            "ban" => (Some(self.book.last_ban), self.latest_personal),
            "unban" => (self.latest_lifted, None),
            _ => (None, None),
        }
    }

    /// Stops all takes if the ledger was found to be a copy in this start, or in an earlier one that
    /// has left no record of the stop; the record is still to be written.
    pub(crate) fn stop_copy(
        &mut self,
        copied_in: Option<Incarnation>,
        now: UnixMillis,
    ) -> Option<Record> {
        let copied_in = copied_in.filter(|start| self.stopped_in < Some(*start))?;
        let (actor, reason) = (SERVER.into(), WHY_STOPPED.into());
        let order = BrakeOrder { actor, reason, expires_at: None };
        warn!(%copied_in, "{WHY_STOPPED}");
        self.book.halt = Some(entry(&order, now));
        Some(Record::Brake(BrakeRecord::Halted(Box::new(order))))
    }

    /// Puts everything in force again before anybody takes.
    pub(crate) fn restore(mut self, shared: &Shared) -> BrakeBook {
        let book = &mut self.book;
        shared.brake.set_halt(book.halt.clone());
        if let Some((rates, entry)) = &book.rates {
            book.in_force = *rates;
            shared.brake.set_rates(*rates, Some(entry.clone()));
        }
        for ban in book.bans.values() {
            shared.brake.add_ban(Arc::clone(ban));
            if let BanTarget::Viewer(viewer) = &ban.target
                && let Some(viewer) = shared.directory.by_id(viewer)
            {
                viewer.keep();
                // The crash may have come between the ban and the last release.
                if ban.releases_holds {
                    book.releasing.push_back((viewer.number(), ban.id));
                }
            }
        }
        if let Some(ban) = self.erased.first() {
            let bans = self.erased.len();
            warn!(%ban, bans, "whom these bans keep out was erased: they keep out nobody");
        }
        crate::metrics::show_halt(book.halt.is_some());
        crate::metrics::show_bans(book.bans.len());
        self.book
    }
}

fn entry(order: &BrakeOrder, at: UnixMillis) -> BrakeEntry {
    BrakeEntry {
        actor: order.actor.as_str().to_owned(),
        reason: order.reason.as_str().to_owned(),
        since: at,
        expires_at: order.expires_at,
    }
}
