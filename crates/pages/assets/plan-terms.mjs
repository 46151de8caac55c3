// A drop's terms as a form: from the interface's plan to what stands in the fields, and back.
import { count } from "./numbers.mjs";
import { isMade, madeCode } from "./plan-codes.mjs";
import { currency, holdTime, id, length, picture, price, seconds, shown, typedHold, typedSeconds, units } from "./plan-typed.mjs";
import { instead, local, moments, offset } from "./plan-zone.mjs";
import { typedAmount, UNITS_MAX } from "./typed.mjs";
import { say } from "./words.mjs";

/** Time that the host needs to speak, beside the video's delay. */
export const SPEAK_MS = 3000;
export const COUNTDOWN_S_MAX = 600;
const OFFLINE_S_MAX = 3600;
const AHEAD_MS_MAX = 366 * 86_400_000;
const OPEN_MS_MIN = 1000;
export const SIZES_MAX = 64;
/** How viewers may be shown the stock: exact up to the first, above it rounded down to the second. */
export const STOCKS = ["exact", "100/10", "500/100", "5000/1000"];

/** The shortest countdown in which a host can speak, in milliseconds. */
export const countdownMin = (delayMs) => (delayMs === 0 ? 0 : Math.ceil((delayMs + SPEAK_MS) / 1000) * 1000);

/** A size without anything in it. */
export const blankSize = (key) => ({ key, id: "", size: "", code: "", price: "", supply: "", reserve: "0", limit: "" });

/** The form of a new drop. `like` is a plan of the same show whose host, merchant and currency it takes over. */
export function blank({ name, merchant, delayMs = 0, currency: usual }, like) {
  return {
    title: "",
    picture: "",
    hidden: true,
    host: like?.host ?? (id(name).value ?? ""),
    merchant: merchant ?? like?.merchant ?? "",
    currency: like?.skus[0].price.currency ?? usual,
    differ: like?.skus[0].options[0]?.name ?? say("plan_size"),
    goods: [blankSize("1")],
    limit: "2",
    hold: "2:00",
    stock: "500/100",
    start: "hand",
    startDate: "",
    startTime: "",
    startFold: "",
    countdown: typedSeconds(Math.max(10_000, countdownMin(delayMs))),
    end: "hand",
    endDate: "",
    endTime: "",
    endFold: "",
    endAfter: "",
    pauses: true,
    pauseAfter: "30",
    resumes: true,
  };
}

/** A moment in the fields of a date, a time, and of which of two where the clock shows it twice. */
function momentFields(name, ms, zone) {
  if (ms === undefined) return { [name]: "hand", [`${name}Date`]: "", [`${name}Time`]: "", [`${name}Fold`]: "" };
  const { date, time } = local(ms, zone);
  const all = moments(date, time, zone);
  return { [name]: "time", [`${name}Date`]: date, [`${name}Time`]: time, [`${name}Fold`]: all.length > 1 ? String(all.indexOf(ms)) : "" };
}

/** Names or values of a size's options in one field. */
const joined = (texts) => texts.join(" / ");
const parted = (text) => text.split("/").map((part) => part.trim());

/** What a size is called in the form: by its options, or by a title of its own. */
function sizeOf(sku, plan) {
  if (sku.options.length > 0) return joined(sku.options.map(({ value }) => value));
  return sku.title === plan.title ? "" : sku.title;
}

/** A form that was typed by another zone's clock: the same moments by this one's. What is no one moment stays as it was typed. */
export function rezoned(form, from, to) {
  let moved = form;
  for (const name of ["start", "end"]) {
    const found = (form[name] === "time" && moments(form[`${name}Date`], form[`${name}Time`], from)) || [];
    const fold = form[`${name}Fold`];
    const ms = found.length > 1 ? found[fold === "" ? -1 : Number(fold)] : found[0];
    if (ms !== undefined) moved = { ...moved, ...momentFields(name, ms, to) };
  }
  return moved;
}

