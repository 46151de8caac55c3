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
export type Phase = 'scheduled' | 'countdown' | 'open' | 'paused' | 'closed' | 'settled' | 'cancelled';
export type SkuOption = {
    name: string;
    value: string;
};
/**
 * A sellable variant. `approximate` means that `available` was rounded down: "more than".
 */
export type SkuInfo = {
    sku: string;
    title: string;
    options: SkuOption[];
    merchant_sku: string;
    image?: string;
    price_minor: number;
    available: number;
    approximate?: boolean;
    limit_per_viewer: number;
    units_per_buy_max: number;
};
export type DropInfo = {
    drop: string;
    version: number;
    title: string;
    merchant: string;
    phase: Phase;
    featured: boolean;
    opens_in_ms?: number;
    closes_in_ms?: number;
    hold_ttl_ms: number;
    limit_per_viewer: number;
    currency: string;
    skus: SkuInfo[];
};
export type HoldInfo = {
    key?: string;
    retry: boolean;
    hold: string;
    drop: string;
    sku: string;
    units: number;
    amount_minor: number;
    currency: string;
    expires_in_ms: number;
};
export type OrderInfo = {
    key?: string;
    order: string;
    hold: string;
    drop: string;
    sku: string;
    units: number;
    amount_minor: number;
    currency: string;
};
export type Welcome = {
    type: 'welcome';
    viewer: string;
    stream: string;
    channel?: string;
    mode: 'live' | 'rehearsal';
    server_time_ms: number;
    heartbeat_ms: number;
    ticket_expires_in_ms: number;
    drops: DropInfo[];
    holds: HoldInfo[];
    orders: OrderInfo[];
};
export type DropMessage = {
    type: 'drop';
} & DropInfo;
export type PhaseMessage = {
    type: 'phase';
    drop: string;
    version: number;
    phase: Phase;
    featured: boolean;
    server_time_ms: number;
    opens_in_ms?: number;
    closes_in_ms?: number;
};
/**
 * What is left of a sellable variant. `approximate` means that `available` was rounded down: "more than".
 */
export type SkuStock = {
    sku: string;
    available: number;
    approximate?: boolean;
};
export type StockMessage = {
    type: 'stock';
    drop: string;
    version: number;
    skus: SkuStock[];
};
/**
 * May come again for a hold, with the time that is left by then.
 */
export type Held = {
    type: 'held';
} & HoldInfo;
/**
 * May come after the hold has expired: a payment that came too late took the units again. `hold` is the one that the
 * viewer bought; `order` may be another text.
 */
export type Order = {
    type: 'order';
} & OrderInfo;
/**
 * The codes of refusals that this version knows.
 */
export type RefusalCode = 'busy' | 'rate_limited' | 'ticket_expired' | 'unknown_drop' | 'unknown_sku' | 'units_out_of_range' | 'key_reused' | 'not_open' | 'paused' | 'closed' | 'over_viewer_limit' | 'holds_capped' | 'sold_out' | 'not_enough' | 'unknown_hold' | 'hold_ended' | 'hold_confirmed' | 'payment_pending' | 'pay_not_offered';
export type Refused = {
    type: 'refused';
    request: 'buy' | 'release' | 'pay';
    key?: string;
    hold?: string;
    code: RefusalCode | (string & {});
    message: string;
    temporary: boolean;
    retry_after_ms?: number;
    limit?: number;
    available?: number;
};
export type Released = {
    type: 'released';
    hold: string;
    drop: string;
    sku: string;
    units: number;
    called_off?: boolean;
};
export type Expired = {
    type: 'expired';
    hold: string;
    drop: string;
    sku: string;
    units: number;
};
export type PaymentFailed = {
    type: 'payment_failed';
    hold: string;
    final: boolean;
    expires_in_ms?: number;
};
export type Refreshed = {
    type: 'refreshed';
    server_time_ms: number;
    ticket_expires_in_ms: number;
};
export type Pong = {
    type: 'pong';
    server_time_ms: number;
};
export type ErrorNotice = {
    type: 'error';
    code: string;
    close_code: number;
    message: string;
    retry_after_ms?: number;
};
export type ServerMessage = Welcome | DropMessage | PhaseMessage | StockMessage | Held | Order | Refused | Released | Expired | PaymentFailed | Refreshed | Pong | ErrorNotice;
/**
 * What shall come of a payment with the sandbox, for trying.
 */
