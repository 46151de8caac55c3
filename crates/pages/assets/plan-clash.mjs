// Two planners at one drop: what the other changed, field by field, and what becomes of it.
import { count } from "./numbers.mjs";
import { moments, offset } from "./plan-zone.mjs";
import { say } from "./words.mjs";

const FIELDS = {
  title: "plan_title", picture: "plan_picture", hidden: "plan_hidden", host: "plan_host", merchant: "plan_merchant", currency: "plan_currency", differ: "plan_differ",
  limit: "plan_limit", hold: "plan_hold", stock: "plan_stock", start: "plan_start", countdown: "plan_countdown", end: "plan_end",
  offline: "plan_offline",
};
const SIZE_FIELDS = { size: "plan_size", code: "plan_code", price: "plan_price_of", supply: "plan_supply", reserve: "plan_reserve", limit: "plan_each" };

/** Fields that are one choice, told as one. */
const GROUPS = {
  start: ["start", "startDate", "startTime", "startFold"],
  end: ["end", "endDate", "endTime", "endFold", "endAfter"],
  offline: ["pauses", "pauseAfter", "resumes"],
};

/** The choice that a field of the form is part of. */
const GROUP_OF = new Map(Object.entries(GROUPS).flatMap(([group, names]) => names.map((name) => [name, group])));
/** Fields that are called otherwise than their choice, or are none of a drop's terms. */
const LABELS = { pauseAfter: "plan_pause_after", place: "plan_place" };

const group = (form, names) => names.map((name) => form[name]);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** What a field of a form is called. */
export function label(field, form) {
  const [, key, name] = field.match(/^goods\.([^]*)\.(\w+)$/) ?? [];
  if (key === undefined) return say(LABELS[field] ?? FIELDS[GROUP_OF.get(field) ?? field]);
  const size = form.goods.find((one) => one.key === key)?.size.trim();
  const what = name === "price" ? say("price") : say(SIZE_FIELDS[name]);
  return size && form.goods.length > 1 ? say("plan_field_of", { field: what, size }) : what;
}

/** A time of day on its day; with how far the clock is ahead where it shows it twice. */
function timed(date, time, fold, zone) {
  const found = moments(date, time, zone) ?? [];
  const text = `${date} ${time}`;
  return found.length > 1 && fold !== "" ? `${text} ${offset(found[Number(fold)], zone)}` : text;
}

/** What stands in a field, in words: two values that differ read differently. */
function told(field, value, zone) {
  if (field === "stock") {
    const [above, step] = value.split("/").map(count);
    return value === "exact" ? say("plan_stock_exact") : say("plan_stock_in_full", { above, step });
  }
  if (field === "hidden") return say(value ? "plan_hidden_on" : "plan_hidden_off");
  if (field === "offline") return value[0] ? say(value[2] ? "plan_pauses_after_resumes" : "plan_pauses_after", { n: value[1] }) : say("plan_goes_on");
  if (field === "end" && value[0] === "after") return say("plan_length_after", { n: value[4] });
  if (field === "start" || field === "end") return value[0] === "time" ? timed(...value.slice(1, 4), zone) : say("plan_by_hand");
  return value === "" ? say("plan_nothing") : value;
}

/** Everything that is one choice in a form, by its name. */
function choices(form) {
  const all = new Map();
  for (const field of Object.keys(FIELDS)) all.set(field, GROUPS[field] ? group(form, GROUPS[field]) : form[field]);
  for (const size of form.goods) {
    if (size.id === "") continue;
    for (const name of Object.keys(SIZE_FIELDS)) all.set(`goods.${size.id}.${name}`, size[name]);
  }
  return all;
}

/**
 * What the other planner changed of `was`: `[{ field, label, theirs, mine }]`, `mine` only where this one changed it too. A size
 * that one of both removed is told by its supply. Times are those of a zone's clock.
 */
export function clashes(was, theirs, mine, zone) {
  const [before, there, here] = [was, theirs, mine].map(choices);
  const found = [];
  for (const field of new Set([...before.keys(), ...there.keys()])) {
    if (same(before.get(field), there.get(field))) continue;
    const isSize = field.startsWith("goods.");
    const isGone = isSize && (!there.has(field) || !before.has(field));
    if (isGone && !field.endsWith(".supply")) continue;
    const say_of = (all) => (all.has(field) ? told(field, all.get(field), zone) : say("plan_no_size"));
    const isMine = here.has(field) !== before.has(field) || !same(here.get(field), before.get(field));
    const names = there.has(field) ? theirs : was;
    const key = field.replace(/^goods\.([^]*)\.\w+$/, "$1");
    const size = names.goods.find((one) => one.id === key)?.size;
    const name = field.split(".").at(-1);
    const what = isSize ? say("plan_field_of", { field: name === "price" ? say("price") : say(SIZE_FIELDS[name]), size: size || names.title }) : say(FIELDS[field]);
    const entry = { field, label: what, theirs: say_of(there) };
    found.push(isMine && !same(here.get(field), there.get(field)) ? { ...entry, mine: say_of(here) } : entry);
  }
  return found;
}

/**
 * The form in which both changes are: what this planner changed stands, except the fields of `taken`, which are as the other
 * wrote them.
 */
export function merged(was, theirs, mine, taken) {
  const [before, there, here] = [was, theirs, mine].map(choices);
  const isKept = (field) => !taken.has(field) && !same(here.get(field), before.get(field));
  const form = { ...theirs };
  for (const field of Object.keys(FIELDS)) {
    for (const name of isKept(field) ? GROUPS[field] ?? [field] : []) form[name] = mine[name];
  }
  const goods = [];
  for (const size of mine.goods) {
    const other = theirs.goods.find((one) => one.id === size.id);
    const supply = `goods.${size.id}.supply`;
    if (size.id === "") goods.push(size);
    else if (!other && (!before.has(supply) || !taken.has(supply))) goods.push(size);
    else if (other) {
      const own = Object.keys(SIZE_FIELDS).filter((name) => isKept(`goods.${size.id}.${name}`));
      goods.push({ ...other, ...Object.fromEntries(own.map((name) => [name, size[name]])) });
    }
  }
  for (const other of theirs.goods) {
    const supply = `goods.${other.id}.supply`;
    const isRemoved = before.has(supply) && !here.has(supply);
    if (!here.has(supply) && (!isRemoved || taken.has(supply))) goods.push(other);
  }
  return { ...form, goods: there.size === 0 ? mine.goods : goods };
}
