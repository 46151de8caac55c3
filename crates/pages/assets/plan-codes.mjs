// Codes of goods for which their merchant has none: made of what they are called, so that other goods have others.

/** Bytes of a code's title at most; with a size beside it the server takes it. */
const TITLE_BYTES_MAX = 100;
const SIZE_BYTES_MAX = 90;

const bytes = (text) => new TextEncoder().encode(text).length;

/** The letters and digits of a text, with hyphens between them. */
function plain(text, bytesMax) {
  const words = text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  let chars = [...words];
  while (bytes(chars.join("")) > bytesMax) chars = chars.slice(0, -1);
  return chars.join("").replace(/^-+|-+$/g, "");
}

/** A code made of the title of a drop and what a size is called; "" where neither has a letter. */
export const madeCode = (title, size) => [plain(title, TITLE_BYTES_MAX), plain(size, SIZE_BYTES_MAX)].filter((part) => part !== "").join("-");

/** Whether a code is one that nobody has chosen: made of names, or the SKU's id, which the server takes where a plan has none. */
export const isMade = ({ id, merchant_sku: code }, title, size) => code === id || code === madeCode(title, size);
