//! Invitations of a data directory: made, looked at, redeemed, withdrawn.

use stampede_domain::{DurationMs, UnixMillis};

use super::{
    Grant, NewSession, NewStaff, Sessions, StaffError, StaffSecret, StaffToken,
    book::Book,
    invitation::{
        CHAIN_MAX, INVITATION_KEPT, INVITATION_VALID_MAX, INVITATION_VALID_MIN, INVITATIONS_MAX,
        INVITATIONS_PER_NAME_MAX, Invitation, Inviter, NewInvitation, StoredInvitation,
    },
    ranks::check_within,
    secret,
};

impl Sessions {
    /// Invites somebody, with 256 random bits, for so long.
    ///
    /// # Errors
    /// What is wrong with whom it lets in, as for a token; [`StaffError::BeyondOwn`],
    /// [`StaffError::Validity`], [`StaffError::NameTaken`], [`StaffError::TooManyInvitations`],
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn invite(
        &self,
        inviter: &Inviter,
        staff: NewStaff,
        valid: DurationMs,
        now: UnixMillis,
    ) -> Result<NewInvitation, StaffError> {
        let staff = staff.checked()?;
        if !(INVITATION_VALID_MIN..=INVITATION_VALID_MAX).contains(&valid) {
            let (min, max) = (INVITATION_VALID_MIN, INVITATION_VALID_MAX);
            return Err(StaffError::Validity { given: valid, min, max });
        }
        let by = match inviter {
            Inviter::Machine => Grant::Machine,
            Inviter::Staff { staff: own, grant } => {
                check_within(own, &staff)?;
                grant.clone()
            }
        };
        let secret = StaffSecret::invitation();
        let invitation = Invitation {
            id: format!("i{:016x}", rand::random::<u64>()),
            by,
            by_name: inviter.name().to_owned(),
            staff,
            created_at: now,
            ends_at: now.plus(valid),
            redeemed_at: None,
        };
        let hash = secret::hash(secret.reveal());
        self.change(now, |book| {
            // While the book is locked: a token is made under the same lock.
            let mut tokens = self.tokens.list()?.into_iter();
            let is_taken = |token: &StaffToken| token.staff.is_other_by_name(&invitation.staff);
            if let Some(token) = tokens.find(is_taken) {
                return Err(StaffError::NameTaken { name: token.staff.name, id: token.id });
            }
            book.check_new(&invitation, now)?;
            book.invitations.push(StoredInvitation { invitation: invitation.clone(), hash });
            Ok(())
        })?;
        Ok(NewInvitation { secret, invitation })
    }

    /// What an invitation says; this redeems nothing.
    ///
    /// # Errors
    /// [`StaffError::InvitationUnknown`], [`StaffError::InvitationUsed`],
    /// [`StaffError::InvitationOver`], [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn look(&self, invitation: &str, now: UnixMillis) -> Result<Invitation, StaffError> {
        let hash = secret::hash(invitation);
        self.read(|book| self.open_invitation(book, hash, now).map(|(_, found)| found))?
    }

    /// Signs a browser in by an invitation, which is used up by it; `before` is as for
    /// [`Sessions::sign_in`].
    ///
    /// # Errors
    /// As for [`Sessions::look`]; [`StaffError::SessionsFull`], which does not use it up.
    pub fn redeem(
        &self,
        invitation: &str,
        before: Option<&str>,
        now: UnixMillis,
    ) -> Result<NewSession, StaffError> {
        let hash = secret::hash(invitation);
        let before = before.map(secret::hash);
        self.change(now, |book| {
            let (place, found) = self.open_invitation(book, hash, now)?;
            book.invitations[place].invitation.redeemed_at = Some(now);
            let ends_at = found.ends_at;
            self.add(book, (found.staff, Grant::Invitation(found.id)), before, (now, ends_at))
        })
    }

    /// Every invitation that is not over, used or not, oldest first.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn invitations(&self, now: UnixMillis) -> Result<Vec<Invitation>, StaffError> {
        self.read(|book| {
            let mut found = Vec::new();
            for StoredInvitation { invitation, .. } in &book.invitations {
                let grant = Grant::Invitation(invitation.id.clone());
                if self.staff(book, &grant, now)?.is_some() {
                    found.push(invitation.clone());
                }
            }
            Ok(found)
        })?
    }

    /// Takes an invitation back, with every session and invitation that came of it; whether there was
    /// one.
    ///
    /// # Errors
    /// [`StaffError::Io`] or [`StaffError::Damaged`].
    pub fn withdraw(&self, id: &str, now: UnixMillis) -> Result<bool, StaffError> {
        self.change(now, |book| {
            let before = book.invitations.len();
            book.invitations.retain(|stored| stored.invitation.id != id);
            Ok(book.invitations.len() < before)
        })
    }

    /// The invitation with this hash, if somebody may still come in by it, with its place.
    fn open_invitation(
        &self,
        book: &Book,
        hash: blake3::Hash,
        now: UnixMillis,
    ) -> Result<(usize, Invitation), StaffError> {
        let place = book.invitations.iter().position(|stored| stored.hash == hash);
        let place = place.ok_or(StaffError::InvitationUnknown)?;
        let found = book.invitations[place].invitation.clone();
        if found.ends_at <= now {
            return Err(StaffError::InvitationOver);
        }
        if self.staff(book, &Grant::Invitation(found.id.clone()), now)?.is_none() {
            return Err(StaffError::InvitationUnknown);
        }
        if found.redeemed_at.is_some() {
            return Err(StaffError::InvitationUsed);
        }
        Ok((place, found))
    }
}

