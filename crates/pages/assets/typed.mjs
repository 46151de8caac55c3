// Numbers as people type them, by the same rules on every page.
import { digits } from "./numbers.mjs";

/** Units of a SKU at most. */
export const UNITS_MAX = 16_777_215;

/** What was typed, without what does not matter: digits and marks of full width are those of half width. */
export const plain = (text) => text.normalize("NFKC").trim();

/** Marks that group thousands; what is counted has no decimals, so a point and a comma are no more than that. */
const GROUPED = /^[1-9]\d{0,2}(?:([,.' \u2019])\d{3})(?:\1\d{3}){0,3}$/;

/** A whole number, its thousands grouped or not, as in 1,500, 1.500, 1 500; `null` for anything else. */
export function whole(text) {
  const typed = plain(text);
  if (/^\d{1,15}$/.test(typed)) return Number(typed);
  return GROUPED.test(typed) ? Number(typed.replace(/\D/g, "")) : null;
}

/** Units that are put on sale, taken back, allowed: at least one; `null` for anything else. */
export function someUnits(text) {
  const units = whole(text);
  return units !== null && units >= 1 && units <= UNITS_MAX ? units : null;
}

/** An amount in minor units as it would be typed: a point stands before the decimals. */
export function typedAmount(minor, currency) {
  const places = digits(currency);
  if (places === 0) return String(minor);
  const text = String(minor).padStart(places + 1, "0");
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}
