//! Shared reports, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{ChannelId, DropId, DurationMs, UnixMillis};
use utoipa::{IntoParams, ToSchema};

use super::plan::parsed;
use crate::{
    extract::PageLimit,
    place::Place,
    problem::{Code, Problem},
    staff::{SHARE_VALID_DEFAULT, SHARE_VALID_MAX, SHARE_VALID_MIN, Share, ShareSubject},
};

/// What to share, for how long: one of `drop` and `show`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShare)]
pub(crate) struct ShareBody {
    /// The drop whose report is shared.
    #[serde(default)]
    #[schema(example = "d12")]
    drop: Option<String>,
    /// Any drop of the show whose report is shared.
    #[serde(default)]
    #[schema(example = "d12")]
    show: Option<String>,
    /// The one channel that is shown, with nothing of the others and no totals; everything if left out.
    #[serde(default)]
    #[schema(example = "nina-live")]
    channel: Option<String>,
    /// Seconds for which the link is good; 30 days if left out.
    #[serde(default)]
    #[schema(value_type = Option<u64>, example = 2_592_000, minimum = 3_600, maximum = 34_560_000)]
    valid_for_s: Option<ValidSeconds>,
    /// What you call it, 1 to 200 bytes; shown in the list of shares alone.
    #[serde(default)]
    #[schema(example = "for the board")]
    label: Option<String>,
}

/// How long a share may be good for, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
struct ValidSeconds(DurationMs);

/// A share would be good for too short or too long a time.
#[derive(Debug, thiserror::Error)]
#[error("{given} seconds; {min} to {max} are allowed")]
struct ValidSecondsError {
    given: u64,
    min: u64,
    max: u64,
}

impl TryFrom<u64> for ValidSeconds {
    type Error = ValidSecondsError;

    fn try_from(given: u64) -> Result<Self, ValidSecondsError> {
        let (min, max) = (SHARE_VALID_MIN.get() / 1_000, SHARE_VALID_MAX.get() / 1_000);
        if (min..=max).contains(&given) {
            Ok(Self(DurationMs::from_secs(given)))
        } else {
            Err(ValidSecondsError { given, min, max })
        }
    }
}

impl ShareBody {
    /// What it names.
    pub(crate) fn subject(&self) -> Result<ShareSubject, Problem> {
        match (&self.drop, &self.show) {
            (Some(drop), None) => Ok(ShareSubject::Drop(parsed("drop", drop)?)),
            (None, Some(drop)) => Ok(ShareSubject::Show(parsed("show", drop)?)),
            (None, None) => Err(Problem::new(
                Code::FieldsConflict,
                "say what to share: a `drop`, or the `show` that a drop belongs to",
            )),
            (Some(_), Some(_)) => Err(Problem::new(
                Code::FieldsConflict,
                "`drop` and `show` do not go together: a link shows one or the other",
            )),
        }
    }

    /// The one channel.
    pub(crate) fn channel(&self) -> Result<Option<ChannelId>, Problem> {
        self.channel.as_deref().map(|id| parsed("channel", id)).transpose()
    }

    /// For how long.
    pub(crate) fn valid(&self) -> DurationMs {
        self.valid_for_s.map_or(SHARE_VALID_DEFAULT, |seconds| seconds.0)
    }

    /// What its maker calls it.
    pub(crate) fn label(self) -> Option<String> {
        self.label
    }
}

/// Which shares.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShareParams {
    /// Only shares of this drop's report.
    #[serde(default)]
    #[param(example = "d12")]
    drop: Option<String>,
    /// Only shares of the report of the show that this drop belongs to.
    #[serde(default)]
    #[param(example = "d12")]
    show: Option<String>,
    /// Shares to leave out before the first of the page.
    #[serde(default)]
    #[param(value_type = u64, default = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) skip: Place,
    /// Shares of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

