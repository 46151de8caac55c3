// What the live page shows, worked out from what the interface answers: the same value as src/live,
// so nothing jumps when the first event comes.
import { bars, scale, SECONDS } from "./chart.mjs";
import { clock, count, duration, liveMoney, money, shares, shortClock, span, tenths, timer, wholeSeconds } from "./numbers.mjs";
import { countdown, cue, said, seconds, video, word } from "./cue.mjs";
import { has, say } from "./words.mjs";

/** The keys of drops that are offered to be put on air; there are no more than have one. */
const AIRS = ["4", "5", "6", "7"];
/** How long after an opening it is told why it can no longer be undone, in milliseconds. */
const UNDO_SOUGHT_MS = 60_000;
/** The least time that is more than 59 seconds once it is rounded up, in milliseconds. */
const MINUTE_MORE = 59_001;
/** Silence after which the seconds since brought nothing, in milliseconds. */
const QUIET_MS = 2500;
/** Fewer payments that failed within five minutes are nobody's alarm. */
const FAILED_MIN = 10;
/** What is called off for good, or is just being: for everybody who looks on it is the same. */
const off = (phase) => phase === "cancelled" || phase === "voiding" || phase === "voided";
const over = (phase) => phase === "closed" || phase === "settled" || off(phase);

const sum = (skus) => skus.reduce(
  (all, sku) => ({
    supplied: all.supplied + sku.supplied,
    left: all.left + sku.available,
    held: all.held + (sku.held ?? 0),
    paid: all.paid + (sku.sold ?? 0),
    reserve: all.reserve + (sku.reserve ?? 0),
  }),
  { supplied: 0, left: 0, held: 0, paid: 0, reserve: 0 },
);

/** The units of a drop. A stage is not told what is held and paid: there all that is taken is either. */
export function sumOf(sale) {
  const all = sum(sale.skus);
  if (all.held + all.paid > 0) return all;
  const taken = Math.max(all.supplied - all.left, 0);
  return sale.can_come_back ? { ...all, held: taken } : { ...all, paid: taken };
}

/** Characters of all units that are on sale or in reserve: a number keeps the size that fits them, also when units go from one to the other. */
const fits = (all) => count(all.supplied + all.reserve).length;

/** Where a drop stands: its phase, told apart by what is left. */
export function standingOf(phase, all) {
  const nothing = all.supplied > 0 && all.left === 0;
  if (off(phase)) return "cancelled";
  if (phase === "scheduled" || phase === "countdown") return phase;
  if (nothing && all.held === 0 && all.reserve === 0) return "sold_out";
  if (phase === "open" && nothing) return "all_taken";
  return phase;
}

/** The drawing of a standing. */
export const glyphs = {
  scheduled: "ring", countdown: "half", open: "play", all_taken: "play", sold_out: "tick",
  settled: "tick", paused: "bars", closed: "square", cancelled: "cross",
};
/** A standing in words. */
export const stateWord = (standing) => ({
  scheduled: say("state_scheduled"), countdown: say("state_countdown"), open: say("state_open"),
  all_taken: say("state_all_taken"), sold_out: say("state_sold_out"), paused: say("state_paused"),
  closed: say("state_closed"), settled: say("state_settled"), cancelled: say("state_cancelled"),
})[standing];

/** Where a drop stands, as a standing with its word. */
export function standing(sale) {
  const name = standingOf(sale.phase, sumOf(sale));
  return { name, word: stateWord(name) };
}

/** When a drop closes by itself, in milliseconds since 1970; `undefined` if nothing ends it, or if that counts from an opening to come. */
export function endOf(sale) {
  if (over(sale.phase)) return undefined;
  return sale.closes_in_ms === undefined ? sale.plan.ends_at_ms : sale.server_time_ms + sale.closes_in_ms;
}

/** Whether a drop sells on what comes back, then closes. */
export const windsDown = (sale) => sale.winds_down_in_ms !== undefined && !over(sale.phase);

/** Where a drop stands; of one that winds down until when at the latest. */
function stateOf(sale, name, reader) {
  if (!windsDown(sale) || !["open", "all_taken"].includes(name)) return stateWord(name);
  const ends = endOf(sale);
  return ends === undefined || reader.aheadMin === null ? say("winds_down") : say("winds_down_until", { time: shortClock(ends, reader.aheadMin) });
}

const maySell = (phase) => ["scheduled", "countdown", "open", "paused"].includes(phase);

/** Whether a rehearsal by one press goes on. */
const isRehearsed = (snapshot) => snapshot.drops.some((drop) => drop.rehearses !== undefined && maySell(drop.phase));

/** The stream as the room shows it: while a rehearsal goes on its drops alone, so that nobody starts a live one by mistake. */
export const scene = (snapshot) => (isRehearsed(snapshot) ? { ...snapshot, drops: snapshot.drops.filter((drop) => drop.rehearses !== undefined) } : snapshot);

