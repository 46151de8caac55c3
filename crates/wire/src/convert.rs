//! Domain values to messages.

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Money, OrderId, Phase, Refusal,
    ShownUnits, SkuId, SkuPlan, Units,
};

use crate::{
    CloseCode, DropInfo, ErrorNotice, Held, NO_HOLD, Order, Refused, Request, ServerMessage,
    SkuInfo, SkuOptionInfo, SkuStock, Welcome,
    limits::{ESCAPED, OBJECT_BYTES, SERVER_FRAME_BYTES_MAX},
};

/// Where a drop stands, as far as it is not in its plan.
#[derive(Clone, Copy, Debug)]
pub struct DropState<'a> {
    /// The drop's version.
    pub version: u64,
    /// The phase.
    pub phase: Phase,
    /// Whether it is the one on air.
    pub featured: bool,
    /// Time until it opens, where that is known, in milliseconds.
    pub opens_in_ms: Option<u64>,
    /// Time until it closes, where that is known, in milliseconds.
    pub closes_in_ms: Option<u64>,
    /// Units available of each SKU as viewers see them, in the order of the plan.
    pub available: &'a [ShownUnits],
}

impl DropInfo {
    /// A drop's terms with where it stands; SKUs without a figure in `state` show none available.
    pub fn new(drop: DropId, plan: &DropPlan, state: &DropState<'_>) -> Self {
        let available =
            state.available.iter().copied().chain(std::iter::repeat(ShownUnits::default()));
        let skus = plan.skus.iter().zip(available);
        Self {
            drop,
            version: state.version,
            title: plan.title.clone(),
            merchant: plan.merchant.clone(),
            phase: state.phase,
            featured: state.featured,
            opens_in_ms: state.opens_in_ms,
            closes_in_ms: state.closes_in_ms,
            hold_ttl_ms: plan.hold_ttl.get(),
            limit_per_viewer: plan.limit_per_viewer.get(),
            currency: plan.skus.first().expect("a valid plan has a SKU").price.currency(),
            skus: skus.map(|(sku, available)| SkuInfo::new(plan, sku, available)).collect(),
        }
    }

    /// Bytes that the drop takes in a frame at most.
    fn bytes_max(&self) -> usize {
        let sku = |sku: &SkuInfo| {
            let options = sku.options.iter().map(|o| 32 + ESCAPED * (o.name.len() + o.value.len()));
            let image = sku.image.as_ref().map_or(0, String::len);
            let texts = sku.title.len() + sku.merchant_sku.len() + image;
            OBJECT_BYTES + ESCAPED * texts + options.sum::<usize>()
        };
        OBJECT_BYTES + ESCAPED * self.title.len() + self.skus.iter().map(sku).sum::<usize>()
    }
}

impl SkuInfo {
    fn new(plan: &DropPlan, sku: &SkuPlan, available: ShownUnits) -> Self {
        let option = |option: &stampede_domain::SkuOption| SkuOptionInfo {
            name: option.name.clone(),
            value: option.value.clone(),
        };
        Self {
            sku: sku.id.clone(),
            title: sku.title.clone(),
            options: sku.options.iter().map(option).collect(),
            merchant_sku: sku.merchant_sku.clone(),
            image: sku.image.clone(),
            price_minor: sku.price.minor(),
            available: available.units.get(),
            approximate: available.approximate,
            limit_per_viewer: sku.limit_per_viewer.get(),
            units_per_buy_max: plan.units_per_buy_max(sku).get(),
        }
    }
}

impl SkuStock {
    /// What viewers see of one SKU.
    pub fn new(sku: &SkuPlan, available: ShownUnits) -> Self {
        Self {
            sku: sku.id.clone(),
            available: available.units.get(),
            approximate: available.approximate,
        }
    }
}

