//! What the `Idempotency-Key` of a new share is good for.
//!
//! **Decision.** Whoever did not get the answer sends the request again under its key, and gets the share that was made,
//! not a second one. The server keeps only a hash of a link, so the answer has a new link, and the first one opens
//! nothing any more: nobody was told it.
//!
//! **Kept in memory alone**, for [`KEY_KEPT`]: after that, or after a restart, a retry makes another share, which the
//! list shows.

use std::collections::{HashMap, VecDeque};

use stampede_domain::{DurationMs, IdempotencyKey, KeyFingerprint, UnixMillis};

use super::{StaffError, share::NewShare};

/// How long a retry finds what was made.
pub(super) const KEY_KEPT: DurationMs = DurationMs::from_secs(600);
/// Keys that are remembered. When full: the oldest is forgotten.
const KEYS_MAX: usize = 10_000;

/// A maker's name with a key.
type Named = (String, KeyFingerprint);

/// Which share was made by which key.
#[derive(Debug, Default)]
pub(super) struct ShareKeys {
    known: HashMap<Named, MadeByKey>,
    /// By when they were made.
    order: VecDeque<(Named, UnixMillis)>,
}

#[derive(Debug)]
struct MadeByKey {
    asked: NewShare,
    id: String,
    at: UnixMillis,
}

impl ShareKeys {
    /// The id of the share that this request made before.
    ///
    /// # Errors
    /// [`StaffError::ShareKeyReused`] if the key made another share.
    pub(super) fn find(
        &mut self,
        asked: &NewShare,
        key: &IdempotencyKey,
        now: UnixMillis,
    ) -> Result<Option<String>, StaffError> {
        while let Some((_, at)) = self.order.front()
            && now.since(*at) >= KEY_KEPT
        {
            self.forget_oldest();
        }
        match self.known.get(&named(asked, key)) {
            None => Ok(None),
            Some(made) if made.asked == *asked => Ok(Some(made.id.clone())),
            Some(_) => Err(StaffError::ShareKeyReused),
        }
    }

    /// Notes what a key has made.
    pub(super) fn note(
        &mut self,
        asked: NewShare,
        key: &IdempotencyKey,
        id: String,
        at: UnixMillis,
    ) {
        if self.order.len() >= KEYS_MAX {
            self.forget_oldest();
        }
        let named = named(&asked, key);
        self.order.push_back((named.clone(), at));
        self.known.insert(named, MadeByKey { asked, id, at });
    }

    fn forget_oldest(&mut self) {
        let Some((named, at)) = self.order.pop_front() else { return };
        // It may have made another since.
        if self.known.get(&named).is_some_and(|made| made.at == at) {
            self.known.remove(&named);
        }
    }
}

fn named(asked: &NewShare, key: &IdempotencyKey) -> Named {
    (asked.by.clone(), key.fingerprint())
}
