// What the client needs of its platform: keys, and a storage that answers at once or later.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryStorage, StampedeClient } from '../../assets/stampede.mjs';
import { hold, settle, Stage } from './fake.mjs';

const wanted = { drop: 'd1', sku: 'a', units: 1 };
const SLOT = 'stampede:show:v-1';

/** A storage with promises, which the test keeps waiting. */
class LateStorage {
  items = new Map();
  asked = [];
  isOpen = true;

  #later(work) {
    return new Promise((resolve, reject) => {
      const answer = () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      if (this.isOpen) answer();
      else this.asked.push(answer);
    });
  }

  /** Answers what waits, then the rest at once. */
  async open() {
    this.isOpen = true;
    for (const answer of this.asked.splice(0)) answer();
    await settle();
  }

  getItem = (name) => this.#later(() => this.items.get(name) ?? null);
  setItem = (name, value) => this.#later(() => void this.items.set(name, value));
  removeItem = (name) => this.#later(() => void this.items.delete(name));
}

const keys = (stage) => stage.sent('buy').map(({ key }) => key);

test('a storage with promises: a purchase is sent once it is stored, forgotten with its answer', async () => {
  const storage = new LateStorage();
  const stage = await Stage.online({ storage });
  storage.isOpen = false;
  const bought = stage.client.buy({ ...wanted, key: 'k1' });
  await settle();
  assert.deepEqual(keys(stage), []);
  await storage.open();
  assert.deepEqual(keys(stage), ['k1']);
  assert.match(storage.items.get(SLOT), /"k1"/);
  stage.say('held', hold({ key: 'k1' }));
  await bought;
  await settle();
  assert.equal(storage.items.size, 0);
  assert.equal(stage.time.timers, 2, 'heartbeat and watch: no timer of the storage is left');
});

test('a storage with promises: a reload repeats what is unanswered, once', async () => {
  const storage = new LateStorage();
  const before = await Stage.online({ storage });
  before.client.buy({ ...wanted, key: 'old' });
  await settle();
  storage.isOpen = false;
  const after = new Stage({ storage });
  after.client.connect();
  await settle();
  await after.accept();
  after.client.buy({ ...wanted, key: 'new' });
  await settle();
  assert.deepEqual(keys(after), [], 'nothing is known yet');
  await storage.open();
  assert.deepEqual(keys(after).sort(), ['new', 'old']);
  assert.match(storage.items.get(SLOT), /"old".*"new"|"new".*"old"/);
});

test('a storage with promises: what it is asked for is done in order', async () => {
  const storage = new LateStorage();
  const stage = await Stage.online({ storage });
  storage.isOpen = false;
  const bought = ['k1', 'k2'].map((key) => stage.client.buy({ ...wanted, key }));
  await settle();
  assert.equal(storage.asked.length, 1, 'one at a time');
  await storage.open();
  storage.isOpen = false;
  for (const key of ['k1', 'k2']) stage.say('held', hold({ key, hold: key }));
  await Promise.all(bought);
  await storage.open();
  assert.equal(storage.items.size, 0, 'the last word is that nothing waits');
});

test('a storage that hangs costs a second, not the sale', async () => {
  const storage = new LateStorage();
  const stage = await Stage.online({ storage });
  storage.isOpen = false;
  stage.client.buy({ ...wanted, key: 'k1' });
  stage.client.buy({ ...wanted, key: 'k2' });
  await stage.time.pass(999);
  assert.deepEqual(keys(stage), []);
  await stage.time.pass(1);
  assert.deepEqual(keys(stage), ['k1', 'k2']);
  assert.match(String(stage.told('fault')[0]), /the storage does not answer/);
});

