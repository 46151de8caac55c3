//! Who may invite whom: nobody beyond what is their own.

use stampede_engine::Role;

use super::{NewStaff, StaffError};

/// Refuses an invitation that goes beyond what its inviter may do and see.
///
/// An admin may invite every role, a merchant its own merchant's staff, hosts and stages, a host stages.
/// What the others are trusted with is their own alone.
pub(super) fn check_within(inviter: &NewStaff, invited: &NewStaff) -> Result<(), StaffError> {
    let role = match inviter.role {
        Role::Admin => true,
        Role::Merchant => matches!(invited.role, Role::Merchant | Role::Host | Role::Stage),
        Role::Host => invited.role == Role::Stage,
        Role::Ops | Role::Platform | Role::Creator | Role::Stage | Role::Payments => false,
    };
    let merchant = inviter.merchant.is_none() || inviter.merchant == invited.merchant;
    let streams = invited.streams.is_within(&inviter.streams);
    for (is_within, what) in [(role, "role"), (merchant, "merchant"), (streams, "streams")] {
        if !is_within {
            return Err(StaffError::BeyondOwn { what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stampede_engine::StreamScope;

    use super::*;

    fn staff(role: Role, merchant: Option<&str>, streams: &[&str]) -> NewStaff {
        let streams = StreamScope::of(streams.iter().map(|stream| stream.parse().unwrap()));
        let merchant = merchant.map(|id| id.parse().unwrap());
        NewStaff { name: "nina".into(), role, merchant, streams }
    }

    fn refused(inviter: &NewStaff, invited: &NewStaff) -> Option<&'static str> {
        match check_within(inviter, invited) {
            Ok(()) => None,
            Err(StaffError::BeyondOwn { what }) => Some(what),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn nobody_invites_above_their_own_role() {
        for inviter in Role::ALL {
            for invited in Role::ALL {
                let may = matches!(
                    (inviter, invited),
                    (Role::Admin, _)
                        | (Role::Merchant, Role::Merchant | Role::Host | Role::Stage)
                        | (Role::Host, Role::Stage)
                );
                let (own, new) =
                    (staff(inviter, Some("acme"), &[]), staff(invited, Some("acme"), &[]));
                assert_eq!(refused(&own, &new).is_none(), may, "{inviter} {invited}");
            }
        }
    }

    #[test]
    fn nobody_invites_beyond_their_merchant_or_streams() {
        let own = staff(Role::Merchant, Some("acme"), &["a", "b"]);
        for (merchant, streams, expected) in [
            (Some("acme"), vec!["a"], None),
            (Some("acme"), vec!["a", "b"], None),
            (Some("acme"), vec![], Some("streams")),
            (Some("acme"), vec!["a", "c"], Some("streams")),
            (Some("zeta"), vec!["a"], Some("merchant")),
            (None, vec!["a"], Some("merchant")),
        ] {
            assert_eq!(refused(&own, &staff(Role::Host, merchant, &streams)), expected);
        }
        // The same holds for an admin who is bound.
        let bound = staff(Role::Admin, Some("acme"), &[]);
        assert_eq!(refused(&bound, &staff(Role::Platform, None, &[])), Some("merchant"));
    }
}
