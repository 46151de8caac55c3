//! Stories as text: lines that are played, behind each what came of it.
//!
//! A file holds several stories, each below a line `# title`. Lines that begin with `=` are expected. The
//! language is described in [`crate::script`]; `INSTA_UPDATE=always` writes what came of the lines.

use std::{env, fmt::Write, fs, path::PathBuf};

use crate::script::Script;

/// Plays the stories of a file; all that came of each line must stand behind it.
fn check(file: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/books/stories").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let played = play(&text);
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, played).unwrap();
        return;
    }
    for (expected, played) in text.split("\n# ").zip(played.split("\n# ")) {
        assert!(expected == played, "{}", difference(expected, played));
    }
}

/// Where a story stops being what came of it, with the lines around.
fn difference(expected: &str, played: &str) -> String {
    let same = expected.lines().zip(played.lines()).take_while(|(a, b)| a == b).count();
    let story = played.lines().next().unwrap_or_default().trim_start_matches("# ");
    let mut text = format!("the story \"{story}\" goes on otherwise\n");
    for line in played.lines().take(same).skip(same.saturating_sub(6)) {
        writeln!(text, "  {line}").unwrap();
    }
    for (mark, side) in [("it says ", expected), ("it comes", played)] {
        for line in side.lines().skip(same).take(3) {
            writeln!(text, "{mark} {line}").unwrap();
        }
    }
    text
}

fn play(text: &str) -> String {
    let mut played = String::new();
    let mut script = Script::new();
    for line in text.lines().filter(|line| !line.starts_with('=')) {
        played += line;
        played.push('\n');
        if line.starts_with("# ") {
            script = Script::new();
        }
        let is_prose = line.starts_with('#') || line.starts_with("//") || line.is_empty();
        if is_prose {
            continue;
        }
        println!("{line}");
        for told in script.play(line) {
            writeln!(played, "= {told}").unwrap();
        }
    }
    played
}

#[test]
fn drops_start_open_and_close_by_their_timers() {
    check("timers.txt");
}

#[test]
fn holds_end_in_every_order_once() {
    check("holds.txt");
}

#[test]
fn what_permits_is_overtaken_by_what_forbids() {
    check("overtaking.txt");
}

#[test]
fn lots_are_added_and_counted() {
    check("lots.txt");
}

#[test]
fn units_that_nobody_has_taken_are_taken_back() {
    check("taken_back.txt");
}

#[test]
fn what_is_in_reserve_goes_on_sale_when_somebody_says_so() {
    check("reserves.txt");
}

#[test]
fn a_host_asks_for_more_than_the_reserve_and_is_answered_once() {
    check("requests.txt");
}

#[test]
fn terms_of_a_drop_on_sale_are_put_right() {
    check("amended.txt");
}

#[test]
fn a_drop_may_end_some_time_after_its_opening() {
    check("lengths.txt");
}

#[test]
fn a_rehearsal_is_over_when_it_ends_and_before_anything_is_sold_for_real() {
    check("rehearsals.txt");
}

#[test]
fn a_drop_winds_down_off_air() {
    check("wind_downs.txt");
}

#[test]
fn a_drop_that_was_opened_by_mistake_is_called_off() {
    check("undone.txt");
}

#[test]
fn edits_leave_alone_what_is_not_the_plans() {
    check("edits.txt");
}

#[test]
fn viewers_hear_of_a_hidden_drop_when_its_countdown_begins() {
    check("hidden.txt");
}

#[test]
fn drops_go_on_air_and_leave_it() {
    check("air.txt");
}

#[test]
fn rooms_say_who_may_sell_in_a_stream() {
    check("rooms.txt");
}

#[test]
fn the_brake_forbids_at_once_and_lets_go_once_durable() {
    check("brake.txt");
}

#[test]
fn each_accepted_command_does_its_work_once() {
    check("keys.txt");
}

#[test]
fn time_without_service_is_nobodys() {
    check("suspensions.txt");
}

#[test]
fn money_makes_orders_or_goes_back() {
    check("payments.txt");
}

#[test]
fn orders_are_cancelled_in_part_and_as_a_whole() {
    check("cancellations.txt");
}

#[test]
fn live_holds_are_extended_alike() {
    check("extensions.txt");
}

#[test]
fn a_restart_goes_on_where_the_durable_records_end() {
    check("restarts.txt");
}
