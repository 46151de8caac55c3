// The client on each platform that it promises: Node, Deno, Bun, and React Native's Hermes.
// Browsers have the sample shop's page, among the tests of the whole server.
//
// STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const NPM = process.env.STAMPEDE_NPM;
const PACKAGES = join(NPM, 'node_modules');
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', cwd: tmpdir(), timeout: 60_000 }).trim();

/** The program of a package that has one for each kind of machine; none for a machine that it leaves out. */
function program(scope, path) {
  const kinds = existsSync(join(PACKAGES, scope)) ? readdirSync(join(PACKAGES, scope)) : [];
  return kinds.map((kind) => join(PACKAGES, scope, kind, path)).find(existsSync);
}

const deno = program('@deno', 'deno');
const bun = program('@oven', 'bin/bun');
const hermes = process.platform === 'linux' && process.arch === 'x64'
  ? join(PACKAGES, 'hermes-engine-cli/linux64-bin/hermes')
  : undefined;
const unless = (there) => ({ skip: there ? false : 'its makers have no program for this machine' });

test('the client plays on Node', () => {
  assert.equal(run(process.execPath, here('platform-main.mjs')), 'played on node');
});

test('the client plays on Deno', unless(deno), () => {
  // Nothing but what it is handed: no list of packages, no network.
  assert.equal(run(deno, 'run', '--no-config', '--no-lock', here('platform-main.mjs')), 'played on deno');
});

test('the client plays on Bun', unless(bun), () => {
  assert.equal(run(bun, here('platform-main.mjs')), 'played on bun');
});

/** One script of modules that React Native's preset has translated, as its bundler would make it. */
function bundled(entry, modules) {
  const { transformSync } = createRequire(join(NPM, 'package.json'))('@babel/core');
  const preset = join(PACKAGES, '@react-native/babel-preset');
  const translate = (path) => {
    // The helpers of the translation are within each module.
    const presets = [[preset, { enableBabelRuntime: false }]];
    const options = { presets, cwd: NPM, filename: here(path), babelrc: false, configFile: false };
    return transformSync(readFileSync(here(path), 'utf8'), options).code;
  };
  const parts = modules.map((path) => {
    const name = JSON.stringify(path.split('/').at(-1));
    return `modules[${name}] = function (require, exports) {\n${translate(path)}\n};`;
  });
  // This shell of Hermes calls its timers at once, whatever the delay.
  return `
    globalThis.setTimeout = function () { return 1; };
    globalThis.clearTimeout = function () {};
    var modules = {}, loaded = {};
    function load(path) {
      var name = path.split('/').pop();
      if (!loaded[name]) modules[name](load, (loaded[name] = {}));
      return loaded[name];
    }
    ${parts.join('\n')}
    load(${JSON.stringify(entry)})
      .play({ name: 'hermes', hasCrypto: false, hasWebSocket: false })
      .then(print, function (error) { print(error.stack); });
  `;
}

test("the client plays on Hermes, translated by React Native's preset", unless(hermes), () => {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-hermes-'));
  try {
    const script = join(folder, 'bundle.js');
    writeFileSync(script, bundled('platform.mjs', ['../../assets/stampede.mjs', 'fake.mjs', 'platform.mjs']));
    assert.equal(run(hermes, script), 'played on hermes');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
