// The stage: the same view, read from three metres.
import { Room } from "./follow.mjs";
import { aheadMin } from "./frame.mjs";
import { age } from "./numbers.mjs";
import { attribute, el, text } from "./paint.mjs";
import { present } from "./state.mjs";
import { view } from "./view.mjs";
import { load, say } from "./words.mjs";

const language = document.documentElement.lang;
await load(language);

const { stream, role, worker } = document.body.dataset;
const reader = { aheadMin, role, language, scales: null };
const LOST_MS = 3000;

function paint() {
  const { state, heardAt } = room;
  const old = Date.now() - heardAt;
  const lost = room.broken !== null || old > LOST_MS;
  document.body.dataset.link = lost ? "lost" : "live";
  text("age", lost ? say("stage_old", { age: age(old) }) : say("age", { time: age(old) }));
  if (state === null) return;
  const { air, next } = view(present(state, lost ? heardAt : Date.now()), { drops: [] }, reader);
  const isNumber = air?.hero.kind === "number";
  const out = air?.skus.filter((sku) => sku.out).map((sku) => say("stage_sku_taken", { sku: sku.name })) ?? [];
  text("title", air?.title ?? next?.title ?? say("no_next"));
  text("price", air?.price ?? "");
  text("hero", air?.hero.text ?? say("stage_wait"));
  attribute(el("hero"), "data-kind", air?.hero.kind ?? "words");
  attribute(el("hero"), "data-fits", air?.hero.fits ?? 1);
  text("under-left", isNumber ? say("stage_left") : "");
  text("taken", isNumber ? out.join(", ") : "");
}

const room = new Room(stream, worker, () => {});
setInterval(paint, 100);
addEventListener("visibilitychange", () => !document.hidden && paint());
navigator.wakeLock?.request("screen").catch(() => {});
