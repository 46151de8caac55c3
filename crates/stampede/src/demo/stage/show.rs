//! The show: five drops, each with a pace of its own.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use stampede_loadtest::{ControlClient, ControlError, Interest};

use super::super::till;
use crate::cli::VIEWERS_DEFAULT;

/// The stream of the show.
pub(super) const STREAM: &str = "friday-show";

/// How long a hold lives, in milliseconds: long enough to pay, short enough to see some come back.
const HOLD_TTL_MS: u64 = 20_000;
const COUNTDOWN_MS: u64 = 5_000;
/// Beyond what is shown, for money that is on its way, in milliseconds.
const GRACE_MS: u64 = 1_000;
/// The least time of a viewer who begins to pay, in milliseconds.
const STRETCH_MS: u64 = 5_000;
/// A payment that takes so much longer comes after the end of its hold.
pub(super) const SLOW_PAYMENT: Duration = Duration::from_millis(HOLD_TTL_MS + GRACE_MS);

/// One drop of the show.
struct Turn {
    title: &'static str,
    /// The name of its drawing.
    goods: &'static str,
    /// Name and value of what its SKUs differ by; empty for one SKU.
    choices: (&'static str, &'static [&'static str]),
    /// Units of all SKUs, before a crowd of [`VIEWERS_DEFAULT`].
    units: u32,
    price_minor: u64,
    /// How it draws people.
    interest: Interest,
}

const fn draws(share_percent: u32, rush_ms: u64) -> Interest {
    Interest { share_percent, rush_ms }
}

/// The first goes in a second; the second one sells long enough to pull the plug in the middle of it.
const TURNS: [Turn; 5] = [
    Turn {
        title: "Eau de parfum, 50 ml",
        goods: "perfume",
        choices: ("", &[]),
        units: 15_000,
        price_minor: 4_990,
        interest: draws(100, 900),
    },
    Turn {
        title: "Scented candle, 200 g",
        goods: "candle",
        choices: ("Scent", &["Cedar", "Fig", "Sea salt"]),
        units: 12_000,
        price_minor: 2_490,
        interest: draws(90, 45_000),
    },
    Turn {
        title: "Gift set, three scents",
        goods: "gift",
        choices: ("", &[]),
        units: 1_200,
        price_minor: 5_900,
        interest: draws(100, 600),
    },
    Turn {
        title: "Hand cream, 75 ml",
        goods: "cream",
        choices: ("", &[]),
        units: 6_000,
        price_minor: 1_290,
        interest: draws(60, 25_000),
    },
    Turn {
        title: "Room diffuser",
        goods: "diffuser",
        choices: ("", &[]),
        units: 900,
        price_minor: 3_400,
        interest: draws(80, 1_500),
    },
];

/// Units of each SKU in reserve: whoever runs the demo is a host, who restocks out of it.
const RESERVE: u32 = 5_000;

/// Units of the first drop before this many viewers.
pub(super) fn first_units(viewers: u32) -> u32 {
    scaled(TURNS[0].units, viewers)
}

/// A smaller crowd finds less stock, so that it sells out as well.
fn scaled(units: u32, viewers: u32) -> u32 {
    let scaled = u64::from(units) * u64::from(viewers.min(VIEWERS_DEFAULT));
    let scaled = scaled / u64::from(VIEWERS_DEFAULT);
    u32::try_from(scaled).unwrap_or(units).max(1)
}

/// Plans all drops; how each draws people, by its id.
pub(super) async fn plan(
    control: &ControlClient,
    viewers: u32,
) -> Result<BTreeMap<String, Interest>, ControlError> {
    let mut interest = BTreeMap::new();
    for (place, turn) in (1..).zip(&TURNS) {
        let drop = control.plan_value(&turn.terms(place, viewers)).await?;
        interest.insert(drop, turn.interest);
    }
    Ok(interest)
}

impl Turn {
    fn terms(&self, place: u16, viewers: u32) -> Value {
        let (name, values) = self.choices;
        let sku = |id: &str, title: &str, options: Value, supply: u32| {
            json!({
                "id": id, "title": title, "options": options, "supply": supply, "reserve": RESERVE,
                "image": format!("/goods/{}.svg", self.goods),
                "price": {"minor": self.price_minor, "currency": till::CURRENCY},
            })
        };
        let units = scaled(self.units, viewers);
        let parts = u32::try_from(values.len()).expect("a handful of choices").max(1);
        let one = |value: &&str| {
            let id = format!("{}-{}", self.goods, value.to_lowercase().replace(' ', "-"));
            let options = json!([{"name": name, "value": value}]);
            sku(&id, self.title, options, (units / parts).max(1))
        };
        let mut skus: Vec<Value> = values.iter().map(one).collect();
        if skus.is_empty() {
            skus.push(sku(self.goods, self.title, json!([]), units));
        }
        json!({
            "stream": STREAM, "running_order": place, "title": self.title, "skus": skus,
            "merchant": till::MERCHANT, "host": "demo-host", "limit_per_viewer": 2,
            "hold_ttl_ms": HOLD_TTL_MS, "countdown_ms": COUNTDOWN_MS,
            "payment": {"grace_ms": GRACE_MS, "stretch_ms": STRETCH_MS},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_crowd_finds_stock_that_it_can_empty() {
        assert_eq!(first_units(VIEWERS_DEFAULT), 15_000);
        assert_eq!(first_units(100_000), 15_000);
        assert_eq!(first_units(180), 150);
        let terms = TURNS[1].terms(2, 10);
        let supply = |sku: &Value| sku["supply"].as_u64().unwrap();
        assert!(terms["skus"].as_array().unwrap().iter().all(|sku| supply(sku) > 0), "{terms}");
        assert_eq!(terms["skus"][2]["id"], "candle-sea-salt");
    }
}