/** The drop on air with the one that can go on air next. */
export function cast(snapshot) {
  const { drops } = scene(snapshot);
  // One whose countdown was cancelled is chosen still, yet nothing of it is on air.
  const featured = (mode) => drops.find((drop) => drop.featured && drop.phase !== "scheduled" && drop.plan.mode === mode);
  const air = featured("live") ?? featured("rehearsal");
  const place = air ? drops.indexOf(air) : -1;
  const ofMode = (mode) => {
    const planned = (drop) => drop.phase === "scheduled" && drop.plan.mode === mode;
    return drops.slice(place + 1).find(planned) ?? drops.find(planned);
  };
  const next = air ? ofMode(air.plan.mode) : ofMode("live") ?? ofMode("rehearsal");
  return { air, next };
}

/** The price of goods, or the lowest with the highest. */
export function prices(goods) {
  const sorted = goods.map((sku) => sku.price).sort((a, b) => a.minor - b.minor);
  if (sorted.length === 0) return say("unknown");
  const exact = (price) => money(price.minor, price.currency);
  const [low, high] = [sorted[0], sorted.at(-1)];
  return low.minor === high.minor ? exact(low) : say("price_range", { low: exact(low), high: exact(high) });
}

/** The most units of one SKU that a viewer may have: the drop's limit, unless every SKU has a lower one. */
export function mostEach({ limit_per_viewer: most, skus }) {
  const own = skus.map((sku) => Math.min(sku.limit_per_viewer ?? most, most));
  return own.length > 0 ? Math.max(...own) : most;
}

function facts(sale, order, reader) {
  const place = Math.max(order.findIndex((row) => row.drop === sale.drop), 0) + 1;
  const found = [
    say("place_of", { place, all: order.length }),
    prices(sale.plan.skus),
    say("at_most_each", { n: count(mostEach(sale.plan)) }),
  ];
  const ends = endOf(sale);
  const after = sale.plan.ends_after_opening_ms;
  if (ends !== undefined && reader.aheadMin !== null) found.push(say("ends_at", { time: shortClock(ends, reader.aheadMin) }));
  else if (after !== undefined && (sale.phase === "scheduled" || sale.phase === "countdown")) found.push(say("ends_after_opening", { time: span(after) }));
  return found;
}

/** The word in the place of the number, beside it the time to the opening. */
function heroOfWord(told, sale, all) {
  const kind = told.at === "ahead" || told.at === "now" ? "cue" : "hear";
  const beside = sale.phase === "countdown" ? wholeSeconds(sale.opens_in_ms ?? 0) : say("state_open");
  return { kind, fits: fits(all), text: said(told), beside };
}

/** What the second number beside the word says. */
function underWord(sale, snapshot, reader) {
  const ago = sale.opened_ago_ms;
  let note = "";
  if (sale.phase === "countdown") note = say("to_the_opening");
  else if (ago !== undefined && reader.aheadMin !== null) note = say("since", { time: clock(snapshot.server_time_ms - ago, reader.aheadMin) });
  return { left: "", note: "", right: "", right_note: note };
}

function hero(sale, name, all) {
  const made = (kind, text, beside = "") => ({ kind, fits: fits(all), text, beside });
  switch (name) {
    case "countdown": {
      const left = sale.opens_in_ms ?? 0;
      return made("cue", left === 0 ? say("opens_now") : say("opens_in", { n: left >= MINUTE_MORE ? timer(left) : wholeSeconds(left) }));
    }
    case "all_taken": return made("long", say("all_taken_for_now"), count(all.held > 0 ? all.held : all.reserve));
    case "sold_out": return made("words", say("sold_out"), count(all.paid));
    case "closed": return made("words", say("closed"), count(all.held > 0 ? all.held : all.paid));
    case "settled": return made("words", say("closed"), count(all.paid));
    case "cancelled": return made("words", say("called_off"));
    case "scheduled": return made("number", count(all.supplied));
    default: return made("number", count(all.left));
  }
}

function under(sale, name, all) {
  const n = count(all.supplied);
  const made = (left = "", note = "", right = "", right_note = "") => ({ left, note, right, right_note });
  const reserve = all.reserve > 0 ? say("in_reserve", { n: count(all.reserve) }) : "";
  const { first_in_ms: first, last_in_ms: last } = sale.held_ending ?? {};
  const ends = (other) => (last === undefined || all.held === 0 ? other : say("held_last_in", { time: timer(last) }));
  const begins = first === undefined || all.held === 0 ? "" : say("first_ends_in", { time: timer(first) });
  switch (name) {
    case "countdown":
    case "cancelled": return made();
    case "paused": return made(say("left_of", { n }), say("paused_for_now"));
    case "all_taken": {
      const taken = say("all_taken_left", { n });
      if (all.held === 0 && all.reserve > 0) return made(say("nothing_held"), taken, say("of_reserve"));
      return made(reserve || say("no_reserve"), taken, ends(say("held_can_come_back")), begins);
    }
    case "sold_out": return made(say("nothing_left"), say("nothing_comes_back"), say("of_paid", { n }));
    case "closed":
    case "settled": {
      const left = say("not_sold", { n: count(all.left) });
      const held = name === "closed" && all.held > 0;
      return held ? made(left, reserve, ends(say("held_can_be_paid")), begins) : made(left, reserve, say("of_paid", { n }));
    }
    default: return made(say("left_of", { n }));
  }
}

