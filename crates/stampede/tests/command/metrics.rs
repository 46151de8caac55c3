//! `/metrics` of a running server against its documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::TcpStream,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::{
    running::Running,
    shop::{open_drop, tree},
};

/// Series by their metric's name, as one answer had them.
#[derive(Default)]
struct Scraped {
    kinds: BTreeMap<String, String>,
    series: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Scraped {
    /// Reads the text format; whatever it does not allow fails the test.
    fn parse(text: &str) -> Self {
        let (mut scraped, mut helped) = (Self::default(), BTreeSet::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').expect(line);
                assert!(!words.is_empty() && helped.insert(name.to_owned()), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert!(helped.contains(name), "{name} has no help");
                let known = ["counter", "gauge", "histogram", "summary"];
                assert!(known.contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                let again = scraped.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(again, None, "{name} comes twice");
            } else {
                scraped.series(line);
            }
        }
        scraped
    }

    fn series(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').expect(line);
        let value: f64 = value.parse().expect(line);
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
            None => (series, ""),
        };
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let (label, value) = label.split_once("=\"").expect(line);
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
            assert!(!value.trim_end_matches('"').is_empty(), "{line}");
        }
        let metric = self.metric(name).unwrap_or_else(|| panic!("{name} has no type"));
        let again = self.series.entry(metric).or_default().insert(series.to_owned(), value);
        assert_eq!(again, None, "{series} comes twice");
    }

    /// The metric that a series belongs to: histograms and summaries add a suffix.
    fn metric(&self, name: &str) -> Option<String> {
        let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let several = |name: &&str| matches!(&*self.kinds[*name], "histogram" | "summary");
        let whole = whole.filter(|name| self.kinds.contains_key(*name)).filter(several);
        let name = whole.or_else(|| self.kinds.contains_key(name).then_some(name))?;
        Some(name.to_owned())
    }

    fn value(&self, series: &str) -> f64 {
        let metric = self.metric(series.split('{').next().unwrap()).unwrap();
        self.series[&metric][series]
    }

    /// How many series a metric has.
    fn count(&self, metric: &str) -> usize {
        self.series[metric].len()
    }
}

fn scrape(server: &Running) -> Scraped {
    let address = server.control.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    let token = server.token.as_deref().unwrap();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Scraped::parse(body)
}

/// Names in the first column of the table below the document's heading.
fn documented() -> BTreeSet<String> {
    let text = std::fs::read_to_string(tree().join("docs/operating.md")).unwrap();
    let (_, text) = text.split_once("\n## Metrics\n").expect("the document has the heading");
    let (text, _) = text.split_once("\n## ").expect("others follow");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

/// A server with TLS for its viewers alone, with further settings of viewers and of control.
fn server(dir: &std::path::Path, viewers: &str, control: &str) -> Running {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert_path, key_path) = (dir.join("cert.pem"), dir.join("key.pem"));
    std::fs::write(&cert_path, cert.pem()).unwrap();
    std::fs::write(&key_path, signing_key.serialize_pem()).unwrap();
    let settings = dir.join("stampede.toml");
    let (cert, key) = (cert_path.display(), key_path.display());
    let text = format!(
        "[viewers]\n{viewers}\n[viewers.tls]\ncert = '{cert}'\nkey = '{key}'\n[control]\n{control}\n"
    );
    std::fs::write(&settings, text).unwrap();
    Running::with(
        &dir.join("data"),
        &["--config", settings.to_str().unwrap(), "--payments", "sandbox"],
    )
}

