//! The fingerprint of a request, to notice a key that is used for another one.
//!
//! The bytes are written field by field rather than taken from a `Debug` form: they stay the same
//! when the program changes, so a key that was used before an update still fits its request.

use std::sync::Arc;

use stampede_domain::{BanTarget, DropId, DropPlan, DurationMs, KeyFingerprint, NewEnd};
use stampede_ledger::{Record, codec};

use super::{Action, AmendTerms, BrakeAction, CancelOrder, DropAction, StreamAction, TakeBack};

/// Version of the layout; another layout would make old keys look reused.
const VERSION: u8 = 1;

impl Action {
    /// Fingerprint of the request, as it is recorded: everything but a person's id or address, which
    /// the chain must not hold in any form that could be guessed back.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint_about(self.drop())
    }

    fn fingerprint_about(&self, drop: Option<DropId>) -> KeyFingerprint {
        let mut bytes = Bytes::about(self.name(), drop);
        match self {
            Self::Plan { plan } => bytes.plan(plan),
            Self::Drop { action, .. } => bytes.drop_action(action),
            Self::Brake(action) => bytes.brake_action(action),
            Self::Stream { stream, action } => {
                bytes.text(stream.as_str());
                bytes.stream_action(action);
            }
            Self::CloseUnmatched { payment } => {
                bytes.text(payment.account.as_str());
                bytes.text(payment.reference.as_str());
            }
        }
        KeyFingerprint::of(&bytes.0)
    }

    /// Fingerprint of the person or the addresses that it names; kept in memory only.
    pub fn personal(&self) -> Option<KeyFingerprint> {
        match self {
            Self::Brake(BrakeAction::Ban { target, .. }) => personal(target),
            _ => None,
        }
    }
}

/// Fingerprint of the request for an edit that names only `changes`. It is known before anybody looks at the drop, so
/// that a retry finds its answer whatever has become of the drop.
pub fn patch_request(drop: DropId, changes: KeyFingerprint) -> KeyFingerprint {
    let mut bytes = Bytes::about("edit", Some(drop));
    bytes.changes(changes);
    KeyFingerprint::of(&bytes.0)
}

/// Fingerprint of what is personal about a ban's target.
pub fn personal(target: &BanTarget) -> Option<KeyFingerprint> {
    match target {
        BanTarget::Viewer(_) | BanTarget::Addresses(_) => {
            Some(KeyFingerprint::of(target.to_string().as_bytes()))
        }
        BanTarget::Channel { .. } => None,
    }
}

/// Fields one after the other, each of them of a known length.
struct Bytes(Vec<u8>);

impl Bytes {
    fn about(action: &str, drop: Option<DropId>) -> Self {
        let mut bytes = Self(vec![VERSION]);
        bytes.text(action);
        bytes.number(drop.map_or(0, |drop| u64::from(drop.get())));
        bytes
    }

    /// In place of a plan, which is longer.
    fn changes(&mut self, changes: KeyFingerprint) {
        self.text("patch");
        self.0.extend_from_slice(&changes.bits().to_le_bytes());
    }

    fn plan(&mut self, plan: &Arc<DropPlan>) {
        // Plans have the bytes that they had before hosts asked for more.
        let plan = Arc::new(DropPlan { more_by_request: false, ..(**plan).clone() });
        codec::encode(&Record::Planned { plan, revision: 0 }, &mut self.0);
    }

