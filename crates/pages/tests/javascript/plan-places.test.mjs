// The running order that a planner asks for.
import assert from "node:assert/strict";
import test from "node:test";
import { DROPS_MAX, Show } from "../../assets/plan-order.mjs";
import { ordered, placed, sorted } from "../../assets/plan-places.mjs";

const list = (...drops) => drops.map(([drop, place, isFixed = false]) => ({ drop, place, isFixed }));

/** Applies the changes, then says in which order the server has the drops. */
function after(drops, changes) {
  const at = new Map(changes.map(({ drop, place }) => [drop, place]));
  return sorted(drops.map((one) => ({ ...one, place: at.get(one.drop) ?? one.place }))).map(({ drop }) => drop);
}

test("one that is moved is the only one that changes, where there is room", () => {
  const drops = list(["d3", 30], ["d1", 10], ["d2", 20]);
  const changes = ordered(drops);
  assert.deepEqual(changes, [{ drop: "d3", place: 4 }]);
  assert.deepEqual(after(drops, changes), ["d3", "d1", "d2"]);
  assert.deepEqual(ordered(list(["d2", 20], ["d3", 30], ["d1", 10])), [{ drop: "d1", place: 40 }]);
  assert.deepEqual(ordered(list(["d1", 10], ["d2", 20])), []);
});

test("drops without places of their own get them", () => {
  const drops = list(["d3", 0], ["d1", 0], ["d2", 0]);
  assert.deepEqual(after(drops, ordered(drops)), ["d3", "d1", "d2"]);
  const begun = list(["d1", 0, true], ["d2", 0, true], ["d4", 0], ["d3", 0]);
  const changes = ordered(begun);
  assert.deepEqual(after(begun, changes), ["d1", "d2", "d4", "d3"]);
  assert.ok(changes.every(({ drop }) => ["d3", "d4"].includes(drop)));
});

test("nothing is put before a drop that has begun where no place is left", () => {
  assert.equal(ordered(list(["d2", 10], ["d1", 0, true])), null);
  assert.deepEqual(ordered(list(["d2", 10], ["d1", 5, true])), [{ drop: "d2", place: 2 }]);
});

test("every order of five can be had, with nothing changed that begun", () => {
  const orders = (all) => (all.length < 2 ? [all] : all.flatMap((one, at) => orders(all.toSpliced(at, 1)).map((rest) => [one, ...rest])));
  for (const places of [[1, 2, 3, 4, 5], [0, 0, 0, 0, 0], [10, 20, 30, 40, 50], [65531, 65532, 65533, 65534, 65535]]) {
    const drops = places.map((place, at) => ({ drop: `d${at + 1}`, place, isFixed: false }));
    for (const wanted of orders(drops)) assert.deepEqual(after(wanted, ordered(wanted)), wanted.map(({ drop }) => drop));
  }
});

test("a new drop goes to the end, or between two", () => {
  assert.deepEqual(placed([], 0), { place: 9, changes: [] });
  const drops = list(["d1", 10, true], ["d2", 20]);
  assert.deepEqual(placed(drops, 2), { place: 30, changes: [] });
  assert.deepEqual(placed(drops, 1), { place: 15, changes: [] });
  const { place, changes } = placed(list(["d1", 1, true], ["d2", 2]), 1);
  assert.ok(changes.length === 1 && changes[0].drop === "d2" && place < changes[0].place, JSON.stringify(changes));
  assert.equal(placed(list(["d1", 0, true]), 0), null);
});

test("copies for a rehearsal are no drops of the show, but take its room", () => {
  const sale = (drop, more) => ({ drop, phase: "scheduled", plan: { title: drop, running_order: 10 }, ...more });
  const state = { drops: [sale("d1"), sale("d2", { rehearses: "d1" })] };
  const show = Object.assign(Object.create(Show.prototype), { state, over: null });
  assert.deepEqual(show.drops.map(({ drop }) => drop), ["d1"]);
  assert.deepEqual(show.places.map(({ drop }) => drop), ["d1"]);
  assert.equal(show.like.title, "d1");
  assert.equal(show.room_left, DROPS_MAX - 2);
  assert.equal(show.find("d2").rehearses, "d1");
});
