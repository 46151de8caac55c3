// A device that slept: the connection is looked at at once, the points in time are put right.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { StampedeClient } from '../../assets/stampede.mjs';
import { drop, hold, settle, Stage } from './fake.mjs';

const SERVER = 1_790_000_000_000;

/** A client with a drop that closes and a hold that ends, both in 120 s by the server's clock. */
function selling(options) {
  return Stage.online(options, { drops: [drop({ closes_in_ms: 120_000 })], holds: [hold()] });
}

/** How long the client thinks that the hold has, how long the drop. */
function left({ client }) {
  const [{ closesAt }] = client.drops.values();
  const [{ expiresAt }] = client.holds.values();
  return [client.timeLeft(expiresAt), client.timeLeft(closesAt)];
}

test('a page that comes back asks at once, waits 2 s, then connects anew', async () => {
  const stage = await Stage.online();
  await stage.time.pass(5_000);
  stage.wake();
  assert.equal(stage.sent('ping').length, 1);
  await stage.time.pass(1_999);
  assert.equal(stage.client.state, 'online');
  await stage.time.pass(1);
  assert.equal(stage.told('closed')[0].reason, 'no answer after the device woke');
  assert.equal(stage.told('closed')[0].verdict, 'again');
  await stage.time.pass(250);
  await stage.accept();
  assert.equal(stage.client.state, 'online');
});

test('a connection that still stands is kept; a second look within the first asks nothing', async () => {
  const stage = await Stage.online();
  stage.wake();
  stage.wake();
  assert.equal(stage.sent('ping').length, 1);
  stage.say('pong', { server_time_ms: SERVER });
  await stage.time.pass(19_000);
  assert.equal(stage.sockets.length, 1);
  assert.equal(stage.client.state, 'online');
});

test('only the pong after the wake counts: what was on its way before says nothing', async () => {
  const stage = await Stage.online();
  await stage.time.pass(20_000);
  stage.wake();
  assert.equal(stage.sent('ping').length, 2, 'the heartbeat, then the question');
  stage.say('stock', { drop: 'd1', version: 5, skus: [{ sku: 'a', available: 7 }] });
  stage.say('pong', { server_time_ms: SERVER + 20_000 });
  await stage.time.pass(2_000);
  assert.equal(stage.client.state, 'waiting');
});

for (const [how, nap] of [['both clocks went on', 'sleep'], ['one clock stood still', 'suspend']]) {
  test(`a sleep that nobody told of shows in the clocks: ${how}`, async () => {
    const stage = await Stage.online();
    await stage.time.pass(500);
    stage.time[nap](60_000);
    await stage.time.pass(1_000);
    assert.equal(stage.sent('ping').length > 0, true);
    await stage.time.pass(2_000);
    assert.equal(stage.told('closed')[0].reason, 'no answer after the device woke');
  });

  test(`a device that sleeps again while it waits for the answer asks again: ${how}`, async () => {
    const stage = await Stage.online();
    stage.wake();
    stage.time[nap](60_000);
    await stage.time.pass(1_000);
    const asked = stage.sent('ping').length;
    assert.ok(asked > 1);
    assert.equal(stage.client.state, 'online');
    for (let count = 0; count < asked; count += 1) stage.say('pong', { server_time_ms: SERVER });
    await stage.time.pass(5_000);
    assert.equal(stage.client.state, 'online');
  });
}

for (const nap of ['sleep', 'suspend']) {
  test(`patience that ran out in a sleep begins again, whichever timer comes first: ${nap}`, async () => {
    const stage = await Stage.online();
    await stage.time.pass(500);
    stage.wake();
    await stage.time.pass(1_600);
    stage.time[nap](60_000);
    await stage.time.pass(400);
    assert.equal(stage.client.state, 'online');
    await stage.time.pass(2_000);
    assert.equal(stage.told('closed')[0].reason, 'no answer after the device woke');
  });
}

test('a busy page and a clock that is corrected a little are no sleep', async () => {
  const stage = await Stage.online();
  for (let second = 0; second < 10; second += 1) {
    stage.time.sleep(900);
    stage.time.suspend(-900);
    await stage.time.pass(1_000);
  }
  assert.equal(stage.sent('ping').length, 0);
});

test('a wait by our own dice is cut short, one that the server asked for is not', async () => {
  const stage = await Stage.online();
  for (const bound of [250, 500, 1_000, 2_000, 4_000]) {
    await stage.end(1006);
    if (bound < 4_000) await stage.time.pass(bound);
  }
  const { length } = stage.sockets;
  await stage.time.pass(250);
  assert.equal(stage.sockets.length, length);
  stage.wake();
  await stage.time.pass(250);
  assert.equal(stage.sockets.length, length + 1);

  await stage.accept();
  stage.say('error', { code: 'going_away', close_code: 4000, message: 'moving', retry_after_ms: 3_000 });
  await stage.end(4000);
  stage.wake();
  await stage.time.pass(2_999);
  assert.equal(stage.sockets.length, length + 1);
  await stage.time.pass(1);
  assert.equal(stage.sockets.length, length + 2);
});

