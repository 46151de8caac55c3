//! The plan of a drop: what is sold, how much of it, on which terms.

use crate::{
    DropId, DurationMs, HostId, MerchantId, Money, PlanError, PoolMap, Rehearsal, ShownUnits,
    SkuId, SkuIndex, StockDisplay, StreamId, TextFault, Units, UnixMillis, check_shown,
    check_shown_address,
    limits::{
        ADDRESS_BYTES_MAX, COUNTDOWN_MS_MAX, HOLD_TTL_MS_MAX, HOLD_TTL_MS_MIN,
        HOLDS_PER_VIEWER_MAX, OFFLINE_MS_MAX, OPEN_MS_MIN, OPTIONS_PER_SKU_MAX,
        PAYMENT_GRACE_MS_MAX, PAYMENT_STRETCH_MS_MAX, PLANNED_AHEAD_MS_MAX, SKUS_PER_DROP_MAX,
        TITLE_BYTES_MAX, UNITS_PER_BUY_MAX,
    },
};

/// Whether a drop sells for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Real units, real money.
    Live,
    /// A rehearsal: only rehearsal tickets may join, nothing counts as sold.
    Rehearsal,
}

/// One option value of a SKU, such as colour: red.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkuOption {
    /// The option's name.
    pub name: String,
    /// The value that this SKU has.
    pub value: String,
}

/// One sellable variant of a drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkuPlan {
    /// Name within the drop.
    pub id: SkuId,
    /// Title for viewers.
    pub title: String,
    /// Option values, such as colour or size.
    pub options: Vec<SkuOption>,
    /// The merchant's own code, passed through to orders.
    pub merchant_sku: String,
    /// Address of an image.
    pub image: Option<String>,
    /// Price of one unit.
    pub price: Money,
    /// Units of the first lot; may be zero where a lot is added later.
    pub supply: Units,
    /// Units that are not on sale until somebody puts them there; with the supply no more than a pool can count.
    pub reserve: Units,
    /// Units that one viewer may hold or own.
    pub limit_per_viewer: Units,
    /// Whether each unit sold has a number of its own, from 1, as editions have.
    pub numbered: bool,
}

/// What happens to a drop while its stream is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhenOffline {
    /// How long the drop goes on after the stream was reported offline, before it pauses.
    pub pause_after: DurationMs,
    /// Whether a drop that was paused for this reason goes on by itself once the stream is back.
    pub resume: bool,
}

/// How holds wait for payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    /// How long a hold stays beyond the deadline that its viewer is shown: a payment that was made in time
    /// may be reported until then.
    pub grace: DurationMs,
    /// By how much a hold's first attempt to pay moves its deadline, at most; zero moves none.
    pub stretch: DurationMs,
}

/// The terms of one drop; only plans that pass [`DropPlan::validate`] are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropPlan {
    /// The stream that the drop belongs to.
    pub stream: StreamId,
    /// Place in the stream's running order; equal places keep the order of planning.
    pub running_order: u16,
    /// Title for viewers.
    pub title: String,
    /// Whose goods are sold.
    pub merchant: MerchantId,
    /// Who runs the drop.
    pub host: HostId,
    /// Live or rehearsal.
    pub mode: Mode,
    /// What is sold; the place in the list is the [`SkuIndex`].
    pub skus: Vec<SkuPlan>,
    /// Units over all SKUs that one viewer may hold or own.
    pub limit_per_viewer: Units,
    /// Holds that one viewer may make, ended ones included.
    pub holds_per_viewer_max: u16,
    /// How long a hold lives.
    pub hold_ttl: DurationMs,
    /// How long the countdown to opening lasts; zero opens at once.
    pub countdown: DurationMs,
    /// When the drop opens by itself, if it does.
    pub starts_at: Option<UnixMillis>,
    /// When the drop closes by itself, if it does.
    pub ends_at: Option<UnixMillis>,
    /// How long after its opening the drop closes by itself; a drop without it has a planned end or none.
    pub ends_after_opening: Option<DurationMs>,
    /// How viewers are shown the stock; `None` shows every figure as it is.
    pub stock_display: Option<StockDisplay>,
    /// What happens while the stream is offline; `None` lets the drop go on.
    pub when_offline: Option<WhenOffline>,
    /// How holds wait for payments. Each order of a plan that has these terms is paid for on record; plans of
    /// older versions have none, no grace, no stretch.
    pub payment_terms: Option<PaymentTerms>,
    /// Whether viewers hear nothing of the drop until its countdown begins for the first time, or until it opens
    /// without one.
    pub hidden: bool,
    /// Whether hosts had to ask for more than the reserve when it was planned. `false` in plans of older versions, whose
    /// hosts restocked without a limit: the server holds hosts to it all the same, and only `verify` looks here.
    pub more_by_request: bool,
    /// What it rehearses, if it was made for a rehearsal by one press. Such a drop counts nowhere; it is over with
    /// its rehearsal, or with the server's process.
    pub rehearsal: Option<Rehearsal>,
}

