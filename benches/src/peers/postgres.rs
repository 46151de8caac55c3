//! PostgreSQL with one hot row.
//!
//! A process for each client is its way, so it cannot take thousands of them: a pool of the size that
//! measured best serves the requesters, who wait in the generator.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};

use stampede_swarm::Busy;
use tokio::{runtime::Runtime, task::LocalSet};
use tokio_postgres::{Client, Config, NoTls, Statement, error::SqlState};

use crate::{
    drive::{CoreTimes, Load, Measured, rate},
    error::{PeersError, system},
    meter::Meter,
    server::{Server, free_address, pinned},
    wish::{self, Course, HOLDS_PER_DROP, Place, SKU},
};

const NAME: &str = "postgres";
const SCHEMA: &str = include_str!("../../peers/buy.sql");
/// Sizes of the pool that are tried.
const CLIENTS: [usize; 4] = [2, 4, 8, 16];
/// How long each is tried, and warmed up.
const TRIAL: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS_MAX: u32 = 400;
const BUY: &str = "SELECT buy($1, $2, 1, $3, $4, interval '1 hour')";
/// The account that the server runs as where it may not run as root.
const ACCOUNT: &str = "postgres";

/// A running server with stock in it.
#[derive(Debug)]
pub(crate) struct Postgres {
    _server: Server,
    address: SocketAddr,
    runtime: Runtime,
}

/// Somebody who wants to buy, again and again.
#[derive(Clone, Copy, Debug)]
struct Requester {
    seat: u32,
    place: Place,
    since_us: u64,
}

/// A promise as it came.
#[derive(Clone, Copy, Debug)]
struct Told {
    seat: u32,
    place: Place,
    hold: i64,
}

/// What the clients share.
#[derive(Debug)]
struct Pool {
    started: Instant,
    queue: RefCell<VecDeque<Requester>>,
    meter: RefCell<Meter>,
    told: RefCell<Vec<Told>>,
    course: Course,
}

/// The row with the size of the pool and the promises that were checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HotRow {
    pub(crate) measured: Measured,
    pub(crate) clients: usize,
    pub(crate) promises: u64,
}

