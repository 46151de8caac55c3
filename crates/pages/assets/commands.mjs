// Commands: sent once under a key, asked again under the same key until the outcome is known.

import { ends } from "./session.mjs";

const TRIES = 8;
const WAIT_MS = [200, 400, 800, 1500, 3000];

let csrf = null;
let session = null;

async function token() {
  if (csrf === null) {
    const answer = await fetch("/v1/sessions/current", { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(3000) });
    const told = answer.ok ? await answer.json() : { csrf: "" };
    csrf = told.csrf;
    if (answer.ok) session = { ...ends(told, Date.now()), idle_at: Infinity };
  }
  return csrf;
}

/** Reads the session's token beforehand, so that the first press need not wait for it. */
export function ready() {
  token().catch(() => {});
}

/** When the session ends in any case, as far as it is known; followers are told what puts it off. */
export const sessionRead = () => session;

/** Asks for the session, which puts off its end for want of requests. */
export async function stay() {
  csrf = null;
  await token();
}

const key = () => crypto.randomUUID?.() ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
const path = (drop, act) => `/v1/drops/${encodeURIComponent(drop)}/${act === "restock" ? "lots" : act}`;

/** The path by which a request for more units is granted, declined or withdrawn. */
export const answering = (request, act) => `/v1/requests/${encodeURIComponent(request)}/${act}`;

async function post(url, name, body, fresh, { method, terms } = {}) {
  if (fresh) csrf = null;
  const isEdit = terms !== undefined;
  const answer = await fetch(url, {
    method: method ?? (isEdit ? "PATCH" : "POST"),
    headers: {
      accept: "application/json",
      "content-type": isEdit ? "application/merge-patch+json" : "application/json",
      "idempotency-key": name,
      "x-csrf-token": await token(),
      ...(isEdit ? { "if-match": `"r${terms}"` } : {}),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  });
  const told = await answer.json().catch(() => ({}));
  return { status: answer.status, told };
}

/** What the server says where it did not decide; a proxy before it says less. */
const UNDECIDED = new Set(["outcome_unknown", "busy", "stopping", "draining"]);

/** What is said before anybody looks whether the command was carried out: after a try without an answer it says nothing about that one. */
const UNASKED = new Set(["token_missing", "token_unknown", "session_expired", "origin_refused", "csrf_failed", "too_many_commands"]);

/** Whether an answer leaves open what came of the command. */
const open = ({ status, told }) => status === 0 || status === 408 || UNDECIDED.has(told.code) || (status >= 500 && told.code === undefined);

/** A key for one command, to be kept where the same has to be asked again. */
export const freshKey = () => key();

/**
 * Sends a command of a path. `how.terms` is the revision of the terms that it changes, `how.method` another method than that of
 * most commands. `waiting()` is called before the outcome is asked for again, which is not done where it answers `false`. Answers
 * `{ ok, code, told, ms, asked, key, isOpen }`; `code` is "" where the server could not be reached. Where the outcome
 * `isOpen` in the end, the same is sent again under the same key.
 */
export async function send(url, body, waiting = () => {}, name = key(), how = {}) {
  const begun = performance.now();
  let unanswered = false;
  let last = { status: 0, told: {} };
  let fresh = false;
  const answer = (asked, isOpen) => {
    const ok = !isOpen && last.status >= 200 && last.status < 300;
    return { ok, code: last.told.code ?? "", told: last.told, ms: Math.round(performance.now() - begun), asked, key: name, isOpen };
  };
  for (let asked = 0; asked < TRIES; asked += 1) {
    if (asked > 0 && !(fresh && last.told.code === "csrf_failed")) {
      if (waiting() === false) break;
      await new Promise((done) => setTimeout(done, WAIT_MS[Math.min(asked - 1, WAIT_MS.length - 1)]));
    }
    try {
      last = await post(url, name, body, fresh, how);
    } catch {
      last = { status: 0, told: {} };
    }
    unanswered ||= open(last);
    // The session may have been renewed in another tab: its token is read once more.
    if (last.told.code === "csrf_failed" && !fresh) {
      fresh = true;
      continue;
    }
    // After a try without an answer a failure of the server says nothing about what that one did.
    if (!open(last) && !(unanswered && (last.status >= 500 || UNASKED.has(last.told.code)))) return answer(asked, false);
    // Nobody who has to sign in is answered otherwise by asking again.
    if (last.status === 401) return answer(asked, true);
  }
  return answer(TRIES, true);
}

/** Sends something once, whatever comes of it; rejects without an answer. A session that another tab renewed is told before anything is done. */
export async function once(url, body) {
  const done = await post(url, key(), body, false);
  return done.told.code === "csrf_failed" ? post(url, key(), body, true) : done;
}

/** Sends a command of a drop; one that answers a request names that. */
export function command(drop, act, body, waiting, name, request) {
  return send(request ? answering(request, act) : path(drop, act), body ?? {}, waiting, name);
}

/** Sends what needs no key, as the same twice is once. Answers `{ ok, code, told }`. */
async function again(method, url, body) {
  for (const fresh of [false, true]) {
    if (fresh) csrf = null;
    try {
      const answer = await fetch(url, {
        method,
        headers: { accept: "application/json", "content-type": "application/json", "x-csrf-token": await token() },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(5000),
      });
      const told = await answer.json().catch(() => ({}));
      if (told.code !== "csrf_failed") return { ok: answer.ok, code: told.code ?? "", told };
    } catch {
      return { ok: false, code: "", told: {} };
    }
  }
  return { ok: false, code: "csrf_failed", told: {} };
}

/** Writes what is there after it, however often it is asked for. */
export const put = (url, body) => again("PUT", url, body);

/** Takes something away. */
export const remove = (url) => again("DELETE", url);

/** Ends the session. */
export async function signOut() {
  await fetch("/v1/sessions/current", { method: "DELETE", headers: { "x-csrf-token": await token() } });
}
