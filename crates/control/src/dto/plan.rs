//! A drop's terms as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{
    Currency, DropPlan, DurationMs, Mode, Money, PaymentTerms, SkuOption, SkuPlan, StockDisplay,
    Units, UnixMillis, WhenOffline, composed,
    limits::{
        COUNTDOWN_MS_DEFAULT, HOLDS_PER_VIEWER_DEFAULT, PAYMENT_GRACE_MS_DEFAULT,
        PAYMENT_STRETCH_MS_DEFAULT,
    },
};
use utoipa::ToSchema;

use crate::{
    place::INTEGER_MAX,
    problem::{Code, Problem},
};

/// The terms of a drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Plan)]
pub(crate) struct PlanBody {
    /// The live stream, by the platform's id: 1 to 64 letters, digits or `. _ : -`. Fixed once planned.
    #[schema(example = "friday-show", max_length = 64)]
    pub(crate) stream: String,
    /// Place in the stream's running order; equal places keep the order of planning.
    #[serde(default)]
    #[schema(default = 0, minimum = 0, maximum = 65_535)]
    pub(crate) running_order: u16,
    /// Title for viewers, 1 to 200 bytes, with something to see and nothing that hides or turns text.
    #[schema(example = "Perfume, 50 ml", max_length = 200)]
    pub(crate) title: String,
    /// Whose goods are sold: 1 to 64 letters, digits or `. _ : -`. Fixed once planned.
    #[schema(example = "maison-nord", max_length = 64)]
    pub(crate) merchant: String,
    /// Who runs the drop: 1 to 64 letters, digits or `. _ : -`.
    #[schema(example = "nina", max_length = 64)]
    pub(crate) host: String,
    /// Live, or a rehearsal that only rehearsal tickets can join.
    #[serde(default)]
    pub(crate) mode: ModeName,
    /// What is sold, all in one currency.
    #[schema(min_items = 1, max_items = 64)]
    pub(crate) skus: Vec<SkuBody>,
    /// Units over all SKUs that one viewer may hold or own.
    #[schema(example = 2, minimum = 1, maximum = 16_777_215)]
    pub(crate) limit_per_viewer: u32,
    /// Holds that one viewer may make in this drop, ended ones included.
    #[serde(default = "holds_per_viewer_default")]
    #[schema(default = 16, minimum = 1, maximum = 64)]
    pub(crate) holds_per_viewer_max: u16,
    /// How long a hold lives before its units go back on sale, in milliseconds.
    #[schema(example = 120_000, minimum = 1000, maximum = 86_400_000)]
    pub(crate) hold_ttl_ms: u64,
    /// From `open` to the first take, in milliseconds; 0 opens at once.
    #[serde(default = "countdown_default")]
    #[schema(default = 10_000, minimum = 0, maximum = 600_000)]
    pub(crate) countdown_ms: u64,
    /// When the drop opens by itself, in milliseconds since 1970-01-01 UTC, at most 366 days ahead; left
    /// out, the host opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    pub(crate) starts_at_ms: Option<u64>,
    /// When the drop closes by itself, in milliseconds since 1970-01-01 UTC, at most 366 days ahead and at
    /// least a second after it opens; left out, the host closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    pub(crate) ends_at_ms: Option<u64>,
    /// How long after its opening the drop closes by itself, in milliseconds, in place of `ends_at_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 900_000, minimum = 1_000, maximum = 31_622_400_000_i64)]
    pub(crate) ends_after_opening_ms: Option<u64>,
    /// How viewers are shown the stock; left out, every figure is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stock_display: Option<StockDisplayBody>,
    /// What happens while the stream is reported offline; left out, the drop goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when_offline: Option<WhenOfflineBody>,
    /// What payments get beyond a hold's time; left out, the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<PaymentTermsBody>,
    /// Whether viewers hear nothing of the drop until its countdown begins for the first time; once they have heard of it,
    /// an edit does not hide it again.
    #[serde(default)]
    #[schema(default = false)]
    pub(crate) hidden: bool,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only, max_length = 500)]
    pub(crate) reason: Option<String>,
}

/// Whether a drop sells for real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Mode)]
pub(crate) enum ModeName {
    /// Real units, real money.
    #[default]
    Live,
    /// Nothing counts as sold.
    Rehearsal,
}

