// A show's drops in running order with the drafts of this browser: moved, copied, planned one after the other.
import "./frame.mjs";
import { ready, send } from "./commands.mjs";
import { count } from "./numbers.mjs";
import { keepBar } from "./plan-bar.mjs";
import { DONE, Drafts, freshId, GO, isFresh, storage } from "./plan-drafts.mjs";
import { cell, drawing, drawRows, el, find, line, put, signIn } from "./plan-fields.mjs";
import { isPlanned, Show } from "./plan-order.mjs";
import { ordered, placed } from "./plan-places.mjs";
import { ask, fieldOf, isSignedOut, isUnknown, move, refusal, sending } from "./plan-send.mjs";
import { copied, formOf, planned, read } from "./plan-terms.mjs";
import { id as idOf, units } from "./plan-typed.mjs";
import { loadAll } from "./plan-words.mjs";
import { local } from "./plan-zone.mjs";
import { press as rehearse } from "./rehearsal.mjs";
import { glyphs, picture, prices, restIsOffered, standing } from "./view.mjs";
import { say } from "./words.mjs";

const language = document.documentElement.lang;
await loadAll(language);

/** How often, and how long each time, it is waited until a drop that was just planned is among the show's. */
const HEARD_TRIES = 30;
const HEARD_MS = 100;

const { stream, name } = document.body.dataset;
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const drafts = new Drafts(storage(), name, stream);
const list = find("[data-list=order]");
const own = find("[data-list=drafts]");
const planAll = find("[data-do=plan-all]");
const rehearsal = find("[data-do=rehearse]");
const hosts = find("[data-do=hosts]");
const show = new Show(document.body.dataset, heard);

let isBusy = false;
/** Whether it is being said whether hosts may plan. */
let isSwitching = false;
/** Whether drafts are being planned, and how many of them are. */
let queue = null;
/** Whether the page has said that nobody is signed in. */
let isOut = false;
/** What is dragged: its row with where the pointer is. */
let drag = null;

const dialog = el("copy-dialog");

// --- Rows ---

function draw() {
  if (drag === null) drawOrder();
  drawDrafts();
  drawHosts();
}

function startOf(sale) {
  if (!isPlanned(sale)) return "";
  const at = sale.plan.starts_at_ms;
  if (at === undefined) return say("plan_by_hand_short");
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: zone }).format(at);
  return `${day} ${local(at, zone).time.slice(0, 5)}`;
}

function drawRow(node, sale, at) {
  const { title } = sale.plan;
  const stands = standing(sale);
  cell(node, "place", String(at + 1));
  cell(node, "title", title);
  const supplied = sale.skus.reduce((sum, sku) => sum + sku.supplied, 0);
  cell(node, "about", say("plan_row_about", { units: say("units_in", { n: count(supplied) }), price: prices(sale.plan.skus) }));
  cell(node, "starts", startOf(sale));
  find("[data-t=starts]", node).toggleAttribute("data-hand", sale.plan.starts_at_ms === undefined);
  cell(node, "state", stands.word);
  drawing(find("[data-t=glyph]", node), glyphs[stands.name]);
  find("[data-t=picture]", node).setAttribute("href", picture(sale.plan.skus));
  el("unseen", node).hidden = !sale.hidden;
  el("rehearsal", node).hidden = sale.plan.mode !== "rehearsal";
  el("open", node).href = `/plan/${stream}/${sale.drop}`;
  const rest = el("rest", node);
  rest.hidden = !show.mayPlan(sale.plan.merchant) || !restIsOffered(sale, show.drops);
  rest.href = `/plan/${stream}/new?rest=${sale.drop}`;
  rest.setAttribute("aria-label", say("plan_rest_of", { title }));
  for (const [act, key] of [["grip", "plan_drag"], ["up", "plan_up"], ["down", "plan_down"], ["copy", "plan_copy_of"]]) {
    const button = find(`[data-do=${act}]`, node);
    button.setAttribute("aria-label", say(key, { title }));
    const isEnd = (act === "up" && at === 0) || (act === "down" && at === show.drops.length - 1);
    if (act === "copy") button.hidden = !show.mayPlan(sale.plan.merchant);
    // What is over never moves: the way to plan its rest has the room of two. The grip keeps its column.
    else if (act !== "grip") button.hidden = !rest.hidden;
    if (act !== "copy") button.disabled = !isPlanned(sale) || isEnd;
  }
}

