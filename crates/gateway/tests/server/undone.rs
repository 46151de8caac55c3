//! A drop that was opened by mistake: what its viewers are told when the opening is undone.

use stampede_domain::Phase;
use stampede_engine::DropAction;
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_wire::{Ended, ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan},
};

/// The next message of this kind; what else comes meanwhile, such as ticks, is no matter.
fn next<T>(client: &mut Client, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(client.next_any().unwrap()) {
            return found;
        }
    }
}

fn released(message: ServerMessage) -> Option<Ended> {
    match message {
        ServerMessage::Released(ended) => Some(ended),
        _ => None,
    }
}

#[test]
fn the_drop_is_cancelled_for_everybody_and_each_holder_is_told_of_the_hold() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let world = World::on_fake(&ledger);
    let drop = world.open(plan(3));
    let [mut holder, mut onlooker] = ["v1", "v2"].map(|viewer| world.join(viewer));
    holder.buy(drop, "mug", 1, "first");
    let hold = holder.held().hold;
    ledger.order(ledger.commits() + 1, Fault::Hang);
    let undone = world.begin(DropAction::Undo.on(drop));
    ledger.wait_until_hanging();
    // The end of the hold is not durable: who comes now is shown the drop with the hold.
    for client in [&mut holder, &mut onlooker] {
        let phase = next(client, |message| match message {
            ServerMessage::Phase(told) if told.drop == drop => Some(told.phase),
            _ => None,
        });
        assert_eq!(phase, Phase::Cancelled);
    }
    let mut again = world.dial(Subprotocol::Json);
    again.hello(&world.ticket("v1"));
    let welcome = again.welcomed();
    let told: Vec<_> = welcome.drops.iter().map(|info| (info.drop, info.phase)).collect();
    assert_eq!(told, [(drop, Phase::Cancelled)]);
    assert_eq!(welcome.holds.iter().map(|held| held.hold).collect::<Vec<_>>(), [hold]);
    ledger.release();
    for client in [&mut holder, &mut again] {
        let ended = next(client, released);
        assert_eq!((ended.hold, ended.units, ended.called_off), (hold, 1, true));
    }
    let copy = undone.blocking_recv().unwrap().unwrap().copy.unwrap().drop().unwrap();
    world.wait_phase(drop, Phase::Voided);
    // Who comes later hears of the copy alone.
    let mut late = world.dial(Subprotocol::Json);
    late.hello(&world.ticket("v3"));
    let told: Vec<_> = late.welcomed().drops.iter().map(|info| info.drop).collect();
    assert_eq!(told, [copy]);
}
