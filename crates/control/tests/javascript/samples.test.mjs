// The samples in Python and in Node, against a server that does what a test tells it.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { drop, hold, order, welcome } from './fake.mjs';

const { WebSocketServer } = createRequire(join(process.env.STAMPEDE_NPM, 'package.json'))('ws');
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const sample = here('../../../../docs/integrate/buy_and_pay.py');

/** Ends each connection in its turn, as one of `ends` says; what Python has told, how it has ended. */
async function played(t, ends) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  const left = [...ends];
  server.on('connection', (socket) => {
    socket.once('message', () => {
      const { code, notice } = left.shift();
      socket.send(JSON.stringify({ type: 'welcome', ...welcome({ drops: [] }) }));
      // A server that says more than welcome is well: the next delay is a short one.
      socket.send(JSON.stringify({ type: 'pong', server_time_ms: 1 }));
      if (notice) socket.send(JSON.stringify({ type: 'error', message: 'told', ...notice }));
      socket.close(code);
    });
  });
  await once(server, 'listening');
  const python = spawn('python3', [sample, `ws://127.0.0.1:${server.address().port}/`, 'ticket']);
  t.after(() => python.kill());
  const lost = [];
  createInterface(python.stdout).on('line', (line) => {
    const { event, code } = JSON.parse(line);
    if (event === 'lost') lost.push(code);
  });
  const [status] = await once(python, 'close');
  assert.notEqual(status, 0);
  assert.equal(left.length, 0);
  return lost;
}

test('Python comes back after codes that a proxy sends, stops where the server says so', async (t) => {
  const ends = [1000, 1001, 1008, 1012, 1013, 3000, 4000, 4200].map((code) => ({ code }));
  assert.deepEqual(await played(t, ends), [1000, 1001, 1008, 1012, 1013, 3000, 4000, 4200]);
});

test('Python goes by the error message where a proxy replaced the code', async (t) => {
  const notice = { code: 'banned', close_code: 4201 };
  assert.deepEqual(await played(t, [{ code: 1000, notice }]), [4201]);
});

