//! The orders of one drop as far as its rows were read, and where their buyers' names stand.

use std::collections::HashMap;

use stampede_domain::{DropId, Incarnation, Seq, ViewerId, ViewerNumber};
use stampede_ledger::{CommitKey, Journal, RowSpan, links};

use super::{
    Order, OrdersError, OrdersFold,
    fold::{LinkPlace, Takers},
};
use crate::chain::Chain;

/// Commits whose links are fetched at a time.
const LINKS_PER_FETCH: u32 = 1_024;
/// Blobs of links that are kept while a page is made.
const BLOBS_KEPT_MAX: usize = 64;

/// A drop's orders as far as its rows were read.
#[derive(Debug)]
pub(super) struct FoldedDrop {
    pub(super) fold: OrdersFold,
    chain: Chain,
    /// The commit behind those whose links were read.
    links_from: Option<CommitKey>,
}

impl FoldedDrop {
    pub(super) fn new(drop: DropId) -> Self {
        Self { fold: OrdersFold::new(drop), chain: Chain::new(drop), links_from: None }
    }

    /// Takes in what was written since.
    pub(super) fn follow(&mut self, journal: &dyn Journal) -> Result<(), OrdersError> {
        let Self { fold, chain, .. } = self;
        chain.follow(journal, |row| fold.apply(row).map_err(OrdersError::from))
    }

    /// The rows that were read: those of the chain, then those of the adjustments.
    pub(super) fn rows_read(&self) -> [RowSpan; 2] {
        self.chain.rows_read()
    }

    /// The order with its buyer's name, as far as it was not erased.
    pub(super) fn named(
        &mut self,
        journal: &dyn Journal,
        order: Order,
        blobs: &mut Blobs,
    ) -> Result<Order, OrdersError> {
        let viewer = self.name_of(journal, order.viewer_number, blobs)?;
        Ok(Order { viewer, ..order })
    }

    /// The name of somebody who took, as far as it was not erased.
    pub(super) fn name_of(
        &mut self,
        journal: &dyn Journal,
        number: ViewerNumber,
        blobs: &mut Blobs,
    ) -> Result<Option<ViewerId>, OrdersError> {
        match self.link_of(journal, number)? {
            Some(commit) => blobs.viewer(journal, commit, number),
            None => Ok(None),
        }
    }

    /// The commit that has a buyer's link.
    ///
    /// A link is written with a take, unless it was written before with a take in a drop of the same or a higher
    /// number: so it stands behind the drop's first row, and mostly in the commit of the take. Ledgers of older
    /// programs may have it anywhere.
    fn link_of(
        &mut self,
        journal: &dyn Journal,
        number: ViewerNumber,
    ) -> Result<Option<CommitKey>, OrdersError> {
        let first = self.chain.first().unwrap_or_default();
        let is_unknown = |takers: &Takers| takers.get(&number) == Some(&LinkPlace::Unknown);
        if is_unknown(self.fold.takers_mut()) {
            let from = self.links_from.unwrap_or(first);
            self.links_from = Some(find_links(journal, from, None, self.fold.takers_mut())?);
        }
        if is_unknown(self.fold.takers_mut()) {
            // Read before this viewer had taken here, or from before the rule.
            find_links(journal, CommitKey::default(), self.links_from, self.fold.takers_mut())?;
            for place in self.fold.takers_mut().values_mut() {
                if *place == LinkPlace::Unknown {
                    *place = LinkPlace::Nowhere;
                }
            }
        }
        Ok(match self.fold.takers_mut().get(&number) {
            Some(LinkPlace::At(commit)) => Some(*commit),
            Some(LinkPlace::Unknown | LinkPlace::Nowhere) | None => None,
        })
    }
}

/// Notes where the links of takers stand, from one commit to before another; tells the commit behind those read.
fn find_links(
    journal: &dyn Journal,
    mut from: CommitKey,
    before: Option<CommitKey>,
    takers: &mut Takers,
) -> Result<CommitKey, OrdersError> {
    loop {
        let rows = journal.fetch_links(from, LINKS_PER_FETCH)?;
        let is_last = rows.len() < usize::try_from(LINKS_PER_FETCH).unwrap_or(usize::MAX);
        for row in rows {
            let commit = (row.incarnation, row.seq);
            if before.is_some_and(|before| commit >= before) {
                return Ok(from);
            }
            from = behind(commit);
            for link in decoded(&row.pairs) {
                if let Some(place) = takers.get_mut(&link.number) {
                    *place = LinkPlace::At(commit);
                }
            }
        }
        if is_last {
            return Ok(from);
        }
    }
}

/// The first commit that may follow one.
fn behind((incarnation, seq): CommitKey) -> CommitKey {
    match (seq.next(), incarnation.next()) {
        (Some(seq), _) => (incarnation, seq),
        (None, next) => (next.unwrap_or(Incarnation::MAX), Seq::default()),
    }
}

/// The viewers of a blob. Unreadable links are the verifier's business; here their viewers stay unnamed.
fn decoded(pairs: &[u8]) -> Vec<stampede_ledger::ViewerLink> {
    links::decode(pairs).unwrap_or_default().viewers
}

/// Links of some commits, as they stand now.
#[derive(Debug, Default)]
pub(super) struct Blobs(HashMap<CommitKey, HashMap<ViewerNumber, ViewerId>>);

impl Blobs {
    fn viewer(
        &mut self,
        journal: &dyn Journal,
        commit: CommitKey,
        number: ViewerNumber,
    ) -> Result<Option<ViewerId>, OrdersError> {
        if !self.0.contains_key(&commit) {
            if self.0.len() >= BLOBS_KEPT_MAX {
                self.0.clear();
            }
            let mut rows = journal.fetch_links(commit, 1)?;
            rows.retain(|row| (row.incarnation, row.seq) == commit);
            let viewers = rows.iter().flat_map(|row| decoded(&row.pairs));
            self.0.insert(commit, viewers.map(|link| (link.number, link.id)).collect());
        }
        Ok(self.0.get(&commit).and_then(|viewers| viewers.get(&number)).cloned())
    }
}
