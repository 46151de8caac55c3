// A viewer in Node 20 or later: waits until a drop of the stream opens, buys a unit of its first SKU,
// pays it, prints the order.
//
//   node buy_and_pay.mjs VIEWERS_URL TICKET_FILE
//
// It needs `stampede.mjs` beside it and the package `ws`.

import { readFileSync } from 'node:fs';

import WebSocket from 'ws';

import { StampedeClient } from './stampede.mjs';

const [url, ticketFile] = process.argv.slice(2);
if (!ticketFile) {
  console.error('usage: node buy_and_pay.mjs VIEWERS_URL TICKET_FILE');
  process.exit(2);
}

// A real app asks its backend for a new one each time.
const ticket = () => readFileSync(ticketFile, 'utf8').trim();
const client = new StampedeClient({ url, ticket, WebSocket, client: 'buy-and-pay/1' });
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

/** Pays until it is decided: after a failure that is not final the hold is still there. */
async function pay(hold) {
  for (;;) {
    const answer = await client.pay(hold);
    if (answer.type !== 'payment_failed' || answer.final) return answer;
  }
}

await client.connect();
const { drop, skus } = await openDrop();
const bought = await client.buy({ drop, sku: skus[0].sku });
const answer = bought.type === 'held' ? await pay(bought.hold) : bought;
console.log(JSON.stringify(answer));
process.exitCode = answer.type === 'order' ? 0 : 1;
client.close();
