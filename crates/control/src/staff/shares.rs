//! The shares of a data directory: made, opened, revoked.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, IdempotencyKey, UnixMillis, check_shown, composed};

use super::{
    StaffError, StaffSecret,
    file::StaffFile,
    secret,
    share::{
        MadeShare, NewShare, Opened, SHARE_KEPT, SHARE_LABEL_BYTES_MAX, SHARE_VALID_MAX,
        SHARE_VALID_MIN, SHARES_KEPT_MAX, SHARES_MAX, SHARES_PER_HOLDER_MAX, Share,
    },
    share_keys::ShareKeys,
};

/// Time between two writings of when shares were read.
const USES_EVERY: DurationMs = DurationMs::from_secs(60);
/// What reads are counted by.
const MINUTE_MS: u64 = 60_000;

/// The shares of a data directory, read again whenever the file has changed.
///
/// When a share was read is kept in memory, and written once a minute: a crash forgets that much.
#[derive(Debug)]
pub struct Shares {
    file: StaffFile<ShareBook>,
    /// One change at a time: each writes what was read meanwhile, which must not be added twice.
    changing: Mutex<()>,
    reads: Mutex<Reads>,
    keys: Mutex<ShareKeys>,
}

/// The contents of `shares.json`.
#[derive(Debug, Default)]
pub(super) struct ShareBook {
    /// In the order in which they were made.
    shares: BTreeMap<u64, StoredShare>,
    next: u64,
    /// The place of each by the hash of its secret: a reader is never kept waiting for a search.
    by_hash: HashMap<blake3::Hash, u64>,
}

/// A share as it is kept.
#[derive(Clone, Debug)]
pub(super) struct StoredShare {
    pub(super) share: Share,
    pub(super) hash: blake3::Hash,
}

#[derive(Debug, Default)]
struct Reads {
    /// By the share's id.
    unwritten: HashMap<String, Read>,
    written_at: UnixMillis,
}

/// What was read of a share and is not written yet.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    minutes: u64,
    at: UnixMillis,
}