/// Exact figures while units are scarce, rounded ones while there is plenty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockDisplay)]
pub(crate) struct StockDisplayBody {
    /// Up to this many available units of a SKU viewers see the exact figure; a multiple of `round_to`.
    #[schema(example = 500, minimum = 2, maximum = 16_777_215)]
    rounded_above: u32,
    /// Above the bound viewers see the figure rounded down to a multiple of this.
    #[schema(example = 100, minimum = 2, maximum = 16_777_215)]
    round_to: u32,
}

/// A pause for a stream that is offline too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhenOffline)]
pub(crate) struct WhenOfflineBody {
    /// How long the drop goes on after the stream was reported offline, in milliseconds; then an
    /// open drop pauses, a countdown is called off.
    #[schema(example = 30_000, minimum = 0, maximum = 3_600_000)]
    pause_after_ms: u64,
    /// Whether a drop that paused for this reason goes on by itself once the stream is back.
    #[serde(default)]
    #[schema(default = false)]
    resume_when_online: bool,
}

/// How long holds wait for payments that are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentTerms)]
pub(crate) struct PaymentTermsBody {
    /// How long a hold stays beyond the time that its viewer is shown, in milliseconds: a payment that is reported by
    /// then makes an order.
    #[serde(default = "grace_default")]
    #[schema(default = 3_000, minimum = 0, maximum = 60_000)]
    grace_ms: u64,
    /// How long a hold lives at least once its viewer has begun to pay, in milliseconds; only the first attempt counts.
    #[serde(default = "stretch_default")]
    #[schema(default = 60_000, minimum = 0, maximum = 3_600_000)]
    stretch_ms: u64,
}

/// One sellable variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Sku)]
pub(crate) struct SkuBody {
    /// Name within the drop: 1 to 64 letters, digits or `. _ : -`.
    #[schema(example = "n5-50", max_length = 64)]
    id: String,
    /// Title for viewers, 1 to 200 bytes.
    #[schema(example = "No. 5", max_length = 200)]
    title: String,
    /// Option values, such as colour or size.
    #[serde(default)]
    #[schema(max_items = 8)]
    options: Vec<OptionBody>,
    /// The merchant's own code, passed through to orders; if left out, the id. At most 200 bytes.
    #[serde(default)]
    #[schema(example = "MN-0005-50", max_length = 200)]
    merchant_sku: Option<String>,
    /// Address of an image, at most 2,048 bytes: absolute with `https`, or a path of a file that the server
    /// shows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2048)]
    image: Option<String>,
    /// Price of one unit.
    price: MoneyBody,
    /// Units of the first lot; 0 where a lot is added later.
    #[schema(example = 15_000, minimum = 0, maximum = 16_777_215)]
    supply: u32,
    /// Units that are not on sale until somebody puts them there; with `supply` at most 16,777,215.
    #[serde(default)]
    #[schema(default = 0, minimum = 0, maximum = 16_777_215)]
    reserve: u32,
    /// Units of this SKU that one viewer may hold or own; if left out, the drop's limit.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 16_777_215)]
    limit_per_viewer: Option<u32>,
    /// Whether each unit has a number of its own, such as 17 of 500.
    #[serde(default)]
    #[schema(default = false)]
    numbered: bool,
}

