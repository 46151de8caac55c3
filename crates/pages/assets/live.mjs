// The control room: follows the stream, sends what is pressed.
import { Scale } from "./chart.mjs";
import { command, put, ready, send, sessionRead, stay } from "./commands.mjs";
import { countdown, video, word } from "./cue.mjs";
import { Room } from "./follow.mjs";
import { aheadMin, awake, keep } from "./frame.mjs";
import { Hold } from "./hold.mjs";
import { madeNext } from "./next-drop.mjs";
import { due, FIRST, putBack, takeAgain } from "./left-over.mjs";
import { age, clock, count, duration, span } from "./numbers.mjs";
import { deed, whoCanPause } from "./others.mjs";
import { airs, alarm as drawAlarm, attribute, button, chart, el, icon, page, rows, show, text, whoCan } from "./paint.mjs";
import { press as rehearse } from "./rehearsal.mjs";
import { changed, sight } from "./seen.mjs";
import { ending } from "./session.mjs";
import { speech } from "./speech.mjs";
import { begin as beginLink, go as goLink } from "./stage-link.mjs";
import { present } from "./state.mjs";
import { allOver, askedGoods, cast, endOf, hadSale, mostEach, skuName, standing, sumOf, unitsAsked, view, windsDown } from "./view.mjs";
import { restockOffer } from "./restock-offer.mjs";
import { someUnits } from "./typed.mjs";
import { UnitsForm, unitsMax } from "./units-form.mjs";
import { load, problem, say } from "./words.mjs";

const language = document.documentElement.lang;
await load(language);

const { body } = document;
const { stream, role, name: myName, worker } = body.dataset;
const reader = { aheadMin, role, name: myName, plans: body.dataset.plans !== undefined, language, scales: null };
/** Between two seconds nothing of the chart changes. */
const reckoner = { ...reader, charts: false };

/** Age at which figures are slow, then lost, in milliseconds. */
const SLOW_MS = 1500;
const LOST_MS = 3000;
const PAINT_MS = 100;
const DEAF_MS = 1000;
/** How long a press from before the first figures waits for them. */
const EARLY_MS = 5000;
/** The running order is read once in this time at most. */
const READ_MS = 1000;
/** Shows among which that of the stream is looked for, the newest ones that go by its name. */
const SHOWS_READ = 20;
/** Time in which the figures of a pause are here, in milliseconds. */
const LAST_TAKE_MS = 700;
/** How long a stop that is under way is waited for before it is sent once more. */
const STOP_WAIT_MS = 50;
/** How long after a restock the page may not have heard of it. */
const RESTOCKED_MS = 1500;
/** How long the running order is waited for. */
const RUNNING_WAIT_MS = 3000;
const BEFORE = { pause: "pausing", "cancel-countdown": "cancelling", resume: "resuming", restock: "restocking", "take-back": "taking_back", amend: "amending", "wind-down": "winding", undo: "undoing", close: "closing", open: "starting", feature: "starting" };
const AFTER = { pause: "result_pause", "cancel-countdown": "result_cancel", resume: "result_resume", close: "result_close", open: "result_open", feature: "result_feature" };
const SAFE = new Set(["pause", "cancel-countdown"]);
/** What is as good a second time. */
const AGAIN = new Set(["restock", "take-back", "amend", "grant", "decline", "withdraw"]);
/** What answers a request, which ends once: it is meant whatever else has become of the drop. */
const ANSWERS = new Set(["grant", "decline", "withdraw"]);

/** The list that names also drops that have left memory; nothing is drawn before it is here. */
let running = null;
/** The drops that were there when it was read. */
let listed = null;
let readAt = 0;
let shown = null;
let paintedAt = 0;
let paintDue = null;
let charted = { drop: null, second: 0 };
let lostSince = null;
let sending = null;
/** The latest command that was carried out, with what the page showed of its drop then. */
let carried = null;
/** When units were added here last. */
let restockedAt = 0;
let resumeSince = 0;
let stood = new Map();
let ownUntil = 0;

const now = () => Date.now();
const heardAgo = () => now() - room.heardAt;
/** A phone has room for the names alone. */
const narrow = matchMedia("(max-width:899px)");
const find = (name) => document.querySelector(name);

// --- Figures ---

/** The stream as it stands this moment; after a break as it stood when the page last heard of it. */
const current = () => present(room.state, isLost() ? room.heardAt : now());

function paint() {
  clearTimeout(paintDue);
  paintDue = null;
  if (room.state === null || running === null || document.hidden) return;
  paintedAt = now();
  const snapshot = current();
  const second = Math.floor(snapshot.server_time_ms / 1000);
  const { air } = cast(snapshot);
  const steps = air && (charted.drop !== air.drop || charted.second !== second);
  if (air && charted.drop !== air.drop) reader.scales = { up: new Scale(), down: new Scale() };
  const drawn = view(snapshot, running, steps ? reader : reckoner);
  if (steps) {
    charted = { drop: air.drop, second };
    chart(drawn.air.chart);
  }
  // An old second is no moment to speak.
  if (isLost() && drawn.air?.cue) drawn.air.cue.now = false;
  const first = shown === null;
  shown = { view: drawn, snapshot };
  page(drawn);
  showLine(drawn.line);
  showLeftOver(drawn);
  scrollOrder();
  buttons();
  leftNow();
  if (first) late();
  // Opened before the first figures it knew of no drop to speak of.
  if (first && !sheet.hidden) more(true);
  ticks();
}

/** The row with which the running order began to show where the show is. */
let orderFrom = "";

/** Scrolls the running order once the show has moved on: to what is on air, with what is next below it. */
function scrollOrder() {
  const list = find("[data-list=order]");
  const row = list.querySelector(".air") ?? list.querySelector(".next");
  if (!row || row.dataset.key === orderFrom) return;
  orderFrom = row.dataset.key;
  list.scrollTop = row.offsetTop - list.offsetTop;
}

function later() {
  paintDue ??= setTimeout(paint, Math.max(PAINT_MS - (now() - paintedAt), 0));
}

const isLost = () => room.broken !== null || heardAgo() > LOST_MS;

function buttons() {
  if (!shown) return;
  const { airs: others, ...single } = shown.view.buttons;
  const why = say(room.broken === 401 ? "why_signed_out" : "why_no_connection");
  const kept = inOrder(others);
  airs(isLost() ? kept.map((one) => ({ ...one, effect: why, enabled: false })) : kept);
  // Another drop may be on air by now: the sheet still speaks of the one that it names.
  for (const name of ["take_back", "extend", "wind_down", "limits", "close"]) {
    if (moreSale === null || single[name].drop === moreSale.drop) continue;
    single[name] = { ...single[name], drop: moreSale.drop, effect: say("why_no_longer_open"), look: "plain", enabled: false };
  }
  if (undoable !== null) single.undo = undoOfRestock();
  for (const [name, stands] of Object.entries(single)) {
    const drawn = { ...stands };
    // What stops is shown even while something else is under way there: it can be pressed.
    if (name === "next" && drawn.enabled && FIRST[leftOver.value]) drawn.effect = say(FIRST[leftOver.value], { effect: drawn.effect });
    if (sending?.name === name && !(SAFE.has(drawn.act) && sending.act !== drawn.act)) continue;
    if (isLost() && name === "stop" && drawn.drop && !SAFE.has(drawn.act)) button(name, { ...drawn, act: "pause", icon: "pause", key: "P", label: say("pause"), effect: say("tries_anyway"), enabled: true });
    else if (!isLost() || !drawn.enabled) button(name, drawn);
    // What stops a sale is tried even so; nothing else is pressed blindly.
    else if (SAFE.has(drawn.act)) button(name, { ...drawn, effect: say("tries_anyway") });
    else button(name, { ...drawn, effect: why, enabled: false, look: "plain" });
  }
  // Deaf for its first second, also when it comes in the place of a blind Pause.
  const isResume = !isLost() && shown.view.buttons.stop.act === "resume" && sending?.name !== "stop";
  if (isResume && resumeSince === 0) resumeSince = now();
  if (!isResume) resumeSince = 0;
}