impl Shares {
    /// Reads `shares.json` in `dir`, which may not exist yet.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn open(dir: &Path) -> Result<Self, StaffError> {
        let (changing, reads, keys) = Default::default();
        Ok(Self { file: StaffFile::open(dir)?, changing, reads, keys })
    }

    /// Shares a report, by a secret of 256 random bits.
    ///
    /// # Errors
    /// [`StaffError::Label`], [`StaffError::ShareValidity`], [`StaffError::TooManyShares`], [`StaffError::Io`] or
    /// [`StaffError::Damaged`].
    pub fn make(&self, new: NewShare, now: UnixMillis) -> Result<MadeShare, StaffError> {
        let label = new.label.as_deref().map(|label| composed(label).into_owned());
        if let Some(label) = &label {
            check_shown(label, SHARE_LABEL_BYTES_MAX).map_err(StaffError::Label)?;
        }
        let (min, max) = (SHARE_VALID_MIN, SHARE_VALID_MAX);
        if !(min..=max).contains(&new.valid) {
            return Err(StaffError::ShareValidity { given: new.valid, min, max });
        }
        let secret = StaffSecret::share();
        let share = Share {
            id: format!("r{:016x}", rand::random::<u64>()),
            subject: new.subject,
            channel: new.channel,
            label,
            by: new.by,
            merchant: new.merchant,
            created_at: now,
            ends_at: now.plus(new.valid),
            revoked_at: None,
            used_at: None,
            uses: 0,
        };
        let stored = StoredShare { share: share.clone(), hash: secret::hash(secret.reveal()) };
        self.change(now, |book| {
            book.check_room(&share, now)?;
            book.add(stored);
            Ok(())
        })?;
        Ok(MadeShare { secret, share })
    }

    /// Shares a report once: for ten minutes, the same request of the same maker under the same key gives the same
    /// share with a new secret, and the one before opens nothing any more. A share that is over by then is made anew.
    ///
    /// # Errors
    /// As [`Shares::make`], or [`StaffError::ShareKeyReused`].
    pub fn make_once(
        &self,
        new: NewShare,
        key: &IdempotencyKey,
        now: UnixMillis,
    ) -> Result<MadeShare, StaffError> {
        // Held to the end: of two requests with one key, the second finds what the first has made.
        let mut keys = self.keys.lock();
        if let Some(id) = keys.find(&new, key, now)?
            && let Some(made) = self.renew(&id, now)?
        {
            return Ok(made);
        }
        let made = self.make(new.clone(), now)?;
        keys.note(new, key, made.share.id.clone(), now);
        Ok(made)
    }

    /// Gives a share in force another secret; `None` if there is none.
    fn renew(&self, id: &str, now: UnixMillis) -> Result<Option<MadeShare>, StaffError> {
        let secret = StaffSecret::share();
        let hash = secret::hash(secret.reveal());
        let renewed = self.change(now, |book| Ok(book.renew(id, hash, now)))?;
        Ok(renewed.map(|share| MadeShare { secret, share }))
    }

    /// What this secret opens; this is no use of it.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: a file that cannot be read shows nothing to anybody.
    pub fn find(&self, secret: &str, now: UnixMillis) -> Result<Opened, StaffError> {
        let hash = secret::hash(secret);
        self.file.look(|book| match book.by_hash(hash) {
            None => Opened::Unknown,
            Some(share) if share.is_in_force(now) => Opened::Share(Box::new(share.clone())),
            Some(_) => Opened::Over,
        })
    }

    /// Every share in force, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn list(&self, now: UnixMillis) -> Result<Vec<Share>, StaffError> {
        let reads = self.reads.lock().unwritten.clone();
        self.file.look(|book| {
            let all = book.shares.values().map(|stored| &stored.share);
            let in_force = all.filter(|share| share.is_in_force(now)).cloned();
            in_force.map(|share| with(share, &reads)).collect()
        })
    }

    /// Takes a share back, from the next request on; whether there was one in force.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn revoke(&self, id: &str, now: UnixMillis) -> Result<bool, StaffError> {
        self.change(now, |book| {
            let mut all = book.shares.values_mut().map(|stored| &mut stored.share);
            let found = all.find(|share| share.id == id && share.is_in_force(now));
            Ok(found.map(|share| share.revoked_at = Some(now)).is_some())
        })
    }

    /// Counts that a share was read.
    pub fn note_read(&self, share: &Share, now: UnixMillis) {
        let mut reads = self.reads.lock();
        let read = reads.unwritten.entry(share.id.clone()).or_default();
        let before = share.used_at.unwrap_or_default().max(read.at);
        if before.get() / MINUTE_MS != now.get() / MINUTE_MS {
            read.minutes += 1;
        }
        read.at = read.at.max(now);
    }

    /// Whether it is time to write what was read: something was, and the last writing is a minute ago.
    pub fn are_reads_due(&self, now: UnixMillis) -> bool {
        let reads = self.reads.lock();
        !reads.unwritten.is_empty() && now.since(reads.written_at) >= USES_EVERY
    }

    /// Writes what was read, if anything was.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]; it is due again a minute later.
    pub fn write_reads(&self, now: UnixMillis) -> Result<(), StaffError> {
        {
            let mut reads = self.reads.lock();
            reads.written_at = now;
            if reads.unwritten.is_empty() {
                return Ok(());
            }
        }
        self.change(now, |_| Ok(()))
    }

    /// Changes the file, with what memory knows about reads, without what is of no more use.
    fn change<T>(
        &self,
        now: UnixMillis,
        change: impl FnOnce(&mut ShareBook) -> Result<T, StaffError>,
    ) -> Result<T, StaffError> {
        let _changing = self.changing.lock();
        let reads = self.reads.lock().unwritten.clone();
        let changed = self.file.change(|book| {
            for stored in book.shares.values_mut() {
                let share = stored.share.clone();
                stored.share = with(share, &reads);
            }
            book.sweep(now);
            change(book)
        })?;
        let unwritten = &mut self.reads.lock().unwritten;
        for (id, written) in reads {
            if let Some(read) = unwritten.get_mut(&id) {
                read.minutes -= written.minutes;
                if read.minutes == 0 && read.at == written.at {
                    unwritten.remove(&id);
                }
            }
        }
        Ok(changed)
    }
}

/// The share with what was read of it.
fn with(mut share: Share, reads: &HashMap<String, Read>) -> Share {
    if let Some(read) = reads.get(&share.id) {
        share.uses += read.minutes;
        share.used_at = share.used_at.max(Some(read.at));
    }
    share
}

impl ShareBook {
    pub(super) fn add(&mut self, stored: StoredShare) {
        self.by_hash.insert(stored.hash, self.next);
        self.shares.insert(self.next, stored);
        self.next += 1;
    }

    /// In the order in which they were made.
    pub(super) fn all(&self) -> impl Iterator<Item = &StoredShare> {
        self.shares.values()
    }

    /// Has a share in force open by another secret than before.
    fn renew(&mut self, id: &str, hash: blake3::Hash, now: UnixMillis) -> Option<Share> {
        let mut all = self.shares.iter_mut();
        let (place, stored) =
            all.find(|(_, stored)| stored.share.id == id && stored.share.is_in_force(now))?;
        self.by_hash.remove(&stored.hash);
        self.by_hash.insert(hash, *place);
        stored.hash = hash;
        Some(stored.share.clone())
    }

