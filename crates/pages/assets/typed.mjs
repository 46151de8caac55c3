// Numbers as people type them, by the same rules on every page.
import { digits } from "./numbers.mjs";

/** Units of a SKU at most. */
export const UNITS_MAX = 16_777_215;

/** What was typed, without what does not matter: digits and marks of full width are those of half width. */
export const plain = (text) => text.normalize("NFKC").trim();

/** A whole number, its thousands grouped by commas or not; `null` for anything else. */
export function whole(text) {
  const typed = plain(text);
  return /^(\d{1,15}|\d{1,3}(,\d{3}){1,4})$/.test(typed) ? Number(typed.replaceAll(",", "")) : null;
}

/** An amount in minor units as it would be typed: a point stands before the decimals. */
export function typedAmount(minor, currency) {
  const places = digits(currency);
  if (places === 0) return String(minor);
  const text = String(minor).padStart(places + 1, "0");
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}
