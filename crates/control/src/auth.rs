//! Who sends a request, and what they may see.

use stampede_domain::{IdempotencyKey, MerchantId, StreamId, UnixMillis};
use stampede_engine::{Engine, Role, StreamScope};

use crate::{
    Sessions, StaffTokens,
    problem::{Code, Problem},
    staff::{Grant, Inviter, NewStaff, Session, StaffToken},
};

/// The member of staff behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Staff {
    staff: NewStaff,
    by: Proof,
}

/// What a request came with.
#[derive(Clone, Debug)]
enum Proof {
    /// A token, by its id.
    Token(String),
    /// A browser's cookie.
    Session(Box<SignedIn>),
}

/// What a request came with, later on.
#[derive(Clone, Debug)]
pub(crate) enum Still {
    /// A token, which ends when somebody revokes it.
    Token,
    /// A session, which ends by itself.
    Session(Box<Session>),
}

/// A browser's session as its own pages may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// What its commands bring in the header `X-CSRF-Token`.
    pub csrf: String,
}

/// Whose share of limited places a token of this merchant, with this name, takes.
pub(crate) fn holder(merchant: Option<&MerchantId>, name: &str) -> String {
    match merchant {
        Some(merchant) => format!("merchant {merchant}"),
        None => format!("name {name}"),
    }
}

impl Staff {
    /// The holder of this token.
    pub(crate) fn by_token(token: StaffToken) -> Self {
        Self { staff: token.staff, by: Proof::Token(token.id) }
    }

    /// The person who has signed in at this browser.
    pub(crate) fn by_session(signed_in: SignedIn) -> Self {
        let staff = signed_in.session.staff.clone();
        Self { staff, by: Proof::Session(Box::new(signed_in)) }
    }

    /// The actor's name.
    pub(crate) fn name(&self) -> &str {
        &self.staff.name
    }

    /// What the token is trusted with.
    pub(crate) fn role(&self) -> Role {
        self.staff.role
    }

    /// The merchant that the token is bound to.
    pub(crate) fn merchant(&self) -> Option<&MerchantId> {
        self.staff.merchant.as_ref()
    }

    /// The streams that the token is bound to.
    pub(crate) fn streams(&self) -> &StreamScope {
        &self.staff.streams
    }

    /// The session, if the request came with its cookie.
    pub(crate) fn session(&self) -> Option<&SignedIn> {
        match &self.by {
            Proof::Session(signed_in) => Some(signed_in),
            Proof::Token(_) => None,
        }
    }

    /// What the request came with, by its id: a browser's session or a token.
    pub(crate) fn asks_by(&self) -> &str {
        match &self.by {
            Proof::Token(id) => id,
            Proof::Session(signed_in) => &signed_in.session.id,
        }
    }

    /// The staff token that lets the caller in, by its id: sent with the request, or what its session came of.
    pub(crate) fn came_by(&self) -> Option<&str> {
        match &self.by {
            Proof::Token(id) => Some(id),
            Proof::Session(signed_in) => match &signed_in.session.grant {
                Grant::Token(id) => Some(id),
                Grant::Machine | Grant::Invitation(_) => None,
            },
        }
    }

    /// Whose share of limited places it takes: a merchant's staff have one together, everybody else by name.
    pub(crate) fn holder(&self) -> String {
        holder(self.merchant(), self.name())
    }

    /// This member of staff as somebody who invites others.
    pub(crate) fn inviter(&self) -> Inviter {
        let grant = match &self.by {
            Proof::Token(id) => Grant::Token(id.clone()),
            Proof::Session(signed_in) => signed_in.session.grant.clone(),
        };
        Inviter::Staff { staff: self.staff.clone(), grant }
    }

    /// The key by which the engine knows a command: each session is an actor of its own.
    pub(crate) fn key(&self, given: IdempotencyKey) -> IdempotencyKey {
        match self.session() {
            Some(signed_in) => signed_in.session.key(&given),
            None => given,
        }
    }

    /// Whether drops with these terms may be seen: a bound token sees its merchant's and what stands in
    /// its streams, a creator what stands in its own rooms.
    pub(crate) fn sees(&self, engine: &Engine, stream: &StreamId, merchant: &MerchantId) -> bool {
        if !self.streams().covers(stream) {
            return false;
        }
        if self.role() == Role::Creator {
            return engine.is_creators(stream, self.name());
        }
        self.merchant().is_none_or(|own| own == merchant)
    }

    /// Whether what is about a stream as a whole may be seen, its drops apart.
    pub(crate) fn sees_stream(&self, engine: &Engine, stream: &StreamId) -> bool {
        if !self.streams().covers(stream) {
            return false;
        }
        if self.role() == Role::Creator {
            return engine.is_creators(stream, self.name());
        }
        self.merchant().is_none_or(|own| engine.lets_in(stream, own))
    }

    /// Whether they read along for the person on camera.
    pub(crate) fn is_stage(&self) -> bool {
        self.role() == Role::Stage
    }

    /// Whether they are the machine that reports payments.
    pub(crate) fn is_payments(&self) -> bool {
        self.role() == Role::Payments
    }