test('an attempt that the sleep interrupted is begun again', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settle();
  stage.time.suspend(60_000);
  await stage.time.pass(1_250);
  assert.equal(stage.sockets.length, 2);
  assert.equal(stage.sockets[0].isClosed, true);
});

test('an attempt that is overdue after a sleep is made once', async () => {
  const stage = await Stage.online();
  await stage.end(1006);
  stage.time.sleep(60_000);
  await stage.time.pass(5_000);
  assert.equal(stage.sockets.length, 2);
  await stage.accept();
  assert.equal(stage.client.state, 'online');
});

test('a hidden page, whose timers come once a minute, connects again', async () => {
  const stage = new Stage();
  stage.time.step = 60_000;
  stage.client.connect();
  await settle();
  await stage.accept();
  await stage.end(1006);
  await stage.time.pass(60_000);
  assert.equal(stage.sockets.length, 2);
  assert.equal(stage.socket.isClosed, false, 'the clocks are no reason to give the attempt up');
  await stage.accept();
  let answered = 0;
  for (let minute = 2; minute <= 5; minute += 1) {
    await stage.time.pass(60_000);
    const asked = stage.sent('ping').length;
    for (; answered < asked; answered += 1) stage.say('pong', { server_time_ms: SERVER });
  }
  assert.equal(stage.sockets.length, 2);
  assert.equal(stage.client.state, 'online');
});

test('a page that comes back while it connects begins again, unless it has just begun', async () => {
  const stage = new Stage();
  stage.client.connect();
  await settle();
  await stage.time.pass(2_000);
  stage.wake();
  assert.equal(stage.sockets[0].isClosed, false);
  await stage.time.pass(1);
  stage.wake();
  stage.wake();
  assert.equal(stage.sockets[0].isClosed, true);
  await stage.time.pass(250);
  assert.equal(stage.sockets.length, 2);
  await stage.accept();
  assert.equal(stage.client.state, 'online');
});

test('after the end nobody is listened to; a new stay listens again', async () => {
  const stage = await Stage.online();
  stage.client.close();
  assert.equal(stage.wake, undefined);
  assert.equal(stage.time.timers, 0);
  stage.client.wake();
  assert.equal(stage.sockets.length, 1);
  stage.client.connect();
  assert.notEqual(stage.wake, undefined);
});

test('times: the pong after a sleep puts them right where our clock stood still', async () => {
  const stage = await selling();
  await stage.time.pass(10_000);
  assert.deepEqual(left(stage), [110_000, 110_000]);
  let changes = 0;
  stage.client.on('change', () => (changes += 1));
  stage.time.suspend(30_000);
  await stage.time.pass(1_000);
  assert.deepEqual(left(stage), [109_000, 109_000], 'nobody has told yet');
  stage.say('pong', { server_time_ms: SERVER + 41_000 });
  assert.deepEqual(left(stage), [79_000, 79_000]);
  assert.equal(stage.client.serverNow(), SERVER + 41_000);
  assert.equal(changes, 1);
});

test('times: a pong from before the sleep corrects nothing, the one after it does', async () => {
  const stage = await selling();
  await stage.time.pass(20_000);
  stage.time.suspend(30_000);
  await stage.time.pass(1_000);
  stage.say('pong', { server_time_ms: SERVER + 20_000 });
  assert.deepEqual(left(stage), [99_000, 99_000]);
  stage.say('pong', { server_time_ms: SERVER + 51_000 });
  assert.deepEqual(left(stage), [69_000, 69_000]);
});

test('times: a fast pong corrects what a slow welcome told late', async () => {
  const stage = await selling();
  await stage.time.pass(20_000);
  stage.say('pong', { server_time_ms: SERVER + 20_800 });
  assert.deepEqual(left(stage), [99_200, 99_200]);
});

test('times: a pong that took long moves nothing', async () => {
  const stage = await selling();
  await stage.time.pass(21_500);
  stage.say('pong', { server_time_ms: SERVER + 20_700 });
  assert.deepEqual(left(stage), [98_500, 98_500]);
  assert.equal(stage.client.serverNow(), SERVER + 21_500);
});

test('times: a clock that somebody sets moves no deadline, the server\'s or ours', async () => {
  const stage = await selling();
  await stage.time.pass(20_000);
  stage.say('pong', { server_time_ms: SERVER + 3_620_000 });
  assert.deepEqual(left(stage), [100_000, 100_000]);
  assert.equal(stage.client.serverNow(), SERVER + 3_620_000, 'it is shown');

  stage.time.suspend(3_600_000);
  await stage.time.pass(1_000);
  stage.say('pong', { server_time_ms: SERVER + 3_621_000 });
  assert.deepEqual(left(stage), [99_000, 99_000]);
});

