// Drafts: what was typed and is not planned yet, kept in this browser by show and name.

/** What was done on another page, for the list of the show to say. */
export const DONE = "stampede_plan_done";
/** The show whose drafts are to be planned at once. */
export const GO = "stampede_plan_go";

/** Drafts of one person for one show. */
export class Drafts {
  #start;
  #storage;

  constructor(storage, name, stream) {
    this.#storage = storage;
    this.#start = `stampede_plan/${encodeURIComponent(name)}/${encodeURIComponent(stream)}/`;
  }

  /** Every draft, oldest first; one that cannot be read is left out. */
  all() {
    const ids = [];
    for (let at = 0; at < this.#storage.length; at += 1) {
      const key = this.#storage.key(at);
      if (key.startsWith(this.#start)) ids.push(key.slice(this.#start.length));
    }
    return ids.map((id) => this.get(id)).filter((draft) => draft !== null).sort((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
  }

  get(id) {
    try {
      const found = JSON.parse(this.#storage.getItem(this.#start + id));
      return found?.form ? { ...found, id } : null;
    } catch {
      return null;
    }
  }

  /** Keeps a draft; `false` where the browser has no room for it or keeps nothing. */
  keep({ id, ...draft }) {
    try {
      this.#storage.setItem(this.#start + id, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  /** Keeps all of these drafts or none; `false` where there is no room for them. */
  keepAll(drafts) {
    const isKept = drafts.every((draft) => this.keep(draft));
    if (!isKept) for (const { id } of drafts) this.drop(id);
    return isKept;
  }

  drop(id) {
    this.#storage.removeItem(this.#start + id);
  }

  /**
   * Does something that plans drafts while no other tab of this browser does, so that none is planned twice. Where one does,
   * `waits` says whether to wait for it; `null` is the answer where not. A browser without locks lets all of them.
   */
  alone(act, waits) {
    const { locks } = globalThis.navigator ?? {};
    return locks ? locks.request(this.#start, { ifAvailable: !waits }, (lock) => (lock === null ? null : act())) : act();
  }

  /** Whether a change of the browser's storage concerns these drafts. */
  concerns(key) {
    return key === null || key.startsWith(this.#start);
  }
}

/** The browser's own storage; one that keeps nothing where there is none. */
export function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    const refuse = () => {
      throw new Error("nothing is kept here");
    };
    return { length: 0, key: () => null, getItem: () => null, setItem: refuse, removeItem: () => {} };
  }
}

/** A name for a draft of a new drop: no drop has it. */
export const freshId = (now = Date.now(), random = Math.random()) => `n${now.toString(36)}${Math.floor(random * 1e6).toString(36)}`;

/** Whether a name is that of such a draft. */
export const isFresh = (id) => id.startsWith("n");
