//! The staged demo: a show to run oneself, before a crowd, on a server that may be killed.

mod browser;
mod check;
mod screen;
mod server;
mod show;
mod size;
mod supervisor;

use std::{
    net::Ipv4Addr,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
    sync::Arc,
};

use stampede_control::{
    DemoState, Inviter, NewStaff, SessionLimits, Sessions, StaffTokens, join_path,
};
use stampede_domain::DurationMs;
use stampede_engine::{Clock as _, Role};
use stampede_loadtest::{
    Audience, AudiencePlan, AudienceReport, ControlClient, Interest, Screen, Till, TillFigures,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    task::spawn_blocking,
};

use self::{
    check::{Check, ReceivedPromises},
    server::Setup,
    size::Size,
    supervisor::Supervisor,
};
use super::{DemoError, Place, till};
use crate::{
    FOUND_WRONG, cli::DemoArgs, clock::SystemClock, descriptors, failure::Failure, staff::scope,
    ticket_keys,
};

/// How long the link is good.
const LINK_VALID: DurationMs = DurationMs::from_secs(24 * 3_600);
/// Words of the server that wait to be heard.
const WORDS_MAX: usize = 64;

const TO_TRY: &str = "Then try:
  N                 start the first drop; all of it is taken in about a second
  R                 restock: whoever went without comes back
  N again           the next drop sells for some twenty seconds
  Kill the server   while it sells: SIGKILL. The page comes back by itself, then says how many
                    promises were given before, and how many the ledger has kept
  P, O, C, ?        pause, resume, close, all keys
Ctrl-C ends the show and sums up.";

/// Runs the staged demo; exits with 1 if a promise was lost or the ledger is wrong.
pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let size = Size::fit(args.viewers, descriptors::raise(), size::free_memory_bytes())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Heard before anything is made: whoever breaks off finds nothing left behind.
    let mut ends = {
        let _entered = runtime.enter();
        Ends { term: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? }
    };
    let place = Place::of(args)?;
    size::check_space(place.path())?;
    std::fs::create_dir_all(place.logs())?;
    let mut screen = Screen::new();
    let mut began = false;
    let played = runtime.block_on(async {
        let mut show = tokio::select! {
            show = Show::begin(args, size, &place, &mut screen) => show?,
            code = ends.come() => return Ok(Err(code)),
        };
        began = true;
        show.supervisor.watch(&mut ends, &mut screen).await?;
        screen.step("the crowd goes home; checking every promise against the ledger");
        tokio::select! {
            end = show.end() => end.map(Ok),
            code = ends.come() => Ok(Err(code)),
        }
    });
    // A start of the server that was under way ends before its files are cleared.
    drop(runtime);
    screen.finish();
    let has_end = matches!(played, Ok(Ok(_)));
    let code = played.map(|played| match played {
        Ok(end) => end.tell(&place),
        Err(code) => ExitCode::from(code),
    });
    if began {
        if !has_end {
            eprintln!("what the show has left lies in {}", place.path().display());
        }
        place.keep();
    } else {
        place.clear()?;
    }
    code
}

/// What ends a show.
pub(super) struct Ends {
    term: Signal,
    interrupt: Signal,
}

impl Ends {
    /// The exit code of a demo that was broken off, as a shell says it: 128 and the signal's number.
    async fn come(&mut self) -> u8 {
        let told = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.term.recv() => SignalKind::terminate(),
        };
        u8::try_from(128 + told.as_raw_value()).unwrap_or(FOUND_WRONG)
    }
}

/// A show with its crowd.
struct Show<'a> {
    supervisor: Supervisor<'a>,
    audience: Audience,
    /// The shop's; it outlives every server.
    till: Till,
}

/// How a show went.
struct End {
    kills: u64,
    check: Check,
    money: TillFigures,
}

