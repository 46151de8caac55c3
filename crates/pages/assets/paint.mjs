// Puts a view on the page: only what differs from what stands there is touched.
import { say } from "./words.mjs";

const found = new Map();

function first(selector) {
  if (!found.has(selector)) found.set(selector, document.querySelector(selector));
  return found.get(selector);
}

/** Elements by their names, each found once. */
function named(kind) {
  const known = new Map();
  return (name) => {
    let node = known.get(name);
    if (node === undefined) known.set(name, (node = document.querySelector(`[data-${kind}="${name}"]`)));
    return node;
  };
}

/** The element of this name. */
export const el = named("el");
const place = named("s");

/** Sets a text. */
export function text(name, value) {
  put(place(name), value);
}

/** What was put there last: the page is asked only before the first time. */
const written = new WeakMap();

/** The text stays the same node: a browser that only exchanges its words finds nothing else to do. */
function put(node, value) {
  if (!node) return;
  const wanted = String(value);
  if (written.get(node) === wanted) return;
  written.set(node, wanted);
  const words = node.firstChild;
  if (words?.nodeType === Node.TEXT_NODE && words.nextSibling === null && wanted !== "") {
    if (words.data !== wanted) words.data = wanted;
  } else if (node.textContent !== wanted) node.textContent = wanted;
}

