// When a session ends.
import assert from "node:assert/strict";
import test from "node:test";
import { ending, ends, WARNED_MS } from "../../assets/session.mjs";
import { apply } from "../../assets/state.mjs";

const told = (idle_expires_in_ms, expires_in_ms) => ({ idle_expires_in_ms, expires_in_ms });
const snapshot = { stream: "s", server_time_ms: 1000, drops: [], seconds: {} };

test("an end is spoken of two minutes before, whichever comes first", () => {
  assert.equal(ending(null, 0), null);
  assert.equal(ending(ends(told(300_000, 900_000), 0), 0), null);
  assert.deepEqual(ending(ends(told(300_000, 900_000), 0), 180_000), { kind: "idle", left: WARNED_MS });
  assert.deepEqual(ending(ends(told(300_000, 200_000), 0), 150_000), { kind: "life", left: 50_000 });
  assert.deepEqual(ending(ends(told(300_000, 200_000), 0), 999_000), { kind: "life", left: 0 });
});

test("a follower hears of the end, and of its being put off", () => {
  let state = apply(null, "snapshot", snapshot, 5_000);
  state = apply(state, "session", told(110_000, 900_000), 6_000);
  assert.deepEqual(ending(state.session, 6_000), { kind: "idle", left: 110_000 });
  state = apply(state, "session", told(28_800_000, 900_000), 7_000);
  assert.equal(ending(state.session, 7_000), null);
  // What comes by questions puts the idle end off by itself.
  assert.equal(apply(state, "snapshot", snapshot, 8_000).session, undefined);
});
