//! Requests for more units than are in reserve.

use stampede_domain::DropId;
use stampede_ledger::{RecordedOutcome, RequestAsked, RequestEnd, RequestEnded, Signature};

use super::{sale::pool, sim::Sim, units};

impl Sim {
    /// A host asks for more units of a SKU than are in reserve.
    pub fn ask(&mut self, drop: DropId, (number, sku): (u32, usize), count: u32, reserve: u32) {
        let (units, reserve, by) = (units(count), units(reserve), self.signature("nina"));
        let asked = RequestAsked { number, pool: pool(sku), units, reserve, by };
        self.push(drop, asked.into());
        self.command(drop, "restock", RecordedOutcome::Accepted);
        self.flush();
    }

    /// The merchant answers a request: by a lot, where it is granted.
    pub fn answer(
        &mut self,
        drop: DropId,
        (number, sku): (u32, usize),
        count: u32,
        end: RequestEnd,
    ) {
        let action = match end {
            RequestEnd::Granted { .. } => {
                self.lot(drop, sku, count);
                self.sale(drop).supplied[sku] += count;
                "grant_request"
            }
            RequestEnd::Declined => "decline_request",
            RequestEnd::Withdrawn => "withdraw_request",
        };
        let by = self.signature("acme");
        let ended = RequestEnded { number, pool: pool(sku), units: units(count), end, by };
        self.push(drop, ended.into());
        self.command_by(drop, ("acme", "merchant"), action, RecordedOutcome::Accepted);
        self.flush();
    }

    fn signature(&self, actor: &str) -> Signature {
        Signature { actor: actor.into(), reason: "".into(), at: self.now() }
    }
}
