//! Data that an audit reads besides the drop's own rows.

use std::collections::HashMap;

use stampede_domain::{DropId, DropPlan, StreamId, ViewerId, ViewerNumber};
use stampede_ledger::{
    Journal, Mark, Projection, ReadError, Record, RoomChange, Row, RowKey, links,
};

use crate::FoldError;

/// The journal's end with the place that the orders have come to, as of one state.
pub(super) fn head(journal: &dyn Journal) -> Result<(RowKey, Mark), ReadError> {
    let _snapshot = journal.snapshot()?;
    let nodes = journal.nodes()?;
    let ends = nodes.iter().map(|node| RowKey {
        incarnation: node.incarnation.get(),
        seq: node.last_seq.get(),
        drop: u32::MAX,
    });
    Ok((ends.max().unwrap_or_default(), journal.mark(Projection::Orders)?))
}

/// Platform ids by viewer number.
pub(super) fn viewers(journal: &dyn Journal) -> Result<HashMap<ViewerNumber, ViewerId>, ReadError> {
    let mut viewers = HashMap::new();
    for row in journal.links()? {
        // Unreadable links are the verifier's business; here their viewers stay unnamed.
        let pairs = links::decode(&row.pairs).unwrap_or_default();
        viewers.extend(pairs.viewers.into_iter().map(|pair| (pair.number, pair.id)));
    }
    Ok(viewers)
}

/// Whose the drop's stream is, as the house's chain tells it.
#[derive(Default)]
pub(super) struct Owners {
    /// By stream; of every stream until the drop's is known.
    owners: HashMap<StreamId, String>,
    planned: Option<(StreamId, Option<String>)>,
}

impl Owners {
    /// Follows a row of the house's chain.
    pub(super) fn house(&mut self, row: &Row) -> Result<(), FoldError> {
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let fail = |source| FoldError::Record { drop, incarnation, seq, source };
        for record in row.decode() {
            let Record::Room(room) = record.map_err(fail)? else { continue };
            if self.planned.as_ref().is_some_and(|(stream, _)| *stream != room.stream) {
                continue;
            }
            match &room.change {
                RoomChange::Owner(owner) => {
                    self.owners.insert(room.stream.clone(), owner.to_string());
                }
                RoomChange::Ended => {
                    self.owners.remove(&room.stream);
                }
                RoomChange::Admitted(_)
                | RoomChange::Dismissed(_)
                | RoomChange::HostsAllowed(_)
                | RoomChange::HostsForbidden(_)
                | RoomChange::VideoDelay(_) => {}
            }
        }
        Ok(())
    }

    /// The drop was planned, or edited, which leaves the stream as it is.
    pub(super) fn planned(&mut self, plan: &DropPlan) {
        if self.planned.is_none() {
            let owner = self.owners.remove(&plan.stream);
            self.owners =
                owner.clone().map(|owner| (plan.stream.clone(), owner)).into_iter().collect();
            self.planned = Some((plan.stream.clone(), owner));
        }
    }

    /// The stream, with its owner when the drop was planned and its owner now.
    pub(super) fn of_drop(mut self) -> Option<(String, Option<String>, Option<String>)> {
        let (stream, when_planned) = self.planned?;
        Some((stream.to_string(), when_planned, self.owners.remove(&stream)))
    }
}

/// Whether a row is the house's.
pub(super) fn is_house(row: &Row) -> bool {
    row.drop == DropId::HOUSE
}