/** The form of a plan that is there. */
export function formOf(plan, zone) {
  const first = plan.skus[0];
  const display = plan.stock_display;
  const offline = plan.when_offline;
  return {
    title: plan.title,
    picture: plan.skus.find((sku) => sku.image)?.image ?? "",
    hidden: plan.hidden ?? false,
    host: plan.host,
    merchant: plan.merchant,
    currency: first.price.currency,
    differ: first.options.length > 0 ? joined(first.options.map(({ name }) => name)) : say("plan_size"),
    goods: plan.skus.map((sku) => ({
      key: sku.id,
      id: sku.id,
      size: sizeOf(sku, plan),
      code: isMade(sku, plan.title, sizeOf(sku, plan)) ? "" : sku.merchant_sku,
      price: typedAmount(sku.price.minor, sku.price.currency),
      supply: count(sku.supply),
      reserve: count(sku.reserve ?? 0),
      limit: (sku.limit_per_viewer ?? plan.limit_per_viewer) === plan.limit_per_viewer ? "" : count(sku.limit_per_viewer),
    })),
    limit: count(plan.limit_per_viewer),
    hold: typedHold(plan.hold_ttl_ms),
    stock: display ? `${display.rounded_above}/${display.round_to}` : "exact",
    ...momentFields("start", plan.starts_at_ms, zone),
    countdown: typedSeconds(plan.countdown_ms),
    ...momentFields("end", plan.ends_at_ms, zone),
    ...(plan.ends_after_opening_ms === undefined ? { endAfter: "" } : { end: "after", endAfter: typedHold(plan.ends_after_opening_ms) }),
    pauses: offline !== undefined,
    pauseAfter: offline ? typedSeconds(offline.pause_after_ms) : "30",
    resumes: offline ? offline.resume_when_online ?? false : true,
  };
}

/** The form of a draft for what is left of a drop that is over: its terms, with the units that nobody has bought. */
export function restOf({ plan, skus }, zone) {
  const form = copied(formOf(plan, zone));
  const goods = form.goods.map((size) => {
    const { available, reserve = 0 } = skus.find(({ sku }) => sku === size.key);
    const [supply, kept] = available === 0 ? [reserve, 0] : [available, reserve];
    return { ...size, isLeft: supply > 0, supply: count(supply), reserve: count(kept) };
  });
  return { ...form, goods: goods.filter(({ isLeft }) => isLeft).map(({ isLeft: _, ...size }) => size) };
}

/** What a plan has in the fields of its form, by field. */
function valuesOf(plan) {
  const form = formOf(plan, "UTC");
  const values = {
    title: plan.title, picture: form.picture, host: plan.host, merchant: plan.merchant, currency: form.currency, differ: form.differ,
    limit: plan.limit_per_viewer, hold: plan.hold_ttl_ms, countdown: plan.countdown_ms, endAfter: plan.ends_after_opening_ms,
    pauseAfter: plan.when_offline?.pause_after_ms,
  };
  for (const [at, { id: key, price: { minor }, supply, reserve, limit_per_viewer: limit }] of plan.skus.entries()) {
    const { size, code, limit: own } = form.goods[at];
    const all = { size: size === "" ? undefined : size, code: code === "" ? undefined : code, price: minor, supply, reserve: reserve ?? 0, limit: own === "" ? undefined : limit };
    for (const [name, value] of Object.entries(all)) values[`goods.${key}.${name}`] = value;
  }
  return { form, values };
}

/** The values of fields in which nobody typed anything else than what a plan has: they stay as they are, whatever they are. */
function untouched(form, plan) {
  const kept = new Map();
  if (!plan) return kept;
  const { form: was, values } = valuesOf(plan);
  for (const [field, value] of Object.entries(values)) {
    const [, key, name] = field.match(/^goods\.([^]*)\.(\w+)$/) ?? [];
    const [size, old] = [form, was].map(({ goods }) => goods.find((one) => one.key === key));
    const isSame = key === undefined ? form[field] === was[field] : size?.[name] === old[name] && (name !== "price" || form.currency === was.currency);
    if (isSame && value !== undefined) kept.set(field, value);
  }
  return kept;
}

/** What is read from a form: the values that are right, by field, and what is wrong or missing. */
class Reading {
  faults = {};
  missing = [];
  values = {};
  #kept;

