// Follows a stream for a page: through the worker that all tabs share, else by itself.
import { Follower } from "./follower.mjs";
import { apply } from "./state.mjs";

/** Time in which the worker has to say something, in milliseconds. */
/** How often a worker is listened for, and after how many times of silence the page follows by itself. */
const TICK_MS = 5000;
const SILENT_TICKS = 3;
const WORKER_WAIT_MS = 4000;

/** How a stream stands, kept true: `changed(room, kind, data)` after each event. */
export class Room {
  state = null;
  /** When this machine last heard anything, by its own clock; at first when the page came. */
  heardAt = Date.now();
  /** The HTTP status of the last break, `null` while all is well. */
  broken = null;
  #port = null;
  #own = null;
  #stream;
  #present;
  #changed;

  /** A reader who is `present` is seen by the others who are, and sees them. */
  constructor(stream, workerUrl, changed, present = false) {
    this.#stream = stream;
    this.#present = present;
    this.#changed = changed;
    this.#enter(workerUrl);
  }

  #hear(kind, data, heardAt) {
    if (kind === "failed") {
      this.broken = data.status;
    } else {
      this.state = apply(this.state, kind, data, heardAt);
      this.heardAt = heardAt;
      this.broken = null;
    }
    this.#changed(this, kind, data);
  }

  #enter(workerUrl) {
    if (typeof SharedWorker === "undefined" || !workerUrl) {
      this.#alone();
      return;
    }
    try {
      const policy = globalThis.trustedTypes?.createPolicy("stampede", { createScriptURL: (url) => url });
      const url = policy ? policy.createScriptURL(workerUrl) : workerUrl;
      const worker = new SharedWorker(url, { type: "module", name: "stampede" });
      worker.onerror = () => this.#alone();
      const port = worker.port;
      let silent = 0;
      this.#port = port;
      port.onmessage = ({ data: { kind, data, heardAt } }) => {
        silent = 0;
        if (this.#port === port) this.#hear(kind, data, heardAt);
      };
      // A worker that a browser has ended says nothing more, and no error is told of it. After sleep it has time to speak.
      setInterval(() => {
        silent += 1;
        if (silent > SILENT_TICKS && this.#port === port) this.#alone();
      }, TICK_MS);
      const enter = () => port.postMessage({ follow: this.#stream, present: this.#present });
      enter();
      setInterval(() => this.#port === port && port.postMessage({ here: true }), 20000);
      setTimeout(() => this.state === null && this.broken === null && this.#alone(), WORKER_WAIT_MS);
      // A page that is put away gives its place up; one that is taken out again asks anew.
      addEventListener("pagehide", () => port.postMessage({ leave: true }));
      addEventListener("pageshow", (event) => event.persisted && this.#port === port && enter());
    } catch {
      this.#alone();
    }
  }

  #alone() {
    if (this.#own) return;
    this.#port?.postMessage({ leave: true });
    this.#port = null;
    const heard = (kind, data) => this.#hear(kind, data, Date.now());
    const failed = (status) => this.#hear("failed", { status }, this.heardAt);
    this.#own = new Follower(this.#stream, { heard, failed }, this.#present);
  }

  /** Tries again at once. */
  again() {
    this.#port?.postMessage({ again: true });
    this.#own?.again();
  }
}
