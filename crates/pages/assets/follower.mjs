// Follows one stream: by events, and where those do not come through, by asking each second.

const KINDS = ["snapshot", "drop", "figures", "second", "gone", "stream", "alive"];

/** Polls after which a stream of events is tried again. */
const POLLS_MAX = 30;

/** Silence after which a stream of events is thought to be held back on its way, in milliseconds. */
const SILENCE_MS = 3500;
const POLL_MS = 1000;
const RETRY_MS = [500, 1000, 2000, 4000];

/**
 * Tells `heard(kind, data)` of every event, `failed(status)` of every break with the HTTP status that the
 * server answered, 0 if it could not be reached.
 */
export class Follower {
  #path;
  #heard;
  #failed;
  #source = null;
  #timer = null;
  #watch = null;
  #last = 0;
  #tries = 0;
  #polls = false;
  #over = false;
  #silences = 0;
  #polled = 0;

  constructor(stream, { heard, failed }) {
    this.#path = `/v1/streams/${encodeURIComponent(stream)}/follow`;
    this.#heard = heard;
    this.#failed = failed;
    this.#begin();
    this.#watch = setInterval(() => this.#look(), 500);
  }

  /** Ends it for good. */
  stop() {
    this.#over = true;
    clearInterval(this.#watch);
    this.#close();
  }

  /** Begins anew at once. */
  again() {
    if (this.#over) return;
    this.#tries = 0;
    this.#begin();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #begin() {
    this.#close();
    this.#last = Date.now();
    if (this.#polls || typeof EventSource === "undefined") {
      this.#poll();
      return;
    }
    const source = new EventSource(`${this.#path}?figures_ms=100`);
    this.#source = source;
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (this.#source !== source) return;
        this.#last = Date.now();
        this.#tries = 0;
        this.#silences = 0;
        this.#heard(kind, JSON.parse(event.data));
      });
    }
    source.onerror = () => {
      if (this.#source !== source) return;
      // One that never said a word was refused: all its places may be taken.
      this.#polls = this.#tries >= 2;
      this.#broken();
    };
  }

  /** The browser does not tell why: a plain request does. */
  async #broken() {
    this.#close();
    const status = await this.#ask();
    if (this.#over) return;
    if (status !== 200) this.#failed(status);
    if (status === 401 || status === 403 || status === 404) return;
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#begin(), wait);
  }

  /** One snapshot, as the answer to a plain request. */
  async #ask() {
    try {
      const answer = await fetch(this.#path, {
        headers: { accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout(3000),
      });
      if (!answer.ok) return answer.status;
      const snapshot = await answer.json();
      this.#last = Date.now();
      this.#heard("snapshot", snapshot);
      return 200;
    } catch {
      return 0;
    }
  }

  async #poll() {
    const status = await this.#ask();
    if (this.#over) return;
    if (status !== 200) {
      this.#failed(status);
      if (status === 401 || status === 403 || status === 404) return;
    }
    this.#polled += 1;
    this.#polls = this.#polled < POLLS_MAX;
    if (!this.#polls) this.#polled = 0;
    this.#timer = setTimeout(() => this.#begin(), POLL_MS);
  }

  /** A stream says something each second; one that is silent is held back by something on its way. */
  #look() {
    if (this.#source === null || Date.now() - this.#last < SILENCE_MS) return;
    this.#silences += 1;
    this.#polls = this.#silences >= 2;
    this.#silences %= 2;
    this.#broken();
  }
}