impl DropPlan {
    /// Checks a plan that is submitted: its form, with the rules for new plans.
    ///
    /// A new rule about a plan by itself belongs here and never into [`DropPlan::check_format`], which
    /// old ledgers pass too. What depends on the time of a command is the engine's: a drop is open
    /// for [`OPEN_MS_MIN`](crate::limits::OPEN_MS_MIN) at least.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the fields.
    pub fn validate(&self) -> Result<(), PlanError> {
        self.check_format()?;
        shown("title".to_owned(), &self.title)?;
        for (place, sku) in self.skus.iter().enumerate() {
            sku.check_shown(place)?;
            if self.mode == Mode::Live {
                sku.check_payable(place)?;
            }
        }
        if self.skus.iter().all(|sku| sku.supply.is_zero()) {
            return Err(PlanError::NothingToSell);
        }
        self.gross_of(self.skus.iter().map(SkuPlan::units))
            .map(|_| ())
            .ok_or(PlanError::GrossTooLarge)
    }

    /// What so many units of each SKU, in the plan's order, sell for in all; `None` above
    /// [`Money::MINOR_MAX`], beyond which neither reports nor audits could be written.
    pub fn gross_of(&self, units: impl IntoIterator<Item = Units>) -> Option<Money> {
        let (first, rest) = self.skus.split_first()?;
        let mut units = units.into_iter();
        let gross = first.price.checked_times(units.next()?);
        rest.iter().zip(units).try_fold(gross?, |gross, (sku, units)| {
            gross.checked_add(sku.price.checked_times(units)?)
        })
    }

    /// Checks what every plan in a ledger keeps, whenever it was written. These bounds never tighten:
    /// a plan that was accepted once stays readable.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the fields.
    pub fn check_format(&self) -> Result<(), PlanError> {
        text(|| "title".to_owned(), &self.title, TITLE_BYTES_MAX)?;
        let (count, max) = (self.skus.len(), SKUS_PER_DROP_MAX);
        if count == 0 || count > max {
            return Err(PlanError::Count { field: "skus", count, min: 1, max });
        }
        // Before those of the SKUs: a SKU without a limit of its own has this one, and is not to blame for it.
        check_limit("limit_per_viewer", self.limit_per_viewer)?;
        for (place, sku) in self.skus.iter().enumerate() {
            sku.check_format(place)?;
            if self.skus[..place].iter().any(|other| other.id == sku.id) {
                return Err(PlanError::DuplicateSku { id: sku.id.clone() });
            }
            let (found, expected) = (sku.price.currency(), self.skus[0].price.currency());
            if found != expected {
                return Err(PlanError::MixedCurrencies {
                    id: sku.id.clone(),
                    found: found.to_string(),
                    expected: expected.to_string(),
                });
            }
        }
        let holds = u64::from(self.holds_per_viewer_max);
        range("holds_per_viewer_max", holds, 1, u64::from(HOLDS_PER_VIEWER_MAX))?;
        range("hold_ttl_ms", self.hold_ttl.get(), HOLD_TTL_MS_MIN, HOLD_TTL_MS_MAX)?;
        range("countdown_ms", self.countdown.get(), 0, COUNTDOWN_MS_MAX)?;
        match (self.starts_at, self.ends_at) {
            (Some(starts_at), Some(ends_at)) if ends_at <= starts_at => {
                return Err(PlanError::EndsBeforeStart { starts_at, ends_at });
            }
            _ => {}
        }
        if let Some(span) = self.ends_after_opening {
            if self.ends_at.is_some() {
                return Err(PlanError::TwoEnds);
            }
            range("ends_after_opening_ms", span.get(), OPEN_MS_MIN, PLANNED_AHEAD_MS_MAX)?;
        }
        if let Some(StockDisplay { rounded_above, round_to }) = self.stock_display {
            let most = u64::from(Units::MAX.get());
            range("stock_display.round_to", round_to.get().into(), 2, most)?;
            let (above, step) = (rounded_above.get(), round_to.get());
            range("stock_display.rounded_above", above.into(), step.into(), most)?;
            if !above.is_multiple_of(step) {
                return Err(PlanError::NotAMultiple { rounded_above, round_to });
            }
        }
        if let Some(WhenOffline { pause_after, .. }) = self.when_offline {
            range("when_offline.pause_after_ms", pause_after.get(), 0, OFFLINE_MS_MAX)?;
        }
        if let Some(PaymentTerms { grace, stretch }) = self.payment_terms {
            range("payment.grace_ms", grace.get(), 0, PAYMENT_GRACE_MS_MAX)?;
            range("payment.stretch_ms", stretch.get(), 0, PAYMENT_STRETCH_MS_MAX)?;
        }
        match self.rehearsal {
            Some(Rehearsal { of, .. }) if self.mode == Mode::Live => {
                Err(PlanError::LiveRehearsal { of })
            }
            _ => Ok(()),
        }
    }

