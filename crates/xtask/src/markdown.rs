//! Fenced blocks of a Markdown document, told from its prose.

/// A fenced block with what stands behind its opening fence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub(crate) info: &'a str,
    /// Line of the opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Lines outside of fenced blocks with their numbers from 1, then the blocks.
pub(crate) fn split(document: &str) -> (Vec<(usize, &str)>, Vec<Block<'_>>) {
    let mut prose = Vec::new();
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for (index, line) in document.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open) {
            (Some(info), false) => {
                blocks.push(Block { info: info.trim(), line: index + 1, text: String::new() });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, false) => prose.push((index + 1, line)),
            (None, true) => {
                let block = blocks.last_mut().expect("an open block was pushed");
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    (prose, blocks)
}

/// Whether `path` is one of the documents whose claims are checked.
pub(crate) fn is_document(path: &str) -> bool {
    path == "README.md"
        || path.starts_with("docs/")
            && std::path::Path::new(path).extension().is_some_and(|extension| extension == "md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_from_prose() {
        let (prose, blocks) = split("one\n```sh run\nls\ncd x\n```\ntwo\n");
        assert_eq!(prose, [(1, "one"), (6, "two")]);
        assert_eq!(blocks, [Block { info: "sh run", line: 2, text: "ls\ncd x\n".to_owned() }]);
    }

    #[test]
    fn documents_are_the_readme_with_the_docs() {
        assert!(is_document("README.md"));
        assert!(is_document("docs/adr/one.md"));
        assert!(!is_document("docs/plan.txt"));
        assert!(!is_document("crates/stock/README.md"));
    }
}
