// How a stream stands after events.
import assert from "node:assert/strict";
import test from "node:test";
import { bars, Scale, scale } from "../../assets/chart.mjs";
import { shares } from "../../assets/numbers.mjs";
import { apply, present } from "../../assets/state.mjs";

const drop = (id, more) => ({ drop: id, phase: "open", server_time_ms: 1000, skus: [], plan: { running_order: 1 }, ...more });
const snapshot = { stream: "s", server_time_ms: 1000, drops: [drop("d1"), drop("d2")], seconds: {} };
const heard = (events) => events.reduce((state, [kind, data, at]) => apply(state, kind, data, at ?? 500), null);

test("nothing is known before the first snapshot", () => {
  assert.equal(heard([["alive", { server_time_ms: 1 }], ["drop", drop("d1")]]), null);
});

test("a drop takes the place of the one before, a new one stands in the running order", () => {
  const state = heard([
    ["snapshot", snapshot],
    ["drop", drop("d1", { phase: "paused" })],
    ["drop", drop("d9", { plan: { running_order: 0 } })],
  ]);
  assert.deepEqual(state.drops.map((one) => [one.drop, one.phase]), [["d9", "open"], ["d1", "paused"], ["d2", "open"]]);
});

test("figures change the figures alone", () => {
  const state = heard([
    ["snapshot", { ...snapshot, drops: [drop("d1", { opens_in_ms: 5000 })] }],
    ["figures", { drop: "d1", server_time_ms: 3000, phase: "open", skus: [{ sku: "a", available: 3 }] }, 2500],
  ]);
  assert.equal(state.drops[0].skus[0].available, 3);
  assert.equal(state.drops[0].plan.running_order, 1);
  // Told at 1,000 by the server's clock; at 4,000 three seconds are gone.
  assert.equal(present(state, 3500).drops[0].opens_in_ms, 2000);
});

test("a countdown goes on through events that tell no time, and ends at zero", () => {
  const state = heard([
    ["snapshot", { ...snapshot, drops: [drop("d1", { opens_in_ms: 5000 })] }, 1000],
    ["second", { drop: "d1", at_ms: 2000, clicks: 1, takes: 1 }, 2900],
  ]);
  assert.equal(present(state, 3000).drops[0].opens_in_ms, 3000);
  assert.equal(present(state, 9000).drops[0].opens_in_ms, 0);
});

test("the last sixty seconds are kept, each once", () => {
  let state = apply(null, "snapshot", snapshot, 0);
  for (let at = 1; at <= 70; at += 1) state = apply(state, "second", { drop: "d1", at_ms: at * 1000, clicks: at, takes: 0 }, 0);
  state = apply(state, "second", { drop: "d1", at_ms: 70000, clicks: 99, takes: 0 }, 0);
  assert.equal(state.seconds.d1.length, 60);
  assert.equal(state.seconds.d1.at(-1).clicks, 99);
});

test("a drop that is gone leaves, a new snapshot replaces everything", () => {
  const state = heard([["snapshot", snapshot], ["gone", { drop: "d1" }]]);
  assert.deepEqual(state.drops.map((one) => one.drop), ["d2"]);
  assert.equal(apply(state, "snapshot", { ...snapshot, drops: [] }, 0).drops.length, 0);
});

test("scales grow at once and fall back after ten seconds", () => {
  const scales = new Scale();
  assert.equal(scales.next(90), 100);
  for (let second = 1; second < 10; second += 1) assert.equal(scales.next(3), 100);
  assert.equal(scales.next(3), 5);
  assert.deepEqual([0, 6, 11, 21, 1854].map(scale), [5, 10, 20, 50, 2000]);
  assert.equal(bars([50], 100, true), "M592 1000V500h5.6V1000z");
});

test("shares sum to the whole", () => {
  assert.deepEqual(shares([6746, 1036, 4218]), [562, 86, 352]);
  assert.deepEqual(shares([1, 1, 1]), [334, 333, 333]);
});

test("what holds for the stream, and how long a drop is open, goes on", () => {
  const state = heard([
    ["snapshot", { ...snapshot, video_delay_ms: 0, drops: [drop("d1", { opened_ago_ms: 200, last_hold_ends_in_ms: 5000 })] }, 1000],
    ["stream", { stream: "s", server_time_ms: 1500, video_delay_ms: 6000, stage_line: "Hello", blocked: "stopped" }, 1500],
  ]);
  assert.deepEqual([state.video_delay_ms, state.stage_line, state.blocked], [6000, "Hello", "stopped"]);
  const later = present(state, 2000).drops[0];
  assert.deepEqual([later.opened_ago_ms, later.last_hold_ends_in_ms], [1200, 4000]);
  const cleared = apply(state, "stream", { stream: "s", server_time_ms: 2500, video_delay_ms: 6000 }, 2500);
  assert.equal(cleared.stage_line, undefined);
});
