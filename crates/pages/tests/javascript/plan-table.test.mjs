// A table that was pasted from a spreadsheet.
import assert from "node:assert/strict";
import test from "node:test";
import { cells as taken, columnName, table, written } from "../../assets/plan-table.mjs";
import { use } from "../../assets/words.mjs";

for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-en.mjs`)).words);

const context = { isBound: true, reader: { name: "nina", merchant: "maison-nord", currency: "EUR" }, like: null, here: { zone: "UTC", now: 0, delayMs: 0 } };
const cells = (text) => taken(text).rows;
const read = (text) => table(text, context);
const faults = ({ rows }) => rows.filter((row) => row.faults.length > 0).map(({ number, faults: all }) => [number, all.join("; ")]);

test("cells stand between tabs, semicolons or commas, and may be quoted", () => {
  assert.deepEqual(cells("a\tb\r\nc, d\te"), [["a", "b"], ["c, d", "e"]]);
  assert.deepEqual(cells("a,b\n\"c, d\",\"say \"\"hi\"\"\""), [["a", "b"], ["c, d", "say \"hi\""]]);
  assert.deepEqual(cells("\ufeffa;b\n1,5;\"two\nlines\""), [["a", "b"], ["1,5", "two\nlines"]]);
});

test("a quote is part of the text where none closes before a separator", () => {
  assert.deepEqual(cells('t\tp\n"Nuit" 50 ml\t5\n12" disc\t"6"'), [["t", "p"], ['"Nuit" 50 ml', "5"], ['12" disc', "6"]]);
  // One that never closes takes no rows, and is told.
  const found = read('Title\tPrice\tStock\n"Nuit\t5\t1\nJour\t5\t1');
  assert.deepEqual(found.rows.map(({ values }) => values.title), ['"Nuit', "Jour"]);
  assert.deepEqual(faults(found), [[2, "A quote opens here and never closes"]]);
});

test("rows below those that are read stay, and so does a drop that goes on there", () => {
  const rows = Array.from({ length: 2003 }, (_, at) => `${at % 3 === 0 ? `Drop ${at / 3 + 1}` : ""}\tSize ${at % 3}\t5\t1`);
  const found = read(`Title\tSize\tPrice\tStock\n${rows.join("\n")}`);
  assert.deepEqual([found.rows.length, found.unread.length], [2000, 3]);
  assert.deepEqual(faults(found), [[2001, "The drop goes on below row 2,001, where nothing is read"]]);
  const rest = read(written([...found.drops.filter(({ isRight }) => !isRight).flatMap((drop) => drop.rows), ...found.unread]));
  assert.deepEqual(rest.drops.map(({ title, rows: own }) => [title, own.length]), [["Drop 667", 3], ["Drop 668", 2]]);
  assert.deepEqual(faults(rest), []);
});

test("whoever plans for several merchants names them, in the table or beside it", () => {
  const many = (merchant, text) => table(text, { ...context, isBound: false, reader: { ...context.reader, merchant } });
  const text = "Title\tMerchant\tPrice\tStock\nMug\tpotter\t5\t1\nCup\t\t5\t1";
  assert.deepEqual(many("maison-nord", text).rows.map(({ form }) => [form.merchant, form.currency]), [["potter", "EUR"], ["maison-nord", "EUR"]]);
  assert.deepEqual(faults(many("", text)), [[3, "Merchant is missing"]]);
  // Whoever is bound cannot plan for others.
  const bound = read(text);
  assert.deepEqual(bound.unused, ["Merchant"]);
  assert.deepEqual(bound.rows.map(({ form }) => form.merchant), ["maison-nord", "maison-nord"]);
});

test("what is missing or wrong has a name, in no column too", () => {
  const late = { ...context, here: { ...context.here, delayMs: 600_000 } };
  const said = faults(table("Title\tPrice\tStock\nMug\t5\t1", { ...late, reader: { ...context.reader, name: "" } }));
  assert.match(said[0][1], /^Host is missing; Countdown: 10/);
});

test("rows of one title are the sizes of one drop, also below a merged cell", () => {
  const found = read("Title\tSize\tYour code\tPrice, USD\tStock\tReserve\tLimit\nMug\tRed\tM-R\t12.50\t100\t\t\n\tBlue\tM-B\t13.00\t50\t5\t1\n\nSoap\t\tS\t4.90\t1,000\t\t\nMug\tGreen\tM-G\t12.50\t10\t\t");
  assert.deepEqual(faults(found), []);
  assert.deepEqual(found.drops.map(({ title, form }) => [title, form.currency, form.goods.map((size) => [size.size, size.code, size.price, size.supply, size.reserve, size.limit])]), [
    ["Mug", "USD", [["Red", "M-R", "12.50", "100", "", ""], ["Blue", "M-B", "13.00", "50", "5", "1"], ["Green", "M-G", "12.50", "10", "", ""]]],
    ["Soap", "USD", [["", "S", "4.90", "1,000", "", ""]]],
  ]);
  // Row numbers are those of the spreadsheet.
  assert.deepEqual(found.rows.map(({ number }) => number), [2, 3, 5, 6]);
});

test("what each viewer may have of a size is not cut by the drop's limit", () => {
  const limits = (...each) => read(["Title\tSize\tPrice\tStock\tEach viewer", ...each.map((limit, at) => `Mug\tSize ${at}\t5\t10\t${limit}`)].join("\n")).drops[0].form.limit;
  assert.equal(limits("3"), "3");
  assert.equal(limits("1"), "1");
  assert.equal(limits("1", "4", "2"), "4");
  assert.equal(limits("1", ""), "2", "one without has the usual limit");
  assert.equal(limits("1,000", "4"), "1,000");
});

test("heads may be Chinese", () => {
  const found = read("标题,规格,编码,价格（CNY）,库存,主播\n香薰蜡烛,雪松,C-1,98.00,500,nina");
  assert.deepEqual(faults(found), []);
  assert.equal(found.drops[0].form.goods[0].size, "雪松");
  assert.equal(found.drops[0].form.currency, "CNY");
});

test("the limit has many names, and every column the one that the form has", async () => {
  const limit = (name) => read(`Title\tPrice\tStock\t${name}\nMug\t5\t10\t3`).drops[0].form.limit;
  for (const name of ["Max per viewer", "max. per viewer", "Max/viewer", "limit_per_viewer", "Maximum per customer", "Units per person", "Max each", "Limit", "At most per head", "每位观众最多", "每人限购数量", "单人限购", "限购件数", "每人上限"]) assert.equal(limit(name), "3", name);
  for (const name of ["Price per person", "Each", "Max price per order", "单价上限", "Max temperature", "Viewers"]) assert.equal(limit(name), "2", name);
  const names = ["title", "size", "code", "price", "currency", "supply", "reserve", "limit", "host", "merchant", "picture"];
  for (const language of ["zh-CN", "en"]) {
    for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-${language}.mjs`)).words);
    const many = { ...context, isBound: false };
    assert.deepEqual(table(`${names.map(columnName).join("\t")}\nMug`, many).unused, [], language);
  }
});

