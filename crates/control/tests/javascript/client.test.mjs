// The client's rules, against a server, a clock and dice that the tests hold in their hands.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  afterClose,
  Backoff,
  BACKOFF_LONGEST_MS,
  memoryStorage,
  REQUESTS_MAX,
  StampedeClient,
  StoppedError,
  SUBPROTOCOL,
} from '../../assets/stampede.mjs';
import { drop, hold, order, settle, Stage } from './fake.mjs';

const wanted = { drop: 'd1', sku: 'a', units: 1 };

function refused(key, code, fields = {}) {
  return { request: 'buy', key, code, message: code, temporary: true, ...fields };
}

test('connecting: one subprotocol, the ticket in the first message, the welcome as answer', async () => {
  const stage = await Stage.online({ client: 'shop/1' });
  assert.equal(stage.socket.url, 'ws://server.test/');
  assert.deepEqual(stage.socket.protocols, [SUBPROTOCOL]);
  assert.deepEqual(stage.socket.sent, [{ type: 'hello', ticket: 'ticket-1', client: 'shop/1' }]);
  assert.equal((await stage.connected).viewer, 'v-1');
  assert.deepEqual(stage.told('state'), ['connecting', 'online']);
  assert.equal(stage.client.featured.title, 'Perfume');
  assert.equal(await stage.client.connect(), await stage.connected);
});

test('without any WebSocket there is no client, which says what to do', (t) => {
  const had = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  t.after(() => had && Object.defineProperty(globalThis, 'WebSocket', had));
  delete globalThis.WebSocket;
  const make = () => new StampedeClient({ url: 'ws://server.test/', ticket: 'ticket-1' });
  assert.throws(make, { name: 'TypeError', message: /pass one as an option/ });
});

test('what cannot be connected with is refused at once, not tried again and again', () => {
  const good = { url: 'ws://server.test/', ticket: 'ticket-1', WebSocket: class {} };
  for (const [fields, message] of [
    [{ url: undefined }, /^url must begin with ws:.* not undefined$/],
    [{ url: 'http://server.test/' }, /^url must begin with ws:.* not http:\/\/server.test\/$/],
    [{ url: '/live' }, /^url must begin/],
    [{ WebSocket: { default: class {} } }, /^WebSocket must be a constructor, not an object$/],
    [{ ticket: undefined }, /^ticket must be a text or a function, not undefined$/],
    [{ ticket: Promise.resolve('t') }, /^ticket must be a text or a function, not an object$/],
  ]) {
    assert.throws(() => new StampedeClient({ ...good, ...fields }), { name: 'TypeError', message });
  }
  for (const url of ['ws://server.test/', 'WSS://server.test/', new URL('wss://server.test/')]) {
    assert.equal(new StampedeClient({ ...good, url }).state, 'new');
  }
});

test('an address that the platform does not take ends the stay: another try has the same end', async () => {
  const stage = new Stage({
    WebSocket: class {
      constructor() {
        throw new SyntaxError('a fragment');
      }
    },
  });
  await assert.rejects(stage.client.connect(), /no connection could be made: SyntaxError: a fragment/);
  assert.equal(stage.told('closed')[0].verdict, 'mend');
  assert.match(String(stage.told('fault')[0]), /a fragment/);
  assert.equal(stage.time.timers, 0);
});

test('connecting: the reason says why a handshake failed, else where to look', async () => {
  const why = async (fail) => {
    const stage = new Stage();
    stage.client.connect().catch(() => {});
    await settle();
    fail(stage);
    await stage.end(1006);
    return stage.told('closed')[0];
  };
  const message = 'Unexpected server response: 404';
  const told = await why((stage) => stage.socket.onerror({ message }));
  assert.deepEqual(told, { code: 1006, reason: message, verdict: 'again', retryInMs: 250 });
  const hidden = await why((stage) => stage.socket.onerror({}));
  assert.match(hidden.reason, /^no handshake: check the address/);
  assert.equal((await why((stage) => stage.socket.onopen({}))).reason, 'the connection broke off');
  const noticed = await why((stage) => {
    stage.socket.onopen({});
    stage.say('error', { code: 'going_away', close_code: 4000, message: 'restarting' });
    stage.socket.onerror({ message: 'read ECONNRESET' });
  });
  assert.equal(noticed.reason, 'restarting');
});