let agedAt = 0;

/** Age, connection, alarm line: once in 200 ms, whatever comes. */
function watch() {
  const lost = isLost();
  const old = heardAgo();
  attribute(body, "data-link", lost ? "lost" : "live");
  icon("age", lost ? "pulse-lost" : "pulse");
  text("clock", clock(now(), aheadMin));
  text("link", lost ? "" : say("connected"));
  // Tenths that change five times a second would be read by nobody, yet drawn each time.
  const second = Math.floor(now() / 1000);
  if (lost || old > SLOW_MS || second !== agedAt) text("age", say("age", { time: age(old) }));
  agedAt = second;
  text("as-of", lost ? say("as_of", { time: clock(room.heardAt, aheadMin) }) : "");
  if (lost && lostSince === null) {
    lostSince = room.heardAt;
    const wait = cast(room.state ?? { drops: [] }).air?.plan.when_offline?.pause_after_ms;
    const asOf = say("who_as_of", { time: clock(lostSince, aheadMin) });
    whoCan(others(), asOf, wait === undefined ? "" : say("who_offline", { wait: duration(wait) }));
    buttons();
  } else if (!lost && lostSince !== null) {
    lostSince = null;
    speech.calm();
    result("tick", say("connected_again"), "");
    buttons();
  }
  line(lost, old);
}

/** Who else was there when the page last heard of it. */
const others = () => shown?.view.others.people ?? [];

/** What is so without a connection, and who can do what this page cannot. */
function noConnection() {
  const time = clock(lostSince ?? room.heardAt, aheadMin);
  const who = whoCanPause(others());
  if (who !== "" && narrow.matches) return say("no_connection_who", { who });
  return who === "" ? say("no_connection", { time }) : say("no_connection_others", { time, who });
}

/** What the alarm line said last, its figures apart; `null` before its first words, which stand there unsaid. */
let raised = null;

/** Puts words on the alarm line. They are spoken once, however their figures go on. */
function alarm(drawn, kind) {
  drawAlarm(drawn, kind);
  const asked = drawn.act?.kind === "grant" ? drawn.act.sku : "";
  const words = `${drawn.level} ${asked} ${drawn.text.replace(/[\d.,:]+/g, "#")}`;
  if (words === raised) return;
  const isFirst = raised === null;
  raised = words;
  if (isFirst || drawn.level === "calm") return;
  if (drawn.level === "attention") speech.event(drawn.text);
  else speech.alarm(drawn.text.startsWith(kind) ? drawn.text : `${kind} ${drawn.text}`);
}

function line(lost, old) {
  const calm = { count: "", act: null };
  if (room.broken === 401) {
    alarm({ ...calm, level: "alarm", text: say("signed_out"), act: { kind: "sign-in", label: say("sign_in"), sku: "" } }, say("alarm"));
  } else if (room.broken === 403 || room.broken === 404) {
    alarm({ ...calm, level: "alarm", text: say("revoked") }, say("alarm"));
  } else if (lost) {
    const act = { kind: "again", label: say("try_now"), sku: "" };
    alarm({ ...calm, level: "alarm", text: noConnection(), act }, say("no_connection_short"));
  } else if (shown?.view.alarm.level === "alarm") {
    alarm(shown.view.alarm, say("alarm"));
  } else if (ending(room.state?.session ?? sessionRead(), now())) {
    const { kind, left } = ending(room.state?.session ?? sessionRead(), now());
    const [words, act] = kind === "idle" ? ["session_idle", "stay"] : ["session_ends", "sign-in"];
    const label = say(kind === "idle" ? "stay_signed_in" : "sign_in_again");
    alarm({ ...calm, level: "attention", text: say(words, { time: clock(now() + left, aheadMin) }), act: { kind: act, label, sku: "" } }, say("attention"));
  } else if (old > SLOW_MS) {
    alarm({ ...calm, level: "attention", text: say("figures_slow", { age: age(old) }) }, say("attention"));
  } else if (room.state !== null && keptPress()) {
    const { act: kept, unknown } = keptPress();
    const what = pressWord(kept);
    const [words, label] = unknown ? [say("press_unknown", { what }), say("ask_again", { what })] : [say("press_kept", { what }), say("press_again", { what })];
    alarm({ ...calm, level: "attention", text: words, act: { kind: "repeat", label, sku: "" } }, say("attention"));
  } else if (shown) {
    const drawn = shown.view.alarm;
    alarm(drawn, drawn.level === "calm" ? "" : say("attention"));
  }
  const { kind, sku } = find("[data-do=alarm]").dataset;
  if (kind !== offered.kind || (ANSWERS.has(kind) && sku !== offered.sku)) offered = { kind, sku, since: offered.kind === undefined ? 0 : now() };
}

/** What the alarm line's button does, and since when: it does not change under a finger. */
let offered = { kind: find("[data-do=alarm]").dataset.kind, sku: find("[data-do=alarm]").dataset.sku, since: 0 };

/** When the page is drawn anew next: a countdown changes with the server's seconds, not with ours. */
let nextTick = null;

function ticks() {
  clearTimeout(nextTick);
  nextTick = null;
  if (room.state === null || document.hidden || isLost()) return;
  const { air } = cast(current());
  const delay = room.state.video_delay_ms ?? 0;
  const left = air?.phase === "countdown" ? air.opens_in_ms ?? 0 : 0;
  const heard = air?.opened_ago_ms < 3000 ? 3000 - air.opened_ago_ms : 0;
  if (left === 0 && heard === 0) return;
  // The next whole second to the opening, or to the word, whichever comes first.
  const rest = left > 0 ? Math.min(left % 1000 || 1000, left > delay ? (left - delay) % 1000 || 1000 : 1000) : heard;
  nextTick = setTimeout(() => {
    paint();
    sayCue();
  }, rest + 1);
}

/** The words about the cue for screen readers. */
function sayCue() {
  const drawn = shown?.view.air;
  const delay = shown?.snapshot.video_delay_ms ?? 0;
  if (!drawn || delay === 0 || drawn.cue === null) return;
  const sale = cast(shown.snapshot).air;
  const told = word(sale, standing(sale).name, delay);
  if (told?.at === "now" || (told?.at === "ahead" && [5, 3, 2, 1].includes(told.n))) speech.alarm(drawn.hero.text);
}

// --- What is spoken ---

/** The share of a drop's units that are its last. */
const LAST_UNITS = 0.1;

/** Says what changed, whoever did it: the state, and when the last units are reached. */
function compare() {
  for (const sale of room.state.drops) {
    const { name, word } = standing(sale);
    const { supplied, left } = sumOf(sale);
    const last = name === "open" && left <= supplied * LAST_UNITS;
    const before = stood.get(sale.drop);
    stood.set(sale.drop, { name, last, winds: windsDown(sale) });
    if (!before) continue;
    if (before.name !== name) {
      // What is lost by a close that nobody pressed is told.
      const isClosed = [sending, carried].some((one) => one?.act === "close" && one.drop === sale.drop);
      const isWound = before.winds && !isClosed && ["closed", "settled"].includes(name) && left > 0;
      const said = isWound ? say("wound_down", { title: sale.plan.title, n: count(left) }) : say("other_changed", { title: sale.plan.title, state: word });
      const isOwn = now() <= ownUntil || sending !== null;
      const isNamed = told.drop === sale.drop && now() < told.until;
      const isStir = ["open", "all_taken"].includes(name) && ["open", "all_taken"].includes(before.name);
      // That it settles at once says less.
      if (isWound && !isNamed) told = { drop: sale.drop, until: now() + 1500, refused: false, said };
      // That there are units again is what a restock of one's own has said.
      if (isStir && !(isOwn && name === "open")) speech.figures(said);
      else if (!isNamed && (isWound || (!isStir && !isOwn))) result(name === "paused" ? "bars" : "tick", said, clock(now(), aheadMin));
    } else if (last && !before.last) {
      speech.figures(say("other_changed", { title: sale.plan.title, state: say("sku_left", { n: count(left) }) }));
    }
  }
}