function bar(all) {
  const parts = shares([all.paid, all.held, all.left]);
  const said = { paid: count(all.paid), held: count(all.held), left: count(all.left) };
  return { shares: parts, ...said, percents: parts.map(tenths), label: say("stock_bar", { n: count(all.supplied), ...said }) };
}

function differBy(plan) {
  const names = plan.skus.map((sku) => (sku.options?.length === 1 ? sku.options[0].name : null));
  return names.length > 0 && names[0] !== null && names.every((name) => name === names[0]) ? names[0] : say("sku");
}

/** What tells one SKU from the others of its drop. */
export function skuName(goods) {
  return goods.options?.length ? goods.options.map((option) => option.value).join(", ") : goods.title;
}

function skuRows(sale, name) {
  const onSale = name === "open" || name === "all_taken" || name === "paused";
  return sale.skus.map((told, place) => {
    const figures = { held: 0, sold: 0, ...told };
    const out = onSale && figures.available === 0 && figures.supplied > 0;
    return {
      sku: figures.sku,
      name: skuName(sale.plan.skus[place]),
      left: out ? say("all_taken") : count(figures.available),
      out,
      held: count(figures.held),
      paid: count(figures.sold),
      shares: shares([figures.sold, figures.held, figures.available]),
    };
  });
}

/** Why clicks are refused, each kind with the codes that it has; the last one has all others. */
const WHY = [
  ["why_want", ["sold_out", "not_enough"]],
  ["why_limit", ["over_viewer_limit", "holds_capped"]],
  ["why_rate", ["rate_limited", "busy"]],
  ["why_shut", ["not_open", "paused", "closed"]],
  ["why_other", []],
];

function kindOf(code) {
  const found = WHY.findIndex(([, codes]) => codes.includes(code));
  return found === -1 ? WHY.length - 1 : found;
}

/** Why clicks of the last minute were refused, the reason with the most of them first; empty if none was. */
function whyRefused(times) {
  const said = WHY.map(([word], place) => [times[place], word]).filter(([n]) => n > 0);
  said.sort(([one], [other]) => other - one);
  if (said.length === 0) return "";
  const list = said.map(([n, word]) => say(word, { n: count(n) }));
  return say("why_refused", { list: list.reduce((first, second) => say("list_two", { first, second })) });
}

/** What was worked out last of the same seconds: these change once a second, figures ten times. */
let minute = { told: null, quiet: -1, found: null };
const NO_SECONDS = [];

/** The last 60 seconds of a drop, one entry for each, the newest last. */
export function recent(snapshot, drop) {
  const told = snapshot.seconds?.[drop] ?? NO_SECONDS;
  // One is told a little after its end, and one in which nothing was counted is not told.
  const newest = told.reduce((last, second) => Math.max(last, second.at_ms), 0);
  const late = Math.max(snapshot.server_time_ms - newest, 0);
  const quiet = late < QUIET_MS ? 0 : Math.floor(late / 1000);
  if (minute.told === told && minute.quiet === quiet) return minute.found;
  const empty = () => new Array(SECONDS).fill(0);
  const found = { takes: empty(), refused: empty(), clicks: empty(), why: WHY.map(() => 0) };
  for (const second of told) {
    const place = SECONDS - 1 - (Math.floor((newest - second.at_ms + 500) / 1000) + quiet);
    if (place < 0) continue;
    found.takes[place] = second.takes;
    found.refused[place] = Object.values(second.refused ?? {}).reduce((all, one) => all + one, 0);
    for (const [code, times] of Object.entries(second.refused ?? {})) found.why[kindOf(code)] += times;
    found.clicks[place] = second.clicks;
  }
  minute = { told, quiet, found };
  return found;
}

/** Of the units that are held no more, the share that was paid for; below it what came back, or what failed of late. */
function payingTile(sale, tile) {
  const { ordered_units: ordered = 0, returned_units: returned = 0, recent_failed: failed = 0 } = sale.paying ?? {};
  const all = ordered + returned;
  const share = all === 0 ? null : Math.floor((ordered * 1000) / all);
  const second = failed === 0 ? say("came_back", { n: count(returned) }) : say("failed_of_late", { n: count(failed) });
  const value = share === null ? say("unknown") : count(Math.floor(share / 10));
  return tile("paying", say("tile_paying"), value, share === null ? "" : "%", second, {
    gauge: share ?? 0,
    known: sale.paying !== undefined && sale.paying !== null,
  });
}

