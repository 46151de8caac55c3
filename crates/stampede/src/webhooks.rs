//! Where Stripe's webhooks come in: the accounts' secrets, and the thread that listens.

use std::{
    fs::File,
    io::{self, Read},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use stampede_control::ControlConfig;
use stampede_domain::DurationMs;
use stampede_engine::Engine;
use stampede_ledger::JournalSource;
use stampede_payments::{
    stripe::{SignatureRules, SignatureRulesError},
    webhooks::{StripeAccount, StripeAccounts, WebhookConfig, WebhookParts, router},
};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::payment_settings::{Payments, Stripe};

/// Bytes of a file of secrets; what is longer is none.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Why an account's secrets cannot be used. It never holds one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    #[error(
        "cannot read {}: {source}; payments.stripe.{account}.secrets_file names it", path.display()
    )]
    Read { account: String, path: PathBuf, source: io::Error },
    #[error("{} has more than {FILE_BYTES_MAX} bytes, or is no text, so it holds no secrets", path.display())]
    NoText { path: PathBuf },
    #[error(
        "{}: {source}; write one signing secret a line, as Stripe shows it for the endpoint (whsec_…), and those of a \
         rotation below each other", path.display()
    )]
    Rules { path: PathBuf, source: SignatureRulesError },
}

/// One account's secrets, with their file.
struct SecretsFile {
    account: String,
    set: Stripe,
    /// What was tried last, so that a file that does not change is tried once.
    tried: Option<String>,
}

/// The files of all accounts: read at the start, read again when they change.
pub(crate) struct Secrets {
    files: Vec<SecretsFile>,
    accounts: Arc<StripeAccounts>,
}

