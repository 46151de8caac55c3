//! Reads CSV as RFC 4180 has it, and takes apostrophes off as `docs/control.md` says.

use std::collections::BTreeMap;

/// The rows by the names of their columns.
pub fn parse_csv(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = lines(text);
    let header = lines.remove(0);
    let row = |line: Vec<String>| {
        assert_eq!(line.len(), header.len(), "each line has a cell for each column");
        header.iter().cloned().zip(line).collect()
    };
    lines.into_iter().map(row).collect()
}

fn lines(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut chars) = (Vec::new(), Vec::new(), text.chars().peekable());
    while chars.peek().is_some() {
        let mut cell = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next().unwrap() {
                    '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    other => cell.push(other),
                }
            }
            cell = cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
        } else {
            while let Some(plain) = chars.next_if(|c| !matches!(c, ',' | '\r')) {
                cell.push(plain);
            }
        }
        line.push(cell);
        match chars.next().unwrap() {
            ',' => {}
            '\r' => {
                assert_eq!(chars.next(), Some('\n'));
                lines.push(std::mem::take(&mut line));
            }
            other => panic!("{other:?} behind a cell"),
        }
    }
    assert!(line.is_empty(), "the last line ends");
    lines
}