    /// Whether the figures of what was held and paid may be told to them. They may not be told to the person on
    /// camera, nor to the machine that runs the streams: both work for every merchant. The machine that reports
    /// payments is told only of the holds that it names.
    pub(crate) fn reads_money(&self) -> bool {
        !matches!(self.role(), Role::Stage | Role::Platform | Role::Payments)
    }

    /// Refuses whoever is told no figures of money what cannot be told without them.
    pub(crate) fn must_read_money(&self, instead: &str) -> Result<(), Problem> {
        if self.reads_money() {
            return Ok(());
        }
        let detail = format!("role {} reads nobody's money: {instead}", self.role());
        Err(Problem::new(Code::Forbidden, detail))
    }

    /// What the request came with as it stands now; `None` once it is not in force any more. Files that
    /// cannot be read let nobody go on.
    pub(crate) fn still(
        &self,
        tokens: &StaffTokens,
        sessions: &Sessions,
        wall: UnixMillis,
    ) -> Option<Still> {
        match &self.by {
            Proof::Session(signed_in) => {
                let found = sessions.find(&signed_in.session.id, wall);
                found.ok().flatten().map(|session| Still::Session(Box::new(session)))
            }
            Proof::Token(id) => tokens.find(id).ok().flatten().map(|_| Still::Token),
        }
    }

    /// Whether the token is for every merchant's and every stream's business.
    pub(crate) fn is_everybodys(&self) -> bool {
        self.merchant().is_none() && self.streams().is_all() && self.role() != Role::Creator
    }

    /// Whether this is an admin for every merchant and every stream.
    pub(crate) fn is_free_admin(&self) -> bool {
        self.staff.is_free_admin()
    }
}

/// Whoever may report payments and ask about the holds that they name: the machine that does, or an admin.
#[derive(Clone, Debug)]
pub(crate) struct PaymentsCaller {
    staff: Staff,
}

impl PaymentsCaller {
    /// This member of staff, if payments may be reported by them. Payments belong to a merchant, not to a stream:
    /// whoever is bound to streams is refused, for nothing would hold them to these.
    pub(crate) fn of(staff: Staff) -> Result<Self, Problem> {
        let detail = match staff.role() {
            Role::Payments | Role::Admin if staff.streams().is_all() => return Ok(Self { staff }),
            Role::Payments | Role::Admin => {
                "whoever is bound to streams may not report payments: use a token that is bound to a merchant"
                    .to_owned()
            }
            role => format!("role {role} may not report payments; payments and admin may"),
        };
        Err(Problem::new(Code::Forbidden, detail))
    }

    /// Who it is.
    pub(crate) fn staff(&self) -> &Staff {
        &self.staff
    }

    /// The merchant whose payments alone they may report; all merchants' if there is none.
    pub(crate) fn merchant(&self) -> Option<&MerchantId> {
        self.staff.merchant()
    }

    /// Whether payments for this merchant's goods are theirs to report.
    pub(crate) fn sells_for(&self, merchant: &MerchantId) -> bool {
        self.staff.merchant().is_none_or(|own| own == merchant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staff(role: Role, merchant: Option<&str>, streams: &[&str]) -> Staff {
        let merchant = merchant.map(|id| id.parse().unwrap());
        let streams = StreamScope::of(streams.iter().map(|stream| stream.parse().unwrap()));
        let staff = NewStaff { name: "till".into(), role, merchant, streams };
        Staff::by_token(StaffToken { id: "t1".into(), staff, created_at: UnixMillis::new(1) })
    }

    #[test]
    fn payments_are_reported_by_their_machine_or_an_admin() {
        for role in Role::ALL {
            let may = matches!(role, Role::Payments | Role::Admin);
            let caller = PaymentsCaller::of(staff(role, None, &[]));
            assert_eq!(caller.is_ok(), may, "{role}");
            let bound = PaymentsCaller::of(staff(role, None, &["show"]));
            assert!(bound.is_err_and(|problem| problem.code == Code::Forbidden), "{role}");
        }
    }

    #[test]
    fn whoever_is_bound_sells_for_their_own_merchant_alone() {
        let (acme, zeta) = ("acme".parse().unwrap(), "zeta".parse().unwrap());
        for role in [Role::Payments, Role::Admin] {
            for (merchant, expected) in [(None, [true, true]), (Some("acme"), [true, false])] {
                let caller = PaymentsCaller::of(staff(role, merchant, &[])).unwrap();
                let found = [caller.sells_for(&acme), caller.sells_for(&zeta)];
                assert_eq!(found, expected, "{role} {merchant:?}");
                assert_eq!((caller.staff().name(), caller.staff().role()), ("till", role));
            }
        }
    }

    #[test]
    fn figures_of_money_are_for_whoever_runs_a_sale() {
        for role in Role::ALL {
            let hidden = matches!(role, Role::Stage | Role::Platform | Role::Payments);
            assert_eq!(staff(role, None, &[]).reads_money(), !hidden, "{role}");
        }
    }
}
