//! A welcome that is far larger than a socket takes.

use stampede_domain::{DropId, DropPlan, Phase, SkuOption};
use stampede_engine::DropAction;
use stampede_wire::{ServerMessage, Subprotocol};

use crate::{
    client::Client,
    world::{World, plan},
};

const DROPS: u16 = 60;
const CLIENTS: usize = 10;
/// What all of them may cost together while nobody reads, their own side of the connection with what
/// the cores share included. Each has two messages of at most 1 MiB; all 60 drops would be 22 MiB.
const BYTES_MAX: usize = CLIENTS * (10 << 20);

/// A plan whose message has about 350 KiB.
fn large(order: u16) -> DropPlan {
    let plan = plan(3);
    let mut sku = plan.skus[0].clone();
    let text = "o".repeat(200);
    sku.options = vec![SkuOption { name: text.clone(), value: text }; 8];
    sku.image = Some(format!("https://shop.example/{}", "i".repeat(2_000)));
    let skus = (0..64).map(|place| {
        let mut sku = sku.clone();
        sku.id = format!("sku-{place}").parse().unwrap();
        sku
    });
    DropPlan { running_order: order, skus: skus.collect(), ..plan }
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// Reads the drops that the welcome had no room for.
fn rest(client: &mut Client, told: usize) -> Vec<DropId> {
    let mut drops = Vec::new();
    while drops.len() + told < usize::from(DROPS) {
        if let ServerMessage::DropInfo(info) = client.next() {
            drops.push(info.drop);
        }
    }
    drops
}

#[test]
fn whoever_does_not_read_a_large_welcome_costs_little() {
    let world = World::with(|config| config.connections_max = 100);
    let drops: Vec<DropId> = (1..=DROPS).map(|order| world.plan(large(order))).collect();
    let before = resident();
    let mut clients: Vec<(Client, usize)> = (0..CLIENTS)
        .map(|number| {
            let subprotocol = Subprotocol::ALL[number % 2];
            let mut client = world.dial(subprotocol);
            client.hello(&world.ticket(&format!("v{number}")));
            let told = client.welcomed().drops.len();
            assert!((1..drops.len()).contains(&told), "{told} drops fit the first message");
            (client, told)
        })
        .collect();
    let grown = resident().saturating_sub(before);
    assert!(grown < BYTES_MAX, "{CLIENTS} clients cost {grown} bytes");
    for (client, told) in &mut clients {
        assert_eq!(rest(client, *told), drops[*told..], "in running order");
    }
    world.command(DropAction::StartCountdown.on(drops[0]));
    world.wait_phase(drops[0], Phase::Open);
    let (client, _) = &mut clients[0];
    client.buy(drops[0], "sku-1", 1, "after-the-welcome");
    client.held();
}

#[test]
fn a_drop_that_was_called_off_is_in_no_later_welcome() {
    let world = World::new();
    let (off, on) = (world.plan(plan(3)), world.plan(plan(4)));
    // The audience of each core has both.
    let mut before: Vec<Client> = (0..4).map(|number| world.join(&format!("b{number}"))).collect();
    world.command(DropAction::Cancel.on(off));
    for client in &mut before {
        let told = client.next_any().unwrap();
        assert!(
            matches!(&told, ServerMessage::Phase(told) if (told.drop, told.phase) == (off, Phase::Cancelled)),
            "{told:?}"
        );
    }
    for number in 0..4 {
        let mut client = world.dial(Subprotocol::Json);
        client.hello(&world.ticket(&format!("a{number}")));
        let told: Vec<DropId> = client.welcomed().drops.iter().map(|info| info.drop).collect();
        assert_eq!(told, [on]);
        before.push(client);
    }
}