    fn drop_action(&mut self, action: &DropAction) {
        match action {
            DropAction::Edit { plan } => self.plan(plan),
            DropAction::Patch { changes, .. } => self.changes(*changes),
            DropAction::StartCountdownFor { countdown } => self.number(countdown.get()),
            DropAction::Move { place } => self.number(u64::from(*place)),
            DropAction::Restock { sku, units } => {
                self.pair(sku.as_str(), u64::from(units.get()));
            }
            DropAction::TakeBack(TakeBack { sku, units, to_reserve }) => {
                // None at all is refused, so nothing else has the number of all.
                self.pair(sku.as_str(), units.map_or(0, |units| u64::from(units.get())));
                // What gives them up for good has the bytes that it had before there were reserves.
                self.0.extend(to_reserve.then_some(1));
            }
            DropAction::Amend(AmendTerms { limit_per_viewer, skus, end }) => {
                self.option(limit_per_viewer.map(|limit| limit.get().into()));
                self.number(skus.len() as u64);
                for (sku, limit) in skus {
                    self.pair(sku.as_str(), limit.get().into());
                }
                match end {
                    None => self.0.push(0),
                    Some(NewEnd::Never) => self.0.push(1),
                    Some(NewEnd::At(at)) => {
                        self.0.push(2);
                        self.number(at.get());
                    }
                }
            }
            DropAction::CancelOrder(CancelOrder { order, units, amount, restock, seen: _ }) => {
                self.pair(&order.to_string(), u64::from(*units));
                self.option(*amount);
                self.0.push(u8::from(*restock));
            }
            DropAction::Extend { by } => self.number(by.get()),
            DropAction::GrantRequest { number }
            | DropAction::DeclineRequest { number }
            | DropAction::WithdrawRequest { number } => self.number(u64::from(*number)),
            DropAction::Cancel
            | DropAction::StartCountdown
            | DropAction::CancelCountdown
            | DropAction::Pause
            | DropAction::Resume
            | DropAction::Feature
            | DropAction::WindDown
            | DropAction::Close
            | DropAction::Undo => {}
        }
    }

    fn brake_action(&mut self, action: &BrakeAction) {
        match action {
            BrakeAction::Halt { expires_in } => self.span(*expires_in),
            BrakeAction::Go => {}
            BrakeAction::SetRates { rates, expires_in } => {
                self.option(rates.buys_per_s.map(u64::from));
                self.option(rates.hellos_per_s.map(u64::from));
                self.span(rates.tick_interval);
                self.span(*expires_in);
            }
            BrakeAction::Ban { target, release_holds, expires_in } => {
                match target {
                    BanTarget::Viewer(_) => self.0.push(0),
                    BanTarget::Addresses(_) => self.0.push(1),
                    BanTarget::Channel { channel, stream } => {
                        self.0.push(2);
                        self.text(channel.as_str());
                        self.text(stream.as_ref().map_or("", |stream| stream.as_str()));
                    }
                }
                self.0.push(u8::from(*release_holds));
                self.span(*expires_in);
            }
            BrakeAction::Unban { ban } => self.number(u64::from(ban.get())),
        }
    }