    /// The same terms for a rehearsal of this drop, which is `of`: its host starts it, whatever the stream does
    /// meanwhile, and it is over at `until`.
    #[must_use]
    pub fn rehearsed(&self, of: DropId, until: UnixMillis) -> Self {
        Self {
            mode: Mode::Rehearsal,
            starts_at: None,
            ends_at: None,
            when_offline: None,
            rehearsal: Some(Rehearsal { of, until }),
            ..self.clone()
        }
    }

    /// How long a hold stays beyond the deadline that its viewer is shown.
    pub fn grace(&self) -> DurationMs {
        self.payment_terms.map_or(DurationMs::ZERO, |terms| terms.grace)
    }

    /// By how much a hold's first attempt to pay moves its deadline.
    pub fn stretch(&self) -> DurationMs {
        self.payment_terms.map_or(DurationMs::ZERO, |terms| terms.stretch)
    }

    /// What viewers are shown of `available` units.
    pub fn shown(&self, available: Units) -> ShownUnits {
        self.stock_display.map_or(ShownUnits::exact(available), |display| display.show(available))
    }

    /// The SKU with this id.
    pub fn sku_index(&self, id: &str) -> Option<SkuIndex> {
        let place = self.skus.iter().position(|sku| sku.id.as_str() == id)?;
        SkuIndex::new(u8::try_from(place).ok()?)
    }

    /// The SKU at this place.
    pub fn sku(&self, index: SkuIndex) -> Option<&SkuPlan> {
        self.skus.get(usize::from(index.get()))
    }

    /// The pools of the drop: each SKU's common pool, in the order of the SKUs. Only the first 256 SKUs
    /// of a plan that [`DropPlan::check_format`] refuses have one.
    pub fn pools(&self) -> PoolMap {
        PoolMap::of_common_pools(self.skus.len())
    }

    /// The most units that one buy of this SKU may ask for.
    pub fn units_per_buy_max(&self, sku: &SkuPlan) -> Units {
        units_per_buy_max(self.limit_per_viewer, sku.limit_per_viewer)
    }
}

impl SkuPlan {
    /// All of its units, those in reserve among them.
    pub fn units(&self) -> Units {
        self.supply.checked_add(self.reserve).unwrap_or(Units::MAX)
    }

