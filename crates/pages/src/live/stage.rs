//! What the person on camera reads: goods, price, what is left.

use serde::Serialize;

use super::{Air, Next};
use crate::words::Language;

/// The words around the one number.
#[derive(Debug, Serialize)]
pub(crate) struct Stage {
    pub(crate) title: String,
    pub(crate) price: String,
    /// What the number counts.
    pub(crate) under: String,
    /// Goods of which nothing is left, as the rest of that line.
    pub(crate) taken: String,
}

impl Stage {
    pub(crate) fn new(air: &Air, has_air: bool, next: Option<&Next>, words: Language) -> Self {
        if !has_air {
            let title = next.map_or_else(|| words.no_next().to_owned(), |next| next.title.clone());
            return Self {
                title,
                price: String::new(),
                under: String::new(),
                taken: String::new(),
            };
        }
        let is_number = air.hero.kind == "number";
        let out = air.skus.iter().filter(|sku| sku.out);
        let out: Vec<String> = out.map(|sku| words.stage_sku_taken(&sku.name)).collect();
        Self {
            title: air.title.clone(),
            price: air.price.clone(),
            under: if is_number { words.stage_left().to_owned() } else { String::new() },
            taken: if is_number { out.join(", ") } else { String::new() },
        }
    }
}
