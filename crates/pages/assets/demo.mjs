// The strip of a demo: asks once a second how it stands, has the server killed.
import "./live.mjs";
import { once } from "./commands.mjs";
import { aheadMin } from "./frame.mjs";
import { age, duration } from "./numbers.mjs";
import { attribute, el, icon, text } from "./paint.mjs";
import { speech } from "./speech.mjs";
import { strip } from "./strip.mjs";
import { load, problem, say } from "./words.mjs";

await load(document.documentElement.lang);

const LOOK_MS = 1000;
/** While the server is gone. */
const LOOK_AGAIN_MS = 200;
const WAIT_MS = 2000;

const { body } = document;
const reader = { aheadMin, role: body.dataset.role };
const button = document.querySelector("[data-do=kill]");
let told = null;
/** When the server was last there, once it is not any more. */
let gone = null;
let heardAt = Date.now();
let asking = false;
/** Why the server was not killed, until the strip says something else. */
let refused = { why: "", last: "" };
/** What was said last of a kill; nothing of one from before the page came. */
let heard = null;

function paint() {
  attribute(button, "aria-disabled", gone === null && !asking && (told?.ready ?? button.dataset.ready === "true") ? null : "true");
  if (gone !== null) {
    text("demo-last", say("demo_gone", { time: age(Date.now() - gone) }));
    icon("demo", "pulse-lost");
    return;
  }
  if (told === null) return;
  if (heard !== null && told.last !== heard && (told.kept || told.wrong)) speech.event(told.last);
  heard = told.last;
  text("demo-viewers", told.viewers);
  text("demo-promises", told.promises);
  text("demo-last", refused.last === told.last && refused.why !== "" ? refused.why : told.last);
  icon("demo", told.wrong ? "octagon" : told.kept ? "tick" : "pulse");
  attribute(el("demo"), "data-wrong", told.wrong ? "true" : null);
}

async function look() {
  try {
    const answer = await fetch("/v1/demo", { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(WAIT_MS) });
    if (answer.ok) {
      told = strip(await answer.json(), reader);
      heardAt = Date.now();
      gone = null;
    }
  } catch {
    gone ??= heardAt;
  }
  paint();
  setTimeout(look, gone === null ? LOOK_MS : LOOK_AGAIN_MS);
}

async function kill() {
  if (asking || gone !== null || told?.ready !== true) return;
  asking = true;
  paint();
  try {
    const { status, told: answer } = await once("/v1/demo/kill", {});
    // The strip says what comes of it; only a refusal is said here.
    if (status >= 400) {
      refused = { why: problem(answer.code, duration(answer.retry_after_ms ?? 1000)), last: told.last };
      speech.alarm(refused.why);
    }
  } catch {
    // The answer went with the server.
    gone ??= Date.now();
  }
  asking = false;
  paint();
}

button.addEventListener("click", kill);
addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.key.toLowerCase() !== "k") return;
  if (body.dataset.keys === "off" || document.querySelector("dialog[open]") || event.target.closest("input:not([type=checkbox]),textarea,select")) return;
  kill();
});
look();