export type TestCard = 'approved' | 'declined' | 'insufficient_funds' | 'declined_for_good' | 'challenge' | 'slow' | 'late' | 'expires' | 'wrong_amount' | 'duplicate' | 'refunded';
export type ClientMessage = {
    type: 'hello';
    ticket: string;
    client?: string;
} | {
    type: 'refresh';
    ticket: string;
} | {
    type: 'buy';
    drop: string;
    sku: string;
    units: number;
    key: string;
} | {
    type: 'release';
    hold: string;
} | {
    type: 'pay';
    hold: string;
    card?: TestCard;
} | {
    type: 'ping';
};
export type DropView = Omit<DropInfo, 'opens_in_ms' | 'closes_in_ms'> & {
    opensAt?: number;
    closesAt?: number;
};
export type HoldView = Omit<HoldInfo, 'key' | 'retry' | 'expires_in_ms'> & {
    expiresAt: number;
};
export type OrderView = Omit<OrderInfo, 'key'>;
/**
 * What a `buy` asks for. Passed to `buy` again, it waits for the answer to the same purchase.
 */
export type Purchase = {
    drop: string;
    sku: string;
    units: number;
    key: string;
};
export type State = 'new' | 'connecting' | 'online' | 'waiting' | 'stopped';
/**
 * What follows a close: `again` after a delay, `mend` the ticket or the program first, `never` by
 * itself; `asked` is the end that the app asked for.
 */
export type Verdict = 'again' | 'mend' | 'never' | 'asked';
/**
 * Why a connection has ended, what follows, and after how long where the client comes back by itself.
 */
export type Closed = {
    code: number;
    reason: string;
    verdict: Verdict;
    retryInMs?: number;
};
/**
 * A request that the server could not serve now; it is sent again with the same key.
 */
export type Retrying = {
    refused: Refused;
    retryInMs: number;
};
export type Events = {
    state: State;
    change: void;
    message: ServerMessage;
    welcome: Welcome;
    drop: DropMessage;
    phase: PhaseMessage;
    stock: StockMessage;
    held: Held;
    order: Order;
    refused: Refused;
    released: Released;
    expired: Expired;
    payment_failed: PaymentFailed;
    error: ErrorNotice;
    closed: Closed;
    retrying: Retrying;
    lapsed: Purchase;
    fault: unknown;
};
/**
 * Where unanswered purchases are kept: the part of Web Storage that is needed, or the same with
 * promises, as React Native's AsyncStorage has it.
 */
export type PurchaseStorage = {
    getItem(name: string): string | null | Promise<string | null>;
    setItem(name: string, value: string): void | Promise<void>;
    removeItem(name: string): void | Promise<void>;
};
/**
 * The part of a WebSocket that is needed; the browser's has it, so has that of the package `ws`.
 */
export type Socket = {
    onopen: any;
    onmessage: any;
    onclose: any;
    onerror: any;
    send(text: string): void;
    close(code?: number, reason?: string): void;
};
export type SocketConstructor = new (url: string, protocols: string[]) => Socket;
/**
 * Time, chance and the page, replaced in tests. `now` is monotonic, in milliseconds. `onWake` calls
 * `work` when the page comes back, until the function that it returns is called.
 */
export type Surroundings = {
    now(): number;
    wallClock(): number;
    random(): number;
    setTimeout(work: () => void, ms: number): unknown;
    clearTimeout(timer: any): void;
    onWake(work: () => void): () => void;
};
export type Options = {
    /**
     * Where viewers connect, such as `wss://shop.example/`.
     */
    url: string;
    /**
     * A ticket, or better a function that
     * fetches a new one: it is asked before each connection and before a ticket runs out.
     */
    ticket: string | (() => string | Promise<string>);
    /**
     * Name and version of the app, for the server's logs; at most 64 bytes.
     */
    client?: string;
    /**
     * Needed where there is no global one (Node 20: `ws`).
     */
    WebSocket?: SocketConstructor;
    /**
     * Default: the tab's `sessionStorage`, else memory. A purchase is
     * sent once it is stored; a storage gets a second to be read, a second to be written.
     */
    storage?: PurchaseStorage;
    /**
     * Makes the key of a purchase: 1 to 64 letters, digits, `.`, `_`, `:`
     * or `-`, never the same twice, such as a random UUID. Needed where there is no global `crypto`
     * (React Native).
     */
    newKey?: () => string;
    /**
     * How long a request is repeated while the server is busy; 15000.
     */
    patienceMs?: number;
    /**
     * Age at which a stored purchase is no longer repeated; 60000. The event
     * `lapsed` tells of it: what came of it is among the holds and orders, if anything did.
     */
    resumeMs?: number;
    /**
     * For tests.
     */
    surroundings?: Partial<Surroundings>;
};
/** The subprotocol that this module speaks. */
export declare const SUBPROTOCOL = "stampede.v1.json";
/** Unanswered requests that a client keeps; one more is an error. */
export declare const REQUESTS_MAX = 64;
/** Bound of the first delay between two attempts. It doubles with each failure. */
export declare const BACKOFF_FIRST_MS = 250;
/** Bound of all delays. */
export declare const BACKOFF_LONGEST_MS = 15000;
/**
 * What to do after a close with this code. One that the server does not send came from a proxy or from
 * the network, 1000 too: it says nothing about the viewer, so come back.
 * @param {number} code
 * @returns {'again' | 'mend' | 'never'}
 */
