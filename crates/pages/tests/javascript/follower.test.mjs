// How a stream is followed where something on its way holds it back, refuses it, or is gone for a while.
import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Follower } from "../../assets/follower.mjs";

/** A way to the server: `streams` says whether streams of events come through, `status` what requests get. */
class Way {
  streams = true;
  status = 200;
  /** What the answer says it is. */
  kind = "application/problem+json";
  opened = [];
  asked = [];
  heard = [];
  failures = [];
  oldest = 0;
  #heardAt = Date.now();

  constructor() {
    const way = this;
    globalThis.EventSource = class {
      #said = new Map();
      closed = false;

      constructor(url) {
        way.opened.push([url, this]);
      }

      addEventListener(kind, call) {
        this.#said.set(kind, call);
      }

      say(kind, data = {}) {
        if (!this.closed) this.#said.get(kind)({ data: JSON.stringify(data) });
      }

      close() {
        this.closed = true;
      }
    };
    globalThis.fetch = async (url) => {
      way.asked.push(url);
      if (way.status === 0) throw new TypeError("no way");
      return { status: way.status, ok: way.status === 200, headers: new Headers({ "content-type": way.kind }), json: async () => ({ drops: [] }) };
    };
  }

  get live() {
    return this.opened.filter(([, source]) => !source.closed).map(([, source]) => source);
  }

  follow(present) {
    const heard = (kind) => {
      this.heard.push(kind);
      this.#heardAt = Date.now();
    };
    return new Follower("show", { heard, failed: (status) => this.failures.push(status) }, present);
  }

  /** Lets time pass; keeps how old the figures became. */
  async pass(millis) {
    for (let passed = 0; passed < millis; passed += 100) {
      mock.timers.tick(100);
      for (const source of this.streams && passed % 1000 === 0 ? this.live : []) source.say("alive");
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      this.oldest = Math.max(this.oldest, Date.now() - this.#heardAt);
    }
  }
}

const cases = (name, run) => test(name, async () => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: 1_700_000_000_000 });
  try {
    await run(new Way());
  } finally {
    mock.timers.reset();
  }
});

cases("a stream that comes through is all that is asked for", async (way) => {
  const follower = way.follow(true);
  await way.pass(60_000);
  assert.deepEqual([way.opened.length, way.asked.length, way.failures.length], [1, 0, 0]);
  assert.equal(way.opened[0][0], "/v1/streams/show/follow?figures_ms=100&present=true");
  follower.stop();
});

cases("behind a proxy that holds streams back figures stay young while the stream is tried again", async (way) => {
  way.streams = false;
  const follower = way.follow(false);
  await way.pass(120_000);
  assert.ok(way.oldest < 1500, `figures became ${way.oldest} ms old`);
  assert.ok(way.opened.length >= 6, `the stream was tried ${way.opened.length} times`);
  assert.deepEqual(way.failures, []);
  assert.ok(way.asked.length > 90 && way.asked.length <= 140, `${way.asked.length} questions`);
  // Once it comes through, nothing is asked any more.
  way.streams = true;
  await way.pass(20_000);
  const asked = way.asked.length;
  await way.pass(20_000);
  assert.deepEqual([way.asked.length, way.live.length], [asked, 1]);
  follower.stop();
});

cases("a stream that is refused is asked for now and then, figures each second", async (way) => {
  way.streams = false;
  const follower = way.follow(false);
  for (let second = 0; second < 60; second += 1) {
    for (const source of way.live) source.onerror();
    await way.pass(1000);
  }
  assert.ok(way.oldest < 1500, `figures became ${way.oldest} ms old`);
  assert.ok(way.opened.length < 12, `the stream was tried ${way.opened.length} times`);
  follower.stop();
});

cases("a server that is gone is found again within two seconds", async (way) => {
  const follower = way.follow(false);
  await way.pass(2000);
  way.status = 0;
  way.streams = false;
  way.live[0].onerror();
  await way.pass(30_000);
  assert.equal(way.failures.at(-1), 0);
  way.status = 200;
  const before = way.heard.length;
  await way.pass(2000);
  assert.ok(way.heard.length > before);
  follower.stop();
});

cases("whoever is denied asks no more until told to", async (way) => {
  way.streams = false;
  way.status = 401;
  const follower = way.follow(false);
  await way.pass(1000);
  for (const source of way.live) source.onerror();
  await way.pass(10_000);
  assert.deepEqual([way.failures, way.asked.length, way.live.length], [[401], 1, 0]);
  way.status = 200;
  way.streams = true;
  follower.again();
  await way.pass(1000);
  assert.equal(way.live.length, 1);
  follower.be(true);
  await way.pass(1000);
  assert.match(way.opened.at(-1)[0], /present=true$/);
  assert.equal(way.live.length, 1);
  follower.stop();
  assert.equal(way.live.length, 0);
});

cases("a proxy that has no server for a moment denies nothing", async (way) => {
  way.streams = false;
  way.status = 404;
  way.kind = "text/html";
  const follower = way.follow(false);
  await way.pass(1000);
  for (const source of way.live) source.onerror();
  await way.pass(10_000);
  assert.equal(way.failures.at(-1), 0);
  way.status = 200;
  const before = way.heard.length;
  await way.pass(3000);
  assert.ok(way.heard.length > before);
  follower.stop();
});
