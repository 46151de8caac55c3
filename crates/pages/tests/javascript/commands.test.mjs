// Commands are asked for until their outcome is known.
import assert from "node:assert/strict";
import test from "node:test";
import { once, send } from "../../assets/commands.mjs";

const URL = "/v1/drops/d1/orders/h1/cancel";
const LOST = "lost";

/** Has the server answer so, one answer for each try; returns the keys that it got. */
function serve(...answers) {
  const keys = [];
  globalThis.fetch = async (url, options) => {
    if (url === "/v1/sessions/current") return new Response(JSON.stringify({ csrf: "c", idle_expires_in_ms: 1, expires_in_ms: 1 }));
    keys.push(options.headers["idempotency-key"]);
    const next = answers.shift();
    if (next === LOST) throw new TypeError("no answer");
    const [status, code] = next;
    return new Response(JSON.stringify({ code }), { status });
  };
  return keys;
}

const shows = (done, expected) => assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, done[name]])), expected);

test("what is answered is known", async () => {
  serve([200]);
  shows(await send(URL, {}), { ok: true, isOpen: false, asked: 0 });
  serve([409, "more_than_paid"]);
  shows(await send(URL, {}), { ok: false, isOpen: false, code: "more_than_paid" });
  serve([401, "session_expired"]);
  shows(await send(URL, {}), { ok: false, isOpen: false, code: "session_expired" });
});

test("a try without an answer is asked for again under its key", async () => {
  const keys = serve(LOST, [200]);
  const done = await send(URL, {});
  shows(done, { ok: true, isOpen: false, asked: 1 });
  assert.deepEqual(keys, [done.key, done.key]);
  serve(LOST, [409, "more_than_paid"]);
  shows(await send(URL, {}), { ok: false, isOpen: false, code: "more_than_paid" });
});

test("a refusal that nobody looked at the command for leaves it open", async () => {
  const keys = serve(LOST, [401, "session_expired"]);
  const done = await send(URL, {});
  shows(done, { ok: false, isOpen: true, code: "session_expired" });
  serve(LOST, [429, "too_many_commands"], [200]);
  shows(await send(URL, {}, undefined, done.key), { ok: true, isOpen: false });
  assert.equal(keys.length, 2);
});

test("what is sent once finds the session that another tab renewed", async () => {
  const keys = serve([403, "csrf_failed"], [201]);
  assert.equal((await once("/v1/invitations", {})).status, 201);
  assert.equal(keys.length, 2);
});