/** What was said last of somebody else's command, or of one that was refused for it. */
let told = { drop: "", until: 0, refused: false };

/** Somebody has given a command: what others did is said by name. */
function heardOf(given) {
  if (given.actor === myName && (sending !== null || now() < ownUntil)) return;
  // The alarm line says it to whoever can answer, where nothing stands before it.
  if (given.action === "restock" && given.request !== undefined && shown?.view.alarm.act?.sku === given.request) return;
  const said = deed(given, room.state.drops);
  if (said === null) return;
  if (told.refused && told.drop === given.drop && now() < told.until) {
    text("result-second", said);
    speech.event(said);
    return;
  }
  told = { drop: given.drop, until: now() + 1500, refused: false, said };
  result(SAFE.has(given.action.replace("_", "-")) ? "bars" : "tick", said, clock(now(), aheadMin));
}

// --- Commands ---

/** Says the result of something next to the buttons, and to screen readers. */
function result(glyph, said, second, kind = "done") {
  // Asked for again and again, it is still one question.
  const isAsked = glyph === "ring" && find("[data-s=result]").textContent === said;
  if (kind === "refused") speech.alarm(said);
  else if (!isAsked) speech.event(said);
  el("result").dataset.kind = kind;
  offerUndo(null);
  icon("result", glyph);
  text("result", said);
  // The longest sentences have their end there alone.
  attribute(el("result"), "title", said);
  text("result-second", second);
}

/** What the page showed of a drop: what is pressed on it was meant for that. */
const seen = (drop) => shown?.snapshot.drops.find((one) => one.drop === drop);

/** Says, while the connection is lost, that nothing is sent but what stops a sale; answers whether it is. */
function refuseLost() {
  if (isLost()) result("triangle", say("not_sent"), say("not_sent_lead"), "refused");
  return isLost();
}

/** Whether this was carried out a moment ago: the page may not have heard what came of it. */
const isCarried = (act, drop) => carried !== null && carried.act === act && carried.drop === drop && now() < carried.until;

/**
 * Gives a command by a press. `said` are the words for what it did, with their values; `before` is the drop as it was seen,
 * where that is not how it stands. Answers what came of it, or nothing where it was not sent or was overtaken by a stop; says
 * it beside the buttons unless `tell(done)` answers that it needs not.
 */
async function press(name, drop, act, { body: asked, said, before, key, tell, request } = {}) {
  if (!drop) return;
  // Pressed twice, sent once: the second would be refused.
  if (sending?.act === act && sending.drop === drop) return;
  if (sending !== null && !SAFE.has(act)) {
    result("triangle", say("not_sent"), say("not_sent_busy"), "refused");
    return;
  }
  // What is still under way there must not undo the stop.
  const overtaken = sending !== null && sending.drop === drop && !SAFE.has(sending.act) ? sending : null;
  if (overtaken) Object.assign(overtaken, { isOvertaken: true, stop: act });
  if (!SAFE.has(act) && isCarried(act, drop) && seen(drop)?.phase_changes === carried.was) return;
  // What stops is meant whatever the page showed; anything else is for the drop as it was seen.
  const was = before ?? seen(drop);
  const sent = SAFE.has(act) || ANSWERS.has(act) || !was ? asked : { seen: sight(was), ...asked };
  if (!SAFE.has(act) && room.broken === 401) {
    keepPress({ drop, act, sent, said, key, request });
    result("triangle", say("not_sent"), say("problem_session_expired"), "refused");
    return;
  }
  if (!SAFE.has(act) && refuseLost()) return;
  const mine = { name, act, drop };
  sending = mine;
  const drawn = shown?.view.buttons[name];
  const slow = setTimeout(() => drawn && sending === mine && button(name, { ...drawn, label: say(BEFORE[act]) }), 150);
  ownUntil = now() + 1500;
  const waiting = () => {
    if (!mine.isOvertaken) result("ring", say("unknown_outcome"), say("asking_again"));
    return !mine.isOvertaken;
  };
  const done = await command(drop, act, sent, waiting, key, request);
  clearTimeout(slow);
  if (mine.isOvertaken) {
    // It was carried out after the stop, or may have been: the stop is what holds.
    const again = () => {
      // A stop that was carried out came after it.
      if (mine.isStopped) return;
      if (SAFE.has(sending?.act)) setTimeout(again, STOP_WAIT_MS);
      else press("stop", drop, mine.stop);
    };
    if (done.ok || done.code === "" || done.code === "outcome_unknown") again();
    return;
  }
  if (sending === mine) sending = null;
  if (done.ok && overtaken) overtaken.isStopped = true;
  ownUntil = now() + 1500;
  if (done.ok && act === "restock") restockedAt = now();
  // What one did oneself is no surprise to what one is about to do.
  if (done.ok && restocking?.drop === drop) restocking = null;
  if (done.ok && !AGAIN.has(act)) carried = { act, drop, was: was?.phase_changes, until: now() + 1500 };
  if (!tell?.(done)) answered(done, { drop, act, sent, said, request });
  later();
  return done;
}

/** What was done: the words of the press, or those of the command; the units are those that the server names. */
function doneWords(act, said, { units, request }) {
  if (!said) return say(AFTER[act]);
  const [words, values] = act === "restock" && request !== undefined ? ["result_asked", said[1]] : said;
  return say(words, units === undefined ? values : { ...values, n: count(units) });
}

function answered(done, { drop, act, sent, said, request }) {
  const time = clock(now(), aheadMin);
  if (done.ok) {
    const second = done.asked > 0 ? say("confirmed_retry", { time }) : say("confirmed_in", { time, n: count(done.ms) });
    result("tick", act === "undo" ? undone(done.told) : doneWords(act, said, done.told), second);
    if (act === "pause") setTimeout(() => lastTake(drop, second), LAST_TAKE_MS);
    return;
  }
  const sale = room.state?.drops.find((one) => one.drop === drop) ?? seen(drop);
  // Stopped twice, stopped once.
  if (SAFE.has(act) && done.code === "wrong_phase" && isCarried(act, drop)) return;
  if (act === "pause" && done.code === "wrong_phase" && sale?.phase === "paused") {
    result("bars", say("result_pause"), time);
    return;
  }
  // A cancel that comes too late is sent as Pause.
  if (act === "cancel-countdown" && done.code === "wrong_phase" && sale?.phase === "scheduled") {
    result("bars", say("result_cancel"), time);
    return;
  }
  if (act === "cancel-countdown" && done.code === "wrong_phase") {
    press("stop", drop, "pause");
    return;
  }
  if (done.code === "not_free") {
    const { free } = done.told;
    result("triangle", free === 0 ? say("none_free") : say("not_free", { n: count(free) }), time, "refused");
    return;
  }
  if (done.code === "drop_changed" && sale && sent?.seen) {
    const lead = changed(sale, sent.seen, done.told.now);
    const isKnown = told.drop === drop && !told.refused && now() < told.until + 3500;
    result("triangle", lead, isKnown ? told.said : time, "refused");
    told = { drop, until: now() + 1500, refused: true };
    return;
  }
  const lead = done.code === "" || done.code === "outcome_unknown" ? say("unknown_outcome") : problem(done.code, duration(done.told.retry_after_ms ?? 1000));
  result("octagon", lead, done.code === "" ? say("no_connection_short") : time, "refused");
  if (["token_missing", "token_unknown", "session_expired"].includes(done.code)) {
    keepPress({ drop, act, sent, said, key: done.key, request });
    room.again();
  } else if (done.code === "" || done.code === "outcome_unknown") {
    // Offered again under its key, so that it is done once even if it was done.
    keepPress({ drop, act, sent, said, key: done.key, request, unknown: true });
  }
}

// A press that met the end of the session is offered again after signing in, never sent by itself.

