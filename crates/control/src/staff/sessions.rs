//! Sessions: browsers that have signed in.

use std::{collections::HashMap, path::Path, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, IdempotencyKey, UnixMillis};

use super::{NewStaff, StaffError, StaffSecret, StaffTokens, file::StaffFile, secret};

/// Sessions of one name. When full: the one that was not used for the longest time ends.
pub const SESSIONS_PER_NAME_MAX: usize = 16;
/// Sessions of one data directory. When full: nobody else signs in until some have ended.
pub const SESSIONS_MAX: usize = 2_000;
/// How long a session that has run out is remembered, so that its browser can go on with its keys.
pub const SESSION_KEPT: DurationMs = DurationMs::from_secs(3_600);
/// Time between two writings of when sessions were last used.
const USES_EVERY: DurationMs = DurationMs::from_secs(60);

/// Limits of sessions, each with its policy when reached.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Time without a request after which a session has run out.
    pub idle: DurationMs,
    /// Time after which it has run out in any case.
    pub life: DurationMs,
    /// [`SESSIONS_PER_NAME_MAX`].
    pub per_name_max: usize,
    /// [`SESSIONS_MAX`].
    pub max: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: DurationMs::from_secs(8 * 3_600),
            life: DurationMs::from_secs(24 * 3_600),
            per_name_max: SESSIONS_PER_NAME_MAX,
            max: SESSIONS_MAX,
        }
    }
}

/// What a session rests on: it ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The staff token with this id.
    Token(String),
}

/// A session that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session for signing out.
    pub id: String,
    /// Who has signed in.
    pub staff: NewStaff,
    /// What it rests on.
    pub grant: Grant,
    /// When the browser signed in.
    pub started_at: UnixMillis,
    /// When it last sent a request.
    pub used_at: UnixMillis,
    /// When it runs out unless another request comes.
    pub idles_at: UnixMillis,
    /// When it runs out in any case.
    pub ends_at: UnixMillis,
    /// Tells its keys from those of the name's other sessions.
    keys: String,
}

impl Session {
    /// The key by which a command of this session is known to the engine: two sessions of one name
    /// never share one, whatever their browsers make up.
    pub(crate) fn key(&self, given: &IdempotencyKey) -> IdempotencyKey {
        let own = format!("session {} key {given}", self.keys);
        let own = blake3::hash(own.as_bytes()).to_hex();
        IdempotencyKey::new(&own).expect("64 hexadecimal digits are a key")
    }
}

/// A session that was just made: the only moment at which its secret is known.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub secret: StaffSecret,
    /// The session.
    pub session: Session,
}

/// What `sessions.json` holds.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) sessions: Vec<Stored>,
}

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) grant: Grant,
    pub(super) keys: String,
    pub(super) hash: blake3::Hash,
    pub(super) started_at: UnixMillis,
    pub(super) used_at: UnixMillis,
    pub(super) ends_at: UnixMillis,
}

impl Stored {
    fn idles_at(&self, limits: &SessionLimits) -> UnixMillis {
        self.used_at.plus(limits.idle)
    }

    /// When it has run out, one way or the other.
    fn over_at(&self, limits: &SessionLimits) -> UnixMillis {
        self.idles_at(limits).min(self.ends_at)
    }
}