impl Postgres {
    /// Makes a cluster in `folder` and starts it with the settings of Debian, that is durable.
    pub(crate) fn start(programs: &Path, folder: &Path) -> Result<Self, PeersError> {
        let data = folder.join("postgres");
        let account = Account::of(folder, &data)?;
        let mut initdb = account.command(&programs.join("initdb"), Command::new);
        initdb.arg("-D").arg(&data).args(["-U", ACCOUNT, "--auth=trust", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--locale=C"]).current_dir(folder);
        let made = initdb.output().map_err(system("run initdb"))?;
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(PeersError::NoStart { server: NAME, why });
        }
        let address = free_address()?;
        let mut command = account.command(&programs.join("postgres"), pinned);
        command.arg("-D").arg(&data).current_dir(folder);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command.args(["-c", &format!("port={}", address.port())]);
        let mut server = Server::start(NAME, command, &folder.join("postgres.log"))?;
        server.wait_listening(address)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(system("make a runtime"))?;
        Ok(Self { _server: server, address, runtime })
    }

    /// Finds the best size of the pool, measures it, looks for every promise.
    pub(crate) fn measure(&self, load: &Load) -> Result<HotRow, PeersError> {
        LocalSet::new().block_on(&self.runtime, async {
            let admin = self.first_connection().await?;
            admin.batch_execute(SCHEMA).await?;
            let course = Course { drops: 1, supply: 1_000_000_000 };
            let supply = i32::try_from(course.supply).unwrap_or(i32::MAX);
            admin.execute("INSERT INTO stock VALUES ($1, $2)", &[&SKU, &supply]).await?;
            let pool = Rc::new(Pool::new(course, load.connections));
            let trial = Load { warm_up: TRIAL / 4, measured: TRIAL, ..*load };
            let (mut best, mut clients) = (0.0, CLIENTS[0]);
            for count in CLIENTS {
                let Measured { per_s, .. } = self.run(&pool, count, &trial).await?;
                if per_s > best {
                    (best, clients) = (per_s, count);
                }
            }
            let measured = self.run(&pool, clients, load).await?;
            let promises = check(&admin, &pool.told.take()).await?;
            Ok(HotRow { measured, clients, promises })
        })
    }

    /// The server listens before it lets anybody in.
    async fn first_connection(&self) -> Result<Client, PeersError> {
        for _ in 0..LOOKS_MAX {
            match self.connect().await {
                Err(PeersError::Postgres(why))
                    if why.code() == Some(&SqlState::CANNOT_CONNECT_NOW) =>
                {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                connected => return connected,
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Client, PeersError> {
        let mut config = Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user(ACCOUNT).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        tokio::task::spawn_local(async move {
            // Its failure shows in the client's calls.
            let _ended = connection.await;
        });
        Ok(client)
    }

    async fn run(
        &self,
        pool: &Rc<Pool>,
        clients: usize,
        load: &Load,
    ) -> Result<Measured, PeersError> {
        let mut connected = Vec::with_capacity(clients);
        for _ in 0..clients {
            let client = self.connect().await?;
            let statement = client.prepare(BUY).await?;
            connected.push((client, statement));
        }
        // The warm-up is that of all clients, so it begins once the last one is there.
        pool.begin(load);
        let spawn =
            |(client, statement)| tokio::task::spawn_local(Rc::clone(pool).work(client, statement));
        let workers: Vec<_> = connected.into_iter().map(spawn).collect();
        tokio::time::sleep(load.warm_up).await;
        let (busy, core) = (Busy::start(), CoreTimes::now());
        tokio::time::sleep(load.measured).await;
        let (generator_busy, server_core_busy) = (busy.share(), core.busy_since());
        pool.meter.borrow_mut().stopping = true;
        for worker in workers {
            worker.await.expect("a worker does not panic")?;
        }
        let meter = pool.meter.borrow();
        if meter.troubles > 0 {
            let (count, trouble) = (meter.troubles, meter.first_trouble());
            return Err(PeersError::Troubles { count, trouble });
        }
        Ok(Measured {
            per_s: rate(meter.answered, load.measured),
            p50_us: meter.latency.quantile_us(0.5),
            p99_us: meter.latency.quantile_us(0.99),
            generator_busy,
            server_core_busy,
            server_us: None,
        })
    }
}

impl Pool {
    fn new(course: Course, requesters: u32) -> Self {
        let requester = |seat| Requester { seat, place: Place::default(), since_us: 0 };
        Self {
            started: now(),
            queue: RefCell::new((0..requesters).map(requester).collect()),
            meter: RefCell::default(),
            told: RefCell::default(),
            course,
        }
    }

    fn us(&self) -> u64 {
        u64::try_from(now().duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }

    /// Everybody asks now; answers count after the warm-up.
    fn begin(&self, load: &Load) {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let now_us = self.us();
        self.queue.borrow_mut().iter_mut().for_each(|one| one.since_us = now_us);
        let from_us = now_us + us(load.warm_up);
        let until_us = from_us + us(load.measured);
        *self.meter.borrow_mut() = Meter::between(from_us, until_us);
    }

    /// Serves one requester after the other.
    async fn work(self: Rc<Self>, client: Client, buy: Statement) -> Result<(), PeersError> {
        let cap = i32::try_from(HOLDS_PER_DROP).expect("a small number");
        while !self.meter.borrow().stopping {
            let Some(mut one) = self.queue.borrow_mut().pop_front() else { break };
            let viewer = wish::viewer(one.seat, one.place);
            let key = wish::key(wish::key_number(one.place));
            let row = client.query_one(&buy, &[&viewer, &SKU, &key, &cap]).await?;
            let (hold, now_us) = (row.get::<_, i64>(0), self.us());
            if hold > 0 {
                self.told.borrow_mut().push(Told { seat: one.seat, place: one.place, hold });
            } else {
                self.meter.borrow_mut().trouble(|| format!("{viewer} got {hold} for {key}"));
            }
            self.meter.borrow_mut().answered(one.since_us, now_us);
            one.place = self.course.next(one.place);
            one.since_us = now_us;
            self.queue.borrow_mut().push_back(one);
        }
        Ok(())
    }
}

/// Looks for every promise in the table.
async fn check(admin: &Client, told: &[Told]) -> Result<u64, PeersError> {
    let rows = admin.query("SELECT hold, viewer, key FROM holds", &[]).await?;
    let holds: HashMap<i64, (String, String)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let (mut promises, mut lost, mut first) = (0, 0, String::new());
    for one in told {
        promises += 1;
        let viewer = wish::viewer(one.seat, one.place);
        let key = wish::key(wish::key_number(one.place));
        if holds.get(&one.hold) != Some(&(viewer, key)) {
            lost += 1;
            first = format!("{one:?}");
        }
    }
    if lost > 0 {
        return Err(PeersError::PromisesLost { lost, promises, first });
    }
    Ok(promises)
}

/// Who the server runs as: it refuses root.
#[derive(Clone, Copy, Debug)]
enum Account {
    Ours,
    Postgres,
}

impl Account {
    /// Decides, and gives `data` to the account.
    fn of(folder: &Path, data: &PathBuf) -> Result<Self, PeersError> {
        fs::create_dir(data).map_err(system("make a folder"))?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))
            .map_err(system("set a folder's mode"))?;
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ours);
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .map_err(system("set a folder's mode"))?;
        let given = Command::new("chown").arg(ACCOUNT).arg(data).status();
        if given.map_err(system("run chown"))?.success() {
            return Ok(Self::Postgres);
        }
        let why = format!("there is no account {ACCOUNT}, and it does not run as root");
        Err(PeersError::NoStart { server: NAME, why })
    }

    /// `program` as this account, started by `start`.
    fn command<'a>(self, program: &'a Path, start: impl FnOnce(&'a Path) -> Command) -> Command {
        match self {
            Self::Ours => start(program),
            Self::Postgres => {
                let mut command = start(Path::new("setpriv"));
                command.arg(format!("--reuid={ACCOUNT}")).arg(format!("--regid={ACCOUNT}"));
                command.arg("--init-groups").arg(program);
                command
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a tool that measures reads the clock")]
fn now() -> Instant {
    Instant::now()
}
