//! Where a ledger is at home: what tells the file that it was written to from a copy of it.
//!
//! A copy lacks what was sold after it was made, and would sell it again. Whatever way a file is copied,
//! the copy is another file: it came into being at another time. The mark stands in the node's row, so a
//! copy carries the original's mark and does not fit it.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::UNIX_EPOCH};

use stampede_domain::Incarnation;

/// What tells one file from its copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// When the file came into being, in nanoseconds since 1970, where the file system keeps it.
    born_ns: Option<u128>,
    /// Its number within the file system.
    inode: u64,
}

/// The mark of a ledger, as the node's row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    mark: String,
    /// The start that found the file to be a copy.
    pub(super) copied_in: Option<Incarnation>,
}

impl Home {
    /// The mark to write when a start takes over a ledger; `found` stands in its row. `None` if the file
    /// does not say where it is.
    pub(super) fn next(path: &Path, found: Option<&str>, start: Incarnation) -> Option<Self> {
        let place = Place::of(path)?;
        let (mark, copied_in) = match found.map(split) {
            // From before there were marks, or made just now.
            None => (place.mark(), None),
            Some((mark, copied_in)) if place.fits(mark) => (mark.to_owned(), copied_in),
            Some(_) => (place.mark(), Some(start)),
        };
        Some(Self { mark, copied_in })
    }

    /// The mark of a copy that the server itself puts in the place of the original.
    pub(super) fn moved(from: &Path, to: &Path, found: &str) -> Option<Self> {
        let (mark, copied_in) = split(found);
        let stays = Place::of(from)?.fits(mark);
        let mark = if stays { Place::of(to)?.mark() } else { mark.to_owned() };
        Some(Self { mark, copied_in })
    }

    /// The text for the node's row.
    pub(super) fn text(&self) -> String {
        match self.copied_in {
            None => self.mark.clone(),
            Some(start) => format!("{};copied in {start}", self.mark),
        }
    }
}

/// A row's text as a mark, with the start that found a copy.
fn split(text: &str) -> (&str, Option<Incarnation>) {
    match text.split_once(";copied in ") {
        None => (text, None),
        Some((mark, start)) => (mark, start.parse().ok().and_then(Incarnation::new)),
    }
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let born = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Some(Self { born_ns: born.map(|since| since.as_nanos()), inode: metadata.ino() })
    }

    fn mark(self) -> String {
        match self.born_ns {
            Some(born) => format!("born {born}"),
            None => format!("inode {}", self.inode),
        }
    }

    /// Whether the mark is this file's. One that the file system can no longer tell is believed.
    fn fits(self, mark: &str) -> bool {
        match (mark.split_once(' '), self.born_ns) {
            (Some(("born", born)), Some(own)) => born == own.to_string(),
            (Some(("born", _)), None) => true,
            (Some(("inode", inode)), _) => inode == self.inode.to_string(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(number: u32) -> Incarnation {
        Incarnation::new(number).unwrap()
    }

    #[test]
    fn a_copy_does_not_fit_and_stays_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (original, copy) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&original, "ledger").unwrap();
        let first = Home::next(&original, None, start(1)).unwrap();
        assert_eq!(first.copied_in, None);
        let text = first.text();
        assert_eq!(Home::next(&original, Some(&text), start(2)), Some(first.clone()));
        // File systems date by the kernel's ticks: a copy of the same tick would be the same file.
        let born = |path: &Path| Place::of(path).unwrap().born_ns;
        while !copy.exists() || born(&copy).is_some_and(|at| Some(at) == born(&original)) {
            let _first = fs::remove_file(&copy);
            fs::copy(&original, &copy).unwrap();
        }
        let found = Home::next(&copy, Some(&text), start(3)).unwrap();
        assert_eq!(found.copied_in, Some(start(3)));
        assert_eq!(Home::next(&copy, Some(&found.text()), start(4)), Some(found));
        // The server's own copy after a disk failure takes the mark along.
        let moved = Home::moved(&original, &copy, &text).unwrap();
        assert_eq!(Home::next(&copy, Some(&moved.text()), start(5)), Some(moved));
        // A file of the same name in another place of the disk is found by its number too.
        fs::rename(&original, dir.path().join("c")).unwrap();
        assert_eq!(Home::next(&dir.path().join("c"), Some(&text), start(6)), Some(first));
    }

    #[test]
    fn a_mark_without_a_time_goes_by_the_number() {
        let place = Place { born_ns: None, inode: 7 };
        assert_eq!(place.mark(), "inode 7");
        assert!(place.fits("inode 7") && !place.fits("inode 8"));
        assert!(place.fits("born 5"), "the file system no longer tells");
        assert!(!Place { born_ns: Some(6), inode: 7 }.fits("born 5"));
        assert!(!place.fits("copy"));
    }
}
