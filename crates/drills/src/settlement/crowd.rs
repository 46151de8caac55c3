//! The shoppers: each buys some holds, then lets a story happen to each.

use std::{
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use stampede_client::ConnectOptions;
use stampede_domain::{DropId, HoldId, Mode};
use stampede_swarm::Clock;
use stampede_wire::{
    Held, Subprotocol,
    ticket::{KeySpec, Ticket, TicketMinter},
};
use tokio::task::{JoinSet, LocalSet};

use super::{
    Live, STREAMS, TICKET_LIFETIME,
    books::Goods,
    stories::{Story, Teller},
    till::Till,
    viewer::{Viewer, Wish},
};
use crate::error::DrillError;

/// Buys of one shopper.
const BUYS: u32 = 8;
/// Of so many buys one is for what is scarce.
const SCARCE_EVERY: u32 = 4;
/// Shoppers at once.
const SHOPPERS_MAX: usize = 72;
/// Share of holds that are paid at the sandbox while the server has one.
const SANDBOX_SHARE: f64 = 0.4;
/// How often the crowd's size is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where a stream's shoppers buy.
#[derive(Clone, Debug)]
pub(super) struct Shop {
    pub(super) stream: String,
    /// What there is enough of.
    pub(super) plenty: Vec<DropId>,
    /// What is soon sold out.
    pub(super) scarce: DropId,
}

/// The whole crowd.
pub(super) struct Crowd {
    pub(super) seed: u64,
    pub(super) url: String,
    pub(super) key: KeySpec,
    pub(super) shops: Vec<Shop>,
    pub(super) till: Rc<Till>,
    pub(super) live: Arc<Live>,
    pub(super) clock: Clock,
    /// Shoppers come until there are so many holds.
    pub(super) holds: u64,
}

impl Crowd {
    /// Plays until there are enough holds and every story has its end.
    pub(super) async fn play(self) -> Result<(), DrillError> {
        let crowd = Rc::new(self);
        LocalSet::new().run_until(Rc::clone(&crowd).shoppers()).await
    }

    async fn shoppers(self: Rc<Self>) -> Result<(), DrillError> {
        let (mut under_way, mut number) = (JoinSet::new(), 0);
        loop {
            let wants_more = self.live.holds.load(Ordering::Relaxed) < self.holds
                || self.live.needs_holds.load(Ordering::Relaxed);
            while wants_more && under_way.len() < SHOPPERS_MAX {
                under_way.spawn_local(Rc::clone(&self).shopper(number));
                number += 1;
            }
            if !wants_more && under_way.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some(ended) = under_way.join_next() => match ended {
                    Ok(ended) => ended?,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                },
                () = tokio::time::sleep(LOOK_EVERY), if under_way.is_empty() => {}
            }
        }
    }

    async fn shopper(self: Rc<Self>, number: u64) -> Result<(), DrillError> {
        let mut rng =
            StdRng::seed_from_u64(self.seed.wrapping_mul(0x9E37_79B9).wrapping_add(number));
        let shop = &self.shops[usize::try_from(number).unwrap_or(0) % STREAMS];
        let options = ConnectOptions {
            skip_stock_ticks: true,
            ..ConnectOptions::new(&self.url, Subprotocol::MsgPack)
        };
        let ticket = self.ticket(&format!("v{number}"), &shop.stream);
        let (books, live) = (Arc::clone(&self.till.books), Arc::clone(&self.live));
        let viewer = Rc::new(Viewer::start(options, ticket, rng.random(), books, live));
        for number in 0..BUYS {
            let plenty = shop.plenty[rng.random_range(0..shop.plenty.len())];
            let drop = if number % SCARCE_EVERY == 0 { shop.scarce } else { plenty };
            viewer.wish(Wish::Buy { drop, units: rng.random_range(1..=2), number }).await;
        }
        let buys = usize::try_from(BUYS).unwrap_or(usize::MAX);
        viewer.wait("answers to buys", |seen| seen.held.len() + seen.refused >= buys).await?;
        let held = viewer.seen.borrow().held.clone();
        self.tell(&viewer, held, rng).await
    }

    /// Lets a story happen to each hold, all at once.
    async fn tell(
        &self,
        viewer: &Rc<Viewer>,
        held: Vec<Held>,
        mut rng: StdRng,
    ) -> Result<(), DrillError> {
        let goods = |held: &Held| {
            let Held { hold, drop, units, amount_minor, .. } = *held;
            (hold, Goods { drop, units, amount: amount_minor })
        };
        let mut holds: Vec<(HoldId, Goods)> = held.iter().map(goods).collect();
        let mut stories = JoinSet::new();
        while !holds.is_empty() {
            let story = Story::draw(&mut rng);
            let count = story.holds().min(holds.len());
            let teller = Teller {
                till: Rc::clone(&self.till),
                viewer: Rc::clone(viewer),
                live: Arc::clone(&self.live),
                holds: holds.split_off(holds.len() - count),
                rng: StdRng::seed_from_u64(rng.random()),
            };
            let has_sandbox = self.live.has_sandbox.load(Ordering::Relaxed);
            if has_sandbox && count == 1 && rng.random_bool(SANDBOX_SHARE) {
                stories.spawn_local(teller.pay_at_sandbox());
            } else {
                stories.spawn_local(teller.tell(story));
            }
        }
        while let Some(ended) = stories.join_next().await {
            match ended {
                Ok(ended) => ended?,
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        Ok(())
    }

    fn ticket(&self, viewer: &str, stream: &str) -> String {
        let now = self.clock.unix_now();
        let ticket = Ticket {
            viewer: viewer.parse().expect("a letter with a number"),
            stream: stream.parse().expect("a word is an id"),
            channel: None,
            mode: Mode::Live,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        TicketMinter::new(&self.key).expect("the key has signed before").mint(&ticket, now)
    }
}