impl ShareParams {
    /// The drop, and the drop of a show, that were asked for.
    pub(crate) fn wanted(&self) -> Result<(Option<DropId>, Option<DropId>), Problem> {
        let drop = |field: &str, given: &Option<String>| {
            let read = given.as_deref().map(str::parse).transpose();
            read.map_err(|error: stampede_domain::IdError| {
                Problem::new(Code::BadQuery, format!("{field}: {error}"))
            })
        };
        Ok((drop("drop", &self.drop)?, drop("show", &self.show)?))
    }
}

/// A share that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeShare)]
pub(crate) struct MadeShareBody {
    /// The link; it is shown only now. Left out where nobody has said where people find the server: put the server's
    /// address in front of `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://sale.example/shared/shr_...")]
    pub(crate) url: Option<String>,
    /// The link without the server's address.
    #[schema(example = "/shared/shr_...")]
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) share: ShareLine,
}

/// Shares of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Shares in force that the token may see, newest first.
    pub(crate) shares: Vec<ShareLine>,
    /// How many there are on all pages.
    pub(crate) total: usize,
}

/// A share without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Share)]
pub(crate) struct ShareLine {
    /// Names it for revoking.
    #[schema(example = "r1a2b3c4d5e6f7081")]
    id: String,
    /// The drop whose report it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d12")]
    drop: Option<String>,
    /// The first drop of the show whose report it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d12")]
    show: Option<String>,
    /// The drop's title, or the show's stream.
    title: String,
    /// The one channel that it shows; left out where it shows everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "nina-live")]
    channel: Option<String>,
    /// What its maker calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "for the board")]
    label: Option<String>,
    /// Who made it.
    #[schema(example = "mia")]
    by: String,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    created_at_ms: u64,
    /// When it is over, in milliseconds since 1970-01-01 UTC.
    ends_at_ms: u64,
    /// When it was last read, in milliseconds since 1970-01-01 UTC; left out where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at_ms: Option<u64>,
    /// Minutes in which it was read: a page that follows a running sale reads every few seconds.
    uses: u64,
}

impl ShareLine {
    pub(crate) fn new(share: &Share, title: &str) -> Self {
        let (drop, show) = match share.subject {
            ShareSubject::Drop(drop) => (Some(drop.to_string()), None),
            ShareSubject::Show(drop) => (None, Some(drop.to_string())),
        };
        Self {
            id: share.id.clone(),
            drop,
            show,
            title: title.to_owned(),
            channel: share.channel.as_ref().map(ToString::to_string),
            label: share.label.clone(),
            by: share.by.clone(),
            created_at_ms: share.created_at.get(),
            ends_at_ms: share.ends_at.get(),
            used_at_ms: share.used_at.map(UnixMillis::get),
            uses: share.uses,
        }
    }
}

/// A report as whoever has its link reads it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SharedReport)]
pub(crate) struct SharedReport<T> {
    pub(crate) share: SharedFacts,
    /// By `kind`: as `GET /v1/drops/{drop}/report` or `GET /v1/shows/{drop}/report` has it, or what one channel brought.
    #[schema(value_type = serde_json::Value)]
    pub(crate) report: T,
}

/// What a reader is told of a share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharedFacts {
    /// What the report is of.
    kind: SharedKind,
    /// When the link is over, in milliseconds since 1970-01-01 UTC.
    ends_at_ms: u64,
}

/// What a shared report is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SharedKind {
    /// A drop.
    Drop,
    /// A show.
    Show,
    /// One channel of a drop.
    DropChannel,
    /// One channel of a show.
    ShowChannel,
}

impl SharedFacts {
    pub(crate) fn of(share: &Share) -> Self {
        let kind = match (share.subject, &share.channel) {
            (ShareSubject::Drop(_), None) => SharedKind::Drop,
            (ShareSubject::Drop(_), Some(_)) => SharedKind::DropChannel,
            (ShareSubject::Show(_), None) => SharedKind::Show,
            (ShareSubject::Show(_), Some(_)) => SharedKind::ShowChannel,
        };
        Self { kind, ends_at_ms: share.ends_at.get() }
    }
}