  constructor(kept) {
    this.#kept = kept;
  }

  /** Whether a field has what the plan has that is edited or copied. */
  isKept(field) {
    return this.#kept.has(field);
  }

  /** Keeps what was read of a field; the value of one that is right. */
  take(field, read, isNeeded = true) {
    if (this.isKept(field)) this.values[field] = this.#kept.get(field);
    else if (read.fault !== undefined) this.faults[field] = read.fault;
    else if (read.isMissing && isNeeded) this.missing.push(field);
    else this.values[field] = read.value;
    return this.values[field];
  }

  get isRight() {
    return this.missing.length === 0 && Object.keys(this.faults).length === 0;
  }
}

/** The moment that a date and a time are; what is wrong is said at the time's field. */
function momentOf(form, name, { zone, now, was }, reading) {
  const [date, time, fold] = [form[`${name}Date`], form[`${name}Time`], form[`${name}Fold`]];
  const field = `${name}Time`;
  if (date === "" || time === "") {
    reading.missing.push(date === "" ? `${name}Date` : field);
    return undefined;
  }
  const found = moments(date, time, zone);
  if (found === null) return reading.take(field, { fault: say("plan_no_clock", { value: `${date} ${time}` }) });
  if (found.length === 0) return reading.take(field, { fault: say("plan_no_hour", { time, next: instead(date, time, zone).time }) });
  if (found.length > 1 && fold === "") {
    return reading.take(field, { fault: say("plan_two_hours", { time, first: offset(found[0], zone), second: offset(found[1], zone) }) });
  }
  const ms = found[found.length > 1 ? Number(fold) : 0];
  // What was planned before may have passed: only what is planned now is told.
  if (ms !== was && ms <= now) return reading.take(field, { fault: say(name === "start" ? "plan_start_past" : "plan_end_past", { time }) });
  if (ms !== was && ms > now + AHEAD_MS_MAX) return reading.take(field, { fault: say("plan_too_far") });
  return reading.take(field, { value: ms });
}

/** The two moments that a time of the form may be, with how each is told from the other; empty where it is one. */
export function twice(form, name, zone) {
  const found = moments(form[`${name}Date`], form[`${name}Time`], zone) ?? [];
  return found.length > 1 ? found.map((ms) => offset(ms, zone)) : [];
}

/** What a size is in the plan that is edited or copied. */
const oldOf = (size, plan) => plan?.skus.find((sku) => sku.id === (size.like ?? size.id));

/** What is wrong with a text that names so many things. */
const partsFault = (text, n, example) => (n > 1 && parted(text).filter((part) => part !== "").length !== n ? { fault: say("plan_parts", { value: text, example }) } : null);

function sizesOf(form, reading, plan) {
  const code = reading.values.currency ?? "EUR";
  const seen = new Map();
  if (form.goods.length === 0) reading.missing.push("goods");
  for (const size of form.goods) {
    const at = (name) => `goods.${size.key}.${name}`;
    const old = oldOf(size, plan);
    // Sizes that never had names need none.
    const isNameless = old !== undefined && plan.skus.length > 1 && size.size === "" && sizeOf(old, plan) === "";
    const like = old ?? plan?.skus[0];
    const parts = like && partsFault(size.size, like.options.length, sizeOf(like, plan));
    const named = reading.take(at("size"), (size.size.trim() !== "" && parts) || shown(size.size), form.goods.length > 1 && !isNameless);
    const other = named === undefined ? undefined : seen.get(named.toLowerCase());
    const isNew = [at("size"), other].find((field) => field !== undefined && !reading.isKept(field));
    if (other !== undefined && isNew !== undefined) reading.faults[isNew] = say("plan_size_twice", { size: named });
    if (named !== undefined) seen.set(named.toLowerCase(), at("size"));
    reading.take(at("code"), shown(size.code, 200), false);
    reading.take(at("price"), price(size.price, code));
    const supply = reading.take(at("supply"), units(size.supply));
    const reserve = reading.take(at("reserve"), units(size.reserve === "" ? "0" : size.reserve)) ?? 0;
    if (supply + reserve > UNITS_MAX) reading.faults[at("reserve")] = say("plan_units_max", { value: count(supply + reserve), max: count(UNITS_MAX) });
    reading.take(at("limit"), units(size.limit, 1), false);
  }
  const supplies = form.goods.map(({ key }) => reading.values[`goods.${key}.supply`]);
  if (supplies.length > 0 && supplies.every((supply) => supply === 0)) reading.faults[`goods.${form.goods[0].key}.supply`] = say("plan_no_supply");
}

