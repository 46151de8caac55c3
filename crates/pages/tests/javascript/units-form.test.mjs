// Numbers of units, and what a restock offers.
import assert from "node:assert/strict";
import test from "node:test";
import { units } from "../../assets/plan-typed.mjs";
import { restockOffer } from "../../assets/restock-offer.mjs";
import { someUnits } from "../../assets/typed.mjs";
import { use } from "../../assets/words.mjs";

for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-en.mjs`)).words);

test("a number of units means the same in a restock and in a plan", () => {
  for (const typed of ["1", "1500", "1,500", "1.500", "1 500", "1'500", "１５００", "16,777,215", "1.5", "1,5", "0.500", "1,500.000", "1.500,000", "12,34", "01,500", "-3", "x", ""]) {
    assert.equal(someUnits(typed), units(typed, 1).value ?? null, typed);
  }
  assert.equal(someUnits("1.500"), 1500);
  assert.deepEqual(["0", "16777216"].map(someUnits), [null, null]);
});

test("a restock offers what is in reserve, and nothing where nothing is", () => {
  assert.equal(restockOffer({ available: 3, reserve: 1000 }), "1,000");
  assert.equal(restockOffer({ available: 0, reserve: 0 }), "");
  assert.equal(restockOffer({ available: 0 }), "");
  assert.equal(someUnits(restockOffer({ reserve: 12_000 })), 12_000);
});
