//! What the tallies of a drop count so far.

use stampede_domain::SkuIndex;
use stampede_ledger::Tally;

use super::super::{
    finding::{Findings, Place},
    holds::HoldFault,
};

/// Sums over the tallies so far.
///
/// A click is counted before its answer, its channel and its SKU are. Any of these may stand in the next tally,
/// none before its click.
#[derive(Debug, Default)]
pub(super) struct Tallied {
    clicks: u64,
    answers: u64,
    of_channels: u64,
    for_want: u64,
    of_skus: u64,
}

impl Tallied {
    /// Adds a tally of a drop with so many SKUs.
    pub(super) fn add(
        &mut self,
        tally: &Tally,
        skus: usize,
        place: Place,
        findings: &mut Findings,
    ) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.clicks, tally.clicks());
        add(&mut self.answers, tally.answers.total());
        add(&mut self.for_want, tally.refusals.for_want());
        let wants = tally.sources.iter().flat_map(|sources| &sources.skus);
        if let Some(sources) = &tally.sources {
            add(&mut self.of_channels, sources.channels.total());
        }
        for (_, clicks) in wants.clone() {
            add(&mut self.of_skus, *clicks);
        }
        let Self { clicks, answers, of_channels, for_want, of_skus } = *self;
        if answers > clicks {
            findings.add(place, HoldFault::AnswersExceedClicks { answers, clicks });
        }
        if of_channels > clicks {
            findings.add(place, HoldFault::ChannelsExceedClicks { of_channels, clicks });
        }
        if of_skus > for_want {
            findings.add(place, HoldFault::SkusExceedRefusals { of_skus, for_want });
        }
        let is_unknown = |sku: SkuIndex| usize::from(sku.get()) >= skus;
        if let Some((sku, _)) = wants.clone().find(|(sku, _)| is_unknown(*sku)) {
            findings.add(place, HoldFault::TalliedSkuUnknown { sku: *sku });
        }
    }
}
