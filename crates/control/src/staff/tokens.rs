//! The tokens of one data directory.

use std::path::Path;

use stampede_domain::UnixMillis;

use super::{
    NewStaff, STAFF_TOKENS_MAX, StaffError, StaffSecret, StaffToken, file::StaffFile, secret,
    token_rows::Stored,
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
pub struct StaffTokens(StaffFile<Vec<Stored>>);

impl StaffTokens {
    /// Reads `staff.json` in `dir`, which may not exist yet.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn open(dir: &Path) -> Result<Self, StaffError> {
        StaffFile::open(dir).map(Self)
    }

    /// Makes a token with 256 random bits.
    ///
    /// Two tokens may share a name, so that one can replace the other, but only with the same role,
    /// merchant and streams: the name is what idempotency keys and records go by.
    ///
    /// # Errors
    /// Any [`StaffError`] except [`StaffError::UnknownToken`].
    pub fn add(&self, staff: NewStaff, now: UnixMillis) -> Result<IssuedToken, StaffError> {
        staff.check()?;
        let secret = StaffSecret::token();
        let id = format!("t{:016x}", rand::random::<u64>());
        let token = StaffToken { id, staff, created_at: now };
        let stored = Stored { token: token.clone(), hash: secret::hash(secret.reveal()) };
        self.0.change(|tokens| {
            let same = |other: &&Stored| other.token.staff.name == stored.token.staff.name;
            if let Some(other) = tokens.iter().find(same)
                && other.token.staff != stored.token.staff
            {
                let (name, id) = (stored.token.staff.name.clone(), other.token.id.clone());
                return Err(StaffError::NameTaken { name, id });
            }
            if tokens.len() >= STAFF_TOKENS_MAX {
                return Err(StaffError::TooMany { max: STAFF_TOKENS_MAX });
            }
            tokens.push(stored);
            Ok(())
        })?;
        Ok(IssuedToken { token, secret })
    }

    /// Every token, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn list(&self) -> Result<Vec<StaffToken>, StaffError> {
        self.0.look(|tokens| tokens.iter().map(|stored| stored.token.clone()).collect())
    }

    /// Makes a token worthless, from the next request on.
    ///
    /// # Errors
    /// [`StaffError::UnknownToken`], [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn revoke(&self, id: &str) -> Result<(), StaffError> {
        self.0.change(|tokens| {
            let place = tokens.iter().position(|stored| stored.token.id == id);
            let unknown = || StaffError::UnknownToken { id: id.to_owned() };
            tokens.remove(place.ok_or_else(unknown)?);
            Ok(())
        })
    }

    /// Who sent this secret, if it is anybody's.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`]: nobody is let in by a file that cannot be read.
    pub fn verify(&self, secret: &str) -> Result<Option<StaffToken>, StaffError> {
        let hash = secret::hash(secret);
        self.0.look(|tokens| {
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
        self.0.look(|tokens| {
            let found = tokens.iter().find(|stored| stored.token.id == id);
            found.map(|stored| stored.token.clone())
        })
    }

    /// Whether there is no token at all, as on a new data directory.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn is_empty(&self) -> Result<bool, StaffError> {
        self.0.look(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use stampede_engine::{Role, StreamScope};

    use super::*;

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
            assert!(matches!(refused, Err(StaffError::Name { max: 64 })), "{name:?}");
        }
        let unbound = tokens.add(staff("shop", Role::Merchant, None), now());
        assert!(matches!(unbound, Err(StaffError::MerchantMissing)));
        for role in [Role::Platform, Role::Creator] {
            let bound = tokens.add(staff("live", role, Some("acme")), now());
            assert!(matches!(bound, Err(StaffError::Bound { .. })));
        }
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
