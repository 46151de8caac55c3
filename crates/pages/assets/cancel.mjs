// The dialog by which units of an order are cancelled, or money is given back for it.
import { asked, faults, follows, usual } from "./cancel-view.mjs";
import { ready, send } from "./commands.mjs";
import { Hold } from "./hold.mjs";
import { duration } from "./numbers.mjs";
import { typedAmount, whole } from "./typed.mjs";
import { problem, say } from "./words.mjs";

/** What the page says once it was loaded again. */
const DONE = "stampede_done";

/** Has the page's dialog ask, send and say what came of it. */
export function begin(dialog) {
  const form = dialog.querySelector("[data-form=cancel]");
  const { units, amount, restock, reason } = form.elements;
  const data = dialog.dataset;
  const order = {
    units: Number(data.units),
    price: Number(data.price),
    charges: Number(data.charges),
    left: Number(data.left),
    ahead: Number(data.ahead),
    seen: Number(data.seen),
    currency: data.currency,
  };
  const url = `/v1/drops/${encodeURIComponent(data.drop)}/orders/${encodeURIComponent(data.order)}/cancel`;
  const find = (css) => dialog.querySelector(css);
  const now = find("[data-do=cancel-now]");
  const keep = find("[data-do=keep-order]");
  const canRestock = !restock.disabled;
  const isTwo = document.body.dataset.presses === "two";
  const said = document.querySelector("[data-s=done]");
  /** What was sent and may have been done: nothing else is sent before its outcome is known. */
  let sent = null;
  let isBusy = false;

  const values = () => ({ units: units.value, amount: amount.value, restock: restock.checked, reason: reason.value });

  /** Draws what may be done: what was sent cannot be changed any more, and the dialog stays while it is under way. */
  function draw() {
    for (const input of [units, amount, reason]) input.readOnly = sent !== null;
    restock.disabled = !canRestock || sent !== null;
    keep.setAttribute("aria-disabled", String(isBusy));
    find("[data-s=keep-label]").textContent = say(sent === null ? "cancel_keep" : "cancel_leave");
    const words = sent === null ? (isTwo ? "cancel_press" : "cancel_hold") : isTwo ? "cancel_ask_press" : "cancel_ask_hold";
    find("[data-s=cancel-label]").textContent = isBusy ? say("cancelling") : say(words);
    find("[data-s=cancel-more]").textContent = isTwo || isBusy ? "" : say("cancel_hold_effect");
  }

  function tell(input, text) {
    const line = document.getElementById(`${input.id}-error`);
    line.hidden = text === undefined;
    line.querySelector("span").textContent = text ?? "";
    if (text === undefined) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
  }

  function refuse(text) {
    const line = find("[data-el=cancel-refused]");
    line.hidden = text === "";
    line.querySelector("span").textContent = text;
  }

  function preview() {
    const given = whole(units.value);
    amount.placeholder = given !== null && given <= order.units ? typedAmount(usual(given, order), order.currency) : "";
    const sentences = follows(values(), order);
    for (const [place, name] of ["what", "money", "stock"].entries()) find(`[data-s=cancel-${name}]`).textContent = sentences[place];
  }

  /** Whether everything fits; what does not is said, and gets the focus. */
  function fits() {
    const wrong = faults(values(), order);
    for (const input of [units, amount, reason]) tell(input, wrong[input.name]);
    const first = [units, amount, reason].find((input) => wrong[input.name] !== undefined);
    first?.focus();
    return first === undefined;
  }

  async function cancel() {
    if (isBusy || (sent === null && !fits())) return;
    sent ??= { body: asked(values(), order), key: undefined };
    isBusy = true;
    refuse("");
    draw();
    const done = await send(url, sent.body, undefined, sent.key);
    isBusy = false;
    // Under its key it is done once, however often it is asked for; under another it would be done again.
    sent = done.isOpen ? { ...sent, key: done.key } : null;
    draw();
    if (done.ok) {
      sessionStorage.setItem(DONE, say("cancel_done"));
      location.reload();
      return;
    }
    const why = ["", "outcome_unknown"].includes(done.code) ? [] : [problem(done.code, duration(done.told.retry_after_ms ?? 1000))];
    refuse([...why, ...(done.isOpen ? [say("cancel_unknown")] : [])].join(" "));
  }

  document.querySelector("[data-do=cancel]").addEventListener("click", () => {
    ready();
    if (sent === null) {
      units.value = String(order.units);
      amount.value = "";
      reason.value = "";
      restock.checked = false;
      for (const input of [units, amount, reason]) tell(input);
      refuse("");
    }
    draw();
    preview();
    dialog.showModal();
  });
  form.addEventListener("input", ({ target }) => {
    // What was wrong is being mended.
    if ([units, amount, reason].includes(target)) tell(target);
    preview();
  });
  // Enter in a field is no way to cancel anything.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sent === null) fits();
  });
  keep.addEventListener("click", () => !isBusy && dialog.close());
  const hold = new Hold(now, {
    done: cancel,
    brief: () => (isTwo ? cancel() : refuse(say("hold_brief"))),
  });
  dialog.addEventListener("cancel", (event) => isBusy && event.preventDefault());
  dialog.addEventListener("close", () => {
    hold.cancel();
    // A browser closes it all the same if Escape is pressed twice.
    if (isBusy) dialog.showModal();
  });
  // Only this page knows the key under which it is asked again.
  addEventListener("beforeunload", (event) => sent !== null && event.preventDefault());
  const done = sessionStorage.getItem(DONE);
  if (done !== null) {
    sessionStorage.removeItem(DONE);
    said.textContent = done;
  }
}
