// The page for operations: read again every two seconds, copied text by text.
import { ready, send } from "./commands.mjs";
import { aheadMin, keep } from "./frame.mjs";
import { Hold } from "./hold.mjs";
import { age, clock } from "./numbers.mjs";
import { why } from "./why.mjs";
import { load, say } from "./words.mjs";

await load(document.documentElement.lang);

const POLL_MS = 2000;
const LOST_MS = 6000;
const policy = globalThis.trustedTypes?.createPolicy("stampede", { createHTML: (html) => html });
const result = document.querySelector("[data-el=result]");
const button = document.querySelector("[data-brake]");
const copied = ["class", "width", "href", "data-level"];
const { body } = document;
const also = document.querySelector("[data-el=also]");
let heardAt = Date.now();

/** Copies what is marked from a document that is never shown: texts with a few attributes. */
function copy(from) {
  const names = (root) => [...root.querySelectorAll("[data-copy]")].map((node) => node.dataset.copy).join();
  const other = from.querySelector("[data-brake]");
  // Another set of rows, or another button: the page is drawn anew.
  if (names(from) !== names(document) || other?.dataset.brake !== button.dataset.brake) return location.reload();
  // As many as there are; the same ones stay, so that nothing is read out again.
  const wrong = from.querySelector("[data-el=also]");
  if (also.textContent !== wrong.textContent) also.replaceChildren(...[...wrong.children].map((one) => document.importNode(one, true)));
  for (const node of document.querySelectorAll("[data-copy]")) {
    const source = from.querySelector(`[data-copy="${node.dataset.copy}"]`);
    if (node.childElementCount === 0 && node.textContent !== source.textContent) node.textContent = source.textContent;
    for (const name of copied) {
      const value = source.getAttribute(name);
      if (value !== null && node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
  }
}

async function poll() {
  if (!document.hidden && !button.classList.contains("holding")) {
    try {
      const answer = await fetch("/ops", { cache: "no-store", signal: AbortSignal.timeout(POLL_MS) });
      if (answer.redirected) return location.assign(`/sign-in?to=/ops`);
      if (answer.ok) {
        const html = await answer.text();
        // Pressed while the answer was under way: what is drawn anew would let go for the finger.
        if (!button.classList.contains("holding")) copy(new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html"));
        heardAt = Date.now();
      }
    } catch {
      // The age says it.
    }
  }
  setTimeout(poll, POLL_MS);
}

setInterval(() => {
  const old = Date.now() - heardAt;
  const lost = old > LOST_MS && !document.hidden;
  body.dataset.link = lost ? "lost" : "live";
  document.querySelector("[data-live=clock]").textContent = lost ? say("age", { time: age(old) }) : clock(Date.now(), aheadMin);
}, 250);

async function brake() {
  const act = button.dataset.brake;
  const done = await send(`/v1/brake/${act}`, {});
  if (done.ok) result.textContent = act === "stop" ? say("result_stop") : say("result_go");
  else result.textContent = why(done);
  if (done.ok) setTimeout(() => location.reload(), 300);
}

const hold = new Hold(button, {
  done: brake,
  brief: () => {
    result.textContent = say("hold_brief");
  },
});
document.querySelector("[data-do=keys]").addEventListener("change", (event) => {
  body.dataset.keys = event.target.checked ? "on" : "off";
  keep("keys", body.dataset.keys);
});
addEventListener("keydown", (event) => {
  if (body.dataset.keys !== "off" && event.key.toLowerCase() === "s" && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) hold.begin();
});
addEventListener("keyup", (event) => event.key.toLowerCase() === "s" && hold.end());
ready();
setTimeout(poll, POLL_MS);
