// The form of one drop: a draft that is kept in this browser, or a planned drop that is edited.
import "./frame.mjs";
import { command, ready } from "./commands.mjs";
import { count, money } from "./numbers.mjs";
import { keepBar } from "./plan-bar.mjs";
import { clashes, label, merged } from "./plan-clash.mjs";
import { DONE, Drafts, freshId, isFresh, storage } from "./plan-drafts.mjs";
import { cell, drawing, el, find, goods, line, put, row, signIn, tell } from "./plan-fields.mjs";
import { isPlanned, Show } from "./plan-order.mjs";
import { ordered, placed } from "./plan-places.mjs";
import { ask, fieldOf, isSignedOut, isUnknown, move, named, refusal, sending } from "./plan-send.mjs";
import { short, span, sums } from "./plan-short.mjs";
import { blank, blankSize, copied, countdownMin, formOf, patchOf, planned, read, restOf, rezoned, SIZES_MAX, STOCKS, twice } from "./plan-terms.mjs";
import { titleLength, typedSeconds, units } from "./plan-typed.mjs";
import { moments, local, offset } from "./plan-zone.mjs";
import { loadAll } from "./plan-words.mjs";
import { restLeft, standing, stateWord } from "./view.mjs";
import { say } from "./words.mjs";

const language = document.documentElement.lang;
await loadAll(language);

const KEEP_MS = 300;
const CUE_BLOCKS_MAX = 60;
const NIGHT_ENDS = 6;

const { which, stream, name } = document.body.dataset;
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const drafts = new Drafts(storage(), name, stream);
const form = find("[data-form=drop]");
const act = find("[data-do=plan]");
const reader = { zone, language };

const show = new Show(document.body.dataset, heard);

/** The draft's name: it has one of its own once something was typed. */
let id = which;
let draft = null;
/** The form before anything was typed. */
let first = "";
/** Whether the draft is in the browser's storage, where other tabs see it. */
let isStored = false;
/** Another tab has planned the draft, or thrown it away. */
let isElsewhere = false;
let isAsked = false;
let isBusy = false;
/** What was typed is planned, or thrown away. */
let isDone = false;
let isSignedIn = true;
/** The fields that the planner has left, with what the server said of a field. */
const left = new Set();
let refused = {};
/** The terms as another planner has made them. */
let theirs = null;
let keepDue = null;
/** The field that had the focus before the fields were disabled. */
let refocus = null;
/** Of what both planners changed: which side holds, by field, where this one has chosen. */
const chosen = new Map();
/** The clash as it is drawn. */
let clashDrawn = "";
let isPressed = false;
let isDrawDue = false;
/** The address of a picture that did not load. */
let badPicture = "";

const isNew = () => draft.base === null;
const here = () => ({ zone, now: show.now, delayMs: show.delayMs, was: draft.base?.plan, like: draft.like });
const sale = () => (isFresh(which) ? null : show.find(which));
/** Whether viewers hear nothing yet: a drop of which they have heard is not hidden again. */
const isUnseen = () => draft.form.hidden && (sale()?.hidden ?? true);
/** Whether the reader may not plan it: a host for a merchant who does not let hosts. */
const isForbidden = () => !(sale() === null ? show.plansAny && (show.merchant === null || show.mayPlan(draft.form.merchant || show.merchant)) : show.mayPlan(sale().plan.merchant));
const isReadOnly = () => isElsewhere || isForbidden() || (sale() !== null && !isPlanned(sale()));

// --- The draft ---

function begin() {
  const found = sale();
  const kept = drafts.get(which);
  const of = which === "new" ? show.find(new URLSearchParams(location.search).get("rest")) : null;
  const like = show.like;
  if (of !== null && restLeft(of) > 0) draft = { form: restOf(of, zone), like: of.plan, place: "", base: null, sent: null, at: Date.now() };
  else if (found && (!isPlanned(found) || kept === null)) draft = { form: formOf(found.plan, zone), place: "", base: { revision: found.revision, plan: found.plan }, sent: null, at: Date.now() };
  else draft = kept ?? { form: blank({ name, merchant: show.merchant, delayMs: show.delayMs, currency: language === "zh-CN" ? "CNY" : "EUR" }, like), place: "", base: null, sent: null, at: Date.now() };
  isStored = kept !== null;
  // Times were typed by the clock of the zone in which the planner was.
  if (draft.zone !== undefined && draft.zone !== zone) draft.form = rezoned(draft.form, draft.zone, zone);
  if (isStored) for (const field of Object.keys(read(draft.form, here()).faults)) left.add(field);
  const untouched = isNew() ? draft.form : formOf(draft.base.plan, zone);
  // What is prepared for the planner is worth keeping, as what was typed is.
  first = isNew() && (kept !== null || draft.like !== undefined) ? "" : JSON.stringify([untouched, ""]);
  if (draft.refused) {
    isAsked = true;
    refused = { [draft.field ?? ""]: draft.refused };
  }
  fill();
  meetNewer();
  draw();
}

