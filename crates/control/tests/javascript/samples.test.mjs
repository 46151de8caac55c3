// The client in Python, against a server that does what a test tells it.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { welcome } from './fake.mjs';

const { WebSocketServer } = createRequire(join(process.env.STAMPEDE_NPM, 'package.json'))('ws');
const sample = fileURLToPath(new URL('../../../../docs/integrate/buy_and_pay.py', import.meta.url));

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
