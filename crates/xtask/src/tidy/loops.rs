//! No files of a crate import each other in a loop.
//!
//! A module is one thing with the files in its own folder: they may use what it says for all of them. A
//! sum type is one thing with its parts: what its variants hold may know the sum. Any other loop means
//! that one thing lies in two files, or that something lies in the wrong one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Finding, Source, modules, modules::Modules};

type Uses<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let by_path: BTreeMap<&str, &Source> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let mut findings = Vec::new();
    for root in by_path.keys().filter(|path| modules::is_root(path)) {
        match Modules::read(root, &by_path) {
            Ok(modules) => {
                let uses = modules.uses();
                let files: BTreeSet<&str> = uses.keys().copied().collect();
                findings.extend(loops(&modules, &uses, &files).iter().map(|way| complaint(way)));
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

fn complaint(way: &[&str]) -> Finding {
    let what = format!(
        "imports go in a loop: {}, and back; give what they share a place beneath them all",
        way.join(" uses ")
    );
    Finding { path: way[0].to_owned(), line: 1, what }
}

/// One way round for each set of files that all use each other.
fn loops<'a>(modules: &Modules, uses: &Uses<'a>, files: &BTreeSet<&'a str>) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut left = files.clone();
    while let Some(first) = left.pop_first() {
        let reached = reach(uses, files, first);
        let mut circle: BTreeSet<&str> =
            reached.into_iter().filter(|file| reach(uses, files, file).contains(first)).collect();
        if !circle.contains(first) {
            continue;
        }
        left.retain(|file| !circle.contains(file));
        let head = circle
            .iter()
            .find(|head| circle.iter().all(|file| file == *head || modules.encloses(head, file)))
            .copied();
        match head {
            // Without the module itself, the files in its folder stand on their own.
            Some(head) => {
                circle.remove(head);
                found.extend(loops(modules, uses, &circle));
            }
            None => found.push(way_round(uses, &circle, first)),
        }
    }
    found
}

/// The files among `files` that `from` uses, directly or by others of them.
fn reach<'a>(uses: &Uses<'a>, files: &BTreeSet<&'a str>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(file) = next.pop() {
        for used in uses.get(file).into_iter().flatten() {
            if files.contains(used) && reached.insert(*used) {
                next.push(used);
            }
        }
    }
    reached
}