/** Gives the focus back to a button of a row that was moved; at an end of the list there is only the other way. */
function refocus(button) {
  const other = button.disabled ? button.closest("li").querySelector("[data-do=up]:enabled, [data-do=down]:enabled") : button;
  if (other?.isConnected) other.focus();
}

function drawOrder() {
  const { drops } = show;
  const focus = list.contains(document.activeElement) ? document.activeElement : null;
  drawRows(list, "order", drops, ({ drop }) => drop, drawRow);
  if (focus?.disabled && list.contains(focus)) refocus(focus);
  el("nothing").hidden = drops.length > 0;
  el("order-hint").hidden = drops.length === 0;
  find("[data-do=copy-show]").hidden = copiable().length === 0;
  rehearsal.hidden = !drops.some((sale) => isPlanned(sale) && sale.plan.mode === "live");
}

const fresh = () => drafts.all().filter(({ id }) => isFresh(id));

function drawDraft(node, draft) {
  const title = draft.form.title.trim() || say("plan_untitled");
  const place = draft.place.trim();
  el("open", node).href = `/plan/${stream}/${draft.id}`;
  cell(node, "title", title);
  cell(node, "about", place === "" ? say("plan_draft_place") : say("plan_draft_at", { place }));
  cell(node, "refused", draft.refused ?? "");
  el("refused", node).hidden = !draft.refused;
  find("[data-do=copy]", node).setAttribute("aria-label", say("plan_copy_of", { title }));
  find("[data-do=discard]", node).disabled = Boolean(draft.sent);
}

function drawDrafts() {
  const all = fresh();
  el("drafts").hidden = all.length === 0 && queue === null;
  drawRows(own, "drafts", all, ({ id }) => id, drawDraft, () => find(".plan-acts a"));
  const waiting = all.filter(({ isQueued }) => isQueued).length;
  const n = waiting > 0 ? waiting : all.length;
  planAll.hidden = n === 0 && queue === null;
  put("plan-all", queue !== null ? say("plan_stop_all") : say(waiting > 0 ? "plan_go_on" : "plan_plan_all", { n: count(n) }));
}

// --- Moving ---

const said = (level, text) => line(level, "", text);

/** Has the server put a drop at a place, counted from 0. */
async function moveTo(drop, to) {
  const all = show.places;
  const from = all.findIndex((one) => one.drop === drop);
  if (isBusy || from === -1 || to < 0 || to >= all.length || to === from) return draw();
  const wanted = all.toSpliced(from, 1);
  wanted.splice(to, 0, all[from]);
  const changes = ordered(wanted);
  if (changes === null) {
    said("attention", say("plan_move_fixed"));
    return draw();
  }
  isBusy = true;
  said("calm", say("plan_moving"));
  const failed = await move(show.revised(changes));
  isBusy = false;
  if (failed === null) said("calm", say("plan_moved", { title: all[from].title, place: count(to + 1) }));
  else told(failed);
  return draw();
}

/** Says why something was not done. */
function told(done) {
  isOut = isSignedOut(done.code);
  signIn(isOut);
  said("attention", isOut ? say("plan_signed_out") : refusal(done, language));
}

function rowAt(y) {
  return [...list.children].findIndex((node) => {
    const { top, height } = node.getBoundingClientRect();
    return y < top + height / 2;
  });
}