export declare function afterClose(code: number): 'again' | 'mend' | 'never';
/** Delays between attempts: each is drawn evenly from zero to a bound that doubles. */
export declare class Backoff {
    failures: number;
    random: () => number;
    /** @param {() => number} random from 0 to 1 */
    constructor(random: () => number);
    /** The bound of the next delay. */
    get boundMs(): number;
    /** Counts a failure, draws the delay before the next attempt. */
    nextMs(): number;
    /** Begins again after a success. */
    reset(): void;
}
/** The client has stopped; what it was asked for is not known to be done. */
export declare class StoppedError extends Error {
    closed: Closed;
    /** @param {Closed} closed */
    constructor(closed: Closed);
}
/** @returns {PurchaseStorage} a storage that lasts as long as the page */
export declare function memoryStorage(): PurchaseStorage;
/** A viewer's stay on one stream, across connections. */
export declare class StampedeClient {
    #private;
    /** The stream's drops by id, in running order. @type {ReadonlyMap<string, DropView>} */
    drops: ReadonlyMap<string, DropView>;
    /** The viewer's open holds by id. @type {ReadonlyMap<string, HoldView>} */
    holds: ReadonlyMap<string, HoldView>;
    /** The viewer's orders by id. @type {ReadonlyMap<string, OrderView>} */
    orders: ReadonlyMap<string, OrderView>;
    /**
     * @param {Options} options
     * @throws {TypeError} if there is neither a global WebSocket nor one among the options; the same for
     *   `crypto` and `newKey`; if `url`, `ticket` or `WebSocket` is none
     */
    constructor(options: Options);
    get state(): State;
    /** Who is connected, as the latest welcome says. */
    get viewer(): string | undefined;
    get stream(): string | undefined;
    get channel(): string | undefined;
    get mode(): "live" | "rehearsal" | undefined;
    /** The drop on air. */
    get featured(): DropView | undefined;
    /**
     * The purchases that are under way, by key: those without an answer, those of the page before a reload
     * included. `change` tells each change.
     * @returns {ReadonlyMap<string, Purchase>}
     */
    get purchases(): ReadonlyMap<string, Purchase>;
    /**
     * Milliseconds until a point in time such as `expiresAt` or `opensAt`, at least 0.
     * @param {number} at
     */
    timeLeft(at: number): number;
    /** The server's clock, for display: milliseconds since 1970-01-01 UTC. */
    serverNow(): number;
    /**
     * Calls `listener` at each event of the type; the returned function ends that.
     * @template {keyof Events} T
     * @param {T} type
     * @param {(event: Events[T]) => void} listener
     * @returns {() => void}
     */
    on<T extends keyof Events>(type: T, listener: (event: Events[T]) => void): () => void;
    /**
     * Connects, from then on reconnects by itself. Settles with the first welcome, once the storage has told
     * which purchases are under way.
     * @returns {Promise<Welcome>}
     * @throws {StoppedError} if the server says that coming back is of no use
     */
    connect(): Promise<Welcome>;
    /**
     * Looks at once whether the connection still stands: a ping with 2 s of patience, else a new one. An
     * attempt to connect that began more than 2 s ago is begun again: its network may be gone. The client
     * does this by itself when a page is shown again or online again, and when the clocks say that the device
     * slept. An app whose platform tells it otherwise (`AppState` of React Native) calls it.
     */
    wake(): void;
    /** Ends the stay. Purchases that are not answered stay in the storage. */
    close(): void;
    /**
     * Takes a new ticket for the open connection, else for the next one. Without a text it is fetched.
     * Where the ticket of the options is a text, the new one replaces it; a function is asked again for
     * the tickets after this one.
     * @param {string} [ticket]
     * @throws {TypeError} if it is no text
     */
    refresh(ticket?: string): Promise<void>;
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
    buy({ drop, sku, units, key }: {
        drop: string;
        sku: string;
        units?: number;
        key?: string;
    }): Promise<Held | Order | Refused>;
    /**
     * Gives a hold back.
     * @param {string} hold
     * @returns {Promise<Released | Refused>}
     * @throws {StoppedError | TypeError | RangeError} as `buy` does
     */
    release(hold: string): Promise<Released | Refused>;
    /**
     * Pays a hold with the sandbox. Repeated after a reconnect until the payment is decided.
     * @param {string} hold
     * @param {{ card?: TestCard }} [options] `card` says what shall come of it, for trying
     * @returns {Promise<Order | PaymentFailed | Refused>}
     * @throws {StoppedError | TypeError | RangeError} as `buy` does
     */
    pay(hold: string, { card }?: {
        card?: TestCard;
    }): Promise<Order | PaymentFailed | Refused>;
}
