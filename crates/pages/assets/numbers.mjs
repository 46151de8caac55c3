// Numbers as the reader writes them: the same rules as src/numbers.rs, for what moves.
import { say } from "./words.mjs";

const symbols = {
  EUR: "€", USD: "$", GBP: "£", CNY: "¥", JPY: "¥", KRW: "₩", INR: "₹", BRL: "R$", AUD: "A$",
};
const two = (number) => String(number).padStart(2, "0");

/** A count, grouped. */
export function count(number) {
  return String(Math.trunc(number)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Shares of a whole in tenths of a percent that sum to 1,000, by the largest remainder. */
export function shares(parts) {
  const whole = parts.reduce((sum, part) => sum + part, 0);
  if (whole === 0) return parts.map(() => 0);
  const found = parts.map((part) => Math.floor((part * 1000) / whole));
  const order = parts.map((_, place) => place);
  order.sort((a, b) => ((parts[b] * 1000) % whole) - ((parts[a] * 1000) % whole));
  const lost = 1000 - found.reduce((sum, share) => sum + share, 0);
  for (const place of order.slice(0, lost)) found[place] += 1;
  return found;
}

/** Tenths of a percent with one decimal. */
export function tenths(share) {
  return say("percent", { n: (share / 10).toFixed(1) });
}

/** A length of time. */
export function duration(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 10) return say("seconds", { n: `${s}.${two(Math.floor((ms % 1000) / 10))}` });
  if (s < 60) return say("seconds", { n: `${s}.${Math.floor((ms % 1000) / 100)}` });
  if (s < 3600) return say("minutes_seconds", { m: Math.floor(s / 60), s: s % 60 });
  if (s < 86400) return say("hours_minutes", { h: Math.floor(s / 3600), m: two(Math.floor(s / 60) % 60) });
  return say("days_hours", { d: Math.floor(s / 86400), h: Math.floor(s / 3600) % 24 });
}

/** A length of time in a sentence: without a part that is nothing. */
export function span(ms) {
  const s = Math.floor(ms / 1000);
  if (s >= 60 && s < 3600 && s % 60 === 0) return say("in_min", { n: s / 60 });
  if (s >= 3600 && s < 86400 && Math.floor(s / 60) % 60 === 0) return say("in_h", { n: Math.floor(s / 3600) });
  if (s >= 86400 && Math.floor(s / 3600) % 24 === 0) return say("in_d", { n: Math.floor(s / 86400) });
  return duration(ms);
}

/** A length of time in whole seconds, rounded up. */
export function wholeSeconds(ms) {
  const s = Math.ceil(ms / 1000);
  return s < 60 ? say("seconds", { n: s }) : duration(s * 1000);
}

/** A time that runs down, in whole seconds, rounded up. */
export function timer(ms) {
  const s = Math.ceil(ms / 1000);
  const minutes = Math.floor(s / 60);
  return s < 3600 ? `${minutes}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(minutes % 60)}:${two(s % 60)}`;
}

/** How old something is. */
export function age(ms) {
  if (ms >= 10000) return duration(Math.floor(ms / 1000) * 1000);
  return say("seconds", { n: `${Math.floor(ms / 1000)}.${Math.floor((ms % 1000) / 100)}` });
}

/** Decimals of the currencies that have not 2, as the server counts them: a browser has a list of its own, with none for some that have 2. */
const decimals = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
};

/** Decimals of a currency. */
export const digits = (code) => decimals[code] ?? 2;

const mark = (code) => symbols[code] ?? `${code}\u00a0`;

/** An exact amount by the currency's digits. */
export function money(minor, code) {
  const places = digits(code);
  const one = 10 ** places;
  const units = `${mark(code)}${count(Math.floor(minor / one))}`;
  return places === 0 ? units : `${units}.${String(minor % one).padStart(places, "0")}`;
}

/** An amount that moves: to the nearest whole unit; from ten million in millions, rounded down. */
export function liveMoney(minor, code, language) {
  const units = Math.round(minor / 10 ** digits(code));
  if (units < 10_000_000) return `${mark(code)}${count(units)}`;
  if (language === "zh-CN") return `${mark(code)}${count(Math.floor(units / 10000))} 万`;
  const tenth = Math.floor(units / 100_000);
  return `${mark(code)}${count(Math.floor(tenth / 10))}.${tenth % 10} M`;
}

function secondsOfDay(unixMs, aheadMin) {
  const s = Math.floor(unixMs / 1000) + aheadMin * 60;
  return ((s % 86400) + 86400) % 86400;
}

/** A time of day by a clock that is so many minutes ahead of UTC. */
export function clock(unixMs, aheadMin) {
  const s = secondsOfDay(unixMs, aheadMin);
  return `${shortClock(unixMs, aheadMin)}:${two(s % 60)}`;
}

/** A time of day without its seconds. */
export function shortClock(unixMs, aheadMin) {
  const s = secondsOfDay(unixMs, aheadMin);
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}`;
}