test('a storage whose promises fail costs no sale', async () => {
  const storage = { ...memoryStorage(), setItem: async () => { throw new Error('quota'); } };
  storage.getItem = async () => '{';
  const stage = await Stage.online({ storage });
  stage.client.buy({ ...wanted, key: 'k1' });
  await settle();
  assert.deepEqual(keys(stage), ['k1']);
  assert.match(String(stage.told('fault')[0]), /SyntaxError/);
  assert.match(String(stage.told('fault')[1]), /quota/);
});

test('a connection lost while a purchase is stored: the next one carries it, once', async () => {
  const storage = new LateStorage();
  const stage = await Stage.online({ storage });
  storage.isOpen = false;
  stage.client.buy({ ...wanted, key: 'k1' });
  await stage.end(1006);
  await storage.open();
  assert.deepEqual(keys(stage), []);
  await stage.time.pass(250);
  await stage.accept();
  assert.deepEqual(keys(stage), ['k1']);
});

/** A page that was loaded anew behind a purchase without an answer; its storage answers once it is opened. */
async function reloaded() {
  const storage = new LateStorage();
  const before = await Stage.online({ storage });
  before.client.buy({ ...wanted, key: 'k1' });
  await settle();
  storage.isOpen = false;
  const after = new Stage({ storage });
  after.client.connect();
  await settle();
  return { storage, after };
}

test('a connection lost while the stored purchases are read: the next one reads them', async () => {
  const { storage, after } = await reloaded();
  await after.accept();
  await after.end(1006);
  await storage.open();
  assert.deepEqual(keys(after), []);
  await after.time.pass(250);
  await after.accept();
  assert.deepEqual(keys(after), ['k1']);
});

/** The purchases that are under way, by key; those that these tests ask for. */
const underWay = ({ client }) => Object.fromEntries(client.purchases);
const asked = (...keys) => Object.fromEntries(keys.map((key) => [key, { ...wanted, key }]));

test('purchases: those without an answer, each change of them told', async () => {
  const stage = await Stage.online();
  let seen = underWay(stage);
  stage.client.on('change', () => (seen = underWay(stage)));
  assert.deepEqual(seen, {});
  const bought = ['k1', 'k2', 'k3'].map((key) => stage.client.buy({ ...wanted, key }));
  assert.deepEqual(seen, asked('k1', 'k2', 'k3'));
  stage.say('held', hold({ key: 'k1' }));
  assert.deepEqual(seen, asked('k2', 'k3'));
  stage.say('refused', { request: 'buy', key: 'k2', code: 'sold_out', message: '', temporary: true });
  assert.deepEqual(seen, asked('k3'));
  await stage.end(1006);
  assert.deepEqual(seen, asked('k3'), 'it is repeated');
  stage.client.close();
  assert.deepEqual(seen, {}, 'nobody waits for it any more');
  await assert.rejects(bought[2], /closed by the app/);
});

test('purchases: after a reload they are known when the page is drawn', async () => {
  const before = await Stage.online();
  before.client.buy({ ...wanted, key: 'k1' });
  const after = new Stage({ storage: before.storage });
  const seen = [];
  after.client.on('welcome', () => seen.push(underWay(after)));
  after.client.on('state', (state) => state === 'online' && seen.push(underWay(after)));
  const connected = after.client.connect();
  await settle();
  await after.accept();
  await connected;
  assert.deepEqual(seen, [asked('k1'), asked('k1')]);
  const answer = after.client.buy(after.client.purchases.get('k1'));
  assert.deepEqual(keys(after), ['k1'], 'asking again waits for its answer');
  after.say('held', hold({ key: 'k1' }));
  assert.equal((await answer).hold, 'h1');
  assert.deepEqual(underWay(after), {});
});

test('purchases: connecting settles once the storage has told them, or has had its second', async () => {
  for (const isAnswered of [true, false]) {
    const { storage, after } = await reloaded();
    let seen;
    let changes = 0;
    const connected = after.client.connect();
    connected.then(() => (seen = underWay(after)));
    await after.accept();
    after.client.on('change', () => (changes += 1));
    await after.time.pass(999);
    assert.equal(seen, undefined);
    assert.equal(after.client.connect(), connected);
    if (isAnswered) await storage.open();
    else await after.time.pass(1);
    assert.deepEqual(seen, asked(...(isAnswered ? ['k1'] : [])));
    await storage.open();
    assert.deepEqual(underWay(after), asked('k1'));
    assert.equal(changes, 1);
  }
});