const KEPT = "stampede_press";
const KEPT_MS = 600_000;
/** One of which it is not known whether it was carried out is offered only while it may still be meant. */
const UNKNOWN_MS = 60_000;

function keepPress(pressed) {
  const sale = seen(pressed.drop);
  sessionStorage.setItem(KEPT, JSON.stringify({ ...pressed, stream, at: now(), changes: sale?.phase_changes, revision: sale?.revision }));
}

/** The press that is offered, unless the drop is not what it was. */
function keptPress() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const sale = kept && room.state?.drops.find((one) => one.drop === kept.drop);
  if (!sale || kept.stream !== stream || now() - kept.at > (kept.unknown ? UNKNOWN_MS : KEPT_MS)) return null;
  // One from before the first figures knows of no phase: it is a stop, which is meant for any.
  if (kept.changes !== undefined && (sale.phase_changes !== kept.changes || sale.revision !== kept.revision)) return null;
  return kept;
}

const pressWord = (act) => ({
  pause: say("pause"), "cancel-countdown": say("cancel_countdown"), resume: say("resume"),
  restock: say("restock"), "take-back": say("take_back"), amend: say("more"), "wind-down": say("wind_down"), undo: say("undo"), close: say("close"), open: say("start_next"), feature: say("put_on_air"), move: say("make_next"),
  grant: say("grant_word"), decline: say("decline"), withdraw: say("withdraw"),
})[act];

const place = (act) => ({ restock: "restock", "take-back": "more", amend: "more", "wind-down": "more", undo: "undo", close: "close", open: "next", feature: "more", move: "order", grant: "alarm", decline: "alarm", withdraw: "alarm" })[act] ?? "stop";

function repeat() {
  if (sending !== null) return;
  const kept = keptPress();
  sessionStorage.removeItem(KEPT);
  if (kept) press(place(kept.act), kept.drop, kept.act, { body: kept.sent, said: kept.said, key: kept.key, request: kept.request });
}

/** Says after a pause up to which take buying went, once the figures that belong to it are here. */
function lastTake(drop, second) {
  const sale = room.state?.drops.find((one) => one.drop === drop);
  const takes = sale?.phase === "paused" ? sale.skus.map((sku) => sku.last_take).filter((take) => take > 0) : [];
  const unchanged = find("[data-s=result-second]").textContent === second;
  if (takes.length > 0 && unchanged) text("result-second", `${second}, ${say("last_take", { n: takes.map(count).join(" / ") })}`);
}

function drawnStop() {
  const { act, drop } = find("[data-command=stop]").dataset;
  return { act, drop, enabled: SAFE.has(act) && drop !== "" };
}

function stop() {
  // Before the first snapshot came, the button is what the server drew.
  const drawn = shown?.view.buttons.stop ?? drawnStop();
  // What the page knows may be old: a sale that went on meanwhile can be stopped all the same.
  if (shown && isLost() && drawn.drop && !SAFE.has(drawn.act)) {
    press("stop", drawn.drop, "pause");
    return;
  }
  if (!drawn?.enabled) return;
  if (drawn.act === "resume" && (resumeSince === 0 || now() - resumeSince < DEAF_MS)) return;
  press("stop", drawn.drop, drawn.act);
}

// What is pressed before the first figures came is done with them, if its button then says the same.

let early = null;

function isEarly(name, act) {
  if (shown) return false;
  early = { ...find(`[data-command=${name}]`).dataset, name, again: act, at: now() };
  return true;
}

function late() {
  const drawn = early && shown.view.buttons[early.name];
  if (early && now() - early.at > EARLY_MS) result("triangle", say("not_sent"), "", "refused");
  else if (early?.name === "order" || (drawn?.act === early?.act && drawn?.drop === early?.drop)) early?.again();
  early = null;
}

/** Opens with the plan's countdown, or one in which the host has time to speak. */
function start() {
  if (isEarly("next", start)) return;
  const drawn = shown.view.buttons.next;
  if (!drawn?.enabled || isLost()) return;
  const planned = seen(drawn.drop).plan.countdown_ms;
  const needed = countdown(planned, shown.snapshot.video_delay_ms ?? 0);
  startWith(drawn.drop, needed === planned ? {} : { body: { countdown_ms: needed } });
}

// --- The running order ---

const orderList = find("[data-list=order]");
const offersNext = () => [...orderList.querySelectorAll("[data-do=make-next]:not([hidden])")];

/** Has a planned drop be the next one: one command for each drop that moves for it. */
async function makeNext(drop) {
  if (!shown) early = { name: "order", again: () => makeNext(drop), at: now() };
  const sale = seen(drop);
  if (!sale) return;
  const changes = madeNext(shown.snapshot, drop);
  if (changes === null) {
    result("triangle", say("make_next_fixed"), clock(now(), aheadMin), "refused");
    return;
  }
  for (const [at, moved] of changes.entries()) {
    const isLast = at === changes.length - 1;
    const said = ["result_make_next", { title: sale.plan.title }];
    const done = await press("order", moved.drop, "move", { body: { running_order: moved.place }, said, tell: ({ ok }) => ok && !isLast });
    if (!done?.ok) return;
  }
}

orderList.addEventListener("click", ({ target }) => {
  const row = target.closest("[data-do=make-next]")?.closest("li");
  if (row) makeNext(row.dataset.key);
});
orderList.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = offersNext();
  const to = all[all.indexOf(document.activeElement) + step];
  if (!step || !all.includes(document.activeElement)) return;
  event.preventDefault();
  to?.focus();
});

// --- What becomes of units left ---

const leftOver = document.getElementById("left-over");
/** The choice of a drop that was started, until that opens: over a reload too, but for this tab alone. */
const LEFT = "stampede_left_over";
let waiting = JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
/** The drop on air and the next one that the choice is for. */
let leftFor = "";

function wait(chosen) {
  waiting = chosen;
  if (chosen === null) sessionStorage.removeItem(LEFT);
  else sessionStorage.setItem(LEFT, JSON.stringify(chosen));
}

/** The choice as far as there is one; for another drop it stands where it always begins. */
function showLeftOver({ left_over: drawn, next: following }) {
  show("left-over", drawn !== null);
  const chosenFor = drawn === null ? leftFor : `${drawn.drop} ${following.drop}`;
  const [keep, down, back] = leftOver.options;
  if (drawn !== null) {
    [down.disabled, back.disabled] = [!drawn.wind_down, !drawn.back];
    text("left-over-hint", drawn.hint);
  }
  if (chosenFor !== leftFor || leftOver.selectedOptions[0].disabled) keep.selected = true;
  leftFor = chosenFor;
}

leftOver.addEventListener("change", buttons);

/** Starts the next drop; once it opens, what was chosen becomes of the units of the one before. */
async function startWith(next, how) {
  const { left_over: drawn } = shown.view;
  const sale = drawn === null ? null : seen(drawn.drop);
  const what = leftOver.value;
  const changes = seen(next).phase_changes;
  wait(null);
  const done = await press("next", next, "open", how);
  if (!done?.ok || sale === null || what === "keep") return;
  wait({ stream, drop: sale.drop, next, changes, what, title: sale.plan.title });
  leftOverNow();
}

/** Does what was chosen as soon as the drop that was started is open. A countdown that is cancelled leaves all as it was. */
async function leftOverNow() {
  if (waiting === null || sending !== null || room.state === null || isLost()) return;
  const stands = waiting.stream === stream ? due(waiting, current().drops) : "off";
  if (stands === "wait") return;
  const { drop, what, title } = waiting;
  wait(null);
  if (stands === "late") result("triangle", say("left_over_late", { title }), clock(now(), aheadMin), "refused");
  if (stands !== "do") return;
  if (what === "wind-down") {
    press("more", drop, "wind-down", { said: ["result_wind_down", { title }] });
    return;
  }
  const tell = (done) => done.ok || done.code === "not_free";
  const { skus } = room.state.drops.find((one) => one.drop === drop);
  const { units, ended } = await putBack(skus, (sku) => press("more", drop, "take-back", { body: { sku, to_reserve: true }, tell }));
  if (!ended) result("tick", units === 0 ? say("result_left_none", { title }) : say("result_left_back", { title, n: count(units) }), clock(now(), aheadMin));
}