function tiles(sale, all, last, language) {
  const [clicks, refused] = [last.clicks.at(-1), last.refused.at(-1)];
  let refusals = say("none_refused");
  if (refused > 0) refusals = refused >= clicks ? say("all_refused") : say("n_refused", { n: count(refused) });
  const tile = (key, label, value, unit, second, more = {}) =>
    ({ key, label, value, unit, second, gauge: null, known: true, is_money: false, ...more });
  const minor = sale.skus.reduce((paid, figures, place) => paid + (figures.sold ?? 0) * sale.plan.skus[place].price.minor, 0);
  const currency = sale.plan.skus[0]?.price.currency ?? "";
  const rate = say("per_second");
  const told = sale.held_ending?.soon_units;
  const ending = told ?? 0;
  return [
    tile("clicks", say("tile_clicks"), count(clicks), rate, refusals),
    tile("holds", say("tile_holds"), count(last.takes.at(-1)), rate, say("each_second")),
    tile("paid", say("tile_paid"), liveMoney(minor, currency, language), "", say("paid_units", { n: count(all.paid) }), { is_money: true }),
    tile("viewers", say("tile_viewers"), count(sale.viewers_connected ?? 0), "", say("connected_now")),
    tile("ending", say("tile_ending"), count(ending), "", say("of_held", { n: count(all.held) }), {
      gauge: Math.floor((Math.min(ending, all.held) * 1000) / Math.max(all.held, 1)),
      known: told !== undefined && told !== null,
    }),
    payingTile(sale, tile),
  ];
}

function chart(last, scales) {
  const most = (values) => Math.max(...values);
  const up = scales ? scales.up.next(most(last.takes)) : scale(most(last.takes));
  const down = scales ? scales.down.next(most(last.refused)) : scale(most(last.refused));
  const [holds, refused] = [count(last.takes.at(-1)), count(last.refused.at(-1))];
  return {
    up: bars(last.takes, up, true),
    down: bars(last.refused, down, false),
    up_scale: count(up),
    down_scale: count(down),
    holds,
    refused,
    why: whyRefused(last.why),
    label: say("chart_label", { holds, refused }),
  };
}

/** What draws goods: the drawing of this server that the first of them with one names. */
export function picture(goods) {
  const ours = goods.find((sku) => /^\/goods\/[a-z]+\.svg$/.test(sku.image ?? ""));
  return ours ? `${ours.image}#goods` : "#i-goods";
}

function airOf(sale, snapshot, order, reader) {
  const all = sumOf(sale);
  const name = standingOf(sale.phase, all);
  const told = word(sale, name, snapshot.video_delay_ms ?? 0);
  const last = recent(snapshot, sale.drop);
  return {
    drop: sale.drop,
    title: sale.plan.title,
    picture: picture(sale.plan.skus),
    rehearsal: sale.plan.mode === "rehearsal",
    price: prices(sale.plan.skus),
    facts: facts(sale, order, reader),
    glyph: glyphs[name],
    state: stateOf(sale, name, reader),
    hero: told ? heroOfWord(told, sale, all) : hero(sale, name, all),
    under: told ? underWord(sale, snapshot, reader) : under(sale, name, all),
    cue: name === "countdown" || told ? cue(sale, snapshot, told, reader) : null,
    bar: bar(all),
    differ_by: differBy(sale.plan),
    skus: skuRows(sale, name),
    tiles: tiles(sale, all, last, reader.language),
    chart: reader.charts === false ? null : chart(last, reader.scales),
  };
}

function nextOf(sale, delay, reader) {
  const { plan } = sale;
  const ms = countdown(plan.countdown_ms, delay);
  let counts = ms === 0 ? say("no_countdown") : wholeSeconds(ms);
  if (delay > 0) counts = say("countdown_to_speak", { time: counts, n: seconds(ms - delay) });
  const all = sum(sale.skus);
  const n = count(all.supplied);
  const units = sale.skus.length === 1 ? say("units_in", { n }) : say("units_in_skus", { n, skus: sale.skus.length });
  const planned = plan.starts_at_ms !== undefined && sale.start_missed_ms === undefined && reader.aheadMin !== null;
  return {
    drop: sale.drop,
    title: plan.title,
    picture: picture(plan.skus),
    hidden: sale.hidden ?? false,
    stock: all.reserve === 0 ? units : say("units_and_reserve", { units, n: count(all.reserve) }),
    price: say("limit_each", { price: prices(plan.skus), n: count(mostEach(plan)) }),
    countdown: counts,
    by_itself: planned ? say("opens_by_itself", { time: clock(plan.starts_at_ms, reader.aheadMin) }) : "",
  };
}

/** What can become of the units of the drop on air once the next one opens; `null` where nothing is to choose. */
function leftOverOf(air, next, role) {
  if (!air || !next || windsDown(air) || !["open", "paused"].includes(air.phase)) return null;
  const { left, held } = sum(air.skus);
  const wind_down = air.phase === "open" && may(role, "wind-down");
  const back = may(role, "take-back");
  if (!may(role, "open") || !(wind_down || back) || left + held === 0) return null;
  return { drop: air.drop, hint: say("left_over_hint", { title: air.plan.title, next: next.plan.title }), wind_down, back };
}

