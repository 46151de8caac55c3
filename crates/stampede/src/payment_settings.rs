//! `[payments]`: who takes the money, where it is reported.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};
use stampede_control::{AccountMinima, PriceMinima};
use stampede_domain::{IdError, MerchantId, Mode, PaymentAccount};
use stampede_payments::{
    SandboxConfig,
    stripe::amounts,
    stripe::signature::{TOLERANCE_DEFAULT, TOLERANCE_MAX, TOLERANCE_MIN},
    webhooks::{ACCOUNTS_MAX, StripeAccounts},
};

/// `[payments]`: who takes the money.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Payments {
    /// `sandbox` lets viewers pay play money; `none` refuses every `pay`.
    pub(crate) provider: Provider,
    /// How long a sandbox payment takes, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Share of sandbox attempts that fail, 0 to 1; the hold lives on.
    pub(crate) failure_rate: f64,
    /// Where Stripe's webhooks come in, if anywhere; an empty text in the file of settings.
    #[serde(with = "crate::address_or_empty")]
    pub(crate) webhooks: Option<SocketAddr>,
    /// `[payments.stripe.NAME]`: the accounts whose webhooks are taken.
    pub(crate) stripe: BTreeMap<String, Stripe>,
}

/// `[payments.stripe.NAME]`: an account of Stripe's. Its secrets stand in a file of their own, so that settings can be
/// shown and kept like any others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stripe {
    /// Whose goods are paid for with it.
    pub(crate) merchant: String,
    /// A file with 1 to 4 signing secrets of the endpoint, one a line; a relative path starts where the server does.
    pub(crate) secrets_file: PathBuf,
    /// How far the time of signing may be from now, in seconds.
    #[serde(default = "tolerance_s_default")]
    pub(crate) tolerance_s: u64,
    /// Whether its money is real.
    pub(crate) mode: StripeMode,
}

const fn tolerance_s_default() -> u64 {
    TOLERANCE_DEFAULT.get() / 1_000
}

/// What Stripe calls live mode, or test mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StripeMode {
    Live,
    Test,
}

impl From<StripeMode> for Mode {
    fn from(mode: StripeMode) -> Self {
        match mode {
            StripeMode::Live => Self::Live,
            StripeMode::Test => Self::Rehearsal,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    Sandbox,
    None,
}

/// Why these settings cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum PaymentsError {
    #[error("payments.failure_rate is {rate}; 0 to 1 are allowed")]
    FailureRate { rate: f64 },
    #[error(
        "payments.webhooks is set, but no account is, so every event would be refused; add \
         [payments.stripe.NAME], or leave payments.webhooks empty"
    )]
    NoAccount,
    #[error(
        "[payments.stripe.{name}] is set, but nothing listens for its events; set payments.webhooks, like \
         \"127.0.0.1:7703\""
    )]
    NoWebhooks { name: String },
    #[error("{count} accounts stand in [payments.stripe]; {ACCOUNTS_MAX} are allowed")]
    AccountCount { count: usize },
    #[error("the NAME of [payments.stripe.NAME]: {0}")]
    AccountName(IdError),
    #[error("payments.stripe.{name}.merchant: {source}")]
    Merchant { name: String, source: IdError },
    #[error(
        "payments.stripe.{name}.tolerance_s is {given}; {} to {} are allowed",
        TOLERANCE_MIN.get() / 1_000, TOLERANCE_MAX.get() / 1_000
    )]
    Tolerance { name: String, given: u64 },
}

impl Default for Payments {
    fn default() -> Self {
        let sandbox = SandboxConfig::default();
        Self {
            provider: Provider::None,
            delay_ms: sandbox.delay.get(),
            failure_rate: sandbox.failure_rate,
            webhooks: None,
            stripe: BTreeMap::new(),
        }
    }
}

/// Accounts are checked before anything is made of the settings.
const CHECKED: &str = "the settings were checked";

impl Payments {
    /// The least that a merchant's own provider charges. The account that is named last stands for those of one
    /// merchant: Stripe charges the same least at all.
    pub(crate) fn price_minima(&self) -> PriceMinima {
        PriceMinima::new(self.stripe.iter().filter_map(|(name, set)| {
            let merchant = MerchantId::new(&set.merchant).ok()?;
            let account = StripeAccounts::account(name).ok()?;
            Some((merchant, AccountMinima { account, minima: amounts::minima().collect() }))
        }))
    }