const isChanged = () => JSON.stringify([draft.form, draft.place]) !== first;

function keepSoon() {
  clearTimeout(keepDue);
  keepDue = setTimeout(keep, KEEP_MS);
}

function keep() {
  clearTimeout(keepDue);
  if (isDone || draft === null || isReadOnly()) return;
  if (!isChanged() && draft.sent === null) {
    if (!isNew()) drafts.drop(id);
    return;
  }
  if (id === "new") {
    id = freshId();
    history.replaceState(null, "", `/plan/${stream}/${id}`);
  }
  isStored = drafts.keep({ ...draft, id, zone });
  put("kept", isStored ? say(isNew() ? "plan_saved" : "plan_changed") : say("plan_not_saved"));
}

// --- Fields ---

const inputOf = (field) => document.getElementById(`f-${field}`);

function fillGoods() {
  const list = find("[data-list=goods]");
  list.replaceChildren(...draft.form.goods.map((size) => {
    const node = row("goods");
    node.dataset.key = size.key;
    for (const part of node.querySelectorAll("[data-f]")) {
      const field = `goods.${size.key}.${part.dataset.f}`;
      const input = find("input", part);
      find("label", part).htmlFor = `f-${field}`;
      input.id = `f-${field}`;
      input.name = field;
      input.value = size[part.dataset.f];
      input.setAttribute("aria-describedby", `f-${field}-error`);
      find(".wrong", part).id = `f-${field}-error`;
    }
    return node;
  }));
}

function fill() {
  fillStocks();
  for (const input of form.elements) {
    const value = draft.form[input.name];
    if (input.name === "place") input.value = draft.place;
    else if (value === undefined) continue;
    else if (input.type === "radio") input.checked = input.value === value;
    else if (input.type === "checkbox") input.checked = value;
    else input.value = value;
  }
  fillGoods();
}

function fillStocks() {
  const all = STOCKS.includes(draft.form.stock) ? STOCKS : [...STOCKS, draft.form.stock];
  find("#f-stock").replaceChildren(...all.map((stock) => {
    const option = document.createElement("option");
    option.value = stock;
    option.textContent = stock === "exact" ? say("plan_stock_exact") : say("plan_stock_rounded", { n: count(stock.split("/")[0]) });
    return option;
  }));
}

function typed({ target }) {
  const { name: field } = target;
  if (!field) return;
  if (field.startsWith("clash-")) {
    chosen.set(target.closest("li").dataset.field, target.value);
    return;
  }
  const [, key, part] = field.match(/^goods\.([^]*)\.(\w+)$/) ?? [];
  if (key !== undefined) draft.form.goods.find((size) => size.key === key)[part] = target.value;
  else if (field === "place") draft.place = target.value;
  else draft.form[field] = target.type === "checkbox" ? target.checked : target.value;
  if (/^(start|end)(Date|Time)$/.test(field)) {
    // Which of two a time is was said of another.
    draft.form[`${field.slice(0, -4)}Fold`] = "";
    for (const choice of form.querySelectorAll(`[name=${field.slice(0, -4)}Fold]`)) choice.checked = false;
  }
  delete refused[field.replace(/Fold$/, "Time")];
  delete refused[""];
  delete draft.refused;
  draw();
  keepSoon();
}

// --- What is read ---

/** The drops as they would stand, with where this one is now. */
function placeNow() {
  const all = show.places;
  const at = all.findIndex(({ drop }) => drop === which);
  return { all, at: at === -1 ? all.length : at, most: all.length + (at === -1 ? 1 : 0) };
}