test('purchases: connecting that was cut off while the storage was read settles with the next welcome', async () => {
  const { storage, after } = await reloaded();
  let seen;
  after.client.connect().then(() => (seen = underWay(after)));
  await after.accept();
  await after.end(1006);
  await storage.open();
  assert.equal(seen, undefined);
  await after.time.pass(250);
  await after.accept();
  assert.deepEqual(seen, asked('k1'));
});

test('purchases: one that is too old to be repeated is told, once, when the holds are known', async () => {
  const before = await Stage.online();
  before.client.buy({ ...wanted, key: 'k1' });
  const late = new Stage({ storage: before.storage });
  late.time.at += 61_000;
  let holds;
  late.client.on('lapsed', () => (holds = [...late.client.holds.keys()]));
  late.client.connect();
  await settle();
  await late.accept({ holds: [hold()] });
  assert.deepEqual(late.told('lapsed'), [{ key: 'k1', ...wanted }]);
  assert.deepEqual(holds, ['h1']);
  assert.deepEqual([underWay(late), keys(late)], [{}, []]);
  assert.equal(before.storage.getItem(SLOT), null);
  await late.end(1006);
  await late.time.pass(250);
  await late.accept();
  assert.equal(late.told('lapsed').length, 1);
});

test('purchases: one that this page still waits for does not lapse', async () => {
  const stage = await Stage.online({ resumeMs: 100 });
  stage.client.buy({ ...wanted, key: 'k1' });
  await stage.end(1006);
  await stage.time.pass(250);
  await stage.accept();
  assert.deepEqual([stage.told('lapsed'), keys(stage)], [[], ['k1']]);
});

test('purchases: closing when one has lapsed, or when one is taken over, loses none', async () => {
  for (const type of ['lapsed', 'change']) {
    const before = await Stage.online();
    before.client.buy({ ...wanted, key: 'k1' });
    await before.time.pass(50_000);
    before.client.buy({ ...wanted, key: 'k2' });
    const after = new Stage({ storage: before.storage });
    after.time.at += 61_000;
    after.client.connect().catch(() => {});
    await settle();
    after.client.on(type, () => after.client.close());
    await after.accept();
    assert.match(before.storage.getItem(SLOT), /"k1".*"k2"/, type);
    assert.deepEqual(keys(after), []);
    assert.equal(after.time.timers, 0);
  }
});

test('what is read late for one viewer is not repeated for another', async () => {
  const { storage, after } = await reloaded();
  await after.accept();
  await after.end(1006);
  await after.time.pass(250);
  await after.accept({ viewer: 'v-2' });
  await storage.open();
  assert.deepEqual(keys(after), []);
});

test('a storage that is read late: what it holds is repeated then, once, with its key', async () => {
  const { storage, after } = await reloaded();
  await after.accept();
  await after.time.pass(1_000);
  const bought = after.client.buy({ ...wanted, key: 'k2' });
  await after.time.pass(1_000);
  assert.deepEqual(keys(after), ['k2']);
  assert.match(storage.items.get(SLOT), /"k1"/, 'what nobody has read is not overwritten');
  await storage.open();
  assert.deepEqual(keys(after), ['k2', 'k1']);
  assert.match(storage.items.get(SLOT), /"k2".*"k1"/);
  after.say('held', hold({ key: 'k2' }));
  after.say('held', hold({ key: 'k1', hold: 'h2' }));
  await bought;
  await settle();
  assert.equal(storage.items.size, 0);
});

