// A drop in short, as far as its form can be read: what the planner reads before pressing.
import { count, money } from "./numbers.mjs";
import { typedSeconds } from "./plan-typed.mjs";
import { offset } from "./plan-zone.mjs";
import { say } from "./words.mjs";

/** A length of time that was planned, in words: whole minutes, else minutes and seconds. */
export function span(ms) {
  if (ms % 60_000 === 0) return say("minutes", { n: count(ms / 60_000) });
  if (ms < 60_000) return say("seconds", { n: typedSeconds(ms) });
  return say("minutes_seconds", { m: count(Math.floor(ms / 60_000)), s: typedSeconds(ms % 60_000) });
}

/** A moment by a zone's clock, with its day and how far the clock is ahead. */
export function moment(ms, zone, language) {
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  return say("plan_at", { day: day.format(ms), time: time.format(ms), offset: offset(ms, zone) });
}

/** The units that are planned with what they cost in all; `null` where nothing of it can be read. */
export function sums(form, { values }) {
  const at = ({ key }, name) => values[`goods.${key}.${name}`];
  const known = form.goods.filter((size) => at(size, "supply") !== undefined);
  if (known.length === 0) return null;
  const add = (name) => known.reduce((sum, size) => sum + (at(size, name) ?? 0), 0);
  const isPriced = known.every((size) => at(size, "price") !== undefined) && values.currency !== undefined;
  const worth = isPriced ? known.reduce((sum, size) => sum + at(size, "supply") * at(size, "price"), 0) : null;
  return { units: add("supply"), reserve: add("reserve"), worth: worth === null ? null : money(worth, values.currency) };
}

function unitsLine(form, reading) {
  const all = sums(form, reading);
  if (all === null) return say("plan_short_no_units");
  const text = form.goods.length === 1 ? say("units_in", { n: count(all.units) }) : say("plan_short_units", { n: count(all.units), sizes: count(form.goods.length) });
  return all.reserve === 0 ? text : say("plan_short_reserve", { text, n: count(all.reserve) });
}

function limitLine(form, { values }) {
  if (values.limit === undefined) return null;
  const own = form.goods.filter(({ key }) => (values[`goods.${key}.limit`] ?? values.limit) < values.limit);
  const list = own.map(({ key, size }) => say("plan_short_of", { n: count(values[`goods.${key}.limit`]), size: size.trim() || form.title.trim() }));
  return list.reduce((text, more) => say("plan_short_and", { text, more }), say("plan_short_limit", { n: count(values.limit) }));
}

const timed = (name, form, values, { zone, language }) =>
  (form[name] !== "time" || values[`${name}Time`] === undefined ? null : moment(values[`${name}Time`], zone, language));

function offlineLine(form, { values }) {
  if (!form.pauses) return say("plan_short_goes_on");
  if (values.pauseAfter === undefined) return null;
  return say(form.resumes ? "plan_short_pauses_resumes" : "plan_short_pauses", { n: span(values.pauseAfter) });
}

/** The lines: each with its drawing; what cannot be read yet is left out. */
export function short(form, reading, reader) {
  const { values } = reading;
  const start = timed("start", form, values, reader);
  const end = timed("end", form, values, reader);
  const lines = [
    ["bag", unitsLine(form, reading)],
    ["people", limitLine(form, reading)],
    ["clock", values.hold === undefined ? null : say("plan_short_hold", { n: span(values.hold) })],
    ["unseen", form.hidden ? say("plan_hidden") : null],
    ["play", form.start === "time" ? start && say("plan_short_starts", { at: start }) : say("plan_short_by_hand")],
    ["square", form.end === "after" && values.endAfter !== undefined ? say("plan_short_ends_after", { n: span(values.endAfter) }) : null],
    ["square", end && say("plan_short_ends", { at: end })],
    ["bars", offlineLine(form, reading)],
  ];
  return lines.filter(([, text]) => text !== null).map(([icon, text]) => ({ icon, text }));
}