/** All drops of the stream in their order: the list names also those that have left memory. */
function lines(snapshot, running) {
  const here = (sale) => {
    const all = sumOf(sale);
    return { drop: sale.drop, title: sale.plan.title, mode: sale.plan.mode, hidden: sale.hidden, winds: windsDown(sale), goods: sale.plan.skus, standing: standingOf(sale.phase, all), all };
  };
  const found = running.drops.map((summary) => {
    const sale = snapshot.drops.find((one) => one.drop === summary.drop);
    if (sale) return here(sale);
    const all = { supplied: summary.supplied, left: summary.available, held: summary.held, paid: summary.sold, reserve: summary.reserve ?? 0 };
    return { drop: summary.drop, title: summary.title, mode: summary.mode, goods: [], standing: standingOf(summary.phase, all), all };
  });
  for (const sale of snapshot.drops) if (!found.some((line) => line.drop === sale.drop)) found.push(here(sale));
  return found;
}

function result(line) {
  const { all } = line;
  if (line.winds && ["open", "all_taken"].includes(line.standing)) return ["plain", say("winds_down_left", { n: count(all.left) })];
  switch (line.standing) {
    case "scheduled": return ["plain", say("units_in", { n: count(all.supplied) })];
    case "sold_out": return ["done", say("all_paid", { n: count(all.paid) })];
    case "closed":
    case "settled": return ["done", say("n_paid", { n: count(all.paid) })];
    case "cancelled": return ["done", say("called_off")];
    case "open": return ["plain", say("off_air_left", { n: count(all.left) })];
    default: return ["plain", stateWord(line.standing)];
  }
}

/** One mark beside a title at most: that a drop is a rehearsal says more than that viewers have not heard of it. */
function marks(line, rehearsing) {
  if (line.mode === "rehearsal" && !rehearsing) return { mark: say("rehearsal"), hidden: "" };
  return { mark: "", hidden: line.hidden ? say("hidden") : "" };
}

function rows(found, air, next, rehearsing, role) {
  return found.map((line, place) => {
    let [kind, text] = result(line);
    if (line.drop === air?.drop) [kind, text] = ["air", say("on_air")];
    else if (line.drop === next?.drop) [kind, text] = ["next", say("next")];
    const isOther = next !== undefined && line.drop !== next.drop && line.mode === next.plan.mode;
    const can_be_next = line.standing === "scheduled" && isOther && may(role, "move");
    return { drop: line.drop, place: place + 1, title: line.title, picture: picture(line.goods), glyph: glyphs[line.standing], kind, ...marks(line, rehearsing), result: text, can_be_next };
  });
}

/** What each role may ask for; the server decides, this only says it beforehand. */
export function may(role, act) {
  if (role === "admin") return true;
  if (role === "merchant") return act !== "withdraw";
  if (role === "host") return act !== "grant" && act !== "decline";
  if (role === "creator") return !["restock", "take-back", "amend", "grant", "decline", "withdraw"].includes(act);
  return role === "ops" && (act === "pause" || act === "close" || act === "cancel-countdown");
}

/** A SKU of which nothing is left, with what of it may come. */
function takenWords(sku, { held, reserve = 0 }) {
  const [h, n] = [count(held), count(reserve)];
  if (held === 0) return reserve === 0 ? say("sku_taken_none_held", { sku }) : say("sku_taken_only_reserve", { sku, n });
  return reserve === 0 ? say("sku_taken", { sku, held: h }) : say("sku_taken_reserve", { sku, held: h, n });
}

const isOpen = ({ state }) => state === "open";

/** Units that are asked for in a drop, or of one of its SKUs. */
export const unitsAsked = (sale, sku = null) => (sale.requests ?? []).filter((one) => isOpen(one) && (sku === null || one.sku === sku)).reduce((all, one) => all + one.units, 0);

/** The goods that a request names. */
export function askedGoods(sale, request) {
  const goods = sale.plan.skus[sale.skus.findIndex((figures) => figures.sku === request.sku)];
  return goods ? skuName(goods) : request.sku;
}

/** The open requests of all drops, the oldest first, each with its drop. */
function openRequests({ drops }) {
  const open = drops.flatMap((sale) => (sale.requests ?? []).filter(isOpen).map((request) => ({ sale, request })));
  return open.sort((a, b) => a.request.asked_at_ms - b.request.asked_at_ms);
}

/** The requests that the reader may grant. */
function toAnswer(snapshot, reader) {
  if (!may(reader.role, "grant")) return [];
  return openRequests(snapshot).map(({ sale, request }) => {
    const n = count(request.units);
    const act = (kind, label) => ({ kind, label, sku: request.request });
    const text = say("asks_for", { by: request.asked_by, n, sku: askedGoods(sale, request) });
    return [text, act("grant", say("grant", { n })), act("decline", say("decline"))];
  });
}

