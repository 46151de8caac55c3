// A drop's terms as a form, and back.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { clashes, label, merged } from "../../assets/plan-clash.mjs";
import { Drafts } from "../../assets/plan-drafts.mjs";
import { fieldOf, move, named, refusal } from "../../assets/plan-send.mjs";
import { short } from "../../assets/plan-short.mjs";
import { blank, copied, formOf, patchOf, planned, read, restOf, rezoned, twice } from "../../assets/plan-terms.mjs";
import { use } from "../../assets/words.mjs";

for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-en.mjs`)).words);

const ZONE = "Europe/Berlin";
const NOW = Date.parse("2026-11-27T18:00Z");
const here = { zone: ZONE, now: NOW, delayMs: 0 };
const reader = { name: "nina", merchant: "maison-nord", currency: "EUR" };

/** A plan as the interface tells it. */
const plan = () => ({
  stream: "friday-show", running_order: 10, title: "Eau de parfum", merchant: "maison-nord", host: "nina", mode: "live", limit_per_viewer: 2,
  holds_per_viewer_max: 16, hold_ttl_ms: 120_000, countdown_ms: 10_000, payment: { grace_ms: 3000, stretch_ms: 60_000 },
  stock_display: { rounded_above: 500, round_to: 100 }, when_offline: { pause_after_ms: 30_000, resume_when_online: true },
  skus: ["30", "50"].map((size, at) => ({
    id: `edp-${size}`, title: "Eau de parfum", options: [{ name: "Size", value: `${size} ml` }], merchant_sku: `EDP-${size}`, numbered: at === 1,
    price: { minor: 2990 + at * 2000, currency: "EUR" }, supply: 4000, reserve: at * 1000, limit_per_viewer: 2 - at, image: "/goods/perfume.svg",
  })),
});

const full = (changes = {}) => {
  const form = { ...blank(reader, null), title: "Mug", ...changes };
  if (!changes.goods) form.goods = [{ ...form.goods[0], price: "12.50", supply: "100" }];
  return form;
};

const stable = (value) => JSON.stringify(value, (_, one) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort()) : one));

test("a new form says what is missing, and is right once that is there", () => {
  const form = blank(reader, null);
  assert.deepEqual(read(form, here).missing, ["title", "goods.1.price", "goods.1.supply"]);
  const reading = read(full(), here);
  assert.ok(reading.isRight, JSON.stringify(reading));
  const sent = planned(full(), reading, { stream: "friday-show", place: 10 });
  assert.equal(stable(sent), stable({
    stream: "friday-show", running_order: 10, title: "Mug", merchant: "maison-nord", host: "nina", hidden: true, limit_per_viewer: 2, hold_ttl_ms: 120_000, countdown_ms: 10_000,
    stock_display: { rounded_above: 500, round_to: 100 }, when_offline: { pause_after_ms: 30_000, resume_when_online: true },
    skus: [{ id: "size", title: "Mug", options: [], merchant_sku: "mug", price: { minor: 1250, currency: "EUR" }, supply: 100, reserve: 0, numbered: false }],
  }));
});

test("sizes get ids of their own, from their codes where those can be ids", () => {
  const goods = [["30 ml", "EDP-30"], ["50 ml", "EDP 50"], ["大", ""], ["特大", ""]].map(([size, code], at) => ({ key: String(at), id: "", size, code, price: "1", supply: "1", reserve: "", limit: "" }));
  const form = full({ goods });
  const sent = planned(form, read(form, here), { stream: "s", place: 1 });
  assert.deepEqual(sent.skus.map(({ id }) => id), ["EDP-30", "50-ml", "size", "size-2"]);
  assert.deepEqual(sent.skus[1].options, [{ name: "Size", value: "50 ml" }]);
  assert.equal(sent.skus[1].merchant_sku, "EDP 50");
});

test("what is wrong stands at its field", () => {
  const wrong = (changes, context = here) => read(full(changes), context).faults;
  const size = { key: "1", id: "", size: "", code: "", price: "49,90", supply: "-1", reserve: "1.5", limit: "0" };
  assert.deepEqual(Object.keys(wrong({ goods: [size] })), ["goods.1.price", "goods.1.supply", "goods.1.reserve", "goods.1.limit"]);
  assert.match(wrong({ goods: [{ ...size, price: "1", supply: "0", reserve: "", limit: "" }] })["goods.1.supply"], /Nothing is on sale/);
  assert.match(wrong({ goods: [{ ...size, price: "1", supply: "16,777,215", reserve: "1", limit: "" }] })["goods.1.reserve"], /16,777,216 is more/);
  const twins = ["Red", "red"].map((name, at) => ({ ...size, key: String(at), size: name, price: "1", supply: "1", reserve: "", limit: "" }));
  assert.match(wrong({ goods: twins })["goods.1.size"], /there twice/);
  assert.match(wrong({ hold: "2" }).hold, /2:00/);
  assert.match(wrong({ countdown: "8" }, { ...here, delayMs: 6000 }).countdown, /^8\ss is too short: viewers see you 6\ss late\. Type 9 or more/);
  assert.deepEqual(wrong({ countdown: "9" }, { ...here, delayMs: 6000 }), {});
});

test("times are asked back where they are none or two, and are not in the past", () => {
  const at = (date, time, more = {}) => read(full({ start: "time", startDate: date, startTime: time, ...more }), here);
  assert.equal(at("2026-11-27", "20:00").values.startTime, Date.parse("2026-11-27T19:00Z"));
  assert.match(at("2026-11-27", "18:59").faults.startTime, /^18:59 has passed/);
  assert.match(at("2027-03-28", "02:30").faults.startTime, /skips 02:30\. Type another time, such as 03:30/);
  assert.match(at("2027-10-31", "02:30").faults.startTime, /shows 02:30 twice\. Choose UTC\+2 or UTC\+1/);
  assert.equal(at("2027-10-31", "02:30", { startFold: "1" }).values.startTime, Date.parse("2027-10-31T01:30Z"));
  assert.deepEqual(twice({ startDate: "2027-10-31", startTime: "02:30" }, "start", ZONE), ["UTC+2", "UTC+1"]);
  assert.deepEqual(at("2026-11-27", "").missing, ["startTime"]);
  assert.match(at("2028-11-27", "20:00").faults.startTime, /more than a year/);
  const ends = read(full({ start: "time", startDate: "2026-11-27", startTime: "20:00", end: "time", endDate: "2026-11-27", endTime: "20:00" }), here);
  assert.match(ends.faults.endTime, /before anybody can buy/);
});

test("a form that nobody touched changes nothing", () => {
  const was = plan();
  for (const change of [{}, { starts_at_ms: NOW - 1000 }, { starts_at_ms: Date.parse("2026-10-25T00:30Z") }, { when_offline: undefined }, { ends_after_opening_ms: 600_000 }, { stock_display: { rounded_above: 40, round_to: 20 } }]) {
    const changed = { ...was, ...change };
    const form = formOf(changed, ZONE);
    const reading = read(form, { ...here, was: changed });
    assert.ok(reading.isRight, JSON.stringify(reading.faults));
    assert.deepEqual(patchOf(form, reading, changed, here), {}, JSON.stringify(change));
  }
});

test("an edit names what it changes, and keeps of a size what the form does not show", () => {
  const was = plan();
  const patch = (change) => {
    const form = { ...formOf(was, ZONE), ...change };
    return patchOf(form, read(form, { ...here, was }), was, here);
  };
  assert.deepEqual(patch({ host: "jonas" }), { host: "jonas" });
  assert.deepEqual(patch({ end: "after", endAfter: "10:00" }), { ends_after_opening_ms: 600_000 });
  assert.deepEqual(patch({ pauses: false }), { when_offline: null });
  assert.deepEqual(patch({ hidden: true }), { hidden: true });
  assert.deepEqual(patch({ stock: "exact" }), { stock_display: null });
  const renamed = patch({ title: "Eau de toilette" });
  assert.deepEqual(renamed.skus.map(({ title }) => title), ["Eau de toilette", "Eau de toilette"]);
  const goods = formOf(was, ZONE).goods.map((size, at) => (at === 1 ? { ...size, price: "52.00" } : size));
  const { skus, ...rest } = patch({ goods });
  assert.deepEqual(rest, {});
  assert.deepEqual(skus[1], { ...was.skus[1], price: { minor: 5200, currency: "EUR" } });
  // A limit that is the drop's follows the drop's.
  assert.equal("limit_per_viewer" in skus[0], false);
});

test("goods without options keep their own title", () => {
  const was = plan();
  was.skus = [{ ...was.skus[0], title: "No. 5", options: [] }];
  const form = formOf(was, ZONE);
  assert.equal(form.goods[0].size, "No. 5");
  form.goods[0].size = "No. 6";
  const sent = patchOf(form, read(form, { ...here, was }), was, here);
  assert.deepEqual(sent.skus[0].options, []);
  assert.equal(sent.skus[0].title, "No. 6");
});

test("a copy has no times, and sizes of its own", () => {
  const copy = copied(formOf({ ...plan(), starts_at_ms: NOW + 1000, ends_at_ms: NOW + 60_000 }, ZONE));
  assert.deepEqual([copy.start, copy.startDate, copy.startTime, copy.end, copy.endDate], ["hand", "", "", "hand", ""]);
  assert.equal(copied(formOf({ ...plan(), ends_after_opening_ms: 600_000 }, ZONE)).endAfter, "10:00");
  assert.deepEqual(copy.goods.map(({ id }) => id), ["", ""]);
});

test("every field of the form has a name", async () => {
  const template = await readFile(new URL("../../templates/plan-drop.html", import.meta.url), "utf8");
  const named = [...template.matchAll(/ name="([^"]+)"/g)].flatMap(([, name]) => (name.includes("{{ name }}") ? ["start", "end"].map((part) => name.replace("{{ name }}", part)) : [name]));
  const sizes = Object.keys(full().goods[0]).filter((name) => name !== "key" && name !== "id").map((name) => `goods.1.${name}`);
  assert.ok(named.includes("pauseAfter") && named.includes("startFold") && named.includes("place"), named.join());
  for (const field of [...named, ...sizes]) assert.match(label(field, full()) ?? "none", /^[A-Z]/, field);
  assert.equal(label("pauseAfter", full()), "Pause after");
});

test("a copy keeps what the form does not show, and what was typed stands", () => {
  const was = { ...plan(), mode: "rehearsal", holds_per_viewer_max: 3, starts_at_ms: NOW + 60_000, payment: { grace_ms: 9000, stretch_ms: 0 } };
  was.skus[1].image = "/goods/candle.svg";
  for (const [at, sku] of was.skus.entries()) sku.options.push({ name: "Colour", value: at === 0 ? "red" : "blue" });
  const form = { ...copied(formOf(was, ZONE)), title: "Candle" };
  const reading = read(form, { ...here, like: was });
  assert.ok(reading.isRight, JSON.stringify(reading.faults));
  const sent = planned(form, reading, { stream: "monday-show", place: 30, like: was });
  const { starts_at_ms, ...kept } = was;
  const skus = was.skus.map(({ limit_per_viewer, ...sku }) => ({ ...sku, id: sku.merchant_sku, title: "Candle", ...(limit_per_viewer === 2 ? {} : { limit_per_viewer }) }));
  assert.equal(stable(sent), stable({ ...kept, stream: "monday-show", running_order: 30, title: "Candle", hidden: false, skus }));
  // A copy of the copy is like it, too.
  const again = copied(form);
  assert.deepEqual(planned(again, read(again, { ...here, like: was }), { stream: "s", place: 1, like: was }).skus[1].image, "/goods/candle.svg");
});

test("what a plan has is not judged again where nobody typed anything else", () => {
  const was = plan();
  Object.assign(was, { title: "x".repeat(150), countdown_ms: 1000, hold_ttl_ms: 1500, ends_at_ms: NOW - 1000 });
  for (const [at, sku] of was.skus.entries()) Object.assign(sku, { title: was.title, options: [{ name: "Colour", value: "Red" }, { name: "Size", value: "SM"[at] }] });
  const late = { ...here, delayMs: 6000, was };
  const patch = (change) => {
    const form = { ...formOf(was, ZONE), ...change };
    const reading = read(form, late);
    return reading.isRight ? patchOf(form, reading, was, late) : reading.faults;
  };
  assert.deepEqual(formOf(was, ZONE).goods.map(({ size }) => size), ["Red / S", "Red / M"]);
  assert.deepEqual(patch({}), {});
  assert.deepEqual(patch({ host: "jonas" }), { host: "jonas" });
  const renamed = (size) => formOf(was, ZONE).goods.map((one, at) => (at === 1 ? { ...one, size } : one));
  assert.deepEqual(patch({ goods: renamed("Blue/M") }).skus.map(({ options }) => options.map(({ value }) => value)), [["Red", "S"], ["Blue", "M"]]);
  assert.match(patch({ goods: renamed("Blue") })["goods.edp-50.size"], /^Blue is not all of it\. Put \/ between, as Red \/ M/);
  assert.match(patch({ goods: renamed("red / s") })["goods.edp-50.size"], /there twice/);
  assert.deepEqual(patch({ differ: "Farbe / Größe" }).skus[0].options.map(({ name }) => name), ["Farbe", "Größe"]);
  assert.match(patch({ differ: "Farbe" }).differ, /not all of it/);
  // What is typed is judged, by itself and by the currency beside it.
  assert.match(patch({ title: "y".repeat(150) }).title, /Too long/);
  assert.match(patch({ countdown: "2" }).countdown, /too short/);
  assert.match(patch({ currency: "JPY" })["goods.edp-30.price"], /JPY has none/);
});

test("what another planner changed is told field by field", () => {
  const was = formOf(plan(), ZONE);
  const other = plan();
  Object.assign(other, { title: "Eau de nuit", hold_ttl_ms: 300_000, when_offline: undefined });
  for (const sku of other.skus) sku.title = "Eau de nuit";
  other.skus[1].price.minor = 5500;
  const theirs = formOf(other, ZONE);
  const mine = structuredClone(was);
  mine.title = "Eau de jour";
  mine.host = "jonas";
  mine.goods[0].supply = "5,000";
  const found = clashes(was, theirs, mine);
  assert.deepEqual(found, [
    { field: "title", label: "Title for viewers", theirs: "Eau de nuit", mine: "Eau de jour" },
    { field: "hold", label: "Hold time", theirs: "5:00" },
    { field: "offline", label: "If the stream is lost", theirs: "buying goes on" },
    { field: "goods.edp-50.price", label: "Price of 50 ml", theirs: "55.00" },
  ]);
  const kept = merged(was, theirs, mine, new Set(["hold", "offline", "goods.edp-50.price"]));
  assert.deepEqual([kept.title, kept.host, kept.hold, kept.pauses, kept.goods[0].supply, kept.goods[1].price], ["Eau de jour", "jonas", "5:00", false, "5,000", "55.00"]);
  const taken = merged(was, theirs, mine, new Set(["title", "hold", "offline", "goods.edp-50.price"]));
  assert.deepEqual([taken.title, taken.host], ["Eau de nuit", "jonas"]);
});

test("two values that differ read differently", () => {
  const was = formOf(plan(), ZONE);
  const told = (theirs, mine) => {
    const [{ theirs: one, mine: other }] = clashes(was, { ...was, ...theirs }, { ...was, ...mine }, ZONE);
    assert.notEqual(one, other);
    return [one, other];
  };
  assert.deepEqual(told({ pauseAfter: "20" }, { pauseAfter: "20", resumes: false }), ["pause after 20\u00a0s, go on by itself", "pause after 20\u00a0s, go on by hand"]);
  assert.deepEqual(told({ stock: "500/50" }, { stock: "500/250" }), ["exact at 500 and below, above rounded down to 50", "exact at 500 and below, above rounded down to 250"]);
  const at = (startFold) => ({ start: "time", startDate: "2026-10-25", startTime: "02:30", startFold });
  assert.deepEqual(told(at("0"), at("1")), ["2026-10-25 02:30 UTC+2", "2026-10-25 02:30 UTC+1"]);
});

test("times of a draft are moments, whatever the zone in which it is opened", () => {
  const form = full({ start: "time", startDate: "2026-11-27", startTime: "20:00", end: "time", endDate: "2026-11-28", endTime: "01:00" });
  const moved = rezoned(form, ZONE, "America/New_York");
  assert.deepEqual([moved.startDate, moved.startTime, moved.endDate, moved.endTime], ["2026-11-27", "14:00", "2026-11-27", "19:00"]);
  assert.equal(read(moved, { ...here, zone: "America/New_York" }).values.startTime, read(form, here).values.startTime);
  // What is no one moment is left as it was typed.
  const unclear = full({ start: "time", startDate: "2027-10-31", startTime: "02:30" });
  assert.deepEqual(rezoned(unclear, ZONE, "UTC"), unclear);
  assert.equal(rezoned({ ...unclear, startFold: "1" }, ZONE, "UTC").startTime, "01:30");
  assert.deepEqual(rezoned(full(), ZONE, "UTC"), full());
});

test("sizes that one of both added or removed are in the merged form", () => {
  const was = formOf(plan(), ZONE);
  const other = plan();
  other.skus.push({ ...other.skus[0], id: "edp-100", options: [{ name: "Size", value: "100 ml" }], merchant_sku: "EDP-100" });
  const theirs = formOf(other, ZONE);
  const mine = structuredClone(was);
  mine.goods.pop();
  mine.goods.push({ ...mine.goods[0], key: "new", id: "", size: "10 ml" });
  const ids = (taken) => merged(was, theirs, mine, taken).goods.map(({ id }) => id);
  assert.deepEqual(ids(new Set()), ["edp-30", "", "edp-100"]);
  other.skus.splice(1, 1);
  const found = clashes(was, formOf(other, ZONE), was);
  assert.deepEqual(found.map(({ label, theirs: told }) => [label, told]), [["Supply of 50 ml", "size removed"], ["Supply of 100 ml", "4,000"]]);
});

test("a refusal stands at the field that it names", () => {
  const form = formOf(plan(), ZONE);
  const at = (code, detail) => fieldOf({ code, told: { detail } }, form);
  assert.equal(at("invalid_plan", "title is too long"), "title");
  assert.equal(at("price_below_minimum", "skus[1].price.minor is 10"), "goods.edp-50.price");
  assert.equal(at("unknown_currency", "skus[0].price.currency: XXQ"), "currency");
  assert.equal(at("bad_body", "skus[1].merchant_sku is blank"), "goods.edp-50.code");
  assert.equal(at("invalid_plan", "skus[0].image is no address"), "picture");
  assert.equal(at("invalid_plan", "SKU edp-30: supply 16777215 and reserve 5"), "goods.edp-30.supply");
  assert.equal(at("countdown_too_short", "the countdown is"), "countdown");
  assert.equal(at("in_the_past", "it has passed"), "endTime");
  assert.equal(at("stream_full", "64 drops"), undefined);
  assert.equal(at("invalid_plan", "the plan is not valid: skus[0].price.currency is XAU, which"), "currency");
  assert.equal(named("skus[0].price.currency is XAU, which nobody can pay in", "Currency"), "Currency is XAU, which nobody can pay in");
  assert.equal(named("limit_per_viewer is 0; 1 to 5 are allowed", "Limit for each viewer"), "Limit for each viewer is 0; 1 to 5 are allowed");
  assert.equal(named("the stream belongs to another", "Merchant"), "the stream belongs to another");
});

test("a refusal is said in the reader's words, the server's below them where they name a value", () => {
  const done = { code: "unknown_currency", told: { detail: "the plan is not valid: skus[0].price.currency is XAU" } };
  assert.equal(refusal(done, "en"), "skus[0].price.currency is XAU");
  const [own, detail, ...rest] = named(refusal(done, "zh-CN"), "币种").split("\n");
  assert.deepEqual([detail, rest], ["币种 is XAU", []]);
  assert.ok(own.length > 0 && !own.includes("XAU"), own);
  assert.equal(refusal({ code: "", told: {} }, "zh-CN"), "No connection");
});

test("places are given to the terms that they were worked out for", async () => {
  const sent = [];
  globalThis.fetch = async (url, { headers, body }) => {
    if (url === "/v1/sessions/current") return new Response(JSON.stringify({ csrf: "c", idle_expires_in_ms: 1, expires_in_ms: 1 }));
    sent.push([url, headers["if-match"], JSON.parse(body)]);
    return sent.length === 1 ? new Response("{}") : new Response('{"code":"drop_changed"}', { status: 409 });
  };
  const failed = await move([{ drop: "d1", place: 10, revision: 3 }, { drop: "d2", place: 20, revision: 1 }, { drop: "d3", place: 30, revision: 1 }]);
  assert.deepEqual(sent, [
    ["/v1/drops/d1/move", undefined, { running_order: 10, seen: { phase: "scheduled", revision: 3 } }],
    ["/v1/drops/d2/move", undefined, { running_order: 20, seen: { phase: "scheduled", revision: 1 } }],
  ]);
  assert.equal(failed.code, "drop_changed");
});

test("a drop is told in short, as far as it can be read", () => {
  const form = formOf({ ...plan(), starts_at_ms: Date.parse("2026-11-27T19:00Z") }, ZONE);
  const lines = short(form, read(form, here), { zone: ZONE, language: "en" }).map(({ text }) => text.replaceAll("\u00a0", " "));
  assert.deepEqual(lines, [
    "8,000 units in 2 sizes, 1,000 in reserve", "At most 2 for each viewer, 1 of 50 ml", "Held for 2 min, then back on sale",
    "Starts Fri, Nov 27, 2026, 20:00, UTC+1", "Pauses 30 s after the stream is lost, goes on when it is back",
  ]);
  const empty = blank(reader, null);
  assert.ok(short(empty, read(empty, here), { zone: ZONE, language: "en" }).some(({ text }) => text === "Hidden until on air"));
  assert.equal(short(empty, read(empty, here), { zone: ZONE, language: "en" })[0].text, "No units yet");
});

test("of many drafts all are kept or none", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, removeItem: (key) => kept.delete(key), setItem: (key, text) => {
    if (kept.size >= 2) throw new Error("full");
    kept.set(key, text);
  } };
  const drafts = new Drafts(storage, "nina", "friday-show");
  const three = ["n1", "n2", "n3"].map((id) => ({ id, form: {}, at: 1 }));
  assert.equal(drafts.keepAll(three), false);
  assert.equal(kept.size, 0);
  assert.equal(drafts.keepAll(three.slice(1)), true);
  assert.equal(kept.size, 2);
});

test("drafts are kept by show and name, and a broken one is left out", () => {
  const kept = new Map();
  const storage = { get length() { return kept.size; }, key: (at) => [...kept.keys()][at], getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const own = new Drafts(storage, "nina", "friday-show");
  assert.ok(own.keep({ id: "n2", form: full(), at: 2 }) && own.keep({ id: "n1", form: full(), at: 1 }));
  new Drafts(storage, "jonas", "friday-show").keep({ id: "n3", form: full(), at: 0 });
  storage.setItem("stampede_plan/nina/friday-show/n4", "{");
  assert.deepEqual(own.all().map(({ id }) => id), ["n1", "n2"]);
  own.drop("n1");
  assert.equal(own.get("n1"), null);
  const full_ = { ...storage, setItem: () => { throw new Error("full"); } };
  assert.equal(new Drafts(full_, "nina", "friday-show").keep({ id: "n5", form: full() }), false);
});

test("the rest of a drop is a draft with the units that nobody has bought", () => {
  const told = plan();
  const skus = told.skus.map(({ id }, at) => ({ sku: id, available: [120, 0][at] ?? 0, reserve: [30, 0][at] ?? 0, sold: 5 }));
  const form = restOf({ plan: { ...told, starts_at_ms: 1, ends_at_ms: 2 }, skus }, ZONE);
  assert.deepEqual(form.goods.map(({ supply, reserve }) => [supply, reserve]), [["120", "30"]]);
  assert.deepEqual([form.start, form.end, form.title], ["hand", "hand", told.title]);
  // What is only in reserve is what there is to sell.
  skus[0] = { ...skus[0], available: 0 };
  assert.deepEqual(restOf({ plan: told, skus }, ZONE).goods.map(({ supply, reserve }) => [supply, reserve]), [["30", "0"]]);
});
