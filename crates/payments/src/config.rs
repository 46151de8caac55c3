//! Which provider takes the money.

use stampede_domain::DurationMs;

/// Who takes the money for holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Provider {
    /// The platform's own provider, which reports on its own: viewers cannot pay here.
    External,
    /// A pretended provider for trying, for rehearsals, for load tests.
    Sandbox(SandboxConfig),
}

/// How the pretended provider behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct SandboxConfig {
    /// Time from the viewer's `pay` to the provider's answer, in milliseconds.
    pub delay: DurationMs,
    /// Share of attempts that fail but may be repeated while the hold lives, 0 to 1.
    pub failure_rate: f64,
    /// Share of attempts that fail for good, which ends the hold, 0 to 1.
    pub final_failure_rate: f64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { delay: DurationMs::new(500), failure_rate: 0.0, final_failure_rate: 0.0 }
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A share outside 0 to 1.
    #[error("{name} is {value}; 0 to 1 are allowed")]
    Rate {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// Both kinds of failure together exceed all attempts.
    #[error("failure_rate {failure} plus final_failure_rate {final_failure} exceed 1")]
    RatesExceedOne {
        /// The share of failures that may be repeated.
        failure: f64,
        /// The share of final ones.
        final_failure: f64,
    },
}

impl SandboxConfig {
    /// Checks each setting.
    ///
    /// # Errors
    /// The first one that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rates =
            [("failure_rate", self.failure_rate), ("final_failure_rate", self.final_failure_rate)];
        if let Some((name, value)) = rates.into_iter().find(|(_, v)| !(0.0..=1.0).contains(v)) {
            return Err(ConfigError::Rate { name, value });
        }
        if self.failure_rate + self.final_failure_rate > 1.0 {
            return Err(ConfigError::RatesExceedOne {
                failure: self.failure_rate,
                final_failure: self.final_failure_rate,
            });
        }
        Ok(())
    }
}
