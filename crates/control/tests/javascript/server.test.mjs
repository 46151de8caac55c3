// The client in Node against a running server, through a wire that the tests can cut.
//
// STAMPEDE_VIEWERS, STAMPEDE_CONTROL, STAMPEDE_TOKEN, STAMPEDE_KEY name the server, a staff token,
// the file of a key that signs tickets; STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { mintTicket } from '../../../../docs/integrate/mint_ticket.mjs';
import { StampedeClient, StoppedError } from '../../assets/stampede.mjs';

const { STAMPEDE_VIEWERS, STAMPEDE_CONTROL, STAMPEDE_TOKEN, STAMPEDE_KEY, STAMPEDE_NPM } = process.env;
const { WebSocket } = createRequire(join(STAMPEDE_NPM, 'package.json'))('ws');
const KEY = JSON.parse(readFileSync(STAMPEDE_KEY, 'utf8'));
const STREAM = 'node-show';

let drop;

before(async () => {
  drop = (await command('drops', 'plan', {
    stream: STREAM,
    title: 'Mug',
    merchant: 'potter',
    host: 'nina',
    limit_per_viewer: 2,
    hold_ttl_ms: 60_000,
    countdown_ms: 0,
    skus: [{ id: 'mug', title: 'Mug', supply: 50, price: { minor: 1500, currency: 'EUR' } }],
  })).drop;
  await command(`drops/${drop}/open`, 'open');
});

async function command(path, key, body) {
  const headers = { Authorization: `Bearer ${STAMPEDE_TOKEN}`, 'Idempotency-Key': `node-${key}` };
  if (body) headers['Content-Type'] = 'application/json';
  const address = new URL(`v1/${path}`, STAMPEDE_CONTROL);
  const answer = await fetch(address, { method: 'POST', headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}

const wanted = () => ({ drop, sku: 'mug', units: 1 });

/** A wire to the server: it can be cut, it can swallow what the server says. */
async function wire(t) {
  const { hostname, port } = new URL(STAMPEDE_VIEWERS);
  const ends = new Set();
  const state = { swallows: false };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const end of [near, far]) {
      ends.add(end);
      end.on('error', () => {}).on('close', () => (near.destroy(), far.destroy(), ends.delete(end)));
    }
    near.pipe(far);
    far.on('data', (data) => state.swallows || near.write(data));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => ends.forEach((end) => end.destroy());
  t.after(() => (server.close(), cut()));
  return Object.assign(state, { cut, url: `ws://127.0.0.1:${server.address().port}/` });
}

function viewer(t, name, options = {}) {
  const ticket = () => mintTicket(KEY, { stream: STREAM, viewer: name });
  const client = new StampedeClient({ url: STAMPEDE_VIEWERS, WebSocket, ticket, client: 'test/1', ...options });
  t.after(() => client.close());
  client.on('fault', (fault) => assert.fail(String(fault)));
  return client;
}

const event = (client, type) => new Promise((resolve) => client.on(type, resolve));

test('a unit is bought, the next one refused, the connection lost, the hold paid', async (t) => {
  const line = await wire(t);
  const client = viewer(t, 'v-1', { url: line.url });
  const second = viewer(t, 'v-1');
  const welcome = await client.connect();
  assert.equal(welcome.stream, STREAM);
  await second.connect();
  const seen = event(second, 'order');

  const held = await client.buy({ ...wanted(), units: 2 });
  assert.deepEqual([held.type, held.units, held.amount_minor, held.retry], ['held', 2, 3000, false]);
  const refused = await client.buy(wanted());
  assert.deepEqual([refused.type, refused.code, refused.limit], ['refused', 'over_viewer_limit', 2]);
  assert.equal(refused.temporary, true, 'the hold may end');

  const back = event(client, 'welcome');
  line.cut();
  assert.deepEqual((await back).holds.map((hold) => hold.hold), [held.hold]);
  const left = client.timeLeft(client.holds.get(held.hold).expiresAt);
  assert.ok(left > 0 && left <= 60_000, `${left}`);

  const declined = await client.pay(held.hold, { card: 'insufficient_funds' });
  assert.deepEqual([declined.type, declined.final], ['payment_failed', false]);
  const paid = await client.pay(held.hold, { card: 'approved' });
  assert.deepEqual([paid.type, paid.hold, paid.units], ['order', held.hold, 2]);
  assert.equal((await seen).order, paid.order, 'every connection of the viewer is told');
  assert.equal(client.holds.size, 0);
  const full = await client.buy(wanted());
  assert.deepEqual([full.code, full.temporary], ['over_viewer_limit', false]);
  const again = await client.pay(held.hold);
  assert.deepEqual([again.type, again.code], ['refused', 'hold_confirmed']);
});

test('an answer that was lost is asked for with the same key: one unit', async (t) => {
  const line = await wire(t);
  const client = viewer(t, 'v-2', { url: line.url });
  await client.connect();
  line.swallows = true;
  const second = viewer(t, 'v-2');
  await second.connect();
  const taken = event(second, 'held');
  const bought = client.buy(wanted());
  const { hold } = await taken;
  line.cut();
  line.swallows = false;
  const answer = await bought;
  assert.deepEqual([answer.type, answer.hold, answer.retry], ['held', hold, true]);
  assert.equal(client.holds.size, 1);
  const released = await client.release(hold);
  assert.equal(released.type, 'released');
  assert.equal((await client.release(hold)).code, 'hold_ended');
});

test('stock ticks arrive, the newest stands', async (t) => {
  const client = viewer(t, 'v-3');
  await client.connect();
  const before = client.drops.get(drop).skus[0].available;
  const tick = event(client, 'stock');
  const held = await client.buy(wanted());
  await tick;
  assert.equal(client.drops.get(drop).skus[0].available, before - 1);
  await client.release(held.hold);
});

test('a new ticket is taken on the open connection', async (t) => {
  const client = viewer(t, 'v-4');
  await client.connect();
  const refreshed = new Promise((resolve) => {
    client.on('message', (message) => message.type === 'refreshed' && resolve(message));
  });
  await client.refresh();
  assert.ok((await refreshed).ticket_expires_in_ms > 500_000);
});

test('a ticket that is not good stops the client, which says why', async (t) => {
  const client = viewer(t, 'v-5', { ticket: 'not.a.ticket' });
  await assert.rejects(client.connect(), (error) => {
    assert.ok(error instanceof StoppedError);
    assert.deepEqual([error.closed.code, error.closed.verdict], [4100, 'mend']);
    assert.notEqual(error.closed.reason, '');
    return true;
  });
  assert.equal(client.state, 'stopped');
});

test('a handshake that the server refuses tells its status and its words', async (t) => {
  const client = viewer(t, 'v-6', { url: new URL('elsewhere', STAMPEDE_VIEWERS).href });
  const closed = event(client, 'closed');
  client.connect().catch(() => {});
  const { verdict, reason } = await closed;
  assert.equal(verdict, 'again');
  assert.match(reason, /404: there is nothing at this path/);
});
