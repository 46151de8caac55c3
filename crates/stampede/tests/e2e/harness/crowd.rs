//! Viewers in numbers, played by the crowd's own process.

use std::{process::Command, thread, time::Duration};

use stampede_loadtest::{
    Behaviour, CrowdPlan, CrowdProcesses, CrowdResult, PayAt, Progress, Roots, SchedulePlan,
    ViewerRange, signing_ticket_key,
};

use super::server::{Server, binary};

/// Time between two looks at the crowd, and how often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 3_000;

/// A crowd to play: all its viewers are connected at once.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) stream: String,
    pub(crate) drop: String,
    pub(crate) sku: String,
    pub(crate) viewers: u32,
    /// Units that everybody asks for.
    pub(crate) units: usize,
    /// The first viewer's number: crowds that buy from one drop differ in it.
    pub(crate) from: u32,
    /// Time from the opening on in which everybody clicks for the first time.
    pub(crate) rush_ms: u64,
    /// Mean time between two clicks of a viewer who has nothing yet.
    pub(crate) again_every_ms: u64,
    /// Share of viewers that never pay.
    pub(crate) never_pay_share: f64,
    /// How long they click, from the opening on.
    pub(crate) sale_ms: u64,
}

impl Crowd {
    /// Viewers who click in the first second, then now and then; one of eleven never pays.
    pub(crate) fn new(stream: &str, drop: &str, viewers: u32) -> Self {
        Self {
            stream: stream.to_owned(),
            drop: drop.to_owned(),
            sku: "mug".to_owned(),
            viewers,
            units: 1,
            from: 0,
            rush_ms: 1_000,
            again_every_ms: 500,
            never_pay_share: 0.09,
            sale_ms: 600_000,
        }
    }

    /// Lets the viewers come; returns when all of them are there.
    pub(crate) fn come(&self, server: &Server) -> Playing {
        let mut command = Command::new(binary());
        command.env_clear().arg("crowd");
        let playing =
            Playing { processes: CrowdProcesses::spawn([(command, self.plan(server))]).unwrap() };
        playing.until("there", |progress| progress.first_wave_settled);
        playing
    }

    fn plan(&self, server: &Server) -> CrowdPlan {
        let log = format!("promises-{}-{}-{}.jsonl", self.drop, self.sku, self.from);
        CrowdPlan {
            seed: 1,
            url: server.viewers.clone(),
            addresses: Vec::new(),
            roots: Roots::Mozilla,
            subprotocol: "stampede.v1.msgpack".into(),
            sources: vec![],
            stream: self.stream.clone(),
            drop: self.drop.clone(),
            sku: self.sku.clone(),
            ticket_key: signing_ticket_key(&server.data().join("ticket-keys.json")).unwrap(),
            rehearsal: false,
            name_prefix: "v".into(),
            viewers: ViewerRange { from: self.from, to: self.from + self.viewers },
            connected: self.viewers,
            connects_per_s: 2_000,
            schedule: SchedulePlan {
                early_ms: 200,
                rush_ms: self.rush_ms,
                rush_share: 1.0,
                again_every_ms: self.again_every_ms,
                turnover_from_ms: 1_000,
                turnover_to_ms: 2_000,
                sale_ms: self.sale_ms,
            },
            behaviour: Behaviour {
                early_share: 0.0,
                double_share: 0.04,
                dropped_share: 0.0,
                retry_after_ms: 400,
                pay_later_share: 0.2 * (1.0 - self.never_pay_share),
                pay_later_ms_max: 1_200,
                never_pay_share: self.never_pay_share,
                walk_away_share: 0.0,
                release_share: 0.0,
                change_mind_ms_max: 1_000,
                units_weights: (1..=self.units)
                    .map(|units| u32::from(units == self.units))
                    .collect(),
            },
            pay_at: PayAt::Server,
            promise_log: server.file(&log),
        }
    }
}

/// A crowd that is at it; ends with its owner.
pub(crate) struct Playing {
    processes: CrowdProcesses,
}

impl Playing {
    /// Waits until the crowd has come as far as wanted.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Progress) -> bool) {
        for _ in 0..LOOKS_MAX {
            if self.processes.progress().is_some_and(|progress| is_so(&progress)) {
                return;
            }
            assert!(!self.processes.any_over(), "the crowd ended before it was {what}");
            thread::park_timeout(LOOK_EVERY);
        }
        panic!("the crowd is not {what}: {:?}", self.processes.progress());
    }

    /// Sends everybody home; what they saw.
    pub(crate) fn go(mut self) -> CrowdResult {
        self.processes.stop();
        self.processes.wait().unwrap()
    }
}