function dragTo({ clientY }) {
  const at = rowAt(clientY);
  const before = at === -1 ? null : list.children[at];
  if (before !== drag.node && before !== drag.node.nextElementSibling) list.insertBefore(drag.node, before);
}

function endDrag(isDone) {
  const { node } = drag;
  const to = [...list.children].indexOf(node);
  node.classList.remove("dragged");
  drag = null;
  if (isDone) moveTo(node.dataset.key, to);
  else draw();
}

list.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest("[data-do=grip]:enabled");
  if (!grip || isBusy || event.button !== 0) return;
  event.preventDefault();
  drag = { node: grip.closest("li") };
  drag.node.classList.add("dragged");
  grip.setPointerCapture(event.pointerId);
});
list.addEventListener("pointermove", (event) => drag && dragTo(event));
list.addEventListener("pointerup", () => drag && endDrag(true));
list.addEventListener("pointercancel", () => drag && endDrag(false));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drag) endDrag(false);
});
list.addEventListener("click", async ({ target }) => {
  const button = target.closest("button[data-do]");
  const drop = button?.closest("li").dataset.key;
  const at = show.drops.findIndex((sale) => sale.drop === drop);
  if (button?.dataset.do === "up") await moveTo(drop, at - 1);
  else if (button?.dataset.do === "down") await moveTo(drop, at + 1);
  else if (button?.dataset.do === "copy") copyOf(formOf(show.drops[at].plan, zone), show.drops[at].plan);
  if (button?.isConnected) refocus(button);
});

// --- Drafts ---

/** A draft of a new drop with a form's terms, and with those of the plan that the form does not show. */
const draftOf = (id, form, like, at) => ({ id, form: copied(form), like, place: "", base: null, sent: null, at });

function copyOf(form, like) {
  const id = freshId();
  if (drafts.keep(draftOf(id, form, like, Date.now()))) location.assign(`/plan/${stream}/${id}`);
  else said("attention", say("plan_no_room"));
}

own.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-do]");
  if (!button || queue !== null) return;
  const draft = drafts.get(button.closest("li").dataset.key);
  if (draft === null) return draw();
  if (button.dataset.do === "copy") return copyOf(draft.form, draft.like);
  drafts.drop(draft.id);
  return draw();
});

/** Plans what waits, one after the other: each under its own key, which is kept before it is sent. */
async function run() {
  queue = { all: fresh().filter(({ isQueued }) => isQueued).length, done: 0, left: 0, last: null, isStopped: false };
  signIn(false);
  draw();
  const isAlone = await drafts.alone(planQueued, false);
  const { done, left, isStopped, why } = queue;
  queue = null;
  put("progress", "");
  if (isAlone === null) said("attention", say("plan_other_tab"));
  else if (isStopped && fresh().some(({ isQueued }) => isQueued)) said("calm", say("plan_stopped", { n: count(done) }));
  else if (why && isUnknown(why) && !isSignedOut(why.code)) said("attention", say("plan_lost"));
  else if (why) told(why);
  else if (left > 0) said("attention", say("plan_some_left", { done: count(done), left: count(left) }));
  else said("calm", say("plan_all_done", { n: count(done) }));
  draw();
}

async function planQueued() {
  for (const { id } of fresh().filter(({ isQueued }) => isQueued)) {
    if (queue.isStopped) break;
    put("progress", say("plan_progress", { done: count(queue.done), all: count(queue.all) }));
    // As it is by now: another tab may have planned it, or thrown it away.
    const draft = drafts.get(id);
    if (draft?.isQueued && !(await planOne(draft))) break;
  }
  return true;
}

/** Waits until the show has a drop that was just planned, so that others are placed among all of them. */
async function heardOf(drop) {
  for (let tries = 0; show.find(drop) === null && tries < HEARD_TRIES; tries += 1) await new Promise((done) => setTimeout(done, HEARD_MS));
}

