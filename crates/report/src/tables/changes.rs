//! What was changed during the sale, as a table.

use stampede_domain::{SkuIndex, Units};

use super::{Cell, Column, Kind, Table};
use crate::fold::{Change, Changed, DropReport};

const COLUMNS: [Column; 13] = [
    Column::new("drop", "Drop", Kind::Text),
    Column::new("at", "At (UTC)", Kind::Time),
    Column::new("what", "What", Kind::Text),
    Column::new("role", "By", Kind::Text),
    Column::new("sku", "SKU", Kind::Text),
    Column::new("units", "Units", Kind::Number),
    Column::new("reserve_units", "From or into the reserve", Kind::Number),
    Column::new("limit", "Limit of a viewer", Kind::Number),
    Column::new("limit_before", "Limit before", Kind::Number),
    Column::new("ends_at", "Ends at (UTC)", Kind::Time),
    Column::new("ends_at_before", "Ended at before (UTC)", Kind::Time),
    Column::new("extended", "More time (s)", Kind::Span),
    Column::new("copy", "Copy", Kind::Text),
];

/// What a row has beside its drop, time, kind and role.
struct Told {
    sku: Option<SkuIndex>,
    units: [Cell; 2],
    limits: [Cell; 2],
    ends: [Cell; 2],
    extended: Cell,
    copy: Cell,
}

const NOTHING: Told = Told {
    sku: None,
    units: [Cell::Nothing, Cell::Nothing],
    limits: [Cell::Nothing, Cell::Nothing],
    ends: [Cell::Nothing, Cell::Nothing],
    extended: Cell::Nothing,
    copy: Cell::Nothing,
};

impl DropReport {
    /// A row for each change, of limits one for each of them.
    pub(super) fn by_change(&self) -> Table {
        let rows =
            self.changes.listed.iter().flat_map(|change| {
                told(change).into_iter().map(|told| self.change_row(change, told))
            });
        Table { columns: COLUMNS.to_vec(), rows: rows.collect() }
    }

    fn change_row(&self, change: &Change, told: Told) -> Vec<Cell> {
        let Told { sku, units, limits, ends, extended, copy } = told;
        let ([units, reserve], [limit, before], [ends_at, ended_before]) = (units, limits, ends);
        let sku = sku.and_then(|sku| self.plan.sku(sku));
        vec![
            Cell::text(&self.drop),
            Cell::Time(change.at),
            Cell::text(change.what.name()),
            change.role.as_ref().map_or(Cell::Nothing, Cell::text),
            sku.map_or(Cell::Nothing, |sku| Cell::text(&sku.id)),
            units,
            reserve,
            limit,
            before,
            ends_at,
            ended_before,
            extended,
            copy,
        ]
    }
}

fn told(change: &Change) -> Vec<Told> {
    let number = |units: Units| Cell::Number(units.get().into());
    match &change.what {
        Changed::Restocked { sku, units, from_reserve: reserve } => {
            vec![Told { sku: Some(*sku), units: [number(*units), number(*reserve)], ..NOTHING }]
        }
        Changed::SoldAgain { sku, units } => {
            vec![Told { sku: Some(*sku), units: [number(*units), Cell::Nothing], ..NOTHING }]
        }
        Changed::TakenBack { sku, units, to_reserve } => {
            let reserve = if *to_reserve { *units } else { Units::ZERO };
            vec![Told { sku: Some(*sku), units: [number(*units), number(reserve)], ..NOTHING }]
        }
        Changed::Limits(limits) => limits
            .iter()
            .map(|one| Told {
                sku: one.sku,
                limits: [number(one.limit), number(one.before)],
                ..NOTHING
            })
            .collect(),
        Changed::End { at, before } => {
            vec![Told { ends: [(*at).into(), (*before).into()], ..NOTHING }]
        }
        Changed::WindDown { until } => {
            vec![Told { ends: [Cell::Time(*until), Cell::Nothing], ..NOTHING }]
        }
        Changed::OpeningUndone(copy) => {
            let copy = copy.drop().map_or(Cell::Nothing, |copy| Cell::text(&copy));
            vec![Told { copy, ..NOTHING }]
        }
        Changed::HoldsExtended(by) => vec![Told { extended: Cell::Span(*by), ..NOTHING }],
        Changed::CountdownCancelled => vec![NOTHING],
    }
}
