//! Requests for more units than a drop has in reserve: who runs the sale asks, who owns the goods answers.

use stampede_domain::{
    DropId, Moment, Phase, RequestId, SkuId, Units, limits::REQUESTS_PER_DROP_MAX,
};
use stampede_ledger::{RequestAsked, RequestEnd, RequestEnded, Signature};

use super::Books;
use crate::{
    command::{AskedFor, CommandRefusal, DropAction, RequestRefusal, StaffCommand},
    decision::{Decision, Effect},
    drop::{DropBook, RequestState, RestockRequest},
};

impl Books {
    /// Puts a lot on sale and returns its number, or asks for it: beyond the reserve, where the role may not do so by itself.
    pub(super) fn restock_or_ask(
        &mut self,
        drop: DropId,
        (sku, units): (&SkuId, Units),
        command: &StaffCommand,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(Option<u32>, Option<AskedFor>), CommandRefusal> {
        let book = &self.drops[&drop];
        let reserve = book.reserve[usize::from(book.pool_of(sku)?.get())];
        if command.role.must_ask() && units > reserve {
            let asked = self.ask(drop, ((sku, units), reserve), command, now, out)?;
            return Ok((None, Some(asked)));
        }
        Ok((Some(self.restock(now.sale, drop, (sku, units), out)?), None))
    }

    /// Asks for more units than the SKU has in reserve: nothing moves.
    fn ask(
        &mut self,
        drop: DropId,
        ((sku, units), reserve): ((&SkuId, Units), Units),
        command: &StaffCommand,
        now: Moment,
        out: &mut Decision,
    ) -> Result<AskedFor, CommandRefusal> {
        let book = &self.drops[&drop];
        let (pool, number) = (book.pool_of(sku)?, book.requests.next_number());
        // What nobody could grant is not asked for.
        self.check_units(drop, (sku, pool), (units, Units::ZERO))?;
        let max = REQUESTS_PER_DROP_MAX;
        if book.requests.open() >= max {
            return Err(RequestRefusal::Full { max }.into());
        }
        let by = signature(command, now);
        self.record(now.sale, drop, RequestAsked { number, pool, units, reserve, by }, out);
        self.show_requests(drop, out);
        Ok(AskedFor { request: RequestId { drop, number }, reserve })
    }

    /// Grants, declines or withdraws a request; returns the number of the lot by which it was granted.
    pub(super) fn answer_request(
        &mut self,
        (drop, phase): (DropId, Phase),
        action: &DropAction,
        command: &StaffCommand,
        now: Moment,
        out: &mut Decision,
    ) -> Result<Option<u32>, CommandRefusal> {
        let number = action.request().expect("the caller has matched what ends a request");
        let request = (RequestId { drop, number }, phase);
        let end = match action {
            DropAction::GrantRequest { .. } => {
                return self.grant(request, command, now, out).map(Some);
            }
            DropAction::DeclineRequest { .. } => RequestEnd::Declined,
            _ => RequestEnd::Withdrawn,
        };
        self.end_request(request, end, command, now, out).map(|()| None)
    }

    /// Puts the units of a request on sale, those in reserve first; returns the lot's number.
    fn grant(
        &mut self,
        (request, phase): (RequestId, Phase),
        command: &StaffCommand,
        now: Moment,
        out: &mut Decision,
    ) -> Result<u32, CommandRefusal> {
        let open = self.open_request(request, phase)?;
        let RestockRequest { pool, units, .. } = *open;
        let sku = self.drops[&request.drop].sku_of(pool);
        let lot = self.restock(now.sale, request.drop, (&sku, units), out)?;
        self.end_request((request, phase), RequestEnd::Granted { lot }, command, now, out)?;
        Ok(lot)
    }

    /// Ends a request.
    fn end_request(
        &mut self,
        (request, phase): (RequestId, Phase),
        end: RequestEnd,
        command: &StaffCommand,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let RequestId { drop, number } = request;
        let open = self.open_request(request, phase)?;
        let RestockRequest { pool, units, .. } = *open;
        let by = signature(command, now);
        self.record(now.sale, drop, RequestEnded { number, pool, units, end, by }, out);
        self.show_requests(drop, out);
        Ok(())
    }

    /// A request that nobody has ended, in a drop whose takes are not over.
    fn open_request(
        &self,
        request: RequestId,
        phase: Phase,
    ) -> Result<&RestockRequest, RequestRefusal> {
        let over = RequestRefusal::DropOver { phase };
        let book = self.drops.get(&request.drop).ok_or_else(|| over.clone())?;
        match book.requests.look(request.number) {
            RequestState::Unknown => Err(RequestRefusal::Unknown { request }),
            RequestState::Forgotten => Err(RequestRefusal::Forgotten { request }),
            RequestState::Ended(RestockRequest { ended: Some((end, by)), .. }) => {
                let by = by.actor.as_str().to_owned();
                Err(RequestRefusal::Ended { request, end: *end, by })
            }
            RequestState::Open(_) | RequestState::Ended(_) if !book.takes_requests() => Err(over),
            RequestState::Open(open) | RequestState::Ended(open) => Ok(open),
        }
    }

    fn show_requests(&self, drop: DropId, out: &mut Decision) {
        let requests = self.drops[&drop].requests.shown();
        out.when_durable.push(Effect::Requests { drop, requests });
    }
}

impl DropBook {
    /// Whether requests may be made and answered: takes are not over, and have begun.
    fn takes_requests(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Paused)
    }

    /// The SKU whose lots go to a pool.
    fn sku_of(&self, pool: stampede_domain::PoolIndex) -> SkuId {
        let sku = self.pools.sku_of(pool).and_then(|sku| self.plan.sku(sku));
        sku.expect("a request names a pool of the plan").id.clone()
    }
}

/// Who gives the command, why and when.
fn signature(command: &StaffCommand, now: Moment) -> Signature {
    Signature {
        actor: command.actor.as_str().into(),
        // Checked with the rights: it may be shown.
        reason: command.reason.as_deref().unwrap_or_default().into(),
        at: now.wall,
    }
}