/** Asks in a dialog. On a phone it comes above the buttons: Pause stays within reach. */
function ask(dialog) {
  const menu = find("details.who");
  // What opened it is hidden with the menu: the dialog gives the focus back to the menu's name.
  if (menu.open) menu.querySelector("summary").focus();
  menu.open = false;
  if (narrow.matches) dialog.show();
  else dialog.showModal();
}

// --- More ---

const sheet = el("more");
const moreButton = find("[data-command=more]");

/** What the sheet showed when it was opened: none comes under a finger that is on its way down. */
let opened = null;
let moreSale = null;

/** The rows in the order in which they stood; those that can no longer be put on air are dead. */
function inOrder(others) {
  // A row that stands for none hides nothing.
  if (opened === null || opened[0]?.drop === "") return others;
  const now = new Map(others.map((one) => [one.drop, one]));
  return opened.map((one) => ({ ...(now.get(one.drop) ?? { ...one, effect: say("why_no_longer_open"), enabled: false }), key: one.key }));
}

function more(open) {
  if (open && moreButton.getAttribute("aria-disabled") === "true") return;
  const held = sheet.contains(document.activeElement);
  sheet.hidden = !open;
  moreButton.setAttribute("aria-expanded", String(open));
  opened = open ? shown?.view.buttons.airs ?? null : null;
  moreSale = open ? seen(shown?.view.buttons.close.drop) ?? null : null;
  if (!open) hold.cancel();
  if (open) {
    text("more-title", say("more_title", { title: shown?.view.air?.title ?? stream }));
    (sheet.querySelector(".command:not([aria-disabled],[data-command=close])") ?? find("[data-do=less]")).focus();
  } else if (held) moreButton.focus();
}

function putOnAir(node) {
  const drop = node?.dataset.drop;
  if (!drop || node.getAttribute("aria-disabled") === "true") return;
  more(false);
  press("more", drop, "feature", { said: ["result_put_on_air", { title: seen(drop)?.plan.title ?? drop }] });
}

moreButton.addEventListener("click", () => more(sheet.hidden));
find("[data-do=less]").addEventListener("click", () => more(false));
find("[data-list=airs]").addEventListener("click", (event) => putOnAir(event.target.closest("[data-act=feature]")));

// --- Close ---

const closeDialog = el("close-dialog");
const closeButton = find("[data-command=close]");
let closing = null;

function askClose() {
  const sale = moreSale;
  more(false);
  const drawn = shown?.view.buttons.close;
  if (!sale || !drawn?.enabled || drawn.drop !== sale.drop || isLost()) return;
  closing = sale;
  const units = (of) => sale.skus.reduce((all, sku) => all + sku[of], 0);
  text("close-question", say("close_question", { title: sale.plan.title }));
  text("close-left", say("close_left", { n: count(units("available")) }));
  text("close-held", say("close_held", { n: count(units("held")) }));
  text("close-reserve", say("close_reserve", { n: count(units("reserve")) }));
  show("close-reserve-row", units("reserve") > 0);
  show("close-held-row", units("held") > 0);
  text("close-label", body.dataset.presses === "two" ? say("close") : say("hold_to_close"));
  text("close-more", body.dataset.presses === "two" ? "" : say("close_effect"));
  ask(closeDialog);
}

function close(sale) {
  closeDialog.close();
  more(false);
  press("close", sale.drop, "close", { before: sale });
}

// The drop that stood there when the button was pressed down, whatever is on air a second later.
let heldDrop = null;
const hold = new Hold(closeButton, {
  begun: () => {
    heldDrop = moreSale;
  },
  done: () => heldDrop && close(heldDrop),
  brief: askClose,
});
closeDialog.addEventListener("close", () => held.cancel());
const held = new Hold(find("[data-do=close-held]"), {
  done: () => closing && close(closing),
  brief: () => body.dataset.presses === "two" && closing && close(closing),
});

// --- Undo ---

const undoDialog = el("undo-dialog");
let undoing = null;

/** What came of an undo: a copy, or why there is none. */
const undone = (told) => (told.no_copy === undefined ? say("result_undo") : say("result_undo_no_copy", { why: problem(told.no_copy, "") }));

/** Why the opening of a drop can be undone no more; `null` while it can. */
function tooLateToUndo(sale) {
  if (sale?.phase !== "open" && sale?.phase !== "paused") return say("why_no_longer_open");
  const { paid } = sumOf(sale);
  return paid === 0 ? null : say("why_paid", { n: count(paid) });
}

/** How much goes back, and whether it still can. */
function undoNow(sale) {
  const { held } = sale ? sumOf(sale) : { held: 0 };
  text("undo-held", say("undo_held", { n: count(held) }));
  show("undo-held-row", held > 0);
  const why = tooLateToUndo(sale);
  const act = find("[data-do=undo]");
  if (why !== null && !act.hasAttribute("aria-disabled")) speech.event(why);
  attribute(act, "aria-disabled", why === null ? null : "true");
  text("undo-why", why ?? say("undo_effect"));
}

function askUndo() {
  const drawn = shown?.view.buttons.undo;
  if (!drawn?.enabled || isLost() || undoDialog.open) return;
  undoing = seen(drawn.drop);
  text("undo-question", say("undo_question", { title: undoing.plan.title }));
  attribute(find("[data-do=undo]"), "aria-disabled", null);
  undoNow(undoing);
  ask(undoDialog);
}

find("[data-do=undo]").addEventListener("click", ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  undoDialog.close();
  if (undoing) press("undo", undoing.drop, "undo", { before: undoing });
});

// --- Restock ---

const restockDialog = el("restock-dialog");
/** The drop that the dialog is about, and how it was seen; `null` once it was changed by the reader. */
let restocked = null;
let restocking = null;

/** What there is of a SKU that can be put on sale. */
function leftAndReserve({ available, reserve = 0 }) {
  const left = count(available);
  return reserve === 0 ? say("sku_left_no_reserve", { left }) : say("sku_left_reserve", { left, n: count(reserve) });
}

/** The same with what is asked for already. */
function leftAndAsked(figures) {
  const asked = unitsAsked(restocked, figures.sku);
  return asked === 0 ? leftAndReserve(figures) : say("and_asked", { words: leftAndReserve(figures), n: count(asked) });
}

/** Whether more than the reserve is a request. */
const mustAsk = role === "host";
const asks = ({ units, figures: { reserve } }) => mustAsk && units !== null && units > reserve;

/** Where the units of a restock come from. */
function restockThen(chosen) {
  const { units, figures: { reserve } } = chosen;
  if (asks(chosen)) return reserve === 0 ? say("restock_asks_none") : say("restock_asks", { n: count(reserve) });
  if (reserve === 0) return say("restock_no_reserve", { n: count(units) });
  if (units > reserve) return say("restock_beyond", { n: count(reserve), beyond: count(units - reserve) });
  return say("restock_of_reserve", { n: count(units), left: count(reserve - units) });
}

const restockForm = new UnitsForm("restock", {
  left: leftAndAsked,
  offer: restockOffer,
  then: restockThen,
  confirm: (chosen) => {
    const { units, name } = chosen;
    return units === null ? say("restock_confirm_none") : say(asks(chosen) ? "restock_ask" : "restock_confirm", { n: count(units), sku: name });
  },
  wrong: ({ units, typed }) => (units === null ? say("restock_range", { value: typed || say("unknown"), max: unitsMax() }) : null),
}, async ({ figures, name, units }) => {
  restockDialog.close();
  const { drop } = restocked;
  const said = ["result_restock", { sku: name, n: count(units) }];
  const done = await press("restock", drop, "restock", { body: { sku: figures.sku, units }, said, before: restocking ?? undefined });
  if (done?.ok && done.told.request === undefined) offerUndo({ drop, sku: figures.sku, name, units, reserved: Math.min(units, figures.reserve) });
});

