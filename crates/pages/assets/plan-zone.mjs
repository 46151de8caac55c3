// Times of day in a zone, and the moments that they are: none where the clock skips an hour, two where it repeats one.

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const two = (number) => String(number).padStart(2, "0");

const formats = new Map();

/** By how many milliseconds a zone's clock is ahead of UTC at a moment. */
export function ahead(ms, zone) {
  if (!formats.has(zone)) {
    const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    formats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...fields }));
  }
  const at = {};
  for (const { type, value } of formats.get(zone).formatToParts(ms)) at[type] = Number(value);
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) - Math.floor(ms / 1000) * 1000;
}

/** A clock's time as if it were UTC's; `null` for what is no time. */
function asUtc(date, time) {
  const found = `${date}T${time}`.match(/^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,3})?)?$/);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second) + Math.round(Number(found[7] ?? 0) * 1000);
  return new Date(ms).getUTCDate() === day && hour < 24 && minute < 60 && second < 60 ? ms : null;
}

/**
 * The moments at which a zone's clock shows a time, in milliseconds since 1970, earliest first: one, or none, or two where
 * the clock is changed. `null` for what is no time.
 */
export function moments(date, time, zone) {
  const shown = asUtc(date, time);
  if (shown === null) return null;
  const offsets = new Set([ahead(shown - DAY_MS, zone), ahead(shown + DAY_MS, zone)]);
  const found = [...offsets].map((offset) => shown - offset).filter((ms) => ms + ahead(ms, zone) === shown);
  return found.sort((one, other) => one - other);
}

/** The time that a clock shows where the one that was typed does not exist: as much later as the clock is put forward. */
export function instead(date, time, zone) {
  const shown = asUtc(date, time);
  const ms = shown - ahead(shown - DAY_MS, zone);
  return local(ms, zone);
}

/** What a zone's clock shows at a moment: `{ date, time }`, with seconds where there are any. */
export function local(ms, zone) {
  const at = new Date(ms + ahead(ms, zone));
  const rest = at.getUTCMilliseconds() ? `.${String(at.getUTCMilliseconds()).padStart(3, "0")}` : "";
  const seconds = at.getUTCSeconds() || rest ? `:${two(at.getUTCSeconds())}${rest}` : "";
  return { date: at.toISOString().slice(0, 10), time: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${seconds}` };
}

/** How far a zone's clock is ahead of UTC at a moment, as it is written: `UTC+1`, `UTC-3:30`. */
export function offset(ms, zone) {
  const minutes = Math.round(ahead(ms, zone) / MINUTE_MS);
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${hours}${rest ? `:${two(rest)}` : ""}`;
}
