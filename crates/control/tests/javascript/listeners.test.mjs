// What the app may do in a listener: end the stay, begin it again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hold, settle, Stage, welcome } from './fake.mjs';

const wanted = { drop: 'd1', sku: 'a', units: 1 };

/** The client ends here: no connection, no timer, nothing that comes later. */
async function assertEnded(stage) {
  const { length } = stage.sockets;
  await stage.time.pass(600_000);
  assert.equal(stage.client.state, 'stopped');
  assert.equal(stage.sockets.length, length);
  assert.equal(stage.time.timers, 0);
  assert.equal(stage.told('closed').filter(({ verdict }) => verdict === 'asked').length, 1);
}

for (const type of ['state', 'change', 'closed']) {
  test(`closing in ${type}, when the connection is lost: it does not come back`, async () => {
    const stage = await Stage.online();
    stage.client.on(type, () => stage.client.close());
    await stage.end(1006);
    await assertEnded(stage);
    if (type !== 'closed') assert.equal(stage.told('closed').length, 1, 'no delay is promised');
  });
}

test('closing and connecting in closed: one attempt, without the delay', async () => {
  const stage = await Stage.online();
  const off = stage.client.on('closed', () => {
    off();
    stage.client.close();
    stage.client.connect();
  });
  await stage.end(1006);
  assert.equal(stage.sockets.length, 2);
  await stage.accept();
  await stage.time.pass(15_000);
  assert.equal(stage.sockets.length, 2);
  assert.equal(stage.client.state, 'online');
});

for (const type of ['message', 'state', 'change', 'welcome']) {
  test(`closing in ${type}, when the welcome comes`, async () => {
    const stage = new Stage();
    const connected = stage.client.connect().catch(() => {});
    stage.client.buy(wanted).catch(() => {});
    await settle();
    stage.socket.onopen({});
    stage.client.on(type, () => stage.client.close());
    stage.say('welcome', welcome());
    await connected;
    assert.deepEqual(stage.sent('buy'), []);
    await assertEnded(stage);
  });
}

test('closing while connecting, in state and in fault', async () => {
  const stage = new Stage();
  stage.client.on('state', () => stage.client.close());
  await assert.rejects(stage.client.connect(), /closed by the app/);
  assert.equal(stage.sockets.length, 0);
  await assertEnded(stage);

  const away = new Stage({ ticket: async () => { throw new Error('503'); } });
  away.client.on('fault', () => away.client.close());
  await assert.rejects(away.client.connect(), /closed by the app/);
  await assertEnded(away);
});

test('closing in held: the purchase has its answer all the same', async () => {
  const stage = await Stage.online();
  const bought = stage.client.buy({ ...wanted, key: 'k1' });
  stage.client.on('held', () => stage.client.close());
  stage.say('held', hold({ key: 'k1' }));
  assert.equal((await bought).type, 'held');
  assert.equal(stage.storage.getItem('stampede:show:v-1'), null);
});

for (const type of ['state', 'closed']) {
  test(`connecting in ${type}, when the client has stopped: the new stay is not the old one`, async () => {
    const stage = await Stage.online();
    const old = stage.client.buy({ ...wanted, key: 'old' });
    let again;
    let bought;
    const off = stage.client.on(type, () => {
      off();
      again = stage.client.connect();
      bought = stage.client.buy({ ...wanted, key: 'new' });
    });
    await stage.end(4100, 'unknown key');
    await assert.rejects(old, /unknown key/);
    await stage.accept();
    assert.equal((await again).viewer, 'v-1');
    stage.say('held', hold({ key: 'new' }));
    assert.equal((await bought).key, 'new');
  });
}