    fn by_hash(&self, hash: blake3::Hash) -> Option<&Share> {
        let place = self.by_hash.get(&hash)?;
        self.shares.get(place).map(|stored| &stored.share)
    }

    /// Whether there is room for another.
    fn check_room(&self, new: &Share, now: UnixMillis) -> Result<(), StaffError> {
        let in_force = || {
            let all = self.shares.values().map(|stored| &stored.share);
            all.filter(|share| share.is_in_force(now))
        };
        let own = in_force().filter(|share| share.is_of_same_holder(new)).count();
        for (count, max) in [(in_force().count(), SHARES_MAX), (own, SHARES_PER_HOLDER_MAX)] {
            if count >= max {
                return Err(StaffError::TooManyShares { max });
            }
        }
        Ok(())
    }

    /// Forgets what was over long ago, and what is more than can be remembered.
    fn sweep(&mut self, now: UnixMillis) {
        let mut over: Vec<_> = self
            .shares
            .iter()
            .filter(|(_, stored)| !stored.share.is_in_force(now))
            .map(|(place, stored)| (stored.share.over_at(), *place))
            .collect();
        over.sort_unstable();
        let kept_from = over.len().saturating_sub(SHARES_KEPT_MAX);
        for (number, (over_at, place)) in over.into_iter().enumerate() {
            if number >= kept_from && now < over_at.plus(SHARE_KEPT) {
                continue;
            }
            if let Some(gone) = self.shares.remove(&place) {
                self.by_hash.remove(&gone.hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::{
        share::{SHARE_VALID_DEFAULT, ShareSubject},
        share_keys::KEY_KEPT,
    };

    const NOON: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn new(by: &str, merchant: Option<&str>) -> NewShare {
        NewShare {
            subject: ShareSubject::Drop("d12".parse().unwrap()),
            channel: None,
            label: None,
            by: by.to_owned(),
            merchant: merchant.map(|id| id.parse().unwrap()),
            valid: SHARE_VALID_DEFAULT,
        }
    }

    fn opened(shares: &Shares, secret: &StaffSecret, now: UnixMillis) -> Opened {
        shares.find(secret.reveal(), now).unwrap()
    }

    #[test]
    fn a_share_is_good_until_it_is_over_and_then_remembered_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let shares = Shares::open(dir.path()).unwrap();
        let made = shares.make(new("mia", None), NOON).unwrap();
        let end = NOON.plus(SHARE_VALID_DEFAULT);
        let just_before = UnixMillis::new(end.get() - 1);
        let found = Opened::Share(Box::new(made.share.clone()));
        assert_eq!(opened(&shares, &made.secret, just_before), found);
        assert_eq!(opened(&shares, &made.secret, end), Opened::Over);
        assert_eq!(shares.list(end).unwrap(), []);
        // Forgotten by the first change after that.
        let late = end.plus(SHARE_KEPT);
        shares.make(new("mia", None), UnixMillis::new(late.get() - 1)).unwrap();
        assert_eq!(opened(&shares, &made.secret, late), Opened::Over);
        shares.make(new("mia", None), late).unwrap();
        assert_eq!(opened(&shares, &made.secret, late), Opened::Unknown);
    }

    #[test]
    fn a_retry_gets_the_same_share_by_a_new_secret() {
        let dir = tempfile::tempdir().unwrap();
        let shares = Shares::open(dir.path()).unwrap();
        let key = |text: &str| text.parse::<IdempotencyKey>().unwrap();
        let make = |new, text: &str, now| shares.make_once(new, &key(text), now);
        let first = make(new("mia", None), "k1", NOON).unwrap();
        let late = UnixMillis::new(NOON.plus(KEY_KEPT).get() - 1);
        let again = make(new("mia", None), "k1", late).unwrap();
        assert_eq!(again.share, first.share);
        assert_eq!(opened(&shares, &first.secret, late), Opened::Unknown);
        assert_eq!(opened(&shares, &again.secret, late), Opened::Share(Box::new(first.share)));
        // Others' keys are their own, and a key is for one request.
        make(new("tom", None), "k1", late).unwrap();
        make(new("mia", None), "k2", late).unwrap();
        assert_eq!(shares.list(late).unwrap().len(), 3);
        let other = NewShare { label: Some("board".into()), ..new("mia", None) };
        assert!(matches!(make(other, "k1", late), Err(StaffError::ShareKeyReused)));
        // Ten minutes after it was made the key makes another; so does that of a share taken back.
        let over = NOON.plus(KEY_KEPT);
        let anew = make(new("mia", None), "k1", over).unwrap();
        assert_ne!(anew.share.id, again.share.id);
        assert!(matches!(opened(&shares, &again.secret, over), Opened::Share(_)));
        assert!(shares.revoke(&anew.share.id, over).unwrap());
        let third = make(new("mia", None), "k1", over).unwrap();
        assert_ne!(third.share.id, anew.share.id);
        assert_eq!(make(new("mia", None), "k1", over).unwrap().share, third.share);
    }

    #[test]
    fn what_another_process_revokes_is_over_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (Shares::open(dir.path()).unwrap(), Shares::open(dir.path()).unwrap());
        let made = one.make(new("mia", None), NOON).unwrap();
        let kept = other.make(new("tom", None), NOON).unwrap();
        assert!(other.revoke(&made.share.id, NOON).unwrap());
        assert!(!one.revoke(&made.share.id, NOON).unwrap(), "once");
        assert_eq!(opened(&one, &made.secret, NOON), Opened::Over);
        assert_eq!(one.list(NOON).unwrap(), [kept.share]);
        let written = std::fs::read_to_string(dir.path().join("shares.json")).unwrap();
        assert!(!written.contains("shr_"), "{written}");
    }

    #[test]
    fn minutes_in_which_it_was_read_are_counted_once_each() {
        let dir = tempfile::tempdir().unwrap();
        let shares = Shares::open(dir.path()).unwrap();
        let made = shares.make(new("mia", None), NOON).unwrap();
        let at = |millis| UnixMillis::new(NOON.get() / MINUTE_MS * MINUTE_MS + millis);
        let read = |now| {
            let Opened::Share(share) = opened(&shares, &made.secret, now) else { panic!() };
            shares.note_read(&share, now);
        };
        read(at(1_000));
        read(at(2_000));
        assert_eq!(shares.list(NOON).unwrap()[0].uses, 1);
        assert!(shares.are_reads_due(at(2_000)));
        shares.write_reads(at(2_000)).unwrap();
        assert!(!shares.are_reads_due(at(90_000)), "nothing was read since");
        read(at(3_000));
        read(at(60_000));
        shares.write_reads(at(60_000)).unwrap();
        let again = Shares::open(dir.path()).unwrap();
        let found = &again.list(at(61_000)).unwrap()[0];
        assert_eq!((found.uses, found.used_at), (2, Some(at(60_000))));
    }

    #[test]
    fn there_is_room_for_so_many_of_one_holder_and_in_all() {
        let full = |by: &str, merchant: Option<&str>| {
            let mut book = ShareBook::default();
            for number in 0..SHARES_MAX {
                let NewShare { subject, by, merchant, .. } = new(by, merchant);
                let by = if number < SHARES_PER_HOLDER_MAX { by } else { number.to_string() };
                let share = Share {
                    id: format!("r{number}"),
                    subject,
                    channel: None,
                    label: None,
                    by,
                    merchant: merchant.filter(|_| number < SHARES_PER_HOLDER_MAX),
                    created_at: NOON,
                    ends_at: NOON.plus(SHARE_VALID_MIN),
                    revoked_at: None,
                    used_at: None,
                    uses: 0,
                };
                book.add(StoredShare { share, hash: blake3::hash(&number.to_le_bytes()) });
            }
            book
        };
        let refused = |book: &ShareBook, share: &Share, now| {
            book.check_room(share, now).err().map(|error| error.to_string())
        };
        let book = full("mia", Some("acme"));
        let (first, last) = (&book.shares[&0].share, &book.shares[&9_999].share);
        let all = refused(&book, last, NOON).unwrap();
        assert!(all.contains("10000 shares"), "{all}");
        assert_eq!(refused(&book, last, NOON.plus(SHARE_VALID_MIN)), None, "all are over");
        let mut fewer = full("mia", Some("acme"));
        fewer.shares.remove(&9_999);
        let own = refused(&fewer, first, NOON).unwrap();
        assert!(own.contains("1000 shares"), "{own}");
        let colleague = Share { by: "tom".into(), ..first.clone() };
        assert!(refused(&fewer, &colleague, NOON).is_some(), "a merchant's staff have one share");
        let other = Share { merchant: None, ..first.clone() };
        assert_eq!(refused(&fewer, &other, NOON), None);
        // What is over does not pile up: of all that is over the first are forgotten.
        let mut more = full("mia", None);
        let extra = StoredShare { hash: blake3::hash(b"x"), share: more.shares[&0].share.clone() };
        more.add(extra);
        more.sweep(NOON.plus(SHARE_VALID_MIN));
        assert_eq!((more.shares.len(), more.by_hash.len()), (SHARES_KEPT_MAX, SHARES_KEPT_MAX));
        assert!(!more.shares.contains_key(&0));
    }
}
