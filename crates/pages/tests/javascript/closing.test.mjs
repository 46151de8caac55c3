// Whoever saw to money that nobody can match says why.
import assert from "node:assert/strict";
import test from "node:test";
import { beginClosing } from "../../assets/closing.mjs";
import { use } from "../../assets/words.mjs";

use((await import(`${process.env.WORDS}/words-en.mjs`)).words);

/** A form of one payment, as far as the script looks at it. */
function form() {
  const span = { textContent: "" };
  const line = { hidden: true, querySelector: () => span };
  const reason = { value: "", attributes: new Map(), focused: 0, addEventListener() {} };
  reason.setAttribute = (name, value) => reason.attributes.set(name, value);
  reason.removeAttribute = (name) => reason.attributes.delete(name);
  reason.focus = () => { reason.focused += 1; };
  const heard = {};
  beginClosing({
    dataset: { account: "stripe:main", payment: "pi_1" }, elements: { reason }, querySelector: () => line,
    addEventListener: (name, act) => { heard[name] = act; },
  });
  return { reason, line, span, submit: () => heard.submit({ preventDefault() {} }) };
}

test("a payment leaves the list with a reason, once however often its form is sent", async () => {
  const asked = [];
  let answer = { status: 404, body: { code: "unknown_payment" } };
  globalThis.fetch = async (url, { method, headers, body } = {}) => {
    if (url === "/v1/sessions/current") return new Response(JSON.stringify({ csrf: "c" }));
    asked.push({ url, method, key: headers["idempotency-key"], body });
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  };
  let reloads = 0;
  globalThis.location = { reload: () => { reloads += 1; } };
  const shown = form();
  await shown.submit();
  assert.deepEqual([asked.length, shown.line.hidden, shown.reason.focused], [0, false, 1]);
  assert.equal(shown.span.textContent, "Say why in a few words.");
  shown.reason.value = " paid back in cash ";
  await shown.submit();
  assert.equal(shown.span.textContent, "No payment with this name is known.");
  answer = { status: 200, body: { action: "close_unmatched" } };
  await shown.submit();
  assert.deepEqual([reloads, shown.line.hidden], [1, true]);
  assert.equal(asked.length, 2);
  assert.equal(asked[0].url, "/v1/attention/stripe%3Amain/pi_1/close");
  assert.equal(asked[0].body, JSON.stringify({ reason: "paid back in cash" }));
  assert.equal(asked[0].key, asked[1].key, "the same command under the same key");
});
