// Codes of goods for which their merchant has none.
import assert from "node:assert/strict";
import test from "node:test";
import { isMade, madeCode } from "../../assets/plan-codes.mjs";
import { blank, copied, formOf, planned, read } from "../../assets/plan-terms.mjs";
import { use } from "../../assets/words.mjs";

for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-en.mjs`)).words);

const here = { zone: "UTC", now: 0, delayMs: 0 };
const reader = { name: "nina", merchant: "maison-nord", currency: "EUR" };

function form(title, ...sizes) {
  const made = blank(reader, null);
  const goods = sizes.map(([size, code = ""], at) => ({ ...made.goods[0], key: String(at + 1), size, code, price: "5", supply: "10" }));
  return { ...made, title, goods };
}

function plan(drawn, like) {
  const reading = read(drawn, { ...here, like });
  assert.ok(reading.isRight, JSON.stringify(reading));
  return planned(drawn, reading, { stream: "friday", place: 10, like });
}

const codes = ({ skus }) => skus.map((sku) => sku.merchant_sku);

test("sizes of two drops that are called the same have codes of their own", () => {
  assert.deepEqual(codes(plan(form("Eau de Nuit", ["30 ml"], ["50 ml"]))), ["eau-de-nuit-30-ml", "eau-de-nuit-50-ml"]);
  assert.deepEqual(codes(plan(form("Eau de Jour", ["30 ml"], ["50 ml"]))), ["eau-de-jour-30-ml", "eau-de-jour-50-ml"]);
  assert.deepEqual(codes(plan(form("Eau de Nuit", ["30 ml", "EDN-30"], ["50 ml"]))), ["EDN-30", "eau-de-nuit-50-ml"]);
  assert.equal(madeCode("香薰蜡烛", "雪松"), "香薰蜡烛-雪松");
  assert.equal(madeCode("Mug", ""), "mug");
  // Marks, and what is cut off, tell goods apart as well.
  const alike = [["C++", ""], ["C#", ""], ["C", ""], ["Mug", "red"], ["Mug (red)", ""], ["Mug", "red+"], ["3.5", ""], ["3 5", ""], ["锅".repeat(40), ""], [`${"锅".repeat(39)}盖`, ""]];
  const made = alike.map(([title, size]) => madeCode(title, size));
  assert.equal(new Set(made).size, alike.length, made.join());
  // Without a letter the SKU's id is all that there is.
  assert.deepEqual(codes(plan(form("!", [""]))), ["size"]);
  assert.ok(new TextEncoder().encode(madeCode("锅".repeat(80), "大".repeat(80))).length <= 200);
});

test("a code that nobody chose is not shown as one, and goes with the names", () => {
  const first = plan(form("Eau de Nuit", ["50 ml"]));
  const again = formOf(first, "UTC");
  assert.equal(again.goods[0].code, "");
  // A copy of the same goods has their code; one that is called something else has another.
  assert.deepEqual(codes(plan(copied(again), first)), codes(first));
  assert.deepEqual(codes(plan(copied({ ...again, title: "Eau de Jour" }), first)), ["eau-de-jour-50-ml"]);
  // The server's own stand-in, of a plan that a tool made.
  const told = { ...first, skus: first.skus.map((sku) => ({ ...sku, merchant_sku: sku.id })) };
  assert.ok(isMade(told.skus[0], told.title, "50 ml"));
  assert.deepEqual(codes(plan(copied(formOf(told, "UTC")), told)), [told.skus[0].id]);
  assert.deepEqual(codes(plan(copied({ ...formOf(told, "UTC"), title: "Eau de Jour" }), told)), ["eau-de-jour-50-ml"]);
  const chosen = { ...first, skus: first.skus.map((sku) => ({ ...sku, merchant_sku: "EDN" })) };
  assert.equal(formOf(chosen, "UTC").goods[0].code, "EDN");
  assert.deepEqual(codes(plan(copied({ ...formOf(chosen, "UTC"), title: "Eau de Jour" }), chosen)), ["EDN"]);
});