test("a point in a count is asked back, for a spreadsheet writes decimals so", () => {
  for (const [stock, limit] of [["12.000", ""], ["1.500", ""], ["12", "2.000"]]) {
    const { rows, drops } = read(`Title\tPrice\tStock\tLimit\nMug\t5\t${stock}\t${limit}`);
    assert.match(rows[0].faults.join(), /without the point/);
    assert.ok(!drops[0].isRight);
  }
  assert.ok(read("Title\tPrice\tStock\nMug\t5\t1,500").drops[0].isRight);
});

test("what is missing or not used is said", () => {
  assert.deepEqual(read("Title\tWeight\nMug\t3").missing, ["price", "supply"]);
  assert.deepEqual(read("Title,Price,Stock,Weight\nMug,1,1,3").unused, ["Weight"]);
  assert.deepEqual(read("  ").rows, []);
});

test("a bad row is told with its number and reason, and its drop is left out", () => {
  const found = read("Title,Size,Price,Stock,Host\nMug,Red,-5,10,nina\nMug,Blue,12.505,10,jonas\nCup,,5.00,x,\nBowl,,5.00,3,\n,,,,\nPan,,5.00,1,\nPan,,6.00,1,");
  assert.deepEqual(faults(found).map(([number]) => number), [2, 3, 4, 7, 8]);
  const told = Object.fromEntries(faults(found));
  assert.match(told[2], /^Price: -5 is below 0/);
  assert.match(told[3], /Host jonas is not that of the first row, nina/);
  assert.match(told[3], /12\.505 has too many digits/);
  assert.match(told[4], /^Supply: x is no number of units/);
  assert.match(told[7], /^Size is missing$/);
  assert.deepEqual(found.drops.filter(({ isRight }) => isRight).map(({ title }) => title), ["Bowl"]);
});

test("five hundred rows with three bad ones", () => {
  const rows = Array.from({ length: 500 }, (_, at) => `Drop ${Math.floor(at / 10) + 1}\tSize ${(at % 10) + 1}\tC-${at}\t${at === 123 ? "-1" : at === 250 ? "9,90" : "9.90"}\t${at === 499 ? "lots" : 10}`);
  const found = read(`Title\tSize\tCode\tPrice\tSupply\n${rows.join("\n")}`);
  assert.equal(found.rows.length, 500);
  assert.deepEqual(faults(found).map(([number]) => number), [125, 252, 501]);
  assert.equal(found.drops.filter(({ isRight }) => isRight).length, 47);
});

test("what was left out can be pasted again", () => {
  const found = read("Title,Size,Price (EUR),Stock\n\"Mug, \"\"big\"\"\",Red,-5,10\n,Blue,5,10");
  const again = read(written(found.rows));
  assert.deepEqual(again.rows.map(({ values }) => values), found.rows.map(({ values }) => values));
});