/// A shortest way from `first` back to it.
fn way_round<'a>(uses: &Uses<'a>, circle: &BTreeSet<&'a str>, first: &'a str) -> Vec<&'a str> {
    let mut ways = VecDeque::from([vec![first]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let last = way[way.len() - 1];
        for used in uses.get(last).into_iter().flatten().filter(|file| circle.contains(**file)) {
            if *used == first {
                return way;
            }
            if seen.insert(*used) {
                ways.push_back([way.as_slice(), &[*used]].concat());
            }
        }
    }
    vec![first]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sample;

    #[track_caller]
    fn check(files: &[(&str, &str)], wanted: &[&str]) {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| sample(&format!("a/src/{path}"), text)).collect();
        let found: Vec<String> = findings(&sources)
            .iter()
            .map(|finding| {
                let way = finding.what.trim_start_matches("imports go in a loop: ");
                way.split(',').next().unwrap_or(way).replace("a/src/", "")
            })
            .collect();
        assert_eq!(found, wanted);
    }

    const LIB: (&str, &str) = ("lib.rs", "mod one; mod two; pub use one::One;");

    #[test]
    fn imports_that_point_one_way_pass() {
        let two = ("two.rs", "use crate::one::One; pub struct Two(One);");
        check(&[LIB, ("one.rs", "pub struct One;"), two], &[]);
    }

    #[test]
    fn files_that_use_each_other_are_refused() {
        for one in [
            "use crate::two::Two; pub struct One(Two);",
            "use super::two; pub struct One(two::Two);",
            "pub struct One(crate::two::Two);",
            "pub struct One; fn f() { use crate::two::{Other, Two}; }",
            "pub struct One; fn f() { println!(\"{}\", crate::two::TWO); }",
            "use crate::two::Trait as _; pub struct One;",
            "use crate::two::*; pub struct One;",
            "pub struct One; mod inner { use super::super::two::Two; }",
        ] {
            // What the root hands on is followed to where it is defined.
            for two in ["use crate::One; pub struct Two(One);", "pub fn f(one: &crate::One) {}"] {
                check(&[LIB, ("one.rs", one), ("two.rs", two)], &["one.rs uses two.rs"]);
            }
        }
    }

    #[test]
    fn a_loop_of_three_is_shown_in_its_order() {
        let lib = ("lib.rs", "mod one; mod two; mod three;");
        let uses = |other: &str| format!("pub fn f() {{ crate::{other}::f() }}");
        let (one, two, three) = (uses("two"), uses("three"), uses("one"));
        check(
            &[lib, ("one.rs", &one), ("two.rs", &two), ("three.rs", &three)],
            &["one.rs uses two.rs uses three.rs"],
        );
    }

    #[test]
    fn a_module_is_one_thing_with_its_folder() {
        let lib = ("lib.rs", "mod room;");
        let room = ("room/mod.rs", "mod door; pub struct Room(door::Door);");
        let door = ("room/door.rs", "use super::Room; pub struct Door; pub fn of(room: &Room) {}");
        check(&[lib, room, door], &[]);
        let named = ("room.rs", room.1);
        check(&[lib, named, door], &[]);
    }

    #[test]
    fn files_of_one_folder_are_several_things() {
        let lib = ("lib.rs", "mod room;");
        let room = ("room/mod.rs", "mod door; mod wall; pub struct Room(door::Door);");
        let door = ("room/door.rs", "use super::{Room, wall::Wall}; pub struct Door(Wall);");
        let wall = ("room/wall.rs", "use super::door::Door; pub struct Wall(Door);");
        check(&[lib, room, door, wall], &["room/door.rs uses room/wall.rs"]);
    }

    #[test]
    fn a_folder_and_a_file_outside_of_it_are_two_things() {
        let lib = ("lib.rs", "mod room; mod garden;");
        let room = ("room/mod.rs", "mod door; pub struct Room(crate::garden::Garden);");
        let door = ("room/door.rs", "use super::Room; pub struct Door(Room);");
        let garden = ("garden.rs", "use crate::room::door::Door; pub struct Garden(Door);");
        check(&[lib, room, door, garden], &["garden.rs uses room/door.rs uses room/mod.rs"]);
    }

    #[test]
    fn a_sum_type_may_have_parts_that_know_it() {
        let sum = "use crate::two::{Two, self}; pub enum One { A(Two), B { two: Box<two::Two> } }";
        let part =
            "use crate::one::One; pub struct Two; impl Two { fn f() -> One { One::A(Two) } }";
        check(&[LIB, ("one.rs", sum), ("two.rs", part)], &[]);
        let more = format!("{sum} fn f(_: Two) {{}}");
        check(&[LIB, ("one.rs", &more), ("two.rs", part)], &["one.rs uses two.rs"]);
    }

    #[test]
    fn inline_tests_may_use_what_they_like() {
        let one = "pub struct One; #[cfg(test)] mod tests { use crate::two::Two; }";
        let two = "use crate::one::One; pub struct Two(One);";
        check(&[LIB, ("one.rs", one), ("two.rs", two)], &[]);
    }

    #[test]
    fn a_field_named_like_a_module_is_no_import() {
        let lib = ("lib.rs", "mod room; mod garden;");
        let room = ("room/mod.rs", "mod door; pub struct Room { door: u8 }");
        let door = ("room/door.rs", "use crate::garden::Garden; pub struct Door(Garden);");
        let garden = ("garden.rs", "use crate::room::Room; pub struct Garden(Room);");
        check(&[lib, room, door, garden], &[]);
    }
}