/**
 * Reads a form. `here` says `{ zone, now, delayMs, was, like }`: the reader's zone, the server's time, how late viewers see the show,
 * the plan that is edited, if one is, and the plan of which the form is a copy, if it is one. What they have is not judged again.
 */
export function read(form, here) {
  const plan = here.was ?? here.like;
  const reading = new Reading(untouched(form, plan));
  reading.take("title", shown(form.title));
  reading.take("picture", picture(form.picture), false);
  reading.take("host", id(form.host));
  reading.take("merchant", id(form.merchant));
  reading.take("currency", currency(form.currency));
  if (form.goods.length > 1 || form.goods[0]?.size.trim()) reading.take("differ", (plan && partsFault(form.differ, plan.skus[0].options.length, joined(plan.skus[0].options.map(({ name }) => name)))) ?? shown(form.differ));
  sizesOf(form, reading, plan);
  reading.take("limit", units(form.limit, 1));
  reading.take("hold", holdTime(form.hold));
  const start = form.start === "time" ? momentOf(form, "start", { ...here, was: here.was?.starts_at_ms }, reading) : undefined;
  const countdown = reading.take("countdown", seconds(form.countdown, COUNTDOWN_S_MAX));
  const least = countdownMin(here.delayMs);
  if (countdown < least && !(here.was && reading.isKept("countdown"))) {
    const values = { value: typedSeconds(countdown), late: typedSeconds(here.delayMs), least: typedSeconds(least) };
    reading.faults.countdown = say("plan_countdown_short", values);
  }
  if (form.end === "time") {
    const end = momentOf(form, "end", { ...here, was: here.was?.ends_at_ms }, reading);
    const isAsPlanned = here.was && end === here.was.ends_at_ms && start === here.was.starts_at_ms;
    if (end !== undefined && !isAsPlanned && end < (start ?? here.now) + OPEN_MS_MIN) reading.faults.endTime = say("plan_ends_early");
  }
  if (form.end === "after") reading.take("endAfter", length(form.endAfter));
  if (form.pauses) reading.take("pauseAfter", seconds(form.pauseAfter, OFFLINE_S_MAX));
  return reading;
}

/** An id for a size that nobody else has: its code, or what its name is made of. */
function freshId({ code, size }, taken) {
  const base = [code, size].map((text) => text.trim()).find((text) => /^[A-Za-z0-9._:-]{1,60}$/.test(text));
  const plain = base ?? (size.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40) || "size");
  let name = plain;
  for (let n = 2; taken.has(name); n += 1) name = `${plain}-${n}`;
  taken.add(name);
  return name;
}

/** The options of a size: those of the plan that is edited or copied, with what was typed in their place. */
function optionsOf(size, form, { values }, { was, plan }) {
  const old = oldOf(size, plan);
  const like = old ?? plan?.skus[0];
  const named = values[`goods.${size.key}.size`];
  const before = was?.goods.find(({ key }) => key === size.key)?.size;
  const isSplit = (like?.options.length ?? 0) > 1;
  const split = (text) => (text === undefined ? [] : isSplit ? parted(text) : [text]);
  const names = form.differ === was?.differ && like?.options.length > 0 ? like.options.map(({ name }) => name) : split(values.differ);
  if (old?.options.length > 0) {
    const texts = size.size === before ? old.options.map(({ value }) => value) : split(named);
    return old.options.map((option, place) => ({ name: names[place] ?? option.name, value: texts[place] ?? option.value }));
  }
  const isTitledAlone = old && old.title !== plan.title;
  return isTitledAlone || named === undefined ? [] : split(named).map((value, place) => ({ name: names[place], value }));
}