/** What the package `ws` has of a handshake that was refused; the answer comes in these pieces. */
function refusing(statusCode, ...pieces) {
  return (socket) => {
    const listeners = {};
    const response = { statusCode, setEncoding: () => response, on: (type, listener) => ((listeners[type] = listener), response) };
    socket.answers['unexpected-response']({}, response);
    for (const piece of pieces) listeners.data(piece);
    listeners.close();
  };
}

test('connecting: a refused handshake has the words of the server, where the WebSocket tells them', async () => {
  const why = async (refuse) => {
    const stage = new Stage();
    stage.client.connect().catch(() => {});
    await settle();
    refuse(stage.socket);
    return stage.told('closed')[0];
  };
  const told = await why(refusing(404, 'there is nothing here; ', 'viewers connect to /\n'));
  assert.equal(told.reason, 'the handshake was answered with 404: there is nothing here; viewers connect to /');
  assert.equal(told.verdict, 'again');
  assert.equal((await why(refusing(303))).reason, 'the handshake was answered with 303');
  const long = await why(refusing(502, 'x'.repeat(1_000), 'y'));
  assert.equal(long.reason, `the handshake was answered with 502: ${'x'.repeat(200)}`);
});

test('connecting: a close without a reason is told apart from a connection that broke off', async () => {
  const stage = await Stage.online();
  await stage.end(1001);
  assert.equal(stage.told('closed')[0].reason, 'no reason was given');
});

test('versions: what is older is skipped, the same version is as new', async () => {
  const stage = await Stage.online();
  const available = () => stage.client.drops.get('d1').skus.map((sku) => sku.available);
  stage.say('stock', { drop: 'd1', version: 5, skus: [{ sku: 'a', available: 7 }] });
  stage.say('stock', { drop: 'd1', version: 4, skus: [{ sku: 'a', available: 99 }] });
  assert.deepEqual(available(), [7, 100]);
  stage.say('phase', { drop: 'd1', version: 6, phase: 'paused', featured: false, server_time_ms: 1 });
  stage.say('drop', drop({ version: 5, phase: 'open' }));
  assert.equal(stage.client.drops.get('d1').phase, 'paused');
  assert.equal(stage.client.featured, undefined);
  stage.say('stock', { drop: 'd1', version: 6, skus: [{ sku: 'b', available: 3 }] });
  assert.deepEqual(available(), [7, 3]);
});

test('versions: they are forgotten with the connection', async () => {
  const stage = await Stage.online();
  stage.say('drop', drop({ version: 90 }));
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept({ drops: [drop({ version: 1 })] });
  stage.say('stock', { drop: 'd1', version: 1, skus: [{ sku: 'a', available: 2 }] });
  assert.equal(stage.client.drops.get('d1').skus[0].available, 2);
});

test('phases replace the times told before', async () => {
  const stage = await Stage.online({}, { drops: [drop({ phase: 'countdown', opens_in_ms: 7_500 })] });
  const { client } = stage;
  assert.equal(client.timeLeft(client.drops.get('d1').opensAt), 7_500);
  await stage.time.pass(7_000);
  assert.equal(client.timeLeft(client.drops.get('d1').opensAt), 500);
  const phase = { drop: 'd1', version: 6, featured: true, server_time_ms: 1_790_000_009_000 };
  stage.say('phase', { ...phase, phase: 'open', closes_in_ms: 60_000 });
  assert.equal(client.drops.get('d1').opensAt, undefined);
  assert.equal(client.timeLeft(client.drops.get('d1').closesAt), 60_000);
  assert.equal(client.serverNow(), 1_790_000_009_000);
});

test('a rounded figure is marked until an exact one comes', async () => {
  const stage = await Stage.online();
  const first = () => stage.client.drops.get('d1').skus[0];
  stage.say('stock', { drop: 'd1', version: 5, skus: [{ sku: 'a', available: 900, approximate: true }] });
  assert.equal(first().approximate, true);
  stage.say('stock', { drop: 'd1', version: 5, skus: [{ sku: 'a', available: 12 }] });
  assert.equal(first().approximate, undefined);
});

test('what is unknown is skipped, what is broken is told', async () => {
  const stage = await Stage.online();
  stage.say('weather', { sunny: true });
  stage.say('stock', { drop: 'd9', version: 1, skus: [{ sku: 'a', available: 1 }] });
  assert.deepEqual(stage.told('fault'), []);
  stage.socket.onmessage({ data: '{' });
  assert.equal(stage.told('fault').length, 1);
  assert.equal(stage.client.state, 'online');
});

