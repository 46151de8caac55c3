//! The parts of a report's page: what each shows, in words.

/// A figure with its definition.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) second: String,
}

/// Something drawn, with its finding.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// What the page calls it.
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) lead: String,
    /// The drawing in every width of the page.
    pub(crate) svg: String,
}

/// A table of sizes.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) title: String,
    pub(crate) lead: &'static str,
    /// By what they differ.
    pub(crate) head: String,
    pub(crate) money_head: String,
    pub(crate) bar_head: &'static str,
    /// What stands in the column that matters: refused clicks where nothing is left, else what is left.
    pub(crate) key_head: &'static str,
    /// The same where it stands behind its figure.
    pub(crate) key_short: &'static str,
    pub(crate) rows: Vec<SizeRow>,
    /// Those that are not shown, summed.
    pub(crate) rest: Option<SizeRow>,
    /// Of more than one size.
    pub(crate) total: Option<SizeRow>,
    pub(crate) has_held: bool,
    pub(crate) has_left: bool,
    /// What is said where rows are left out.
    pub(crate) left_out: Option<String>,
}

/// One size.
#[derive(Clone, Debug)]
pub(crate) struct SizeRow {
    pub(crate) name: String,
    pub(crate) second: String,
    pub(crate) price: String,
    pub(crate) supply: String,
    pub(crate) taken: String,
    pub(crate) paid: String,
    pub(crate) money: String,
    pub(crate) key: String,
    pub(crate) bar: Option<Bar>,
}

/// The bar of a size, as long as its supply beside the largest; widths as attributes have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) paid: String,
    pub(crate) held: String,
    /// Where the last part begins.
    pub(crate) out: String,
    pub(crate) left: String,
}

/// A table of channels.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    pub(crate) title: String,
    pub(crate) lead: String,
    pub(crate) money_head: String,
    pub(crate) rows: Vec<ChannelRow>,
    pub(crate) total: ChannelRow,
    /// Where all of them are, if the table leaves some out.
    pub(crate) all: Option<String>,
}

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelRow {
    pub(crate) name: String,
    /// Whether the name is the merchant's; the pages' own words are written plain.
    pub(crate) is_named: bool,
    pub(crate) clicks: String,
    pub(crate) held: String,
    pub(crate) paid: String,
    pub(crate) share: String,
    pub(crate) pays: String,
    /// The length of its gauge.
    pub(crate) gauge: Option<String>,
    pub(crate) money: String,
}

/// A table of drops.
#[derive(Clone, Debug)]
pub(crate) struct Drops {
    pub(crate) title: String,
    pub(crate) lead: String,
    pub(crate) money_head: String,
    pub(crate) rows: Vec<DropRow>,
    pub(crate) total: Option<DropRow>,
    /// The page of the show.
    pub(crate) link: Option<String>,
    pub(crate) left_out: Option<String>,
}

/// One drop.
#[derive(Clone, Debug)]
pub(crate) struct DropRow {
    pub(crate) title: String,
    pub(crate) link: Option<String>,
    pub(crate) is_this: bool,
    pub(crate) supply: String,
    pub(crate) paid: String,
    pub(crate) left: String,
    pub(crate) all_taken: String,
    pub(crate) refused: String,
    pub(crate) money: String,
}

/// Reasons for which clicks were refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) title: String,
    pub(crate) rows: Vec<Reason>,
}

/// One reason.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) name: String,
    pub(crate) clicks: String,
    pub(crate) share: String,
    /// Length of its bar beside the longest.
    pub(crate) length: String,
}

/// Whether the sale was sound.
#[derive(Clone, Debug)]
pub(crate) struct Sound {
    pub(crate) title: &'static str,
    pub(crate) is_right: bool,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) note: Option<String>,
}

/// A phase with its beginning.
#[derive(Clone, Debug)]
pub(crate) struct PhaseRow {
    pub(crate) name: String,
    pub(crate) at: String,
    pub(crate) after: String,
}

/// What was changed during the sale.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    pub(crate) lead: String,
    pub(crate) rows: Vec<ChangeRow>,
    pub(crate) left_out: Option<String>,
}

/// A change with its time and the role of whoever made it.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRow {
    pub(crate) what: String,
    pub(crate) at: String,
    pub(crate) by: String,
}

/// What came after the settlement, beside figures that never change.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    /// Whether nothing came at all.
    pub(crate) is_unchanged: bool,
    pub(crate) sentences: Vec<String>,
    pub(crate) lead: String,
    /// In groups of four, two lines.
    pub(crate) hash: Vec<String>,
    /// What the hash stands for.
    pub(crate) hash_lead: String,
}

/// What is so at a moment after the settlement.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    pub(crate) lead: String,
    pub(crate) notes: Vec<String>,
}

/// Something to download.
#[derive(Clone, Debug)]
pub(crate) struct Download {
    pub(crate) path: String,
    pub(crate) name: &'static str,
    pub(crate) second: &'static str,
    pub(crate) is_page: bool,
}

/// A state with its sign.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) glyph: &'static str,
    pub(crate) text: String,
}

impl Figure {
    /// The class by which a long value is written smaller, so that it stays in one line.
    pub(crate) fn size(&self) -> &'static str {
        match self.value.chars().count() {
            0..=11 => "",
            12..=15 => " long",
            _ => " longer",
        }
    }
}

impl Bar {
    /// Parts in tenths of a percent.
    pub(crate) fn new(paid: u64, held: u64, left: u64) -> Self {
        Self { paid: width(paid), held: width(held), out: width(paid + held), left: width(left) }
    }
}

/// Tenths of a percent as an attribute has them.
pub(crate) fn width(tenths: u64) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A hash in groups of four digits, 32 digits on a line.
pub(crate) fn grouped(hash: &str) -> Vec<String> {
    let digits: Vec<char> = hash.chars().collect();
    let line = |line: &[char]| {
        let groups = line.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    };
    digits.chunks(32).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_stands_in_groups() {
        let lines = grouped(&"7f3a91c4".repeat(8));
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "7f3a 91c4 7f3a 91c4 7f3a 91c4 7f3a 91c4");
    }

    #[test]
    fn a_long_value_is_written_smaller() {
        let size = |value: &str| {
            let figure = Figure { label: "", value: value.to_owned(), second: String::new() };
            figure.size()
        };
        let sizes = ["€728,500.00", "€12,728,500.00", "€728,500.00 + ¥1,200,000"].map(size);
        assert_eq!(sizes, ["", " long", " longer"]);
    }

    #[test]
    fn a_width_is_written_with_a_decimal() {
        assert_eq!([0, 7, 134, 1_000].map(width), ["0.0%", "0.7%", "13.4%", "100.0%"]);
    }
}
