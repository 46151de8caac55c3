// Another planned drop made the next one: what moves for it, and in which order.
import assert from "node:assert/strict";
import test from "node:test";
import { madeNext } from "../../assets/next-drop.mjs";

/** Drops as `on air`, then planned ones, each at its place. */
const show = (...places) => ({
  drops: places.map((running_order, at) => ({ drop: `d${at + 1}`, phase: at === 0 ? "open" : "scheduled", featured: at === 0, plan: { running_order, mode: "live" } })),
});

const sorted = (drops) => [...drops].sort((a, b) => a.plan.running_order - b.plan.running_order || Number(a.drop.slice(1)) - Number(b.drop.slice(1)));

/** The order that comes of the changes, and which drops were next after each of them. */
function played(told, drop) {
  const changes = madeNext(told, drop);
  let drops = told.drops;
  const nexts = changes.map((change) => {
    drops = sorted(drops.map((one) => (one.drop === change.drop ? { ...one, plan: { ...one.plan, running_order: change.place } } : one)));
    return drops.find(({ phase }) => phase === "scheduled").drop;
  });
  return { order: drops.map((one) => one.drop).join(" "), moved: changes.map((one) => one.drop).join(" "), nexts };
}

test("the drop alone moves where there is room before the next one", () => {
  const { order, moved } = played(show(10, 20, 30, 40), "d4");
  assert.deepEqual([order, moved], ["d1 d4 d2 d3", "d4"]);
});

test("without room others move behind it, and no third drop is next meanwhile", () => {
  for (const told of [show(0, 0, 0, 0), show(1, 2, 3, 4)]) {
    const { order, nexts } = played(told, "d3");
    assert.equal(order, "d1 d3 d2 d4");
    assert.ok(nexts.every((next) => next === "d2" || next === "d3"), nexts.join());
  }
});

test("while a rehearsal goes on its copies alone move", () => {
  const told = show(10, 20, 30);
  const copies = told.drops.map((one) => ({ ...one, drop: `d${Number(one.drop.slice(1)) + 3}`, rehearses: one.drop, plan: { ...one.plan, mode: "rehearsal" } }));
  const all = { drops: [...told.drops.map((one) => ({ ...one, phase: "scheduled", featured: false })), ...copies] };
  assert.deepEqual(madeNext(all, "d6").map((one) => one.drop), ["d6"]);
});

test("there is none where drops that have begun leave no place", () => {
  const told = show(65_535, 65_535, 65_535);
  assert.equal(madeNext(told, "d3"), null);
});
