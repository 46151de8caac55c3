// The sample page of docs/integrate, in a document without a browser, against a fake server.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { drop, hold, order, settle, Stage, welcome } from './fake.mjs';

const { parseHTML } = createRequire(join(process.env.STAMPEDE_NPM, 'package.json'))('linkedom');
const html = readFileSync(new URL('../../../../docs/integrate/page.html', import.meta.url), 'utf8');
const [, script] = /<script type="module">(.*)<\/script>/s.exec(html);

/** Runs the page's script for a stage; what it has told the developer, how often it was loaded anew. */
async function run(stage, load) {
  const { document } = parseHTML(html);
  const { time } = stage;
  const page = { document, warned: [], reloads: 0 };
  const given = {
    document,
    console: { warn: (text) => page.warned.push(text) },
    location: { reload: () => (page.reloads += 1) },
    fetch: async () => ({ ok: true, json: async () => ({}), text: async () => 'ticket-1' }),
    importFake: load,
    setTimeout: (work, ms) => time.setTimeout(work, ms),
    clearTimeout: (id) => time.clearTimeout(id),
    setInterval: () => {},
  };
  const work = new Function(...Object.keys(given), `return (async () => {${script.replace('await import(', 'await importFake(')}})()`);
  // A script that ends early says so to the browser's console.
  await work(...Object.values(given)).catch((error) => page.warned.push(error.message));
  await settle();
  return page;
}

/** The page, connected: its document, its server, a press of a button. */
async function open(fields, options) {
  const stage = new Stage(options);
  const { time } = stage;
  // What the page imports is the client of the stage.
  const load = async () => ({ StampedeClient: function StampedeClient() { return stage.client; } });
  const { document, warned } = await run(stage, load);
  stage.socket.onopen({});
  stage.say('welcome', welcome(fields));
  await settle();
  const text = (selector) => document.querySelector(selector)?.textContent;
  const press = (selector) => document.querySelector(selector).onclick();
  const count = (selector) => document.querySelectorAll(selector).length;
  /** The connection is lost; the next one says this. */
  const again = async (fields) => {
    await stage.end(1006);
    await time.pass(stage.told('closed').at(-1).retryInMs);
    await stage.accept(fields);
  };
  const button = (selector) => document.querySelector(selector);
  return { stage, time, text, press, count, again, button, warned, notice: () => text('#notice') };
}

const refused = (fields) => ({ request: 'buy', code: 'over_viewer_limit', message: '', temporary: true, ...fields });

/** The server refuses what is asked for by the next click on Buy. */
async function refuse({ stage, press }, fields) {
  press('button.buy');
  await settle();
  stage.say('refused', refused({ key: stage.sent('buy').at(-1).key, ...fields }));
  await settle();
}

test('an order that comes after its time ran out takes those words back', async () => {
  const { stage, text, notice, count } = await open({ holds: [hold()] });
  stage.say('held', hold({ expires_in_ms: 180_000 }));
  assert.equal(count('.hold'), 1);
  assert.equal(notice(), '');
  stage.say('expired', { hold: 'h1', drop: 'd1', sku: 'a', units: 1 });
  assert.match(notice(), /^Time ran out: /);
  stage.say('order', order({ order: 'o9' }));
  assert.match(notice(), /^Your payment came in all the same: 1 × Perfume/);
  assert.match(text('.order p'), /order o9$/);
});

test('a hold and an order name the product', async () => {
  const skus = [{ ...drop().skus[0], title: '50 ml' }, drop().skus[1]];
  const { stage, text } = await open({ drops: [drop({ skus })], holds: [hold({ units: 2 })] });
  assert.match(text('.hold p'), /^Held for you: 2 × Perfume, 50 ml, .*49.90/);
  assert.equal(text('.hold .left'), ' 120 s left to pay');
  stage.say('order', order({ units: 2 }));
  assert.equal(text('.hold'), undefined);
  assert.equal(text('.order p'), 'Yours: 2 × Perfume, 50 ml, order h1');
});

test('a product with one name is named once, one that is gone by its own id', async () => {
  const skus = [{ ...drop().skus[0], title: 'Perfume' }];
  const { text } = await open({ drops: [drop({ skus })], orders: [order({ drop: 'd0', sku: 'old' })], holds: [hold({ hold: 'h2' })] });
  assert.match(text('.hold p'), /^Held for you: 1 × Perfume, [^,]*49.90$/);
  assert.equal(text('.order p'), 'Yours: 1 × old, order h1');
});

test('when a hold ends the page says so', async () => {
  const { stage, text, notice } = await open({ holds: [hold()] });
  stage.say('expired', { hold: 'h1', drop: 'd1', sku: 'a', units: 1 });
  assert.equal(text('.hold'), undefined);
  assert.equal(notice(), 'Time ran out: 1 × Perfume, a went back on sale.');
});

test('a notice goes with the next click, or after 10 s', async () => {
  const page = await open();
  await refuse(page, {});
  assert.equal(page.notice(), 'You have as many as one person may have.');
  page.press('button.buy');
  assert.equal(page.notice(), '');
  await refuse(page, { code: 'sold_out' });
  await page.time.pass(9_999);
  assert.match(page.notice(), /^Sold out/);
  await page.time.pass(1);
  assert.equal(page.notice(), '');
});

test('a notice that replaced another one stays its own time', async () => {
  const page = await open({ holds: [hold()] });
  await refuse(page, {});
  await page.time.pass(9_000);
  page.stage.say('expired', { hold: 'h1', drop: 'd1', sku: 'a', units: 1 });
  await page.time.pass(9_999);
  assert.match(page.notice(), /^Time ran out/);
});