    /// The merchant of each account.
    ///
    /// # Panics
    /// If the settings were not checked.
    pub(crate) fn merchants(&self) -> BTreeMap<PaymentAccount, MerchantId> {
        let accounts = self.stripe.iter().map(|(name, account)| {
            let name = StripeAccounts::account(name).expect(CHECKED);
            (name, MerchantId::new(&account.merchant).expect(CHECKED))
        });
        accounts.collect()
    }

    /// Checks what the types cannot.
    pub(crate) fn validate(&self) -> Result<(), PaymentsError> {
        let rate = self.failure_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(PaymentsError::FailureRate { rate });
        }
        match (self.webhooks, self.stripe.keys().next()) {
            (Some(_), None) => return Err(PaymentsError::NoAccount),
            (None, Some(name)) => return Err(PaymentsError::NoWebhooks { name: name.clone() }),
            _ => {}
        }
        if self.stripe.len() > ACCOUNTS_MAX {
            return Err(PaymentsError::AccountCount { count: self.stripe.len() });
        }
        for (name, account) in &self.stripe {
            StripeAccounts::account(name).map_err(PaymentsError::AccountName)?;
            MerchantId::new(&account.merchant)
                .map_err(|source| PaymentsError::Merchant { name: name.clone(), source })?;
            let given = account.tolerance_s;
            let allowed = TOLERANCE_MIN.get() / 1_000..=TOLERANCE_MAX.get() / 1_000;
            if !allowed.contains(&given) {
                return Err(PaymentsError::Tolerance { name: name.clone(), given });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "[stripe.main]\nmerchant = \"acme\"\nsecrets_file = \"main.secrets\"\n";

    fn validated(webhooks: &str, account: &str) -> Result<(), String> {
        let text = format!("webhooks = \"{webhooks}\"\n{account}");
        let payments: Payments = toml::from_str(&text).unwrap();
        payments.validate().map_err(|refused| refused.to_string())
    }

    #[test]
    fn an_account_in_the_settings_needs_a_listener_and_a_listener_an_account() {
        let live = format!("{MAIN}mode = \"live\"\n");
        assert_eq!(validated("127.0.0.1:0", &live), Ok(()));
        assert_eq!(validated("", ""), Ok(()));
        let refused = validated("127.0.0.1:0", "").unwrap_err();
        assert!(refused.contains("add [payments.stripe.NAME], or leave"), "{refused}");
        let refused = validated("", &live).unwrap_err();
        assert!(refused.starts_with("[payments.stripe.main] is set, but nothing"), "{refused}");
    }

    #[test]
    fn a_merchant_with_an_account_has_its_providers_least_prices() {
        let text = format!("{MAIN}mode = \"live\"\n");
        let payments: Payments = toml::from_str(&text).unwrap();
        let shown = format!("{:?}", payments.price_minima());
        assert!(shown.contains("acme") && shown.contains("stripe:main"), "{shown}");
        assert!(shown.contains("EUR"), "{shown}");
        assert!(!format!("{:?}", Payments::default().price_minima()).contains("stripe"));
    }

    #[test]
    fn settings_of_an_account_that_cannot_be_used_are_named() {
        let refused = |account: &str| {
            let test = format!("{account}mode = \"test\"\n");
            validated("127.0.0.1:0", &test).unwrap_err()
        };
        let why = refused(&MAIN.replace("stripe.main", "stripe.\"a b\""));
        assert!(why.starts_with("the NAME of [payments.stripe.NAME]: "), "{why}");
        let why = refused(&MAIN.replace("acme", ""));
        assert!(why.starts_with("payments.stripe.main.merchant: "), "{why}");
        for given in [0, 3_601] {
            let why = refused(&format!("{MAIN}tolerance_s = {given}\n"));
            let allowed = "1 to 3600 are allowed";
            assert_eq!(why, format!("payments.stripe.main.tolerance_s is {given}; {allowed}"));
        }
        // Without a mode; with secrets in the settings, where the log would show them.
        for text in [MAIN.to_owned(), format!("{MAIN}mode = \"test\"\nsecrets = [\"whsec_a\"]\n")] {
            assert!(toml::from_str::<Payments>(&text).is_err(), "{text}");
        }
    }
}
