// Codes of goods for which their merchant has none: made of what they are called, so that other goods have others.

/** Bytes of a code's title at most; with a size beside it the server takes it. */
const TITLE_BYTES_MAX = 100;
const SIZE_BYTES_MAX = 90;

const bytes = (text) => new TextEncoder().encode(text).length;

/** A few letters that texts which differ have different ones of, as good as always (FNV-1a). */
function mark(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36).padStart(7, "0");
}

/** The letters and digits of a text, with hyphens between them, and a mark of the whole text where others have the same. */
function plain(text, bytesMax) {
  const told = text.normalize("NFKC").trim().toLowerCase();
  const kept = letters(told, bytesMax);
  if (kept === "" || /^[\p{L}\p{M}\p{N}]+(?: [\p{L}\p{M}\p{N}]+)*$/u.test(told) && kept === told.replaceAll(" ", "-")) return kept;
  return `${letters(told, bytesMax - 8)}-${mark(told)}`;
}

function letters(text, bytesMax) {
  const words = text.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  let chars = [...words];
  while (bytes(chars.join("")) > bytesMax) chars = chars.slice(0, -1);
  return chars.join("").replace(/^-+|-+$/g, "");
}

/** A code made of the title of a drop and what a size is called; "" where neither has a letter. */
export const madeCode = (title, size) => [plain(title, TITLE_BYTES_MAX), plain(size, SIZE_BYTES_MAX)].filter((part) => part !== "").join("-");

/** Whether a code is one that nobody has chosen: made of names, or the SKU's id, which the server takes where a plan has none. */
export const isMade = ({ id, merchant_sku: code }, title, size) => code === id || code === madeCode(title, size);
