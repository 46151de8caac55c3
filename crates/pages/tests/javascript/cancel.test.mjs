// What is typed to cancel units of an order.
import assert from "node:assert/strict";
import test from "node:test";
import { asked, faults, follows, minorOf, usual } from "../../assets/cancel-view.mjs";
import { typedAmount, whole } from "../../assets/typed.mjs";
import { use } from "../../assets/words.mjs";

use((await import(`${process.env.WORDS}/words-en.mjs`)).words);
const order = { units: 2, price: 2490, charges: 490, left: 5470, ahead: 0, seen: 3, currency: "EUR" };

test("an amount is exact by its currency", () => {
  for (const [text, currency, minor] of [
    ["24.90", "EUR", 2490], [" 24,9 ", "EUR", 2490], ["24", "EUR", 2400], ["0.05", "EUR", 5], ["1200", "JPY", 1200], ["1.234", "KWD", 1234],
    ["24.901", "EUR", null], ["1.5", "JPY", null], ["-1", "EUR", null], ["", "EUR", null], ["1e3", "EUR", null], ["1,234.50", "EUR", null],
  ]) assert.equal(minorOf(text, currency), minor, `${text} ${currency}`);
  for (const [minor, currency, text] of [[2490, "EUR", "24.90"], [5, "EUR", "0.05"], [0, "EUR", "0.00"], [1200, "JPY", "1200"], [1234, "KWD", "1.234"]]) {
    assert.equal(typedAmount(minor, currency), text);
    assert.equal(minorOf(text, currency), minor);
  }
  assert.deepEqual(["2", "0", " 1,000 ", "１２", "", "-1", "1.5", "1.500", "10,00", "two"].map(whole), [2, 0, 1000, 12, null, null, null, 1500, null, null]);
  assert.equal(minorOf("２４．９０", "EUR"), 2490);
});

test("the price of the units goes back, the charges with the last one, never more than is left", () => {
  assert.deepEqual([0, 1, 2].map((units) => usual(units, order)), [0, 2490, 5470]);
  assert.equal(usual(2, { ...order, left: 3000 }), 3000);
  // With one unit left it is the last.
  assert.equal(usual(1, { ...order, units: 1, left: 2980 }), 2980);
});

test("an amount is named only where somebody typed one: the server works out any other", () => {
  const typed = { units: "2", amount: " ", restock: true, reason: " broken " };
  assert.equal(JSON.stringify(asked(typed, order)), '{"units":2,"restock":true,"reason":"broken","seen_cancellations":3}');
  assert.equal(asked({ ...typed, amount: "54.70" }, order).amount, 5470);
  assert.equal(asked({ ...typed, amount: "0" }, order).amount, 0);
});

test("what does not fit is named by its field", () => {
  const good = { units: "1", amount: "24.90", restock: false, reason: "broken" };
  assert.deepEqual(faults(good, order), {});
  assert.deepEqual(Object.keys(faults({ units: "3", amount: "54.71", reason: " " }, order)), ["units", "amount", "reason"]);
  assert.equal(faults({ ...good, units: "0", amount: "0" }, order).units, "Nothing is cancelled by this. Type units, or an amount.");
  assert.deepEqual(faults({ ...good, units: "0" }, order), {});
  assert.deepEqual(faults({ ...good, amount: "" }, order), {}, "the server knows");
  assert.equal(faults({ ...good, units: "0", amount: "" }, order).units, "Nothing is cancelled by this. Type units, or an amount.");
  assert.match(faults({ ...good, reason: "因".repeat(167) }, order).reason, /too long/);
});

test("what follows is said before it is done", () => {
  const said = (typed) => follows({ units: "1", amount: "24.90", restock: false, ...typed }, order);
  assert.deepEqual(said({}), [
    "1 unit is cancelled; 1 stays with the buyer.",
    "€24.90 is to go back, and stays on the list of what needs attention until it has.",
    "Nothing goes on sale again.",
  ]);
  assert.deepEqual(said({ restock: true })[2], "1 unit goes on sale again at once.");
  assert.deepEqual(said({ units: "0", amount: "0", restock: true }), ["No unit is cancelled.", "No money goes back.", "Nothing goes on sale again."]);
  assert.deepEqual(said({ units: "x", amount: "99" }).slice(0, 2), ["", ""]);
});

test("what went back before without a decision counts towards what goes back", () => {
  const money = (amount, ahead) => follows({ units: "2", amount, restock: false }, { ...order, ahead })[1];
  assert.equal(money("", 0), "€54.70 is to go back, and stays on the list of what needs attention until it has.");
  const rest = "€54.70 is given back in all. €4.00 of it went back before without a decision; €50.70 is to go back now, and stays on the list of what needs attention until it has.";
  assert.equal(money("", 400), rest);
  assert.equal(money("54.70", 400), rest);
  assert.equal(money("4", 400), "€4.00 is given back in all, and went back before without a decision: nothing more is paid out.");
  assert.equal(money("0", 400), "No money goes back.");
});
