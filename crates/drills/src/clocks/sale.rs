//! A sale on a server whose clock is faked, by clients who know by how much.

use std::path::PathBuf;

use serde_json::{Value, json};
use stampede_client::{ClientError, ConnectOptions, Connection};
use stampede_domain::{DropId, DurationMs, IdempotencyKey, Mode, UnixMillis, ViewerId};
use stampede_loadtest::ControlClient;
use stampede_swarm::Clock;
use stampede_wire::{
    ServerMessage, Subprotocol,
    ticket::{Ticket, TicketMinter},
};

use super::{ClockDrill, faked::FakedClock};
use crate::{
    error::DrillError,
    server::{Server, Setup, ticket_key, verify},
    waiting::{PATIENCE, until},
};

const STREAM: &str = "clocks";
const SKU: &str = "mug";
/// How long tickets are good: less than any clock is wrong by.
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(300);

/// What became of a buy.
#[derive(Debug)]
pub(super) struct Bought {
    /// `held`, or the code of a refusal or of the close.
    word: String,
    left_ms: u64,
}

impl Bought {
    pub(super) fn word(&self) -> &str {
        &self.word
    }

    /// Time that the hold has.
    pub(super) fn left_ms(&self) -> u64 {
        self.left_ms
    }
}

/// A drop with its planned start by the server's wall clock as it will be.
pub(super) struct Planned {
    drop: String,
    starts_at: UnixMillis,
}

pub(super) struct Sale {
    folder: tempfile::TempDir,
    binary: PathBuf,
    server: Server,
    control: ControlClient,
    minter: TicketMinter,
    clock: Clock,
    drops: u32,
}

impl Sale {
    /// Starts a server that is shown `clock`.
    pub(super) fn start(drill: &ClockDrill, clock: &FakedClock) -> Result<Self, DrillError> {
        let failed = |source| DrillError::System { what: "make a folder", source };
        let folder = tempfile::tempdir().map_err(failed)?;
        let setup = Setup::new(&["--payments", "sandbox"]);
        let setup = setup.with_environment(clock.environment(&drill.faketime));
        let server = Server::first(&drill.server, folder.path(), setup)?;
        let control = ControlClient::new(server.control_url(), server.staff_token());
        let minter = TicketMinter::new(&ticket_key(folder.path())?)?;
        let (binary, clock) = (drill.server.clone(), Clock::start());
        Ok(Self { folder, binary, server, control, minter, clock, drops: 0 })
    }

    /// The right time.
    pub(super) fn now(&self) -> UnixMillis {
        self.clock.unix_now()
    }

    pub(super) fn kill(&mut self) -> Result<(), DrillError> {
        self.server.kill()
    }

    pub(super) fn restart(&mut self) -> Result<(), DrillError> {
        self.server.restart()?;
        self.server.wait_serving()
    }

    /// Stops the server; what `verify` says.
    pub(super) fn end(self) -> Result<String, DrillError> {
        self.server.stop()?;
        verify(&self.binary, self.folder.path())
    }

    /// By how much the server says that the sale's clock is ahead of its wall clock.
    pub(super) async fn clock_ahead_ms(&self) -> Result<i64, DrillError> {
        let ready = self.control.ready().await?;
        Ok(ready["clock_ahead_ms"].as_i64().unwrap_or_default())
    }

    /// Plans a drop, opens it.
    pub(super) async fn open(&mut self, hold_ms: u64) -> Result<String, DrillError> {
        let terms = self.terms(hold_ms);
        let drop = self.control.plan_value(&terms).await?;
        self.control.open(&drop).await?;
        self.control.wait_open(&drop, PATIENCE).await?;
        Ok(drop)
    }

    /// Plans a drop that starts so long from now by a wall clock that is ahead of the right one.
    pub(super) async fn plan_start(
        &mut self,
        hold_ms: u64,
        within: DurationMs,
        ahead_s: i64,
    ) -> Result<Planned, DrillError> {
        let starts_at = self.now().plus(within);
        let mut terms = self.terms(hold_ms);
        terms["starts_at_ms"] = shifted(starts_at, ahead_s).get().into();
        let drop = self.control.plan_value(&terms).await?;
        Ok(Planned { drop, starts_at })
    }

    /// Waits until it is open; how many milliseconds from its time that is.
    pub(super) async fn wait_start(&self, planned: &Planned) -> Result<u64, DrillError> {
        self.control.wait_open(&planned.drop, PATIENCE).await?;
        Ok(self.now().get().abs_diff(planned.starts_at.get()))
    }

    /// Waits until every hold has ended.
    pub(super) async fn wait_none_held(&self, drop: &str) -> Result<(), DrillError> {
        until(&self.control, drop, "the end of the holds", |state| state.held() == 0).await?;
        Ok(())
    }

    /// Buys with a ticket of a clock that is ahead of the right one; a second time the answer is the
    /// first one's.
    pub(super) async fn buy(
        &self,
        viewer: &str,
        drop: &str,
        ahead_s: i64,
    ) -> Result<Bought, DrillError> {
        let now = shifted(self.now(), ahead_s);
        let ticket = Ticket {
            viewer: ViewerId::new(viewer)?,
            stream: STREAM.parse()?,
            channel: None,
            mode: Mode::Live,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        let ticket = self.minter.mint(&ticket, now);
        let drop: DropId = drop.parse()?;
        let bought = tokio::time::timeout(PATIENCE, self.ask(&ticket, drop)).await;
        let word = |word: String| Bought { word, left_ms: 0 };
        Ok(match bought {
            Ok(Ok(bought)) => bought,
            Ok(Err(ClientError::Closed { code: Some(code), .. })) => word(code.to_string()),
            Ok(Err(other)) => word(other.to_string()),
            Err(_) => word("no answer".to_owned()),
        })
    }

    async fn ask(&self, ticket: &str, drop: DropId) -> Result<Bought, ClientError> {
        let options = ConnectOptions::new(self.server.viewers_url(), Subprotocol::Json);
        let (mut connection, _) = Box::pin(Connection::open(&options, ticket)).await?;
        let key = IdempotencyKey::new("first").expect("a word is a key");
        connection.buy(drop, SKU, 1, &key).await?;
        loop {
            match connection.next().await? {
                ServerMessage::Held(held) => {
                    return Ok(Bought { word: "held".to_owned(), left_ms: held.expires_in_ms });
                }
                ServerMessage::Refused(refused) => {
                    return Ok(Bought { word: refused.code.to_string(), left_ms: 0 });
                }
                _ => {}
            }
        }
    }

    fn terms(&mut self, hold_ms: u64) -> Value {
        self.drops += 1;
        json!({
            "stream": STREAM, "running_order": self.drops, "title": "Mug", "merchant": "potter",
            "host": "nina", "limit_per_viewer": 1, "hold_ttl_ms": hold_ms, "countdown_ms": 0,
            "payment": {"grace_ms": 0, "stretch_ms": 0},
            "skus": [{"id": SKU, "title": "Mug", "supply": 50,
                      "price": {"minor": 1_500, "currency": "EUR"}}],
        })
    }
}

/// The time that a clock shows which is ahead by so many seconds.
fn shifted(at: UnixMillis, ahead_s: i64) -> UnixMillis {
    UnixMillis::new(at.get().saturating_add_signed(ahead_s * 1_000))
}