test('a storage that is read late: what was answered meanwhile is not asked again', async () => {
  const { storage, after } = await reloaded();
  await after.accept();
  await after.time.pass(1_000);
  after.client.buy({ ...wanted, key: 'k1' });
  await after.time.pass(1_000);
  after.say('held', hold({ key: 'k1' }));
  await settle();
  await storage.open();
  assert.deepEqual(keys(after), ['k1']);
  assert.equal(storage.items.size, 0);
});

test('a storage that is read late, after the stay: nothing is sent, nothing lost', async () => {
  const { storage, after } = await reloaded();
  await after.accept();
  await after.time.pass(1_000);
  after.client.close();
  await storage.open();
  assert.match(storage.items.get(SLOT), /"k1"/);
  after.client.connect();
  await settle();
  await after.accept();
  assert.deepEqual(keys(after), ['k1']);
});

for (const [how, fail] of [
  ['at once', () => { throw new Error('locked'); }],
  ['with a promise', async () => { throw new Error('locked'); }],
]) {
  test(`a storage that cannot be read once keeps what it holds: ${how}`, async () => {
    const before = await Stage.online();
    before.client.buy({ ...wanted, key: 'k1' });
    const { storage } = before;
    let isLocked = true;
    const getItem = (name) => (isLocked ? fail() : storage.getItem(name));
    const after = await Stage.online({ storage: { ...storage, getItem } });
    assert.match(String(after.told('fault')[0]), /locked/);
    assert.match(storage.getItem(SLOT), /"k1"/);
    isLocked = false;
    after.client.buy({ ...wanted, key: 'k2' });
    await settle();
    assert.deepEqual(keys(after).sort(), ['k1', 'k2'], 'the next purchase reads again');
    assert.match(storage.getItem(SLOT), /"k2".*"k1"/);
  });

  test(`a storage that can never be read costs no sale: ${how}`, async () => {
    const stage = await Stage.online({ storage: { ...memoryStorage(), getItem: fail } });
    stage.client.buy({ ...wanted, key: 'k1' });
    await settle();
    assert.deepEqual(keys(stage), ['k1']);
  });
}

test('a purchase that a listener of the welcome asks for overwrites nothing', async () => {
  const before = await Stage.online();
  before.client.buy({ ...wanted, key: 'k1' });
  const after = new Stage({ storage: before.storage });
  after.client.on('welcome', () => after.client.buy({ ...wanted, key: 'k2' }));
  after.client.connect();
  await settle();
  await after.accept();
  assert.deepEqual(keys(after), ['k2', 'k1']);
  assert.match(before.storage.getItem(SLOT), /"k1".*"k2"/);
});

test('a text that is no list of purchases is removed', async () => {
  for (const text of ['{', '5', 'null', '[null]']) {
    const storage = memoryStorage();
    storage.setItem(SLOT, text);
    const stage = await Stage.online({ storage });
    assert.equal(storage.getItem(SLOT), null, text);
    assert.equal(stage.client.state, 'online');
  }
});

test('keys are those of newKey where the app has one', async () => {
  let made = 0;
  const stage = await Stage.online({ newKey: () => `own:${(made += 1)}` });
  stage.client.buy(wanted);
  stage.client.buy(wanted);
  assert.deepEqual(keys(stage), ['own:1', 'own:2']);
  const wrong = await Stage.online({ newKey: async () => 'k' });
  await assert.rejects(wrong.client.buy(wanted), /a key has 1 to 64 letters/);
});

test('without crypto and without newKey there is no client, which says what to do', (t) => {
  const had = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  t.after(() => Object.defineProperty(globalThis, 'crypto', had));
  delete globalThis.crypto;
  const options = { url: 'ws://server.test/', ticket: 't', WebSocket: class {} };
  assert.throws(() => new StampedeClient(options), { name: 'TypeError', message: /pass newKey as an option/ });
  assert.ok(new StampedeClient({ ...options, newKey: () => 'k' }));
});
