//! Certificates of the listeners: read at the start, read again when their files change.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use parking_lot::RwLock;
use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use stampede_domain::UnixMillis;
use tracing::{error, info, warn};
use x509_cert::{Certificate, der::Decode};

use crate::config::TlsFiles;

/// Bytes of a PEM file; what is longer is none.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Certificates read again, by `listener` and `outcome`: `loaded`, `refused`.
const RELOADS: &str = "stampede_tls_reloads_total";
/// Seconds until the first certificate of the chain expires, by `listener`; below zero after that.
const EXPIRES_IN: &str = "stampede_tls_certificate_expires_in_seconds";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_counter!(RELOADS, metrics::Unit::Count, "certificates read again, by outcome");
    describe_gauge!(EXPIRES_IN, metrics::Unit::Seconds, "time until the certificate expires");
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read {}: {source}; {listener}.tls names it", path.display())]
    Read { listener: &'static str, path: PathBuf, source: io::Error },
    #[error("{} has more than {FILE_BYTES_MAX} bytes, so it is no PEM file", path.display())]
    TooLong { path: PathBuf },
    #[error("{} holds no PEM certificate (BEGIN CERTIFICATE)", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds no PEM private key (BEGIN PRIVATE KEY) that is not encrypted", path.display())]
    NoKey { path: PathBuf },
    #[error("{} holds a certificate that cannot be read: {why}", path.display())]
    Malformed { path: PathBuf, why: String },
    #[error(
        "the key in {} is not that of the first certificate in {}; the server's own comes first",
        key.display(), cert.display()
    )]
    Mismatch { cert: PathBuf, key: PathBuf },
    #[error("{} with {} cannot be used: {source}", cert.display(), key.display())]
    Unusable { cert: PathBuf, key: PathBuf, source: rustls::Error },
}

/// One listener's certificate.
pub(crate) struct Certificates {
    listener: &'static str,
    files: TlsFiles,
    config: Arc<ServerConfig>,
    current: Arc<CurrentCertificate>,
    /// What was tried last, so that files that do not change are tried once.
    tried: Option<Pem>,
    expires_at: UnixMillis,
}

/// The contents of both files.
#[derive(Clone, PartialEq, Eq)]
struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate that was checked.
struct CheckedCertificate {
    key: Arc<CertifiedKey>,
    valid_from: UnixMillis,
    expires_at: UnixMillis,
}

/// The certificate that new connections get.
#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl Certificates {
    /// Reads the files of a listener, if it has any.
    ///
    /// # Errors
    /// [`TlsError`]; the listener must not start.
    pub(crate) fn load(
        listener: &'static str,
        files: Option<&TlsFiles>,
        now: UnixMillis,
    ) -> Result<Option<Self>, TlsError> {
        let Some(files) = files else { return Ok(None) };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pem = Pem::read(listener, files)?;
        let CheckedCertificate { key, valid_from, expires_at } = pem.check(files, &provider)?;
        let current = Arc::new(CurrentCertificate(RwLock::new(key)));
        let config = server_config(provider, Arc::clone(&current)).map_err(|source| {
            TlsError::Unusable { cert: files.cert.clone(), key: files.key.clone(), source }
        })?;
        let (files, tried) = (files.clone(), Some(pem));
        let loaded = Self { listener, files, config: Arc::new(config), current, tried, expires_at };
        for outcome in ["loaded", "refused"] {
            counter!(RELOADS, "listener" => listener, "outcome" => outcome).increment(0);
        }
        loaded.tell(valid_from, now);
        Ok(Some(loaded))
    }

    /// What the listener's connections go through.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Looks at the files; new connections get what they hold, if it is sound. Otherwise the old
    /// certificate stays, and the log says why, once for each change.
    pub(crate) fn look(&mut self, now: UnixMillis) {
        let pem = match Pem::read(self.listener, &self.files) {
            Ok(pem) if self.tried.as_ref() == Some(&pem) => return self.gauge(now),
            Ok(pem) => pem,
            // Missing for a moment while it is replaced, or for good: told once.
            Err(why) => {
                if self.tried.take().is_some() {
                    self.refuse(&why);
                }
                return self.gauge(now);
            }
        };
        match pem.check(&self.files, self.config.crypto_provider()) {
            Ok(CheckedCertificate { key, valid_from, expires_at }) => {
                *self.current.0.write() = key;
                self.expires_at = expires_at;
                counter!(RELOADS, "listener" => self.listener, "outcome" => "loaded").increment(1);
                info!(listener = self.listener, "a new certificate is in use");
                self.tell(valid_from, now);
            }
            Err(why) => self.refuse(&why),
        }
        self.tried = Some(pem);
        self.gauge(now);
    }

    fn refuse(&self, why: &TlsError) {
        counter!(RELOADS, "listener" => self.listener, "outcome" => "refused").increment(1);
        error!(listener = self.listener, %why, "the old certificate stays in use");
    }

    /// Warns of a certificate that clients will not take.
    fn tell(&self, valid_from: UnixMillis, now: UnixMillis) {
        let (listener, cert) = (self.listener, self.files.cert.display());
        if self.expires_at <= now {
            let expired_s = now.since(self.expires_at).get() / 1_000;
            warn!(listener, %cert, expired_s, "the certificate has expired; clients will refuse it");
        } else if valid_from > now {
            let valid_in_s = valid_from.since(now).get() / 1_000;
            warn!(listener, %cert, valid_in_s, "the certificate is not valid yet");
        }
        self.gauge(now);
    }

    fn gauge(&self, now: UnixMillis) {
        let seconds = |from: UnixMillis, to: UnixMillis| to.since(from).to_std().as_secs_f64();
        // One of the two spans is zero: a span never goes back.
        let left = seconds(now, self.expires_at) - seconds(self.expires_at, now);
        gauge!(EXPIRES_IN, "listener" => self.listener).set(left);
    }
}

