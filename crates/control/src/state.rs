//! State that the handlers share.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::FromRef;
use parking_lot::Mutex;
use stampede_domain::{DurationMs, MerchantId, PaymentAccount, Rate, RepeatedWarning};
use stampede_engine::{Engine, OverMoney};
use stampede_proxies::TrustedProxies;
use stampede_report::{BoundKeys, JournalSource, ReportReader, orders::OrdersReader};
use tokio::sync::Semaphore;

use crate::{
    ControlConfig, Demo, DrainSignal, PriceMinima, PublicUrl, Sessions, Shares, Site, StaffTokens,
    by_address::AddressPace,
    fair_use::{Pace, Places},
    follow::FollowHubs,
    guesses::Guesses,
    lane::PaymentLane,
    openapi::ApiDocument,
    payment_keys::{KEYS_MAX, PaymentKeys},
    rehearsal::{CrowdSource, Crowds},
    stage::StageLines,
};

/// Writes the metrics of the whole process in Prometheus' text format; may read files for it.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// What the interface is built from.
pub struct ControlParts {
    /// The running engine.
    pub engine: Arc<Engine>,
    /// Who may give commands.
    pub staff: Arc<StaffTokens>,
    /// Browsers that are signed in.
    pub sessions: Arc<Sessions>,
    /// Reports that anybody reads who has their link.
    pub shares: Arc<Shares>,
    /// What `/metrics` answers.
    pub metrics: MetricsText,
    /// The ledger, which reports and audits read.
    pub ledger: Arc<dyn JournalSource>,
    /// The limits.
    pub config: ControlConfig,
    /// Whether the server is stopping.
    pub draining: DrainSignal,
    /// The demo that runs this server, if one does.
    pub demo: Option<Arc<Demo>>,
    /// The settings in force, which admins read: without secrets.
    pub settings: serde_json::Value,
    /// Where the crowds of rehearsals come from. `None`: nobody can rehearse, for want of a key for their tickets.
    pub crowds: Option<Arc<dyn CrowdSource>>,
}

/// The parts behind one pointer, cloned for each request.
#[derive(Clone)]
pub(crate) struct ControlState(Arc<ControlInner>);

struct ControlInner {
    parts: ControlParts,
    document: ApiDocument,
    /// One place for each reading of the ledger.
    ledger_reads: Places,
    bound_keys: Arc<BoundKeys>,
    orders: OrdersReader,
    reports: ReportReader,
    over_money: OverMoney,
    pace: Pace,
    guesses: Guesses,
    shared_reads: SharedReads,
    payment_lane: PaymentLane,
    payment_keys: PaymentKeys,
    followed: FollowHubs,
    stage_lines: StageLines,
    crowds: Arc<Crowds>,
    /// By [`Trouble`].
    troubles: [Mutex<RepeatedWarning>; 4],
}

/// What keeps readers of shares from taking anything that staff need.
pub(crate) struct SharedReads {
    /// How often an address asks.
    pub(crate) pace: AddressPace,
    /// Secrets that addresses got wrong.
    pub(crate) guesses: Guesses,
    /// One permit for each reading of the ledger.
    pub(crate) places: Arc<Semaphore>,
    /// How long a request waits for one.
    pub(crate) wait: DurationMs,
}

impl SharedReads {
    fn new(config: &ControlConfig) -> Self {
        let pace = Rate::new(config.shared_reads_per_s, config.shared_reads_burst);
        let guesses = Rate::new(config.shared_guesses_per_s, config.shared_guesses_burst);
        Self {
            pace: AddressPace::new(pace),
            guesses: Guesses::new("links", guesses),
            places: Arc::new(Semaphore::new(config.shared_ledger_reads_max)),
            wait: config.shared_ledger_wait,
        }
    }
}

/// Something that the log is told, and that may come again with every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A request without a valid token or session, which anybody can send.
    WrongToken,
    /// A request that failed by the server's own fault.
    Request,
    /// An audit that failed, maybe within its lines.
    Audit,
    /// A list of orders that failed, maybe within its lines.
    Orders,
}

impl ControlState {
    pub(crate) fn new(parts: ControlParts, document: ApiDocument) -> Self {
        let config = &parts.config;
        let ledger_reads = Places::new(config.ledger_reads_max, config.ledger_reads_share_max);
        let bound_keys = Arc::new(BoundKeys::new(Arc::clone(&parts.ledger)));
        let pace = Pace::new(Rate::new(config.commands_per_s, config.commands_burst));
        let rate = Rate::new(config.guesses_per_s, config.guesses_burst);
        let guesses = Guesses::new("tokens or invitations", rate);
        let shared_reads = SharedReads::new(config);
        let payment_lane = PaymentLane::new(config);
        let followed = FollowHubs::new(config);
        let troubles = Default::default();
        Self(Arc::new(ControlInner {
            parts,
            document,
            ledger_reads,
            bound_keys,
            orders: OrdersReader::new(),
            reports: ReportReader::new(),
            over_money: OverMoney::new(),
            pace,
            guesses,
            shared_reads,
            payment_lane,
            payment_keys: PaymentKeys::new(KEYS_MAX),
            followed,
            stage_lines: StageLines::default(),
            crowds: Arc::default(),
            troubles,
        }))
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.parts.engine
    }