test('a limit that orders fill is said to be one', async () => {
  const page = await open();
  await refuse(page, { temporary: false });
  assert.equal(page.notice(), 'You have bought as many as one person may.');
});

test('the end of the stay is no notice that goes, in words for a viewer', async () => {
  for (const [code, words] of [
    [4200, /^You have opened this page elsewhere/],
    [4201, /^You cannot buy here any more/],
    [4104, /^Something went wrong here/],
  ]) {
    const { stage, time, notice, warned } = await open();
    await stage.end(code, 'words for a developer');
    await time.pass(60_000);
    assert.match(notice(), words);
    assert.deepEqual(warned, [`closed with ${code}: words for a developer`]);
  }
});

test('after the end of the stay nothing can be bought or paid', async () => {
  const { stage, button } = await open({ holds: [hold()] });
  assert.deepEqual([button('.buy').hidden, button('.pay').hidden], [false, false]);
  await stage.end(4200);
  assert.deepEqual([button('.buy').hidden, button('.pay').hidden], [true, true]);
});

test('a server that is away is told to the viewer without a word for developers', async () => {
  const { stage, text, warned, again } = await open();
  await stage.end(1006, 'no handshake: check the certificate');
  assert.equal(text('#state'), 'no connection; it comes back by itself');
  assert.deepEqual(warned, ['closed with 1006: no handshake: check the certificate']);
  await again();
  assert.equal(text('#state'), 'online');
});

test('the button is off while a purchase of its product is under way', async () => {
  const drops = [drop(), drop({ drop: 'd2' })];
  const { stage, press, button } = await open({ drops });
  press('button.buy');
  const [first, other] = button('#drops').querySelectorAll('.buy');
  assert.deepEqual([first.disabled, first.textContent, other.disabled], [true, 'Buying', false]);
  await settle();
  stage.say('held', hold({ key: stage.sent('buy')[0].key }));
  assert.deepEqual([first.disabled, first.textContent], [false, 'Buy']);
});

test('after a reload the button is still off, and the answer has its words', async () => {
  const before = await open();
  before.press('button.buy');
  await settle();
  const { stage, button, notice } = await open({}, { storage: before.stage.storage });
  assert.equal(button('.buy').disabled, true);
  stage.say('refused', refused({ key: stage.sent('buy')[0].key, code: 'sold_out' }));
  assert.equal(button('.buy').disabled, false);
  assert.match(notice(), /^Sold out/);
});

test('a purchase that is too old to be repeated is told', async () => {
  const before = await open();
  before.press('button.buy');
  await settle();
  const { button, notice } = await open({}, { storage: before.stage.storage, resumeMs: -1 });
  assert.equal(button('.buy').disabled, false);
  assert.match(notice(), /^Your last purchase was not finished/);
});

test('a client that cannot be loaded: the page says so and loads itself anew, not with everybody else', async () => {
  const stage = new Stage();
  const page = await run(stage, async () => { throw new Error('failed to fetch'); });
  assert.equal(page.document.querySelector('#state').textContent, 'no connection; this page tries again');
  assert.deepEqual(page.warned, ['failed to fetch']);
  assert.equal(stage.sockets.length, 0);
  await stage.time.pass(1_999);
  assert.equal(page.reloads, 0);
  await stage.time.pass(8_001);
  assert.equal(page.reloads, 1);
});

test('the page asks for no icon that is not there', () => {
  assert.match(html, /<link rel="icon" href="data:,">/);
});

test('a hold that ended while there was no connection is said to be gone', async () => {
  const holds = ['h1', 'h2', 'h3'].map((id) => hold({ hold: id }));
  const { text, notice, again } = await open({ holds });
  assert.equal(notice(), '');
  await again({ holds: [holds[0]], orders: [order({ order: 'o2', hold: 'h2' })] });
  assert.equal(notice(), 'No longer held for you: 1 × Perfume, a.');
  assert.match(text('.order p'), /order o2$/);
});

test('a connection that comes back with all holds says nothing', async () => {
  const { notice, again } = await open({ holds: [hold()] });
  await again({ holds: [hold()] });
  assert.equal(notice(), '');
});

test('a drop that is gone takes its row along', async () => {
  const { stage, text, count, again, press } = await open({ drops: [drop(), drop({ drop: 'd2', title: 'Soap' })] });
  assert.equal(count('button.buy'), 2);
  await again({ drops: [drop({ drop: 'd2', title: 'Soap' })] });
  assert.equal(count('button.buy'), 1);
  assert.match(text('#drops p'), /^Soap/);
  press('button.buy');
  await settle();
  assert.equal(stage.sent('buy')[0].drop, 'd2');
  await again({ drops: [drop()] });
  assert.match(text('#drops p'), /^Perfume/, 'one that comes back has a row again');
});

test('a success wipes nothing that was said meanwhile', async () => {
  const { stage, press, notice } = await open({ holds: [hold()] });
  press('button.buy');
  await settle();
  stage.say('expired', { hold: 'h1', drop: 'd1', sku: 'a', units: 1 });
  stage.say('held', hold({ hold: 'h2', key: stage.sent('buy')[0].key }));
  await settle();
  assert.match(notice(), /^Time ran out/);
});

test('why the stay has ended stays, whatever waits and whatever is pressed', async () => {
  const { stage, press, notice } = await open();
  press('button.buy');
  await settle();
  await stage.end(4200, 'a newer connection took its place');
  const ended = notice();
  assert.match(ended, /^You have opened this page elsewhere/);
  press('button.buy');
  await settle();
  assert.equal(notice(), ended);
});

test('a request whose outcome nobody knows is said to be one', async () => {
  const { press, notice, again } = await open();
  press('button.buy');
  await settle();
  await again({ viewer: 'v-2' });
  assert.equal(notice(), 'Nobody knows whether that worked; reload the page.');
});