/// The sessions of a data directory, beside its tokens.
///
/// When a session was last used is kept in memory, and written once a minute: after a crash a session
/// runs out at most that much early.
#[derive(Debug)]
pub struct Sessions {
    file: StaffFile<Book>,
    tokens: Arc<StaffTokens>,
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
        let made = self
            .change(now, |book| self.add(book, token.staff, Grant::Token(token.id), before, now))?;
        Ok(Some(made))
    }

    /// The session with this secret, if it is in force; this is a use of it.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: nobody is let in by a file that cannot be read.
    pub fn verify(&self, secret: &str, now: UnixMillis) -> Result<Option<Session>, StaffError> {
        let hash = secret::hash(secret);
        let found = self.file.look(|book| {
            let found = book.sessions.iter().find(|stored| stored.hash == hash);
            found.cloned()
        })?;
        let Some(session) = found.map(|stored| self.in_force(stored, now)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        self.uses.lock().unwritten.insert(session.id.clone(), now);
        let idles_at = now.plus(self.limits.idle);
        Ok(Some(Session { used_at: now, idles_at, ..session }))
    }

    /// The session with this id, if it is in force; this is no use of it.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn find(&self, id: &str, now: UnixMillis) -> Result<Option<Session>, StaffError> {
        let found =
            self.file.look(|book| book.sessions.iter().find(|row| row.id == id).cloned())?;
        Ok(found.map(|stored| self.in_force(stored, now)).transpose()?.flatten())
    }

    /// Every session in force, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn list(&self, now: UnixMillis) -> Result<Vec<Session>, StaffError> {
        let stored = self.file.look(|book| book.sessions.clone())?;
        let found = stored.into_iter().map(|stored| self.in_force(stored, now));
        found.filter_map(Result::transpose).collect()
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

    /// Adds a session for whoever was let in, within the limits.
    fn add(
        &self,
        book: &mut Book,
        staff: NewStaff,
        grant: Grant,
        before: Option<blake3::Hash>,
        now: UnixMillis,
    ) -> Result<NewSession, StaffError> {
        let id = format!("s{:016x}", rand::random::<u64>());
        let place = book.sessions.iter().position(|stored| Some(stored.hash) == before);
        let replaced = place.map(|place| book.sessions.remove(place));
        let keys = replaced.filter(|old| old.name == staff.name).map(|old| old.keys);
        let live = |stored: &&Stored| stored.over_at(&self.limits) > now;
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
        let stored = Stored {
            keys: keys.unwrap_or_else(|| id.clone()),
            id,
            name: staff.name.clone(),
            grant,
            hash: secret::hash(secret.reveal()),
            started_at: now,
            used_at: now,
            ends_at: now.plus(self.limits.life),
        };
        book.sessions.push(stored.clone());
        Ok(NewSession { secret, session: self.session(stored, staff) })
    }

    /// Changes the file, with what memory knows about uses, without what is of no more use.
    fn change<T>(
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
            let mut dead = Vec::new();
            for stored in &book.sessions {
                let forgotten = stored.over_at(&self.limits).plus(SESSION_KEPT) <= now;
                if forgotten || self.staff(&stored.grant)?.is_none() {
                    dead.push(stored.id.clone());
                }
            }
            book.sessions.retain(|stored| !dead.contains(&stored.id));
            change(book)
        })?;
        self.uses.lock().unwritten.retain(|id, used_at| uses.get(id) != Some(used_at));
        Ok(changed)
    }

    /// The session unless it has run out, or what it rests on is gone.
    fn in_force(&self, mut stored: Stored, now: UnixMillis) -> Result<Option<Session>, StaffError> {
        if let Some(used_at) = self.uses.lock().unwritten.get(&stored.id) {
            stored.used_at = stored.used_at.max(*used_at);
        }
        if stored.over_at(&self.limits) <= now {
            return Ok(None);
        }
        let staff = self.staff(&stored.grant)?;
        Ok(staff.map(|staff| self.session(stored, staff)))
    }

    /// Whom a grant lets in, unless it is gone.
    fn staff(&self, grant: &Grant) -> Result<Option<NewStaff>, StaffError> {
        let Grant::Token(id) = grant;
        Ok(self.tokens.find(id)?.map(|token| token.staff))
    }

    fn session(&self, stored: Stored, staff: NewStaff) -> Session {
        Session {
            idles_at: stored.idles_at(&self.limits),
            id: stored.id,
            staff,
            grant: stored.grant,
            started_at: stored.started_at,
            used_at: stored.used_at,
            ends_at: stored.ends_at,
            keys: stored.keys,
        }
    }
}
