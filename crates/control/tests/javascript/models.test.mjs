// docs/asyncapi.json as types of other languages, made by the sample that makes them.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PACKAGES = join(process.env.STAMPEDE_NPM, 'node_modules');
const DESCRIPTION = here('../../../../docs/asyncapi.json');
const { messages, schemas } = JSON.parse(readFileSync(DESCRIPTION, 'utf8')).components;

const schemaOf = ({ payload }) => payload.$ref.split('/').at(-1);
const pascal = (name) => name.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
/** The name of each message's model, by the message's name. */
const names = new Map(Object.entries(messages).map(([name, message]) => [name, pascal(schemaOf(message))]));

/** The endings of all other languages that the sample names. */
const OTHERS = ['cpp', 'cr', 'cs', 'dart', 'elm', 'ex', 'go', 'h', 'hs', 'js', 'php', 'pmod', 'py', 'rb', 'rs', 'scala', 'smithy'];

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'stampede-models-'));
  copyFileSync(here('../../../../docs/integrate/generate_models.mjs'), join(folder, 'generate_models.mjs'));
  symlinkSync(PACKAGES, join(folder, 'node_modules'));
  mkdirSync(join(folder, 'java'));
  const others = OTHERS.map((ending) => `models.${ending}`);
  const files = ['models.ts', 'Models.kt', 'Models.swift', 'java/Models.java', ...others];
  execFileSync(process.execPath, ['generate_models.mjs', DESCRIPTION, ...files], { cwd: folder, timeout: 180_000 });
});
after(() => rmSync(folder, { recursive: true }));

function made(file) {
  const code = readFileSync(join(folder, file), 'utf8');
  assert.doesNotMatch(code, /anonymous/i, 'each type has a name of its own');
  return code;
}

test('the guide installs the versions that are tested here', () => {
  const guide = readFileSync(here('../../../../docs/integrate.md'), 'utf8');
  const { devDependencies } = JSON.parse(readFileSync(here('./package.json'), 'utf8'));
  for (const name of ['@asyncapi/modelina', 'quicktype-core']) {
    assert.ok(guide.includes(`${name}@${devDependencies[name]}`), name);
  }
});

test('each message has a schema of its own, which is named', () => {
  assert.equal(new Set(names.values()).size, names.size);
  for (const message of Object.values(messages)) assert.deepEqual(Object.keys(message.payload), ['$ref']);
  const numbers = JSON.stringify(schemas).match(/"type":"integer"[^}]*/g);
  // Kotlin and Java take 32 bits otherwise, which a time in milliseconds does not fit.
  for (const number of numbers) assert.match(number, /"format":"int(64|32)"/);
});

test('TypeScript: the types compile, and every example fits', () => {
  const code = made('models.ts');
  for (const name of names.values()) assert.match(code, new RegExp(`^export interface ${name} \\{`, 'm'));
  const lines = Object.entries(messages).map(([name, { examples }]) => {
    const payloads = examples.map(({ payload }) => payload);
    return `export const ${name}_: models.${names.get(name)}[] = ${JSON.stringify(payloads)};`;
  });
  const wrong = '// @ts-expect-error: a number is no text\nexport const wrong: models.Pay = { type: "pay", hold: 7 };';
  writeFileSync(join(folder, 'examples.ts'), ["import type * as models from './models';", ...lines, wrong].join('\n'));
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module: 'es2022', moduleResolution: 'bundler', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['models.ts', 'examples.ts'] }));
  const { status, stdout } = spawnSync(join(PACKAGES, '.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('Kotlin: a class for each message, by the names on the wire, times in 64 bits', () => {
  const code = made('Models.kt');
  for (const name of names.values()) assert.match(code, new RegExp(`^data class ${name}\\(`, 'm'));
  assert.match(code, /val server_time_ms: Long,/);
  assert.match(code, /val expires_in_ms: Long,/);
  assert.match(code, /val mode: Mode,/);
  assert.match(code, /live\("live"\)/);
});

test('Swift: a type for each message that reads and writes itself', () => {
  const code = made('Models.swift');
  for (const name of names.values()) assert.match(code, new RegExp(`^struct ${name}: Codable`, 'm'));
  assert.match(code, /case serverTimeMS = "server_time_ms"/);
});

test('every language that the sample names has a type for each message', () => {
  const { status, stderr } = spawnSync(process.execPath, ['generate_models.mjs', DESCRIPTION, 'models.cobol'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  const named = [...stderr.split('\n')[1].matchAll(/ \.(\w+)/g)].map(([, ending]) => ending);
  assert.deepEqual(named.sort(), ['ts', 'kt', 'swift', 'java', ...OTHERS].sort());
  for (const ending of OTHERS) {
    const code = made(`models.${ending}`).replaceAll('_', '').toLowerCase();
    for (const name of names.values()) assert.ok(code.includes(name.toLowerCase()), `${ending}: ${name}`);
  }
  for (const name of names.values()) assert.ok(existsSync(join(folder, 'java', `${name}.java`)), name);
});

test('Python: each example is read, then written as it was', () => {
  const examples = Object.values(messages).flatMap((message) =>
    message.examples.map(({ payload }) => [schemaOf(message), payload]));
  const program = [
    'import json, sys, models',
    'for schema, example in json.load(sys.stdin):',
    '    read = getattr(models, schema + "_from_dict")(example)',
    '    assert getattr(models, schema + "_to_dict")(read) == example, example',
  ];
  const options = { cwd: folder, input: JSON.stringify(examples), encoding: 'utf8' };
  const { status, stderr } = spawnSync('python3', ['-c', program.join('\n')], options);
  assert.equal(status, 0, stderr);
});