/** Where a draft goes: to the place that was typed, else behind those that were planned before it. */
async function placeOf(draft) {
  if (draft.place.trim() === "") {
    return { place: queue.last === null ? placed(show.places, show.places.length)?.place : Math.min(queue.last + 10, 65_535), changes: [] };
  }
  if (queue.drop) await heardOf(queue.drop);
  const most = show.places.length + 1;
  const { value } = units(draft.place, 1, most);
  if (value === undefined) return { fault: say("plan_place_wrong", { value: draft.place.trim(), max: count(most) }) };
  const found = placed(show.places, value - 1);
  return found === null ? { fault: say("plan_move_fixed") } : { place: found.place, changes: show.revised(found.changes) };
}

/** Gives a draft what is sent for it; what is wrong with it in words, if something is. */
async function prepare(draft) {
  const reading = read(draft.form, { zone: draft.zone ?? zone, now: show.now, delayMs: show.delayMs, like: draft.like });
  const n = reading.missing.length + Object.keys(reading.faults).length;
  if (n > 0) return say("plan_needs", { n: count(n) }).replace(/[:：]$/, "");
  const { place, changes, fault } = await placeOf(draft);
  if (fault !== undefined) return fault;
  draft.sent = sending(planned(draft.form, reading, { stream, place, like: draft.like }));
  draft.changes = changes;
  if (draft.place.trim() === "") queue.last = place;
  return undefined;
}

/** Plans one draft; whether to go on with the next. */
async function planOne(draft) {
  const fault = draft.sent === null ? await prepare(draft) : undefined;
  if (fault !== undefined) return keepBack(draft, fault);
  if (!drafts.keep(draft)) {
    // Without its key it might be planned twice.
    draft.sent = null;
    return keepBack(draft, say("plan_no_room"));
  }
  const done = await ask(draft.sent, null, () => !queue.isStopped);
  if (done.ok) {
    drafts.drop(draft.id);
    queue.done += 1;
    queue.drop = done.told.drop;
    const failed = await move(draft.changes ?? []);
    if (failed !== null) queue.why = failed;
    draw();
    return failed === null;
  }
  if (isUnknown(done)) {
    queue.why = done;
    return false;
  }
  draft.sent = null;
  if (isSignedOut(done.code)) {
    drafts.keep(draft);
    queue.why = done;
    return false;
  }
  draft.field = fieldOf(done, draft.form);
  keepBack(draft, refusal(done, language));
  // What has no room will have none for the next, and hosts who may not plan may plan none of them.
  return done.code !== "stream_full" && done.code !== "share_full" && !(done.code === "hosts_not_allowed" && show.merchant !== null);
}

/** Leaves a draft to its planner, with the reason. */
function keepBack(draft, why) {
  drafts.keep({ ...draft, isQueued: false, refused: why });
  queue.left += 1;
  draw();
  return true;
}

planAll.addEventListener("click", () => {
  if (queue !== null) {
    queue.isStopped = true;
    return;
  }
  const all = fresh();
  if (!all.some(({ isQueued }) => isQueued)) for (const draft of all) drafts.keep({ ...draft, isQueued: true, refused: undefined });
  run();
});

// --- Copies ---

/** Says what is wrong with the name of the other show, or that nothing is; offers a name that is like it. */
function tellCopy(fault, better) {
  find("#copy-error").hidden = fault === undefined;
  put("copy-wrong", fault ?? "");
  const use = find("[data-do=use-name]");
  use.hidden = better === undefined;
  use.value = better ?? "";
  use.textContent = better === undefined ? "" : say("plan_use_name", { name: better });
  if (fault === undefined) find("#copy-stream").removeAttribute("aria-invalid");
  else find("#copy-stream").setAttribute("aria-invalid", "true");
}

