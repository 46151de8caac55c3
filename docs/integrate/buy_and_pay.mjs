// A viewer in Node 20 or later: waits until a drop of the stream opens, buys a unit of its first SKU,
// pays it, prints the order. Started again after a crash, it goes on with a purchase that has no answer yet,
// or with a unit that is held. Started again after that unit was paid, it buys another: an app that must buy
// once saves a `key` of its own first (see the guide).
//
//   node buy_and_pay.mjs VIEWERS_URL TICKET_FILE
//
// It needs `stampede.mjs` beside it and the package `ws`. Purchases without an answer are kept in
// TICKET_FILE.purchases.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import WebSocket from 'ws';

import { StampedeClient } from './stampede.mjs';

const [url, ticketFile] = process.argv.slice(2);
if (!ticketFile) {
  console.error('usage: node buy_and_pay.mjs VIEWERS_URL TICKET_FILE');
  process.exit(2);
}

/** Node keeps nothing for an app that ends: without a storage a crash loses the keys of purchases. */
function fileStorage(path) {
  const items = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  const save = () => {
    writeFileSync(`${path}.new`, JSON.stringify(items));
    renameSync(`${path}.new`, path);
  };
  return {
    getItem: (name) => items[name] ?? null,
    setItem: (name, value) => {
      items[name] = value;
      save();
    },
    removeItem: (name) => {
      delete items[name];
      save();
    },
  };
}

// A real app asks its backend for a new one each time.
const ticket = () => readFileSync(ticketFile, 'utf8').trim();
const storage = fileStorage(`${ticketFile}.purchases`);
const client = new StampedeClient({ url, ticket, WebSocket, storage, client: 'buy-and-pay/1' });
client.on('closed', (closed) => {
  if (closed.verdict !== 'asked') console.error('closed', closed);
});

/** The drop that sells, as soon as one does. */
function openDrop() {
  return new Promise((resolve) => {
    const look = () => {
      const drop = [...client.drops.values()].find(({ phase }) => phase === 'open');
      if (drop) resolve(drop);
    };
    client.on('change', look);
    look();
  });
}

/** What the run before has left behind, else a new unit. */
async function buy() {
  const [unanswered] = client.purchases.values();
  if (unanswered) return client.buy(unanswered);
  const [unpaid] = client.holds.values();
  if (unpaid) return { type: 'held', ...unpaid };
  const { drop, skus } = await openDrop();
  return client.buy({ drop, sku: skus[0].sku });
}

/** Pays until it is decided: after a failure that is not final the hold is still there. */
async function pay(hold) {
  for (;;) {
    const answer = await client.pay(hold);
    if (answer.type !== 'payment_failed' || answer.final) return answer;
    // A viewer would look at the card first; a program that asks at once only fills the provider's log.
    await pause(1_000);
  }
}

await client.connect();
const bought = await buy();
const answer = bought.type === 'held' ? await pay(bought.hold) : bought;
console.log(JSON.stringify(answer));
process.exitCode = answer.type === 'order' ? 0 : 1;
client.close();