impl Welcome {
    /// The welcome as frames: what does not fit the first one follows in messages of its own. The
    /// viewer's own holds and orders come before the drops, which are the same for everybody.
    pub fn into_messages(mut self) -> Vec<ServerMessage> {
        let mut room = SERVER_FRAME_BYTES_MAX - OBJECT_BYTES;
        let mut fits = |bytes: usize| {
            let rest = room.checked_sub(bytes);
            room = rest.unwrap_or(0);
            rest.is_some()
        };
        let holds = self.holds.iter().take_while(|_| fits(OBJECT_BYTES)).count();
        let orders = self.orders.iter().take_while(|_| fits(OBJECT_BYTES)).count();
        let drops = self.drops.iter().take_while(|drop| fits(drop.bytes_max())).count();
        let drops = self.drops.split_off(drops);
        let holds = self.holds.split_off(holds);
        let orders = self.orders.split_off(orders);
        let mut messages = vec![ServerMessage::Welcome(Box::new(self))];
        messages.extend(holds.into_iter().map(ServerMessage::Held));
        messages.extend(orders.into_iter().map(ServerMessage::Order));
        messages.extend(drops.into_iter().map(ServerMessage::DropInfo));
        messages
    }
}

impl Held {
    /// A hold that its viewer's every connection learns of; see [`Held::answer`] for the one that asked.
    pub fn new(hold: HoldId, sku: SkuId, units: Units, amount: Money, expires_in_ms: u64) -> Self {
        Self {
            key: None,
            retry: false,
            hold,
            drop: hold.drop_id(),
            sku,
            units: units.get(),
            amount_minor: amount.minor(),
            currency: amount.currency(),
            expires_in_ms,
        }
    }

    /// The same as the answer to the `buy` with this key; `retry` if the key was used before.
    #[must_use]
    pub fn answer(self, key: IdempotencyKey, retry: bool) -> Self {
        Self { key: Some(key), retry, ..self }
    }

    /// The price of all units, or `None` if a server sent more than an amount can be.
    pub fn amount(&self) -> Option<Money> {
        Money::new(self.amount_minor, self.currency)
    }
}

impl Order {
    /// The order that a confirmed hold has become.
    pub fn new(hold: HoldId, sku: SkuId, units: Units, amount: Money) -> Self {
        Self {
            key: None,
            order: OrderId::of(hold),
            hold,
            drop: hold.drop_id(),
            sku,
            units: units.get(),
            amount_minor: amount.minor(),
            currency: amount.currency(),
        }
    }

    /// The same as the answer to a repeated `buy` with this key.
    #[must_use]
    pub fn answer(self, key: IdempotencyKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The price of all units, or `None` if a server sent more than an amount can be.
    pub fn amount(&self) -> Option<Money> {
        Money::new(self.amount_minor, self.currency)
    }
}

impl Refused {
    /// The refusal of a `buy`.
    pub fn buy(key: IdempotencyKey, refusal: &Refusal) -> Self {
        Self { key: Some(key), ..Self::of(Request::Buy, refusal) }
    }

    /// The refusal of a `release`.
    pub fn release(hold: HoldId, refusal: &Refusal) -> Self {
        Self { hold: named(hold), ..Self::of(Request::Release, refusal) }
    }

    /// The refusal of a `pay`.
    pub fn pay(hold: HoldId, refusal: &Refusal) -> Self {
        Self { hold: named(hold), ..Self::of(Request::Pay, refusal) }
    }

    fn of(request: Request, refusal: &Refusal) -> Self {
        let code = refusal.code();
        let limit = match *refusal {
            Refusal::UnitsOutOfRange { max } => Some(max.get()),
            Refusal::OverViewerLimit { limit, .. } => Some(limit.get()),
            Refusal::HoldsCapped { max } => Some(u32::from(max)),
            _ => None,
        };
        let available = match *refusal {
            Refusal::NotEnough { available } => Some(available.get()),
            Refusal::SoldOut => Some(0),
            _ => None,
        };
        Self {
            request,
            key: None,
            hold: None,
            code: code.name().into(),
            message: refusal.to_string(),
            temporary: refusal.is_temporary(),
            retry_after_ms: refusal.retry_after().map(DurationMs::get),
            limit,
            available,
        }
    }
}

impl ErrorNotice {
    /// The notice before a close with `code`; `why` is cut to what a close frame can carry.
    pub fn new(code: CloseCode, why: &str) -> Self {
        Self {
            code: code.name().into(),
            close_code: code.code(),
            message: CloseCode::reason(why).to_owned(),
            retry_after_ms: None,
        }
    }

    /// The same for a client that shall stay away for a time of its own.
    #[must_use]
    pub fn after(self, retry_after: DurationMs) -> Self {
        Self { retry_after_ms: Some(retry_after.get()), ..self }
    }
}

/// The hold, unless the client's text named none.
fn named(hold: HoldId) -> Option<HoldId> {
    (hold != NO_HOLD).then_some(hold)
}
