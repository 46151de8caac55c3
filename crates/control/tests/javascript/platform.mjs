// A stay against a fake server, on whatever runs this: a purchase, a lost connection, a sleep, a payment.
// Language and platform are what is tried here; the rules have tests of their own.

import { StampedeClient } from '../../assets/stampede.mjs';
import { hold, order, settle, Stage, welcome } from './fake.mjs';

const wanted = { drop: 'd1', sku: 'a', units: 1 };

function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}

/** A storage with promises that takes its time. */
function slowStorage() {
  const items = new Map();
  const later = async () => {
    for (let turn = 0; turn < 3; turn += 1) await undefined;
  };
  return {
    items,
    getItem: async (name) => (await later(), items.get(name) ?? null),
    setItem: async (name, value) => (await later(), void items.set(name, value)),
    removeItem: async (name) => (await later(), void items.delete(name)),
  };
}

/** With the clock and the storage of the test, keys of the platform unless it has none. */
async function stay(options) {
  const stage = await Stage.online(options);
  same(stage.client.featured.title, 'Perfume', 'the welcome is read');
  const bought = stage.client.buy(wanted);
  await settle();
  const [{ key }] = stage.sent('buy');
  same(/^[A-Za-z0-9._:-]{1,64}$/.test(key), true, 'the key is one');
  await stage.end(1000, 'a proxy');
  await stage.time.pass(250);
  await stage.accept();
  same(stage.sent('buy').map((buy) => buy.key), [key], 'the same key again');
  stage.say('held', hold({ key, retry: true }));
  same((await bought).type, 'held', 'the purchase is answered');
  stage.wake();
  stage.say('pong', { server_time_ms: welcome().server_time_ms });
  const paid = stage.client.pay('h1');
  stage.say('order', order());
  same((await paid).order, 'h1', 'the payment is answered');
  same([...stage.client.orders.keys()], ['h1'], 'the order is known');
  same(stage.told('fault').map(String), [], 'nothing went wrong');
  stage.client.close();
  await settle();
  same(stage.client.state, 'stopped', 'the stay is over');
  same(stage.time.timers, 0, 'nothing is left behind');
}

/** With timers, clocks, storage and events of the platform itself. */
async function native(options) {
  const sockets = [];
  class Socket {
    constructor() {
      sockets.push(this);
    }
    send(text) {
      this.last = JSON.parse(text);
    }
    close() {}
  }
  const client = new StampedeClient({ url: 'ws://server.test/', ticket: async () => 't', WebSocket: Socket, ...options });
  client.on('fault', (fault) => {
    throw fault;
  });
  const connected = client.connect();
  await settle();
  sockets[0].onopen({});
  same(sockets[0].last, { type: 'hello', ticket: 't' }, 'the ticket is fetched');
  sockets[0].onmessage({ data: JSON.stringify({ type: 'welcome', ...welcome({ holds: [hold()] }) }) });
  await connected;
  const left = client.timeLeft(client.holds.get('h1').expiresAt);
  same(left > 119_000 && left <= 120_000, true, 'time passes');
  client.wake();
  same(sockets[0].last, { type: 'ping' }, 'the connection is looked at');
  client.close();
}

/** Plays all of it; `platform` is what the platform has. */
export async function play(platform) {
  let made = 0;
  const newKey = () => `key-${(made += 1)}`;
  const own = platform.hasCrypto ? {} : { newKey };
  same(typeof globalThis.crypto?.getRandomValues === 'function', platform.hasCrypto, 'crypto');
  if (!platform.hasCrypto) {
    let why;
    try {
      new Stage();
    } catch (error) {
      why = error;
    }
    same([why?.name, /newKey/.test(why?.message)], ['TypeError', true], 'it says what it needs');
  }
  if (platform.hasWebSocket) new StampedeClient({ url: 'ws://server.test/', ticket: 't', ...own });
  await stay(own);
  await stay({ newKey });
  const storage = slowStorage();
  await stay({ ...own, storage });
  same(storage.items.size, 0, 'answered purchases are forgotten');
  await native(own);
  return `played on ${platform.name}`;
}
