// @ts-check
/**
 * A viewer's side of a Stampede sale: stay connected, watch the drops, buy, pay, give back.
 *
 * One plain module without dependencies, for browsers, Node 20 or later, Deno, Bun and React Native.
 * It needs a WebSocket, `crypto.getRandomValues`, timers and promises. What a platform does not have is
 * an option: `WebSocket`, `newKey`, `storage`. `performance.now` is used where it is there.
 *
 * It speaks `stampede.v1.json` as docs/protocol.md describes it; messages keep the names that they have
 * on the wire (`expires_in_ms`), what this module adds is in camelCase (`expiresAt`).
 *
 * ```js
 * const client = new StampedeClient({ url: 'wss://shop.example/', ticket: () => fetchTicket() });
 * client.on('change', () => render(client.drops, client.holds, client.orders));
 * await client.connect();
 * const answer = await client.buy({ drop: 'd17', sku: 'nuit-50', units: 1 });
 * if (answer.type === 'held') await client.pay(answer.hold);
 * ```
 */

/* What travels. */

/** @typedef {'scheduled' | 'countdown' | 'open' | 'paused' | 'closed' | 'settled' | 'cancelled'} Phase */
/** @typedef {{ name: string, value: string }} SkuOption */
/**
 * A sellable variant. `approximate` means that `available` was rounded down: "more than".
 * @typedef {{ sku: string, title: string, options: SkuOption[], merchant_sku: string, image?: string,
 *   price_minor: number, available: number, approximate?: boolean, limit_per_viewer: number,
 *   units_per_buy_max: number }} SkuInfo
 */
/**
 * @typedef {{ drop: string, version: number, title: string, merchant: string, phase: Phase,
 *   featured: boolean, opens_in_ms?: number, closes_in_ms?: number, hold_ttl_ms: number,
 *   limit_per_viewer: number, currency: string, skus: SkuInfo[] }} DropInfo
 */
/**
 * @typedef {{ key?: string, retry: boolean, hold: string, drop: string, sku: string, units: number,
 *   amount_minor: number, currency: string, expires_in_ms: number }} HoldInfo
 */
/**
 * @typedef {{ key?: string, order: string, hold: string, drop: string, sku: string, units: number,
 *   amount_minor: number, currency: string }} OrderInfo
 */
/**
 * @typedef {{ type: 'welcome', viewer: string, stream: string, channel?: string,
 *   mode: 'live' | 'rehearsal', server_time_ms: number, heartbeat_ms: number,
 *   ticket_expires_in_ms: number, drops: DropInfo[], holds: HoldInfo[], orders: OrderInfo[] }} Welcome
 */
/** @typedef {{ type: 'drop' } & DropInfo} DropMessage */
/**
 * @typedef {{ type: 'phase', drop: string, version: number, phase: Phase, featured: boolean,
 *   server_time_ms: number, opens_in_ms?: number, closes_in_ms?: number }} PhaseMessage
 */
/**
 * What is left of a sellable variant. `approximate` means that `available` was rounded down: "more than".
 * @typedef {{ sku: string, available: number, approximate?: boolean }} SkuStock
 */
/** @typedef {{ type: 'stock', drop: string, version: number, skus: SkuStock[] }} StockMessage */
/**
 * May come again for a hold, with the time that is left by then.
 * @typedef {{ type: 'held' } & HoldInfo} Held
 */
/**
 * May come after the hold has expired: a payment that came too late took the units again. `hold` is the one that the
 * viewer bought; `order` may be another text.
 * @typedef {{ type: 'order' } & OrderInfo} Order
 */
/**
 * The codes of refusals that this version knows.
 * @typedef {'busy' | 'rate_limited' | 'ticket_expired' | 'unknown_drop' | 'unknown_sku'
 *   | 'units_out_of_range' | 'key_reused' | 'not_open' | 'paused' | 'closed' | 'over_viewer_limit'
 *   | 'holds_capped' | 'sold_out' | 'not_enough' | 'unknown_hold' | 'hold_ended' | 'hold_confirmed'
 *   | 'payment_pending' | 'pay_not_offered'} RefusalCode
 */
/**
 * @typedef {{ type: 'refused', request: 'buy' | 'release' | 'pay', key?: string, hold?: string,
 *   code: RefusalCode | (string & {}), message: string, temporary: boolean, retry_after_ms?: number, limit?: number,
 *   available?: number }} Refused
 */
/** @typedef {{ type: 'released', hold: string, drop: string, sku: string, units: number, called_off?: boolean }} Released */
/** @typedef {{ type: 'expired', hold: string, drop: string, sku: string, units: number }} Expired */
/** @typedef {{ type: 'payment_failed', hold: string, final: boolean, expires_in_ms?: number }} PaymentFailed */
/** @typedef {{ type: 'refreshed', server_time_ms: number, ticket_expires_in_ms: number }} Refreshed */
/** @typedef {{ type: 'pong', server_time_ms: number }} Pong */
/**
 * @typedef {{ type: 'error', code: string, close_code: number, message: string,
 *   retry_after_ms?: number }} ErrorNotice
 */
/**
 * @typedef {Welcome | DropMessage | PhaseMessage | StockMessage | Held | Order | Refused | Released
 *   | Expired | PaymentFailed | Refreshed | Pong | ErrorNotice} ServerMessage
 */
/**
 * What shall come of a payment with the sandbox, for trying.
 * @typedef {'approved' | 'declined' | 'insufficient_funds' | 'declined_for_good' | 'challenge' | 'slow' | 'late'
 *   | 'expires' | 'wrong_amount' | 'duplicate' | 'refunded'} TestCard
 */
/**
 * @typedef {{ type: 'hello', ticket: string, client?: string } | { type: 'refresh', ticket: string }
 *   | { type: 'buy', drop: string, sku: string, units: number, key: string }
 *   | { type: 'release', hold: string } | { type: 'pay', hold: string, card?: TestCard } | { type: 'ping' }} ClientMessage
 */

/* What the module keeps and tells. Points in time (`...At`) are by `now()`, see `timeLeft`. */

/**
 * @typedef {Omit<DropInfo, 'opens_in_ms' | 'closes_in_ms'> & { opensAt?: number, closesAt?: number }} DropView
 */
/** @typedef {Omit<HoldInfo, 'key' | 'retry' | 'expires_in_ms'> & { expiresAt: number }} HoldView */
/** @typedef {Omit<OrderInfo, 'key'>} OrderView */
/**
 * What a `buy` asks for. Passed to `buy` again, it waits for the answer to the same purchase.
 * @typedef {{ drop: string, sku: string, units: number, key: string }} Purchase
 */
/**
 * @internal
 * @typedef {Purchase & { at: number }} StoredPurchase
 */
/** @typedef {'new' | 'connecting' | 'online' | 'waiting' | 'stopped'} State */
/**
 * What follows a close: `again` after a delay, `mend` the ticket or the program first, `never` by
 * itself; `asked` is the end that the app asked for.
 * @typedef {'again' | 'mend' | 'never' | 'asked'} Verdict
 */
/**
 * Why a connection has ended, what follows, and after how long where the client comes back by itself.
 * @typedef {{ code: number, reason: string, verdict: Verdict, retryInMs?: number }} Closed
 */
/**
 * A request that the server could not serve now; it is sent again with the same key.
 * @typedef {{ refused: Refused, retryInMs: number }} Retrying
 */
/**
 * @typedef {{ state: State, change: void, message: ServerMessage, welcome: Welcome,
 *   drop: DropMessage, phase: PhaseMessage, stock: StockMessage, held: Held, order: Order,
 *   refused: Refused, released: Released, expired: Expired, payment_failed: PaymentFailed,
 *   error: ErrorNotice, closed: Closed, retrying: Retrying, lapsed: Purchase, fault: unknown }} Events
 */
