// Accounts: somebody is invited, a token, an invitation or a browser is taken back, a merchant admitted or dismissed, hosts allowed to plan.
import { ready, remove, send } from "./commands.mjs";
import "./frame.mjs";
import { beginInviting } from "./invite.mjs";
import { why } from "./why.mjs";
import { load, say } from "./words.mjs";

const READ_MS = 5000;
const policy = globalThis.trustedTypes?.createPolicy("stampede", { createHTML: (html) => html });

function tell(line, text) {
  line.hidden = text === "";
  line.querySelector("span").textContent = text;
}

/** Has a form send one request at a time; what succeeded is seen on the page that is loaded again. */
function begin(form, ask) {
  const line = form.querySelector("[role=alert]");
  let isBusy = false;
  form.addEventListener("focusin", ready, { once: true });
  form.addEventListener("input", () => tell(line, ""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    tell(line, "");
    const done = await ask(line);
    isBusy = false;
    if (done === undefined) return;
    if (done.ok) location.reload();
    else tell(line, why(done));
  });
}

await load(document.documentElement.lang);

function beginRemoving(within) {
  for (const form of within.querySelectorAll("[data-form=remove]")) begin(form, () => remove(form.dataset.path));
}

/** Has the list of invitations be as the server has it by now: a page that is loaded again would lose the link. */
async function listInvitations() {
  try {
    const answer = await fetch("/accounts", { cache: "no-store", signal: AbortSignal.timeout(READ_MS) });
    if (!answer.ok || answer.redirected) return;
    const html = await answer.text();
    const page = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
    const list = document.importNode(page.querySelector("[data-el=invitations]"), true);
    document.querySelector("[data-el=invitations]").replaceWith(list);
    beginRemoving(list);
  } catch {
    // It is there when the page is loaded again.
  }
}

beginInviting(document.querySelector("[data-form=invite]"), begin, tell, listInvitations);
beginRemoving(document);
for (const form of document.querySelectorAll("[data-form=admit]")) {
  const { merchant } = form.elements;
  begin(form, (line) => {
    if (merchant.value.trim() !== "") return send(`/v1/rooms/${encodeURIComponent(form.dataset.stream)}/admit`, { merchant: merchant.value.trim() });
    tell(line, say("accounts_merchant_missing"));
    merchant.focus();
    return undefined;
  });
}
for (const button of document.querySelectorAll("[data-do=dismiss-merchant],[data-do=hosts]")) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    const { stream, merchant, path } = button.dataset;
    const done = await send(`/v1/rooms/${encodeURIComponent(stream)}/${path}`, { merchant });
    button.removeAttribute("aria-disabled");
    // Somebody else may have done the same.
    if (done.ok || done.code === "room_unchanged") location.reload();
    else tell(document.querySelector("[data-el=rooms-wrong]"), why(done));
  });
}
