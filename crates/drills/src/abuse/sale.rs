//! The sale: buyers who keep to their schedule, whatever goes on beside them.

use std::{sync::Arc, time::Duration};

use stampede_client::{ConnectOptions, Connection};
use stampede_domain::IdempotencyKey;
use stampede_loadtest::Latency;
use stampede_wire::{ServerMessage, Subprotocol};
use tokio::time::{sleep, timeout};

use super::{AbuseError, BUYERS, PATIENCE, SKU, Target};

const SECOND_US: u64 = 1_000_000;
/// Time for everybody to have connected before the first buy is planned.
const LEAD_US: u64 = SECOND_US / 2;

/// What the buyers saw.
#[derive(Default)]
pub(super) struct Sale {
    pub(super) before: Latency,
    pub(super) during: Latency,
    pub(super) buys: u64,
    pub(super) lost: u64,
    pub(super) refused: u64,
}

/// Lets every buyer buy once a second, `seconds` alone, then as long again after `begin`.
pub(super) async fn play(
    target: &Arc<Target>,
    seconds: u32,
    begin: impl FnOnce(),
) -> Result<Sale, AbuseError> {
    let mut connections = Vec::new();
    for number in 0..BUYERS {
        let options = ConnectOptions {
            skip_stock_ticks: true,
            ..ConnectOptions::new(&format!("ws://{}/", target.viewers), Subprotocol::Json)
        };
        let ticket = target.ticket(&format!("buyer-{number}"));
        connections.push(Box::pin(Connection::open(&options, &ticket)).await?.0);
    }
    let start_us = target.clock.us() + LEAD_US;
    let half_us = start_us + u64::from(seconds) * SECOND_US;
    let buyers: Vec<_> = connections
        .into_iter()
        .zip(0..BUYERS)
        .map(|(connection, number)| {
            let first_us = start_us + u64::from(number) * SECOND_US / u64::from(BUYERS);
            let target = Arc::clone(target);
            tokio::spawn(buyer(target, connection, first_us, half_us, 2 * seconds))
        })
        .collect();
    sleep_until(target, half_us).await;
    begin();
    let mut sale = Sale::default();
    for buyer in buyers {
        let one = buyer.await.expect("no buyer panics");
        sale.before.merge(&one.before);
        sale.during.merge(&one.during);
        sale.buys += one.buys;
        sale.lost += one.lost;
        sale.refused += one.refused;
    }
    Ok(sale)
}

async fn sleep_until(target: &Target, us: u64) {
    sleep(Duration::from_micros(us.saturating_sub(target.clock.us()))).await;
}

/// One buyer; what is answered late counts from the moment for which it was planned.
async fn buyer(
    target: Arc<Target>,
    mut connection: Connection,
    first_us: u64,
    half_us: u64,
    buys: u32,
) -> Sale {
    let mut sale = Sale::default();
    for number in 0..buys {
        let planned_us = first_us + u64::from(number) * SECOND_US;
        sleep_until(&target, planned_us).await;
        let key = IdempotencyKey::new(&format!("buy-{number}")).expect("it is a word");
        sale.buys += 1;
        let answered = match connection.buy(target.drop, SKU, 1, &key).await {
            Ok(()) => timeout(PATIENCE, answer(&mut connection, &key)).await.ok().flatten(),
            Err(_) => None,
        };
        let Some(held) = answered else {
            // A viewer who lost the connection has lost the answers of all later buys as well.
            sale.lost += 1;
            continue;
        };
        sale.refused += u64::from(!held);
        let us = target.clock.us().saturating_sub(planned_us);
        if planned_us < half_us { sale.before.record_us(us) } else { sale.during.record_us(us) }
    }
    sale
}

/// Whether the buy was held; `None` if the connection ended first.
async fn answer(connection: &mut Connection, key: &IdempotencyKey) -> Option<bool> {
    loop {
        match connection.next().await.ok()? {
            ServerMessage::Held(held) if held.key.as_ref() == Some(key) => return Some(true),
            ServerMessage::Refused(refused) if refused.key.as_ref() == Some(key) => {
                return Some(false);
            }
            _ => {}
        }
    }
}