test('times: what is told between the wake and the pong is right already', async () => {
  const stage = await Stage.online({}, { drops: [drop({ phase: 'countdown', opens_in_ms: 90_000 })] });
  await stage.time.pass(5_000);
  stage.time.suspend(60_000);
  await stage.time.pass(1_000);
  stage.say('held', hold());
  const phase = { drop: 'd1', version: 6, phase: 'countdown', featured: true, opens_in_ms: 10_000 };
  stage.say('phase', { ...phase, server_time_ms: SERVER + 66_000 });
  stage.say('pong', { server_time_ms: SERVER + 66_000 });
  const [{ opensAt }] = stage.client.drops.values();
  const [{ expiresAt }] = stage.client.holds.values();
  assert.deepEqual([stage.client.timeLeft(expiresAt), stage.client.timeLeft(opensAt)], [120_000, 10_000]);

  stage.time.suspend(5_000);
  await stage.time.pass(1_000);
  stage.say('pong', { server_time_ms: SERVER + 72_000 });
  const [{ expiresAt: after }] = stage.client.holds.values();
  assert.equal(stage.client.timeLeft(after), 114_000, 'the next sleep moves it');
});

test('times: a phase that lay there while the device slept is as old as its time of the server', async () => {
  const stage = await selling();
  await stage.time.pass(5_000);
  stage.time.suspend(60_000);
  await stage.time.pass(1_000);
  const phase = { drop: 'd1', version: 6, phase: 'open', featured: true, closes_in_ms: 100_000 };
  stage.say('phase', { ...phase, server_time_ms: SERVER + 6_000 });
  stage.say('pong', { server_time_ms: SERVER + 66_000 });
  assert.deepEqual(left(stage), [54_000, 40_000]);
});

test('times: a slow welcome says nothing of the holds that come after it', async () => {
  const stage = await Stage.online();
  await stage.time.pass(20_000);
  stage.say('held', hold({ expires_in_ms: 5_000 }));
  stage.say('pong', { server_time_ms: SERVER + 20_900 });
  const [{ expiresAt }] = stage.client.holds.values();
  assert.equal(stage.client.timeLeft(expiresAt), 5_000);
});

test('times: small steps of a clock do not add up', async () => {
  const stage = await selling();
  for (let step = 1; step <= 5; step += 1) {
    await stage.time.pass(20_000);
    stage.say('pong', { server_time_ms: SERVER + step * 20_900 });
  }
  assert.deepEqual(left(stage), [19_100, 19_100], 'the first could have been the network');
});

test('times: short sleeps add up, whoever told the time', async () => {
  const stage = await selling();
  stage.say('held', hold({ hold: 'h2', expires_in_ms: 110_000 }));
  for (let nap = 1; nap <= 5; nap += 1) {
    stage.time.suspend(900);
    await stage.time.pass(20_000);
    stage.say('pong', { server_time_ms: SERVER + nap * 20_900 });
  }
  assert.deepEqual(left(stage), [15_500, 15_500]);
  assert.equal(stage.client.timeLeft(stage.client.holds.get('h2').expiresAt), 5_500);
});

test('times: a stock figure leaves them as they were told', async () => {
  const stage = await selling();
  await stage.time.pass(10_000);
  stage.say('stock', { drop: 'd1', version: 5, skus: [{ sku: 'a', available: 7 }] });
  stage.time.suspend(30_000);
  await stage.time.pass(1_000);
  stage.say('pong', { server_time_ms: SERVER + 41_000 });
  assert.deepEqual(left(stage), [79_000, 79_000]);
});

test('times: the ticket is renewed in time after a sleep', async () => {
  const ticket = () => 'ticket';
  const stage = await Stage.online({ ticket }, { ticket_expires_in_ms: 120_000 });
  stage.time.suspend(50_000);
  await stage.time.pass(1_000);
  stage.say('pong', { server_time_ms: SERVER + 51_000 });
  await stage.time.pass(38_000);
  assert.deepEqual(stage.sent('refresh'), []);
  stage.say('pong', { server_time_ms: SERVER + 89_000 });
  await stage.time.pass(1_000);
  assert.equal(stage.sent('refresh').length, 1);
});

test('the events of a page are heard while the client wants them', async (t) => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  const window = new EventTarget();
  const given = {
    document: page,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  };
  for (const [name, value] of Object.entries(given)) {
    const had = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => (had ? Object.defineProperty(globalThis, name, had) : delete globalThis[name]));
  }
  const timers = { setTimeout: () => 0, clearTimeout: () => {} };
  const client = new StampedeClient({ url: 'ws://server.test/', ticket: 't', WebSocket: class {}, surroundings: timers });
  const looked = t.mock.method(client, 'wake', () => {});
  const hear = (from, type) => {
    from.dispatchEvent(new Event(type));
    return looked.mock.callCount();
  };
  assert.equal(hear(window, 'online'), 0, 'not before it connects');
  client.connect().catch(() => {});
  assert.equal(hear(page, 'visibilitychange'), 0, 'hidden is not back');
  page.visibilityState = 'visible';
  assert.equal(hear(page, 'visibilitychange'), 1);
  assert.equal(hear(window, 'pageshow'), 2);
  assert.equal(hear(window, 'online'), 3);
  client.close();
  assert.equal(hear(window, 'online'), 3);
  assert.equal(hear(page, 'visibilitychange'), 3);
});