test('a buy is stored before it is sent, forgotten with its answer', async () => {
  const storage = memoryStorage();
  const order_ = [];
  const watched = {
    ...storage,
    setItem: (name, value) => {
      order_.push(['stored', stage?.sent('buy').length ?? 0]);
      storage.setItem(name, value);
    },
  };
  let stage;
  stage = await Stage.online({ storage: watched });
  const bought = stage.client.buy(wanted);
  assert.deepEqual(order_, [['stored', 0]]);
  const [{ key, ...rest }] = stage.sent('buy');
  assert.deepEqual(rest, { type: 'buy', ...wanted });
  assert.match(key, /^[0-9a-f]{32}$/);
  assert.match(storage.getItem('stampede:show:v-1'), new RegExp(key));
  stage.say('held', hold({ key }));
  const answer = await bought;
  assert.equal(answer.type, 'held');
  assert.equal(storage.getItem('stampede:show:v-1'), null);
  assert.equal(stage.client.timeLeft(stage.client.holds.get('h1').expiresAt), 120_000);
});

test('a buy before the welcome waits for it', async () => {
  const stage = new Stage();
  stage.client.connect();
  stage.client.buy({ ...wanted, key: 'k1' });
  await settle();
  assert.equal(stage.sockets[0].sent.length, 0);
  await stage.accept();
  assert.equal(stage.sent('buy').length, 1);
  assert.match(stage.storage.getItem('stampede:show:v-1'), /"k1"/);
});

test('asking before connecting: it says what to do, and does not wait for ever', async () => {
  const { client } = new Stage();
  for (const asked of [client.buy(wanted), client.pay('h1'), client.release('h1')]) {
    await assert.rejects(asked, { name: 'TypeError', message: 'call connect() first' });
  }
});

test('a lost connection: the same key again, one promise, one answer', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy(wanted);
  const [{ key }] = stage.sent('buy');
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept();
  assert.deepEqual(stage.sent('buy').map((buy) => buy.key), [key]);
  stage.say('held', hold({ key, retry: true }));
  assert.equal((await bought).retry, true);
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept();
  assert.deepEqual(stage.sent('buy'), [], 'an answered purchase is not repeated');
});

test('a reload of the page repeats what is unanswered; what is old is left alone', async () => {
  const before = await Stage.online();
  before.client.buy({ ...wanted, key: 'k1' });
  const after = await Stage.online({ storage: before.storage });
  assert.deepEqual(after.sent('buy').map((buy) => buy.key), ['k1']);
  after.say('order', order({ key: 'k1' }));
  assert.equal(after.told('order').length, 1);
  assert.equal(before.storage.getItem('stampede:show:v-1'), null);

  before.client.buy({ ...wanted, key: 'k2' });
  const late = new Stage({ storage: before.storage });
  late.time.at += 61_000;
  late.client.connect();
  await settle();
  await late.accept();
  assert.deepEqual(late.sent('buy'), []);
});

test('purchases belong to a viewer: another one does not repeat them', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy(wanted);
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept({ viewer: 'v-2' });
  await assert.rejects(bought, /another viewer/);
  assert.deepEqual(stage.sent('buy'), []);
});

test('a storage that fails costs no sale', async () => {
  const full = { ...memoryStorage(), setItem: () => { throw new Error('quota'); } };
  const stage = await Stage.online({ storage: full });
  stage.client.buy(wanted);
  assert.equal(stage.sent('buy').length, 1);
  assert.match(String(stage.told('fault')[0]), /quota/);
});

test('busy: the same request with the same key, a little later than asked', async () => {
  const stage = await Stage.online();
  stage.dice = 0.5;
  const bought = stage.client.buy(wanted);
  const [{ key }] = stage.sent('buy');
  stage.say('refused', refused(key, 'busy', { retry_after_ms: 200 }));
  await stage.time.pass(249);
  assert.equal(stage.sent('buy').length, 1);
  await stage.time.pass(1);
  assert.deepEqual(stage.sent('buy').map((buy) => buy.key), [key, key]);
  assert.equal(stage.told('retrying')[0].retryInMs, 250);
  stage.say('held', hold({ key }));
  assert.equal((await bought).type, 'held');
});