function reading() {
  const found = read(draft.form, here());
  const { at, most } = placeNow();
  const place = draft.place.trim() === "" ? { value: at + 1 } : units(draft.place, 1, most);
  found.take("place", place.fault === undefined ? place : { fault: say("plan_place_wrong", { value: draft.place.trim(), max: count(most) }) });
  for (const [field, text] of Object.entries(refused)) found.faults[field] = text;
  return found;
}

const nameOf = (field) => {
  const text = label(field, draft.form);
  return text.charAt(0).toLowerCase() + text.slice(1);
};

/** The fields that need the planner, in the order in which they stand, with what is said there. */
function needs(found) {
  const all = [...form.elements].map((input) => input.name).filter((field, at, names) => field && names.indexOf(field) === at);
  const said = (field) => {
    if (found.faults[field] !== undefined) return left.has(field) || isAsked || refused[field] !== undefined ? found.faults[field] : undefined;
    return isAsked && found.missing.includes(field) ? say("plan_row_missing", { field: label(field, draft.form) }) : undefined;
  };
  return all.map((field) => ({ field, text: said(field) })).filter(({ text }) => text !== undefined);
}

// --- Drawing ---

function draw() {
  const found = reading();
  const wrong = needs(found);
  const texts = new Map(wrong.map(({ field, text }) => [field, text]));
  for (const input of form.elements) if (input.id) tell(input, texts.get(input.name));
  drawHints(found);
  drawSizes(found);
  drawTimes();
  drawCue(found);
  drawSide(found);
  drawLine(found, wrong);
  drawFoot(found);
  if (theirs !== null) drawClash();
}

function hint(field, text) {
  const node = document.getElementById(`f-${field}-hint`);
  if (node.textContent !== text) node.textContent = text;
}

/** The picture that is shown: none that did not load. */
const shownPicture = ({ picture = "" }) => (picture === badPicture ? "" : picture);

function holdHint(ms) {
  if (ms === undefined) return say("plan_hold_plain");
  if (ms < 120_000) return say("plan_hold_short");
  if (ms < 600_000) return say("plan_hold_card");
  return say(ms <= 1_800_000 ? "plan_hold_bank" : "plan_hold_hosted");
}

function drawHints({ values }) {
  hint("title", say("plan_title_hint", titleLength(draft.form.title)));
  const { all, most } = placeNow();
  const place = values.place ?? most;
  const others = all.filter(({ drop }) => drop !== which);
  const before = others[place - 2];
  hint("place", before ? say("plan_place_after", { title: before.title }) : say("plan_place_first"));
  find("#f-place").placeholder = String(placeNow().at + 1);
  put("place-of", say("plan_place_of", { n: count(most) }));
  hint("hold", say("plan_hold_hint", { more: holdHint(values.hold) }));
  const [, step] = draft.form.stock.split("/");
  hint("stock", step ? say("plan_stock_hint", { n: count(step) }) : say("plan_stock_hint_exact"));
  for (const field of ["pauseAfter", "resumes"]) inputOf(field).disabled = !draft.form.pauses;
  const isBad = badPicture !== "" && badPicture === values.picture;
  goods(shownPicture(values), [el("picture"), el("drawing"), el("drawn")]);
  hint("picture", say(isBad ? "plan_picture_bad" : "plan_picture_hint"));
  find("#f-picture-hint").classList.toggle("needs", isBad);
}

function drawSizes(found) {
  const code = found.values.currency ?? draft.form.currency;
  for (const node of form.querySelectorAll(".sku")) {
    const size = draft.form.goods.find(({ key }) => key === node.dataset.key);
    const named = size.size.trim();
    node.setAttribute("aria-label", named || say("plan_size"));
    find("[data-f=price] label", node).textContent = say("plan_price_of", { currency: code });
    find("[data-f=size] label", node).textContent = draft.form.differ.trim() || say("plan_size");
    find("[data-f=limit] input", node).placeholder = draft.form.limit;
    find("[data-do=remove-size]", node).setAttribute("aria-label", named ? say("plan_remove", { size: named }) : say("plan_remove_plain"));
  }
  const all = sums(draft.form, found);
  el("in-all").hidden = all === null;
  if (all === null) return;
  put("sum-units", say("units_in", { n: count(all.units) }));
  put("sum-reserve", all.reserve === 0 ? "" : say("plan_in_all_reserve", { n: count(all.reserve) }));
  put("sum-worth", all.worth === null ? "" : say("plan_in_all_worth"));
  put("sum-money", all.worth ?? "");
}

