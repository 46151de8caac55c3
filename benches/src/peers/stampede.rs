//! Our own server under test.

use std::{
    collections::BTreeMap,
    fs,
    net::{AddrParseError, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use stampede_domain::{DropId, StreamId};
use stampede_loadtest::{
    ControlClient, DropTerms, PaymentTimes, Price, Promise, Promised, SkuTerms, audit_promises,
    signing_ticket_key,
};
use stampede_swarm::TicketBook;
use stampede_wire::Subprotocol;
use tokio::runtime::Runtime;

use crate::{
    error::{PeersError, system},
    server::{Server, pinned},
    viewers::Kept,
    wish::{self, Course, HOLDS_PER_DROP, SKU},
};

const NAME: &str = "stampede";
const STREAM: &str = "peers-show";
/// Longer than any run: no hold expires.
const HOLD_TTL_MS: u64 = 3_600_000;
const COUNTDOWN_MS: u64 = 1_000;
const PRICE_MINOR: u64 = 4_990;
/// Longest time until a drop opens.
const OPENING_MAX: Duration = Duration::from_secs(20);

/// The rate of a connection is no subject here, nor are ticks: they have figures of their own.
const SETTINGS: &str = "\
[viewers]
cores = 1
connections_max = 18000
messages_per_s = 1000000
messages_burst = 1000000
messages_per_viewer_per_s = 0
messages_per_address_per_s = 0
tick_interval_ms = 60000
";

/// A running server with nothing planned.
#[derive(Debug)]
pub(crate) struct Stampede {
    server: Server,
    folder: PathBuf,
    viewers: SocketAddr,
    control: ControlClient,
    runtime: Runtime,
}

impl Stampede {
    /// Starts the server on an empty ledger in `folder`.
    pub(crate) fn start(binary: &Path, folder: &Path) -> Result<Self, PeersError> {
        let settings = folder.join("settings.toml");
        fs::write(&settings, SETTINGS).map_err(system("write the settings"))?;
        let mut command = pinned(binary);
        command.arg("serve").arg("--data").arg(folder.join("ledger"));
        command.arg("--config").arg(settings);
        command.args(["--viewers", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        let mut server = Server::start(NAME, command, &folder.join("stampede.log"))?;
        let viewers = server.says("viewers on ws://")?;
        let control = server.says("control on ")?;
        let token = server.says("staff token: ")?;
        server.listen_no_more();
        let viewers = viewers.trim_end_matches('/').parse();
        let viewers = viewers.map_err(|cause: AddrParseError| PeersError::NoStart {
            server: NAME,
            why: format!("it says where viewers connect: {cause}"),
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(system("make a runtime"))?;
        let control = ControlClient::new(&control, &token);
        Ok(Self { server, folder: folder.to_owned(), viewers, control, runtime })
    }

    pub(crate) fn process(&self) -> &Server {
        &self.server
    }

    pub(crate) fn viewers(&self) -> SocketAddr {
        self.viewers
    }

    /// Tickets that the server accepts.
    pub(crate) fn tickets(&self) -> Result<TicketBook, PeersError> {
        let key = signing_ticket_key(&self.folder.join("ledger").join("ticket-keys.json"))?;
        let stream: StreamId = STREAM.parse().expect("the name is an id");
        Ok(TicketBook::new(&key, stream)?)
    }

    /// Plans the drops and opens them.
    pub(crate) fn open(&self, course: Course) -> Result<Vec<String>, PeersError> {
        self.runtime.block_on(async {
            let mut drops = Vec::new();
            for number in 0..course.drops {
                let drop = self.control.plan(&terms(number, course.supply)).await?;
                self.control.open(&drop).await?;
                drops.push(drop);
            }
            for drop in &drops {
                self.control.wait_open(drop, OPENING_MAX).await?;
            }
            Ok(drops)
        })
    }

    /// Looks for every promise in the ledger.
    pub(crate) fn audit(&self, drops: &[String], kept: &[Kept]) -> Result<u64, PeersError> {
        let mut by_drop: BTreeMap<u32, Vec<&Kept>> = BTreeMap::new();
        for one in kept {
            by_drop.entry(one.place.drop).or_default().push(one);
        }
        let (mut promises, mut lost, mut first) = (0, 0, String::new());
        for (number, kept) in by_drop {
            let drop = usize::try_from(number).ok().and_then(|number| drops.get(number));
            let drop = drop.expect("promises are of planned drops");
            let ledger = self.runtime.block_on(self.control.ledger(drop))?;
            let said: Vec<Promise> = kept.into_iter().map(promise).collect();
            let found = audit_promises(&said, &ledger);
            promises += found.promises;
            if !found.is_clean() {
                lost += found.promises_lost.max(1);
                first.push_str(found.mismatches.first().map_or("", String::as_str));
            }
        }
        if lost > 0 {
            return Err(PeersError::PromisesLost { lost, promises, first });
        }
        Ok(promises)
    }
}

/// The buy of each drop.
pub(crate) fn buys(drops: &[String]) -> Vec<Vec<u8>> {
    let id = |drop: &String| drop.parse::<DropId>().expect("the server names drops by their ids");
    drops.iter().map(|drop| wish::buy(id(drop))).collect()
}

/// What the connections of a measurement offer.
pub(crate) fn subprotocol() -> &'static str {
    Subprotocol::MsgPack.name()
}

fn promise(kept: &Kept) -> Promise {
    Promise {
        at_ms: 0,
        asked_ms: None,
        viewer: wish::viewer(kept.seat, kept.place),
        hold: String::from_utf8_lossy(&kept.hold).into_owned(),
        sku: SKU.to_owned(),
        units: 1,
        what: Promised::Held {
            key: Some(wish::key(wish::key_number(kept.place))),
            retry: false,
            expires_in_ms: HOLD_TTL_MS,
            amount_minor: PRICE_MINOR,
        },
    }
}

fn terms(number: u32, supply: u32) -> DropTerms {
    DropTerms {
        stream: STREAM.into(),
        title: format!("Peers {number}"),
        merchant: "peers".into(),
        host: "peers".into(),
        skus: vec![SkuTerms {
            id: SKU.into(),
            title: "50 ml".into(),
            price: Price { minor: PRICE_MINOR, currency: "EUR".into() },
            supply,
        }],
        limit_per_viewer: HOLDS_PER_DROP,
        holds_per_viewer_max: u16::try_from(HOLDS_PER_DROP).expect("a small number"),
        hold_ttl_ms: HOLD_TTL_MS,
        countdown_ms: COUNTDOWN_MS,
        payment: PaymentTimes::default(),
    }
}