test('busy: patience ends with the refusal', async () => {
  const stage = await Stage.online({ patienceMs: 1_000 });
  const bought = stage.client.buy(wanted);
  const [{ key }] = stage.sent('buy');
  for (let turn = 0; turn < 2; turn += 1) {
    stage.say('refused', refused(key, 'busy', { retry_after_ms: 400 }));
    await stage.time.pass(600);
  }
  assert.equal((await bought).code, 'busy');
  assert.equal(stage.sent('buy').length, 2);
});

test('a refusal that waiting does not mend is the answer at once', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy(wanted);
  const [{ key }] = stage.sent('buy');
  stage.say('refused', refused(key, 'sold_out', { available: 0 }));
  assert.equal((await bought).code, 'sold_out');
  assert.equal(stage.told('refused').length, 1);
});

test('pay and release are repeated after a reconnect until they are answered', async () => {
  const stage = await Stage.online({}, { holds: [hold(), hold({ hold: 'h2' }), hold({ hold: 'h3' })] });
  const { client } = stage;
  const paid = client.pay('h1');
  assert.equal(client.pay('h1'), paid, 'one promise for one request');
  const back = client.release('h2');
  const late = client.pay('h3');
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept({ holds: [hold(), hold({ hold: 'h2' })], orders: [order({ order: 'h3', hold: 'h3' })] });
  assert.equal((await late).order, 'h3', 'the welcome tells what became of it');
  assert.deepEqual(stage.sent('pay').map((pay) => pay.hold), ['h1']);
  assert.deepEqual(stage.sent('release').map((release) => release.hold), ['h2']);
  stage.say('refused', { request: 'pay', hold: 'h1', code: 'payment_pending', message: '', temporary: true });
  stage.say('payment_failed', { hold: 'h1', final: false, expires_in_ms: 4_000 });
  assert.equal((await paid).final, false);
  assert.equal(client.timeLeft(client.holds.get('h1').expiresAt), 4_000);
  stage.say('released', { hold: 'h2', drop: 'd1', sku: 'a', units: 1 });
  assert.equal((await back).type, 'released');
  assert.deepEqual([...client.holds.keys()], ['h1']);
});

test('a refusal that names no hold answers the request that had none', async () => {
  const stage = await Stage.online({}, { holds: [hold()] });
  const paid = stage.client.pay('h1');
  const odd = stage.client.pay('banana');
  stage.say('refused', { request: 'pay', code: 'unknown_hold', message: '', temporary: false });
  assert.equal((await odd).code, 'unknown_hold');
  stage.say('order', order());
  assert.equal((await paid).type, 'order');
  assert.equal(stage.client.holds.size, 0);
  assert.equal(stage.client.orders.get('h1').units, 1);
});

test('close codes: the range tells, also for codes nobody knows', () => {
  const verdicts = { 1002: 'mend', 1003: 'mend', 1007: 'mend', 1009: 'mend' };
  // What Stampede does not send comes from a proxy or from the network.
  for (const code of [1000, 1001, 1005, 1006, 1008, 1010, 1011, 1012, 1013, 1014, 3000]) verdicts[code] = 'again';
  Object.assign(verdicts, { 4000: 'again', 4006: 'again', 4099: 'again', 4100: 'mend', 4199: 'mend' });
  Object.assign(verdicts, { 4200: 'never', 4201: 'never', 4299: 'never', 4300: 'again' });
  for (const [code, verdict] of Object.entries(verdicts)) assert.equal(afterClose(Number(code)), verdict, code);
});

test('4100 and up stop the client, which says why', async () => {
  for (const [code, verdict] of [[4104, 'mend'], [4200, 'never'], [4201, 'never']]) {
    const stage = await Stage.online();
    const bought = stage.client.buy(wanted);
    await stage.end(code, 'because');
    assert.equal(stage.client.state, 'stopped');
    assert.deepEqual(stage.told('closed'), [{ code, reason: 'because', verdict }]);
    await assert.rejects(bought, (error) => error instanceof StoppedError && error.closed.code === code);
    await assert.rejects(stage.client.buy(wanted), StoppedError);
    await stage.time.pass(60_000);
    assert.equal(stage.sockets.length, 1);
    assert.equal(stage.time.timers, 0);
  }
});

test('a mended client connects again, repeats what was not answered', async () => {
  const stage = await Stage.online();
  stage.client.buy({ ...wanted, key: 'k1' }).catch(() => {});
  await stage.end(4105);
  const again = stage.client.connect();
  await settle();
  await stage.accept();
  assert.equal((await again).stream, 'show');
  assert.deepEqual(stage.sent('buy').map((buy) => buy.key), ['k1']);
});

