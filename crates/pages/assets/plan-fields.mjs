// The parts of the pages for planning: lines, rows, fields with what is wrong with them.

export const find = (css, within = document) => within.querySelector(css);
export const el = (name, within = document) => find(`[data-el=${name}]`, within);

/** Writes a text where it differs. What stands on its second line is what the server said, in English. */
function write(node, text) {
  const [own, detail] = text.split("\n");
  if (node.textContent === own + (detail ?? "")) return;
  node.textContent = own;
  if (detail === undefined) return;
  const small = document.createElement("small");
  small.lang = "en";
  small.textContent = detail;
  node.append(small);
}

/** Writes a text where the page says it. */
export function put(name, text, within = document) {
  for (const node of within.querySelectorAll(`[data-s=${name}]`)) write(node, text);
}

/** Writes a text of a row. */
export const cell = (row, name, text) => write(find(`[data-t=${name}]`, row), text);

export const drawing = (node, name) => node.setAttribute("href", name.startsWith("/") ? name : `#i-${name}`);

/** A new row of a list. */
export const row = (list) => find(`template[data-row=${list}]`).content.firstElementChild.cloneNode(true);

/**
 * Has a list show these, each in a row under its `key`, drawn by `draw(node, one, at)`. Rows that are there stay the same ones, so that
 * the focus does; it goes to `next()` where its row has gone.
 */
export function drawRows(list, name, all, key, draw, next = () => null) {
  const focus = list.contains(document.activeElement) ? document.activeElement : null;
  const place = [...list.children].findIndex((node) => node.contains(focus));
  const rows = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = all.map((one, at) => {
    const node = rows.get(key(one)) ?? row(name);
    node.dataset.key = key(one);
    draw(node, one, at);
    return node;
  });
  for (const node of rows.values()) if (!wanted.includes(node)) node.remove();
  for (const [at, node] of wanted.entries()) if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  if (focus === null) return;
  if (list.contains(focus)) focus.focus();
  else (list.children[Math.min(place, wanted.length - 1)]?.querySelector("button:enabled, a") ?? next())?.focus();
}

/** Says what is wrong with a field, or that nothing is. */
export function tell(input, text) {
  const line = input.id === "" ? null : document.getElementById(`${input.id}-error`);
  if (line === null) return;
  line.hidden = text === undefined;
  write(find("span", line), text ?? "");
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
