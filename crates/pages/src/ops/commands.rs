//! The latest commands of staff, each with the names of its show and drop.

use std::collections::BTreeMap;

use crate::{
    answers::{Commands, Drops, Recorded, Summary},
    api::{Api, Asker, Refused},
    numbers::clock,
    visitor::Visitor,
    words::Language,
};

/// What drops are called, by their ids.
pub(super) struct Named(BTreeMap<String, Summary>);

impl Named {
    /// Asks for each drop that a command names. One that the reader may not see has no name here.
    pub(super) async fn read(api: &Api, asker: &Asker, commands: &Commands) -> Self {
        let mut named = BTreeMap::new();
        for drop in commands.commands.iter().filter_map(|recorded| recorded.drop.as_ref()) {
            if named.contains_key(drop) {
                continue;
            }
            if let Some(summary) = summary(api, asker, drop).await {
                named.insert(drop.clone(), summary);
            }
        }
        Self(named)
    }
}

/// A drop in a few figures, also one that is long over: the list has it where its ledger need not be read.
async fn summary(api: &Api, asker: &Asker, drop: &str) -> Option<Summary> {
    let number: u64 = drop.strip_prefix('d')?.parse().ok()?;
    let after = match number.checked_sub(1)? {
        0 => String::new(),
        before => format!("&after=d{before}"),
    };
    let found: Result<Drops, Refused> = api.get(asker, &format!("/v1/drops?limit=1{after}")).await;
    found.ok()?.drops.into_iter().find(|summary| summary.drop == drop)
}

/// One line of the log.
pub(super) struct Line {
    pub(super) at: String,
    /// What was done, as a verb.
    pub(super) did: String,
    /// To what: the drop's title, its id where nothing else is known; empty for what belongs to no drop.
    pub(super) title: String,
    /// In which show.
    pub(super) stream: String,
    pub(super) actor: String,
    pub(super) is_refused: bool,
}

impl Line {
    pub(super) fn new(recorded: &Recorded, named: &Named, visitor: &Visitor) -> Self {
        let words = visitor.language;
        let at = visitor.ahead_min.map(|ahead| clock(recorded.at_ms, ahead));
        let summary = recorded.drop.as_ref().and_then(|drop| named.0.get(drop));
        let title = summary.map(|summary| summary.title.clone()).or_else(|| recorded.drop.clone());
        let stream = summary.map(|summary| &summary.stream).or(recorded.stream.as_ref());
        Self {
            at: at.unwrap_or_else(|| words.unknown().to_owned()),
            did: match recorded.action.as_str() {
                "restock" if recorded.request.is_some() => words.ops_did_ask(),
                action => did(action, words),
            }
            .to_owned(),
            title: title.unwrap_or_default(),
            stream: stream.cloned().unwrap_or_default(),
            actor: recorded.actor.clone(),
            is_refused: recorded.refused.is_some(),
        }
    }
}

/// An action in the reader's words; one that is not known by its own name.
fn did(action: &str, words: Language) -> &str {
    match action {
        "plan" => words.ops_did_plan(),
        "edit" => words.ops_did_edit(),
        "cancel" => words.ops_did_cancel(),
        "open" => words.ops_did_open(),
        "cancel_countdown" => words.ops_did_cancel_countdown(),
        "pause" => words.ops_did_pause(),
        "resume" => words.ops_did_resume(),
        "feature" => words.ops_did_feature(),
        "move" => words.ops_did_move(),
        "wind_down" => words.ops_did_wind_down(),
        "close" => words.ops_did_close(),
        "undo" => words.ops_did_undo(),
        "restock" => words.ops_did_restock(),
        "grant_request" => words.ops_did_grant(),
        "decline_request" => words.ops_did_decline(),
        "withdraw_request" => words.ops_did_withdraw(),
        "take_back" => words.ops_did_take_back(),
        "amend" => words.ops_did_amend(),
        "cancel_order" => words.ops_did_cancel_order(),
        "extend" => words.ops_did_extend(),
        "stop" => words.ops_did_stop(),
        "go" => words.ops_did_go(),
        "set_rates" => words.ops_did_set_rates(),
        "ban" => words.ops_did_ban(),
        "unban" => words.ops_did_unban(),
        "stream_offline" => words.ops_did_stream_offline(),
        "stream_online" => words.ops_did_stream_online(),
        "make_room" => words.ops_did_make_room(),
        "move_room" => words.ops_did_move_room(),
        "admit" => words.ops_did_admit(),
        "dismiss" => words.ops_did_dismiss(),
        "allow_hosts" => words.ops_did_allow_hosts(),
        "forbid_hosts" => words.ops_did_forbid_hosts(),
        "end_room" => words.ops_did_end_room(),
        "set_video_delay" => words.ops_did_set_video_delay(),
        "rehearse" => words.ops_did_rehearse(),
        "end_rehearsal" => words.ops_did_end_rehearsal(),
        "close_unmatched" => words.ops_did_close_unmatched(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_engine_has_words() {
        for words in Language::ALL {
            for action in stampede_engine::Action::NAMES {
                assert_ne!(did(action, words), *action, "{action} in {}", words.tag());
            }
        }
    }
}
