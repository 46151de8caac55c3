//! The least that payment providers charge: a price below it cannot be paid.

use std::{collections::BTreeMap, sync::Arc};

use stampede_domain::{Currency, DropPlan, MerchantId, Money, PaymentAccount, SkuPlan};

use crate::problem::{Code, Problem};

/// By merchant, the account that its viewers pay at with the least that is charged there. Plans of other merchants are
/// not checked.
#[derive(Clone, Debug, Default)]
pub struct PriceMinima(Arc<BTreeMap<MerchantId, AccountMinima>>);

/// An account with the least that its provider charges, one amount for each currency of which that is known.
#[derive(Clone, Debug)]
pub struct AccountMinima {
    /// The account, such as `stripe:main`.
    pub account: PaymentAccount,
    /// The amounts.
    pub minima: Vec<Money>,
}

impl PriceMinima {
    /// What is known; of several accounts of one merchant, the last.
    pub fn new(of_merchants: impl IntoIterator<Item = (MerchantId, AccountMinima)>) -> Self {
        Self(Arc::new(of_merchants.into_iter().collect()))
    }

    /// Refuses a plan of which one unit cannot be paid for. What costs nothing needs no provider. A price that the SKU
    /// has in the terms `before` an edit is not what the edit is about: it may be older than the minimum.
    pub(crate) fn check(&self, plan: &DropPlan, before: Option<&DropPlan>) -> Result<(), Problem> {
        let Some(of_merchant) = self.0.get(&plan.merchant) else { return Ok(()) };
        let is_new = |sku: &SkuPlan| {
            let skus = before.map_or(&[][..], |before| &before.skus);
            !skus.iter().any(|old| old.id == sku.id && old.price == sku.price)
        };
        for (place, sku) in plan.skus.iter().enumerate().filter(|(_, sku)| is_new(sku)) {
            let price = sku.price;
            let minimum = of_merchant.minimum(price.currency());
            if let Some(minimum) =
                minimum.filter(|least| (1..least.minor()).contains(&price.minor()))
            {
                let detail = format!(
                    "skus[{place}].price is {price}, and {} charges {minimum} at least: ask for that, or for nothing",
                    of_merchant.account
                );
                return Err(Problem::new(Code::PriceBelowMinimum, detail));
            }
        }
        Ok(())
    }
}

impl AccountMinima {
    fn minimum(&self, currency: Currency) -> Option<Money> {
        self.minima.iter().copied().find(|minimum| minimum.currency() == currency)
    }
}