    fn stream_action(&mut self, action: &StreamAction) {
        match action {
            StreamAction::Offline
            | StreamAction::Online
            | StreamAction::EndRoom
            | StreamAction::EndRehearsal => {}
            StreamAction::MakeRoom { owner } | StreamAction::MoveRoom { owner } => {
                self.text(owner.kind());
                self.text(owner.name().unwrap_or_default());
            }
            StreamAction::Admit { merchant }
            | StreamAction::Dismiss { merchant }
            | StreamAction::AllowHosts { merchant }
            | StreamAction::ForbidHosts { merchant } => {
                self.text(merchant.as_str());
            }
            StreamAction::SetVideoDelay { delay } => self.number(delay.get()),
            StreamAction::Rehearse { viewers } => self.number(u64::from(*viewers)),
        }
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn pair(&mut self, text: &str, number: u64) {
        self.text(text);
        self.number(number);
    }

    fn option(&mut self, number: Option<u64>) {
        self.0.push(u8::from(number.is_some()));
        self.number(number.unwrap_or(0));
    }

    fn span(&mut self, span: Option<DurationMs>) {
        self.option(span.map(DurationMs::get));
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{BanId, PaymentId, Rates, StreamId, Units, UnixMillis};
    use stampede_ledger::RoomOwner;
    use stampede_testkit as testkit;

    use super::*;

    fn ban(target: &str, release_holds: bool) -> Action {
        let target = match target.split_once(' ') {
            Some(("viewer", id)) => BanTarget::Viewer(id.parse().unwrap()),
            Some(("from", range)) => BanTarget::Addresses(range.parse().unwrap()),
            _ => BanTarget::Channel { channel: target.parse().unwrap(), stream: None },
        };
        BrakeAction::Ban { target, release_holds, expires_in: None }.into()
    }

    fn room(stream: &str, kind: &str) -> Action {
        let owner = match kind {
            "merchant" => RoomOwner::Merchant("nina".parse().unwrap()),
            _ => RoomOwner::Creator("nina".into()),
        };
        StreamAction::MakeRoom { owner }.on(stream.parse().unwrap())
    }

    fn close(account: &str, reference: &str) -> Action {
        Action::CloseUnmatched { payment: PaymentId::new(account, reference).unwrap() }
    }

    fn admit(stream: &str, merchant: &str) -> Action {
        StreamAction::Admit { merchant: merchant.parse().unwrap() }.on(stream.parse().unwrap())
    }

    #[test]
    fn requests_that_differ_have_other_fingerprints() {
        let rates = |buys_per_s, hellos_per_s| {
            let rates = Rates { buys_per_s, hellos_per_s, tick_interval: None };
            BrakeAction::SetRates { rates, expires_in: None }.into()
        };
        let drop = DropId::new(1);
        let restock = |sku: &str, units| {
            let (sku, units) = (sku.parse().unwrap(), Units::new(units).unwrap());
            DropAction::Restock { sku, units }.on(drop)
        };
        let requests: [Action; 25] = [
            DropAction::StartCountdown.on(drop),
            DropAction::StartCountdown.on(DropId::new(2)),
            DropAction::Close.on(drop),
            restock("mug", 1),
            restock("mug", 2),
            restock("cup", 1),
            BrakeAction::Halt { expires_in: None }.into(),
            BrakeAction::Halt { expires_in: Some(DurationMs::ZERO) }.into(),
            BrakeAction::Go.into(),
            rates(Some(5), None),
            rates(None, Some(5)),
            ban("viewer v1", true),
            ban("viewer v1", false),
            ban("from 10.0.0.0/8", true),
            ban("nina-tv", true),
            ban("nina-tv2", true),
            BrakeAction::Unban { ban: BanId::new(1) }.into(),
            room("a", "merchant"),
            room("b", "merchant"),
            room("a", "creator"),
            admit("a", "acme"),
            admit("a", "zeta"),
            admit("b", "acme"),
            close("a", "bc"),
            close("ab", "c"),
        ];
        let prints: std::collections::BTreeSet<_> =
            requests.iter().map(Action::fingerprint).collect();
        assert_eq!(prints.len(), requests.len());
    }

    fn cancel(units: u32, amount: Option<u64>, restock: bool) -> DropAction {
        let incarnation = stampede_domain::Incarnation::new(1).unwrap();
        let order = testkit::hold(DropId::new(7), incarnation, 3);
        DropAction::CancelOrder(CancelOrder { order, units, amount, restock, seen: None })
    }

    #[test]
    fn what_is_cancelled_or_amended_is_named_in_full() {
        let all = [
            cancel(1, None, false),
            cancel(2, None, false),
            cancel(1, None, true),
            cancel(1, Some(0), false),
            cancel(1, Some(5), false),
            amend(None, &[], None),
            amend(Some(1), &[], None),
            amend(None, &[("mug", 1)], None),
            amend(None, &[("cup", 1)], None),
            amend(None, &[], Some(NewEnd::Never)),
            amend(None, &[], Some(NewEnd::At(UnixMillis::default()))),
            DropAction::Extend { by: DurationMs::from_secs(1) },
            DropAction::Extend { by: DurationMs::from_secs(2) },
        ];
        let prints: std::collections::BTreeSet<_> =
            all.iter().map(|action| action.clone().on(DropId::new(7)).fingerprint()).collect();
        assert_eq!(prints.len(), all.len());
    }

    fn take_back(to_reserve: bool) -> DropAction {
        let (sku, units) = ("mug".parse().unwrap(), Some(testkit::units(9)));
        DropAction::TakeBack(TakeBack { sku, units, to_reserve })
    }

    fn amend(limit: Option<u32>, skus: &[(&str, u32)], end: Option<NewEnd>) -> DropAction {
        let limit_per_viewer = limit.map(testkit::units);
        let sku = |(sku, limit): &(&str, u32)| (sku.parse().unwrap(), testkit::units(*limit));
        DropAction::Amend(AmendTerms {
            limit_per_viewer,
            skus: skus.iter().map(sku).collect(),
            end,
        })
    }

    fn patch(supply: u32, changes: &[u8]) -> DropAction {
        let plan = Arc::new(testkit::plan(supply));
        DropAction::Patch { plan, changes: KeyFingerprint::of(changes) }
    }

    /// Every action, with each form that its bytes take.
    fn every_action() -> Vec<Action> {
        let stream: StreamId = "gala".parse().unwrap();
        let (some, none) = (Some(DurationMs::from_secs(90)), None);
        let rates = Rates { buys_per_s: Some(500), hellos_per_s: Some(60), tick_interval: some };
        let channel = |stream| {
            let target = BanTarget::Channel { channel: "nina-tv".parse().unwrap(), stream };
            BrakeAction::Ban { target, release_holds: false, expires_in: some }.into()
        };
        let on = |action: DropAction| action.on(DropId::new(7));
        vec![
            Action::Plan { plan: Arc::new(testkit::plan(5)) },
            on(DropAction::Edit { plan: Arc::new(testkit::plan(6)) }),
            on(patch(6, b"some changes")),
            on(DropAction::Cancel),
            on(DropAction::StartCountdown),
            on(DropAction::StartCountdownFor { countdown: DurationMs::from_secs(5) }),
            on(DropAction::CancelCountdown),
            on(DropAction::Pause),
            on(DropAction::Resume),
            on(DropAction::Feature),
            on(DropAction::Move { place: 20 }),
            on(DropAction::WindDown),
            on(DropAction::Close),
            on(DropAction::Undo),
            on(DropAction::Restock { sku: "mug".parse().unwrap(), units: testkit::units(9) }),
            on(DropAction::GrantRequest { number: 2 }),
            on(DropAction::DeclineRequest { number: 2 }),
            on(DropAction::WithdrawRequest { number: 2 }),
            on(take_back(false)),
            on(take_back(true)),
            on(amend(Some(9), &[("mug", 4)], None)),
            on(amend(None, &[], Some(NewEnd::Never))),
            on(amend(None, &[], Some(NewEnd::At(UnixMillis::new(9_000))))),
            on(cancel(2, None, true)),
            on(cancel(0, Some(500), false)),
            on(DropAction::Extend { by: DurationMs::from_secs(90) }),
            BrakeAction::Halt { expires_in: some }.into(),
            BrakeAction::Halt { expires_in: none }.into(),
            BrakeAction::Go.into(),
            BrakeAction::SetRates { rates, expires_in: some }.into(),
            BrakeAction::SetRates { rates: Rates::NONE, expires_in: none }.into(),
            ban("viewer v1", true),
            ban("from 10.0.0.0/8", false),
            channel(None),
            channel(Some(stream.clone())),
            BrakeAction::Unban { ban: BanId::new(3) }.into(),
            StreamAction::Offline.on(stream.clone()),
            StreamAction::Online.on(stream.clone()),
            room("gala", "merchant"),
            room("gala", "creator"),
            StreamAction::MoveRoom { owner: RoomOwner::House }.on(stream.clone()),
            admit("gala", "acme"),
            StreamAction::Dismiss { merchant: "acme".parse().unwrap() }.on(stream.clone()),
            StreamAction::AllowHosts { merchant: "acme".parse().unwrap() }.on(stream.clone()),
            StreamAction::ForbidHosts { merchant: "acme".parse().unwrap() }.on(stream.clone()),
            StreamAction::EndRoom.on(stream.clone()),
            StreamAction::SetVideoDelay { delay: DurationMs::from_secs(6) }.on(stream.clone()),
            StreamAction::Rehearse { viewers: 200 }.on(stream.clone()),
            StreamAction::EndRehearsal.on(stream),
            close("stripe:main", "pi_3MtwBw"),
        ]
    }

    #[test]
    fn the_fingerprint_of_a_request_never_changes() {
        let actions = every_action();
        // Recorded when any action could name a drop.
        let line = |action: &Action| {
            format!("{} {}", action.name(), action.fingerprint_about(Some(DropId::new(7))))
        };
        assert_eq!(actions.iter().map(line).collect::<Vec<_>>(), GOLDEN);
        for name in Action::NAMES {
            assert!(actions.iter().any(|action| action.name() == *name), "{name} is not pinned");
        }
    }

    #[test]
    fn a_fingerprint_names_the_drop_that_the_request_is_about() {
        for action in every_action() {
            let drop = matches!(action, Action::Drop { .. }).then_some(DropId::new(7));
            assert_eq!(action.fingerprint(), action.fingerprint_about(drop), "{}", action.name());
            let other = action.fingerprint_about(Some(DropId::new(8)));
            assert_ne!(action.fingerprint(), other, "{}", action.name());
        }
    }

    /// Recorded with keys: another line would make the keys of every ledger look reused.
    const GOLDEN: [&str; 50] = [
        "plan 38164e900b424c69a1cfbfe87825a88d",
        "edit 9c5f5372818969cb61a6e384fb48bb3c",
        "edit 5eda217e2c73878e98141a280eba77de",
        "cancel 30162ffa7d9dfcce2517e8d2ef1d7f26",
        "open ce6aacb2809fa3f5fc7c428dc5173c1f",
        "open 4c8a77edb1eabb429326976a104b8a05",
        "cancel_countdown dc903b7cc61f4f82af3b3f68ea8293c0",
        "pause 99ffae3701484f7b8f922c3e0e065569",
        "resume e1ce86915ee289c5859fa132e47da3e1",
        "feature ba53a3e74e9c09629bd9f84b06b76de3",
        "move 506e53be446aed9973a4b0a81b501e66",
        "wind_down 245141c7e475a8af5e785613bee9ef20",
        "close e45979b7209490b9aa1e67043c1a7d1c",
        "undo 4dfa6bee51e8ea227372628bb2081b80",
        "restock 7d95625f3855e4daa9f8b0788162b6d8",
        "grant_request d24b067ce117108637d6797253d26ebd",
        "decline_request 7b0b06ca081cabba0786bfcc3db3cc7c",
        "withdraw_request d8e7a8ab1138582fd0db58d24dd94f88",
        "take_back 496071d02ed215d9c53bd9eb73a331fd",
        "take_back fdd6eab7ec1e94381da312b68b29c05f",
        "amend 4a533bc1c3116f57b64f97dd70e49751",
        "amend 55324b933ae3a2b58f177a66c6c0d6c7",
        "amend 342b4944c2ee8c9dfe24716bed88db8a",
        "cancel_order 953abbb65babbcd4f249cdc9f29cc12b",
        "cancel_order da7a20a98dd81bd87ea9121ecd6039d0",
        "extend a0694e310603799602cf30cf0fface2d",
        "stop 06a8b64397452e1045b56b002fa324e1",
        "stop affa9a05fb62188ee3213808f56d1a7b",
        "go 97a28b6d5757ea314ea34d52bd61f671",
        "set_rates 8e5a8c5fea223fd108690358031e4457",
        "set_rates d8f8da87edf2d0fdf78887467e016d40",
        "ban a6e0250a3a7909973049626c45298a23",
        "ban 1f6bf3db3820b601e3edd337251e3cb4",
        "ban 0589d9988323fd51c998abdf703c6abb",
        "ban bb9be3d8a88013461c0bbf4a470b420b",
        "unban 1d554b385eea5154c9d9479b144b2f7c",
        "stream_offline 0f3a37ef4e5571d842375b9882b927ff",
        "stream_online c434bb3f3bf8c5e3483f464ed9c922f6",
        "make_room 2daa6788eb0998b76df0edffb444b674",
        "make_room 0d49efdc036b110790b72341e3f5e786",
        "move_room a135249e0c7703bf09d8e35ed82a366e",
        "admit 89c6b234f7f492b275885b112d534ac1",
        "dismiss d7ad48c1ba90e590e1e4eec83cd8e20b",
        "allow_hosts 0e905c9cac906fe2395148abd5f0127b",
        "forbid_hosts 950fee6b5103bb5359f5b2a387c71ddf",
        "end_room 379245fcc79bba11b11371e604c4dc99",
        "set_video_delay 4f03255ee82af2b28973e440c5a1f409",
        "rehearse 51fbf49311c61b3110372de301ad710a",
        "end_rehearsal 72a6c7e6c7312f929c620f6667c3b45b",
        "close_unmatched 4a48fa63931a564a8e613a30116564bf",
    ];

    #[test]
    fn an_edit_by_changes_is_known_by_them_whatever_they_make_of_the_terms() {
        let drop = DropId::new(7);
        let print = |action: DropAction| action.on(drop).fingerprint();
        assert_eq!(print(patch(5, b"price")), print(patch(6, b"price")));
        assert_ne!(print(patch(5, b"price")), print(patch(5, b"title")));
        assert_eq!(print(patch(5, b"price")), patch_request(drop, KeyFingerprint::of(b"price")));
    }

    #[test]
    fn people_are_told_apart_only_by_what_stays_in_memory() {
        let (one, other) = (ban("viewer v1", true), ban("viewer v2", true));
        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_ne!(one.personal(), other.personal());
        assert_eq!(ban("nina-tv", true).personal(), None);
    }
}
