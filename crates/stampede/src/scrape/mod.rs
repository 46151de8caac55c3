//! The answer to `/metrics`.
//!
//! Figures that are counted while they happen come from the recorder. Figures that can be read on demand, or
//! whose series come and go, are written here.

mod drops;
mod exposition;
mod process;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use metrics_exporter_prometheus::PrometheusHandle;
use rustix::fs::statvfs;
use stampede_control::MetricsText;
use stampede_engine::{AnswerTotals, Engine};
use stampede_ledger::AnswerTimes;

use self::exposition::{Exposition, Kind};

/// Everything that is looked at for one answer.
pub(crate) struct Scrape {
    recorder: PrometheusHandle,
    engine: Arc<Engine>,
    data_dir: PathBuf,
}

impl Scrape {
    /// What answers for a running server.
    pub(crate) fn of(
        recorder: &PrometheusHandle,
        engine: &Arc<Engine>,
        data_dir: &Path,
    ) -> MetricsText {
        let (recorder, engine) = (recorder.clone(), Arc::clone(engine));
        let scrape = Self { recorder, engine, data_dir: data_dir.to_owned() };
        Arc::new(move || scrape.text())
    }

    /// All metrics as text. Reads from the file system, so it may take a while.
    fn text(&self) -> String {
        let mut text = Exposition::after(self.recorder.render());
        answers(&mut text, &self.engine.answered());
        drops::show(&mut text, &self.engine.sales());
        self.disk(&mut text);
        process::show(&mut text);
        text.into_text()
    }

    fn disk(&self, text: &mut Exposition) {
        let Ok(disk) = statvfs(&self.data_dir) else { return };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let help = "Free bytes of the volume that the ledger is on.";
        text.gauge("stampede_ledger_disk_free_bytes", help, free);
        let all = disk.f_blocks.saturating_mul(disk.f_frsize);
        text.gauge("stampede_ledger_disk_bytes", "Bytes of that volume in all.", all);
    }
}

/// The histogram of answers, one bucket for each doubling.
fn answers(text: &mut Exposition, answered: &AnswerTotals) {
    let help = "Time from a buy's arrival to its answer's leaving.";
    text.begin("stampede_engine_answer_seconds", Kind::Histogram, help);
    let mut count = 0;
    for bucket in 0..AnswerTimes::BUCKETS {
        count += answered.times.get(bucket);
        // Every other bucket begins at a power of two; the last has no end.
        if bucket.is_multiple_of(2) && bucket + 1 < AnswerTimes::BUCKETS {
            let end = seconds(AnswerTimes::begins_at_us(bucket + 1)).to_string();
            text.suffixed("_bucket", &[("le", &end)], count);
        }
    }
    text.suffixed("_bucket", &[("le", "+Inf")], count);
    text.suffixed("_sum", &[], seconds(answered.sum_us)).suffixed("_count", &[], count);
}

#[allow(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_up_to_each_bound() {
        let mut times = AnswerTimes::default();
        for us in [10, 70, 100, 130, u64::MAX] {
            times.add(AnswerTimes::bucket_of(us), 1);
        }
        let mut text = Exposition::after(String::new());
        answers(&mut text, &AnswerTotals { times, sum_us: 2_500_000 });
        let text = text.into_text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let name = "stampede_engine_answer_seconds";
        let bounds = [("0.000064", 1), ("0.000128", 3), ("0.000256", 4)];
        for ((bound, count), line) in bounds.iter().zip(&lines) {
            assert_eq!(*line, format!("{name}_bucket{{le=\"{bound}\"}} {count}"));
        }
        assert_eq!(lines[19], format!("{name}_bucket{{le=\"33.554432\"}} 4"));
        let rest = [format!("{name}_bucket{{le=\"+Inf\"}} 5"), format!("{name}_sum 2.5")];
        assert_eq!(lines[20..22], rest);
        assert_eq!(lines[22..], [format!("{name}_count 5")]);
    }
}
