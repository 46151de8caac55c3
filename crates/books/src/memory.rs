//! The memory that live drops may come to need.

use std::collections::HashMap;

use stampede_domain::MerchantId;

/// Bytes that live drops may come to need, kept as a sum: a command does not go through all drops.
#[derive(Clone, Debug, Default)]
pub struct MemoryNeeds {
    all: u64,
    of_merchant: HashMap<MerchantId, u64>,
}

impl MemoryNeeds {
    /// Of all drops.
    pub fn all(&self) -> u64 {
        self.all
    }

    /// Of each merchant who has any.
    pub fn of_merchants(&self) -> impl Iterator<Item = (&MerchantId, u64)> + '_ {
        self.of_merchant.iter().map(|(merchant, bytes)| (merchant, *bytes))
    }

    pub(crate) fn add(&mut self, merchant: &MerchantId, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.all += bytes;
        if let Some(sum) = self.of_merchant.get_mut(merchant) {
            *sum += bytes;
        } else {
            self.of_merchant.insert(merchant.clone(), bytes);
        }
    }

    pub(crate) fn remove(&mut self, merchant: &MerchantId, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let under = "what is removed was added before";
        self.all = self.all.checked_sub(bytes).expect(under);
        let sum = self.of_merchant.get_mut(merchant).expect(under);
        *sum = sum.checked_sub(bytes).expect(under);
        if *sum == 0 {
            self.of_merchant.remove(merchant);
        }
    }

    /// What the journal tells: all of it.
    pub(crate) fn journaled(&self) -> String {
        let Self { all, of_merchant } = self;
        let mut of_merchant: Vec<_> = of_merchant.iter().collect();
        of_merchant.sort_unstable();
        format!("{all} {of_merchant:?}")
    }

    pub(crate) fn merchant(&self, merchant: &MerchantId) -> u64 {
        self.of_merchant.get(merchant).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_a_sum_for_each_merchant_and_for_all() {
        let merchant = |name: &str| name.parse::<MerchantId>().unwrap();
        let (acme, beta) = (merchant("acme"), merchant("beta"));
        let mut needs = MemoryNeeds::default();
        for (of, bytes) in [(&acme, 3), (&beta, 5), (&acme, 7), (&beta, 0)] {
            needs.add(of, bytes);
        }
        let told = |needs: &MemoryNeeds| {
            let mut told: Vec<_> =
                needs.of_merchants().map(|(of, n)| (of.to_string(), n)).collect();
            told.sort();
            told
        };
        assert_eq!((needs.all(), needs.merchant(&acme), needs.merchant(&beta)), (15, 10, 5));
        assert_eq!(told(&needs), [("acme".to_owned(), 10), ("beta".to_owned(), 5)]);
        needs.remove(&beta, 5);
        assert_eq!(told(&needs), [("acme".to_owned(), 10)], "who needs nothing is not named");
    }
}