/**
 * Where unanswered purchases are kept: the part of Web Storage that is needed, or the same with
 * promises, as React Native's AsyncStorage has it.
 * @typedef {{ getItem(name: string): string | null | Promise<string | null>,
 *   setItem(name: string, value: string): void | Promise<void>,
 *   removeItem(name: string): void | Promise<void> }} PurchaseStorage
 */
/**
 * The part of a WebSocket that is needed; the browser's has it, so has that of the package `ws`.
 * @typedef {{ onopen: any, onmessage: any, onclose: any, onerror: any,
 *   send(text: string): void, close(code?: number, reason?: string): void }} Socket
 */
/** @typedef {new (url: string, protocols: string[]) => Socket} SocketConstructor */
/**
 * Time, chance and the page, replaced in tests. `now` is monotonic, in milliseconds. `onWake` calls
 * `work` when the page comes back, until the function that it returns is called.
 * @typedef {{ now(): number, wallClock(): number, random(): number,
 *   setTimeout(work: () => void, ms: number): unknown, clearTimeout(timer: any): void,
 *   onWake(work: () => void): () => void }} Surroundings
 */
/**
 * @typedef {object} Options
 * @property {string} url Where viewers connect, such as `wss://shop.example/`.
 * @property {string | (() => string | Promise<string>)} ticket A ticket, or better a function that
 *   fetches a new one: it is asked before each connection and before a ticket runs out.
 * @property {string} [client] Name and version of the app, for the server's logs; at most 64 bytes.
 * @property {SocketConstructor} [WebSocket] Needed where there is no global one (Node 20: `ws`).
 * @property {PurchaseStorage} [storage] Default: the tab's `sessionStorage`, else memory. A purchase is
 *   sent once it is stored; a storage gets a second to be read, a second to be written.
 * @property {() => string} [newKey] Makes the key of a purchase: 1 to 64 letters, digits, `.`, `_`, `:`
 *   or `-`, never the same twice, such as a random UUID. Needed where there is no global `crypto`
 *   (React Native).
 * @property {number} [patienceMs] How long a request is repeated while the server is busy; 15000.
 * @property {number} [resumeMs] Age at which a stored purchase is no longer repeated; 60000. The event
 *   `lapsed` tells of it: what came of it is among the holds and orders, if anything did.
 * @property {Partial<Surroundings>} [surroundings] For tests.
 */

/** The subprotocol that this module speaks. */
export const SUBPROTOCOL = 'stampede.v1.json';
/** Unanswered requests that a client keeps; one more is an error. */
export const REQUESTS_MAX = 64;
/** Bound of the first delay between two attempts. It doubles with each failure. */
export const BACKOFF_FIRST_MS = 250;
/** Bound of all delays. */
export const BACKOFF_LONGEST_MS = 15_000;

/** Time for handshake and welcome together; the server allows 10 s for each of its two parts. */
const CONNECT_MS = 20_000;
/** How long before its end a ticket is refreshed at the earliest. */
const REFRESH_AHEAD_MS = 60_000;
/** Wait after a ticket that could not be fetched for a refresh. */
const REFRESH_AGAIN_MS = 5_000;
/** Patience with a connection that may have died while the device slept. */
const WAKE_MS = 2_000;
/** How often the two clocks are compared. */
const WATCH_MS = 1_000;
/** A difference that means sleep: one clock stood still, or a timer comes far too late. */
const SLEEP_MS = 2_000;
/** What the network and the drift of clocks explain, in all the time since a point in time was told. */
const DRIFT_MS = 1_000;
/** Patience with a storage. */
const STORE_MS = 1_000;
/** Close code of a connection that broke without a close frame. */
const BROKEN = 1006;
/** Said where no handshake came about: a page in a browser is not told why. */
const NEVER_OPENED = 'no handshake: check the address, the allowed origins, the certificate';
/** Close codes for a message that the server could not read. */
const UNREADABLE = [1003, 1007, 1009, 4104];
/** How much of the server's words about a refused handshake is told. */
const REFUSAL_CHARS = 200;
/**
 * The cards that the sandbox takes.
 * @type {readonly TestCard[]}
 */
const TEST_CARDS = [
  'approved', 'declined', 'insufficient_funds', 'declined_for_good', 'challenge', 'slow', 'late', 'expires',
  'wrong_amount', 'duplicate', 'refunded',
];
/** What the server reads as a key. */
const KEY = /^[A-Za-z0-9._:-]{1,64}$/;

/** Close codes below 4000 that the server sends; all of them mean that the program is wrong. */
const MEND = [1002, 1003, 1007, 1009];

/**
 * What to do after a close with this code. One that the server does not send came from a proxy or from
 * the network, 1000 too: it says nothing about the viewer, so come back.
 * @param {number} code
 * @returns {'again' | 'mend' | 'never'}
 */
export function afterClose(code) {
  if (code >= 4200 && code <= 4299) return 'never';
  return (code >= 4100 && code <= 4199) || MEND.includes(code) ? 'mend' : 'again';
}

/**
 * Whether the server itself sends such a code.
 * @param {number} code
 */
function isServers(code) {
  return MEND.includes(code) || (code >= 4000 && code <= 4299);
}

/** Delays between attempts: each is drawn evenly from zero to a bound that doubles. */
export class Backoff {
  /** @param {() => number} random from 0 to 1 */
  constructor(random) {
    this.failures = 0;
    this.random = random;
  }

  /** The bound of the next delay. */
  get boundMs() {
    return Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.failures, 30));
  }

  /** Counts a failure, draws the delay before the next attempt. */
  nextMs() {
    const bound = this.boundMs;
    this.failures += 1;
    return this.random() * bound;
  }

  /** Begins again after a success. */
  reset() {
    this.failures = 0;
  }
}

/** The client has stopped; what it was asked for is not known to be done. */
export class StoppedError extends Error {
  /** @param {Closed} closed */
  constructor(closed) {
    super(`the connection has ended with ${closed.code}: ${closed.reason}`);
    this.name = 'StoppedError';
    this.closed = closed;
  }
}

/** @returns {PurchaseStorage} a storage that lasts as long as the page */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

/** @returns {PurchaseStorage} */
function defaultStorage() {
  try {
    // Node 20 has none; a browser that blocks storage throws here.
    return globalThis.sessionStorage ?? memoryStorage();
  } catch {
    return memoryStorage();
  }
}

/**
 * Calls `work` when a page is shown again, taken back from the browser's cache, or online again. Where
 * there is no page, nothing calls it.
 * @param {() => void} work
 */
function onWake(work) {
  const page = globalThis.document;
  const wake = () => work();
  const shown = () => page.visibilityState === 'visible' && work();
  page?.addEventListener?.('visibilitychange', shown);
  for (const type of ['pageshow', 'online']) globalThis.addEventListener?.(type, wake);
  return () => {
    page?.removeEventListener?.('visibilitychange', shown);
    for (const type of ['pageshow', 'online']) globalThis.removeEventListener?.(type, wake);
  };
}

/** 128 random bits. `crypto.randomUUID` is missing on pages without TLS, this is not. */
function randomKey() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Why the server could not read a purchase.
 * @param {Purchase} purchase
 */
function purchaseFault({ drop, sku, units, key }) {
  if (typeof drop !== 'string' || typeof sku !== 'string') return 'drop and sku must be texts';
  if (!Number.isSafeInteger(units) || units < 0) return `units must be a whole number, not ${units}`;
  if (typeof key === 'string' && KEY.test(key)) return undefined;
  return `a key has 1 to 64 letters, digits, ".", "_", ":" or "-", not ${key}`;
}