impl SecretsFile {
    fn read(&self) -> Result<String, SecretsError> {
        let path = &self.set.secrets_file;
        let at = |source| SecretsError::Read {
            account: self.account.clone(),
            path: path.clone(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(at)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(at)?;
        let text = String::from_utf8(bytes).ok();
        let text = text.filter(|text| text.len() as u64 <= FILE_BYTES_MAX);
        text.ok_or_else(|| SecretsError::NoText { path: path.clone() })
    }

    /// Empty lines, and those that begin with `#`, hold no secret.
    fn rules(&self, text: &str) -> Result<SignatureRules, SecretsError> {
        let lines = text.lines().map(str::trim).enumerate();
        let secrets = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let named: Vec<_> =
            secrets.map(|(place, secret)| (format!("in line {}", place + 1), secret)).collect();
        let named = named.iter().map(|(name, secret)| (name.as_str(), *secret));
        SignatureRules::new(named, DurationMs::from_secs(self.set.tolerance_s))
            .map_err(|source| SecretsError::Rules { path: self.set.secrets_file.clone(), source })
    }
}

impl Secrets {
    /// Reads the files of all accounts.
    ///
    /// # Errors
    /// [`SecretsError`]; the listener must not start.
    pub(crate) fn load(payments: &Payments) -> Result<Self, SecretsError> {
        let (mut files, mut accounts) = (Vec::new(), Vec::new());
        for (account, set) in &payments.stripe {
            let (account, set) = (account.clone(), set.clone());
            warn_if_open(&set.secrets_file);
            let mut file = SecretsFile { account, set, tried: None };
            let text = file.read()?;
            let rules = file.rules(&text)?;
            let merchant = file.set.merchant.parse().expect(CHECKED);
            let account = StripeAccount { merchant, mode: file.set.mode.into(), rules };
            accounts.push((file.account.clone(), account));
            file.tried = Some(text);
            files.push(file);
        }
        let accounts = Arc::new(StripeAccounts::new(accounts).expect(CHECKED));
        Ok(Self { files, accounts })
    }

    /// Looks at the files; events are checked by what they hold, if it is sound. Otherwise the old secrets stay, and
    /// the log says why, once for each change.
    pub(crate) fn look(&mut self) {
        for file in &mut self.files {
            let account = file.account.as_str();
            let text = match file.read() {
                Ok(text) if file.tried.as_ref() == Some(&text) => continue,
                Ok(text) => text,
                // Missing for a moment while it is replaced, or for good: told once.
                Err(why) => {
                    if file.tried.take().is_some() {
                        error!(account, %why, "the old signing secrets stay in use");
                    }
                    continue;
                }
            };
            match file.rules(&text) {
                Ok(rules) => {
                    self.accounts.set_rules(account, rules);
                    info!(account, "new signing secrets are in use");
                }
                Err(why) => error!(account, %why, "the old signing secrets stay in use"),
            }
            file.tried = Some(text);
        }
    }
}

/// Settings are checked before anything is made of them.
const CHECKED: &str = "the settings were checked";

fn warn_if_open(path: &Path) {
    let mode = path.metadata().map_or(0, |file| file.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let (file, mode) = (path.display(), format!("{mode:o}"));
        warn!(%file, mode, "other accounts of this machine may read signing secrets; chmod 600");
    }
}

/// The thread that listens, where that is wanted.
pub(crate) struct Webhooks(Option<Listening>);

struct Listening {
    at: SocketAddr,
    stop: watch::Sender<()>,
    thread: JoinHandle<()>,
}

impl Webhooks {
    /// Begins to answer, if there is a listener. TLS and proxies are those of control.
    pub(crate) fn start(
        listener: Option<TcpListener>,
        (engine, ledger): (&Arc<Engine>, Arc<dyn JournalSource>),
        secrets: &Secrets,
        control: &ControlConfig,
    ) -> io::Result<Self> {
        let Some(listener) = listener else { return Ok(Self(None)) };
        let trusted_proxies = control.trusted_proxies.clone();
        let config = WebhookConfig { trusted_proxies, ..WebhookConfig::default() };
        let limits = ControlConfig {
            connections_max: config.connections_max,
            connections_per_address_max: config.connections_per_address_max,
            header_wait: config.header_wait,
            ..control.clone()
        };
        let (engine, accounts) = (Arc::clone(engine), Arc::clone(&secrets.accounts));
        let router = router(WebhookParts { engine, ledger, accounts, config });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let at = listener.local_addr()?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, mut told) = watch::channel(());
        let serving = async move {
            // Told, or dropped by a start that failed.
            let stopped = async { drop(told.changed().await) };
            stampede_control::serve(listener, router, &limits, stopped).await;
        };
        let thread = thread::Builder::new().name("webhooks".into());
        let thread = thread.spawn(move || runtime.block_on(serving))?;
        Ok(Self(Some(Listening { at, stop, thread })))
    }

    /// Where it listens.
    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|listening| listening.at)
    }

    /// Whoever sends stops the listener: it takes no new connections, and open requests have their time.
    pub(crate) fn stopper(&self) -> Option<watch::Sender<()>> {
        self.0.as_ref().map(|listening| listening.stop.clone())
    }

    /// Stops the listener, then waits until it has ended.
    pub(crate) fn shutdown(self) {
        let Some(Listening { stop, thread, .. }) = self.0 else { return };
        stop.send_replace(());
        if thread.join().is_err() {
            error!("the webhooks' thread panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment_settings::StripeMode;

    fn payments(path: &Path) -> Payments {
        let set = Stripe {
            merchant: "acme".into(),
            secrets_file: path.to_owned(),
            tolerance_s: 300,
            mode: StripeMode::Live,
        };
        Payments { stripe: [("main".to_owned(), set)].into(), ..Payments::default() }
    }

    fn why(path: &Path, text: &str) -> String {
        std::fs::write(path, text).unwrap();
        Secrets::load(&payments(path)).err().unwrap().to_string()
    }

    #[test]
    fn a_file_holds_one_to_four_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.secrets");
        let refused = Secrets::load(&payments(&path)).err().unwrap().to_string();
        assert!(refused.ends_with("payments.stripe.main.secrets_file names it"), "{refused}");
        let none = why(&path, "# none yet\n\n");
        assert!(none.contains("0 signing secrets are given; 1 to 4 are allowed"), "{none}");
        assert!(none.contains("write one signing secret a line"), "{none}");
        let many = why(&path, "whsec_a\nwhsec_b\nwhsec_c\nwhsec_d\nwhsec_e\n");
        assert!(many.contains("5 signing secrets are given"), "{many}");
        let wrong = why(&path, "whsec_a\nsk_live_key\n");
        assert!(wrong.contains("the signing secret in line 2 is no text like whsec_"), "{wrong}");
        assert!(!wrong.contains("sk_live_key"), "{wrong}");
        std::fs::write(&path, "# since May\nwhsec_a\n\n  whsec_b  \r\n").unwrap();
        assert!(Secrets::load(&payments(&path)).is_ok());
    }

    #[test]
    fn a_broken_change_keeps_the_old_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.secrets");
        std::fs::write(&path, "whsec_a\n").unwrap();
        let mut secrets = Secrets::load(&payments(&path)).unwrap();
        let in_use = |secrets: &Secrets| format!("{:?}", secrets.accounts);
        let first = in_use(&secrets);
        assert!(first.contains("in line 1") && !first.contains("in line 2"), "{first}");
        for broken in ["whsec_a\nwrong\n", ""] {
            std::fs::write(&path, broken).unwrap();
            secrets.look();
            assert_eq!(in_use(&secrets), first);
        }
        std::fs::remove_file(&path).unwrap();
        secrets.look();
        assert_eq!(in_use(&secrets), first);
        std::fs::write(&path, "whsec_a\nwhsec_b\n").unwrap();
        secrets.look();
        assert!(in_use(&secrets).contains("in line 2"));
    }
}
