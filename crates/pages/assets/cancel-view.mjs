// What is typed to cancel units of an order: what is wrong with it, what follows from it.
import { count, digits, money } from "./numbers.mjs";
import { say } from "./words.mjs";

/** Bytes of a reason at most. */
const REASON_BYTES_MAX = 500;

/** A whole number as it is typed; `null` for anything else. */
export function unitsOf(text) {
  const typed = text.trim().replaceAll(",", "");
  return /^\d{1,9}$/.test(typed) ? Number(typed) : null;
}

/** An amount as it is typed, in minor units; `null` for anything else. A point or a comma stands before the decimals. */
export function minorOf(text, currency) {
  const places = digits(currency);
  const found = text.trim().match(/^(\d{1,12})(?:[.,](\d+))?$/);
  if (!found || (found[2] ?? "").length > places) return null;
  return Number(found[1]) * 10 ** places + Number((found[2] ?? "").padEnd(places, "0"));
}

/** An amount as it would be typed. */
export function typed(minor, currency) {
  const places = digits(currency);
  if (places === 0) return String(minor);
  const text = String(minor).padStart(places + 1, "0");
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** What goes back for so many units where nobody says anything else: their price, with the last ones all charges. */
export function usual(units, order) {
  const cost = units * order.price + (units > 0 && units === order.units ? order.charges : 0);
  return Math.min(cost, order.left);
}

/** What is wrong with what was typed, by field; empty if nothing is. */
export function faults({ units, amount, reason }, order) {
  const wrong = {};
  const given = unitsOf(units);
  if (given === null || given > order.units) wrong.units = say("cancel_units_wrong", { value: units.trim(), max: count(order.units) });
  const minor = minorOf(amount, order.currency);
  const max = money(order.left, order.currency);
  if (minor === null || minor > order.left) wrong.amount = say("cancel_amount_wrong", { value: amount.trim(), max });
  else if (given === 0 && minor === 0) wrong.units = say("cancel_nothing");
  if (reason.trim() === "") wrong.reason = say("cancel_reason_wrong");
  else if (new TextEncoder().encode(reason.trim()).length > REASON_BYTES_MAX) wrong.reason = say("cancel_reason_long");
  return wrong;
}

/** What follows from what was typed, in three sentences; "" for what cannot be known. */
export function follows({ units, amount, restock }, order) {
  const given = unitsOf(units);
  const minor = minorOf(amount, order.currency);
  const isKnown = given !== null && given <= order.units;
  const cancelled = given === 0 ? say("cancel_what_none") : isKnown && say("cancel_what_units", { n: count(given), left: count(order.units - given) });
  const back = minor === 0 ? say("cancel_money_none") : minor !== null && minor <= order.left && say("cancel_money_back", { amount: money(minor, order.currency) });
  const again = restock && given > 0 ? isKnown && say("cancel_stock_back", { n: count(given) }) : say("cancel_stock_none");
  return [cancelled || "", back || "", again || ""];
}
