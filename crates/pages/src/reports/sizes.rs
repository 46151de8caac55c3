//! The table of sizes.

use super::{
    findings,
    parts::{Bar, SizeRow, Sizes},
    told::{Report, Sku},
};
use crate::{
    numbers::{count, shares},
    reader::Reader,
    words::Language,
};

/// What each SKU is called: by its options, by its title where it has none.
fn names(report: &Report) -> Vec<String> {
    let name = |sku: &Sku| {
        let values: Vec<&str> = sku.options.iter().map(|option| option.value.as_str()).collect();
        if values.is_empty() { sku.title.clone() } else { values.join(", ") }
    };
    report.skus.iter().map(name).collect()
}

/// What tells each SKU from others of the same name: the merchant's code, the id where codes are alike too; empty for a
/// name that no other has.
fn marks(report: &Report, names: &[String]) -> Vec<String> {
    let skus = || report.skus.iter().zip(names);
    let mark = |(sku, name): (&Sku, &String)| {
        let alike: Vec<&Sku> =
            skus().filter(|(_, other)| *other == name).map(|(other, _)| other).collect();
        let same_code = alike.iter().filter(|other| other.code == sku.code).count();
        match (alike.len(), same_code) {
            (1, _) => String::new(),
            (_, 1) if !sku.code.is_empty() => sku.code.clone(),
            _ => sku.id.clone(),
        }
    };
    skus().map(mark).collect()
}

/// By what the SKUs differ: the name of the only option that they have, else that they are goods.
fn head(report: &Report, words: Language) -> String {
    let option = |sku: &Sku| match sku.options.as_slice() {
        [only] => Some(only.name.clone()),
        _ => None,
    };
    let first = report.skus.first().and_then(option);
    match first {
        Some(name) if report.skus.iter().all(|sku| option(sku).as_ref() == Some(&name)) => name,
        _ => words.report_col_goods().to_owned(),
    }
}

/// What each SKU is called where others stand beside it.
pub(super) fn told_apart(report: &Report) -> Vec<String> {
    let names = names(report);
    let marks = marks(report, &names);
    let told = |(name, mark): (String, String)| {
        if mark.is_empty() { name } else { format!("{name}, {mark}") }
    };
    names.into_iter().zip(marks).map(told).collect()
}

impl Sizes {
    /// The sizes of a drop, `rows_max` of them at most: those with the most units paid, in the plan's order.
    pub(super) fn of(report: &Report, reader: &Reader, rows_max: usize) -> Self {
        let words = reader.words;
        let names = names(report);
        let marks = marks(report, &names);
        let is_over = report.left == 0 && report.opened_at_ms.is_some();
        let shown = shown(report, rows_max);
        let longest = report.skus.iter().map(|sku| sku.supplied).max().unwrap_or(0);
        let row = |place: &usize| {
            let sku = &report.skus[*place];
            SizeRow {
                second: marks[*place].clone(),
                price: reader.money(sku.price_minor, &report.currency),
                bar: Some(bar(sku, longest)),
                ..summed(&[sku], names[*place].clone(), report, reader, is_over)
            }
        };
        let rows: Vec<SizeRow> = shown.iter().map(row).collect();
        let hidden: Vec<&Sku> = report
            .skus
            .iter()
            .enumerate()
            .filter(|(place, _)| !shown.contains(place))
            .map(|(_, sku)| sku)
            .collect();
        let number = count(u64::try_from(hidden.len()).unwrap_or(u64::MAX));
        let rest = (!hidden.is_empty())
            .then(|| summed(&hidden, words.report_rows_more(&number), report, reader, is_over));
        let all: Vec<&Sku> = report.skus.iter().collect();
        let total = (all.len() > 1)
            .then(|| summed(&all, words.report_total().to_owned(), report, reader, is_over));
        Self {
            title: findings::sizes(report, &told_apart(report), words),
            lead: if is_over { words.report_sizes_lead() } else { words.report_sizes_lead_left() },
            head: head(report, words),
            money_head: words.report_col_money(&report.currency),
            bar_head: match (report.held > 0, report.left > 0) {
                (true, _) => words.report_col_bar_held(),
                (false, true) => words.report_col_bar(),
                (false, false) => words.report_col_bar_paid(),
            },
            key_head: if is_over { words.report_col_refused() } else { words.report_col_left() },
            key_short: if is_over { words.report_refused_short() } else { words.chart_left() },
            rows,
            left_out: rest.is_some().then(|| words.report_rows_in_download(&number)),
            rest,
            total,
            // While the sale runs the line below stays where it is.
            has_held: report.held > 0 || report.is_running(),
            has_left: report.left > 0 || report.is_running(),
        }
    }
}

/// The places of the SKUs that are shown, ascending.
fn shown(report: &Report, rows_max: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..report.skus.len()).collect();
    if places.len() > rows_max {
        // A stable sort: of equals the one that the plan names first.
        places.sort_by_key(|place| std::cmp::Reverse(report.skus[*place].sold));
        places.truncate(rows_max);
        places.sort_unstable();
    }
    places
}