/** A server whose connections are played by `play`, each with its number. */
async function staged(t, play) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    const number = connections;
    const say = (type, fields) => socket.send(JSON.stringify({ type, ...fields }));
    socket.on('message', (data) => play({ socket, number, say, told: JSON.parse(data) }));
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${server.address().port}/`;
}

/** The last line of Python, which is told at once to go on and pay. */
async function done(t, url) {
  const python = spawn('python3', [sample, url, 'ticket'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => python.kill());
  python.stdin.end('\n');
  const events = [];
  createInterface(python.stdout).on('line', (line) => events.push(JSON.parse(line)));
  const [status] = await once(python, 'close');
  assert.equal(status, 0, JSON.stringify(events));
  return events.at(-1);
}

/** Plays a sale of one unit until Python pays; then `pay` and what follows on later connections. */
async function sale(t, { orders = [], welcomed = () => {}, pay }) {
  let first;
  return staged(t, (turn) => {
    const { number, say, told } = turn;
    if (told.type === 'hello') {
      say('welcome', welcome({ drops: [drop()], orders: number === 1 ? [] : orders }));
      welcomed(turn);
    } else if (told.type === 'buy' && first && told.key !== first) {
      const message = 'one is all that you may have';
      say('refused', { request: 'buy', key: told.key, code: 'over_viewer_limit', message, temporary: false });
    } else if (told.type === 'buy') {
      say('held', hold({ key: told.key, retry: first === told.key }));
      first = told.key;
    } else if (told.type === 'pay') {
      pay(turn);
    }
  });
}

for (const [code, orders] of [['hold_confirmed', [order()]], ['hold_ended', []]]) {
  test(`Python asks again about a payment whose answer was lost, is told ${code}`, async (t) => {
    const paid = [];
    const url = await sale(t, {
      orders,
      welcomed: ({ number, socket }) => {
        // Python answers a ping behind all that the welcome made it send.
        socket.once('pong', () => paid.includes(number) || socket.close(4200, 'no pay came'));
        if (number > 1) socket.ping();
      },
      pay: ({ number, socket, say, told }) => {
        paid.push(number);
        const answer = { request: 'pay', hold: told.hold, code, message: 'it has ended', temporary: false };
        if (number === 1) socket.terminate();
        else say('refused', answer);
      },
    });
    assert.deepEqual(await done(t, url), { event: 'done', orders: orders.map((one) => one.order) });
    assert.deepEqual(paid, [1, 2]);
  });
}

test('Python waits no longer for the payment of a hold that another device gave back', async (t) => {
  const url = await sale(t, {
    pay: ({ socket, say, told }) => {
      say('released', { hold: told.hold, drop: 'd1', sku: 'a', units: 1 });
      // Python reads this only if it goes on.
      socket.once('pong', () => socket.close(4200, 'it still waits'));
      socket.ping();
    },
  });
  assert.deepEqual(await done(t, url), { event: 'done', orders: [] });
});

test('Python takes an order that comes after the end of its hold, and time that is told anew for no purchase', async (t) => {
  const url = await sale(t, {
    pay: ({ say, told }) => {
      say('held', hold({ hold: told.hold, expires_in_ms: 180_000 }));
      say('expired', { hold: told.hold, drop: 'd1', sku: 'a', units: 1 });
      say('order', order({ order: 'o9', hold: told.hold }));
    },
  });
  assert.deepEqual(await done(t, url), { event: 'done', orders: ['o9'] });
});

test('Python begins with a short delay again after a connection that has lived for a heartbeat', () => {
  const program = [
    'import time, buy_and_pay',
    'for age_s in (0, 21):',
    '    viewer = buy_and_pay.Viewer("", "")',
    '    viewer.failures, viewer.welcomed_at = 5, time.monotonic() - age_s',
    '    viewer.delay_after(buy_and_pay.Lost())',
    '    print(viewer.failures)',
  ];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: dirname(sample) };
  const said = execFileSync('python3', ['-c', program.join('\n')], { encoding: 'utf8', env });
  assert.deepEqual(said.split('\n').filter((line) => /^\d+$/.test(line)), ['6', '1']);
});

/** Starts the sample in Node, which has a folder of its own; `said` plays the server. */
async function app(t, said) {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-sample-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const file of ['../../../../docs/integrate/buy_and_pay.mjs', '../../assets/stampede.mjs']) {
    copyFileSync(here(file), join(folder, file.split('/').at(-1)));
  }
  symlinkSync(join(process.env.STAMPEDE_NPM, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'ticket'), 'ticket');
  const url = await staged(t, ({ told, say }) => said(told, say));
  return () => {
    const node = spawn(process.execPath, ['buy_and_pay.mjs', url, 'ticket'], { cwd: folder });
    t.after(() => node.kill('SIGKILL'));
    const printed = [];
    createInterface(node.stdout).on('line', (line) => printed.push(JSON.parse(line)));
    const ended = once(node, 'close').then(([status]) => ({ status, printed }));
    return { ended, kill: () => node.kill('SIGKILL') };
  };
}

test('Node takes an order that comes after the end of its hold', async (t) => {
  const start = await app(t, ({ type, key, hold: id }, say) => {
    if (type === 'hello') say('welcome', welcome());
    if (type === 'buy') say('held', hold({ key }));
    if (type !== 'pay') return;
    say('held', hold({ hold: id, expires_in_ms: 180_000 }));
    say('expired', { hold: id, drop: 'd1', sku: 'a', units: 1 });
    say('order', order({ order: 'o9', hold: id }));
  });
  const { status, printed } = await start().ended;
  assert.deepEqual([status, printed.map((answer) => [answer.type, answer.order])], [0, [['order', 'o9']]]);
});

test('Node: a restart of the app asks for no second unit', async (t) => {
  const keys = [];
  let isFirst = true;
  let run;
  const start = await app(t, ({ type, key, hold: id }, say) => {
    // The second run finds the hold of the first, and its purchase without an answer.
    if (type === 'hello') say('welcome', welcome({ holds: isFirst ? [] : [hold()] }));
    if (type === 'buy') keys.push(key);
    if (type === 'buy' && isFirst) run.kill();
    else if (type === 'buy') say('held', hold({ key, retry: true }));
    if (type === 'pay') say('order', order({ hold: id }));
  });
  run = start();
  await run.ended;
  isFirst = false;
  const { status, printed } = await start().ended;
  assert.deepEqual([status, printed.map(({ type }) => type)], [0, ['order']]);
  assert.deepEqual(keys, [keys[0], keys[0]]);
  await start().ended;
  assert.equal(keys.length, 2, 'a hold that is there is paid, and nothing bought');
});

test('Node: a payment that failed is tried again, after a pause', async (t) => {
  const paid = [];
  const start = await app(t, ({ type, key }, say) => {
    if (type === 'hello') say('welcome', welcome());
    if (type === 'buy') say('held', hold({ key }));
    if (type !== 'pay') return;
    paid.push(performance.now());
    if (paid.length === 1) say('payment_failed', { hold: 'h1', final: false, expires_in_ms: 60_000 });
    else say('order', order());
  });
  const { status, printed } = await start().ended;
  assert.deepEqual([status, printed[0].type], [0, 'order']);
  // At least: a busy machine takes longer.
  assert.ok(paid[1] - paid[0] >= 900, `${paid[1] - paid[0]} ms`);
});
