//! Checks that no commit is missing from what is read.

use std::collections::BTreeMap;

use stampede_domain::{DropId, Incarnation, NodeId, Seq, UnixMillis};

use super::damage::{Damage, Wrong};
use crate::{BodyHeader, CommitKey, IncarnationRow, NodeRow, Row, RowKey};

/// Every start with what has been read of it.
pub(crate) struct Commits {
    /// Every start with its node and last commit.
    starts: BTreeMap<Incarnation, (NodeId, Seq)>,
    /// Rows before this commit are read here and there only.
    from: CommitKey,
    commit: Option<Commit>,
    last_at: UnixMillis,
}

/// The commit whose rows are being read.
struct Commit {
    at: CommitKey,
    found: u16,
    /// Of the first row that was read.
    header: Option<BodyHeader>,
}

impl Commits {
    /// Commits from `from` on; those before it are taken as they are.
    pub(crate) fn new(node: Option<&NodeRow>, ended: &[IncarnationRow], from: CommitKey) -> Self {
        let mut starts: BTreeMap<_, _> = ended
            .iter()
            .map(|start| (start.incarnation, (start.node.clone(), start.last_seq)))
            .collect();
        if let Some(node) = node {
            starts.insert(node.incarnation, (node.node.clone(), node.last_seq));
        }
        let before = Seq::new(from.1.get().saturating_sub(1)).unwrap_or_default();
        let commit = (from > CommitKey::default()).then_some(Commit {
            at: (from.0, before),
            found: 0,
            header: None,
        });
        Self { starts, from, commit, last_at: UnixMillis::default() }
    }

    /// The latest time read.
    pub(crate) fn last_at(&self) -> UnixMillis {
        self.last_at
    }

    /// The last commit of a start that there was.
    pub(crate) fn last_of(&self, incarnation: Incarnation) -> Option<CommitKey> {
        self.starts.get(&incarnation).map(|(_, last_seq)| (incarnation, *last_seq))
    }

    /// Checks a row's place, time and node.
    pub(crate) fn row(&mut self, row: &Row, header: BodyHeader) -> Result<(), Damage> {
        let fail = |wrong| Err(damage(row, wrong));
        let key = (row.incarnation, row.seq);
        if key < self.from {
            if header.at < self.last_at {
                return fail(Wrong::Time { at: header.at, before: self.last_at });
            }
            self.last_at = header.at;
        } else {
            self.key(key, row.drop)?;
            let commit = self.commit.as_mut().expect("the key made it");
            match commit.header {
                Some(first) if first.rows != header.rows => {
                    return fail(Wrong::Rows { found: header.rows, expected: first.rows });
                }
                Some(first) if first.at != header.at => {
                    return fail(Wrong::Time { at: header.at, before: first.at });
                }
                Some(_) => {}
                None if header.at < self.last_at => {
                    return fail(Wrong::Time { at: header.at, before: self.last_at });
                }
                None => {
                    self.last_at = header.at;
                    commit.header = Some(header);
                }
            }
        }
        match self.starts.get(&row.incarnation) {
            None => fail(Wrong::UnknownIncarnation),
            Some((node, _)) if row.node != *node => {
                fail(Wrong::Node { found: row.node.clone(), expected: node.clone() })
            }
            Some(_) => Ok(()),
        }
    }

    /// Checks the place of a row that is left alone.
    pub(crate) fn skipped(&mut self, key: RowKey) -> Result<(), Damage> {
        let incarnation = Incarnation::new(key.incarnation).unwrap_or(Incarnation::MAX);
        let seq = Seq::new(key.seq).unwrap_or(Seq::MAX);
        let drop = DropId::new(key.drop);
        self.key((incarnation, seq), drop)?;
        if self.starts.contains_key(&incarnation) {
            return Ok(());
        }
        Err(Damage { drop: Some(drop), incarnation, seq, wrong: Wrong::UnknownIncarnation })
    }

    /// Checks that a key is the next one: the next of its commit, or the first of the next.
    fn key(&mut self, key: CommitKey, drop: DropId) -> Result<(), Damage> {
        if let Some(commit) = &mut self.commit
            && commit.at == key
        {
            commit.found = commit.found.saturating_add(1);
            return Ok(());
        }
        self.is_whole()?;
        let expected = self.expected(key.0);
        if key != expected {
            let (incarnation, seq) = expected;
            let wrong = Wrong::Gap { incarnation, seq };
            return Err(Damage { drop: Some(drop), incarnation: key.0, seq: key.1, wrong });
        }
        self.commit = Some(Commit { at: key, found: 1, header: None });
        Ok(())
    }

    /// The commit that must come next, where the next row is of `incarnation`.
    fn expected(&self, incarnation: Incarnation) -> CommitKey {
        let after = |seq: Seq| seq.next().unwrap_or(Seq::MAX);
        let (mut from, mut done) = CommitKey::default();
        if let Some(commit) = &self.commit {
            if commit.at.0 == incarnation {
                return (incarnation, after(commit.at.1));
            }
            (from, done) = commit.at;
        }
        // Every start up to this one must have been read to its end. A place to begin may lie behind
        // them all, where the tables of starts are damaged.
        let between = self.starts.range(from..).take_while(|(start, _)| **start < incarnation);
        for (start, (_, last_seq)) in between {
            let read = if *start == from { done } else { Seq::default() };
            if read < *last_seq {
                return (*start, after(read));
            }
        }
        (incarnation, after(Seq::default()))
    }

    fn is_whole(&self) -> Result<(), Damage> {
        match &self.commit {
            Some(Commit { at: (incarnation, seq), found, header: Some(header) })
                if *found != header.rows =>
            {
                let wrong = Wrong::Rows { found: *found, expected: header.rows };
                Err(Damage { drop: None, incarnation: *incarnation, seq: *seq, wrong })
            }
            _ => Ok(()),
        }
    }

    /// Checks that everything was read that the starts name, and nothing else.
    pub(crate) fn finish(&self) -> Result<(), Damage> {
        self.is_whole()?;
        // Whatever start comes last: a commit behind the last row read must not be named anywhere.
        let beyond = self.starts.last_key_value().and_then(|(last, _)| last.next());
        if let Some(beyond) = beyond {
            let (incarnation, seq) = self.expected(beyond);
            if let Some((_, last_seq)) = self.starts.get(&incarnation) {
                let wrong = Wrong::Tail { last_seq: *last_seq };
                return Err(Damage { drop: None, incarnation, seq, wrong });
            }
        }
        let Some(Commit { at: (incarnation, seq), .. }) = &self.commit else { return Ok(()) };
        match self.starts.get(incarnation).map(|(_, last_seq)| *last_seq) {
            Some(last_seq) if *seq > last_seq => {
                let wrong = Wrong::Tail { last_seq };
                Err(Damage { drop: None, incarnation: *incarnation, seq: *seq, wrong })
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn damage(row: &Row, wrong: Wrong) -> Damage {
    Damage { drop: Some(row.drop), incarnation: row.incarnation, seq: row.seq, wrong }
}