/** The requests that the reader sees wait, and may withdraw. */
function waitingFor(snapshot, reader) {
  if (may(reader.role, "grant") || !may(reader.role, "withdraw")) return [];
  return openRequests(snapshot).map(({ sale, request }) => {
    const text = say("request_waits", { n: count(request.units), sku: askedGoods(sale, request) });
    return [text, { kind: "withdraw", label: say("withdraw"), sku: request.request }, null, "calm"];
  });
}

function alarms(snapshot, air, next, reader) {
  const at = (ms) => (reader.aheadMin === null ? say("unknown") : clock(ms, reader.aheadMin));
  const found = [];
  if (air?.stream_offline_since_ms !== undefined) {
    const time = at(air.stream_offline_since_ms);
    const then = air.plan.when_offline;
    const text = then ? say("stream_offline_pauses", { time, wait: duration(then.pause_after_ms) }) : say("stream_offline", { time });
    found.push([text, null]);
  }
  for (const sale of snapshot.drops) {
    if (sale.start_missed_ms === undefined) continue;
    const act = sale.drop === next?.drop && may(reader.role, "open") ? { kind: "start", label: say("start_next"), sku: "" } : null;
    found.push([say("start_missed", { title: sale.plan.title, time: at(sale.start_missed_ms) }), act]);
  }
  const { recent_failed: failed = 0, recent_orders: orders = 0 } = air?.paying ?? {};
  if (failed >= FAILED_MIN && failed >= orders) found.push([say("payments_fail", { failed: count(failed), orders: count(orders) }), null]);
  // Somebody waits for the answer.
  found.push(...toAnswer(snapshot, reader));
  if (air && standing(air).name === "open") {
    air.skus.forEach((figures, place) => {
      if (figures.available > 0 || figures.supplied === 0) return;
      const sku = skuName(air.plan.skus[place]);
      const text = takenWords(sku, figures);
      const act = may(reader.role, "restock") ? { kind: "restock", label: say("restock_sku", { sku }), sku: figures.sku } : null;
      found.push([text, act]);
    });
  }
  // Nothing has to be done about it.
  found.push(...waitingFor(snapshot, reader));
  return found;
}

function calm(air) {
  const name = air && standing(air).name;
  if (name === "all_taken") return say("calm_all_taken");
  if (name === "sold_out") return say("calm_sold_out", { title: air.plan.title });
  return name === "paused" ? say("calm_paused") : say("calm");
}

/** The units that nobody has bought of a drop that was closed. */
export function restLeft(sale) {
  if (sale.plan.mode !== "live" || !["closed", "settled"].includes(sale.phase)) return 0;
  const { left, reserve } = sum(sale.skus);
  return left + reserve;
}

const numberOf = (sale) => Number(sale.drop.slice(1));
const isCalledOff = ({ phase }) => ["cancelled", "voiding", "voided"].includes(phase);

/**
 * Whether what is left of a drop can be planned anew. While units are held more may come back. Numbered units would get the numbers
 * of others. Once a later drop has the same goods, they are planned.
 */
export function restIsOffered(sale, drops) {
  if (restLeft(sale) === 0 || sum(sale.skus).held > 0 || sale.plan.skus.some(({ numbered }) => numbered)) return false;
  const left = sale.plan.skus.filter((_, place) => sale.skus[place].available + (sale.skus[place].reserve ?? 0) > 0);
  const isLeft = (goods, { title }) => left.some((own) => own.merchant_sku === goods.merchant_sku || (sale.plan.title === title && skuName(own) === skuName(goods)));
  const isLater = (other) => numberOf(other) > numberOf(sale) && other.plan.merchant === sale.plan.merchant && other.plan.mode === "live";
  return !drops.some((other) => isLater(other) && !isCalledOff(other) && other.plan.skus.some((goods) => isLeft(goods, other.plan)));
}

/** What nobody has bought of a drop that is over, with who can plan it anew. */
function restOf(air, reader) {
  const left = air ? restLeft(air) : 0;
  if (left === 0) return null;
  const values = { title: air.plan.title, n: count(left) };
  if (!reader.plans) return { text: say("rest_left_ask", values), act: null };
  return { text: say("rest_left", values), act: { kind: "plan-rest", label: say("plan_rest"), sku: "" } };
}

function alarmOf(snapshot, air, next, reader) {
  if (snapshot.blocked) {
    const text = say(snapshot.blocked === "poisoned" ? "problem_poisoned" : "takes_stopped");
    return { level: "alarm", text, count: "", act: null, also: null };
  }
  const found = alarms(snapshot, air, next, reader);
  if (found.length === 0) return { level: "calm", count: "", ...(restOf(air, reader) ?? { text: calm(air), act: null }), also: null };
  const [text, act, also = null] = found[0];
  const level = found.every(([, , , own]) => own === "calm") ? "calm" : "attention";
  return { level, text, count: found.length > 1 ? say("of_alarms", { n: found.length }) : "", act, also };
}

