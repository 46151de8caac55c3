// The list of shows: requests for more units are answered there, and come by themselves.
import { answering, ready, send } from "./commands.mjs";
import "./frame.mjs";
import { why } from "./why.mjs";
import { load, say } from "./words.mjs";

/** How often the page asks whether there are others, in milliseconds. */
const ASK_MS = 5000;
const READ_MS = 5000;
/** How long after rows have moved a press is about none of them, in milliseconds: what was under a finger is another one's. */
const DEAF_MS = 1000;
const policy = globalThis.trustedTypes?.createPolicy("stampede", { createHTML: (html) => html });
const find = (name) => document.querySelector(name);
const section = () => find("[data-el=asked]");
const ids = (page) => [...page.querySelectorAll("[data-request]")].map((one) => one.dataset.request);
let isBusy = false;
let movedAt = -DEAF_MS;

await load(document.documentElement.lang);

/** Says what came of a press, or who asks. */
function tell(text) {
  find("[data-s=asked-said]").textContent = text;
}

function wrong(text) {
  const line = section().querySelector("[role=alert]");
  line.hidden = text === "";
  line.querySelector("span").textContent = text;
}

/** Has the requests, and their marks beside the shows, be as the server has them by now. */
async function draw() {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(READ_MS) });
  if (!answer.ok || answer.redirected) return;
  const html = await answer.text();
  const page = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  const before = ids(document);
  const focus = document.activeElement;
  const [wasAsked, link] = [section().contains(focus), focus?.closest("[data-el=shows] a")?.getAttribute("href")];
  for (const name of ["asked", "shows"]) {
    const [old, fresh] = [document, page].map((one) => one.querySelector(`[data-el=${name}]`));
    if (old && fresh) old.replaceWith(document.importNode(fresh, true));
  }
  if (before.join() !== ids(document).join()) movedAt = performance.now();
  const fresh = [...document.querySelectorAll("[data-request]")].filter((one) => !before.includes(one.dataset.request));
  if (fresh.length > 0) tell(fresh.map((one) => one.querySelector("b").textContent).join(". "));
  // Never to another one's button, where a second press would answer it.
  if (wasAsked) find(section().hidden ? "h1" : "#asked-title").focus();
  else if (link) [...document.querySelectorAll("[data-el=shows] a")].find((one) => one.getAttribute("href") === link)?.focus();
}

async function answer(button) {
  const { request } = button.closest("[data-request]").dataset;
  isBusy = true;
  wrong("");
  const done = await send(answering(request, button.dataset.do), {});
  if (done.ok) tell(button.dataset.done);
  // Somebody else was faster, or the drop is over: it goes from the list.
  else if (["request_over", "unknown_request"].includes(done.code)) tell(why(done));
  else {
    wrong(why(done));
    isBusy = false;
    return;
  }
  // What was answered stands there until the list can be read: the server refuses a second answer.
  await draw().catch(() => {});
  isBusy = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-request] button");
  if (button && !isBusy && performance.now() - movedAt >= DEAF_MS) answer(button);
});
ready();

/** Looks whether there are others; answers whether somebody is signed in still. */
async function look() {
  if (document.hidden || isBusy) return true;
  try {
    const told = await fetch("/v1/requests?limit=1000", { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(READ_MS) });
    if (told.status === 401) {
      tell(say("signed_out"));
      for (const button of document.querySelectorAll("[data-request] button")) button.disabled = true;
      return false;
    }
    if (!told.ok) return true;
    const { requests } = await told.json();
    const open = requests.filter((one) => one.state === "open").map((one) => one.request);
    if (!isBusy && open.toSorted().join() !== ids(document).toSorted().join()) await draw();
  } catch {
    // Asked again soon.
  }
  return true;
}

async function follow() {
  if (await look()) setTimeout(follow, ASK_MS);
}
setTimeout(follow, ASK_MS);
