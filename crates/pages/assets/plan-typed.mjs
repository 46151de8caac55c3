// Numbers, lengths of time and texts as a planner types them: what they mean, or what is wrong with them.
import { count, digits, money } from "./numbers.mjs";
import { plain, UNITS_MAX, whole } from "./typed.mjs";
import { say } from "./words.mjs";

/** A price times all units that there can be is a number that is exact. */
const MINOR_MAX = Math.floor(Number.MAX_SAFE_INTEGER / UNITS_MAX);
const TITLE_CHARS_MAX = 80;
const TEXT_BYTES_MAX = 200;
const ADDRESS_BYTES_MAX = 2048;
const HOLD_S_MAX = 86_400;
const LENGTH_S_MAX = 366 * 86_400;

const bytes = (text) => new TextEncoder().encode(text).length;
const fault = (key, values) => ({ fault: say(key, values) });

/** Nothing was typed where something has to be. */
const MISSING = { isMissing: true };

/** The characters of a text as they are read. */
export const characters = (text) => [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map(({ segment }) => segment);

/** A count of units from `min` to `max`: `{ value }`, `{ fault }` or `{ isMissing }`. Thousands may be grouped. */
export function units(text, min = 0, max = UNITS_MAX) {
  const typed = plain(text);
  if (typed === "") return MISSING;
  if (/^[-\u2212]/.test(typed)) return fault("plan_negative", { value: typed });
  const value = whole(typed);
  if (value === null && /^\d+\.\d+$/.test(typed)) return fault("plan_whole", { value: typed });
  if (value === null) return fault("plan_no_count", { value: typed });
  if (value > max) return fault("plan_units_max", { value: count(value), max: count(max) });
  return value < min ? fault("plan_at_least", { value: count(value), min: count(min) }) : { value };
}

/** A price in minor units by the currency's digits. A point stands before the decimals; a comma there is told. */
export function price(text, currency) {
  const places = digits(currency);
  const sign = money(0, currency).replace(/[\d.\s\u00a0]/g, "").normalize("NFKC");
  const typed = plain(text).replace(/\s/g, "").replace(sign, "").replace(currency, "");
  if (typed === "") return MISSING;
  if (/^[-\u2212]/.test(typed)) return fault("plan_negative", { value: plain(text) });
  const isGrouped = /^\d{1,3}(,\d{3})+$/.test(typed) && places === 0;
  const bare = isGrouped || /^\d{1,3}(,\d{3})+\.\d+$/.test(typed) ? typed.replaceAll(",", "") : typed;
  if (/^\d+,\d+$/.test(bare)) {
    const isDecimal = bare.split(",")[1].length <= places;
    return fault("plan_comma", { value: bare, better: bare.replace(",", isDecimal ? "." : "") });
  }
  const found = bare.match(/^(\d{1,15})(?:\.(\d+))?$/);
  if (!found) return fault("plan_no_price", { value: plain(text), example: places === 0 ? "49" : `49.${"9".padEnd(places, "0")}` });
  const decimals = found[2] ?? "";
  if (decimals.length > places) {
    return places === 0 ? fault("plan_no_decimals", { value: bare, currency }) : fault("plan_decimals", { value: bare, n: places, currency });
  }
  const value = Number(found[1]) * 10 ** places + Number(decimals.padEnd(places, "0"));
  return value > MINOR_MAX ? fault("plan_price_max", { value: bare, max: money(MINOR_MAX, currency) }) : { value };
}

/** What is said of a length of time that is none, too short or too long. */
const HOLD = ["plan_no_time", "plan_hold_min", "plan_hold_max"];
const LENGTH = ["plan_no_length", "plan_length_min", "plan_length_max"];

/** How long a drop is open, in milliseconds, typed as a hold's time is. */
export const length = (text) => holdTime(text, LENGTH, LENGTH_S_MAX);

/** A hold's time in milliseconds, typed as minutes and seconds or hours, minutes and seconds. */
export function holdTime(text, [none, short, long] = HOLD, max = HOLD_S_MAX) {
  const typed = plain(text);
  if (typed === "") return MISSING;
  if (/^[-\u2212]/.test(typed)) return fault("plan_negative", { value: typed });
  const found = typed.match(/^(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d)$/);
  const isTime = found && (found[1] === undefined || Number(found[2]) < 60);
  if (!isTime) return fault(none, { value: typed });
  const s = Number(found[1] ?? 0) * 3600 + Number(found[2]) * 60 + Number(found[3]);
  if (s < 1) return fault(short, { value: typed });
  return s > max ? fault(long, { value: typed }) : { value: s * 1000 };
}

/** A hold's time as it would be typed. */
export function typedHold(ms) {
  const s = Math.round(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(s / 3600);
  return hours === 0 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${hours}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Seconds in milliseconds, from 0 to `max` seconds; up to three decimals. */
export function seconds(text, max) {
  const typed = plain(text);
  if (typed === "") return MISSING;
  if (/^[-\u2212]/.test(typed)) return fault("plan_negative", { value: typed });
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(typed)) return fault("plan_no_seconds", { value: typed });
  const value = Math.round(Number(typed) * 1000);
  return value > max * 1000 ? fault("plan_seconds_max", { value: typed, max: count(max) }) : { value };
}

/** Seconds as they would be typed. */
export const typedSeconds = (ms) => String(ms / 1000);

/** By how many characters a text is too long: as it is read, and for the server. */
function excess(text, charsMax) {
  const all = characters(text);
  let kept = Math.min(all.length, charsMax);
  while (bytes(all.slice(0, kept).join("")) > TEXT_BYTES_MAX) kept -= 1;
  return all.length - kept;
}

/** A text for people; a title is shorter than other texts. */
export function shown(text, charsMax = TITLE_CHARS_MAX) {
  const typed = text.trim();
  if (typed === "") return MISSING;
  const over = excess(typed, charsMax);
  return over > 0 ? fault("plan_too_long", { n: count(over) }) : { value: typed };
}

/** The characters of a title as they are read, and how many there may be. */
export const titleLength = (text) => ({ n: count(characters(text.trim()).length), max: count(TITLE_CHARS_MAX) });

const ID_CHARS_MAX = 64;

/** An id that is like what was typed, with a hyphen for what an id has none of; `null` where letters would be lost, or nothing is left but points. */
export function idLike(text) {
  const typed = plain(text);
  if (/[^\P{L}A-Za-z]|[^\P{N}0-9]/u.test(typed)) return null;
  const id = typed.replace(/[^A-Za-z0-9._:]+/g, "-").replace(/^-/, "").slice(0, ID_CHARS_MAX).replace(/-$/, "");
  return /^\.*$/.test(id) ? null : id;
}

/** An id: of a stream, a merchant or a host. One that is none comes with one that is like it, where there is one: `better`. */
export function id(text) {
  const typed = plain(text);
  if (typed === "") return MISSING;
  if (/^[A-Za-z0-9._:-]{1,64}$/.test(typed)) return { value: typed };
  const better = idLike(typed);
  return better === null ? fault("plan_id_chars", { value: typed }) : { ...fault("plan_id_better", { value: typed, better }), better };
}

/** A currency's code. */
export function currency(text) {
  const typed = plain(text).toUpperCase();
  if (typed === "") return MISSING;
  return /^[A-Z]{3}$/.test(typed) ? { value: typed } : fault("plan_currency_wrong", { value: typed });
}

/** The address of a picture, "" for none. */
export function picture(text) {
  const typed = text.trim();
  if (typed === "" || /^\/[A-Za-z0-9/._-]+$/.test(typed)) return { value: typed };
  if (bytes(typed) > ADDRESS_BYTES_MAX) return fault("plan_address_long");
  let url;
  try {
    url = new URL(typed);
  } catch {
    return fault("plan_no_address", { value: typed });
  }
  return url.protocol === "https:" && !/\s/.test(typed) ? { value: typed } : fault("plan_no_address", { value: typed });
}