test('a message that the server could not read is not repeated from the storage', async () => {
  for (const code of [1003, 1007, 1009, 4104]) {
    const stage = await Stage.online();
    stage.client.buy(wanted).catch(() => {});
    await stage.end(code);
    assert.equal(stage.storage.getItem('stampede:show:v-1'), null);
    stage.client.connect();
    await settle();
    await stage.accept();
    assert.deepEqual(stage.sent('buy'), []);
  }
  const innocent = await Stage.online();
  innocent.client.buy({ ...wanted, key: 'k1' }).catch(() => {});
  await innocent.end(1006);
  await innocent.time.pass(250);
  await innocent.end(4104, 'a hello that is not good');
  assert.match(innocent.storage.getItem('stampede:show:v-1'), /"k1"/);
});

test('a purchase that the server could not read is neither stored nor sent', async () => {
  const stage = await Stage.online();
  const wrong = [{ units: '2' }, { units: 1.5 }, { units: -1 }, { units: 2 ** 53 }, { units: null }];
  wrong.push({ key: '' }, { key: 'a b' }, { key: 'ä' }, { key: 'k'.repeat(65) }, { key: 7 });
  wrong.push({ drop: undefined }, { sku: 5 });
  for (const fields of wrong) {
    await assert.rejects(stage.client.buy({ ...wanted, ...fields }), TypeError, JSON.stringify(fields));
  }
  assert.deepEqual(stage.sent('buy'), []);
  assert.equal(stage.storage.getItem('stampede:show:v-1'), null);
  stage.client.buy({ ...wanted, key: 'A-z_0.9:' + 'k'.repeat(56) });
  assert.equal(stage.sent('buy').length, 1);
});

test('a test card is sent with each repeat, and one that there is not is never sent', async () => {
  const stage = await Stage.online({}, { holds: [hold()] });
  const { client } = stage;
  for (const card of ['4242', '', null, 7]) {
    await assert.rejects(client.pay('h1', { card }), { name: 'TypeError', message: /^no test card .*; there are approved, / });
  }
  const paid = client.pay('h1', { card: 'declined' });
  assert.equal(client.pay('h1', { card: 'declined' }), paid, 'one promise for one request');
  await assert.rejects(client.pay('h1'), { message: 'another pay of the hold h1 has no answer yet: wait for it' });
  const { type, card } = stage.sent('pay')[0];
  assert.deepEqual([type, card, stage.sent('pay').length], ['pay', 'declined', 1]);
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept({ holds: [hold()] });
  assert.deepEqual(stage.sent('pay').map((pay) => pay.card), ['declined']);
  stage.say('payment_failed', { hold: 'h1', final: false, expires_in_ms: 4_000 });
  assert.equal((await paid).final, false);
  client.pay('h1', {});
  assert.deepEqual(Object.keys(stage.sent('pay').at(-1)).sort(), ['hold', 'type']);
});

test('a hold that is no text is not sent: the server would end the connection', async () => {
  const stage = await Stage.online();
  for (const wrong of [hold(), undefined, null, 7]) {
    for (const asked of [stage.client.pay(wrong), stage.client.release(wrong)]) {
      const message = 'hold must be a text, such as held.hold';
      await assert.rejects(asked, { name: 'TypeError', message });
    }
  }
  assert.deepEqual([...stage.sent('pay'), ...stage.sent('release')], []);
});

test('a hold that is told again has its new time, and is no other purchase', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy({ ...wanted, key: 'k1' });
  stage.say('held', hold({ key: 'k1' }));
  await bought;
  const waiting = stage.client.buy({ ...wanted, key: 'k2' });
  const paid = stage.client.pay('h1');
  await stage.time.pass(100_000);
  // The first attempt to pay has stretched it.
  stage.say('held', hold({ expires_in_ms: 60_000 }));
  assert.deepEqual([...stage.client.holds.keys()], ['h1']);
  assert.equal(stage.client.timeLeft(stage.client.holds.get('h1').expiresAt), 60_000);
  assert.deepEqual([...stage.client.purchases.keys()], ['k2']);
  assert.deepEqual(stage.told('held').map(({ hold, key }) => [hold, key]), [['h1', 'k1'], ['h1', undefined]]);
  stage.say('held', hold({ hold: 'h2', key: 'k2' }));
  assert.equal((await waiting).hold, 'h2');
  stage.say('order', order());
  assert.equal((await paid).type, 'order');
});

