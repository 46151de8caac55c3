// Many drops from a table that was pasted: what is read of it is shown, nothing is planned before it is pressed.
import "./frame.mjs";
import { ready } from "./commands.mjs";
import { count } from "./numbers.mjs";
import { keepBar } from "./plan-bar.mjs";
import { Drafts, freshId, GO, storage } from "./plan-drafts.mjs";
import { cell, el, find, put, row } from "./plan-fields.mjs";
import { DROPS_MAX, Show } from "./plan-order.mjs";
import { columnName, ROWS_MAX, table, written } from "./plan-table.mjs";
import { loadAll } from "./plan-words.mjs";
import { say } from "./words.mjs";

const language = document.documentElement.lang;
await loadAll(language);

const READ_MS = 150;

const { stream, name } = document.body.dataset;
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const show = new Show(document.body.dataset, () => {});
const drafts = new Drafts(storage(), name, stream);
const field = find("#table");
const act = find("[data-do=plan]");
/** Whose goods they are, for whoever plans for more than one merchant. */
const merchant = find("#paste-merchant");
/** The table itself is a draft too: it is there again after a sign-in. */
const KEPT = `stampede_plan_table/${encodeURIComponent(name)}/${encodeURIComponent(stream)}`;

let found = table("", {});
let readDue = null;

const gap = () => (language === "zh-CN" ? "、" : ", ");
const list = (all) => all.join(gap());

function look() {
  clearTimeout(readDue);
  const reader = { name, merchant: show.merchant ?? merchant.value, delayMs: show.delayMs, currency: language === "zh-CN" ? "CNY" : "EUR" };
  found = table(field.value, { reader, like: show.like, here: { zone, now: show.now, delayMs: show.delayMs }, isBound: show.merchant !== null });
  draw();
}

const right = () => found.drops.filter(({ isRight }) => isRight);

function draw() {
  const isMissing = found.missing.length > 0;
  find("#table-error").hidden = !isMissing;
  put("table-wrong", isMissing ? say("plan_paste_missing", { names: list(found.missing.map(columnName)) }) : "");
  if (isMissing) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  el("preview").hidden = found.rows.length === 0;
  put("found", say("plan_paste_found", { rows: count(found.rows.length), drops: count(found.drops.length) }));
  put("unused", found.unread.length > 0 ? say("plan_paste_cut", { n: count(ROWS_MAX) }) : found.unused.length > 0 ? say("plan_paste_unused", { names: list(found.unused) }) : "");
  const wrong = found.rows.filter(({ faults }) => faults.length > 0);
  el("wrong-count").hidden = wrong.length === 0;
  el("right").hidden = wrong.length > 0;
  put("wrong-count", say("plan_paste_wrong", { n: count(wrong.length) }));
  find("[data-list=wrong]").replaceChildren(...wrong.map(({ number, faults }) => {
    const item = document.createElement("li");
    const place = document.createElement("b");
    place.textContent = say("plan_row_number", { n: count(number) });
    item.append(place, ` ${list(faults)}`);
    return item;
  }));
  find("[data-list=rows]").replaceChildren(...found.rows.map(drawRow));
  const n = right().length;
  const room = el("room");
  room.hidden = n <= show.room_left;
  room.textContent = say("plan_paste_room", { max: count(DROPS_MAX), n: count(show.room_left) });
  put("plan", n === 0 ? say("plan_paste_do_none") : say("plan_paste_do", { n: count(n) }));
  put("plan-effect", n === 0 ? say("plan_paste_nothing") : say("plan_paste_do_effect"));
  act.setAttribute("aria-disabled", String(n === 0));
}

function drawRow({ number, values, faults, form }) {
  const node = row("rows");
  node.classList.toggle("bad", faults.length > 0);
  for (const part of ["title", "size", "code", "price", "supply", "reserve", "limit"]) cell(node, part, values[part]);
  for (const part of ["currency", "merchant"]) if (find(`[data-t=${part}]`, node)) cell(node, part, form[part]);
  cell(node, "number", String(number));
  cell(node, "state", faults.length > 0 ? list(faults) : say("plan_paste_ok"));
  return node;
}

/** Makes drafts of the drops that are right; the list of the show plans them. */
function plan() {
  look();
  const all = right();
  if (all.length === 0) {
    (show.merchant === null && found.rows.length > 0 && merchant.value.trim() === "" ? merchant : field).focus();
    return;
  }
  const now = Date.now();
  // What is not right is left here, to be mended, and so is what was not read.
  const rest = [...found.drops.filter(({ isRight }) => !isRight).flatMap(({ rows }) => rows), ...found.unread];
  const made = all.map(({ form }, at) => ({ id: freshId(now + at), form, place: "", base: null, sent: null, at: now + at, isQueued: true }));
  // The rest first: with less of the table kept, there is more room for drafts.
  if (!keep(rest.length === 0 ? "" : written(rest)) || !drafts.keepAll(made)) {
    keep(field.value);
    find("#table-error").hidden = false;
    put("table-wrong", say("plan_no_room"));
    field.focus();
    return;
  }
  sessionStorage.setItem(GO, stream);
  field.value = "";
  location.assign(`/plan/${stream}`);
}

/** Keeps the table; `false` where the browser has no room for it or keeps nothing: then it is there while the page is open. */
function keep(text) {
  try {
    if (text === "") storage().removeItem(KEPT);
    else storage().setItem(KEPT, text);
    return true;
  } catch {
    return false;
  }
}

field.addEventListener("input", () => {
  keep(field.value);
  clearTimeout(readDue);
  readDue = setTimeout(look, READ_MS);
});
merchant?.addEventListener("input", look);
find("[data-form=paste]").addEventListener("submit", (event) => {
  event.preventDefault();
  plan();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
  event.preventDefault();
  plan();
});
ready();
keepBar(show);
// What was pasted before this script came stays.
if (merchant !== null) merchant.value ||= show.like?.merchant ?? "";
field.value ||= storage().getItem(KEPT) ?? "";
look();