    pub(crate) fn staff(&self) -> &StaffTokens {
        &self.0.parts.staff
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.parts.sessions
    }

    pub(crate) fn shares(&self) -> &Arc<Shares> {
        &self.0.parts.shares
    }

    /// What keeps readers of shares within their limits.
    pub(crate) fn shared_reads(&self) -> &SharedReads {
        &self.0.shared_reads
    }

    /// What links of shares begin with, if that is known.
    pub(crate) fn shared_at(&self) -> Option<PublicUrl> {
        self.0.parts.config.shared_at.clone().or_else(|| self.site().url())
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> &serde_json::Value {
        &self.0.parts.settings
    }

    /// Where browsers find the interface.
    pub(crate) fn site(&self) -> &Site {
        &self.0.parts.config.site
    }

    pub(crate) fn metrics(&self) -> &MetricsText {
        &self.0.parts.metrics
    }

    pub(crate) fn ledger(&self) -> &Arc<dyn JournalSource> {
        &self.0.parts.ledger
    }

    pub(crate) fn ledger_reads(&self) -> &Places {
        &self.0.ledger_reads
    }

    /// Keys of commands that were accepted.
    pub(crate) fn bound_keys(&self) -> &Arc<BoundKeys> {
        &self.0.bound_keys
    }

    /// Orders, as far as they were read.
    pub(crate) fn orders(&self) -> &OrdersReader {
        &self.0.orders
    }

    /// Reports, as far as they were read.
    pub(crate) fn reports(&self) -> &ReportReader {
        &self.0.reports
    }

    /// What is to be done about drops that have left memory, as far as it was read.
    pub(crate) fn over_money(&self) -> &OverMoney {
        &self.0.over_money
    }

    /// The accounts through which payments for the merchant's goods alone go.
    pub(crate) fn accounts_of(&self, merchant: &MerchantId) -> BTreeSet<PaymentAccount> {
        let accounts = self.0.parts.config.payment_accounts.iter();
        let own = accounts.filter(|(_, of)| *of == merchant);
        own.map(|(account, _)| account.clone()).collect()
    }

    /// How often staff give commands.
    pub(crate) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// What addresses have guessed.
    pub(crate) fn guesses(&self) -> &Guesses {
        &self.0.guesses
    }

    /// The thread of requests about payments.
    pub(crate) fn payment_lane(&self) -> &PaymentLane {
        &self.0.payment_lane
    }

    /// Which report about a payment each key was used for.
    pub(crate) fn payment_keys(&self) -> &PaymentKeys {
        &self.0.payment_keys
    }

    /// Counts a trouble; with how many of its kind there were since the last word, if it is to be said.
    pub(crate) fn note(&self, trouble: Trouble) -> Option<u64> {
        let place = match trouble {
            Trouble::WrongToken => 0,
            Trouble::Request => 1,
            Trouble::Audit => 2,
            Trouble::Orders => 3,
        };
        self.0.troubles[place].lock().note(self.engine().now())
    }

    /// Whether the server is stopping.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining().has_begun()
    }

    /// The demo that runs this server.
    pub(crate) fn demo(&self) -> Option<&Demo> {
        self.0.parts.demo.as_deref()
    }

    /// Where the crowds of rehearsals come from.
    pub(crate) fn crowd_source(&self) -> Option<&Arc<dyn CrowdSource>> {
        self.0.parts.crowds.as_ref()
    }

    /// The crowds that are in.
    pub(crate) fn crowds(&self) -> &Arc<Crowds> {
        &self.0.crowds
    }

    pub(crate) fn draining(&self) -> &DrainSignal {
        &self.0.parts.draining
    }

    /// The streams that are followed.
    pub(crate) fn followed(&self) -> &FollowHubs {
        &self.0.followed
    }

    /// What producers have written for the people on camera.
    pub(crate) fn stage_lines(&self) -> &StageLines {
        &self.0.stage_lines
    }

    /// Whose word about a client's address counts.
    pub(crate) fn trusted_proxies(&self) -> &TrustedProxies {
        &self.0.parts.config.trusted_proxies
    }

    /// Bytes that a request's body may have, with the time for its answer.
    pub(crate) fn request_limits(&self) -> (usize, DurationMs) {
        let ControlConfig { body_bytes_max, request_wait, .. } = self.0.parts.config;
        (body_bytes_max, request_wait)
    }

    /// How long a reader of an audit may let a piece wait.
    pub(crate) fn chunk_wait(&self) -> DurationMs {
        self.0.parts.config.chunk_wait
    }

    /// The least that the payment providers of merchants charge.
    pub(crate) fn price_minima(&self) -> &PriceMinima {
        &self.0.parts.config.price_minima
    }

    /// How long a command's answer is waited for.
    pub(crate) fn answer_wait(&self) -> DurationMs {
        self.0.parts.config.answer_wait
    }
}

impl FromRef<ControlState> for ApiDocument {
    fn from_ref(state: &ControlState) -> Self {
        state.0.document.clone()
    }
}
