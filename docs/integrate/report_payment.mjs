// Reports payments in Node 20 or later, without dependencies, as docs/payments.md describes it.
//
//   STAMPEDE=http://127.0.0.1:7701 TOKEN=stf_... \
//     node report_payment.mjs QUEUE [PAYMENT MINOR CURRENCY HOLD...]
//
// QUEUE is a folder. Each report is written there before it is sent, and taken out when it is answered and what
// follows is done. It is sent until then: a server that is away, or a crash of this program, loses none. Without
// further arguments only what is still in the queue is sent. Prints each answer as one JSON object. One program at a
// time works on a queue.

import { createHash } from 'node:crypto';
import {
  closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

// The server answers within 10 s, if only that it does not know yet.
const PATIENCE_MS = 15_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_LONGEST_MS = 15_000;
/** Nothing is wrong with the report: it is sent again. */
const AGAIN = [408, 429, 500, 502, 503, 504];

/** The server will never accept this report as it is. */
class Refused extends Error {}

/** Sends one report until it is answered; the answer. */
async function report(url, token, fact) {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    // The same report has the same key, in each attempt and after a restart.
    'Idempotency-Key': keyOf(fact),
  };
  for (let failures = 0; ; failures += 1) {
    let leastMs = 0;
    let why;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(fact), signal });
      if (answer.ok) return await answer.json();
      why = `${answer.status} ${await answer.text()}`;
      if (!AGAIN.includes(answer.status)) throw new Refused(why);
      leastMs = 1_000 * (Number(answer.headers.get('Retry-After')) || 0);
    } catch (problem) {
      if (problem instanceof Refused) throw problem;
      // No connection, none in time, or half an answer: nobody knows whether the report arrived.
      why = String(problem.cause ?? problem);
    }
    // Never given up. A bound that doubles and a time at random below it: others are waiting too.
    const bound = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 20));
    const waitMs = leastMs + Math.random() * bound;
    console.error(`again in ${(waitMs / 1_000).toFixed(1)} s: ${why}`);
    await pause(waitMs);
  }
}

const keyOf = (fact) => createHash('sha256').update(JSON.stringify(fact)).digest('hex').slice(0, 32);

/** Reports that are not answered yet, a file for each. */
class Queue {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  add(fact) {
    const path = join(this.folder, `${keyOf(fact)}.json`);
    const file = openSync(`${path}.new`, 'w');
    writeSync(file, JSON.stringify(fact));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
    // The name has to be durable too.
    const folder = openSync(this.folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  /** A report with its file; nothing if all that are left were refused. */
  next(refused) {
    const files = readdirSync(this.folder).sort().map((name) => join(this.folder, name));
    const path = files.find((file) => file.endsWith('.json') && !refused.has(file));
    return path && { path, fact: JSON.parse(readFileSync(path, 'utf8')) };
  }
}

/** The call of your provider goes here. The same name makes a repeat harmless there too. */
async function giveBack(payment, { minor, currency }) {
  console.error(`refund ${minor} ${currency} as ${payment}-refund-${minor}`);
}

/** What an answer asks for. */
async function follow(queue, { payment, event }, answer) {
  const due = answer.holds.filter(({ outcome }) => outcome === 'refund_due').map(({ amount }) => amount);
  if (due.length === 0 || event !== 'paid') return;
  // For all holds of the payment together, as `refunded` wants it: nothing went back before.
  const amount = { minor: due.reduce((sum, { minor }) => sum + minor, 0), currency: due[0].currency };
  await giveBack(payment, amount);
  queue.add({ payment, event: 'refunded', amount });
}

/** Sends what is in the queue; whether every report was accepted. */
async function deliver(queue, url, token) {
  const refused = new Set();
  for (;;) {
    const { path, fact } = queue.next(refused) ?? {};
    if (!path) return refused.size === 0;
    try {
      const answer = await report(url, token, fact);
      console.log(JSON.stringify(answer));
      await follow(queue, fact, answer);
      rmSync(path);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      // It stays in the queue: the token, the settings or the report has to be mended by a person.
      console.error(`refused: ${problem.message}`);
      refused.add(path);
    }
  }
}

const [folder, ...paid] = process.argv.slice(2);
if (!folder || (paid.length > 0 && paid.length < 4)) {
  console.error('usage: node report_payment.mjs QUEUE [PAYMENT MINOR CURRENCY HOLD...]');
  process.exit(2);
}
const queue = new Queue(folder);
if (paid.length > 0) {
  const [payment, minor, currency, ...holds] = paid;
  queue.add({ payment, event: 'paid', amount: { minor: Number(minor), currency }, holds });
}
const { STAMPEDE = '', TOKEN = '' } = process.env;
const url = new URL(`${STAMPEDE.replace(/\/$/, '')}/v1/payments`);
process.exitCode = (await deliver(queue, url, TOKEN)) ? 0 : 1;