/** Drops that can go on air in the place of the one that is; one dead button if there is none. */
function airsOf(snapshot, air, reader, dead, forRole) {
  const button = { act: "feature", drop: "", label: say("put_on_air"), effect: "", key: AIRS[0], icon: "air", look: "plain", enabled: true };
  const could = (sale) => ["countdown", "open", "paused"].includes(sale.phase)
    && (!air || (air.drop !== sale.drop && air.plan.mode === sale.plan.mode));
  const found = snapshot.drops.filter(could).slice(0, AIRS.length).map((sale, place) => {
    const effect = say("put_on_air_effect", { title: sale.plan.title, n: count(sum(sale.skus).left) });
    return forRole({ ...button, drop: sale.drop, key: AIRS[place], effect });
  });
  return found.length > 0 ? found : [dead(button, say("why_no_other_open"))];
}

/** What puts the terms of the drop on air right: its end, by time or by winding down, and the limits of its viewers. */
function amendments(air, drop, reader, dead, why) {
  const button = { act: "amend", drop, look: "plain", enabled: true };
  const ends = air ? endOf(air) : undefined;
  const known = ends !== undefined && reader.aheadMin !== null;
  const effect = known ? say("extend_ends", { time: shortClock(ends, reader.aheadMin) }) : say("extend_effect");
  const extend = { ...button, label: say("extend"), effect, key: "2", icon: "clock" };
  // Nothing moves the end of one that winds down.
  let endless = air?.closes_in_ms === undefined ? say("why_no_end") : null;
  if (air && windsDown(air)) endless = say("why_winds_down");
  const down = { ...button, act: "wind-down", label: say("wind_down"), effect: say("wind_down_effect"), key: "3", icon: "wind" };
  let going = air?.phase === "paused" ? say("why_resume_first") : null;
  if (air && windsDown(air)) going = say("why_winds_down");
  const limits = { ...button, label: say("limits"), effect: say("limits_effect", { n: count(air ? mostEach(air.plan) : 0) }), key: "L", icon: "person" };
  const selling = air?.phase === "paused" ? null : say("why_pause_first");
  const live = (one, other) => (why ?? other) === null ? one : dead(one, why ?? other);
  return [live(extend, endless), live(down, going), live(limits, selling)];
}

/** Offered while nothing is paid; a minute after the opening nobody looks for it any more once something is. */
function undoOf(air, drop, reader) {
  const gone = { act: "undo", drop, label: say("undo"), effect: "", key: "U", icon: "undo", look: "gone", enabled: false };
  if (!air || (air.phase !== "open" && air.phase !== "paused") || !may(reader.role, "undo")) return gone;
  const { paid } = sumOf(air);
  if (paid === 0) return { ...gone, effect: say("undo_effect"), look: "plain", enabled: true };
  const isSought = air.opened_ago_ms !== undefined && air.opened_ago_ms < UNDO_SOUGHT_MS;
  return isSought ? { ...gone, effect: say("why_paid", { n: count(paid) }), look: "plain" } : gone;
}

function buttons(snapshot, air, next, delay, reader) {
  const name = air ? standing(air).name : null;
  const drop = air?.drop ?? "";
  const dead = (button, effect) => ({ ...button, effect, look: "plain", enabled: false });
  const forRole = (button) => (button.enabled && !may(reader.role, button.act) ? dead(button, say("why_role")) : button);
  const pause = { act: "pause", drop, label: say("pause"), effect: say("pause_effect"), key: "P", icon: "bars", look: "solid", enabled: true };
  const cancel = { act: "cancel-countdown", label: say("cancel_countdown"), effect: say("cancel_effect"), key: "Esc", icon: "cross" };
  const resume = { act: "resume", label: say("resume"), effect: say("resume_effect"), key: "O", icon: "play", look: "go" };
  let stop = dead(pause, say("why_nothing_open"));
  if (name === "open" || name === "all_taken") stop = pause;
  else if (name === "countdown") stop = { ...pause, ...cancel };
  else if (name === "paused") stop = { ...pause, ...resume };
  else if (name === "sold_out") stop = dead(pause, say("why_nothing_to_stop"));
  let why = null;
  if (!air) why = say("why_nothing_open");
  else if (air.phase === "scheduled" || air.phase === "countdown") why = say("why_once_open");
  else if (over(air.phase)) why = say("why_over");
  const whileOpen = (button) => (why === null ? button : dead(button, why));
  const units = air ? sum(air.skus) : { left: 0, held: 0, reserve: 0 };
  const asked = air ? unitsAsked(air) : 0;
  let restockEffect = units.reserve === 0 ? say("restock_effect") : say("in_reserve", { n: count(units.reserve) });
  if (asked > 0) restockEffect = say("asked_for", { n: count(asked) });
  const restock = { act: "restock", drop, label: say("restock"), effect: restockEffect, key: "R", icon: "plus", look: "plain", enabled: true };
  const back = { act: "take-back", drop, label: say("take_back"), effect: say("take_back_effect"), key: "1", icon: "minus", look: "plain", enabled: true };
  const closeEffect = units.held === 0 ? say("close_effect") : say("close_effect_held", { n: count(units.held) });
  const close = { act: "close", drop, label: say("close"), effect: closeEffect, key: "C", icon: "square", look: "plain", enabled: true };
  const start = { act: "open", drop: next?.drop ?? "", label: say("start_next"), effect: "", key: "N", icon: "skip", look: "plain", enabled: true };
  let begin;
  if (!next) begin = dead(start, say("why_nothing_planned"));
  else if (name === "countdown") begin = dead(start, say("why_after_countdown"));
  else {
    const { title } = next.plan;
    const ms = countdown(next.plan.countdown_ms, delay);
    const effect = ms === 0 ? say("start_next_at_once", { title }) : say("start_next_effect", { title, n: Math.ceil(ms / 1000) });
    begin = { ...start, effect, look: (name === "open" && !windsDown(air)) || name === "paused" ? "plain" : "go" };
  }
  const airs = airsOf(snapshot, air, reader, dead, forRole);
  const shut = forRole(whileOpen(close));
  const takeBack = forRole(why === null && units.left === 0 ? dead(back, say("why_nothing_left")) : whileOpen(back));
  const sheet = { act: "more", drop: "", label: say("more"), effect: say("more_effect"), key: "M", icon: "more", look: "plain", enabled: true };
  const [extend, wind_down, limits] = amendments(air, drop, reader, dead, why).map(forRole);
  const more = [takeBack, extend, wind_down, limits, shut, ...airs].some((one) => one.enabled) ? sheet : dead(sheet, shut.effect);
  return { stop: forRole(stop), restock: forRole(whileOpen(restock)), more, take_back: takeBack, extend, wind_down, limits, airs, close: shut, undo: undoOf(air, drop, reader), next: forRole(begin) };
}

