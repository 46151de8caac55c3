// Signs events with Stripe's library for Node: node sign.mjs FOLDER NOW_S > LINES
//
// STAMPEDE_NPM is the folder where packages are installed. The lines are those of sign.py.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const Stripe = createRequire(join(process.env.STAMPEDE_NPM, 'package.json'))('stripe');
const { webhooks } = new Stripe('sk_test_none');

const [FIRST, SECOND, OTHER] = ['whsec_oracle_first', 'whsec_oracle_second', 'whsec_oracle_other'];
const TOLERANCE_S = 300;

function signed(payload, secret, timestamp) {
  return webhooks.generateTestHeaderString({ payload, secret, timestamp });
}

function signature(body, secret, at) {
  return signed(body, secret, at).split('v1=')[1];
}

/** Whether Stripe's library takes it with a secret that is in force. */
function takes(header, body, now) {
  return [FIRST, SECOND].some((secret) => {
    try {
      webhooks.constructEvent(body, header, secret, TOLERANCE_S, undefined, now * 1000);
      return true;
    } catch {
      // Not only its own error: a scheme without a value is a plain one.
      return false;
    }
  });
}

function printLine(name, header, body, now, must) {
  const theirs = takes(header, body, now);
  if (must !== null && theirs !== (must === 'take')) {
    throw new Error(`${name}: Stripe's library does not ${must} ${header}`);
  }
  console.log(JSON.stringify({ name, header, body, must, takes: theirs }));
}

function* tampered(header) {
  for (let place = 0; place < header.length; place += 1) {
    const [before, here, after] = [header.slice(0, place), header[place], header.slice(place + 1)];
    for (const other of '0fF ,=t1') {
      if (here !== other) yield before + other + after;
    }
    yield before + after;
    yield before + here + here + after;
  }
}

const [folder, seconds] = process.argv.slice(2);
const now = Number(seconds);
console.log(JSON.stringify({ now_s: now, secrets: { first: FIRST, second: SECOND } }));
const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
if (files.length === 0) throw new Error(`no events in ${folder}`);
for (const name of files) {
  const body = readFileSync(join(folder, name), 'utf8');
  const [first, second, other] = [FIRST, SECOND, OTHER].map((secret) => signature(body, secret, now));
  for (const [must, header] of [
    ['take', signed(body, FIRST, now)],
    ['take', signed(body, SECOND, now)],
    ['take', `t=${now},v1=${other},v1=${second},v1=${first},v0=${other}`],
    ['take', signed(body, FIRST, now - TOLERANCE_S)],
    ['refuse', signed(body, FIRST, now - TOLERANCE_S - 1)],
    ['refuse', signed(body, OTHER, now)],
    ['refuse', `t=${now},v0=${first}`],
    ['refuse', `t=${now}`],
    ['refuse', ''],
  ]) {
    printLine(name, header, body, now, must);
  }
}
const name = files.at(-1);
const body = readFileSync(join(folder, name), 'utf8');
for (const header of tampered(signed(body, FIRST, now))) printLine(name, header, body, now, null);
