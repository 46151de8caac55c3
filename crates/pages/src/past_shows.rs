//! Shows as the interface lists them: each in a few figures.

use serde::Deserialize;

/// A page of shows, past and present.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PastShows {
    pub(crate) shows: Vec<PastShow>,
    /// On all pages.
    pub(crate) total: usize,
}

/// One show in a few figures.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PastShow {
    pub(crate) show: String,
    pub(crate) stream: String,
    pub(crate) host: String,
    /// `None` while nobody knows when it will begin.
    #[serde(default)]
    pub(crate) began_ms: Option<u64>,
    pub(crate) running: bool,
    /// The first of them.
    pub(crate) drops: Vec<PastDrop>,
    pub(crate) drops_total: usize,
    pub(crate) supplied: u64,
    #[serde(default)]
    pub(crate) sold: u64,
    #[serde(default)]
    pub(crate) gross: Vec<Gross>,
}

impl PastShow {
    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        !self.running && self.had_sale()
    }

    /// Whether units were on sale. A show whose drops were all called off had none, and neither had one of rehearsals: they
    /// are listed only where there is no live drop.
    pub(crate) fn had_sale(&self) -> bool {
        self.supplied > 0 && self.drops.iter().all(|drop| drop.mode == "live")
    }
}

/// The price of what was sold.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Gross {
    pub(crate) currency: String,
    pub(crate) minor: u64,
}

/// One drop of such a show.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PastDrop {
    pub(crate) title: String,
    pub(crate) mode: String,
}
