//! Runs the command blocks that the documents mark as runnable.
//!
//! A fenced block opened by `sh run` is run by bash from the root of the workspace, each line of
//! it must succeed. Blocks opened by `sh` alone are for reading: they need a server that is
//! running, another machine, another person.

use std::{fs, process::Stdio};

use crate::{
    failure::Failure,
    markdown::{self, Block},
    tidy,
    workspace::{self, Workspace},
};

const RUNNABLE: &str = "sh run";

pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut count = 0_usize;
    for path in tidy::tracked(workspace)?.into_iter().filter(|path| markdown::is_document(path)) {
        let text = fs::read_to_string(workspace.root().join(&path))
            .map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
        for block in runnable(&text) {
            println!("{path}:{}\n{}", block.line, block.text.trim_end());
            run(workspace, &path, &block)?;
            count += 1;
        }
    }
    println!("{count} blocks");
    Ok(())
}

fn runnable(document: &str) -> Vec<Block<'_>> {
    markdown::split(document).1.into_iter().filter(|block| block.info == RUNNABLE).collect()
}

fn run(workspace: &Workspace, path: &str, block: &Block<'_>) -> Result<(), Failure> {
    let mut command = workspace.command("bash");
    command.args(["-euo", "pipefail", "-c", &block.text]).stdin(Stdio::null());
    match workspace::run(&mut command) {
        Err(Failure::Ended { status, .. }) => {
            Err(Failure::DocCommand { path: path.to_owned(), line: block.line, status })
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_are_runnable() {
        let document = "```sh\nread me\n```\n```sh run\ntrue\n```\n```json\n{}\n```\n";
        let blocks = runnable(document);
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].text, "true\n");
    }
}
