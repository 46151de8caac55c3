// The parts of the pages for planning: lines, rows, fields with what is wrong with them.

export const find = (css, within = document) => within.querySelector(css);
export const el = (name, within = document) => find(`[data-el=${name}]`, within);

/** Writes a text where it differs. */
export function put(name, text, within = document) {
  for (const node of within.querySelectorAll(`[data-s=${name}]`)) {
    if (node.textContent !== text) node.textContent = text;
  }
}

/** Writes a text of a row. */
export function cell(row, name, text) {
  const node = find(`[data-t=${name}]`, row);
  if (node.textContent !== text) node.textContent = text;
}

export const drawing = (node, name) => node.setAttribute("href", name.startsWith("/") ? name : `#i-${name}`);

/** A new row of a list. */
export const row = (list) => find(`template[data-row=${list}]`).content.firstElementChild.cloneNode(true);

/** Says what is wrong with a field, or that nothing is. */
export function tell(input, text) {
  const line = input.id === "" ? null : document.getElementById(`${input.id}-error`);
  if (line === null) return;
  line.hidden = text === undefined;
  find("span", line).textContent = text ?? "";
  if (text === undefined) input.removeAttribute("aria-invalid");
  else input.setAttribute("aria-invalid", "true");
}

/** The line at the top: how urgent it is, its word, its text, its drawing. */
export function line(level, kind, text) {
  const node = el("line");
  node.dataset.level = level;
  // What is still missing changes with every letter: nobody is read all of it.
  node.setAttribute("aria-live", level === "missing" ? "off" : "polite");
  drawing(find("[data-icon=line]"), level === "alarm" ? "octagon" : level === "attention" ? "triangle" : level === "missing" ? "ring" : "tick");
  put("line-kind", kind);
  put("line", text);
}

/** Shows that nobody is signed in here, with the way back. */
export function signIn(isShown) {
  const link = el("sign-in");
  link.hidden = !isShown;
  link.href = `/sign-in?to=${encodeURIComponent(location.pathname)}`;
}

/** Draws goods by their address: a picture from elsewhere, a drawing of ours, or a plain one. */
export function goods(image, [img, drawing_, use]) {
  const isOurs = /^\/goods\/[a-z]+\.svg$/.test(image);
  const isElsewhere = image.startsWith("https:");
  img.hidden = !isElsewhere;
  drawing_.toggleAttribute("hidden", isElsewhere);
  use.setAttribute("href", isOurs ? `${image}#goods` : "#i-goods");
  if (!isElsewhere) img.removeAttribute("src");
  else if (img.getAttribute("src") !== image) img.src = image;
}