test('an order may come after its hold has expired: it settles the payment, under an id of its own', async () => {
  const stage = await Stage.online({}, { holds: [hold()] });
  const paid = stage.client.pay('h1');
  let isSettled = false;
  paid.then(() => (isSettled = true));
  stage.say('expired', { hold: 'h1', drop: 'd1', sku: 'a', units: 1 });
  await settle();
  assert.deepEqual([stage.client.holds.size, stage.client.orders.size, isSettled], [0, 0, false]);
  stage.say('order', order({ order: 'o9' }));
  const answer = await paid;
  assert.deepEqual([answer.type, answer.order, answer.hold], ['order', 'o9', 'h1']);
  assert.deepEqual([...stage.client.orders.keys()], ['o9']);
  assert.deepEqual(stage.told('order').map(({ order }) => order), ['o9']);
  assert.equal(stage.client.purchases.size, 0);
});

test('an order that came while the connection was down settles the payment of the hold it was bought as', async () => {
  const stage = await Stage.online({}, { holds: [hold()] });
  const paid = stage.client.pay('h1');
  await stage.end(1006);
  await stage.time.pass(stage.told('closed').at(-1).retryInMs);
  await stage.accept({ orders: [order({ order: 'o9' })] });
  assert.equal((await paid).order, 'o9');
  assert.deepEqual([stage.client.holds.size, [...stage.client.orders.keys()]], [0, ['o9']]);
  assert.deepEqual(stage.sent('pay'), []);
});

test('a key that waits for an answer is good for its own purchase only', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy({ ...wanted, key: 'k1' });
  assert.equal(stage.client.buy({ ...wanted, key: 'k1' }), bought);
  for (const other of [{ drop: 'd2' }, { sku: 'b' }, { units: 2 }]) {
    const refused = stage.client.buy({ ...wanted, ...other, key: 'k1' });
    await assert.rejects(refused, /the key k1 is that of another purchase/);
  }
  stage.say('held', hold({ key: 'k1' }));
  await bought;
  stage.client.buy({ ...wanted, drop: 'd2', key: 'k1' });
  assert.deepEqual(stage.sent('buy').map((buy) => buy.drop), ['d1', 'd2']);
});

test('the error message stands in for a close frame that went missing, or that a proxy replaced', async () => {
  for (const code of [1006, 1000, 1001]) {
    const stage = await Stage.online();
    stage.say('error', { code: 'bad_ticket', close_code: 4100, message: 'unknown key' });
    await stage.end(code);
    assert.deepEqual(stage.told('closed'), [{ code: 4100, reason: 'unknown key', verdict: 'mend' }]);
  }
});

test('a proxy that closes with 1000 is no goodbye: the client comes back', async () => {
  const stage = await Stage.online();
  await stage.end(1000, 'draining');
  assert.deepEqual(stage.told('closed'), [{ code: 1000, reason: 'draining', verdict: 'again', retryInMs: 250 }]);
  await stage.time.pass(250);
  await stage.accept();
  assert.equal(stage.client.state, 'online');
});

test('backoff: bounds double up to the longest, delays are drawn below them', async () => {
  const backoff = new Backoff(() => 0.5);
  const delays = Array.from({ length: 9 }, () => backoff.nextMs());
  assert.deepEqual(delays, [125, 250, 500, 1_000, 2_000, 4_000, 7_500, 7_500, 7_500]);
  assert.equal(backoff.boundMs, BACKOFF_LONGEST_MS);
  backoff.reset();
  assert.equal(backoff.boundMs, 250);

  const stage = await Stage.online();
  for (const bound of [250, 500, 1_000]) {
    await stage.end(1006);
    assert.equal(stage.told('closed').at(-1).retryInMs, bound);
    const before = stage.sockets.length;
    await stage.time.pass(bound);
    assert.equal(stage.sockets.length, before + 1);
  }
  await stage.accept();
  await stage.end(1006);
  assert.equal(stage.told('closed').at(-1).retryInMs, 2_000, 'a welcome alone is no recovery');
  await stage.time.pass(2_000);
  await stage.accept();
  stage.say('pong', { server_time_ms: 1 });
  await stage.end(1006);
  assert.equal(stage.told('closed').at(-1).retryInMs, 250);
});

