// A server, a clock and dice that tests hold in their hands.

import { memoryStorage, StampedeClient } from '../../assets/stampede.mjs';

/** A clock that moves when it is told to. */
export class FakeTime {
  at = 1_000;
  /** What the wall clock shows more than this one. */
  ahead = 1_700_000_000_000;
  /** Timers fire at multiples of this, as those of a hidden page do. */
  step = 1;
  #timers = new Map();
  #next = 1;

  setTimeout(work, ms) {
    const id = this.#next;
    this.#next += 1;
    const wanted = this.at + ms;
    this.#timers.set(id, { due: Math.ceil(wanted / this.step) * this.step, wanted, work });
    return id;
  }

  clearTimeout(id) {
    this.#timers.delete(id);
  }

  get timers() {
    return this.#timers.size;
  }

  /** Lets time pass, timers fire in their order. Promises settle in between. */
  async pass(ms) {
    const end = this.at + ms;
    for (;;) {
      await settle();
      const order = ([, a], [, b]) => a.due - b.due || a.wanted - b.wanted;
      const [id, timer] = [...this.#timers].sort(order)[0] ?? [];
      if (!timer || timer.due > end) break;
      this.#timers.delete(id);
      this.at = Math.max(this.at, timer.due);
      timer.work();
    }
    this.at = end;
    await settle();
  }

  /** Time goes on while no timer fires: a machine that sleeps, whose clocks both count on. */
  sleep(ms) {
    this.at += ms;
  }

  /** The wall clock goes on alone: a machine that sleeps, whose monotonic clock stands still. */
  suspend(ms) {
    this.ahead += ms;
  }
}

/** Every promise that can settle by now has settled. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A client with a fake socket, what it has sent, what it has told. */
export class Stage {
  sockets = [];
  events = [];
  dice = 1;

  constructor(options = {}) {
    this.time = new FakeTime();
    const { sockets, time } = this;
    class FakeSocket {
      sent = [];
      isClosed = false;
      answers = {};

      constructor(url, protocols) {
        Object.assign(this, { url, protocols });
        sockets.push(this);
      }

      send(text) {
        if (this.isClosed) throw new Error('the socket is closed');
        this.sent.push(JSON.parse(text));
      }

      close() {
        this.isClosed = true;
      }

      /** The package `ws` has this beside what every WebSocket has. */
      on(type, listener) {
        this.answers[type] = listener;
      }
    }
    this.storage = options.storage ?? memoryStorage();
    this.client = new StampedeClient({
      url: 'ws://server.test/',
      ticket: 'ticket-1',
      WebSocket: FakeSocket,
      storage: this.storage,
      surroundings: {
        now: () => time.at,
        wallClock: () => time.ahead + time.at,
        random: () => this.dice,
        setTimeout: (work, ms) => time.setTimeout(work, ms),
        clearTimeout: (id) => time.clearTimeout(id),
        onWake: (work) => {
          this.wake = work;
          return () => (this.wake = undefined);
        },
      },
      ...options,
    });
    for (const type of ['state', 'closed', 'retrying', 'lapsed', 'refused', 'held', 'order', 'fault']) {
      this.client.on(type, (event) => this.events.push([type, event]));
    }
  }

  /** The connection of now. */
  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  /** What was sent on it, of one type. */
  sent(type) {
    return this.socket.sent.filter((message) => message.type === type);
  }

  told(type) {
    return this.events.filter(([told]) => told === type).map(([, event]) => event);
  }

  /** A message from the server. */
  say(type, fields) {
    this.socket.onmessage({ data: JSON.stringify({ type, ...fields }) });
  }

  /** The server ends the connection. */
  async end(code, reason = '') {
    this.socket.isClosed = true;
    this.socket.onclose({ code, reason });
    await settle();
  }

  async accept(fields = {}) {
    this.socket.onopen({});
    this.say('welcome', welcome(fields));
    await settle();
  }

  /** Connected, welcomed. */
  static async online(options, fields) {
    const stage = new Stage(options);
    stage.connected = stage.client.connect();
    stage.connected.catch(() => {});
    await settle();
    await stage.accept(fields);
    return stage;
  }
}

export function welcome(fields = {}) {
  return {
    viewer: 'v-1',
    stream: 'show',
    mode: 'live',
    server_time_ms: 1_790_000_000_000,
    heartbeat_ms: 20_000,
    ticket_expires_in_ms: 600_000,
    drops: [drop()],
    holds: [],
    orders: [],
    ...fields,
  };
}

export function drop(fields = {}) {
  return {
    drop: 'd1',
    version: 5,
    title: 'Perfume',
    merchant: 'maison',
    phase: 'open',
    featured: true,
    hold_ttl_ms: 120_000,
    limit_per_viewer: 2,
    currency: 'EUR',
    skus: [sku('a'), sku('b')],
    ...fields,
  };
}

function sku(name) {
  return {
    sku: name,
    title: name,
    options: [],
    merchant_sku: name,
    price_minor: 4990,
    available: 100,
    limit_per_viewer: 2,
    units_per_buy_max: 2,
  };
}

export function hold(fields = {}) {
  return {
    retry: false,
    hold: 'h1',
    drop: 'd1',
    sku: 'a',
    units: 1,
    amount_minor: 4990,
    currency: 'EUR',
    expires_in_ms: 120_000,
    ...fields,
  };
}

export function order(fields = {}) {
  const { retry: _, expires_in_ms: __, ...rest } = hold();
  return { order: 'h1', ...rest, ...fields };
}