function drawTimes() {
  for (const part of ["start", "end"]) {
    const isTimed = draft.form[part] === "time";
    el(`${part}-at`).hidden = !isTimed;
    el(`${part}-hint`).hidden = draft.form[part] !== "hand";
    const [date, time] = [draft.form[`${part}Date`], draft.form[`${part}Time`]];
    const found = isTimed ? moments(date, time, zone) ?? [] : [];
    const ms = found[Number(draft.form[`${part}Fold`] || 0)] ?? show.now;
    const both = { zone, offset: offset(ms, zone) };
    const isUtc = both.zone === both.offset;
    const at = isUtc ? both.zone : found.length > 0 ? say("plan_zone_utc", { ...both, time: local(ms, "UTC").time }) : say("plan_zone", both);
    const isNight = found.length > 0 && Number(time.slice(0, 2)) < NIGHT_ENDS;
    if (part === "end") el("end-after").hidden = draft.form.end !== "after";
    hint(`${part}Time`, isNight ? `${at} ${say("plan_night")}` : at);
    const offsets = isTimed ? twice(draft.form, part, zone) : [];
    el(`${part}-twice`).hidden = offsets.length === 0;
    if (offsets.length > 0) {
      put(`${part}-first`, say("plan_twice_first", { offset: offsets[0] }));
      put(`${part}-second`, say("plan_twice_second", { offset: offsets[1] }));
    }
  }
}

function drawCue({ values }) {
  const delay = show.delayMs;
  const whole = values.countdown ?? null;
  put("delay", delay === 0 ? say("plan_delay_none") : say("seconds", { n: typedSeconds(delay) }));
  const box = find(".cue-box");
  box.toggleAttribute("data-short", whole !== null && whole < countdownMin(delay));
  const n = whole === null ? 0 : Math.min(Math.max(Math.ceil(whole / 1000), 1), CUE_BLOCKS_MAX);
  const speaks = whole === null ? 0 : Math.max(whole - delay, 0);
  const share = whole ? speaks / whole : 0;
  const said = Math.round(share * n);
  find("[data-list=cue]").replaceChildren(...Array.from({ length: n }, (_, at) => {
    const block = document.createElement("i");
    block.className = at < said ? "" : "way";
    return block;
  }));
  const mark = el("cue-mark");
  mark.setAttribute("x", `${Math.round(share * 1000) / 10}%`);
  box.style.setProperty("--word", String(share));
  mark.toggleAttribute("hidden", whole === null || delay === 0);
  put("cue-title", whole === null ? say("plan_countdown") : say("plan_cue_title", { n: say("seconds", { n: typedSeconds(whole) }) }));
  put("cue-more", whole === null || delay === 0 ? "" : say("plan_cue_more", { n: say("seconds", { n: typedSeconds(speaks) }) }));
  put("cue-speak", whole === null ? "" : say("seconds", { n: typedSeconds(delay === 0 ? whole : speaks) }));
  put("cue-go", whole === null || delay === 0 ? "" : `${say("go")}${say("plan_cue_way", { n: say("seconds", { n: typedSeconds(delay) }) })}`);
  put("cue-opens", say("plan_cue_opens"));
}

/** What viewers are shown of so many units. */
function shownUnits(supply) {
  const [above, step] = draft.form.stock.split("/").map(Number);
  return draft.form.stock === "exact" || supply <= above ? supply : Math.floor(supply / step) * step;
}

