//! The tokens of one data directory.

use std::path::Path;

use stampede_domain::UnixMillis;

use super::{
    NewStaff, STAFF_TOKENS_MAX, StaffError, StaffSecret, StaffToken, book::Book, file::StaffFile,
    secret, token_rows::TokenRecord,
};

/// A token that was just made: the only moment at which its secret is known.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// What is stored, without the hash.
    pub token: StaffToken,
    /// What the member of staff sends.
    pub secret: StaffSecret,
}

/// The staff tokens of a data directory, read again whenever the file has changed.
///
/// Several processes may use one directory: changes are made under a lock on a separate file, each
/// replaces the file in one step, and readers notice at their next request.
#[derive(Debug)]
pub struct StaffTokens {
    file: StaffFile<Vec<TokenRecord>>,
    /// Whose names no token may take.
    book: StaffFile<Book>,
}

impl StaffTokens {
    /// Reads `staff.json` in `dir`, which may not exist yet.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn open(dir: &Path) -> Result<Self, StaffError> {
        Ok(Self { file: StaffFile::open(dir)?, book: StaffFile::at(dir) })
    }

    /// Makes a token with 256 random bits.
    ///
    /// Two tokens may share a name, so that one can replace the other, but only with the same role,
    /// merchant and streams: the name is what idempotency keys and records go by. The same holds for the
    /// name of somebody who was invited, until the invitation is over.
    ///
    /// # Errors
    /// Any [`StaffError`] except [`StaffError::UnknownToken`].
    pub fn add(&self, staff: NewStaff, now: UnixMillis) -> Result<IssuedToken, StaffError> {
        let staff = staff.checked()?;
        let secret = StaffSecret::token();
        let id = format!("t{:016x}", rand::random::<u64>());
        let token = StaffToken { id, staff, created_at: now };
        let stored = TokenRecord { token: token.clone(), hash: secret::hash(secret.reveal()) };
        self.book.hold(|book| {
            self.file.change(|tokens| {
                check_new(&stored.token.staff, tokens, book, now)?;
                tokens.push(stored);
                Ok(())
            })
        })?;
        Ok(IssuedToken { token, secret })
    }

    /// Every token, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn list(&self) -> Result<Vec<StaffToken>, StaffError> {
        self.file.look(|tokens| tokens.iter().map(|stored| stored.token.clone()).collect())
    }

    /// Makes a token worthless, from the next request on.
    ///
    /// # Errors
    /// [`StaffError::UnknownToken`], [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn revoke(&self, id: &str) -> Result<(), StaffError> {
        self.file.change(|tokens| remove(tokens, id).map(drop))
    }

    /// The same, unless no admin who is not bound would have a token then: whoever is not at the server's machine could let
    /// nobody in any more.
    ///
    /// # Errors
    /// [`StaffError::LastAdmin`], and those of [`StaffTokens::revoke`].
    pub fn revoke_but_the_last_admins(&self, id: &str) -> Result<(), StaffError> {
        self.file.change(|tokens| {
            let removed = remove(tokens, id)?;
            let is_left = tokens.iter().any(|stored| stored.token.staff.is_free_admin());
            if removed.token.staff.is_free_admin() && !is_left {
                return Err(StaffError::LastAdmin { id: id.to_owned() });
            }
            Ok(())
        })
    }

    /// Who sent this secret, if it is anybody's.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: nobody is let in by a file that cannot be read.
    pub fn verify(&self, secret: &str) -> Result<Option<StaffToken>, StaffError> {
        let hash = secret::hash(secret);
        self.file.look(|tokens| {
            // Hashes compare in constant time, and every one is compared.
            let found = tokens.iter().fold(None, |found, stored| {
                if stored.hash == hash { Some(&stored.token) } else { found }
            });
            found.cloned()
        })
    }

    /// The token with this id, if it is not revoked.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn find(&self, id: &str) -> Result<Option<StaffToken>, StaffError> {
        self.file.look(|tokens| {
            let found = tokens.iter().find(|stored| stored.token.id == id);
            found.map(|stored| stored.token.clone())
        })
    }

    /// Whether there is no token at all, as on a new data directory.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn is_empty(&self) -> Result<bool, StaffError> {
        self.file.look(Vec::is_empty)
    }
}

fn remove(tokens: &mut Vec<TokenRecord>, id: &str) -> Result<TokenRecord, StaffError> {
    let place = tokens.iter().position(|stored| stored.token.id == id);
    let unknown = || StaffError::UnknownToken { id: id.to_owned() };
    Ok(tokens.remove(place.ok_or_else(unknown)?))
}