impl<'a> Show<'a> {
    /// Starts the server, plans the drops, lets the crowd in, prints the link.
    async fn begin(
        args: &DemoArgs,
        size: Size,
        place: &'a Place,
        screen: &mut Screen,
    ) -> Result<Self, Failure> {
        screen.step("starting the server");
        let (say, words) = mpsc::channel(WORDS_MAX);
        let mut setup = Setup::new(place, size.viewers, args.port, say)?;
        let started = spawn_blocking(move || setup.start().map(|server| (setup, server)));
        let (setup, server) = started.await.expect("a start neither panics nor is cancelled")?;
        let (tell, crowd) = watch::channel(Ok(AudienceReport::default()));
        let state = DemoState { viewers: size.viewers.into(), ..DemoState::default() };
        let clock = SystemClock::start();
        let (checking, wrong) = (None, Vec::new());
        let mut supervisor =
            Supervisor { place, setup, server, words, crowd, state, checking, wrong, clock };
        let interest = show::plan(&supervisor.control(), size.viewers).await;
        let plan = AudiencePlan {
            seed: args.seed,
            target: supervisor.setup.viewers(),
            sources: (2..6).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect(),
            stream: show::STREAM.to_owned(),
            ticket_key: ticket_keys::signer(&place.ledger())?.0,
            viewers: size.viewers,
            name_prefix: "v".to_owned(),
            rehearsal: false,
            interest: interest.map_err(DemoError::from)?,
            usual_interest: Interest { share_percent: 60, rush_ms: 5_000 },
            promise_logs: Some(place.logs()),
        };
        if let Some(shortage) = size.held_back_by {
            let (viewers, wanted) = (size.viewers, args.viewers);
            screen.step(&format!("{viewers} viewers instead of {wanted}: {}", shortage.words()));
        }
        screen.step(&format!("five drops are planned; {} viewers come in", size.viewers));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("audience").process_group(0);
        let control = supervisor.server.control_url();
        let till = till::open(&place.ledger(), control, args.seed, show::SLOW_PAYMENT)?;
        let audience = Audience::spawn(command, &plan, till.door(), move |heard| {
            // What a crowd said last stays: its end is no news once it was sent home.
            let _before = tell.send_replace(heard);
        })?;
        supervisor.gather(screen).await?;
        let units = show::first_units(size.viewers);
        screen.step(&format!("{} viewers wait; the first drop has {units} units", size.viewers));
        let link = invite(place, &supervisor)?;
        screen.say(&format!(
            "\nOpen this link; it is good for one browser:\n\n  {link}\n\n{TO_TRY}\n"
        ));
        if !args.no_browser && browser::open(&link) {
            screen.step("a browser opens it");
        }
        Ok(Self { supervisor, audience, till })
    }

    /// Sends the crowd home, holds every promise against the ledger, stops the server.
    async fn end(self) -> Result<End, Failure> {
        let Self { supervisor, mut audience, till } = self;
        let home = spawn_blocking(move || audience.stop()).await;
        home.expect("sending home neither panics nor is cancelled")?;
        let Supervisor { place, server, state, checking, wrong, .. } = supervisor;
        if let Some(checking) = checking {
            // All promises are checked now.
            checking.abort();
        }
        let till = till.close().await;
        let control = ControlClient::new(server.control_url(), server.staff_token());
        let money = till.total();
        let received = ReceivedPromises::now(&place.logs())?;
        let mut check = received.check(control.clone(), place.ledger()).await?;
        check.compare_money(&till, &control).await?;
        check.sound &= wrong.is_empty();
        check.wrong.extend(wrong);
        let stopped = spawn_blocking(move || server.stop()).await;
        stopped.expect("a stop neither panics nor is cancelled")?;
        Ok(End { kills: state.kills, check, money })
    }
}

impl End {
    /// The sum, on standard output.
    fn tell(&self, place: &Place) -> ExitCode {
        let Check { given, kept, wrong, .. } = &self.check;
        let ledger = place.ledger();
        println!("promises     {given} given, {kept} kept");
        println!("{}", till::words(&self.money));
        println!("kills        {}", self.kills);
        println!("ledger       {}", ledger.display());
        println!("again        stampede verify --data {}", ledger.display());
        if self.check.is_good() {
            println!(
                "proven       every promise kept, books agree, the verifier finds nothing wrong"
            );
            return ExitCode::SUCCESS;
        }
        println!("WRONG        {}", wrong.join("\n             "));
        ExitCode::from(FOUND_WRONG)
    }
}

/// A link that signs one browser in as the show's host.
fn invite(place: &Place, supervisor: &Supervisor<'_>) -> Result<String, Failure> {
    let tokens = Arc::new(StaffTokens::open(&place.ledger())?);
    let sessions = Sessions::open(&place.ledger(), tokens, SessionLimits::default())?;
    let staff = NewStaff {
        name: "guest".to_owned(),
        role: Role::Host,
        merchant: None,
        streams: scope(&[show::STREAM.to_owned()])?,
    };
    let now = supervisor.clock.wall();
    let invited = sessions.invite(&Inviter::Machine, staff, LINK_VALID, now)?;
    let base = supervisor.server.control_url().trim_end_matches('/');
    Ok(format!("{base}{}", join_path(&invited.secret)))
}