impl Pem {
    fn read(listener: &'static str, files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            let at = |source| TlsError::Read { listener, path: path.to_owned(), source };
            let mut text = Vec::new();
            let file = File::open(path).map_err(at)?;
            file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(at)?;
            if text.len() as u64 > FILE_BYTES_MAX {
                return Err(TlsError::TooLong { path: path.to_owned() });
            }
            Ok(text)
        };
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)? })
    }

    fn check(
        &self,
        files: &TlsFiles,
        provider: &CryptoProvider,
    ) -> Result<CheckedCertificate, TlsError> {
        let TlsFiles { cert, key } = files;
        let malformed = |why: String| TlsError::Malformed { path: cert.clone(), why };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|why| malformed(why.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: cert.clone() });
        }
        let (mut valid_from, mut expires_at) = (UnixMillis::new(0), UnixMillis::new(u64::MAX));
        for one in &chain {
            let parsed = Certificate::from_der(one).map_err(|why| malformed(why.to_string()))?;
            let validity = parsed.tbs_certificate().validity();
            valid_from = valid_from.max(millis(validity.not_before.to_unix_duration()));
            expires_at = expires_at.min(millis(validity.not_after.to_unix_duration()));
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| TlsError::NoKey { path: key.clone() })?;
        match CertifiedKey::from_der(chain, secret, provider) {
            Ok(key) => Ok(CheckedCertificate { key: Arc::new(key), valid_from, expires_at }),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(TlsError::Mismatch { cert: cert.clone(), key: key.clone() })
            }
            Err(source) => Err(TlsError::Unusable { cert: cert.clone(), key: key.clone(), source }),
        }
    }
}

fn millis(since_1970: std::time::Duration) -> UnixMillis {
    UnixMillis::new(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// TLS 1.2 and 1.3 for HTTP/1.1. Sessions resume by tickets, so that a crowd that comes back costs few
/// signatures and nothing is kept for it.
fn server_config(
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

    struct Files {
        dir: TempDir,
        files: TlsFiles,
    }

    impl Files {
        fn new() -> Self {
            let dir = TempDir::new().unwrap();
            let files =
                TlsFiles { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
            Self { dir, files }
        }

        fn write(&self, cert: &str, key: &str) {
            std::fs::write(&self.files.cert, cert).unwrap();
            std::fs::write(&self.files.key, key).unwrap();
        }

        fn load(&self) -> Result<Certificates, String> {
            let loaded = Certificates::load("viewers", Some(&self.files), NOW);
            loaded.map(|some| some.expect("files are given")).map_err(|why| why.to_string())
        }
    }

    /// A certificate until the end of 2029, with its key.
    fn pair() -> (String, String) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_sound_pair_is_loaded_with_its_chain() {
        let files = Files::new();
        let ((cert, key), (root, _)) = (pair(), pair());
        files.write(&format!("{cert}{root}"), &key);
        let loaded = files.load().unwrap();
        assert_eq!(loaded.expires_at, UnixMillis::new(1_893_456_000_000));
        assert_eq!(loaded.current.0.read().cert.len(), 2);
        assert_eq!(loaded.config().alpn_protocols, [b"http/1.1".to_vec()]);
        assert!(Certificates::load("viewers", None, NOW).unwrap().is_none());
    }

    #[test]
    fn each_fault_is_told_with_what_to_do() {
        let files = Files::new();
        let ((cert, key), (_, other)) = (pair(), pair());
        let told = |cert: &str, key: &str| {
            files.write(cert, key);
            files.load().err().expect("it is refused")
        };
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let long = "x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1);
        for (why, part) in [
            (told("", &key), "cert.pem holds no PEM certificate"),
            (told(&key, &key), "cert.pem holds no PEM certificate"),
            (told(&cert, ""), "key.pem holds no PEM private key"),
            (told(&cert, &cert), "key.pem holds no PEM private key"),
            (told(broken, &key), "cert.pem holds a certificate that cannot be read"),
            (told(&cert, &other), "is not that of the first certificate in"),
            (told(&long, &key), "so it is no PEM file"),
        ] {
            assert!(why.contains(part), "{why}");
        }
        drop(files.dir);
        let missing = Certificates::load("viewers", Some(&files.files), NOW).err().unwrap();
        assert!(missing.to_string().contains("viewers.tls names it"), "{missing}");
    }

    #[test]
    fn a_broken_change_keeps_the_old_certificate_until_a_sound_one_comes() {
        let files = Files::new();
        let (cert, key) = pair();
        files.write(&cert, &key);
        let mut loaded = files.load().unwrap();
        let in_use = |loaded: &Certificates| Arc::clone(&loaded.current.0.read());
        let first = in_use(&loaded);
        let (newer, newer_key) = pair();
        // Half of a change, as one file is written after the other.
        std::fs::write(&files.files.cert, &newer).unwrap();
        loaded.look(NOW);
        assert!(Arc::ptr_eq(&first, &in_use(&loaded)));
        std::fs::remove_file(&files.files.key).unwrap();
        loaded.look(NOW);
        assert!(Arc::ptr_eq(&first, &in_use(&loaded)));
        std::fs::write(&files.files.key, newer_key).unwrap();
        loaded.look(NOW);
        assert!(!Arc::ptr_eq(&first, &in_use(&loaded)));
        let second = in_use(&loaded);
        loaded.look(NOW);
        assert!(Arc::ptr_eq(&second, &in_use(&loaded)), "unchanged files are left alone");
    }
}