/** The code of a size that was given none: the one that it has, as long as it is called the same. */
function codeFor(size, named, { title }, plan) {
  const old = oldOf(size, plan);
  const was = old && sizeOf(old, plan);
  const isSame = old && title === plan.title && (named ?? "") === was && isMade(old, plan.title, was);
  return isSame ? old.merchant_sku : madeCode(title, named ?? "") || size.id;
}

/** A size as it is sent, with what the plan that is edited or copied has besides what the form shows. */
function skuOf(size, form, reading, edited) {
  const { values } = reading;
  const { was, plan } = edited;
  const old = oldOf(size, plan);
  const at = (name) => values[`goods.${size.key}.${name}`];
  const named = at("size");
  const isTitled = old && old.title !== plan.title;
  const isUnoptioned = old && old.options.length === 0;
  const sku = {
    id: size.id,
    title: isTitled && isUnoptioned ? named ?? form.title.trim() : isTitled ? old.title : values.title,
    options: optionsOf(size, form, reading, edited),
    merchant_sku: at("code") ?? codeFor(size, named, values, plan),
    price: { minor: at("price"), currency: values.currency },
    supply: at("supply"),
    reserve: at("reserve"),
    numbered: old?.numbered ?? false,
  };
  const image = old && form.picture === was.picture ? old.image : values.picture;
  if (image) sku.image = image;
  if (at("limit") !== undefined) sku.limit_per_viewer = at("limit");
  return sku;
}

/** The plan that a form is, without its place; `reading` has no faults. `was` is the form of the `plan` that is edited or copied. */
function planOf(form, reading, edited) {
  const { values } = reading;
  const taken = new Set(form.goods.map((size) => size.id).filter((known) => known !== ""));
  const goods = form.goods.map((size) => (size.id === "" ? { ...size, id: freshId(size, taken) } : size));
  const [above, to] = form.stock.split("/").map(Number);
  return {
    title: values.title,
    merchant: values.merchant,
    host: values.host,
    hidden: form.hidden,
    skus: goods.map((size) => skuOf(size, form, reading, edited)),
    limit_per_viewer: values.limit,
    hold_ttl_ms: values.hold,
    countdown_ms: values.countdown,
    ...(form.start === "time" ? { starts_at_ms: values.startTime } : {}),
    ...(form.end === "time" ? { ends_at_ms: values.endTime } : {}),
    ...(form.end === "after" ? { ends_after_opening_ms: values.endAfter } : {}),
    ...(form.stock === "exact" ? {} : { stock_display: { rounded_above: above, round_to: to } }),
    ...(form.pauses ? { when_offline: { pause_after_ms: values.pauseAfter, resume_when_online: form.resumes } } : {}),
  };
}

/** A new drop as it is sent; a copy has what the form does not show from the plan that it is `like`. */
export function planned(form, reading, { stream, place, like }) {
  if (!like) return { stream, running_order: place, ...planOf(form, reading, {}) };
  const { starts_at_ms, ends_at_ms, ends_after_opening_ms, stock_display, when_offline, ...rest } = like;
  return { ...rest, stream, running_order: place, ...planOf(form, reading, { was: formOf(like, "UTC"), plan: like }) };
}

/** What an edit changes of a plan: a merge patch; empty where nothing differs. */
export function patchOf(form, reading, plan, here) {
  const was = formOf(plan, here.zone);
  const before = planOf(was, read(was, { ...here, delayMs: 0, was: plan }), { was, plan });
  const after = planOf(form, reading, { was, plan });
  const patch = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field])) patch[field] = after[field] ?? null;
  }
  return patch;
}

/**
 * A copy of a form for another drop: without its times, its sizes with ids of their own to be. What the form does not show is
 * kept beside it, in the plan that it is like.
 */
export const copied = (form) => ({
  ...form,
  goods: form.goods.map((size) => ({ ...size, id: "", like: size.like ?? size.id })),
  ...momentFields("start", undefined),
  ...(form.end === "after" ? {} : momentFields("end", undefined)),
});
