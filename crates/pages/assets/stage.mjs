// The stage: the same view, read from three metres.
import { Room } from "./follow.mjs";
import { aheadMin, awake } from "./frame.mjs";
import { age } from "./numbers.mjs";
import { attribute, blocks, el, icon, show, text } from "./paint.mjs";
import { stage } from "./stage-view.mjs";
import { present } from "./state.mjs";
import { load, say } from "./words.mjs";

const language = document.documentElement.lang;
await load(language);

const { stream, role, worker } = document.body.dataset;
const reader = { aheadMin, role, language, charts: false };
const LOST_MS = 3000;
let due = null;
let spoken = "";

function paint() {
  clearTimeout(due);
  if (document.hidden) return;
  const { state, heardAt } = room;
  const now = Date.now();
  const old = now - heardAt;
  const lost = room.broken !== null || old > LOST_MS;
  document.body.dataset.link = lost ? "lost" : "live";
  icon("age", lost ? "pulse-lost" : "pulse");
  text("age", lost ? say("stage_old", { age: age(old) }) : say("age", { time: age(old) }));
  due = setTimeout(paint, 100);
  if (state === null) return;
  const standing = present(state, lost ? heardAt : now);
  const drawn = stage(standing, reader);
  attribute(document.body, "data-now", drawn.cue?.now && !lost ? "true" : null);
  for (const [name, said] of [["title", drawn.title], ["price", drawn.price], ["lead", drawn.lead], ["hero", drawn.text], ["count", drawn.text], ["right", drawn.right], ["video", drawn.video], ["line", drawn.line]]) text(name, said);
  below(drawn);
  attribute(el("hero"), "data-kind", drawn.kind);
  attribute(el("hero"), "data-fits", drawn.fits);
  show("cue", drawn.cue !== null);
  show("behind", drawn.video !== "");
  show("rehearsing", drawn.rehearsing);
  if (drawn.cue) blocks(drawn.cue);
  attribute(el("line"), "data-empty", drawn.line === "" ? "true" : null);
  el("line").classList.toggle("large", drawn.large);
  shout(drawn);
  // A countdown changes with the server's seconds, not with ours.
  const left = standing.drops.find((drop) => drop.phase === "countdown" && drop.featured)?.opens_in_ms ?? 0;
  const delay = standing.video_delay_ms ?? 0;
  const steps = [left % 1000, left > delay ? (left - delay) % 1000 : 100, 100].filter((step) => step > 0);
  clearTimeout(due);
  due = setTimeout(paint, Math.min(...steps) + 1);
}

let rest = document.querySelector("[data-s=rest]");

/** The line below. What follows a changed word is another element: nothing is moved along. */
function below({ under, rest: said }) {
  if (document.querySelector("[data-s=under]").textContent !== under || rest.textContent !== said) {
    const fresh = rest.cloneNode();
    fresh.textContent = said;
    rest.replaceWith(fresh);
    rest = fresh;
  }
  text("under", under);
}

/** The word, for screen readers. */
function shout(drawn) {
  const n = Number(drawn.text);
  const said = drawn.kind === "go" ? say("say_go_now") : drawn.kind === "count" && drawn.right !== "" && [5, 3, 2, 1].includes(n) ? say("say_go_in", { n }) : "";
  if (said !== "" && said !== spoken) text("shouted", said);
  spoken = said;
}

const room = new Room(stream, worker, () => {});
paint();
awake();
addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  // The lock is gone once the page was hidden.
  awake();
  if (document.body.dataset.link === "lost") room.again();
  paint();
});