/// A row with the sums of these SKUs.
fn summed(skus: &[&Sku], name: String, report: &Report, reader: &Reader, is_over: bool) -> SizeRow {
    let sum = |figure: fn(&Sku) -> u64| {
        skus.iter().map(|sku| figure(sku)).fold(0_u64, u64::saturating_add)
    };
    let refused: Option<Vec<u64>> = skus.iter().map(|sku| sku.refused_for_want).collect();
    let refused = refused.map(|clicks| clicks.into_iter().fold(0_u64, u64::saturating_add));
    let key = if is_over { refused } else { Some(sum(|sku| sku.left)) };
    SizeRow {
        name,
        second: String::new(),
        price: String::new(),
        supply: count(sum(|sku| sku.supplied)),
        taken: count(sum(|sku| sku.taken)),
        paid: count(sum(|sku| sku.sold)),
        money: reader.money(sum(|sku| sku.money.paid), &report.currency),
        key: key.map_or_else(|| reader.words.unknown().to_owned(), count),
        bar: None,
    }
}

/// The bar of one SKU beside the one with the largest supply.
fn bar(sku: &Sku, longest: u64) -> Bar {
    let held = sku.supplied.saturating_sub(sku.sold.saturating_add(sku.left));
    let [paid, held, left, _] =
        shares([sku.sold, held, sku.left, longest.saturating_sub(sku.supplied)]);
    Bar::new(paid, held, left)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::report;
    use super::*;
    use crate::answers::Choice;

    fn sizes(report: &Report, rows_max: usize) -> Sizes {
        Sizes::of(report, &Reader::of(Language::English), rows_max)
    }

    #[test]
    fn a_size_is_called_by_what_it_differs_in() {
        let mut report = report();
        let table = sizes(&report, 64);
        assert_eq!(table.head, "Size");
        assert_eq!(
            (table.rows[1].name.as_str(), table.rows[1].price.as_str()),
            ("50 ml", "€49.90")
        );
        let total = table.total.unwrap();
        assert_eq!(
            (total.supply.as_str(), total.money.as_str(), total.key.as_str()),
            ("15,000", "€728,500.00", "184,609")
        );
        // Without options all would have the same name.
        for sku in &mut report.skus {
            sku.options.clear();
        }
        let table = sizes(&report, 64);
        assert_eq!(table.head, "Goods");
        assert_eq!(
            (table.rows[0].name.as_str(), table.rows[0].second.as_str()),
            ("Eau de parfum", "EDP-30 ml")
        );
        assert_eq!(
            table.title.replace(['\u{2068}', '\u{2069}'], ""),
            "Most of the clicks refused for want of units asked for Eau de parfum, EDP-50 ml: 141,503 of 184,609"
        );
        // Codes may be alike as well.
        report.skus[1].code = report.skus[0].code.clone();
        let seconds: Vec<String> =
            sizes(&report, 64).rows.into_iter().map(|row| row.second).collect();
        assert_eq!(seconds, ["30 ml", "50 ml", "EDP-100 ml"]);
        // Two options have no one name.
        report.skus[0].options = vec![
            Choice { name: "Size".to_owned(), value: "L".to_owned() },
            Choice { name: "Colour".to_owned(), value: "red".to_owned() },
        ];
        assert_eq!(
            (sizes(&report, 64).head.as_str(), names(&report)[0].as_str()),
            ("Goods", "L, red")
        );
    }

    #[test]
    fn of_many_sizes_those_that_sold_most_are_shown_and_the_rest_is_summed() {
        let mut report = report();
        let pattern = report.skus[0].clone();
        report.skus = (0..64_u64)
            .map(|place| Sku { sold: place % 60, supplied: 64, ..pattern.clone() })
            .collect();
        let table = sizes(&report, 20);
        assert_eq!(table.rows.len(), 20);
        assert_eq!(table.left_out.as_deref(), Some("44 more stand in the download"));
        let number = |text: &str| text.replace(',', "").parse::<u64>().unwrap();
        let shown: u64 = table.rows.iter().map(|row| number(&row.paid)).sum();
        let rest = table.rest.unwrap();
        assert_eq!(shown + number(&rest.paid), number(&table.total.unwrap().paid));
        assert_eq!(rest.name, "44 more sizes");
        // In the order of the plan.
        assert!(table.rows.windows(2).all(|two| number(&two[0].paid) < number(&two[1].paid)));
    }

    #[test]
    fn a_bar_is_as_long_as_its_supply() {
        let pattern = report().skus[0].clone();
        let one =
            |supplied, sold, left| bar(&Sku { supplied, sold, left, ..pattern.clone() }, 1_000);
        assert_eq!(one(1_000, 612, 388), Bar::new(612, 0, 388));
        assert_eq!(one(500, 250, 150), Bar::new(250, 100, 150));
        assert_eq!(bar(&Sku { supplied: 0, sold: 0, left: 0, ..pattern }, 0), Bar::new(0, 0, 0));
    }

    #[test]
    fn where_something_is_left_the_table_says_so_in_the_place_of_refusals() {
        let mut report = report();
        report.left = 30;
        report.skus[0].left = 30;
        let table = sizes(&report, 64);
        assert_eq!((table.key_head, table.rows[0].key.as_str()), ("Left", "30"));
        let mut uncounted = super::super::fixtures::report();
        uncounted.skus[0].refused_for_want = None;
        let table = sizes(&uncounted, 64);
        assert_eq!((table.rows[0].key.as_str(), table.total.unwrap().key.as_str()), ("–", "–"));
    }
}