/**
 * What a value is, in words for a developer.
 * @param {unknown} value
 */
function kindOf(value) {
  if (value === undefined || value === null) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/**
 * How far the server's clock and the wall clock were ahead of ours when a point in time was told, and how
 * much of `DRIFT_MS` has corrected it since. A message that does not name the server's time has no drift:
 * nobody knows how long it took.
 * @internal
 * @typedef {{ server: number, wall: number, drift: number | undefined }} Told
 */
/**
 * An unanswered request. It is sent at once or at the next welcome, again after each reconnect.
 * @internal
 * @typedef {object} Pending
 * @property {'buy' | 'release' | 'pay'} request
 * @property {string} id the key of a buy, else the hold
 * @property {ClientMessage} message
 * @property {number} since when it was asked for
 * @property {boolean} [wantsTicket] whether it waits for a new ticket
 * @property {StoredPurchase} [stored] what a reload of the page needs to repeat it
 * @property {number} [sentOn] the attempt on whose connection it was sent last
 * @property {Promise<any>} answer
 * @property {(answer: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

/** A viewer's stay on one stream, across connections. */
export class StampedeClient {
  /** @type {Options} */ #options;
  /** @type {Options['ticket']} */ #ticket;
  /** @type {SocketConstructor} */ #WebSocket;
  /** @type {PurchaseStorage} */ #storage;
  /** @type {() => string} */ #newKey;
  /** What a storage with promises was asked for last: it does one thing after the other. @type {Promise<unknown> | undefined} */
  #storing;
  /** The turn of the slot, which a welcome or an end replaces: what is read late for an earlier one is skipped. */
  #slotTurn = {};
  /** Whether it is known what the slot holds. Until then nobody overwrites it. */
  #isSlotRead = false;
  /** Keys of purchases that were answered while that is not known: they may still be in the slot. @type {Set<string>} */
  #answered = new Set();
  /** @type {Surroundings} */ #around;
  /** @type {Backoff} */ #backoff;
  /** @type {State} */ #state = 'new';
  /** @type {Socket | undefined} */ #socket;
  /** @type {Map<string, Set<(event: any) => void>>} */ #listeners = new Map();
  /** @type {Map<string, unknown>} */ #timers = new Map();
  /** @type {Map<string, Pending>} */ #pending = new Map();
  /** @type {Map<string, number>} */ #versions = new Map();
  /** @type {Welcome | undefined} */ #welcome;
  /** @type {ErrorNotice | undefined} */ #notice;
  /** Rises with each attempt and end, so that what comes late from an earlier one is skipped. */
  #attempt = 0;
  /** When the latest attempt began. */
  #openedAt = 0;
  #receivedAt = 0;
  #serverAheadMs = 0;
  /** How far the server's clock and the wall clock were ahead of ours at the latest welcome or pong. */
  #anchor = { server: 0, wall: 0 };
  /** How the times of a drop or a hold were told. @type {WeakMap<DropView | HoldView, Told>} */
  #told = new WeakMap();
  /** What both clocks showed at the last look. */
  #looked = { now: 0, wall: 0 };
  /** Pings without a pong: when each was sent, how far the wall clock was ahead then. @type {{ at: number, wall: number }[]} */
  #pings = [];
  /** Pongs until the ping after a wake is answered. */
  #awaited = 0;
  /** When the next ticket is fetched. @type {{ at: number, told: Told } | undefined} */
  #renewal;
  /** Whether the server said how long to wait before the next attempt. */
  #toldToWait = false;
  /** @type {(() => void) | undefined} */ #unwatch;
  #ticketRenewed = false;
  /** A ticket that the app handed over beside its provider, until it is used. @type {string | undefined} */
  #handed;
  /** @type {StoppedError | undefined} */ #stopped;
  /** @type {{ promise: Promise<Welcome>, resolve: (w: Welcome) => void, reject: (e: Error) => void } | undefined} */
  #connecting;

  /** The stream's drops by id, in running order. @type {ReadonlyMap<string, DropView>} */
  drops = new Map();
  /** The viewer's open holds by id. @type {ReadonlyMap<string, HoldView>} */
  holds = new Map();
  /** The viewer's orders by id. @type {ReadonlyMap<string, OrderView>} */
  orders = new Map();

  /**
   * @param {Options} options
   * @throws {TypeError} if there is neither a global WebSocket nor one among the options; the same for
   *   `crypto` and `newKey`; if `url`, `ticket` or `WebSocket` is none
   */
  constructor(options) {
    const { url, ticket } = options;
    if (!/^wss?:\/\//i.test(url)) throw new TypeError(`url must begin with ws:// or wss://, not ${url}`);
    if (typeof ticket !== 'string' && typeof ticket !== 'function') {
      throw new TypeError(`ticket must be a text or a function, not ${kindOf(ticket)}`);
    }
    const WebSocket = options.WebSocket ?? /** @type {any} */ (globalThis).WebSocket;
    if (!WebSocket) {
      const why = 'there is no global WebSocket here: pass one as an option, in Node that of the package ws';
      throw new TypeError(why);
    }
    if (typeof WebSocket !== 'function') {
      throw new TypeError(`WebSocket must be a constructor, not ${kindOf(WebSocket)}`);
    }
    if (!options.newKey && !globalThis.crypto?.getRandomValues) {
      const why = 'there is no global crypto here: pass newKey as an option, a function that makes random ids';
      throw new TypeError(why);
    }
    this.#WebSocket = WebSocket;
    this.#newKey = options.newKey ?? randomKey;
    this.#options = options;
    this.#ticket = ticket;
    this.#storage = options.storage ?? defaultStorage();
    this.#around = {
      now: () => (globalThis.performance ?? Date).now(),
      wallClock: () => Date.now(),
      random: () => Math.random(),
      setTimeout: (work, ms) => setTimeout(work, ms),
      clearTimeout: (timer) => clearTimeout(timer),
      onWake,
      ...options.surroundings,
    };
    this.#backoff = new Backoff(this.#around.random);
  }

  get state() {
    return this.#state;
  }

  /** Who is connected, as the latest welcome says. */
  get viewer() {
    return this.#welcome?.viewer;
  }

  get stream() {
    return this.#welcome?.stream;
  }

  get channel() {
    return this.#welcome?.channel;
  }

  get mode() {
    return this.#welcome?.mode;
  }

  /** The drop on air. */
  get featured() {
    return [...this.drops.values()].find((drop) => drop.featured);
  }

  /**
   * The purchases that are under way, by key: those without an answer, those of the page before a reload
   * included. `change` tells each change.
   * @returns {ReadonlyMap<string, Purchase>}
   */
  get purchases() {
    const stored = [...this.#pending.values()].flatMap((pending) => pending.stored ?? []);
    return new Map(stored.map(({ at: _, ...purchase }) => [purchase.key, purchase]));
  }

  /**
   * Milliseconds until a point in time such as `expiresAt` or `opensAt`, at least 0.
   * @param {number} at
   */
  timeLeft(at) {
    return Math.max(0, at - this.#around.now());
  }

  /** The server's clock, for display: milliseconds since 1970-01-01 UTC. */
  serverNow() {
    return this.#around.now() + this.#serverAheadMs;
  }

  /**
   * Calls `listener` at each event of the type; the returned function ends that.
   * @template {keyof Events} T
   * @param {T} type
   * @param {(event: Events[T]) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * Connects, from then on reconnects by itself. Settles with the first welcome, once the storage has told
   * which purchases are under way.
   * @returns {Promise<Welcome>}
   * @throws {StoppedError} if the server says that coming back is of no use
   */
  connect() {
    const isRead = this.#state === 'online' && !this.#connecting;
    if (isRead && this.#welcome) return Promise.resolve(this.#welcome);
    this.#connecting ??= deferred();
    const { promise } = this.#connecting;
    if (this.#state === 'new' || this.#state === 'stopped') {
      this.#backoff.reset();
      this.#ticketRenewed = false;
      this.#unwatch ??= this.#around.onWake(() => this.wake());
      this.#hasSlept();
      this.#watch();
      void this.#open();
    }
    return promise;
  }

  /**
   * Looks at once whether the connection still stands: a ping with 2 s of patience, else a new one. An
   * attempt to connect that began more than 2 s ago is begun again: its network may be gone. The client
   * does this by itself when a page is shown again or online again, and when the clocks say that the device
   * slept. An app whose platform tells it otherwise (`AppState` of React Native) calls it.
   */
  wake() {
    if (this.#state === 'online' && !this.#timers.has('probe')) return this.#probe();
    if (this.#state === 'connecting' && this.#around.now() - this.#openedAt > WAKE_MS) {
      this.#backoff.reset();
      return this.#lost(BROKEN, 'no welcome before the device woke');
    }
    // The crowd was told different times on purpose; a wait of our own dice may be cut short.
    if (this.#state !== 'waiting' || this.#toldToWait) return;
    this.#backoff.reset();
    this.#after('attempt', this.#backoff.nextMs(), () => void this.#open());
  }

  /** Ends the stay. Purchases that are not answered stay in the storage. */
  close() {
    this.#stop({ code: 1000, reason: 'closed by the app', verdict: 'asked' });
  }

  /**
   * Takes a new ticket for the open connection, else for the next one. Without a text it is fetched.
   * Where the ticket of the options is a text, the new one replaces it; a function is asked again for
   * the tickets after this one.
   * @param {string} [ticket]
   * @throws {TypeError} if it is no text
   */
  async refresh(ticket) {
    if (ticket !== undefined && typeof ticket !== 'string') {
      throw new TypeError(`ticket must be a text, not ${kindOf(ticket)}`);
    }
    if (ticket !== undefined && typeof this.#ticket === 'function') this.#handed = ticket;
    else if (ticket !== undefined) this.#ticket = ticket;
    // The next connection gets its ticket by itself.
    if (this.#state !== 'online') return;
    const attempt = this.#attempt;
    const fresh = await this.#fetchTicket();
    if (attempt === this.#attempt && this.#state === 'online') {
      this.#send({ type: 'refresh', ticket: fresh });
    }
  }

  /**
   * Asks for units of one SKU. The purchase is stored under its key before it is sent; a lost
   * connection, a restart of the server, a reload of the page repeat it with that key, so that it
   * never takes a second unit. The same key gets the same answer; without `key` each call is a purchase
   * of its own.
   * @param {{ drop: string, sku: string, units?: number, key?: string }} wanted
   * @returns {Promise<Held | Order | Refused>} an order if the key's hold has been paid already
   * @throws {StoppedError} if the client stops before an answer: the outcome is not known
   * @throws {TypeError} if the server could not read it, if another purchase waits under this key, or
   *   before `connect()`
   * @throws {RangeError} if `REQUESTS_MAX` requests wait for an answer already
   */
  buy({ drop, sku, units = 1, key = this.#newKey() }) {
    // The server would end the connection for it, and being stored it would end the next ones too.
    const fault = purchaseFault({ drop, sku, units, key });
    if (fault) return Promise.reject(new TypeError(fault));
    const stored = { drop, sku, units, key, at: this.#around.wallClock() };
    return this.#request('buy', key, { type: 'buy', drop, sku, units, key }, stored);
  }

  /**
   * Gives a hold back.
   * @param {string} hold
   * @returns {Promise<Released | Refused>}
   * @throws {StoppedError | TypeError | RangeError} as `buy` does
   */
  release(hold) {
    return this.#request('release', hold, { type: 'release', hold });
  }

  /**
   * Pays a hold with the sandbox. Repeated after a reconnect until the payment is decided.
   * @param {string} hold
   * @param {{ card?: TestCard }} [options] `card` says what shall come of it, for trying
   * @returns {Promise<Order | PaymentFailed | Refused>}
   * @throws {StoppedError | TypeError | RangeError} as `buy` does
   */
  pay(hold, { card } = {}) {
    // The server would end the connection for it.
    if (card !== undefined && !TEST_CARDS.includes(card)) {
      return Promise.reject(new TypeError(`no test card ${JSON.stringify(card)}; there are ${TEST_CARDS.join(', ')}`));
    }
    const message = card === undefined ? {} : { card };
    return this.#request('pay', hold, { type: 'pay', hold, ...message });
  }

  /**
   * @param {Pending['request']} request
   * @param {string} id
   * @param {ClientMessage} message
   * @param {StoredPurchase} [stored]
   * @returns {Promise<any>}
   */
  #request(request, id, message, stored) {
    // The server would end the connection for it.
    if (typeof id !== 'string') return Promise.reject(new TypeError('hold must be a text, such as held.hold'));
    if (this.#state === 'new') return Promise.reject(new TypeError('call connect() first'));
    const slot = `${request} ${id}`;
    const earlier = this.#pending.get(slot);
    if (earlier && JSON.stringify(earlier.message) === JSON.stringify(message)) return earlier.answer;
    if (earlier) {
      const why = request === 'buy'
        ? `the key ${id} is that of another purchase without an answer; make one for each`
        : `another ${request} of the hold ${id} has no answer yet: wait for it`;
      return Promise.reject(new TypeError(why));
    }
    if (this.#state === 'stopped' && this.#stopped) return Promise.reject(this.#stopped);
    if (this.#pending.size >= REQUESTS_MAX) {
      return Promise.reject(new RangeError(`${REQUESTS_MAX} requests wait for an answer already`));
    }
    const { promise: answer, resolve, reject } = deferred();
    const since = this.#around.now();
    /** @type {Pending} */
    const pending = { request, id, message, since, answer, resolve, reject, stored };
    this.#pending.set(slot, pending);
    const attempt = this.#attempt;
    // Before the first welcome nobody knows whose purchase it is: it is stored and sent then. What was
    // asked for offline is sent with the next welcome.
    andThen(this.#welcome && stored && this.#store(), () => {
      if (this.#state === 'online' && attempt === this.#attempt) this.#sendOnce(slot);
    });
    if (stored) this.#emit('change', undefined);
    return answer;
  }

  /**
   * Sends what is unanswered, unless this connection has carried it already.
   * @param {string} slot
   */
  #sendOnce(slot) {
    const pending = this.#pending.get(slot);
    if (!pending || pending.sentOn === this.#attempt) return;
    pending.sentOn = this.#attempt;
    this.#send(pending.message);
  }

  /* Connections. */

  async #open() {
    const attempt = (this.#attempt += 1);
    this.#openedAt = this.#around.now();
    // A sleep before the attempt does not concern it, nor does a page whose timers come once a minute.
    this.#hasSlept();
    this.#after('connect', CONNECT_MS, () => {
      if (this.#socket) return this.#lost(BROKEN, 'no welcome in time');
      this.#notMade(new Error('no ticket in time: the function `ticket` has not settled'), 'again');
    });
    this.#enter('connecting');
    if (attempt !== this.#attempt) return;
    /** @type {'again' | 'mend'} */
    let verdict = 'again';
    try {
      const ticket = await this.#fetchTicket();
      if (attempt !== this.#attempt) return;
      // An address or a constructor that the platform does not take now, it never takes.
      verdict = 'mend';
      this.#attach(new this.#WebSocket(this.#options.url, [SUBPROTOCOL]), ticket);
    } catch (error) {
      if (attempt === this.#attempt) this.#notMade(error, verdict);
    }
  }

  /**
   * The app's own part of an attempt has failed: its developer is told.
   * @param {unknown} error
   * @param {'again' | 'mend'} verdict
   */
  #notMade(error, verdict) {
    const attempt = this.#attempt;
    this.#fault(error);
    if (attempt !== this.#attempt) return;
    const reason = `no connection could be made: ${error}`;
    if (verdict === 'mend') this.#stop({ code: BROKEN, reason, verdict });
    else this.#lost(BROKEN, reason);
  }

  /**
   * @param {Socket} socket
   * @param {string} ticket
   */
  #attach(socket, ticket) {
    this.#socket = socket;
    const client = this.#options.client;
    const current = (/** @type {(event: any) => void} */ work) => (/** @type {any} */ event) => {
      if (socket === this.#socket) work(event);
    };
    let opened = false;
    let fault = '';
    socket.onopen = current(() => {
      opened = true;
      this.#send(client === undefined ? { type: 'hello', ticket } : { type: 'hello', ticket, client });
    });
    socket.onmessage = current((event) => this.#receive(event.data));
    socket.onclose = current((event) => {
      const known = event.reason || this.#notice?.message || fault;
      const code = event.code ?? BROKEN;
      const unknown = code === BROKEN ? 'the connection broke off' : 'no reason was given';
      this.#lost(code, known || (opened ? unknown : NEVER_OPENED));
    });
    // A close follows, which does not say why. Without a listener, `ws` would end the process.
    socket.onerror = (/** @type {any} */ event) => {
      fault = event?.message ?? '';
    };
    // The package `ws` has the answer to a handshake that was refused; whoever listens also ends it.
    /** @type {any} */ (socket).on?.('unexpected-response', (/** @type {any} */ _, /** @type {any} */ response) => {
      let words = '';
      response.setEncoding('utf8');
      response.on('data', (/** @type {string} */ text) => (words = (words + text).slice(0, REFUSAL_CHARS)));
      const status = `the handshake was answered with ${response.statusCode}`;
      const told = () => this.#lost(BROKEN, words ? `${status}: ${words.trim()}` : status);
      response.on('close', current(told));
    });
  }

  async #fetchTicket() {
    const handed = this.#handed;
    this.#handed = undefined;
    if (handed !== undefined) return handed;
    if (typeof this.#ticket !== 'function') return this.#ticket;
    const ticket = await this.#ticket();
    if (typeof ticket !== 'string') {
      throw new TypeError(`the ticket function gave ${kindOf(ticket)}, not a text`);
    }
    // Most often the page of a login that has run out.
    if (/^\s*</.test(ticket)) throw new TypeError('the ticket function gave HTML, not a ticket');
    return ticket;
  }

  /** @param {ClientMessage} message */
  #send(message) {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch (error) {
      // A socket that is closing: its close repeats what is unanswered.
      this.#fault(error);
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const notice = this.#notice;
    // A close frame that went missing, or that a proxy replaced, is made up for by the message before it.
    const told = isServers(code) ? undefined : notice;
    const closed = { code: told?.close_code ?? code, reason };
    const verdict = this.#mended(closed.code) ? 'again' : afterClose(closed.code);
    if (verdict !== 'again') return this.#stop({ ...closed, verdict });
    this.#letGo();
    // The server has spread those delays already; after that it is our own dice.
    this.#toldToWait = notice?.retry_after_ms !== undefined;
    const retryInMs = notice?.retry_after_ms ?? this.#backoff.nextMs();
    const attempt = this.#attempt;
    this.#after('attempt', retryInMs, () => void this.#open());
    this.#enter('waiting');
    if (attempt === this.#attempt) this.#emit('closed', { ...closed, verdict, retryInMs });
  }

  /**
   * Whether the cause of this close is mended by the next ticket that is fetched.
   * @param {number} code
   */
  #mended(code) {
    if (code !== 4101 || typeof this.#ticket !== 'function' || this.#ticketRenewed) return false;
    this.#ticketRenewed = true;
    return true;
  }

  /** @param {Closed} closed */
  #stop(closed) {
    if (this.#state === 'stopped') return;
    // What could not be read may be a purchase; while it is stored, it would end each connection.
    const isUnreadable = this.#state === 'online' && UNREADABLE.includes(closed.code);
    const mustForget = isUnreadable && this.#isSlotRead;
    this.#letGo();
    this.#cancel('watch');
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#stopped = new StoppedError(closed);
    // All of this before the events: a listener may connect again, and what it asks for is new.
    this.#fail(this.#stopped);
    this.#connecting?.reject(this.#stopped);
    this.#connecting = undefined;
    this.#enter('stopped');
    if (mustForget) void this.#write();
    this.#emit('closed', closed);
  }

  /** Tells those who wait that nobody knows; what is stored stays, for the next welcome. */
  #fail(/** @type {Error} */ error) {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#leaveSlot();
    for (const one of pending) one.reject(error);
  }

  /** Lets go of the connection. */
  #letGo() {
    const socket = this.#socket;
    this.#attempt += 1;
    this.#socket = undefined;
    this.#notice = undefined;
    this.#pings = [];
    for (const name of [...this.#timers.keys()]) if (name !== 'watch') this.#cancel(name);
    socket?.close(1000);
  }

  /* Messages. */

  /** @param {unknown} data */
  #receive(data) {
    this.#receivedAt = this.#around.now();
    this.#cancel('silence');
    try {
      /** @type {ServerMessage} */
      const message = JSON.parse(String(data));
      if (message.type !== 'welcome' && message.type !== 'error') {
        // A server that welcomes, then closes at once, has not recovered; one that speaks has.
        this.#backoff.reset();
      }
      const attempt = this.#attempt;
      this.#emit('message', message);
      // A listener may have ended the connection that it came on; so below.
      if (attempt === this.#attempt) this.#apply(message);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** @param {ServerMessage} message */
  #apply(message) {
    switch (message.type) {
      case 'welcome':
        return this.#welcomed(message);
      case 'drop':
      case 'phase':
      case 'stock':
        return this.#dropChanged(message);
      case 'held':
        this.#hold(message, this.#toldNow());
        this.#settle(message.key && `buy ${message.key}`, message);
        return this.#tell('held', message);
      case 'order':
        return this.#ordered(message);
      case 'released':
      case 'expired':
        mutable(this.holds).delete(message.hold);
        this.#settle(message.type === 'released' && `release ${message.hold}`, message);
        return this.#tell(message.type, message);
      case 'payment_failed':
        return this.#paymentFailed(message);
      case 'refused':
        return this.#refused(message);
      case 'refreshed':
        return this.#refreshed(message);
      case 'pong':
        return this.#ponged(message);
      case 'error':
        this.#notice = message;
        return this.#emit('error', message);
      default:
      // Types that this version does not know are skipped.
    }
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    const before = this.#welcome;
    if (before && (before.viewer !== welcome.viewer || before.stream !== welcome.stream)) {
      const reason = 'the new ticket names another viewer or stream';
      this.#fail(new StoppedError({ code: BROKEN, reason, verdict: 'mend' }));
    }
    this.#welcome = welcome;
    this.#leaveSlot();
    this.#ticketRenewed = false;
    this.#cancel('connect');
    this.#versions.clear();
    this.drops = new Map();
    this.holds = new Map();
    this.orders = new Map();
    this.#clock(welcome.server_time_ms);
    this.#anchor = { server: this.#serverAheadMs, wall: this.#wallAheadMs() };
    const told = this.#toldNow(welcome.server_time_ms);
    for (const drop of welcome.drops) this.#setDrop(drop, told);
    for (const hold of welcome.holds) this.#hold(hold, told);
    for (const order of welcome.orders) this.#setOrder(order);
    this.#watchTicket(welcome.ticket_expires_in_ms, told);
    this.#beat(welcome.heartbeat_ms);
    const attempt = this.#attempt;
    // Before the events: whoever draws the page knows at once which purchases are under way.
    const read = this.#read();
    if (attempt === this.#attempt) this.#enter('online');
    if (attempt === this.#attempt) this.#tell('welcome', welcome);
    if (attempt !== this.#attempt) return;
    for (const order of welcome.orders) {
      this.#settle(`pay ${order.hold}`, { type: 'order', ...order });
    }
    this.#resume(welcome, read);
    // Handed over when this connection had its ticket already.
    if (this.#handed !== undefined) void this.refresh();
  }

  /** @param {DropMessage | PhaseMessage | StockMessage} message */
  #dropChanged(message) {
    // Lower is stale; messages of the same version are equally new.
    if (message.version < (this.#versions.get(message.drop) ?? 0)) return;
    if (message.type === 'drop') {
      const { type: _, ...info } = message;
      this.#setDrop(info, this.#toldNow());
      return this.#tell('drop', message);
    }
    this.#versions.set(message.drop, message.version);
    const drop = this.drops.get(message.drop);
    if (!drop) return;
    const { version } = message;
    if (message.type === 'phase') {
      this.#clock(message.server_time_ms);
      const { phase, featured } = message;
      const { opensAt: _opens, closesAt: _closes, ...kept } = drop;
      const told = this.#toldNow(message.server_time_ms);
      this.#putDrop({ ...kept, version, phase, featured, ...this.#times(message) }, told);
      return this.#tell('phase', message);
    }
    const changed = new Map(message.skus.map((sku) => [sku.sku, sku]));
    const skus = drop.skus.map((sku) => {
      const { approximate: _, ...kept } = sku;
      const now = changed.get(sku.sku);
      return now ? { ...kept, ...now } : sku;
    });
    this.#putDrop({ ...drop, version, skus }, this.#told.get(drop));
    this.#tell('stock', message);
  }

  /**
   * @param {DropInfo} info
   * @param {Told} told
   */
  #setDrop(info, told) {
    const { opens_in_ms: _opens, closes_in_ms: _closes, ...kept } = info;
    this.#versions.set(info.drop, info.version);
    this.#putDrop({ ...kept, ...this.#times(info) }, told);
  }

  /**
   * @param {DropView} drop
   * @param {Told | undefined} told
   */
  #putDrop(drop, told) {
    mutable(this.drops).set(drop.drop, drop);
    if (told) this.#told.set(drop, told);
  }

  /** @param {{ opens_in_ms?: number, closes_in_ms?: number }} told */
  #times({ opens_in_ms, closes_in_ms }) {
    return {
      ...(opens_in_ms === undefined ? {} : { opensAt: this.#receivedAt + opens_in_ms }),
      ...(closes_in_ms === undefined ? {} : { closesAt: this.#receivedAt + closes_in_ms }),
    };
  }

  /**
   * @param {HoldInfo} info
   * @param {Told} told
   */
  #hold(info, told) {
    const { hold, drop, sku, units, amount_minor, currency, expires_in_ms } = info;
    const expiresAt = this.#receivedAt + expires_in_ms;
    this.#putHold({ hold, drop, sku, units, amount_minor, currency, expiresAt }, told);
  }

  /**
   * @param {HoldView} hold
   * @param {Told} told
   */
  #putHold(hold, told) {
    mutable(this.holds).set(hold.hold, hold);
    this.#told.set(hold, told);
  }

  /** @param {OrderInfo} info */
  #setOrder(info) {
    const { order, hold, drop, sku, units, amount_minor, currency } = info;
    mutable(this.holds).delete(hold);
    mutable(this.orders).set(order, { order, hold, drop, sku, units, amount_minor, currency });
  }

  /** @param {Order} message */
  #ordered(message) {
    this.#setOrder(message);
    this.#settle(message.key && `buy ${message.key}`, message);
    this.#settle(`pay ${message.hold}`, message);
    this.#tell('order', message);
  }

  /** @param {PaymentFailed} message */
  #paymentFailed(message) {
    const hold = this.holds.get(message.hold);
    if (message.final) mutable(this.holds).delete(message.hold);
    else if (hold && message.expires_in_ms !== undefined) {
      this.#putHold({ ...hold, expiresAt: this.#receivedAt + message.expires_in_ms }, this.#toldNow());
    }
    this.#settle(`pay ${message.hold}`, message);
    this.#tell('payment_failed', message);
  }

  /** @param {Refused} message */
  #refused(message) {
    const slot = this.#refusedSlot(message);
    const pending = slot === undefined ? undefined : this.#pending.get(slot);
    if (pending && message.code === 'ticket_expired' && typeof this.#ticket === 'function') {
      pending.wantsTicket = true;
      return this.#renewTicket();
    }
    // Another attempt to pay is under way: its outcome is ours.
    if (pending && message.code === 'payment_pending') return;
    const retryInMs = this.#retryInMs(message);
    if (pending && retryInMs !== undefined) {
      const waited = this.#around.now() - pending.since;
      if (waited + retryInMs <= (this.#options.patienceMs ?? 15_000)) {
        this.#after(`again ${slot}`, retryInMs, () => this.#repeat(slot));
        return this.#emit('retrying', { refused: message, retryInMs });
      }
    }
    this.#settle(slot, message);
    this.#tell('refused', message);
  }

  /**
   * The request that a refusal answers. A text that names no hold at all comes back without it.
   * @param {Refused} message
   */
  #refusedSlot({ request, key, hold }) {
    const id = request === 'buy' ? key : hold;
    if (id !== undefined) return `${request} ${id}`;
    for (const [slot, pending] of this.#pending) {
      if (pending.request === request && !this.holds.has(pending.id)) return slot;
    }
    return undefined;
  }

  /**
   * A little more than the server asks for: a crowd that was told the same must not return in step.
   * @param {Refused} message
   */
  #retryInMs({ temporary, retry_after_ms }) {
    if (!temporary || retry_after_ms === undefined) return undefined;
    return retry_after_ms * (1 + this.#around.random() / 2);
  }

  /** @param {string | undefined} slot */
  #repeat(slot) {
    const pending = slot === undefined ? undefined : this.#pending.get(slot);
    if (pending) this.#send(pending.message);
  }

  /**
   * @param {string | undefined | false} slot
   * @param {ServerMessage} answer
   */
  #settle(slot, answer) {
    const pending = slot ? this.#pending.get(slot) : undefined;
    if (!slot || !pending) return;
    this.#pending.delete(slot);
    this.#cancel(`again ${slot}`);
    if (pending.stored) {
      if (!this.#isSlotRead) this.#answered.add(pending.id);
      this.#store();
    }
    pending.resolve(answer);
  }

  /* Purchases that outlive the page. */

  #slotName() {
    return `stampede:${this.stream}:${this.viewer}`;
  }

  /** From now on it is not known what the slot holds. */
  #leaveSlot() {
    this.#slotTurn = {};
    this.#isSlotRead = false;
  }

  /**
   * Writes the unanswered purchases down, those of the page before included. Without that only a reload of
   * the page loses their keys, so they go on if it fails.
   * @returns {void | Promise<void>} a promise if the storage takes its time
   */
  #store() {
    if (this.#isSlotRead) return this.#write();
    return andThen(this.#read(), (isRead) => (isRead ? this.#writeAndSend() : undefined));
  }

  /** @returns {void | Promise<void>} */
  #write() {
    const name = this.#slotName();
    const stored = [...this.#pending.values()].flatMap(({ stored }) => stored ?? []);
    const text = JSON.stringify(stored);
    return this.#stores(
      () => (stored.length === 0 ? this.#storage.removeItem(name) : this.#storage.setItem(name, text)),
      undefined,
    );
  }

  /** After the purchases of the page before have been taken over. */
  #writeAndSend() {
    const attempt = this.#attempt;
    return andThen(this.#write(), () => {
      if (this.#state !== 'online' || attempt !== this.#attempt) return;
      for (const slot of this.#pending.keys()) this.#sendOnce(slot);
    });
  }

  /**
   * Takes over what the slot holds. What could not be read stays there: the next purchase, answer or
   * welcome tries again, and what arrives late is taken over then.
   * @returns {boolean | Promise<boolean>} whether it is known what the slot holds
   */
  #read() {
    const turn = this.#slotTurn;
    const name = this.#slotName();
    const take = (/** @type {string | null} */ text) => {
      if (turn !== this.#slotTurn) return false;
      if (this.#isSlotRead) return true;
      this.#isSlotRead = true;
      const stored = this.#purchasesIn(text).filter(
        ({ key }) => !this.#answered.has(key) && !this.#pending.has(`buy ${key}`),
      );
      this.#answered.clear();
      const oldest = this.#around.wallClock() - (this.#options.resumeMs ?? 60_000);
      const room = REQUESTS_MAX - this.#pending.size;
      const resumed = stored.filter(({ at }) => at >= oldest).slice(0, room);
      for (const purchase of resumed) this.#adopt(purchase);
      if (resumed.length > 0) this.#emit('change', undefined);
      for (const { at: _, ...purchase } of stored.filter((one) => !resumed.includes(one))) {
        if (turn === this.#slotTurn) this.#emit('lapsed', purchase);
      }
      // A listener may have ended the stay: then nothing is overwritten.
      return turn === this.#slotTurn;
    };
    const late = (/** @type {boolean} */ isRead) => void (isRead && this.#writeAndSend());
    return this.#stores(() => andThen(this.#storage.getItem(name), take), false, late);
  }

  /**
   * @param {string | null} text what the slot holds
   * @returns {StoredPurchase[]} none if nobody can read it
   */
  #purchasesIn(text) {
    try {
      return JSON.parse(text ?? '[]').filter((/** @type {StoredPurchase} */ one) => one?.at !== undefined);
    } catch (error) {
      this.#fault(error);
      return [];
    }
  }

  /**
   * Asks the storage for something after what it was asked for before. It may fail, and it has a second.
   * @template T
   * @param {() => T | Promise<T>} work
   * @param {T} otherwise what stands for the answer of a storage that fails or hangs
   * @param {(answer: T) => void} [late] gets an answer that comes after that second
   * @returns {T | Promise<T>}
   */
  #stores(work, otherwise, late) {
    const failed = (/** @type {unknown} */ error) => (this.#fault(error), otherwise);
    /** @type {T | Promise<T>} */
    let asked;
    try {
      asked = this.#storing ? this.#storing.then(work) : work();
    } catch (error) {
      return failed(error);
    }
    if (!isPromise(asked)) return asked;
    const { promise, resolve } = deferred();
    let isLate = false;
    const giveUp = () => {
      isLate = true;
      resolve(failed(new Error('the storage does not answer')));
    };
    const timer = this.#around.setTimeout(giveUp, STORE_MS);
    const done = asked.catch(failed).then((answer) => {
      this.#around.clearTimeout(timer);
      if (isLate) late?.(answer);
      else resolve(answer);
    });
    // A storage that hangs holds up each purchase for a second, not the next ones for ever.
    this.#storing = Promise.race([done, promise]);
    return promise;
  }

  /**
   * Sends again whatever is unanswered, purchases of the page before a reload included.
   * @param {Welcome} welcome
   * @param {boolean | Promise<boolean>} read whether it is known what the slot holds
   */
  #resume(welcome, read) {
    const attempt = this.#attempt;
    const written = andThen(read, (isRead) => {
      if (attempt === this.#attempt) {
        this.#connecting?.resolve(welcome);
        this.#connecting = undefined;
      }
      return isRead ? this.#write() : undefined;
    });
    andThen(written, () => {
      if (attempt === this.#attempt) this.#sendAll();
    });
  }

  /**
   * Goes on with a purchase of the page before a reload.
   * @param {StoredPurchase} purchase
   */
  #adopt({ drop, sku, units, key, at }) {
    const { promise: answer, resolve, reject } = deferred();
    // Nobody may be waiting any more: the answer is an event as well.
    answer.catch(() => {});
    this.#pending.set(`buy ${key}`, {
      request: 'buy',
      id: key,
      message: { type: 'buy', drop, sku, units, key },
      since: this.#around.now(),
      stored: { drop, sku, units, key, at },
      answer,
      resolve,
      reject,
    });
  }

  #sendAll() {
    for (const [slot, pending] of this.#pending) {
      pending.wantsTicket = false;
      pending.since = this.#around.now();
      this.#sendOnce(slot);
    }
  }

  /* Tickets and signs of life. */

  /**
   * @param {number} expiresInMs
   * @param {Told} told
   */
  #watchTicket(expiresInMs, told) {
    if (typeof this.#ticket !== 'function') return;
    const ahead = Math.min(REFRESH_AHEAD_MS, expiresInMs / 2);
    // Spread: a crowd that came together got its tickets together.
    const wait = expiresInMs - ahead * (1 - this.#around.random() / 2);
    this.#renewal = { at: this.#receivedAt + wait, told };
    this.#after('ticket', wait, () => this.#renewTicket());
  }

  #renewTicket() {
    // One at a time: a refresh over the message rate ends the connection.
    if (this.#timers.has('renewing')) return;
    this.#after('renewing', REFRESH_AGAIN_MS, () => this.#renewTicket());
    this.refresh().catch((error) => this.#fault(error));
  }

  /** @param {Refreshed} message */
  #refreshed(message) {
    this.#clock(message.server_time_ms);
    this.#cancel('renewing');
    this.#watchTicket(message.ticket_expires_in_ms, this.#toldNow(message.server_time_ms));
    this.#ticketRenewed = false;
    for (const pending of this.#pending.values()) {
      if (!pending.wantsTicket) continue;
      pending.wantsTicket = false;
      this.#send(pending.message);
    }
  }

  /**
   * Sends a `ping` each heartbeat; one and a half later without any message the connection is lost.
   * @param {number} heartbeatMs
   */
  #beat(heartbeatMs) {
    const beat = () => {
      this.#after('heartbeat', heartbeatMs, beat);
      if (!this.#timers.has('silence') && !this.#timers.has('probe')) {
        this.#after('silence', heartbeatMs * 1.5, () => this.#silent('the server has fallen silent'));
      }
      this.#ping();
    };
    this.#after('heartbeat', heartbeatMs, beat);
  }

  /** Sends a ping whose pong must come soon; what came from the server before says nothing. */
  #probe() {
    this.#cancel('silence');
    this.#ping();
    this.#awaited = this.#pings.length;
    this.#after('probe', WAKE_MS, () => this.#silent('no answer after the device woke'));
  }

  /**
   * Patience is over. After another sleep it begins again: timers come before what arrived meanwhile.
   * @param {string} reason
   */
  #silent(reason) {
    if (this.#hasSlept()) this.#probe();
    else this.#lost(BROKEN, reason);
  }

  #ping() {
    this.#pings.push({ at: this.#around.now(), wall: this.#wallAheadMs() });
    this.#send({ type: 'ping' });
  }

  /** @param {Pong} pong */
  #ponged({ server_time_ms }) {
    const sent = this.#pings.shift();
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#cancel('probe');
    if (sent) this.#correct(server_time_ms, sent);
  }

  /** Compares the clocks again and again: many platforms tell nobody that the device slept. */
  #watch() {
    this.#after('watch', WATCH_MS, () => this.#watch());
    if (!this.#hasSlept()) return;
    if (this.#state === 'connecting') this.#lost(BROKEN, 'the device slept while it connected');
    else if (this.#state === 'online') this.#probe();
    else this.wake();
  }

  /** Whether the device has slept since the last look. */
  #hasSlept() {
    const [now, wall] = [this.#around.now(), this.#around.wallClock()];
    const passed = now - this.#looked.now;
    const passedOnWall = wall - this.#looked.wall;
    this.#looked = { now, wall };
    return passed > WATCH_MS + SLEEP_MS || Math.abs(passedOnWall - passed) > SLEEP_MS;
  }

  #wallAheadMs() {
    return this.#around.wallClock() - this.#around.now();
  }

  /**
   * Corrects the points in time by a pong: the server read its clock after the ping was sent, before the
   * pong came. Our own clock may have stood still while the device slept.
   * @param {number} serverTimeMs
   * @param {{ at: number, wall: number }} sent
   */
  #correct(serverTimeMs, sent) {
    const wall = this.#wallAheadMs();
    // The device slept between the two: the ping after the wake tells.
    if (Math.abs(wall - sent.wall) > SLEEP_MS) return;
    const least = serverTimeMs - this.#receivedAt;
    // The time is told in whole milliseconds.
    const most = serverTimeMs + 1 - sent.at;
    const within = (/** @type {number} */ ahead) => Math.min(Math.max(ahead, least), most);
    this.#anchor = { server: within(this.#anchor.server), wall };
    this.#serverAheadMs = within(this.#serverAheadMs);
    this.#moveTimes((told) => corrected(told, { server: within(told.server), wall }));
  }

  /**
   * How the points in time of the message that has just come were told.
   * @param {number} [serverTimeMs] if the message names it
   * @returns {Told}
   */
  #toldNow(serverTimeMs) {
    const wall = this.#wallAheadMs();
    const { server: serverBefore, wall: wallBefore } = this.#anchor;
    if (serverTimeMs === undefined) return { server: serverBefore, wall, drift: undefined };
    const server = serverTimeMs - this.#receivedAt;
    // A sleep that does not show in the server's time: the message lay here while the device slept.
    const slept = together(server - serverBefore, wall - wallBefore);
    return { server, wall: wallBefore + slept, drift: 0 };
  }

  /**
   * Moves each point in time as `correct` says for the way in which it was told.
   * @param {(told: Told) => { told: Told, ms: number }} correct
   */
  #moveTimes(correct) {
    let isMoved = false;
    for (const drop of this.drops.values()) {
      const before = this.#told.get(drop);
      if (!before) continue;
      const { told, ms } = correct(before);
      const moved = (/** @type {number | undefined} */ at) => (at === undefined ? undefined : at + ms);
      const { opensAt, closesAt, ...kept } = drop;
      const times = known({ opensAt: moved(opensAt), closesAt: moved(closesAt) });
      this.#putDrop(ms === 0 ? drop : { ...kept, ...times }, told);
      isMoved ||= ms !== 0;
    }
    for (const hold of this.holds.values()) {
      const before = this.#told.get(hold);
      if (!before) continue;
      const { told, ms } = correct(before);
      this.#putHold(ms === 0 ? hold : { ...hold, expiresAt: hold.expiresAt + ms }, told);
      isMoved ||= ms !== 0;
    }
    if (this.#renewal && this.#timers.has('ticket')) {
      const { told, ms } = correct(this.#renewal.told);
      this.#renewal = { at: this.#renewal.at + ms, told };
      const wait = Math.max(0, this.#renewal.at - this.#around.now());
      if (ms !== 0) this.#after('ticket', wait, () => this.#renewTicket());
    }
    if (isMoved) this.#emit('change', undefined);
  }

  /** @param {number} serverTimeMs */
  #clock(serverTimeMs) {
    this.#serverAheadMs = serverTimeMs - this.#receivedAt;
  }

  /* Timers, events. */

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} work
   */
  #after(name, ms, work) {
    this.#cancel(name);
    const timer = this.#around.setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, ms);
    this.#timers.set(name, timer);
  }

  /** @param {string} name */
  #cancel(name) {
    if (!this.#timers.has(name)) return;
    this.#around.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** @param {State} state */
  #enter(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#emit('state', state);
    this.#emit('change', undefined);
  }

  /**
   * An event after which the model has changed.
   * @template {keyof Events} T
   * @param {T} type
   * @param {Events[T]} event
   */
  #tell(type, event) {
    this.#emit(type, event);
    this.#emit('change', undefined);
  }

  /**
   * Something that the app did not ask for went wrong. Where it does not listen, its developer is told.
   * @param {unknown} error
   */
  #fault(error) {
    if (!this.#listeners.get('fault')?.size) globalThis.console?.error('stampede:', error);
    this.#emit('fault', error);
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {Events[T]} event
   */
  #emit(type, event) {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(event);
      } catch (error) {
        // A listener that fails is the app's affair, not the connection's.
        const later = globalThis.queueMicrotask ?? globalThis.setTimeout;
        later(() => {
          throw error;
        });
      }
    }
  }
}

/**
 * By how much two clocks moved together.
 * @param {number} one
 * @param {number} other
 */
function together(one, other) {
  if (Math.sign(one) !== Math.sign(other)) return 0;
  return Math.sign(one) * Math.min(Math.abs(one), Math.abs(other));
}

/**
 * How a point in time moves once it is known how far the other clocks are ahead of ours now. If both
 * moved, the device slept: ours stood still. If the server's moved alone, the message that told the point
 * took its time, or clocks drift; beyond that somebody has set the clock, which moves no deadline.
 * @param {Told} told
 * @param {{ server: number, wall: number }} ahead
 * @returns {{ told: Told, ms: number }}
 */
function corrected(told, { server, wall }) {
  const moved = server - told.server;
  const slept = together(moved, wall - told.wall);
  const drift = told.drift === undefined ? undefined : told.drift + moved - slept;
  if (drift === undefined || Math.abs(drift) > DRIFT_MS) {
    return { told: { server, wall, drift: told.drift }, ms: -slept || 0 };
  }
  return { told: { server, wall, drift }, ms: -moved || 0 };
}

/**
 * @template K, V
 * @param {ReadonlyMap<K, V>} map one that this module has made
 */
function mutable(map) {
  return /** @type {Map<K, V>} */ (map);
}

/**
 * The fields that have a value.
 * @template {object} T
 * @param {T} fields
 * @returns {{ [Name in keyof T]?: Exclude<T[Name], undefined> }}
 */
function known(fields) {
  return /** @type {any} */ (Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
}

/**
 * @template T
 * @param {T | Promise<T>} value
 * @returns {value is Promise<T>}
 */
function isPromise(value) {
  return typeof (/** @type {any} */ (value)?.then) === 'function';
}

/**
 * Goes on with a value at once, with that of a promise once it is there.
 * @template T, R
 * @param {T | Promise<T>} value
 * @param {(value: T) => R | Promise<R>} work
 * @returns {R | Promise<R>}
 */
function andThen(value, work) {
  return isPromise(value) ? value.then(work) : work(value);
}

/** @returns {{ promise: Promise<any>, resolve: (value: any) => void, reject: (error: Error) => void }} */
function deferred() {
  /** @type {any} */
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