impl Book {
    /// Whether there is room for an invitation that its inviter may make.
    fn check_new(&self, new: &Invitation, now: UnixMillis) -> Result<(), StaffError> {
        let mut chain = 1;
        let mut by = &new.by;
        while let Grant::Invitation(id) = by {
            let inviter = self.invitation(id).ok_or(StaffError::InvitationUnknown)?;
            if new.ends_at > inviter.ends_at {
                return Err(StaffError::BeyondOwn { what: "lifetime" });
            }
            (chain, by) = (chain + 1, &inviter.by);
            if chain >= CHAIN_MAX {
                return Err(StaffError::BeyondOwn { what: "chain of invitations" });
            }
        }
        let live = || {
            let all = self.invitations.iter().map(|stored| &stored.invitation);
            all.filter(|other| other.ends_at > now)
        };
        if let Some(other) = live().find(|other| other.staff.is_other_by_name(&new.staff)) {
            let (name, id) = (new.staff.name.clone(), other.id.clone());
            return Err(StaffError::NameTaken { name, id });
        }
        let own = live().filter(|other| other.by_name == new.by_name).count();
        for (count, max) in [(live().count(), INVITATIONS_MAX), (own, INVITATIONS_PER_NAME_MAX)] {
            if count >= max {
                return Err(StaffError::TooManyInvitations { max });
            }
        }
        Ok(())
    }

    /// An invitation in force, by a token that `knows` says is there, that lets in somebody else by this
    /// name.
    pub(super) fn other_by_name(
        &self,
        staff: &NewStaff,
        now: UnixMillis,
        knows: impl Fn(&str) -> bool,
    ) -> Option<&Invitation> {
        let mut all = self.invitations.iter().map(|stored| &stored.invitation);
        all.find(|other| {
            other.staff.is_other_by_name(staff) && self.is_in_force(other, now, &knows)
        })
    }

    /// Whether an invitation and all that it came of still count.
    fn is_in_force(
        &self,
        invitation: &Invitation,
        now: UnixMillis,
        knows: impl Fn(&str) -> bool,
    ) -> bool {
        let mut next = Some(invitation);
        for _ in 0..=CHAIN_MAX {
            let Some(invitation) = next.filter(|found| found.ends_at > now) else { return false };
            match &invitation.by {
                Grant::Machine => return true,
                Grant::Token(id) => return knows(id),
                Grant::Invitation(id) => next = self.invitation(id),
            }
        }
        false
    }

    /// The invitation with this id.
    pub(super) fn invitation(&self, id: &str) -> Option<&Invitation> {
        let mut all = self.invitations.iter().map(|stored| &stored.invitation);
        all.find(|invitation| invitation.id == id)
    }

    /// Whether an invitation that is over is still explained to a person who opens it.
    pub(super) fn is_remembered(invitation: &Invitation, now: UnixMillis) -> bool {
        now < invitation.ends_at.plus(INVITATION_KEPT)
    }
}