function drawSide(found) {
  const { values } = found;
  const size = draft.form.goods[0];
  const at = (part) => values[`goods.${size.key}.${part}`];
  put("see-when", say(isUnseen() ? "plan_viewers_hidden" : "plan_viewers_now"));
  put("see-title", draft.form.title.trim() || say("plan_untitled"));
  put("see-merchant", draft.form.merchant);
  goods(shownPicture(values), [el("see-picture"), el("see-drawing"), el("see-drawn")]);
  const names = draft.form.goods.map((one) => one.size.trim()).filter((text) => text !== "");
  find("[data-list=see-sizes]").replaceChildren(...names.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  put("see-price", at("price") === undefined || values.currency === undefined ? say("unknown") : money(at("price"), values.currency));
  put("see-units", at("supply") === undefined ? "" : say("plan_viewers_units", { n: count(shownUnits(at("supply"))) }));
  put("see-opens", values.countdown === undefined ? say("plan_viewers_waits") : say("plan_viewers_opens", { n: span(values.countdown) }));
  find("[data-list=short]").replaceChildren(...short(draft.form, found, reader).map(({ icon, text }) => {
    const item = document.createElement("li");
    const svg = el("drawing").cloneNode(true);
    svg.removeAttribute("data-el");
    svg.removeAttribute("hidden");
    drawing(svg.firstElementChild, icon);
    svg.firstElementChild.removeAttribute("data-el");
    const words = document.createElement("span");
    words.textContent = text;
    item.append(svg, words);
    return item;
  }));
}

/** Writes the line at the top with links to fields. */
function lineOf(level, kind, text, links = [], rest = "") {
  line(level, kind, text);
  const parts = links.flatMap((field, at) => {
    const link = document.createElement("a");
    link.href = `#f-${field}`;
    link.dataset.field = field;
    link.textContent = nameOf(field);
    return at === 0 ? [link] : [document.createTextNode(language === "zh-CN" ? "、" : ", "), link];
  });
  if (links.length > 0) parts.push(document.createTextNode(language === "zh-CN" ? "。" : "."));
  const list = find("[data-list=line]");
  // A link that is being pressed stays.
  if (list.textContent !== parts.map((part) => part.textContent).join("")) list.replaceChildren(...parts);
  put("line-rest", rest);
}

const stateOf = (found) => (found.skus ? standing(found).word : stateWord(found.phase));

function drawLine(found, wrong) {
  signIn(!isSignedIn);
  const kind = say(isNew() ? "plan_not_planned" : "plan_not_saved_terms");
  if (isElsewhere) return lineOf("attention", "", say("plan_elsewhere"));
  if (sale() === null ? isForbidden() : isPlanned(sale()) && isForbidden()) return lineOf("attention", "", say("plan_not_yours"));
  if (isReadOnly()) {
    const isOver = ["closed", "settled", "cancelled"].includes(sale().phase);
    return lineOf("calm", "", say(isOver ? "plan_over" : "plan_began", { state: stateOf(sale()) }));
  }
  if (!isFresh(which) && sale() === null) return lineOf("attention", kind, say("plan_gone"));
  if (!isSignedIn) return lineOf("attention", "", say("plan_signed_out"));
  if (draft.sent !== null && !isBusy) return lineOf("attention", kind, say("plan_unknown"));
  if (theirs !== null) return lineOf("attention", kind, say("plan_conflict_line"));
  if (refused[""] !== undefined) return lineOf("alarm", kind, refused[""]);
  const isElse = found.missing.length + Object.keys(found.faults).length === wrong.length;
  if (wrong.length > 0) {
    return lineOf(isAsked ? "alarm" : "attention", isAsked ? kind : "", say("plan_needs", { n: count(wrong.length) }), wrong.map(({ field }) => field), isElse ? say("plan_else_fine") : "");
  }
  // What is wrong with a field that is being typed in is not said there yet.
  const open = [...found.missing, ...Object.keys(found.faults)];
  if (open.length > 0) return lineOf("missing", "", say("plan_still_missing"), open);
  return lineOf("calm", "", isNew() || isChanged() ? say("plan_ready") : say("plan_as_planned"));
}

function drawFoot(found) {
  const isFixed = isReadOnly();
  const hasSent = draft.sent !== null;
  // Fields that are disabled lose the focus: it comes back with them.
  const isOff = isFixed || isBusy || hasSent;
  if (isOff && el("fields").contains(document.activeElement)) refocus = document.activeElement;
  el("fields").disabled = isOff;
  if (refocus !== null && !isBusy && document.activeElement === document.body) (isOff && !act.hidden ? act : refocus).focus();
  if (!isBusy) refocus = null;
  act.hidden = isFixed;
  const place = found.values.place ?? placeNow().most;
  const [does, effect] = isNew() ? ["plan_do", say("plan_do_effect", { n: count(place) })] : ["plan_save", say(isUnseen() ? "plan_save_effect_hidden" : "plan_save_effect")];
  put("plan", isBusy ? say(isNew() ? "plan_planning" : "plan_saving") : say(hasSent ? "plan_ask_again" : does));
  put("plan-effect", hasSent && !isBusy ? say("plan_ask_again_effect") : effect);
  act.setAttribute("aria-disabled", String(isBusy));
  find("[data-do=copy]").hidden = isNew() || isForbidden();
  const discard = find("[data-do=discard]");
  discard.hidden = isFixed || hasSent || isBusy || !(isNew() ? id !== "new" || isChanged() : isChanged());
  find("[data-do=call-off]").hidden = isFixed || hasSent || isBusy || isNew() || sale() === null;
  discard.textContent = say(isNew() ? "plan_discard" : "plan_discard_edit");
  if (!isFixed && !isNew() && !isChanged()) put("kept", say("plan_as_planned"));
  put("about", draft.form.title.trim());
}

// --- Two planners ---

/** Looks whether another planner has changed the terms. What was sent and may be done is no change of theirs. */
function meetNewer() {
  const found = sale();
  if (draft.sent === null && found && isPlanned(found) && found.revision !== (theirs ?? draft.base).revision) meet(found);
}

/** Another planner has changed the terms: what is typed here is kept beside theirs. */
function meet(found) {
  const told = formOf(found.plan, zone);
  if (!isChanged()) {
    endClash();
    draft.base = { revision: found.revision, plan: found.plan };
    draft.form = told;
    first = JSON.stringify([told, ""]);
    fill();
    return;
  }
  theirs = { revision: found.revision, plan: found.plan };
  drawClash();
}

/** Lists what the other changed beside what is typed here by now; what was chosen stays chosen. */
function drawClash() {
  const all = clashes(formOf(draft.base.plan, zone), formOf(theirs.plan, zone), draft.form, zone);
  el("clash").hidden = false;
  if (JSON.stringify(all) === clashDrawn) return;
  clashDrawn = JSON.stringify(all);
  const focus = document.activeElement?.closest("[data-list=clash] > li")?.dataset.field;
  put("clash-lead", say(all.length === 0 ? "plan_clash_nothing" : "plan_clash_lead"));
  find("[data-list=clash]").replaceChildren(...all.map((one, at) => {
    const node = row("clash");
    node.dataset.field = one.field;
    cell(node, "label", one.label);
    cell(node, "theirs", one.theirs);
    cell(node, "mine", one.mine ?? "");
    for (const choice of node.querySelectorAll("input")) choice.name = `clash-${at}`;
    find("[value=mine]", node).checked = one.mine !== undefined && chosen.get(one.field) !== "theirs";
    el("mine", node).hidden = one.mine === undefined;
    el("taken", node).hidden = one.mine !== undefined;
    return node;
  }));
  if (focus !== undefined) find(`[data-list=clash] > [data-field="${CSS.escape(focus)}"] input:checked`)?.focus();
}

/** Nothing is decided any more. */
function endClash() {
  theirs = null;
  chosen.clear();
  clashDrawn = "";
  el("clash").hidden = true;
}

function merge() {
  const rows = [...form.querySelectorAll("[data-list=clash] > li")];
  const taken = new Set(rows.filter((node) => find("input:checked", node).value === "theirs").map((node) => node.dataset.field));
  const told = formOf(theirs.plan, zone);
  draft.form = merged(formOf(draft.base.plan, zone), told, draft.form, taken);
  draft.base = theirs;
  first = JSON.stringify([told, ""]);
  endClash();
  isAsked = false;
  fill();
  draw();
  keep();
  act.focus();
}

// --- Sending ---

/** What is sent: the drop's own terms with its place, then the places of others that make room. */
function prepared(found) {
  const { all, at } = placeNow();
  const place = found.values.place - 1;
  if (isNew()) {
    const where = placed(all, place);
    if (where === null) return null;
    return { sent: sending(planned(draft.form, found, { stream, place: where.place, like: draft.like })), changes: show.revised(where.changes) };
  }
  const patch = patchOf(draft.form, found, draft.base.plan, here());
  let changes = [];
  if (place !== at) {
    const moved = all.toSpliced(at, 1);
    moved.splice(place, 0, all[at]);
    const found_ = ordered(moved);
    if (found_ === null) return null;
    const own = found_.find(({ drop }) => drop === which);
    if (own) patch.running_order = own.place;
    changes = show.revised(found_.filter(({ drop }) => drop !== which));
  }
  return { sent: Object.keys(patch).length === 0 ? null : sending(patch, draft.base.revision), changes };
}

function submit() {
  if (isBusy || isReadOnly()) return;
  // What was sent is asked for first: what another changed is looked at afterwards.
  if (theirs !== null && draft.sent === null) {
    el("clash").focus();
    return;
  }
  if (draft.sent === null) {
    refused = {};
    isAsked = true;
    const found = reading();
    draw();
    if (!found.isRight) {
      find("[aria-invalid=true]", form)?.focus();
      return;
    }
    const ready_ = prepared(found);
    if (ready_ === null) {
      refused.place = say("plan_move_fixed");
      draw();
      inputOf("place").focus();
      return;
    }
    if (ready_.sent === null && ready_.changes.length === 0) {
      put("kept", say("plan_nothing_changed"));
      return;
    }
    draft.sent = ready_.sent;
    draft.changes = ready_.changes;
  }
  go();
}

/** Plans the draft while no other tab does; `null` where one has done so, or has thrown it away. */
const planAlone = () => drafts.alone(async () => {
  const kept = isStored ? drafts.get(id) : draft;
  if (kept === null) return null;
  draft.sent = kept.sent ?? draft.sent;
  keep();
  return ask(draft.sent, null);
}, true);

/** Sends what is to be sent; nothing where only places of others change. */
function sendAll() {
  if (isNew()) return planAlone();
  if (draft.sent === null) return { ok: true, told: {} };
  keep();
  return ask(draft.sent, which);
}

async function go() {
  isBusy = true;
  isSignedIn = true;
  draw();
  const done = await sendAll();
  if (done === null) {
    isBusy = false;
    goneElsewhere();
    return;
  }
  if (done.ok) {
    await finish();
    return;
  }
  isBusy = false;
  isSignedIn = !isSignedOut(done.code);
  if (!isUnknown(done)) {
    draft.sent = null;
    if (done.code === "stale_terms") await reread();
    else if (isSignedIn) refuse(done);
    meetNewer();
  }
  keep();
  draw();
  find("[aria-invalid=true]", form)?.focus();
}

async function finish() {
  const { form: { title }, changes = [] } = draft;
  drafts.drop(id);
  isDone = true;
  const failed = await move(changes);
  const said = say(isNew() ? "plan_done" : "plan_done_edit", { title: title.trim() });
  sessionStorage.setItem(DONE, failed === null ? said : `${said} ${refusal(failed, language)}`);
  location.assign(`/plan/${stream}`);
}

function refuse(done) {
  const field = fieldOf(done, draft.form);
  const text = refusal(done, language);
  const isShown = field !== undefined && document.getElementById(`f-${field}-error`) !== null && inputOf(field).offsetParent !== null;
  refused[isShown ? field : ""] = isShown ? named(text, label(field, draft.form)) : text;
}

/** Reads the drop as it is now, where somebody was faster. */
async function reread() {
  const answer = await fetch(`/v1/drops/${which}`, { headers: { accept: "application/json" }, cache: "no-store" });
  if (answer.ok) meet(await answer.json());
}

// --- What is heard and pressed ---

function heard(_, kind) {
  // A tick of figures changes no terms.
  if (draft === null || isBusy || !["snapshot", "drop", "gone", "stream", "failed"].includes(kind)) return;
  isSignedIn = show.room.broken !== 401;
  meetNewer();
  draw();
}

/** The draft was planned or thrown away in another tab: here it is shown, and not kept again. */
function goneElsewhere() {
  isElsewhere = true;
  clearTimeout(keepDue);
  put("kept", "");
  draw();
}

/** Another tab has changed the draft of a new drop: it is one draft. */
function heardStored({ key }) {
  if (draft === null || !isNew() || !isStored || isDone || isBusy || !drafts.concerns(key)) return;
  const kept = drafts.get(id);
  if (kept === null) return goneElsewhere();
  if (JSON.stringify([kept.form, kept.place, kept.sent]) === JSON.stringify([draft.form, draft.place, draft.sent])) return;
  clearTimeout(keepDue);
  draft = kept;
  fill();
  draw();
}

function discard() {
  drafts.drop(id);
  if (isNew()) {
    isDone = true;
    location.assign(`/plan/${stream}`);
    return;
  }
  left.clear();
  refused = {};
  isAsked = false;
  endClash();
  begin();
}

/** The key of a call-off whose outcome is not known: the same is asked again. */
let offKey;

async function callOff() {
  const now = find("[data-do=call-off-now]");
  if (now.getAttribute("aria-disabled") === "true") return;
  now.setAttribute("aria-disabled", "true");
  const done = await command(which, "cancel", {}, undefined, offKey);
  now.setAttribute("aria-disabled", "false");
  if (done.ok) {
    drafts.drop(id);
    isDone = true;
    sessionStorage.setItem(DONE, say("plan_called_off", { title: draft.base.plan.title }));
    location.assign(`/plan/${stream}`);
    return;
  }
  offKey = done.isOpen ? done.key : undefined;
  put("off-refused", refusal(done, language));
  el("off-refused").hidden = false;
}

function copy() {
  keep();
  const name_ = freshId();
  const like = draft.base?.plan ?? draft.like;
  if (!drafts.keep({ id: name_, form: copied(draft.form), like, place: "", base: null, sent: null, at: Date.now() })) {
    refused[""] = say("plan_no_room");
    draw();
    return;
  }
  location.assign(`/plan/${stream}/${name_}`);
}

function addSize() {
  if (draft.form.goods.length >= SIZES_MAX) return;
  const keys = draft.form.goods.map(({ key }) => Number(key)).filter(Number.isFinite);
  const key = String(Math.max(0, ...keys) + 1);
  draft.form.goods.push({ ...blankSize(key), limit: "" });
  fillGoods();
  draw();
  keepSoon();
  inputOf(`goods.${key}.size`).focus();
}

function removeSize(key) {
  const at = draft.form.goods.findIndex((size) => size.key === key);
  draft.form.goods.splice(at, 1);
  if (draft.form.goods.length === 0) draft.form.goods.push(blankSize("1"));
  fillGoods();
  draw();
  keepSoon();
  const next = draft.form.goods[Math.min(at, draft.form.goods.length - 1)];
  inputOf(`goods.${next.key}.size`).focus();
}

form.addEventListener("input", typed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("focusout", ({ target }) => {
  if (!target.name) return;
  left.add(target.name);
  // What is said of a field moves what stands below it: not away from under a press.
  if (isPressed) isDrawDue = true;
  else draw();
});
addEventListener("pointerdown", () => {
  isPressed = true;
}, true);
for (const kind of ["pointerup", "pointercancel"]) {
  addEventListener(kind, () => {
    isPressed = false;
    if (isDrawDue) setTimeout(draw);
    isDrawDue = false;
  }, true);
}
form.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-do]");
  if (button?.dataset.do === "add-size") addSize();
  else if (button?.dataset.do === "remove-size") removeSize(button.closest(".sku").dataset.key);
  else if (button?.dataset.do === "merge") merge();
});
el("line").addEventListener("click", (event) => {
  const { field } = event.target.dataset;
  if (field === undefined) return;
  event.preventDefault();
  inputOf(field)?.focus();
});
act.addEventListener("click", submit);
find("[data-do=discard]").addEventListener("click", discard);
find("[data-do=call-off]").addEventListener("click", () => {
  put("off-title", say("plan_call_off_title", { title: draft.base.plan.title }));
  el("off-refused").hidden = true;
  el("off-dialog").showModal();
});
find("[data-do=call-off-now]").addEventListener("click", callOff);
find("[data-do=dismiss]").addEventListener("click", () => el("off-dialog").close());
find("[data-do=copy]").addEventListener("click", copy);
el("picture").addEventListener("error", ({ target }) => {
  badPicture = target.getAttribute("src") ?? "";
  draw();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
  event.preventDefault();
  submit();
});
addEventListener("pagehide", keep);
addEventListener("storage", heardStored);
document.addEventListener("visibilitychange", () => document.hidden && keep());
ready();
begin();
keepBar(show);
