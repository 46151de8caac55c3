//! A server on a core of its own, with what a drill needs to run a sale on it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use stampede_domain::DropId;
use stampede_loadtest::{
    AuditResult, ControlClient, ControlError, DropState, DropTerms, PaymentTimes, Price, Promise,
    SkuTerms, audit_promises,
};
use stampede_swarm::TicketBook;
use stampede_wire::ticket::KeySpec;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    error::DrillError,
    server::{Server, Setup, payments_token, ticket_key, verify},
    waiting::{PATIENCE, until},
};

/// Whose goods are sold.
const MERCHANT: &str = "drill";
/// The stream that everybody watches.
const STREAM: &str = "drill-show";
/// What is sold.
pub(crate) const SKU: &str = "mug";
/// What a unit costs.
pub(crate) const PRICE_MINOR: u64 = 499;
pub(crate) const CURRENCY: &str = "EUR";
/// Units that one viewer may have in one drop, one for each of the holds that a viewer may make.
pub(crate) const UNITS_PER_VIEWER: u16 = 64;
/// How long a hold lives: longer than any drill.
const HOLD_TTL_MS: u64 = 3_600_000;

/// The server with the staff's hands on it. Its folder goes with it.
pub(crate) struct StaffedServer {
    binary: PathBuf,
    folder: TempDir,
    server: Server,
    control: ControlClient,
    runtime: Runtime,
    key: KeySpec,
}

impl StaffedServer {
    /// Starts a server on an empty folder.
    pub(crate) fn start(binary: &Path, setup: Setup) -> Result<Self, DrillError> {
        let system = |what| move |source| DrillError::System { what, source };
        let folder = tempfile::Builder::new().prefix("stampede-drill-").tempdir();
        let folder = folder.map_err(system("make a folder"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(system("make a runtime"))?;
        let server = Server::first(binary, folder.path(), setup)?;
        let control = ControlClient::new(server.control_url(), server.staff_token());
        let key = ticket_key(folder.path())?;
        Ok(Self { binary: binary.to_owned(), folder, server, control, runtime, key })
    }

    /// Where viewers connect.
    pub(crate) fn viewers(&self) -> SocketAddr {
        self.server.viewers()
    }

    /// Where the control API is.
    pub(crate) fn control_address(&self) -> SocketAddr {
        self.server.control()
    }

    /// A client of the control API for the staff, with connections of its own: one that is kept by another runtime
    /// stands still while nobody runs that.
    pub(crate) fn new_control_client(&self) -> ControlClient {
        ControlClient::new(self.server.control_url(), self.server.staff_token())
    }

    /// A token that may report payments for the drill's goods.
    pub(crate) fn payments_token(&self) -> Result<String, DrillError> {
        payments_token(&self.binary, self.folder.path(), MERCHANT)
    }

    /// The sell-out report of a drop.
    pub(crate) fn report(&self, drop: DropId) -> Result<serde_json::Value, DrillError> {
        Ok(self.runtime.block_on(self.control.report(&drop.to_string()))?)
    }

    /// The server's process.
    pub(crate) fn process_id(&self) -> u32 {
        self.server.process_id()
    }

    /// Signs the viewers' tickets.
    pub(crate) fn tickets(&self) -> Result<TicketBook, DrillError> {
        Ok(TicketBook::new(&self.key, STREAM.parse()?)?)
    }

    /// Plans a drop of so many units and opens it.
    pub(crate) fn open_drop(&self, supply: u32) -> Result<DropId, DrillError> {
        let opened = async {
            let drop = self.control.plan(&terms(supply)).await?;
            self.control.open(&drop).await?;
            self.control.wait_open(&drop, PATIENCE).await?;
            Ok::<_, ControlError>(drop)
        };
        Ok(self.runtime.block_on(opened)?.parse()?)
    }

    /// How a drop stands.
    pub(crate) fn look(&self, drop: DropId) -> Result<DropState, DrillError> {
        Ok(self.runtime.block_on(self.control.state(&drop.to_string()))?)
    }

    /// Looks at a drop until `done`.
    pub(crate) fn wait(
        &self,
        drop: DropId,
        what: &'static str,
        done: impl Fn(&DropState) -> bool,
    ) -> Result<DropState, DrillError> {
        self.runtime.block_on(until(&self.control, &drop.to_string(), what, done))
    }

    /// Ends the process without a warning.
    pub(crate) fn kill(&mut self) -> Result<(), DrillError> {
        self.server.kill()
    }

    /// Starts the next process; it serves when this is over.
    pub(crate) fn restart(&mut self) -> Result<(), DrillError> {
        self.server.restart()?;
        self.server.wait_serving()
    }

    /// Waits until the server knows of nobody in the drop's stream any more.
    pub(crate) fn wait_empty(&self, drop: DropId) -> Result<(), DrillError> {
        let drop = drop.to_string();
        let gone = until(&self.control, &drop, "the last viewer's leave", |state| {
            state.viewers_connected == 0
        });
        self.runtime.block_on(gone).map(|_| ())
    }

    /// Holds promises against the ledger.
    pub(crate) fn audit(
        &self,
        drop: DropId,
        promises: impl Iterator<Item = Promise>,
    ) -> Result<AuditResult, ControlError> {
        let ledger = self.runtime.block_on(self.control.ledger(&drop.to_string()))?;
        let promises: Vec<Promise> = promises.collect();
        Ok(audit_promises(&promises, &ledger))
    }

    /// Stops the server; what the verifier says about its ledger.
    pub(crate) fn close(self) -> Result<String, DrillError> {
        self.server.stop()?;
        verify(&self.binary, self.folder.path())
    }
}

fn terms(supply: u32) -> DropTerms {
    let sku = SkuTerms {
        id: SKU.into(),
        title: "Mug".into(),
        price: Price { minor: PRICE_MINOR, currency: CURRENCY.into() },
        supply,
    };
    DropTerms {
        stream: STREAM.into(),
        title: "Mugs for a crowd".into(),
        merchant: MERCHANT.into(),
        host: "drill".into(),
        skus: vec![sku],
        limit_per_viewer: UNITS_PER_VIEWER.into(),
        holds_per_viewer_max: UNITS_PER_VIEWER,
        hold_ttl_ms: HOLD_TTL_MS,
        countdown_ms: 0,
        payment: PaymentTimes::default(),
    }
}