// --- Requests for more ---

const RESULTS = { grant: "result_grant", decline: "result_decline", withdraw: "result_withdraw" };

/** Grants, declines or withdraws a request. */
/** Requests that this page has answered: a second press is about none of them. */
const requestsAnswered = new Set();

async function answerRequest(act, id) {
  if (requestsAnswered.has(id)) return;
  const sale = shown?.snapshot.drops.find((one) => one.requests?.some((request) => request.request === id));
  const request = sale?.requests.find((one) => one.request === id);
  if (!request) return;
  const name = askedGoods(sale, request);
  const { reserve = 0 } = sale.skus.find((figures) => figures.sku === request.sku) ?? {};
  const said = [RESULTS[act], { sku: name, n: count(request.units) }];
  const done = await press("alarm", sale.drop, act, { said, request: id });
  if (!done?.ok) return;
  requestsAnswered.add(id);
  if (act !== "grant") return;
  restockedAt = now();
  offerUndo({ drop: sale.drop, sku: request.sku, name, units: request.units, reserved: Math.min(request.units, reserve) });
}

// --- Undo of a restock ---

const undoButton = find("[data-command=undo]");
/** How long it is offered in the place of undoing the opening, in milliseconds. */
const UNDO_MS = 15_000;
let undoable = null;
let undoEnds = null;

/** Offers to undo a restock in the line that tells of it, for a while; with `null` no more. */
function offerUndo(restock) {
  clearTimeout(undoEnds);
  if (restock === undoable) return;
  undoable = restock;
  buttons();
  if (restock !== null) undoEnds = setTimeout(() => offerUndo(null), UNDO_MS);
  else if (document.activeElement === undoButton && undoButton.classList.contains("gone")) find("[data-command=restock]").focus();
}

/** The button while a restock can be undone. */
const undoOfRestock = () => ({ act: "take-back", drop: undoable.drop, label: say("undo"), effect: say("undo_restock_effect"), key: "U", icon: "undo", look: "plain", enabled: true });

async function undoRestock() {
  if (refuseLost()) return;
  const { drop, sku, name, units, reserved } = undoable;
  offerUndo(null);
  // That a part is off sale already is told with what is not.
  let isPart = false;
  const tell = (done) => done.ok || (isPart && done.code === "not_free");
  const { back, part, done } = await takeAgain({ units, reserved }, async (some, to_reserve) => {
    const took = await press("undo", drop, "take-back", { body: { sku, units: some, to_reserve }, tell });
    isPart = took?.ok;
    return took;
  });
  const time = clock(now(), aheadMin);
  if (part === undefined) result("tick", say("result_undone", { sku: name, n: count(units) }), time);
  else if (back > 0 && done?.code === "not_free") result("triangle", say("undone_in_part", { n: count(back), rest: count(part), free: count(done.told.free) }), time, "refused");
}

/** What was done last is undone first. */
function undo() {
  if (undoable === null) askUndo();
  else undoRestock();
}

undoButton.addEventListener("click", undo);

function askRestock(sku) {
  if (isEarly("restock", askRestock)) return;
  const drawn = shown?.view.buttons.restock;
  if (!drawn?.enabled || isLost() || restockDialog.open) return;
  const sale = seen(drawn.drop);
  [restocked, restocking] = [sale, sale];
  // What can be put on sale out of the reserve first; of these what has run out.
  const reserved = sale.skus.filter(({ reserve = 0 }) => reserve > 0);
  const offered = reserved.length > 0 ? reserved : sale.skus;
  const out = offered.find((figures) => figures.available === 0) ?? offered[0];
  text("restock-question", say("restock_question", { title: sale.plan.title }));
  restockForm.begin(sale, sku || out.sku, "other");
  ask(restockDialog);
  restockForm.focus();
}

// --- Take back ---

const backDialog = el("back-dialog");
/** The drop that the dialog is about, as it was seen. */
let taken = null;

const backForm = new UnitsForm("back", {
  left: leftAndReserve,
  then: ({ units, isAll, figures: { available } }) => {
    if (units > available) return "";
    if (isAll) return say(backForm.ticked("reserve") ? "back_all_reserve" : "back_all_for_good", { n: count(units) });
    return say(backForm.ticked("reserve") ? "back_of_left" : "back_for_good", { n: count(units), left: count(available - units) });
  },
  confirm: ({ units, isAll, name }) => {
    if (isAll) return say("back_confirm_all", { sku: name });
    return units === null ? say("restock_confirm_none") : say("back_confirm", { n: count(units), sku: name });
  },
  wrong: ({ units, typed, name, figures: { available } }) => {
    if (available === 0) return say("back_none", { sku: name });
    if (units === null) return say("restock_range", { value: typed || say("unknown"), max: count(available) });
    return units > available ? say("back_many", { n: count(available) }) : null;
  },
}, ({ figures, name, units, isAll }) => {
  backDialog.close();
  const to_reserve = backForm.ticked("reserve");
  const said = [to_reserve ? "result_back_reserve" : "result_back", { sku: name, n: count(units) }];
  // All that is left is what is left once the server gets to it.
  const body = isAll ? { sku: figures.sku, to_reserve } : { sku: figures.sku, units, to_reserve };
  press("more", taken.drop, "take-back", { body, said, before: taken });
});

function askBack() {
  const sale = fromSheet("take_back");
  if (sale === null) return;
  taken = sale;
  const most = sale.skus.reduce((found, figures) => (figures.available > found.available ? figures : found));
  text("back-question", say("back_question", { title: sale.plan.title }));
  backForm.begin(sale, most.sku, "other");
  ask(backDialog);
  backForm.focus();
}

find("[data-command=take_back]").addEventListener("click", askBack);

// --- Terms put right ---

/** The drop that the sheet is about, if a command of its can be given; the sheet closes. */
function fromSheet(name) {
  const sale = moreSale;
  const drawn = shown?.view.buttons[name];
  if (!sale || !drawn?.enabled || drawn.drop !== sale.drop || isLost()) return null;
  more(false);
  return sale;
}

const extendDialog = el("extend-dialog");
let extended = null;

function askExtend() {
  const sale = fromSheet("extend");
  if (sale === null) return;
  extended = sale;
  text("extend-question", say("extend_question", { title: sale.plan.title }));
  text("extend-lead", say("extend_lead", { time: clock(endOf(sale), aheadMin) }));
  ask(extendDialog);
}

find("[data-command=extend]").addEventListener("click", askExtend);
for (const by of document.querySelectorAll("[data-do=extend]")) {
  by.addEventListener("click", () => {
    extendDialog.close();
    // Somebody else may have moved it: then the server refuses what was seen before.
    const ends_at_ms = endOf(extended) + Number(by.value);
    const said = ["result_extend", { title: extended.plan.title, time: clock(ends_at_ms, aheadMin) }];
    press("more", extended.drop, "amend", { body: { ends_at_ms }, said, before: extended });
  });
}

const windDialog = el("wind-dialog");
/** How many hold times a drop winds down for at most; the server says until when once it does. */
const HOLD_TIMES = 2;
let wound = null;

function askWind() {
  const sale = fromSheet("wind_down");
  if (sale === null) return;
  wound = sale;
  const { left, held, reserve } = sumOf(sale);
  const at = current().server_time_ms;
  const ends = Math.min(at + HOLD_TIMES * sale.plan.hold_ttl_ms, endOf(sale) ?? Infinity);
  text("wind-question", say("wind_down_question", { title: sale.plan.title }));
  text("wind-sells", say("wind_down_sells", { left: count(left), held: count(held) }));
  text("wind-ends", say("wind_down_ends", { span: span(ends - at), time: clock(ends, aheadMin) }));
  text("wind-unsold", reserve > 0 ? say("wind_down_reserve", { n: count(reserve) }) : say("wind_down_unsold"));
  ask(windDialog);
}