#[test]
fn every_metric_is_documented_and_every_documented_one_exists_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path(), "", "");
    let drop = open_drop(&server, server.token.as_deref().unwrap(), "show");
    let is_open = |scraped: &Scraped| scraped.value("stampede_drops{phase=\"open\"}") > 0.0;
    let mut looks = std::iter::repeat_with(|| scrape(&server)).take(1_000);
    let is_reviewed =
        |scraped: &Scraped| scraped.value("stampede_ledger_reviewed_timestamp_seconds") > 1.0;
    let scraped = looks.find(|scraped| is_open(scraped) && is_reviewed(scraped));
    let scraped = scraped.expect("the drop opens, the journal has been read to its end");
    let exist: BTreeSet<String> = scraped.series.keys().cloned().collect();
    let documented = documented();
    let missing: Vec<_> = documented.difference(&exist).collect();
    let unknown: Vec<_> = exist.difference(&documented).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");

    // What has not happened is zero, not absent.
    for series in [
        "stampede_engine_buys_total{outcome=\"sold_out\"}",
        "stampede_engine_holds_ended_total{end=\"expired\"}",
        "stampede_engine_shed_total{reason=\"ring_full\"}",
        "stampede_payment_attempts_total{outcome=\"too_late\"}",
        "stampede_payment_attempts_under_way",
        "stampede_payment_webhook_events_total{kind=\"paid\",outcome=\"recorded\"}",
        "stampede_payment_webhook_refusals_total{reason=\"too_old\"}",
        "stampede_gateway_closes_total{code=\"too_slow\"}",
        "stampede_gateway_handshakes_total{outcome=\"proxy_missing\"}",
        "stampede_control_requests_total{kind=\"ledger\",status=\"5xx\"}",
        "stampede_control_openings_total{outcome=\"timed_out\"}",
        "stampede_tls_reloads_total{listener=\"viewers\",outcome=\"refused\"}",
        "stampede_engine_answer_seconds_count",
        "stampede_ledger_seals_differing",
    ] {
        assert!(scraped.value(series).abs() < f64::EPSILON, "{series}");
    }
    for series in [
        format!("stampede_drop_units{{drop=\"{drop}\",state=\"available\"}}"),
        "stampede_engine_commands_total{action=\"open\",outcome=\"accepted\"}".into(),
        "stampede_gateway_connections_max".into(),
        "stampede_ledger_wal_bytes_max".into(),
        "stampede_engine_sale_bytes".into(),
        "stampede_engine_sale_bytes_max".into(),
        "stampede_ledger_disk_free_bytes".into(),
        "process_resident_memory_bytes".into(),
        "process_open_fds".into(),
    ] {
        assert!(scraped.value(&series) >= 1.0, "{series}");
    }
    let all: usize = scraped.series.values().map(BTreeMap::len).sum();
    let control: usize =
        scraped.series.keys().filter(|n| n.contains("_control_")).map(|n| scraped.count(n)).sum();
    assert!(all < 450 && control * 3 < all, "{control} of {all} series are of control");
}

/// Connections that end before their first byte, by how each listener counts them, for settings of
/// both.
fn hung_up(settings: &str) -> [BTreeMap<String, f64>; 2] {
    const TIMES: u32 = 3;
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path(), settings, settings);
    for address in [&server.viewers, &server.control] {
        let (_, address) = address.split_once("://").unwrap();
        for _ in 0..TIMES {
            drop(TcpStream::connect(address.trim_end_matches('/')).unwrap());
        }
    }
    let metrics = ["stampede_gateway_handshakes_total", "stampede_control_openings_total"];
    let counted = |scraped: &Scraped| {
        metrics.map(|metric| {
            let series = scraped.series[metric].iter();
            let happened = series.filter(|(name, value)| **value > 0.0 && !name.contains("opened"));
            happened.map(|(name, value)| (name.clone(), *value)).collect::<BTreeMap<_, _>>()
        })
    };
    let mut looks = std::iter::repeat_with(|| scrape(&server)).take(1_000);
    let all =
        |[viewers, _]: &[BTreeMap<String, f64>; 2]| viewers.values().sum::<f64>() >= TIMES.into();
    looks.find_map(|scraped| Some(counted(&scraped)).filter(all)).expect("they are counted")
}

#[test]
fn a_trusted_proxy_that_looks_whether_somebody_listens_is_no_failure() {
    let checked = |metric: &str| [(format!("{metric}{{outcome=\"checked\"}}"), 3.0)].into();
    let expected =
        [checked("stampede_gateway_handshakes_total"), checked("stampede_control_openings_total")];
    assert_eq!(hung_up("trusted_proxies = [\"127.0.0.1\"]"), expected);
    let [viewers, _] = hung_up("");
    let failed = "stampede_gateway_handshakes_total{outcome=\"tls_failed\"}".to_owned();
    assert_eq!(viewers, [(failed, 3.0)].into(), "anybody else is a client that failed");
}
