// Follows one stream: by events, and where those do not come through, by asking each second.

const KINDS = ["snapshot", "drop", "figures", "second", "gone", "stream", "people", "command", "session", "alive"];

/** A stream says something each second. After so long a silence a snapshot is asked for beside it, in milliseconds. */
const QUIET_MS = 1200;
/** Silence after which a stream of events is thought to be held back on its way, in milliseconds. */
const SILENCE_MS = 3500;
/** Time between two questions, and between two looks at whether one is due, in milliseconds. */
const POLL_MS = 900;
const LOOK_MS = 200;
/** Time after which a stream that was held back or refused twice is tried once more, in milliseconds. */
const HELD_BACK_MS = 15_000;
const RETRY_MS = [500, 1000, 2000, 4000];
const DENIED = new Set([401, 403, 404]);

/**
 * Tells `heard(kind, data)` of every event, `failed(status)` of every break with the HTTP status that the
 * server answered, 0 if it could not be reached. A reader who is `present` is seen by the others who are.
 */
export class Follower {
  #path;
  #present;
  #heard;
  #failed;
  #source = null;
  /** When the stream of events was opened, or last said something. */
  #spokeAt = 0;
  /** Whether the stream of events that is open has said anything. */
  #speaks = false;
  /** Streams of events in a row that have said nothing, or have ended. */
  #vain = 0;
  #tryAt = 0;
  #askedAt = 0;
  #asking = false;
  #watch = null;
  /** The server does not let this reader follow: nothing is asked any more. */
  #denied = false;

  constructor(stream, { heard, failed }, present = false) {
    this.#path = `/v1/streams/${encodeURIComponent(stream)}/follow`;
    this.#present = present;
    this.#heard = heard;
    this.#failed = failed;
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
    this.#askedAt = Date.now();
    this.#look();
  }

  /** Ends it for good. */
  stop() {
    clearInterval(this.#watch);
    this.#watch = null;
    this.#close();
  }

  /** Begins anew at once. */
  again() {
    if (this.#watch === null) return;
    this.#close();
    [this.#denied, this.#vain, this.#tryAt, this.#askedAt] = [false, 0, 0, 0];
    this.#look();
  }

  /** Whether the others shall see this reader. */
  be(present) {
    if (this.#present === present) return;
    this.#present = present;
    this.again();
  }

  #query(more) {
    const query = [...more, ...(this.#present ? ["present=true"] : [])].join("&");
    return query ? `${this.#path}?${query}` : this.#path;
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    this.#speaks = false;
  }

  #look() {
    if (this.#denied) return;
    const now = Date.now();
    const silent = this.#source === null ? 0 : now - this.#spokeAt;
    if (silent >= SILENCE_MS) this.#end();
    if (this.#source === null && now >= this.#tryAt) this.#open();
    // Beside a stream that says nothing, and until it does, the figures come by questions.
    const asks = this.#source === null || silent >= QUIET_MS || (!this.#speaks && (this.#vain > 0 || this.#askedAt === 0));
    if (asks && !this.#asking && now - this.#askedAt >= POLL_MS) this.#ask();
  }

  /** The stream of events is over, or as good as over. */
  #end() {
    this.#close();
    const wait = this.#vain >= 2 ? HELD_BACK_MS : RETRY_MS[Math.min(this.#vain, RETRY_MS.length - 1)];
    this.#vain += 1;
    this.#tryAt = Date.now() + wait;
  }

  #open() {
    this.#spokeAt = Date.now();
    if (typeof EventSource === "undefined") {
      this.#vain = 2;
      this.#end();
      return;
    }
    const source = new EventSource(this.#query(["figures_ms=100"]));
    this.#source = source;
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (this.#source !== source) return;
        this.#spokeAt = Date.now();
        this.#speaks = true;
        this.#vain = 0;
        this.#heard(kind, JSON.parse(event.data));
      });
    }
    source.onerror = () => {
      if (this.#source !== source) return;
      // The browser does not tell why: a plain request does.
      this.#end();
      this.#askedAt = 0;
      this.#look();
    };
  }

  /** One snapshot, as the answer to a plain request. */
  async #ask() {
    const begun = Date.now();
    this.#askedAt = begun;
    this.#asking = true;
    const { status, snapshot, isOurs } = await this.#answer();
    this.#asking = false;
    if (this.#watch === null) return;
    if (status !== 200) {
      // A proxy before a server that is being replaced says 403 or 404 as well.
      this.#denied = DENIED.has(status) && isOurs;
      this.#failed(DENIED.has(status) && !isOurs ? 0 : status);
      if (this.#denied) this.#close();
    } else if (!(this.#speaks && this.#spokeAt >= begun)) {
      // What a stream has said meanwhile may be newer.
      this.#heard("snapshot", snapshot);
    }
  }

  async #answer() {
    try {
      const answer = await fetch(this.#query([]), {
        headers: { accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout(3000),
      });
      const isOurs = answer.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
      return { status: answer.status, snapshot: answer.ok ? await answer.json() : null, isOurs };
    } catch {
      return { status: 0, snapshot: null, isOurs: false };
    }
  }
}