function copyShow(event) {
  event.preventDefault();
  const input = find("#copy-stream");
  const to = idOf(input.value);
  let fault = to.isMissing ? say("plan_row_missing", { field: say("plan_copy_show_label") }) : to.fault ?? (to.value === stream ? say("plan_copy_same") : undefined);
  const copies = copiable();
  const now = Date.now();
  if (fault === undefined) {
    const made = copies.map(({ plan }, at) => draftOf(freshId(now, at / 1000), formOf(plan, zone), plan, now + at));
    fault = new Drafts(storage(), name, to.value).keepAll(made) ? undefined : say("plan_no_room");
  }
  tellCopy(fault, to.better);
  if (fault !== undefined) {
    input.focus();
    return;
  }
  sessionStorage.setItem(DONE, say("plan_copied", { n: count(copies.length) }));
  location.assign(`/plan/${to.value}`);
}

/** Every drop that the reader may plan but those that were called off: of one whose opening was undone there is a copy. */
function copiable() {
  return show.drops.filter(({ phase, plan }) => !["cancelled", "voiding", "voided"].includes(phase) && show.mayPlan(plan.merchant));
}

find("[data-do=use-name]").addEventListener("click", ({ currentTarget }) => {
  const input = find("#copy-stream");
  input.value = currentTarget.value;
  tellCopy(undefined);
  input.focus();
});

find("[data-do=copy-show]").addEventListener("click", () => {
  tellCopy(undefined);
  put("copy-go", say("plan_copy_show_go", { n: count(copiable().length) }));
  dialog.showModal();
});
find("[data-do=dismiss]", dialog).addEventListener("click", () => dialog.close());
find("[data-form=copy]").addEventListener("submit", copyShow);

// --- A rehearsal ---

rehearsal.addEventListener("click", async () => {
  // The drafts that are being planned belong to the show: they come first.
  if (queue !== null) return;
  const tell = (_, text, more, kind) => said(kind === "refused" ? "attention" : "calm", more ? `${text} · ${more}` : text);
  // What it looks like is the control room's.
  if (await rehearse(stream, true, tell, () => "")) location.assign(`/live/${stream}`);
});

// --- Whether hosts may plan ---

/** A merchant who has planned nothing in a show nobody owns has nothing there to let hosts do. */
function drawHosts() {
  if (!hosts) return;
  const isFirst = hosts.dataset.room === undefined && show.drops.length === 0;
  el("hosts-first").hidden = !isFirst;
  hosts.disabled = isFirst || isSwitching;
}

hosts?.addEventListener("change", async () => {
  const allowed = hosts.checked;
  isSwitching = true;
  drawHosts();
  const url = `/v1/rooms/${encodeURIComponent(stream)}/${allowed ? "allow" : "forbid"}-hosts`;
  const done = await send(url, { merchant: show.merchant });
  isSwitching = false;
  drawHosts();
  hosts.focus();
  // Somebody else has done the same.
  if (done.ok || done.code === "room_unchanged") {
    said("calm", say(allowed ? "plan_hosts_on" : "plan_hosts_off"));
    return;
  }
  // Where the outcome is not known, the switch stands as it was pressed: pressed again it says how it is.
  if (!done.isOpen) hosts.checked = !allowed;
  told(done);
});

// --- What is heard ---

function heard(_, kind) {
  if (show === undefined) return;
  const wasOut = isOut;
  isOut = show.room.broken === 401;
  if (isOut !== wasOut) {
    signIn(isOut);
    if (isOut) said("attention", say("plan_signed_out"));
    else said("calm", say("plan_drops", { n: count(show.drops.length) }));
  }
  if (["snapshot", "drop", "gone"].includes(kind)) draw();
}

addEventListener("storage", ({ key }) => drafts.concerns(key) && queue === null && draw());
ready();
draw();
keepBar(show);
const done = sessionStorage.getItem(DONE);
if (done !== null) {
  sessionStorage.removeItem(DONE);
  said("calm", done);
}
if (sessionStorage.getItem(GO) === stream) {
  sessionStorage.removeItem(GO);
  run();
}
