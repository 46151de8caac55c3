//! Shows how much memory live drops may come to need.

use stampede_books::MemoryNeeds;
use tracing::warn;

use crate::{config::EngineConfig, metrics};

/// Says which limits the drops of the ledger are beyond: they sell on, new plans and lots wait.
pub(crate) fn warn_of_memory(needs: &MemoryNeeds, config: &EngineConfig) {
    metrics::show_sale_bytes(needs.all());
    let (used, max) = (needs.all(), config.sale_bytes_max);
    metrics::show_sale_bytes_max(max);
    if used > max {
        warn!(used, max, "live drops may come to need more memory than allowed; they sell on");
    }
    let max = config.merchant_bytes_max;
    let over = || needs.of_merchants().filter(|(_, used)| *used > max);
    if let Some((merchant, used)) = over().max_by_key(|(_, used)| *used) {
        let merchants = over().count();
        warn!(
            merchants,
            largest = merchant.as_str(),
            used,
            max,
            "merchants' live drops may come to need more memory than allowed; they sell on"
        );
    }
}