find("[data-command=wind_down]").addEventListener("click", askWind);
find("[data-do=wind-down]").addEventListener("click", () => {
  windDialog.close();
  press("more", wound.drop, "wind-down", { said: ["result_wind_down", { title: wound.plan.title }], before: wound });
});

const limitsDialog = el("limits-dialog");
const limitsForm = find("[data-form=limits]");
const limitsWrong = document.getElementById("limits-error");
let limited = null;

/** The goods whose limit is not the drop's. */
const ownLimits = ({ plan }) => plan.skus.filter((sku) => (sku.limit_per_viewer ?? plan.limit_per_viewer) !== plan.limit_per_viewer);
/** The goods that are asked about by themselves: where there is only one, its limit is the drop's. */
const askedLimits = (sale) => (sale.plan.skus.length === 1 ? [] : ownLimits(sale));

function askLimits() {
  const sale = fromSheet("limits");
  if (sale === null) return;
  limited = sale;
  text("limits-question", say("limits_question", { title: sale.plan.title }));
  const own = askedLimits(sale);
  rows("limits-own", own, (sku) => sku.id, (row, set, sku) => {
    set("name", skuName(sku));
    row.querySelector("input").value = sku.limit_per_viewer;
  });
  limitsForm.querySelector("fieldset").hidden = own.length === 0;
  limitsForm.elements.limit.value = own.length === 0 ? mostEach(sale.plan) : sale.plan.limit_per_viewer;
  for (const input of limitsForm.querySelectorAll("input")) input.removeAttribute("aria-invalid");
  limitsWrong.hidden = true;
  ask(limitsDialog);
  limitsForm.elements.limit.select();
}

find("[data-command=limits]").addEventListener("click", askLimits);
limitsForm.addEventListener("input", () => {
  limitsWrong.hidden = true;
});
limitsForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const inputs = [...limitsForm.querySelectorAll("input")];
  const wrong = inputs.filter((input) => someUnits(input.value) === null);
  for (const input of inputs) input.setAttribute("aria-invalid", String(wrong.includes(input)));
  if (wrong.length > 0) {
    text("limits-wrong", say("restock_range", { value: wrong[0].value || say("unknown"), max: unitsMax() }));
    limitsWrong.hidden = false;
    wrong[0].focus();
    return;
  }
  limitsDialog.close();
  const [limit, ...others] = inputs.map((input) => someUnits(input.value));
  const skus = ownLimits(limited).map((sku, place) => ({ sku: sku.id, limit_per_viewer: others[place] ?? limit }));
  const following = limited.plan.skus.length - skus.length;
  const most = mostEach({ limit_per_viewer: limit, skus: following === 0 ? skus : [...skus, {}] });
  const said = ["result_limits", { n: count(most) }];
  press("more", limited.drop, "amend", { body: { limit_per_viewer: limit, skus }, said, before: limited });
});

/** What is left of each, as long as a dialog asks. */
function leftNow() {
  const there = (dialog, of) => (dialog.open && of ? seen(of.drop) : undefined);
  const [restock, back] = [there(restockDialog, restocked), there(backDialog, taken)];
  // Meanwhile more may be held, or somebody has paid.
  if (undoDialog.open && undoing) undoNow(seen(undoing.drop));
  if (restock) restockForm.now(restock);
  if (back) backForm.now(back);
}

// --- How late viewers see the stream ---

const DELAY_MIN_MS = 2000;
const DELAY_MAX_MS = 60_000;
const videoDialog = el("video-dialog");
const videoForm = find("[data-form=video]");
const videoWrong = document.getElementById("video-error");

function askVideo() {
  const { delay } = videoForm.elements;
  delay.value = (room.state?.video_delay_ms ?? 0) / 1000;
  delay.removeAttribute("aria-invalid");
  videoWrong.hidden = true;
  ask(videoDialog);
  delay.select();
}

/** The delay that was typed, in milliseconds; `null` if it is none. */
function typedDelay(typed) {
  const plain = typed.trim().replace(",", ".");
  const ms = /^\d{1,3}(\.\d{1,3})?$/.test(plain) ? Math.round(Number(plain) * 1000) : Number.NaN;
  return ms === 0 || (ms >= DELAY_MIN_MS && ms <= DELAY_MAX_MS) ? ms : null;
}

videoForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { delay } = videoForm.elements;
  const ms = typedDelay(delay.value);
  delay.setAttribute("aria-invalid", ms === null ? "true" : "false");
  videoWrong.hidden = ms !== null;
  if (ms === null) {
    text("video-wrong", say("video_wrong", { value: delay.value || say("unknown") }));
    delay.focus();
    return;
  }
  videoDialog.close();
  if (refuseLost()) return;
  if (ms === (room.state?.video_delay_ms ?? 0)) return;
  const done = await send(`/v1/rooms/${encodeURIComponent(stream)}/video-delay`, { video_delay_ms: ms }, () => result("ring", say("unknown_outcome"), say("asking_again")));
  if (done.ok) result("tick", video(ms), say("confirmed_in", { time: clock(now(), aheadMin), n: count(done.ms) }));
  else result("octagon", done.code === "" ? say("unknown_outcome") : problem(done.code, duration(done.told.retry_after_ms ?? 1000)), clock(now(), aheadMin), "refused");
});

// --- The line for the stage ---

const LINE_CHARS_MAX = 40;
const lineForm = find("[data-form=line]");
const lineInput = lineForm.elements.line;
const lineWrong = document.getElementById("line-error");
const lineRoom = document.getElementById("line-room");
let lineStands = lineInput.value;

/** Characters as they are read. */
const chars = (typed) => (Intl.Segmenter ? [...new Intl.Segmenter().segment(typed)].length : [...typed].length);

/** Shows the line as it stands, unless somebody types another one here. */
function showLine(stands) {
  if (stands === lineStands) return;
  if (lineInput.value === lineStands) lineInput.value = stands;
  lineStands = stands;
  lineChars();
}

/** Says how many characters there is room for, and what is wrong once there is none. */
function lineChars() {
  const left = LINE_CHARS_MAX - chars(lineInput.value.trim());
  lineInput.setAttribute("aria-invalid", String(left < 0));
  lineRoom.textContent = left < 0 ? say("line_over", { n: -left }) : say("line_room", { n: left });
  lineRoom.classList.toggle("over", left < 0);
  // Hidden text describes the field to screen readers too.
  text("line-wrong", left < 0 ? say("line_long", { max: LINE_CHARS_MAX }) : "");
  lineWrong.hidden = left >= 0;
}

lineChars();
lineInput.addEventListener("input", lineChars);
lineInput.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  // What was typed goes first; with nothing to take back it stops a countdown, as everywhere.
  if (lineInput.value !== lineStands) event.stopPropagation();
  lineInput.value = lineStands;
  lineChars();
  lineInput.blur();
});
lineForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = lineInput.value.trim();
  if (lineInput.readOnly || chars(typed) > LINE_CHARS_MAX || refuseLost()) return;
  const done = await put(`/v1/streams/${encodeURIComponent(stream)}/stage-line`, { line: typed });
  const time = clock(now(), aheadMin);
  if (!done.ok) {
    result("octagon", done.code === "" ? say("problem_line") : problem(done.code, duration(done.told.retry_after_ms ?? 1000)), done.code === "" ? say("no_connection_short") : time, "refused");
    return;
  }
  // The keys work again.
  if (document.activeElement === lineInput) lineInput.blur();
  // What was typed meanwhile stays.
  if (lineInput.value.trim() === typed) lineInput.value = typed;
  lineStands = typed;
  lineChars();
  result("tick", typed === "" ? say("line_cleared") : say("line_shown"), time);
});

// --- Presses ---

const moneySwitches = document.querySelectorAll("[data-do=money]");

