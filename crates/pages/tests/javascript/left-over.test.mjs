// What becomes of units left when the next drop opens, and of those of a restock that is undone.
import assert from "node:assert/strict";
import test from "node:test";
import { due, putBack, takeAgain } from "../../assets/left-over.mjs";

const chosen = { drop: "d1", next: "d2", changes: 4 };
const drops = (next, left = "open") => [{ drop: "d1", phase: left }, { drop: "d2", phase_changes: 5, ...next }];

test("a choice waits until the drop that was started opens", () => {
  assert.equal(due(chosen, drops({ phase: "scheduled", phase_changes: 4 })), "wait");
  assert.equal(due(chosen, drops({ phase: "countdown" })), "wait");
  assert.equal(due(chosen, drops({ phase: "open", opened_ago_ms: 40 })), "do");
  assert.equal(due(chosen, drops({ phase: "paused", opened_ago_ms: 900 })), "do");
});

test("a countdown that is cancelled leaves all as it was", () => {
  assert.equal(due(chosen, drops({ phase: "scheduled", phase_changes: 6 })), "off");
  assert.equal(due(chosen, drops({ phase: "cancelled" })), "off");
  assert.equal(due(chosen, [{ drop: "d1", phase: "open" }]), "off");
  assert.equal(due(chosen, drops({ phase: "open", opened_ago_ms: 40 }, "closed")), "off");
  assert.equal(due(chosen, drops({ phase: "open", opened_ago_ms: 40 }, "paused")), "do");
});

test("what is heard of too late is not done", () => {
  assert.equal(due(chosen, drops({ phase: "open", opened_ago_ms: 10_001 })), "late");
  // After a restart of the server nobody knows when it was.
  assert.equal(due(chosen, drops({ phase: "open" })), "late");
});

/** Answers in turn; keeps what was asked for. */
function server(...answers) {
  const asked = [];
  const take = async (...what) => {
    asked.push(what);
    return answers.shift();
  };
  return { asked, take };
}

const ok = (units) => ({ ok: true, code: "", told: { units } });
const notFree = (free) => ({ ok: false, code: "not_free", told: { free } });

test("all goods with something left are put back, as many as the server takes", async () => {
  const skus = [{ sku: "a", available: 3 }, { sku: "b", available: 0 }, { sku: "c", available: 9 }, { sku: "d", available: 1 }];
  const { asked, take } = server(ok(2), ok(10), notFree(0));
  assert.deepEqual(await putBack(skus, take), { units: 12, ended: false });
  assert.deepEqual(asked, [["a"], ["c"], ["d"]]);
});

test("putting back ends where the server refuses, or nothing is sent", async () => {
  const skus = [{ sku: "a", available: 3 }, { sku: "b", available: 3 }, { sku: "c", available: 3 }];
  for (const end of [undefined, { ok: false, code: "drop_changed", told: {} }]) {
    const { asked, take } = server(ok(3), end);
    assert.deepEqual(await putBack(skus, take), { units: 3, ended: true });
    assert.equal(asked.length, 2);
  }
});

test("an undone restock goes where it came from", async () => {
  for (const [restock, wanted] of [
    [{ units: 40, reserved: 10 }, [[30, false], [10, true]]],
    [{ units: 40, reserved: 0 }, [[40, false]]],
    [{ units: 40, reserved: 40 }, [[40, true]]],
  ]) {
    const { asked, take } = server(ok(1), ok(1));
    assert.deepEqual(await takeAgain(restock, take), { back: 40 });
    assert.deepEqual(asked, wanted);
  }
});

test("what of a restock cannot be undone is told with what was", async () => {
  const first = server(notFree(5));
  assert.deepEqual(await takeAgain({ units: 40, reserved: 10 }, first.take), { back: 0, part: 30, done: notFree(5) });
  const second = server(ok(30), notFree(5));
  assert.deepEqual(await takeAgain({ units: 40, reserved: 10 }, second.take), { back: 30, part: 10, done: notFree(5) });
});
