// What is typed to cancel units of an order: what is wrong with it, what follows from it.
import { count, digits, money } from "./numbers.mjs";
import { plain, whole } from "./typed.mjs";
import { say } from "./words.mjs";

/** Bytes of a reason at most. */
const REASON_BYTES_MAX = 500;

/** An amount as it is typed, in minor units; `null` for anything else. A point or a comma stands before the decimals. */
export function minorOf(text, currency) {
  const places = digits(currency);
  const found = plain(text).match(/^(\d{1,12})(?:[.,](\d+))?$/);
  if (!found || (found[2] ?? "").length > places) return null;
  return Number(found[1]) * 10 ** places + Number((found[2] ?? "").padEnd(places, "0"));
}

/** What the server gives back for so many units where nobody names an amount: their price, with the last ones all charges. */
export function usual(units, order) {
  const cost = units * order.price + (units > 0 && units === order.units ? order.charges : 0);
  return Math.min(cost, order.left);
}

/** The amount that was typed, in minor units; `undefined` where none was, `null` for what is no amount. */
const named = (amount, currency) => (amount.trim() === "" ? undefined : minorOf(amount, currency));

/**
 * What is asked of the server. Only an amount that was typed is named: the server works out any other, and knows to the
 * cent what is left.
 */
export function asked({ units, amount, restock, reason }, order) {
  return { units: whole(units), amount: named(amount, order.currency), restock, reason: reason.trim(), seen_cancellations: order.seen };
}

/** What is wrong with the reason of a command about money; nothing if it will do. */
export function reasonFault(reason) {
  if (reason.trim() === "") return say("cancel_reason_wrong");
  return new TextEncoder().encode(reason.trim()).length > REASON_BYTES_MAX ? say("cancel_reason_long") : undefined;
}

/** What is wrong with what was typed, by field; empty if nothing is. */
export function faults({ units, amount, reason }, order) {
  const wrong = {};
  const given = whole(units);
  if (given === null || given > order.units) wrong.units = say("cancel_units_wrong", { value: units.trim(), max: count(order.units) });
  const minor = named(amount, order.currency);
  const max = money(order.left, order.currency);
  if (minor === null || minor > order.left) wrong.amount = say("cancel_amount_wrong", { value: amount.trim(), max });
  else if (given === 0 && !minor) wrong.units = say("cancel_nothing");
  const why = reasonFault(reason);
  if (why !== undefined) wrong.reason = why;
  return wrong;
}

/** What goes back, in a sentence: what went back before without a decision counts towards it. */
function goesBack(minor, order) {
  if (minor === 0) return say("cancel_money_none");
  const written = (amount) => money(amount, order.currency);
  const ahead = Math.min(order.ahead, minor);
  if (ahead === 0) return say("cancel_money_back", { amount: written(minor) });
  if (ahead === minor) return say("cancel_money_went", { amount: written(minor) });
  return say("cancel_money_rest", { amount: written(minor), ahead: written(ahead), rest: written(minor - ahead) });
}

/** What follows from what was typed, in three sentences; "" for what cannot be known. */
export function follows({ units, amount, restock }, order) {
  const given = whole(units);
  const isKnown = given !== null && given <= order.units;
  const typedMinor = named(amount, order.currency);
  const minor = typedMinor === undefined && isKnown ? usual(given, order) : typedMinor;
  const cancelled = given === 0 ? say("cancel_what_none") : isKnown && say("cancel_what_units", { n: count(given), left: count(order.units - given) });
  const back = minor !== null && minor <= order.left && goesBack(minor, order);
  const again = restock && given > 0 ? isKnown && say("cancel_stock_back", { n: count(given) }) : say("cancel_stock_none");
  return [cancelled || "", back || "", again || ""];
}