/// Whether there is room for a token, and its name is nobody else's.
fn check_new(
    staff: &NewStaff,
    tokens: &[TokenRecord],
    book: &Book,
    now: UnixMillis,
) -> Result<(), StaffError> {
    let mut all = tokens.iter().map(|stored| &stored.token);
    let token = all.find(|token| token.staff.is_other_by_name(staff));
    let knows = |id: &str| tokens.iter().any(|stored| stored.token.id == id);
    let invited = || book.other_by_name(staff, now, knows).map(|invited| &invited.id);
    if let Some(id) = token.map(|token| &token.id).or_else(invited) {
        return Err(StaffError::NameTaken { name: staff.name.clone(), id: id.clone() });
    }
    if tokens.len() >= STAFF_TOKENS_MAX {
        return Err(StaffError::TooMany { max: STAFF_TOKENS_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use stampede_engine::{Role, StreamScope};

    use super::*;
    use crate::staff::{Grant, INVITATION_VALID_MIN, Inviter, SessionLimits, Sessions};

    fn staff(name: &str, role: Role, merchant: Option<&str>) -> NewStaff {
        let merchant = merchant.map(|id| id.parse().unwrap());
        NewStaff { name: name.into(), role, merchant, streams: StreamScope::All }
    }

    fn now() -> UnixMillis {
        UnixMillis::new(1_700_000_000_000)
    }

    #[test]
    fn a_secret_is_shown_once_and_only_its_hash_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = StaffTokens::open(dir.path()).unwrap();
        assert!(tokens.is_empty().unwrap());
        let issued = tokens.add(staff("nina", Role::Host, Some("acme")), now()).unwrap();
        let secret = issued.secret.reveal();
        assert_eq!(secret.len(), 4 + 64);
        assert_eq!(format!("{:?}", issued.secret), "StaffSecret(hidden)");
        let path = dir.path().join("staff.json");
        assert!(!fs::read_to_string(&path).unwrap().contains(&secret[4..]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(tokens.verify(secret).unwrap(), Some(issued.token.clone()));
        assert_eq!(tokens.verify(&secret[..secret.len() - 1]).unwrap(), None);
        assert_eq!(tokens.verify("").unwrap(), None);
        assert_eq!(tokens.list().unwrap(), [issued.token]);
    }

    #[test]
    fn a_change_by_another_process_is_seen_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (server, tool) =
            (StaffTokens::open(dir.path()).unwrap(), StaffTokens::open(dir.path()).unwrap());
        let issued = tool.add(staff("ops", Role::Ops, None), now()).unwrap();
        let secret = issued.secret.reveal();
        assert!(server.verify(secret).unwrap().is_some());
        tool.revoke(&issued.token.id).unwrap();
        assert_eq!(server.verify(secret).unwrap(), None);
        assert!(matches!(
            tool.revoke(&issued.token.id),
            Err(StaffError::UnknownToken { id }) if id == issued.token.id
        ));
        fs::remove_file(dir.path().join("staff.json")).unwrap();
        assert!(server.is_empty().unwrap());
    }

    #[test]
    fn a_damaged_file_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = StaffTokens::open(dir.path()).unwrap();
        let issued = tokens.add(staff("root", Role::Admin, None), now()).unwrap();
        for damage in [
            "{",
            r#"{"version":2,"tokens":[]}"#,
            r#"{"version":1,"tokens":[],"more":0}"#,
            r#"{"version":1,"tokens":[{"id":"t","name":"n","role":"king","blake3":"00","created_at_ms":1}]}"#,
            r#"{"version":1,"tokens":[{"id":"t","name":"n","role":"ops","blake3":"00","created_at_ms":1}]}"#,
        ] {
            fs::write(dir.path().join("staff.json"), damage).unwrap();
            let refused = tokens.verify(issued.secret.reveal());
            assert!(matches!(refused, Err(StaffError::Damaged { .. })), "{damage}");
            assert!(matches!(StaffTokens::open(dir.path()), Err(StaffError::Damaged { .. })));
        }
    }

    #[test]
    fn a_name_stands_for_one_role_and_merchant() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = StaffTokens::open(dir.path()).unwrap();
        let first = tokens.add(staff("nina", Role::Host, Some("acme")), now()).unwrap();
        let second = tokens.add(staff("nina", Role::Host, Some("acme")), now()).unwrap();
        assert_ne!(first.token.id, second.token.id);
        let streams = StreamScope::of(["show".parse().unwrap()]);
        let bound = NewStaff { streams, ..staff("nina", Role::Host, Some("acme")) };
        let others =
            [staff("nina", Role::Host, Some("zeta")), staff("nina", Role::Admin, None), bound];
        for other in others {
            assert!(matches!(tokens.add(other, now()), Err(StaffError::NameTaken { .. })));
        }
        let long = "n".repeat(65);
        for name in ["", " ", "a\nb", long.as_str()] {
            let refused = tokens.add(staff(name, Role::Admin, None), now());
            assert!(matches!(refused, Err(StaffError::Name(_))), "{name:?}");
        }
        let unbound = tokens.add(staff("shop", Role::Merchant, None), now());
        assert!(matches!(unbound, Err(StaffError::MerchantMissing)));
        for role in [Role::Platform, Role::Creator] {
            let bound = tokens.add(staff("live", role, Some("acme")), now());
            assert!(matches!(bound, Err(StaffError::Bound { .. })));
        }
        for merchant in [None, Some("acme")] {
            let till = staff(merchant.unwrap_or("till"), Role::Payments, merchant);
            let streams = StreamScope::of(["show".parse().unwrap()]);
            let bound = tokens.add(NewStaff { streams, ..till.clone() }, now());
            assert!(matches!(bound, Err(StaffError::BoundToStreams)));
            assert_eq!(tokens.add(till.clone(), now()).unwrap().token.staff, till);
        }
    }

    /// Takes a name in a file out of its composed form, as files from before the rule have it.
    fn decompose(dir: &Path, file: &str) {
        let path = dir.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("Zoé"), "{text}");
        fs::write(path, text.replace("Zoé", "Zoe\u{301}")).unwrap();
    }

    #[test]
    fn a_name_is_taken_in_either_form() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = std::sync::Arc::new(StaffTokens::open(dir.path()).unwrap());
        let sessions =
            Sessions::open(dir.path(), std::sync::Arc::clone(&tokens), SessionLimits::default());
        let sessions = sessions.unwrap();
        let (own, other) = (staff("Zoé", Role::Host, None), staff("Zoé", Role::Admin, None));
        let add = |staff: &NewStaff| tokens.add(staff.clone(), now());
        let invite = |staff: &NewStaff| {
            sessions.invite(&Inviter::Machine, staff.clone(), INVITATION_VALID_MIN, now())
        };
        let is_taken = |refused: Result<(), StaffError>| {
            assert!(matches!(refused, Err(StaffError::NameTaken { .. })), "{refused:?}");
        };
        let old = add(&own).unwrap();
        decompose(dir.path(), "staff.json");
        is_taken(add(&other).map(drop));
        is_taken(invite(&other).map(drop));
        add(&own).unwrap();
        for token in tokens.list().unwrap() {
            tokens.revoke(&token.id).unwrap();
        }
        assert!(tokens.verify(old.secret.reveal()).unwrap().is_none());

        invite(&own).unwrap();
        decompose(dir.path(), "sessions.json");
        is_taken(add(&other).map(drop));
        is_taken(invite(&other).map(drop));
        invite(&own).unwrap();
    }

    #[test]
    fn a_name_that_somebody_was_invited_by_is_taken_until_the_invitation_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = std::sync::Arc::new(StaffTokens::open(dir.path()).unwrap());
        let limits = SessionLimits::default();
        let sessions = Sessions::open(dir.path(), std::sync::Arc::clone(&tokens), limits).unwrap();
        let root = tokens.add(staff("root", Role::Admin, None), now()).unwrap();
        let (mia, valid) = (staff("mia", Role::Host, None), INVITATION_VALID_MIN);
        let by_root =
            Inviter::Staff { staff: root.token.staff, grant: Grant::Token(root.token.id.clone()) };
        for inviter in [Inviter::Machine, by_root] {
            sessions.invite(&inviter, mia.clone(), valid, now()).unwrap();
        }
        let machines = sessions.invitations(now()).unwrap()[0].id.clone();
        let other = || tokens.add(staff("mia", Role::Ops, None), now());
        let refused = other();
        assert!(matches!(&refused, Err(StaffError::NameTaken { name, .. }) if name == "mia"));
        tokens.add(mia.clone(), now()).unwrap();
        let own = tokens.list().unwrap().pop().unwrap();
        tokens.revoke(&own.id).unwrap();
        // What came of a token goes with it.
        sessions.withdraw(&machines, now()).unwrap();
        assert!(matches!(other(), Err(StaffError::NameTaken { .. })));
        tokens.revoke(&root.token.id).unwrap();
        other().unwrap();
        let taken = sessions.invite(&Inviter::Machine, mia, valid, now());
        assert!(matches!(taken, Err(StaffError::NameTaken { .. })));
        // And an invitation that is over lets in nobody any more.
        sessions.invite(&Inviter::Machine, staff("ben", Role::Host, None), valid, now()).unwrap();
        let later = now().plus(valid);
        tokens.add(staff("ben", Role::Ops, None), later).unwrap();
    }

    #[test]
    fn streams_are_kept_and_limited() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = StaffTokens::open(dir.path()).unwrap();
        let bound = |count: usize| {
            let streams = (0..count).map(|number| format!("show{number}").parse().unwrap());
            NewStaff { streams: StreamScope::of(streams), ..staff("nina", Role::Host, None) }
        };
        let issued = tokens.add(bound(64), now()).unwrap();
        let again = StaffTokens::open(dir.path()).unwrap();
        assert_eq!(again.verify(issued.secret.reveal()).unwrap().unwrap().staff, bound(64));
        assert!(matches!(tokens.add(bound(65), now()), Err(StaffError::Streams { max: 64 })));
    }

    #[test]
    fn tokens_made_at_the_same_time_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (dir, start) = (dir.path(), &start);
                scope.spawn(move || {
                    let tokens = StaffTokens::open(dir).unwrap();
                    start.wait();
                    for _ in 0..5 {
                        let name = format!("host{thread}");
                        tokens.add(staff(&name, Role::Host, None), now()).unwrap();
                    }
                });
            }
        });
        assert_eq!(StaffTokens::open(dir.path()).unwrap().list().unwrap().len(), 20);
    }
}
