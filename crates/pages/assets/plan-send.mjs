// What is sent for a drop, and what is said where the server refuses it.
import { freshKey, send } from "./commands.mjs";
import { why } from "./why.mjs";

/** Refusals whose own words say more than the page could: which value, which limit. */
const TOLD = new Set([
  "invalid_plan", "bad_body", "fields_conflict", "price_below_minimum", "unknown_currency", "stream_not_yours", "share_full", "stream_full",
  "hosts_not_allowed", "memory_full", "in_the_past", "ends_too_soon", "countdown_too_short", "already_supplied", "forbidden", "fixed_field",
]);

/** The answers that say that nobody is signed in here. */
const SIGNED_OUT = new Set(["token_missing", "token_unknown", "session_expired"]);

export const isSignedOut = (code) => SIGNED_OUT.has(code);

/**
 * What the server says: in its own words where they name a value, for whoever reads English; on a second line, below the page's
 * words, for anybody else.
 */
export function refusal(done, language = "en") {
  const { code, told } = done;
  const detail = TOLD.has(code) ? detailOf(told) : "";
  if (detail === "") return why(done);
  return language === "en" ? detail : `${why(done)}\n${detail}`;
}

const detailOf = ({ detail = "" }) => detail.replace(/^the plan is not valid: /, "");

/** A refusal that begins with the interface's name of a field, with what the page calls it in its place. */
export const named = (text, label) => text.replace(/(?<=^|\n)(skus\[\d+\]\.)?[a-z_]+(\[\d+\])?(\.[a-z_]+)*:?(?= )/, (name) => (/[._[]|^(title|host|merchant)\b/.test(name) ? label : name));

/** Fields of the form by how the interface names them; the longest name that fits counts. */
const FIELDS = [
  ["title", "title"], ["host", "host"], ["merchant", "merchant"], ["limit_per_viewer", "limit"], ["hold_ttl_ms", "hold"],
  ["countdown_ms", "countdown"], ["starts_at_ms", "startTime"], ["ends_at_ms", "endTime"], ["ends_after_opening_ms", "endAfter"], ["when_offline", "pauseAfter"],
  ["stock_display", "stock"], ["running_order", "place"],
];
const SKU_FIELDS = [
  ["price.currency", "currency"], ["price", "price"], ["supply", "supply"], ["reserve", "reserve"], ["limit_per_viewer", "limit"],
  ["merchant_sku", "code"], ["options[0].name", "differ"], ["options", "size"], ["image", "picture"], ["title", "title"],
];
const BY_CODE = {
  unknown_currency: "currency", countdown_too_short: "countdown", ends_too_soon: "endTime", stream_not_yours: "merchant",
};

/** The field that a refusal is about; `undefined` where it is about none. */
export function fieldOf({ code, told }, form) {
  // It begins with a merchant's name, whatever that is.
  if (code === "hosts_not_allowed") return undefined;
  const detail = detailOf(told);
  const sku = detail.match(/^skus\[(\d+)\]\.(\S+)/);
  if (sku) {
    const size = form.goods[Number(sku[1])];
    const [, name] = SKU_FIELDS.find(([named]) => sku[2].startsWith(named)) ?? [];
    if (["currency", "differ", "picture", "title"].includes(name)) return name;
    return name && size ? `goods.${size.key}.${name}` : undefined;
  }
  const known = detail.match(/^SKU (?:id )?([A-Za-z0-9._:-]+)/);
  if (known) {
    const size = form.goods.find((one) => one.id === known[1] || one.code === known[1]) ?? form.goods[0];
    return `goods.${size.key}.${/price/.test(detail) ? "price" : "supply"}`;
  }
  const [, name] = FIELDS.find(([named]) => detail.startsWith(named)) ?? [];
  if (code === "in_the_past" || code === "too_far_ahead") return name ?? (form.start === "time" ? "startTime" : "endTime");
  if (detail.startsWith("supply")) return `goods.${form.goods[0].key}.supply`;
  return name ?? BY_CODE[code];
}

/** What is kept of a command before it is sent: it is asked for again under the same key. */
export const sending = (body, revision) => ({ key: freshKey(), body, ...(revision === undefined ? {} : { revision }) });

/** Sends what was kept: a new drop, or an edit of `drop`. */
export const ask = (sent, drop, waiting) =>
  (sent.revision === undefined ? send("/v1/drops", sent.body, waiting, sent.key) : send(`/v1/drops/${encodeURIComponent(drop)}`, sent.body, waiting, sent.key, { terms: sent.revision }));

/**
 * Gives drops their places: `[{ drop, place, revision }]`, one after the other, as they were when that was worked out: a newer
 * order of somebody else stands. The answer that was none of success, or `null`.
 */
export async function move(changes, waiting) {
  for (const { drop, place, revision } of changes) {
    const body = { running_order: place, seen: { phase: "scheduled", revision } };
    const done = await send(`/v1/drops/${encodeURIComponent(drop)}/move`, body, waiting);
    if (!done.ok) return done;
  }
  return null;
}

/** Whether an answer leaves open what was done: one that only says that nobody is signed in does not, where it came at once. */
export const isUnknown = (done) => done.isOpen && !(SIGNED_OUT.has(done.code) && done.asked === 0);