/// One option value of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SkuOption)]
pub(crate) struct OptionBody {
    /// The option, such as colour; 1 to 200 bytes.
    #[schema(example = "size", max_length = 200)]
    name: String,
    /// The value that this SKU has; 1 to 200 bytes.
    #[schema(example = "50 ml", max_length = 200)]
    value: String,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub(crate) struct MoneyBody {
    /// The amount in minor units: cents for EUR, yen for JPY.
    #[schema(example = 4990, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) minor: u64,
    /// ISO 4217 code in capitals.
    #[schema(example = "EUR", min_length = 3, max_length = 3)]
    pub(crate) currency: String,
}

const fn holds_per_viewer_default() -> u16 {
    HOLDS_PER_VIEWER_DEFAULT
}

const fn countdown_default() -> u64 {
    COUNTDOWN_MS_DEFAULT
}

const fn grace_default() -> u64 {
    PAYMENT_GRACE_MS_DEFAULT
}

const fn stretch_default() -> u64 {
    PAYMENT_STRETCH_MS_DEFAULT
}

impl PlanBody {
    /// The domain's plan; what only the plan as a whole can tell is checked by the engine, which
    /// records the refusal.
    pub(crate) fn to_plan(&self) -> Result<DropPlan, Problem> {
        let limit = units("limit_per_viewer", self.limit_per_viewer)?;
        let skus = self.skus.iter().enumerate();
        Ok(DropPlan {
            stream: parsed("stream", &self.stream)?,
            running_order: self.running_order,
            title: composed(&self.title).into_owned(),
            merchant: parsed("merchant", &self.merchant)?,
            host: parsed("host", &self.host)?,
            mode: self.mode.into(),
            skus: skus.map(|(place, sku)| sku.to_plan(place, limit)).collect::<Result<_, _>>()?,
            limit_per_viewer: limit,
            holds_per_viewer_max: self.holds_per_viewer_max,
            hold_ttl: DurationMs::new(self.hold_ttl_ms),
            countdown: DurationMs::new(self.countdown_ms),
            starts_at: time("starts_at_ms", self.starts_at_ms)?,
            ends_at: time("ends_at_ms", self.ends_at_ms)?,
            ends_after_opening: self.ends_after_opening_ms.map(DurationMs::new),
            stock_display: self.stock_display.map(StockDisplayBody::to_display).transpose()?,
            when_offline: self.when_offline.map(WhenOffline::from),
            payment_terms: Some(self.payment.unwrap_or_default().into()),
            hidden: self.hidden,
            more_by_request: true,
            rehearsal: None,
        })
    }
}

impl PlanBody {
    /// The terms for a patch to be applied to. Plans do not tell a SKU's own limit from the drop's that it has: where they
    /// are alike, the SKU follows the drop.
    pub(crate) fn to_patch(plan: &DropPlan) -> Self {
        let mut body = Self::from(plan);
        for sku in &mut body.skus {
            sku.limit_per_viewer.take_if(|own| *own == body.limit_per_viewer);
        }
        body
    }
}

impl SkuBody {
    fn to_plan(&self, place: usize, limit: Units) -> Result<SkuPlan, Problem> {
        let field = |name: &str| format!("skus[{place}].{name}");
        let currency: Currency =
            parsed_or(Code::UnknownCurrency, &field("price.currency"), &self.price.currency)?;
        let price = Money::new(self.price.minor, currency)
            .ok_or_else(|| too_large(&field("price.minor"), self.price.minor, INTEGER_MAX))?;
        let option = |option: &OptionBody| SkuOption {
            name: composed(&option.name).into_owned(),
            value: composed(&option.value).into_owned(),
        };
        let own_limit = self.limit_per_viewer.map(|own| units(&field("limit_per_viewer"), own));
        Ok(SkuPlan {
            id: parsed(&field("id"), &self.id)?,
            title: composed(&self.title).into_owned(),
            options: self.options.iter().map(option).collect(),
            merchant_sku: self.merchant_sku.clone().unwrap_or_else(|| self.id.clone()),
            image: self.image.clone(),
            price,
            supply: units(&field("supply"), self.supply)?,
            reserve: units(&field("reserve"), self.reserve)?,
            limit_per_viewer: own_limit.transpose()?.unwrap_or(limit),
            numbered: self.numbered,
        })
    }
}

impl From<&DropPlan> for PlanBody {
    fn from(plan: &DropPlan) -> Self {
        Self {
            stream: plan.stream.to_string(),
            running_order: plan.running_order,
            title: plan.title.clone(),
            merchant: plan.merchant.to_string(),
            host: plan.host.to_string(),
            mode: plan.mode.into(),
            skus: plan.skus.iter().map(SkuBody::from).collect(),
            limit_per_viewer: plan.limit_per_viewer.get(),
            holds_per_viewer_max: plan.holds_per_viewer_max,
            hold_ttl_ms: plan.hold_ttl.get(),
            countdown_ms: plan.countdown.get(),
            starts_at_ms: plan.starts_at.map(UnixMillis::get),
            ends_at_ms: plan.ends_at.map(UnixMillis::get),
            ends_after_opening_ms: plan.ends_after_opening.map(DurationMs::get),
            stock_display: plan.stock_display.map(StockDisplayBody::from),
            when_offline: plan.when_offline.map(WhenOfflineBody::from),
            // Plans from before there were terms have none: an edit of theirs gives them no more.
            payment: Some(PaymentTermsBody {
                grace_ms: plan.grace().get(),
                stretch_ms: plan.stretch().get(),
            }),
            hidden: plan.hidden,
            reason: None,
        }
    }
}

impl StockDisplayBody {
    fn to_display(self) -> Result<StockDisplay, Problem> {
        Ok(StockDisplay {
            rounded_above: units("stock_display.rounded_above", self.rounded_above)?,
            round_to: units("stock_display.round_to", self.round_to)?,
        })
    }
}

impl From<StockDisplay> for StockDisplayBody {
    fn from(display: StockDisplay) -> Self {
        Self { rounded_above: display.rounded_above.get(), round_to: display.round_to.get() }
    }
}

impl From<WhenOfflineBody> for WhenOffline {
    fn from(body: WhenOfflineBody) -> Self {
        Self { pause_after: DurationMs::new(body.pause_after_ms), resume: body.resume_when_online }
    }
}

impl From<WhenOffline> for WhenOfflineBody {
    fn from(rule: WhenOffline) -> Self {
        Self { pause_after_ms: rule.pause_after.get(), resume_when_online: rule.resume }
    }
}

impl Default for PaymentTermsBody {
    fn default() -> Self {
        Self { grace_ms: PAYMENT_GRACE_MS_DEFAULT, stretch_ms: PAYMENT_STRETCH_MS_DEFAULT }
    }
}

impl From<PaymentTermsBody> for PaymentTerms {
    fn from(body: PaymentTermsBody) -> Self {
        let grace = DurationMs::new(body.grace_ms);
        Self { grace, stretch: DurationMs::new(body.stretch_ms) }
    }
}

impl From<&SkuPlan> for SkuBody {
    fn from(sku: &SkuPlan) -> Self {
        let option = |option: &SkuOption| OptionBody {
            name: option.name.clone(),
            value: option.value.clone(),
        };
        Self {
            id: sku.id.to_string(),
            title: sku.title.clone(),
            options: sku.options.iter().map(option).collect(),
            merchant_sku: Some(sku.merchant_sku.clone()),
            image: sku.image.clone(),
            price: sku.price.into(),
            supply: sku.supply.get(),
            reserve: sku.reserve.get(),
            limit_per_viewer: Some(sku.limit_per_viewer.get()),
            numbered: sku.numbered,
        }
    }
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self { minor: money.minor(), currency: money.currency().to_string() }
    }
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Live => Self::Live,
            ModeName::Rehearsal => Self::Rehearsal,
        }
    }
}