test('a server that moves says when to come back: the first attempt keeps to it', async () => {
  const stage = await Stage.online();
  const notice = { code: 'going_away', close_code: 4000, message: 'moving', retry_after_ms: 3_210 };
  stage.say('error', notice);
  await stage.end(4000, 'moving');
  assert.equal(stage.told('closed')[0].retryInMs, 3_210);
  await stage.time.pass(3_209);
  assert.equal(stage.sockets.length, 1);
  await stage.time.pass(1);
  assert.equal(stage.sockets.length, 2);
  await stage.end(1006);
  assert.equal(stage.told('closed')[1].retryInMs, 250, 'after that it is backoff');
});

test('a handshake that hangs is given up', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settle();
  await stage.time.pass(20_000);
  assert.equal(stage.socket.isClosed, true);
  assert.equal(stage.told('closed')[0].reason, 'no welcome in time');
  stage.sockets[0].onopen({});
  assert.deepEqual(stage.sockets[0].sent, [], 'what comes late is skipped');
});

test('heartbeat: a ping each, two and a half of silence end the connection', async () => {
  const stage = await Stage.online();
  await stage.time.pass(20_000);
  assert.equal(stage.sent('ping').length, 1);
  stage.say('pong', { server_time_ms: 1 });
  await stage.time.pass(29_999);
  assert.equal(stage.sent('ping').length, 2);
  assert.equal(stage.client.state, 'online');
  await stage.time.pass(20_000);
  assert.equal(stage.client.state, 'online', 'counted from the ping that nobody answered');
  await stage.time.pass(1);
  assert.equal(stage.told('closed')[0].reason, 'the server has fallen silent');
});

test('tickets: a provider is asked before each connection and before the end', async () => {
  let count = 0;
  const ticket = async () => `ticket-${(count += 1)}`;
  const stage = await Stage.online({ ticket }, { heartbeat_ms: 3_600_000 });
  await stage.time.pass(569_999);
  assert.deepEqual(stage.sent('refresh'), []);
  await stage.time.pass(1);
  assert.deepEqual(stage.sent('refresh'), [{ type: 'refresh', ticket: 'ticket-2' }]);
  stage.say('refreshed', { server_time_ms: 1, ticket_expires_in_ms: 600_000 });
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept();
  assert.equal(stage.sent('hello')[0].ticket, 'ticket-3');
});

test('tickets: a refusal for want of one fetches it, then asks again', async () => {
  let count = 0;
  const stage = await Stage.online({ ticket: () => `ticket-${(count += 1)}` });
  const bought = stage.client.buy(wanted);
  const [{ key }] = stage.sent('buy');
  stage.say('refused', refused(key, 'ticket_expired'));
  await settle();
  assert.equal(stage.sent('refresh').length, 1);
  assert.equal(stage.sent('buy').length, 1);
  stage.say('refreshed', { server_time_ms: 1, ticket_expires_in_ms: 600_000 });
  assert.equal(stage.sent('buy').length, 2);
  stage.say('held', hold({ key }));
  assert.equal((await bought).type, 'held');
});

test('tickets: an expired one is replaced once, then the client stops', async () => {
  const stage = await Stage.online({ ticket: () => 'stale' });
  await stage.end(4101);
  assert.equal(stage.client.state, 'waiting');
  await stage.time.pass(250);
  stage.socket.onopen({});
  await stage.end(4101);
  assert.equal(stage.client.state, 'stopped');

  const fixed = await Stage.online();
  await fixed.end(4101);
  assert.equal(fixed.client.state, 'stopped', 'a text alone cannot be renewed');
});

test('tickets: one that cannot be fetched is a failed attempt', async () => {
  let working = false;
  const ticket = async () => {
    if (!working) throw new Error('503');
    return 't';
  };
  const stage = new Stage({ ticket });
  stage.client.connect();
  await settle();
  assert.equal(stage.client.state, 'waiting');
  working = true;
  await stage.time.pass(250);
  await stage.accept();
  assert.equal(stage.client.state, 'online');
});

