//! Sessions: browsers that have signed in.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, UnixMillis};

use super::{
    Grant, NewSession, NewStaff, SESSION_KEPT, Session, SessionLimits, StaffError, StaffSecret,
    StaffTokens,
    book::{Book, SessionRecord},
    file::StaffFile,
    invitation::{CHAIN_MAX, StoredInvitation},
    secret,
};

/// Time between two writings of when sessions were last used.
const USES_EVERY: DurationMs = DurationMs::from_secs(60);

/// The sessions of a data directory, beside its tokens.
///
/// When a session was last used is kept in memory, and written once a minute: after a crash a session
/// runs out at most that much early.
#[derive(Debug)]
pub struct Sessions {
    file: StaffFile<Book>,
    pub(super) tokens: Arc<StaffTokens>,
    limits: SessionLimits,
    uses: Mutex<Uses>,
}

#[derive(Debug, Default)]
struct Uses {
    /// By the session's id; at most one for each session that there was since the last writing.
    unwritten: HashMap<String, UnixMillis>,
    written_at: UnixMillis,
}

impl Sessions {
    /// Reads `sessions.json` in `dir`, which may not exist yet.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn open(
        dir: &Path,
        tokens: Arc<StaffTokens>,
        limits: SessionLimits,
    ) -> Result<Self, StaffError> {
        Ok(Self { file: StaffFile::open(dir)?, tokens, limits, uses: Mutex::default() })
    }

    /// Signs a browser in by a staff token; `None` if the token is nobody's.
    ///
    /// `before` is the secret of the session that the browser had, which ends. If it was of the same
    /// name, running out no more than [`SESSION_KEPT`] ago, the new session goes on with its keys: a
    /// command whose answer is not known can be asked for again.
    ///
    /// # Errors
    /// [`StaffError::SessionsFull`], [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn sign_in(
        &self,
        token: &str,
        before: Option<&str>,
        now: UnixMillis,
    ) -> Result<Option<NewSession>, StaffError> {
        let Some(token) = self.tokens.verify(token)? else { return Ok(None) };
        let before = before.map(secret::hash);
        let made = self.change(now, |book| {
            let ends_at = now.plus(self.limits.life);
            self.add(book, (token.staff, Grant::Token(token.id)), before, (now, ends_at))
        })?;
        Ok(Some(made))
    }

    /// The session with this secret, if it is in force; this is a use of it.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: nobody is let in by a file that cannot be read.
    pub fn verify(&self, secret: &str, now: UnixMillis) -> Result<Option<Session>, StaffError> {
        let hash = secret::hash(secret);
        let found = self.first_in_force(|stored| stored.hash == hash, now)?;
        let Some(session) = found else { return Ok(None) };
        self.uses.lock().unwritten.insert(session.id.clone(), now);
        let idles_at = now.plus(self.limits.idle);
        Ok(Some(Session { used_at: now, idles_at, ..session }))
    }

    /// The session with this id, if it is in force; this is no use of it.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn find(&self, id: &str, now: UnixMillis) -> Result<Option<Session>, StaffError> {
        self.first_in_force(|stored| stored.id == id, now)
    }

    /// Every session in force, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn list(&self, now: UnixMillis) -> Result<Vec<Session>, StaffError> {
        self.read(|book| {
            let all = book.sessions.iter();
            let found = all.map(|stored| self.in_force(book, stored, now));
            found.filter_map(Result::transpose).collect()
        })?
    }

    /// Ends the sessions that `which` picks; with how many those were.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn end(
        &self,
        which: impl Fn(&str, &str) -> bool,
        now: UnixMillis,
    ) -> Result<usize, StaffError> {
        self.change(now, |book| {
            let before = book.sessions.len();
            book.sessions.retain(|stored| !which(&stored.id, &stored.name));
            Ok(before - book.sessions.len())
        })
    }

    /// Whether it is time to write when sessions were last used: some were, and the last writing is a
    /// minute ago.
    pub fn are_uses_due(&self, now: UnixMillis) -> bool {
        let uses = self.uses.lock();
        !uses.unwritten.is_empty() && now.since(uses.written_at) >= USES_EVERY
    }

    /// Writes when sessions were last used, if any was.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]; it is due again a minute later.
    pub fn write_uses(&self, now: UnixMillis) -> Result<(), StaffError> {
        {
            let mut uses = self.uses.lock();
            uses.written_at = now;
            if uses.unwritten.is_empty() {
                return Ok(());
            }
        }
        self.change(now, |_| Ok(()))
    }

    /// Adds a session for a person who was let in, within the limits.
    pub(super) fn add(
        &self,
        book: &mut Book,
        (staff, grant): (NewStaff, Grant),
        before: Option<blake3::Hash>,
        (now, ends_at): (UnixMillis, UnixMillis),
    ) -> Result<NewSession, StaffError> {
        let id = format!("s{:016x}", rand::random::<u64>());
        let place = book.sessions.iter().position(|stored| Some(stored.hash) == before);
        let replaced = place.map(|place| book.sessions.remove(place));
        let keys = replaced.filter(|old| old.name == staff.name).map(|old| old.keys);
        let live = |stored: &&SessionRecord| stored.over_at(&self.limits) > now;
        let own = book.sessions.iter().filter(live).filter(|stored| stored.name == staff.name);
        if own.clone().count() >= self.limits.per_name_max
            && let Some(idlest) = own.min_by_key(|stored| stored.used_at).map(|row| row.id.clone())
        {
            book.sessions.retain(|stored| stored.id != idlest);
        }
        if book.sessions.len() >= self.limits.max {
            book.sessions.retain(|stored| stored.over_at(&self.limits) > now);
        }
        if book.sessions.len() >= self.limits.max {
            return Err(StaffError::SessionsFull { max: self.limits.max });
        }
        let secret = StaffSecret::session();
        let stored = SessionRecord {
            keys: keys.unwrap_or_else(|| id.clone()),
            id,
            name: staff.name.clone(),
            grant,
            hash: secret::hash(secret.reveal()),
            started_at: now,
            used_at: now,
            ends_at: ends_at.min(now.plus(self.limits.life)),
        };
        book.sessions.push(stored.clone());
        Ok(NewSession { secret, session: self.session(&stored, staff) })
    }

    /// Changes the file, with what memory knows about uses, without what is of no more use.
    pub(super) fn change<T>(
        &self,
        now: UnixMillis,
        change: impl FnOnce(&mut Book) -> Result<T, StaffError>,
    ) -> Result<T, StaffError> {
        let uses = self.uses.lock().unwritten.clone();
        let changed = self.file.change(|book| {
            for stored in &mut book.sessions {
                if let Some(used_at) = uses.get(&stored.id) {
                    stored.used_at = stored.used_at.max(*used_at);
                }
            }
            self.sweep(book, now)?;
            let changed = change(book)?;
            // What came of what the change took away goes with it.
            self.sweep(book, now)?;
            Ok(changed)
        })?;
        self.uses.lock().unwritten.retain(|id, used_at| uses.get(id) != Some(used_at));
        Ok(changed)
    }

    /// Looks at the file.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> Result<T, StaffError> {
        self.file.look(look)
    }

    /// Removes what is of no more use: what was over long ago, what rests on something that is gone.
    fn sweep(&self, book: &mut Book, now: UnixMillis) -> Result<(), StaffError> {
        let mut dead = HashSet::new();
        for StoredInvitation { invitation, .. } in &book.invitations {
            let is_over = invitation.ends_at <= now;
            let rests_on = self.staff(book, &invitation.by, now)?;
            let is_gone = invitation.by != Grant::Machine && rests_on.is_none();
            let is_dead = if is_over { !Book::is_remembered(invitation, now) } else { is_gone };
            if is_dead {
                dead.insert(invitation.id.clone());
            }
        }
        for stored in &book.sessions {
            let is_forgotten = stored.over_at(&self.limits).plus(SESSION_KEPT) <= now;
            let ran_out = stored.over_at(&self.limits) <= now;
            if is_forgotten || !ran_out && self.staff(book, &stored.grant, now)?.is_none() {
                dead.insert(stored.id.clone());
            }
        }
        book.sessions.retain(|stored| !dead.contains(&stored.id));
        book.invitations.retain(|stored| !dead.contains(&stored.invitation.id));
        Ok(())
    }

    /// The first session that `picks` picks, if it is in force.
    fn first_in_force(
        &self,
        picks: impl Fn(&SessionRecord) -> bool,
        now: UnixMillis,
    ) -> Result<Option<Session>, StaffError> {
        self.read(|book| {
            let found = book.sessions.iter().find(|stored| picks(stored));
            Ok(found.map(|stored| self.in_force(book, stored, now)).transpose()?.flatten())
        })?
    }

    /// The session unless it has run out, or what it rests on is gone.
    fn in_force(
        &self,
        book: &Book,
        stored: &SessionRecord,
        now: UnixMillis,
    ) -> Result<Option<Session>, StaffError> {
        let mut stored = stored.clone();
        if let Some(used_at) = self.uses.lock().unwritten.get(&stored.id) {
            stored.used_at = stored.used_at.max(*used_at);
        }
        if stored.over_at(&self.limits) <= now {
            return Ok(None);
        }
        let staff = self.staff(book, &stored.grant, now)?;
        Ok(staff.map(|staff| self.session(&stored, staff)))
    }

    /// Whom a grant lets in, unless it is gone: an invitation goes with whatever its inviter was let in
    /// by.
    pub(super) fn staff(
        &self,
        book: &Book,
        grant: &Grant,
        now: UnixMillis,
    ) -> Result<Option<NewStaff>, StaffError> {
        let (mut grant, mut staff) = (grant, None);
        for _ in 0..=CHAIN_MAX {
            match grant {
                Grant::Machine => return Ok(staff),
                Grant::Token(id) => {
                    let token = self.tokens.find(id)?;
                    return Ok(token.map(|token| staff.unwrap_or(token.staff)));
                }
                Grant::Invitation(id) => {
                    let found = book.invitation(id).filter(|found| found.ends_at > now);
                    let Some(invitation) = found else { return Ok(None) };
                    staff.get_or_insert_with(|| invitation.staff.clone());
                    grant = &invitation.by;
                }
            }
        }
        Ok(None)
    }

    fn session(&self, stored: &SessionRecord, staff: NewStaff) -> Session {
        Session {
            id: stored.id.clone(),
            staff,
            grant: stored.grant.clone(),
            started_at: stored.started_at,
            used_at: stored.used_at,
            idles_at: stored.idles_at(&self.limits),
            ends_at: stored.ends_at,
            keys: stored.keys.clone(),
        }
    }
}
