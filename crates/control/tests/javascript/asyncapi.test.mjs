// docs/asyncapi.json: its official parser accepts it, the protocol document's examples keep to it,
// the client takes every message in it, by its types too.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Stage } from './fake.mjs';

const NPM = process.env.STAMPEDE_NPM;
const installed = createRequire(join(NPM, 'package.json'));
const { Parser } = installed('@asyncapi/parser');
const Ajv = installed('ajv');

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const text = readFileSync(here('../../../../docs/asyncapi.json'), 'utf8');
const description = JSON.parse(text);
const { messages, schemas } = description.components;
const fromClient = new Set(['hello', 'refresh', 'buy', 'release', 'pay', 'ping']);

/** The examples of the description, then those of the protocol document. */
let examples;

before(() => {
  const document = readFileSync(here('../../../../docs/protocol.md'), 'utf8');
  const blocks = [...document.matchAll(/^```json\n(.*?)^```/gms)].map(([, block]) => JSON.parse(block));
  const own = Object.values(messages).flatMap((message) => message.examples.map(({ payload }) => payload));
  assert.ok(blocks.length >= own.length / 2, 'the protocol document has examples');
  examples = [...own, ...blocks];
});

test('the official parser accepts the description', async () => {
  const { document, diagnostics } = await new Parser().parse(text);
  const told = diagnostics.filter(({ severity }) => severity <= 1);
  assert.deepEqual(told.map(({ code, message, path }) => `${code} ${message} ${path.join('.')}`), []);
  assert.deepEqual(document.allMessages().all().map((message) => message.name()), Object.keys(messages));
});

test('every example keeps to the schema of its message', () => {
  const ajv = new Ajv({ strict: false, schemas: [{ $id: 'stampede', ...description }] });
  const covered = new Set();
  for (const example of examples) {
    const validate = ajv.getSchema(`stampede#/components/messages/${example.type}/payload`);
    assert.ok(validate, `no message is called ${example.type}`);
    assert.ok(validate(example), `${JSON.stringify(example)}: ${ajv.errorsText(validate.errors)}`);
    covered.add(example.type);
  }
  assert.deepEqual([...covered].sort(), Object.keys(messages).sort());
});

test('a reader of any message finds its schema by its type', () => {
  const expected = Object.entries(messages).map(([name, { payload }]) => [name, payload.$ref.split('/').at(-1)]);
  assert.deepEqual(description['x-schemas-by-type'], Object.fromEntries(expected));
  for (const [type, schema] of expected) assert.equal(schemas[schema].properties.type.const, type);
});

test('what a welcome lists has the fields of its message, without type and key', () => {
  for (const [message, listed] of [['drop_message', 'drop_info'], ['held', 'hold_info'], ['order', 'order_info']]) {
    const fields = Object.keys(schemas[message].properties).filter((name) => name !== 'type' && name !== 'key');
    assert.deepEqual(Object.keys(schemas[listed].properties), fields);
  }
});

test('the client knows every refusal by its code', () => {
  const source = readFileSync(here('../../assets/stampede.mjs'), 'utf8');
  const [, known] = /@typedef \{([^}]*)\} RefusalCode/.exec(source);
  const codes = description['x-refusals'].map(({ code }) => code);
  assert.deepEqual([...known.matchAll(/'(\w+)'/g)].map(([, code]) => code).sort(), codes.sort());
});

test('the client takes in every message of the server', async () => {
  for (const example of examples.filter(({ type }) => !fromClient.has(type))) {
    const stage = await Stage.online();
    const heard = [];
    stage.client.on('message', (message) => heard.push(message));
    stage.socket.onmessage({ data: JSON.stringify(example) });
    assert.deepEqual(heard, [example]);
    assert.deepEqual(stage.told('fault'), [], example.type);
    stage.client.close();
  }
});

test("the client's types fit every message", () => {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-types-'));
  try {
    const module = here('../../assets/stampede.mjs');
    const lines = examples.map((example, index) => {
      const side = fromClient.has(example.type) ? 'ClientMessage' : 'ServerMessage';
      return `export const m${index}: import(${JSON.stringify(module)}).${side} = ${JSON.stringify(example)};`;
    });
    writeFileSync(join(folder, 'examples.ts'), lines.join('\n'));
    const config = { extends: here('./tsconfig.json'), files: [module, join(folder, 'examples.ts')] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(NPM, 'node_modules', '.bin', 'tsc');
    const { status, stdout, stderr } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
