// Money that nobody can match: whoever saw to it says why, and it leaves its list.
import { reasonFault } from "./cancel-view.mjs";
import { ready, send } from "./commands.mjs";
import { why } from "./why.mjs";
import { say } from "./words.mjs";

/** Has the form of one payment ask, send and say what came of it. */
export function beginClosing(form) {
  const { account, payment } = form.dataset;
  const { reason } = form.elements;
  const line = form.querySelector("[role=alert]");
  /** The command whose outcome is not known yet: the same is asked again under its key. */
  let sent = null;
  let isBusy = false;

  function tell(text) {
    line.hidden = text === undefined;
    line.querySelector("span").textContent = text ?? "";
    if (text === undefined) reason.removeAttribute("aria-invalid");
    else reason.setAttribute("aria-invalid", "true");
  }

  reason.addEventListener("focus", ready, { once: true });
  reason.addEventListener("input", () => tell());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const wrong = reasonFault(reason.value);
    tell(wrong);
    if (wrong !== undefined) {
      reason.focus();
      return;
    }
    const text = reason.value.trim();
    if (sent?.text !== text) sent = { text, key: undefined };
    isBusy = true;
    const url = `/v1/attention/${encodeURIComponent(account)}/${encodeURIComponent(payment)}/close`;
    const done = await send(url, { reason: text }, undefined, sent.key);
    isBusy = false;
    if (done.ok) {
      location.reload();
      return;
    }
    sent.key = done.key;
    tell(why(done));
  });
}