/** Who else is at the show; every name but the reader's own. */
function othersOf(snapshot, reader) {
  const people = (snapshot.people ?? []).filter((person) => person.name !== reader.name);
  const [first, second] = people.map((person) => person.name);
  const heres = ["", say("here_one", { name: first }), say("here_two", { first, second })];
  const here = heres[people.length] ?? say("here_more", { first, n: people.length - 1 });
  return { here, people: people.map(({ name, role }) => ({ name, role: has(`role_${role}`) ? say(`role_${role}`) : role })) };
}

/** Whether nobody can take of any of these drops any more, and none is planned. */
export const allOver = (drops) => drops.every(({ phase }) => over(phase));

/** What a show came to once all of its drops are over; `null` while one may sell. */
/** Whether units were on sale in a show: not where all was called off, or rehearsed; live drops alone are listed where there are any. */
export const hadSale = ({ supplied, drops }) => supplied > 0 && drops.every(({ mode }) => mode === "live");

function endOfShow(show, snapshot, reader) {
  if (!show || show.running || !hadSale(show) || !allOver(snapshot.drops)) return null;
  const totals = say("show_over_totals", { paid: count(show.sold), n: count(show.supplied) });
  const money = (show.gross ?? []).map(({ minor, currency }) => liveMoney(minor, currency, reader.language)).join(" + ");
  return { totals, money, report: `/reports/shows/${show.show}` };
}

/** The live page's contents. */
export function view(told, listed, reader) {
  const rehearsing = isRehearsed(told);
  const snapshot = scene(told);
  const running = rehearsing ? { drops: listed.drops.filter((drop) => drop.rehearsal_copy) } : listed;
  const delay = snapshot.video_delay_ms ?? 0;
  const { air, next } = cast(snapshot);
  const found = lines(snapshot, running);
  const order = rows(found, air, next, rehearsing, reader.role);
  const ended = endOfShow(rehearsing ? null : listed.show, snapshot, reader);
  let empty = null;
  if (!air) {
    const unnamed = order.length === 0;
    const plans = ["admin", "merchant"].includes(reader.role);
    const [named, planned] = plans ? [say("nothing_named_lead"), say("nothing_planned_lead")] : [say("nothing_named"), say("nothing_planned_ask")];
    if (ended) empty = { title: say("show_over"), lead: ended.totals, unnamed };
    else empty = next
      ? { title: say("nothing_on_air"), lead: say("nothing_on_air_lead"), unnamed }
      : { title: say("nothing_planned", { stream: snapshot.stream }), lead: unnamed ? named : planned, unnamed };
  }
  return {
    stream: snapshot.stream,
    air: air ? airOf(air, snapshot, order, reader) : null,
    empty,
    next: next ? nextOf(next, delay, reader) : null,
    ended,
    left_over: leftOverOf(air, next, reader.role),
    order,
    video: video(delay),
    line: snapshot.stage_line ?? "",
    // Rehearsals sell nothing real.
    tonight: say("tonight_paid", { n: count(found.reduce((paid, line) => (line.mode === "live" ? paid + line.all.paid : paid), 0)) }),
    alarm: alarmOf(snapshot, air, next, reader),
    others: othersOf(snapshot, reader),
    rehearsing,
    can_rehearse: !rehearsing && !air && next?.plan.mode === "live" && ["admin", "merchant", "host", "creator"].includes(reader.role),
    buttons: buttons(snapshot, air, next, delay, reader),
  };
}