test('tickets: what is none is not sent, and the app is told what it gave', async () => {
  const given = [
    [{ ticket: 't' }, 'an object, not a text'],
    [undefined, 'undefined, not a text'],
    [null, 'null, not a text'],
    [7, 'a number, not a text'],
    ['\n<!doctype html><p>log in', 'HTML, not a ticket'],
  ];
  for (const [ticket, kind] of given) {
    const stage = new Stage({ ticket: async () => ticket });
    stage.client.connect();
    await settle();
    assert.equal(stage.told('fault')[0].message, `the ticket function gave ${kind}`);
    assert.equal(stage.told('closed')[0].reason, `no connection could be made: TypeError: the ticket function gave ${kind}`);
    assert.equal(stage.sockets.length, 0);
  }
  const stage = await Stage.online();
  await assert.rejects(stage.client.refresh({ ticket: 't' }), { message: 'ticket must be a text, not an object' });
  assert.deepEqual(stage.sent('refresh'), []);
});

test('tickets: a function that never settles is told to be the reason', async () => {
  const stage = new Stage({ ticket: () => new Promise(() => {}) });
  stage.client.connect();
  await stage.time.pass(20_000);
  const message = 'no ticket in time: the function `ticket` has not settled';
  assert.equal(stage.told('fault')[0].message, message);
  assert.equal(stage.told('closed')[0].reason, `no connection could be made: Error: ${message}`);
});

test('a fault that nobody listens to is logged', async (t) => {
  const log = t.mock.method(console, 'error', () => {});
  const fault = new Error('503');
  const ticket = () => Promise.reject(fault);
  const surroundings = { setTimeout: () => 0, clearTimeout: () => {} };
  const options = { url: 'ws://server.test/', ticket, WebSocket: class {}, surroundings };
  const faultsOf = async (client) => {
    client.connect().catch(() => {});
    await settle();
    return log.mock.calls.map((call) => call.arguments);
  };
  const heard = new StampedeClient(options);
  heard.on('fault', () => {});
  assert.deepEqual(await faultsOf(heard), []);
  assert.deepEqual(await faultsOf(new StampedeClient(options)), [['stampede:', fault]]);
});

test('tickets: the app may hand over a new one', async () => {
  const stage = await Stage.online();
  await stage.client.refresh('ticket-2');
  assert.deepEqual(stage.sent('refresh'), [{ type: 'refresh', ticket: 'ticket-2' }]);
});

test('tickets: one that is handed over is used once, the provider stays', async () => {
  const counted = async (fields) => {
    let count = 0;
    return Stage.online({ ticket: () => `ticket-${(count += 1)}` }, fields);
  };
  const stage = await counted({ heartbeat_ms: 3_600_000 });
  await stage.client.refresh('handed');
  stage.say('refreshed', { server_time_ms: 1, ticket_expires_in_ms: 600_000 });
  await stage.time.pass(570_000);
  assert.deepEqual(stage.sent('refresh').map(({ ticket }) => ticket), ['handed', 'ticket-2']);

  const away = await counted();
  await away.end(1006);
  await away.client.refresh('handed');
  await away.time.pass(250);
  away.socket.onopen({});
  assert.equal(away.sent('hello')[0].ticket, 'handed');
  await away.client.refresh('late');
  await away.accept();
  assert.deepEqual(away.sent('refresh').map(({ ticket }) => ticket), ['late']);
});

test('closing: nothing is left behind, promises say so', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy(wanted);
  stage.client.close();
  await assert.rejects(bought, StoppedError);
  assert.equal(stage.socket.isClosed, true);
  assert.equal(stage.time.timers, 0);
  assert.equal(stage.told('closed')[0].verdict, 'asked');
});

test('requests that wait are bounded', async () => {
  const stage = await Stage.online();
  for (let count = 0; count < REQUESTS_MAX; count += 1) stage.client.buy(wanted).catch(() => {});
  await assert.rejects(stage.client.buy(wanted), RangeError);
});

test('a listener that throws disturbs nobody', async (t) => {
  const stage = await Stage.online();
  const later = t.mock.method(globalThis, 'queueMicrotask', () => {});
  stage.client.on('held', () => {
    throw new Error('a fault of the app');
  });
  let changes = 0;
  const off = stage.client.on('change', () => (changes += 1));
  stage.say('held', hold());
  off();
  stage.say('held', hold({ hold: 'h2' }));
  assert.equal(stage.client.holds.size, 2);
  assert.equal(changes, 1);
  assert.throws(later.mock.calls[0].arguments[0], /a fault of the app/);
});

test('the default surroundings are those of the platform', () => {
  const client = new StampedeClient({ url: 'ws://server.test/', ticket: 't', WebSocket: class {} });
  assert.ok(client.timeLeft(performance.now() + 1_000) > 0);
  assert.equal(client.timeLeft(0), 0);
});