/** Sets an attribute. */
export function attribute(node, name, value) {
  if (!node) return;
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Shows an icon. */
export function icon(name, glyph) {
  attribute(first(`[data-icon="${name}"]`), "href", `#i-${glyph}`);
}

/** Shows what stands for goods. */
export function picture(name, drawn) {
  attribute(first(`[data-picture="${name}"]`), "href", drawn);
}

/** Shows or hides. */
export function show(name, shown) {
  const node = el(name);
  if (node && node.hidden === shown) node.hidden = !shown;
}

/** The parts of rows, found once. */
const parts = new WeakMap();

function part(row, name, selector = `[data-t="${name}"]`) {
  let known = parts.get(row);
  if (!known) parts.set(row, (known = new Map()));
  if (!known.has(name)) known.set(name, row.querySelector(selector));
  return known.get(name);
}

/** Whether a list has a row for each entry, in their order, and no more. */
function isInStep(list, entries, key) {
  let row = list.firstElementChild;
  while (row && row.dataset.key === undefined) row = row.nextElementSibling;
  for (const entry of entries) {
    if (row?.dataset.key !== key(entry)) return false;
    row = row.nextElementSibling;
  }
  return row === null;
}

/** Keeps the rows of a list in step with its entries: rows stay the same nodes as long as their key is there. */
export function rows(name, entries, key, fill) {
  const list = first(`[data-list="${name}"]`);
  let row = null;
  const set = (what, value) => put(part(row, what), value);
  if (!isInStep(list, entries, key)) arrange(list, first(`template[data-row="${name}"]`), entries, key);
  row = list.firstElementChild;
  for (const entry of entries) {
    while (row.dataset.key === undefined) row = row.nextElementSibling;
    fill(row, set, entry);
    row = row.nextElementSibling;
  }
}

function arrange(list, template, entries, key) {
  const there = new Map([...list.children].filter((row) => row.dataset.key !== undefined).map((row) => [row.dataset.key, row]));
  // A row that moves loses the focus, and with it a keyboard its place.
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  let after = null;
  for (const entry of entries) {
    const id = key(entry);
    let row = there.get(id);
    there.delete(id);
    if (!row) {
      row = template.content.firstElementChild.cloneNode(true);
      row.dataset.key = id;
    }
    const wanted = after ? after.nextElementSibling : [...list.children].find((child) => child.dataset.key !== undefined) ?? null;
    if (row !== wanted) list.insertBefore(row, wanted);
    after = row;
  }
  for (const row of there.values()) row.remove();
  if (focused !== null && focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** Moves a bar's three parts. */
function bar(owner, shares) {
  const [paid, held, left] = ["paid", "held", "left"].map((of) => part(owner, `bar ${of}`, `.bar-${of}`));
  const percent = (tenths) => `${tenths / 10}%`;
  attribute(paid, "width", percent(shares[0]));
  attribute(held, "x", percent(shares[0]));
  attribute(held, "width", percent(shares[1]));
  attribute(left, "x", percent(shares[0] + shares[1]));
  attribute(left, "width", percent(shares[2]));
}

function plain(name, values) {
  const list = first(`[data-list="${name}"]`);
  while (list.children.length > values.length) list.lastElementChild.remove();
  while (list.children.length < values.length) list.append(document.createElement("span"));
  values.forEach((value, place) => put(list.children[place], value));
}

/** One block for each second: solid while the host speaks, hatched while the word is on its way. */
export function blocks(cue) {
  const list = first('[data-list="blocks"]');
  const count = cue?.blocks ?? 0;
  while (list.children.length > count) list.lastElementChild.remove();
  while (list.children.length < count) list.append(document.createElement("i"));
  [...list.children].forEach((block, place) => {
    attribute(block, "class", `${place >= cue.speak ? "way" : ""}${place < cue.passed ? " passed" : ""}`);
  });
  attribute(el("mark"), "x", `${(cue?.mark ?? 0) / 10}%`);
  attribute(el("mark"), "visibility", cue?.mark ? null : "hidden");
}

function cueRow(cue) {
  blocks(cue);
  attribute(el("program"), "data-now", cue?.now ? "true" : null);
  attribute(el("cue"), "data-step", cue?.step ?? 0);
  for (const name of ["speaks", "go", "way"]) text(name, cue?.[name] ?? "");
  text("opens-at", cue?.at ?? "");
}

function tiles(found) {
  for (const tile of found) {
    const node = first(`[data-tile="${tile.key}"]`);
    if (!node) continue;
    if (node.hidden === tile.known) node.hidden = !tile.known;
    put(part(node, "value"), tile.value);
    put(part(node, "unit"), tile.unit);
    put(part(node, "second"), tile.second);
    if (tile.gauge !== null) attribute(part(node, "gauge"), "width", `${tile.gauge / 10}%`);
  }
}

/** The chart steps once a second. */
export function chart(drawn) {
  attribute(first('[data-p="up"]'), "d", drawn.up);
  attribute(first('[data-p="down"]'), "d", drawn.down);
  attribute(el("chart"), "aria-label", drawn.label);
  text("up-scale", drawn.up_scale);
  text("down-scale", drawn.down_scale);
  text("holds", drawn.holds);
  text("refused", drawn.refused);
  text("why", drawn.why);
  attribute(place("why"), "title", drawn.why);
}

function hero(drawn, cue) {
  const node = el("hero");
  cueRow(cue);
  attribute(node, "data-kind", drawn.kind);
  attribute(node, "data-fits", drawn.fits);
  text("hero", drawn.text);
  text("beside", drawn.beside);
}

function air(drawn) {
  show("rehearsal", drawn.rehearsal);
  text("title", drawn.title);
  picture("air", drawn.picture);
  if (document.title !== `${drawn.title} · Stampede`) document.title = `${drawn.title} · Stampede`;
  attribute(first("#air-title"), "title", drawn.title);
  plain("facts", drawn.facts);
  icon("state", drawn.glyph);
  text("state", drawn.state);
  hero(drawn.hero, drawn.cue);
  text("under-left", drawn.under.left);
  text("under-note", drawn.under.note);
  text("under-right", drawn.under.right);
  text("under-right-note", drawn.under.right_note);
  bar(el("stock"), drawn.bar.shares);
  attribute(el("stock"), "aria-label", drawn.bar.label);
  attribute(el("stock"), "data-fits", drawn.hero.fits);
  for (const [place, kind] of ["paid", "held", "left"].entries()) {
    text(`bar-${kind}`, drawn.bar[kind]);
    text(`share-${kind}`, drawn.bar.percents[place]);
  }
  text("differ-by", drawn.differ_by);
  rows("skus", drawn.skus, (sku) => sku.sku, (row, set, sku) => {
    row.classList.toggle("out", sku.out);
    attribute(part(row, "title of it", "th"), "title", sku.name);
    for (const name of ["name", "left", "held", "paid"]) set(name, sku[name]);
    bar(row, sku.shares);
  });
  tiles(drawn.tiles);
}

function next(drawn) {
  show("next-none", drawn === null);
  show("next-body", drawn !== null);
  if (drawn === null) {
    show("next-hidden", false);
    return;
  }
  show("next-hidden", drawn.hidden);
  text("next-title", drawn.title);
  picture("next", drawn.picture);
  text("next-stock", drawn.stock);
  text("next-price", drawn.price);
  text("next-countdown", drawn.countdown);
  text("next-by-itself", drawn.by_itself);
}

/** What the show came to, in the place of what is next. */
function ended(drawn) {
  show("no-next", drawn === null);
  show("ended", drawn !== null);
  text("ended-totals", drawn?.totals ?? "");
  text("ended-money", drawn?.money ?? "");
  if (drawn !== null) attribute(el("ended-report"), "href", drawn.report);
}

function order(drawn) {
  show("order-none", drawn.length === 0);
  show("order-key", drawn.some((row) => row.can_be_next));
  rows("order", drawn, (row) => row.drop, (node, set, row) => {
    attribute(node, "class", row.kind);
    const make = part(node, "make next", "[data-do=make-next]");
    attribute(make, "aria-label", say("make_next_of", { title: row.title }));
    // What had the focus there stays in the list.
    if (!row.can_be_next && make === document.activeElement) node.parentElement.focus();
    if (make.hidden === row.can_be_next) make.hidden = !row.can_be_next;
    attribute(part(node, "title of it", ".row-title"), "title", row.title);
    attribute(part(node, "glyph"), "href", `#i-${row.glyph}`);
    attribute(part(node, "picture"), "href", row.picture);
    for (const name of ["place", "mark", "hidden", "title", "result"]) set(name, row[name]);
  });
}

/** One command's button. */
export function button(name, drawn) {
  const node = first(`[data-command="${name}"]`);
  attribute(node, "data-act", drawn.act);
  attribute(node, "data-drop", drawn.drop);
  const guard = name === "close" ? " guard" : "";
  const holding = node.classList.contains("holding") ? " holding" : "";
  attribute(node, "class", `btn command ${name} ${drawn.look}${guard}${holding}`);
  attribute(node, "aria-disabled", drawn.enabled ? null : "true");
  attribute(part(node, "icon"), "href", `#i-${drawn.icon}`);
  for (const what of ["label", "effect", "key"]) put(part(node, what), drawn[what]);
}

/** The drops that can be put on air. */
export function airs(drawn) {
  rows("airs", drawn, (one) => one.drop, (node, set, one) => {
    attribute(node, "data-drop", one.drop);
    attribute(node, "aria-disabled", one.enabled ? null : "true");
    set("effect", one.effect);
    set("key", one.key);
  });
}

/** The alarm line. */
export function alarm(drawn, kind) {
  attribute(el("alarm"), "data-level", drawn.level);
  icon("alarm", { calm: "tick", attention: "triangle", alarm: "octagon" }[drawn.level]);
  text("alarm-kind", kind);
  text("alarm", drawn.text);
  text("alarm-count", drawn.count);
  alarmButton(first("[data-do=alarm]"), "alarm-act", drawn.act);
  alarmButton(first("[data-do=alarm-also]"), "alarm-also", drawn.also ?? null);
}

function alarmButton(node, name, act) {
  // What is gone gives the focus to what is always there.
  if (act === null && node === document.activeElement) first("[data-command=restock]").focus();
  if (node.hidden !== (act === null)) node.hidden = act === null;
  if (act === null) return;
  node.dataset.kind = act.kind;
  node.dataset.sku = act.sku;
  text(name, act.label);
}

function people(name, found) {
  rows(name, found, (person) => person.name, (_, set, person) => {
    set("name", person.name);
    set("role", person.role);
  });
}

function others(drawn) {
  text("here", drawn.here);
  attribute(first('[data-s="here"]'), "title", drawn.here);
  show("also", drawn.people.length > 0);
  people("others", drawn.people);
}

/** Those who were there when the page last heard, in the place of the next drop. */
export function whoCan(found, asOf, offline) {
  attribute(el("next"), "data-others", found.length > 0 ? "yes" : null);
  text("who-as-of", asOf);
  text("who-offline", offline);
  people("who-can", found);
}

/** The whole page but for its alarm line, its chart, its buttons. */
export function page(view) {
  show("air", view.air !== null);
  show("empty", view.air === null);
  if (view.empty) {
    text("empty-title", view.empty.title);
    text("empty-lead", view.empty.lead);
    show("yours", view.empty.unnamed);
  }
  show("rehearsing", view.rehearsing);
  show("can-rehearse", view.can_rehearse);
  if (view.air) air(view.air);
  next(view.next);
  ended(view.ended);
  order(view.order);
  text("video", view.video);
  text("video-menu", view.video);
  others(view.others);
  text("tonight", view.tonight);
}
