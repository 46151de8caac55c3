//! Which rows of links a start reads.

use stampede_domain::Incarnation;

use super::{checker::BanCommits, error::OpenError, source::StartSource};
use crate::{
    CommitKey,
    links::{self, Links},
};

/// The links that a start needs, in commit order: those of commits from `from` on, where the oldest drop
/// that is read begins, and those beside bans. Links that were written before the rule may stand in any
/// earlier commit; while a drop or a ban in force is as old as that, all are read. `last` is the ledger's
/// latest start.
pub(crate) fn read(
    source: &dyn StartSource,
    last: Option<Incarnation>,
    from: CommitKey,
    bans: &BanCommits,
) -> Result<Links, OpenError> {
    let rule = source.links_rule(last)?;
    let by_rule = |commit: &CommitKey| rule.is_some_and(|start| commit.0 >= start);
    let mut rows = Vec::new();
    let from = if by_rule(&from) && bans.viewers.values().all(by_rule) {
        let mut beside = bans.all.clone();
        beside.sort_unstable();
        beside.dedup();
        for commit in beside.iter().filter(|commit| **commit < from) {
            rows.extend(source.links_at(*commit)?);
        }
        from
    } else {
        CommitKey::default()
    };
    rows.extend(source.links_from(from)?);
    let mut found = Links::default();
    for row in rows {
        let (incarnation, seq) = (row.incarnation, row.seq);
        let links = links::decode(&row.pairs);
        found.append(links.map_err(|source| OpenError::Links { incarnation, seq, source })?);
    }
    Ok(found)
}