    /// Checks what people will see of it.
    fn check_shown(&self, place: usize) -> Result<(), PlanError> {
        let field = |name: &str| format!("skus[{place}].{name}");
        shown(field("title"), &self.title)?;
        shown(field("merchant_sku"), &self.merchant_sku)?;
        for (at, option) in self.options.iter().enumerate() {
            shown(field(&format!("options[{at}].name")), &option.name)?;
            shown(field(&format!("options[{at}].value")), &option.value)?;
        }
        let image = self.image.as_deref();
        let checked = image.map_or(Ok(()), |image| check_shown_address(image, ADDRESS_BYTES_MAX));
        checked.map_err(|fault| PlanError::Address { field: field("image"), fault })
    }

    /// Checks that somebody can pay in its currency. What costs nothing is an order once that is asked for.
    fn check_payable(&self, place: usize) -> Result<(), PlanError> {
        // Test codes, metals and units of account have no minor unit, and no means of payment.
        let currency = self.price.currency();
        match currency.minor_digits() {
            Some(_) => Ok(()),
            None => Err(PlanError::NobodysMoney { place, currency }),
        }
    }

    fn check_format(&self, place: usize) -> Result<(), PlanError> {
        let field = |name: &str| format!("skus[{place}].{name}");
        text(|| field("title"), &self.title, TITLE_BYTES_MAX)?;
        text(|| field("merchant_sku"), &self.merchant_sku, TITLE_BYTES_MAX)?;
        if let Some(image) = &self.image {
            text(|| field("image"), image, ADDRESS_BYTES_MAX)?;
        }
        let (count, max) = (self.options.len(), OPTIONS_PER_SKU_MAX);
        if count > max {
            return Err(PlanError::Count { field: "sku.options", count, min: 0, max });
        }
        for (at, option) in self.options.iter().enumerate() {
            text(|| field(&format!("options[{at}].name")), &option.name, TITLE_BYTES_MAX)?;
            text(|| field(&format!("options[{at}].value")), &option.value, TITLE_BYTES_MAX)?;
        }
        check_limit("sku.limit_per_viewer", self.limit_per_viewer)?;
        let (supply, reserve) = (self.supply, self.reserve);
        if supply.checked_add(reserve).is_none() {
            let (id, max) = (self.id.clone(), Units::MAX);
            return Err(PlanError::TooManyUnits { id, supply, reserve, max });
        }
        // Later lots are bounded by the width of the stock word, so the value is bounded there.
        if self.price.checked_times(Units::MAX).is_none() {
            return Err(PlanError::ValueTooLarge { id: self.id.clone() });
        }
        Ok(())
    }
}

fn text(field: impl FnOnce() -> String, text: &str, max: usize) -> Result<(), PlanError> {
    let fault = if text.trim().is_empty() {
        TextFault::Blank
    } else if text.len() > max {
        TextFault::TooLong { bytes: text.len(), max }
    } else if let Some((before, control)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
        TextFault::Unseen { code: control.into(), place: before + 1 }
    } else {
        return Ok(());
    };
    Err(PlanError::Unreadable { field: field(), fault })
}

fn shown(field: String, text: &str) -> Result<(), PlanError> {
    check_shown(text, TITLE_BYTES_MAX).map_err(|fault| PlanError::Unreadable { field, fault })
}

/// The most units that one buy may ask for under these limits: of the drop, of the SKU.
pub fn units_per_buy_max(of_drop: Units, of_sku: Units) -> Units {
    let most = Units::new(UNITS_PER_BUY_MAX).expect("the limits module checks it");
    most.min(of_drop).min(of_sku)
}

/// Checks units that one viewer may have.
pub(crate) fn check_limit(field: &'static str, limit: Units) -> Result<(), PlanError> {
    range(field, limit.get().into(), 1, Units::MAX.get().into())
}