function money(hidden) {
  document.documentElement.dataset.money = hidden ? "hidden" : "shown";
  for (const one of moneySwitches) one.checked = hidden;
  keep("money", hidden ? "hidden" : "shown");
}

function keys(on) {
  body.dataset.keys = on ? "on" : "off";
  find("[data-do=keys]").checked = on;
  text("keys", on ? say("keys_on") : say("keys_off"));
  keep("keys", on ? "on" : "off");
}

/** The other answer that the alarm line offers. */
function mendOther() {
  const { hidden, dataset } = find("[data-do=alarm-also]");
  if (!hidden && now() - offered.since >= DEAF_MS) answerRequest(dataset.kind, dataset.sku);
}

function mend() {
  if (now() - offered.since < DEAF_MS) return;
  const act = find("[data-do=alarm]");
  if (act.hidden) return;
  switch (act.dataset.kind) {
    case "restock": askRestock(act.dataset.sku); break;
    case "start": start(); break;
    case "plan-rest": open(`/plan/${encodeURIComponent(stream)}`, "_blank", "noopener"); break;
    case "grant":
    case "withdraw": answerRequest(act.dataset.kind, act.dataset.sku); break;
    case "again": room.again(); break;
    case "repeat": repeat(); break;
    case "stay": stay().catch(() => result("octagon", say("no_connection_short"), "", "refused")); break;
    case "sign-in": location.assign(`/sign-in?to=${encodeURIComponent(location.pathname)}`); break;
    default:
  }
}

find("[data-command=stop]").addEventListener("click", stop);
find("[data-command=restock]").addEventListener("click", () => askRestock());
find("[data-command=next]").addEventListener("click", start);
find("[data-do=alarm]").addEventListener("click", mend);
find("[data-do=alarm-also]").addEventListener("click", mendOther);
for (const [name, begins] of [["rehearse", true], ["end-rehearsal", false]]) {
  find(`[data-do=${name}]`)?.addEventListener("click", () => refuseLost() || rehearse(stream, begins, result, () => clock(now(), aheadMin)));
}
find("[data-do=help]").addEventListener("click", () => ask(el("keys-dialog")));
find("[data-do=stage-link]")?.addEventListener("click", () => {
  beginLink();
  ask(el("stage-dialog"));
});
find("[data-do=make-link]")?.addEventListener("click", () => goLink(stream));
for (const opener of document.querySelectorAll("[data-do=video]")) opener.addEventListener("click", askVideo);
for (const one of moneySwitches) one.addEventListener("change", () => money(one.checked));
find("[data-do=keys]").addEventListener("change", (event) => keys(event.target.checked));
find("[data-do=presses]").addEventListener("change", (event) => {
  body.dataset.presses = event.target.checked ? "two" : "hold";
  keep("presses", event.target.checked ? "two" : "hold");
});
for (const dismiss of document.querySelectorAll("[data-do=dismiss]")) dismiss.addEventListener("click", () => dismiss.closest("dialog").close());

const single = {
  p: () => {
    const { act, drop } = shown?.view.buttons.stop ?? drawnStop();
    // Somebody may have resumed a moment ago, this page's own reader as well: P stops whatever is on air.
    const isDead = shown && !shown.view.buttons.stop.enabled && seen(drop)?.phase === "open";
    if (act === "resume" && !isLost()) press("stop", drop, "pause");
    else if (isDead && (isLost() || now() - restockedAt < RESTOCKED_MS)) press("stop", drop, "pause");
    else if (isDead) result("triangle", say("not_sent"), shown.view.buttons.stop.effect, "refused");
    else if (isLost() || SAFE.has(act)) stop();
  },
  escape: () => shown?.view.buttons.stop.act === "cancel-countdown" && stop(),
  o: () => {
    if (shown?.view.buttons.stop.act === "resume" && !isLost()) stop();
    else if (shown?.view.air === null) start();
  },
  r: () => askRestock(),
  u: undo,
  n: start,
  j: () => (offersNext()[0] ?? orderList).focus(),
  t: () => {
    lineInput.focus();
    lineInput.select();
  },
  v: askVideo,
  m: () => more(sheet.hidden),
  h: () => money(!moneySwitches[0].checked),
  1: mend,
  2: mendOther,
  "?": () => ask(el("keys-dialog")),
};

/** Whether a key belongs to an input method. Safari ends a composition first, and then tells of its last key as 229. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** What a key does while the sheet is open: 1 takes back, 2 extends, 3 winds down, L is for limits, 4 to 7 put on air, Esc closes it first. */
function inSheet(key) {
  if (key === "escape") return () => more(false);
  if (key === "1") return askBack;
  if (key === "2") return askExtend;
  if (key === "3") return askWind;
  if (key === "l") return askLimits;
  const place = "4567".indexOf(key);
  return place < 0 ? null : () => putOnAir(find("[data-list=airs]").children[place]);
}

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || isComposing(event)) return;
  const key = event.key.toLowerCase();
  if (closeDialog.open && key === "c" && body.dataset.keys !== "off") held.begin();
  const asking = document.querySelector("dialog[open]");
  if (asking && key === "escape" && !asking.matches(":modal")) {
    event.preventDefault();
    asking.close();
  }
  // P stops a sale also while something is asked.
  if ((asking || find("details.who")?.open) && key !== "p") return;
  // Escape stops a countdown wherever the reader is; the others are dead in fields.
  if (key !== "escape" && (body.dataset.keys === "off" || event.target.closest("input:not([type=checkbox],[type=radio]),textarea"))) return;
  // The sheet shows how long it is held.
  if (key === "c" && sheet.hidden) more(true);
  if (key === "c") hold.begin();
  const act = sheet.hidden ? single[key] : inSheet(key) ?? single[key];
  if (!act) return;
  event.preventDefault();
  act();
});
addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() !== "c") return;
  hold.end();
  held.end();
});

// --- The show ---

const get = (url) => fetch(url, { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(RUNNING_WAIT_MS) });

/** The show whose drops were the last of the stream. */
async function readShow() {
  const answer = await get(`/v1/shows?limit=${SHOWS_READ}&q=${encodeURIComponent(stream)}`);
  // Whoever waits for it asks again.
  if (!answer.ok) throw new Error(`the shows: ${answer.status}`);
  const { shows } = await answer.json();
  return shows.find((one) => one.stream === stream && hadSale(one));
}

async function readRunning() {
  readAt = now();
  try {
    const answer = await get(`/v1/streams/${encodeURIComponent(stream)}`);
    if (answer.ok) {
      const list = await answer.json();
      const isOver = list.drops.length > 0 && allOver(list.drops);
      running = isOver ? { ...list, show: running?.show } : list;
      if (isOver) running = { ...list, show: await readShow() };
    }
    // A stream without drops has no list.
    else if (answer.status !== 404) listed = null;
  } catch {
    [listed, endedFor] = [null, ""];
  }
  running ??= { drops: [] };
  later();
}

/** How the drops stood when the show was read that they are of. */
let endedFor = "";

/** Reads the show once its last drop is over, and again once its figures are final. */
function readEnd() {
  const drops = room.state?.drops ?? [];
  const stands = drops.map(({ drop, phase }) => `${drop} ${phase}`).join();
  if (running === null || drops.length === 0 || stands === endedFor || !allOver(drops) || now() - readAt < READ_MS) return;
  endedFor = stands;
  readRunning();
}

const room = new Room(stream, worker, (_, kind, data) => {
  if (kind === "failed") {
    buttons();
    return;
  }
  const there = room.state?.drops.map((sale) => sale.drop).join();
  if (there !== listed && now() - readAt >= READ_MS) {
    listed = there;
    readRunning();
  }
  if (kind === "command" && room.state !== null) heardOf(data);
  else if (kind !== "alive") {
    compare();
    later();
  }
  leftOverNow();
}, true);

ready();
awake();
setInterval(watch, 200);
setInterval(() => {
  later();
  readEnd();
}, 1000);
addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  awake();
  if (isLost()) room.again();
  watch();
  paint();
});
