//! Stripe's accounts: whose goods each of them pays for, how its events are checked.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::{Mutex, RwLock};
use stampede_domain::{
    DurationMs, IdError, MerchantId, Mode, PaymentAccount, Rate, RateDebt, RepeatedWarning,
    UnixMillis,
};

use crate::stripe::{SignatureRules, signature::TOLERANCE_DEFAULT};

/// Accounts at most.
pub const ACCOUNTS_MAX: usize = 1_024;

/// What stands in front of an account's name in facts.
const PREFIX: &str = "stripe:";

/// One account, as it is set.
#[derive(Debug)]
pub struct StripeAccount {
    /// Whose goods are paid for with it: it never moves anybody else's holds.
    pub merchant: MerchantId,
    /// Whether its money is real. Events of the other kind are not for this account.
    pub mode: Mode,
    /// How its events are checked.
    pub rules: SignatureRules,
}

/// All accounts by name.
#[derive(Debug)]
pub struct StripeAccounts {
    known: BTreeMap<String, Account>,
    /// What events of an account that nobody has set are checked by: no signature ever passes, which takes as long as
    /// with an account that has one secret.
    nobody: SignatureRules,
}

/// One account while the listener runs.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: PaymentAccount,
    pub(super) merchant: MerchantId,
    pub(super) mode: Mode,
    rules: RwLock<Arc<SignatureRules>>,
    spent: Mutex<RateDebt>,
    /// When each trouble was told last. The causes are names of the code's own, so there are few.
    warnings: Mutex<BTreeMap<&'static str, RepeatedWarning>>,
}

impl StripeAccounts {
    /// All accounts, each with its name as it stands in the address that Stripe calls.
    ///
    /// # Errors
    /// [`IdError`] of the first name that cannot be one.
    ///
    /// # Panics
    /// Never: a secret of its own making has the right form.
    pub fn new(
        accounts: impl IntoIterator<Item = (String, StripeAccount)>,
    ) -> Result<Self, IdError> {
        let keep = |(name, account): (String, StripeAccount)| {
            let StripeAccount { merchant, mode, rules } = account;
            let kept = Account {
                name: Self::account(&name)?,
                merchant,
                mode,
                rules: RwLock::new(Arc::new(rules)),
                spent: Mutex::default(),
                warnings: Mutex::default(),
            };
            Ok((name, kept))
        };
        let known = accounts.into_iter().map(keep).collect::<Result<_, IdError>>()?;
        let secret =
            format!("whsec_{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let nobody = SignatureRules::new([("nobody", secret.as_str())], TOLERANCE_DEFAULT)
            .expect("a secret of letters and digits is one");
        Ok(Self { known, nobody })
    }

    /// What facts call the account of this name.
    ///
    /// # Errors
    /// [`IdError`] if it cannot be a name.
    pub fn account(name: &str) -> Result<PaymentAccount, IdError> {
        format!("{PREFIX}{name}").parse()
    }

    /// From now on the account's events are checked by other rules.
    pub fn set_rules(&self, name: &str, rules: SignatureRules) {
        if let Some(account) = self.known.get(name) {
            *account.rules.write() = Arc::new(rules);
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Account> {
        self.known.get(name)
    }

    pub(super) const fn nobody(&self) -> &SignatureRules {
        &self.nobody
    }
}

impl Account {
    pub(super) fn rules(&self) -> Arc<SignatureRules> {
        Arc::clone(&self.rules.read())
    }

    /// Counts an event that Stripe signed, unless it is over the rate; then tells how long to wait.
    pub(super) fn count(&self, rate: Option<Rate>, now: UnixMillis) -> Result<(), DurationMs> {
        let Some(rate) = rate else { return Ok(()) };
        self.spent.lock().spend(rate, now).map_err(|early| early.retry_after)
    }

    /// Counts an event that something is wrong with; with how many there were of this cause, if it is to be said now.
    /// Each cause is said by itself: a new one is seen at once, however often another comes.
    pub(super) fn note(&self, cause: &'static str, now: UnixMillis) -> Option<u64> {
        self.warnings.lock().entry(cause).or_default().note(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_told_by_itself() {
        let rules = SignatureRules::new([("only", "whsec_of_main")], TOLERANCE_DEFAULT).unwrap();
        let account = StripeAccount { merchant: "acme".parse().unwrap(), mode: Mode::Live, rules };
        let accounts = StripeAccounts::new([("main".to_owned(), account)]).unwrap();
        let account = accounts.find("main").unwrap();
        let at = |second: u64| UnixMillis::new(second * 1_000);
        assert_eq!(account.note("no_secret_matches", at(1)), Some(1));
        for second in 2..30 {
            assert_eq!(account.note("no_secret_matches", at(second)), None);
        }
        assert_eq!(account.note("too_old", at(30)), Some(1), "a new cause is seen at once");
        assert_eq!(account.note("too_old", at(31)), None);
        assert_eq!(account.note("no_secret_matches", at(61)), Some(29));
    }
}