impl From<Mode> for ModeName {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Live => Self::Live,
            Mode::Rehearsal => Self::Rehearsal,
        }
    }
}

/// An id from its text; the refusal names the field.
pub(super) fn parsed<T>(field: &str, text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    parsed_or(Code::BadBody, field, text)
}

/// The same under another code, where no pattern tells what is an id.
pub(super) fn parsed_or<T>(code: Code, field: &str, text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error| Problem::new(code, format!("{field}: {error}")))
}

/// A quantity that fits the stock word.
pub(super) fn units(field: &str, count: u32) -> Result<Units, Problem> {
    Units::new(count).ok_or_else(|| too_large(field, count.into(), Units::MAX.get().into()))
}

/// A time that people and machines can name.
pub(super) fn time(field: &str, millis: Option<u64>) -> Result<Option<UnixMillis>, Problem> {
    match millis {
        Some(millis) if millis > INTEGER_MAX => {
            let text = format!(
                "{field} is {millis}; at most {INTEGER_MAX} is allowed, in milliseconds since 1970"
            );
            Err(Problem::new(Code::BadBody, text))
        }
        other => Ok(other.map(UnixMillis::new)),
    }
}

fn too_large(field: &str, value: u64, max: u64) -> Problem {
    Problem::new(Code::BadBody, format!("{field} is {value}; at most {max} is allowed"))
}