fn range(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), PlanError> {
    if value < min || value > max {
        return Err(PlanError::Range { field, value, min, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::plan;

    fn refused(change: impl FnOnce(&mut DropPlan)) -> String {
        let mut plan = plan();
        change(&mut plan);
        plan.validate().unwrap_err().to_string()
    }

    #[test]
    fn a_sound_plan_passes() {
        assert_eq!(plan().validate(), Ok(()));
    }

    #[test]
    fn a_rule_for_new_plans_leaves_old_ones_readable() {
        let mut plan = plan();
        plan.starts_at = Some(UnixMillis::new(5_000));
        plan.ends_at = Some(UnixMillis::new(5_999));
        assert_eq!(plan.check_format(), Ok(()), "the engine refuses it where it is submitted");
        let sku = &mut plan.skus[0];
        sku.title = "\u{202E}Mug".into();
        sku.options[0].value = "\u{3164}".into();
        sku.image = Some("javascript:alert(1)".into());
        assert_eq!(plan.check_format(), Ok(()), "an old ledger has it");
        assert!(plan.validate().is_err());
    }

    #[test]
    fn what_people_see_is_named_by_its_place() {
        let why = |change: fn(&mut SkuPlan)| refused(|plan| change(&mut plan.skus[1]));
        let hidden = "has U+200B as its character 1, which cannot be seen";
        for (field, change) in [
            ("title", (|sku| sku.title = "\u{200B}".into()) as fn(&mut SkuPlan)),
            ("merchant_sku", |sku| sku.merchant_sku = "\u{200B}".into()),
            ("options[0].name", |sku| sku.options[0].name = "\u{200B}".into()),
            ("options[0].value", |sku| sku.options[0].value = "\u{200B}".into()),
        ] {
            let found = why(change);
            assert!(found.starts_with(&format!("skus[1].{field} {hidden}")), "{found}");
        }
        let found = why(|sku| sku.image = Some("http://img.example/a.jpg".into()));
        assert!(found.starts_with("skus[1].image is no address"), "{found}");
        let found = refused(|plan| plan.title = "\u{301}".into());
        assert!(found.starts_with("title is blank to the eye"), "{found}");
    }

    #[test]
    fn what_is_sold_for_real_can_be_paid_for() {
        let price = |minor, code: &str| Money::new(minor, code.parse().unwrap()).unwrap();
        let mut free = plan();
        free.skus[1].price = price(0, "EUR");
        assert_eq!(free.validate(), Ok(()), "goods may cost nothing");
        for code in [concat!("XX", "X"), "XTS", "XAU", "XDR"] {
            let all = |plan: &mut DropPlan| {
                plan.skus.iter_mut().for_each(|sku| sku.price = price(5, code));
            };
            let why = refused(all);
            let named = format!("skus[0].price.currency is {code}, which nobody can pay in");
            assert!(why.starts_with(&named), "{why}");
            let mut rehearsal = plan();
            all(&mut rehearsal);
            rehearsal.mode = Mode::Rehearsal;
            rehearsal.skus[0].price = price(0, code);
            assert_eq!(rehearsal.validate(), Ok(()));
        }
        let mut yen = plan();
        yen.skus.iter_mut().for_each(|sku| sku.price = price(1, "JPY"));
        assert_eq!(yen.validate(), Ok(()));
    }

    #[test]
    fn a_lot_may_come_later_but_not_every_lot() {
        let mut later = plan();
        later.skus[0].supply = Units::ZERO;
        assert_eq!(later.validate(), Ok(()));
        let nothing = refused(|plan| plan.skus.iter_mut().for_each(|sku| sku.supply = Units::ZERO));
        assert!(nothing.starts_with("supply is 0 for every SKU"), "{nothing}");
    }

    #[test]
    fn what_is_sold_in_all_can_be_added_up() {
        let dear = |units: [u32; 2]| {
            let mut plan = plan();
            let price = Money::new(500_000_000, "EUR".parse().unwrap()).unwrap();
            for (sku, units) in plan.skus.iter_mut().zip(units) {
                (sku.price, sku.supply) = (price, Units::new(units).unwrap());
            }
            plan
        };
        let most = Money::MINOR_MAX / 500_000_000;
        let half = u32::try_from(most / 2).unwrap();
        let rest = u32::try_from(most).unwrap() - half;
        assert_eq!(dear([half, rest]).validate(), Ok(()));
        let over = dear([half, rest + 1]);
        assert_eq!(over.validate(), Err(PlanError::GrossTooLarge));
        assert_eq!(over.check_format(), Ok(()), "an old ledger has it");
    }

    #[test]
    fn a_drop_has_one_end_within_a_year() {
        assert_eq!(
            refused(|p| {
                p.ends_at = Some(UnixMillis::new(5));
                p.ends_after_opening = Some(DurationMs::from_secs(5));
            }),
            "ends_at_ms and ends_after_opening_ms are both given; leave one of them out"
        );
        for millis in [999, PLANNED_AHEAD_MS_MAX + 1] {
            assert_eq!(
                refused(|p| p.ends_after_opening = Some(DurationMs::new(millis))),
                format!("ends_after_opening_ms is {millis}; 1000 to 31622400000 are allowed")
            );
        }
    }

    #[test]
    fn each_fault_is_named_with_its_numbers() {
        assert_eq!(refused(|p| p.skus.clear()), "skus has 0 entries; 1 to 64 are allowed");
        assert_eq!(
            refused(|p| p.title = "   ".into()),
            "title is blank to the eye; write something that can be read"
        );
        assert_eq!(refused(|p| p.skus[1].id = p.skus[0].id.clone()), "SKU id red is used twice");
        assert_eq!(
            refused(|p| p.skus[1].price = Money::new(5, "JPY".parse().unwrap()).unwrap()),
            "SKU blue is priced in JPY, the first one in EUR; a drop has one currency"
        );
        assert_eq!(
            refused(|p| p.hold_ttl = DurationMs::new(999)),
            "hold_ttl_ms is 999; 1000 to 86400000 are allowed"
        );
        assert_eq!(
            refused(|p| p.limit_per_viewer = Units::ZERO),
            "limit_per_viewer is 0; 1 to 16777215 are allowed"
        );
        assert_eq!(
            refused(|p| {
                p.limit_per_viewer = Units::ZERO;
                p.skus.iter_mut().for_each(|sku| sku.limit_per_viewer = Units::ZERO);
            }),
            "limit_per_viewer is 0; 1 to 16777215 are allowed",
            "the SKUs have the drop's limit"
        );
        assert_eq!(
            refused(|p| {
                p.starts_at = Some(UnixMillis::new(5));
                p.ends_at = Some(UnixMillis::new(5));
            }),
            "ends_at_ms 5 is not after starts_at_ms 5; times are milliseconds since 1970"
        );
        let display = |rounded_above, round_to| {
            let units = |count| Units::new(count).unwrap();
            let display =
                StockDisplay { rounded_above: units(rounded_above), round_to: units(round_to) };
            refused(|plan| plan.stock_display = Some(display))
        };
        assert_eq!(display(10, 1), "stock_display.round_to is 1; 2 to 16777215 are allowed");
        assert_eq!(
            display(10, 20),
            "stock_display.rounded_above is 10; 20 to 16777215 are allowed"
        );
        assert_eq!(
            display(150, 100),
            "stock_display.rounded_above is 150; a multiple of round_to (100) is allowed"
        );
        let late = WhenOffline { pause_after: DurationMs::new(3_600_001), resume: false };
        assert_eq!(
            refused(|p| p.when_offline = Some(late)),
            "when_offline.pause_after_ms is 3600001; 0 to 3600000 are allowed"
        );
        assert_eq!(
            refused(
                |p| p.skus[0].options = vec![SkuOption { name: "a".into(), value: "b".into() }; 9]
            ),
            "sku.options has 9 entries; 0 to 8 are allowed"
        );
    }

    fn passes(change: impl FnOnce(&mut DropPlan)) {
        let mut plan = plan();
        change(&mut plan);
        assert_eq!(plan.validate(), Ok(()));
    }

    #[test]
    fn the_first_and_the_last_allowed_value_pass_and_no_further_one_does() {
        passes(|p| p.title = "t".repeat(200));
        assert_eq!(
            refused(|p| p.title = "t".repeat(201)),
            "title has 201 bytes; at most 200 are allowed: shorten it"
        );
        assert_eq!(
            refused(|p| p.skus[1].merchant_sku = "M\n1".into()),
            "skus[1].merchant_sku has U+000A as its character 2, which cannot be seen and changes how text is \
             read; leave it out"
        );
        let skus = |plan: &mut DropPlan, count: usize| {
            let sku = plan.skus[0].clone();
            let id = |place| format!("s{place}").parse().unwrap();
            plan.skus = (0..count).map(|place| SkuPlan { id: id(place), ..sku.clone() }).collect();
        };
        passes(|p| skus(p, 64));
        assert_eq!(refused(|p| skus(p, 65)), "skus has 65 entries; 1 to 64 are allowed");
        let option = || SkuOption { name: "a".into(), value: "b".into() };
        passes(|p| p.skus[0].options = vec![option(); 8]);
        passes(|p| p.skus[0].options.clear());
        for ttl in [1_000, 86_400_000] {
            passes(|p| p.hold_ttl = DurationMs::new(ttl));
        }
        assert_eq!(
            refused(|p| p.hold_ttl = DurationMs::new(86_400_001)),
            "hold_ttl_ms is 86400001; 1000 to 86400000 are allowed"
        );
        passes(|p| {
            p.starts_at = Some(UnixMillis::new(5));
            p.ends_at = Some(UnixMillis::new(6));
        });
    }

    #[test]
    fn a_price_has_room_for_all_units_that_a_pool_can_have() {
        let price = |minor| Money::new(minor, "EUR".parse().unwrap()).unwrap();
        passes(|p| p.skus[0].price = price(536_870_944));
        assert_eq!(
            refused(|p| p.skus[0].price = price(536_870_945)),
            "SKU red: the price is too high: 2^24 units would cost more than 2^53 - 1 minor units"
        );
    }

    #[test]
    fn a_reserve_fits_a_pool_with_the_supply_and_is_worth_no_more_than_can_be_added_up() {
        let units = |count| Units::new(count).unwrap();
        passes(|p| p.skus[1].reserve = units(Units::MAX.get() - 100));
        assert_eq!(
            refused(|p| p.skus[1].reserve = units(Units::MAX.get() - 99)),
            "SKU blue: supply 100 and reserve 16777116 are together more than the 16777215 units that a SKU can have"
        );
        assert_eq!(
            refused(|p| {
                (p.skus[0].supply, p.skus[1].supply) = (Units::ZERO, Units::ZERO);
                p.skus[0].reserve = units(5);
            }),
            "supply is 0 for every SKU; at least one needs a unit when the drop opens"
        );
        let dear = |p: &mut DropPlan, reserve| {
            let price = Money::new(536_870_944, "EUR".parse().unwrap()).unwrap();
            for sku in &mut p.skus {
                (sku.price, sku.reserve) = (price, reserve);
            }
        };
        passes(|p| dear(p, units(8_388_000)));
        assert!(
            refused(|p| dear(p, units(8_389_000)))
                .starts_with("the units of all SKUs would cost more")
        );
    }

    #[test]
    fn skus_are_found_by_id_and_by_place() {
        let plan = plan();
        let blue = plan.sku_index("blue").unwrap();
        assert_eq!((plan.sku_index("red"), blue), (SkuIndex::new(0), SkuIndex::new(1).unwrap()));
        assert_eq!(plan.sku_index("green"), None);
        assert_eq!(plan.sku(blue), Some(&plan.skus[1]));
        assert_eq!(plan.sku(SkuIndex::new(2).unwrap()), None);
        assert_eq!(plan.pools(), PoolMap::of_common_pools(2));
    }

    #[test]
    fn a_buy_keeps_to_every_limit() {
        let units = |count| Units::new(count).unwrap();
        let most = |of_sku, of_drop| {
            let mut plan = plan();
            (plan.skus[0].limit_per_viewer, plan.limit_per_viewer) =
                (units(of_sku), units(of_drop));
            plan.units_per_buy_max(&plan.skus[0]).get()
        };
        assert_eq!((most(2, 3), most(3, 2), most(5_000, 5_000)), (2, 2, 1_000));
    }

    #[test]
    fn viewers_are_shown_what_the_plan_wants() {
        let units = |count| Units::new(count).unwrap();
        let mut plan = plan();
        assert_eq!(plan.shown(units(149)), ShownUnits::exact(units(149)));
        plan.stock_display = Some(StockDisplay { rounded_above: units(100), round_to: units(50) });
        assert_eq!(plan.shown(units(149)), ShownUnits { units: units(100), approximate: true });
    }
}
