// A report that still changes: its page is fetched anew and what differs is patched in place, so that nothing that the
// reader has open, selected or focused is lost.
import { clock, duration } from "./numbers.mjs";
import { say } from "./words.mjs";

const POLL_MS = 2000;
/** While nothing has opened yet. */
const PLANNED_POLL_MS = 10_000;
const HIDDEN_POLL_MS = 30_000;
/** After so long without an answer figures are old. */
const OLD_MS = 6000;
const LOST_MS = 15_000;

/** Attributes that belong to the reader, not to the server. */
const KEPT = new Set(["open", "data-age"]);

const ELEMENT = 1;

/** Makes a node what another one is, changing only what differs. What another document has is brought in by `own`. */
export function patch(node, wanted, own) {
  if (node.isEqualNode(wanted)) return;
  if (node.nodeType !== wanted.nodeType || node.nodeName !== wanted.nodeName) {
    node.replaceWith(own(wanted));
    return;
  }
  if (node.nodeType !== ELEMENT) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name, value } of [...wanted.attributes]) {
    if (!KEPT.has(name) && node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  for (const { name } of [...node.attributes]) {
    if (!KEPT.has(name) && !wanted.hasAttribute(name)) node.removeAttribute(name);
  }
  const here = [...node.childNodes];
  const there = [...wanted.childNodes];
  for (const [place, child] of there.entries()) {
    if (place < here.length) patch(here[place], child, own);
    else node.append(own(child));
  }
  for (const child of here.slice(there.length)) child.remove();
}

/** How old the figures are, in words; "" while they are new. */
export function oldness(old, heardAt, aheadMin) {
  if (old > LOST_MS) return say("report_live_lost", { time: clock(heardAt, aheadMin) });
  return old > OLD_MS ? say("report_live_old", { time: duration(Math.floor(old / 1000) * 1000) }) : "";
}

/** How soon a page is read anew that is `running` so; 0 where its figures are final. */
export function wait(running, isHidden) {
  if (!running) return 0;
  if (isHidden) return HIDDEN_POLL_MS;
  return running === "planned" ? PLANNED_POLL_MS : POLL_MS;
}

/** Keeps the page's report true while its sale goes on. */
export function follow(main) {
  const policy = globalThis.trustedTypes?.createPolicy("stampede", { createHTML: (html) => html });
  const aheadMin = -new Date().getTimezoneOffset();
  const age = document.querySelector("[data-el=age]");
  const said = age.querySelector("[data-s=age]");
  let heardAt = Date.now();
  let { running } = main.dataset;
  let timer = 0;

  function take(html) {
    const whole = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
    const wanted = whole.querySelector("main.report-main");
    if (!wanted) return;
    const own = (node) => document.importNode(node, true);
    const report = "[data-el=report]";
    patch(main.querySelector(report), wanted.querySelector(report), own);
    document.title = whole.title;
    heardAt = Date.now();
    ({ running } = wanted.dataset);
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(OLD_MS) });
      if (answer.redirected) {
        location.reload();
        return;
      }
      if (answer.ok) take(await answer.text());
      // A link that has ended in the meantime shows so.
      else if (answer.status === 404 || answer.status === 410) {
        location.reload();
        return;
      }
    } catch {
      // The age says it.
    }
    if (running) timer = setTimeout(poll, wait(running, document.hidden));
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && running) poll();
  });
  setInterval(() => {
    const isLive = running === "true";
    const old = isLive && !document.hidden ? Date.now() - heardAt : 0;
    const words = oldness(old, heardAt, aheadMin);
    main.dataset.age = old > LOST_MS ? "lost" : "new";
    age.classList.toggle("lost", old > LOST_MS);
    age.hidden = !isLive;
    said.textContent = words === "" ? say("report_live") : words;
  }, 500);
  timer = setTimeout(poll, wait(running, false));
}
