// The list of shows: requests for more units are answered there, and come by themselves.
import { answering, ready, send } from "./commands.mjs";
import "./frame.mjs";
import { why } from "./why.mjs";
import { load, say } from "./words.mjs";

/** How often the page asks whether there are others, in milliseconds. */
const ASK_MS = 5000;
const READ_MS = 5000;
const policy = globalThis.trustedTypes?.createPolicy("stampede", { createHTML: (html) => html });
const find = (name) => document.querySelector(name);
const section = () => find("[data-el=asked]");
const ids = (page) => [...page.querySelectorAll("[data-request]")].map((one) => one.dataset.request);
let isBusy = false;

await load(document.documentElement.lang);

/** Says it to screen readers. */
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
  const before = new Set(ids(document));
  const hadFocus = section().contains(document.activeElement);
  for (const name of ["asked", "shows"]) {
    const [old, fresh] = [document, page].map((one) => one.querySelector(`[data-el=${name}]`));
    if (old && fresh) old.replaceWith(document.importNode(fresh, true));
  }
  const fresh = [...document.querySelectorAll("[data-request]")].filter((one) => !before.has(one.dataset.request));
  if (fresh.length > 0) tell(fresh.map((one) => one.querySelector("b").textContent).join(". "));
  if (hadFocus) (section().querySelector("button") ?? find("h1")).focus();
}

async function answer(button) {
  const { request } = button.closest("[data-request]").dataset;
  isBusy = true;
  wrong("");
  const done = await send(answering(request, button.dataset.do), {});
  isBusy = false;
  if (done.ok) tell(button.dataset.done);
  // Somebody else was faster, or the drop is over: it goes from the list.
  else if (["request_over", "unknown_request"].includes(done.code)) tell(why(done));
  else {
    wrong(why(done));
    return;
  }
  await draw().catch(() => wrong(say("no_connection_short")));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-request] button");
  if (button && !isBusy) answer(button);
});
ready();
setInterval(async () => {
  if (document.hidden || isBusy) return;
  try {
    const told = await fetch("/v1/requests?limit=1000", { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(READ_MS) });
    if (!told.ok) return;
    const { requests } = await told.json();
    const open = requests.filter((one) => one.state === "open").map((one) => one.request);
    if (!isBusy && open.toSorted().join() !== ids(document).toSorted().join()) await draw();
  } catch {
    // Asked again soon.
  }
}, ASK_MS);
