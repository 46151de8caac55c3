// The client as a package: its types are those of the module, `npm pack` takes it, apps can use it.
//
// `STAMPEDE_TYPES=write` writes the types anew. STAMPEDE_NPM is the folder where packages are installed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PACKAGE = here('../../assets');
const TYPES = join(PACKAGE, 'stampede.d.mts');
const TSC = join(process.env.STAMPEDE_NPM, 'node_modules', '.bin', 'tsc');

let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), 'stampede-package-'))));
after(() => rmSync(folder, { recursive: true }));

function run(program, args, cwd = folder) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

function config(path, compilerOptions, files) {
  const options = { strict: true, types: [], ...compilerOptions };
  writeFileSync(join(folder, path), JSON.stringify({ compilerOptions: options, files }));
  return join(folder, path);
}

const TYPEDEF = /^\/\*\*(?:(?!\*\/)[^])*@typedef(?:(?!\*\/)[^])*\*\/\n/gm;

/** The comments of a module that define types: of which name, with which words, for whom. */
function typedefs(source) {
  return [...source.matchAll(TYPEDEF)].map(([comment]) => {
    const [, name] = /@typedef \{object\} (\w+)/.exec(comment) ?? /(\w+)\s*\*\/\n$/.exec(comment);
    const [words] = /^( \* (?!@).*\n)*/.exec(comment.slice(comment.indexOf('\n') + 1));
    return { name, words: words && `/**\n${words} */\n`, isInternal: comment.includes('@internal') };
  });
}

/**
 * The compiler makes a type of each such comment but leaves its words behind, with the internal ones'
 * types: here the words move to the types.
 */
function withWords(made) {
  let types = made.replace(TYPEDEF, '');
  for (const { name, words, isInternal } of typedefs(made)) {
    const type = new RegExp(`^export type ${name} = [^]*?;\\n(?![ }])`, 'm');
    assert.match(types, type);
    types = types.replace(type, (all) => (isInternal ? '' : words + all));
  }
  return types;
}

test('the types are those of the module', () => {
  const own = JSON.parse(readFileSync(here('./tsconfig.json'), 'utf8')).compilerOptions;
  const emit = { ...own, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: PACKAGE, outDir: folder };
  run(TSC, ['-p', config('emit.json', emit, [join(PACKAGE, 'stampede.mjs')])]);
  const made = readFileSync(join(folder, 'stampede.d.mts'), 'utf8');
  const types = withWords(made);
  if (process.env.STAMPEDE_TYPES === 'write') writeFileSync(TYPES, types);
  assert.equal(readFileSync(TYPES, 'utf8'), types, 'STAMPEDE_TYPES=write makes them anew');
});

test('the types carry the words of the module, and nothing internal', () => {
  const types = readFileSync(TYPES, 'utf8');
  const all = typedefs(readFileSync(join(PACKAGE, 'stampede.mjs'), 'utf8'));
  for (const { name, words, isInternal } of all) {
    assert.equal(types.includes(`export type ${name} =`), !isInternal, name);
    if (!isInternal) assert.ok(types.includes(`${words}export type ${name} =`), name);
  }
  const told = all.filter(({ words, isInternal }) => words && !isInternal).map(({ name }) => name);
  for (const name of ['SkuInfo', 'Verdict', 'Closed', 'Retrying', 'Surroundings']) assert.ok(told.includes(name), name);
});

test('npm packs the module, its types, its words and nothing else', () => {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder, PACKAGE]).stdout);
  const paths = packed.files.map(({ path }) => path).sort();
  assert.deepEqual(paths, ['LICENSE', 'README.md', 'package.json', 'stampede.d.mts', 'stampede.mjs']);
  const home = join(folder, 'node_modules/stampede-client');
  mkdirSync(home, { recursive: true });
  run('tar', ['-xzf', packed.filename, '-C', home, '--strip-components=1']);
  assert.equal(readFileSync(join(home, 'LICENSE'), 'utf8'), readFileSync(here('../../../../LICENSE'), 'utf8'));
  const links = [...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/\]\(([^)]*)\)/g)].map(([, to]) => to);
  assert.deepEqual(links.filter((to) => !/^(https:|#)/.test(to)), [], 'a link into the tree leads nowhere here');
});

test('an app imports the package by its name', () => {
  const program = `
    import { StampedeClient, SUBPROTOCOL } from 'stampede-client';
    const client = new StampedeClient({ url: 'ws://server.test/', ticket: 't', WebSocket: class {} });
    console.log(client.state, SUBPROTOCOL);
  `;
  writeFileSync(join(folder, 'app.mjs'), program);
  assert.equal(run(process.execPath, ['app.mjs']).stdout, 'new stampede.v1.json\n');
});

const APP = `
  import { StampedeClient, StoppedError, type HoldView, type PurchaseStorage, type RefusalCode } from 'stampede-client';
  declare class Socket {
    constructor(url: string, protocols?: string | string[]);
    onopen: unknown; onmessage: unknown; onclose: unknown; onerror: unknown;
    send(text: string): void;
    close(code?: number, reason?: string): void;
  }
  declare const asyncStorage: {
    getItem(name: string): Promise<string | null>;
    setItem(name: string, value: string): Promise<void>;
    removeItem(name: string): Promise<void>;
  };
  const storage: PurchaseStorage = asyncStorage;
  const client = new StampedeClient({ url: 'ws://server.test/', ticket: async () => 't', WebSocket: Socket, storage, newKey: () => 'k' });
  client.on('closed', ({ verdict, reason }) => { const known: 'again' | 'mend' | 'never' | 'asked' = verdict; });
  client.on('expired', ({ hold }) => hold.length);
  // @ts-expect-error: it is internal
  export type Inner = import('stampede-client').Pending;
  // @ts-expect-error: there is no such event
  client.on('nothing', () => {});
  const answer = await client.buy({ drop: 'd1', sku: 'a' });
  if (answer.type === 'held') { const hold: HoldView | undefined = client.holds.get(answer.hold); }
  if (answer.type === 'refused' && answer.temporary) client.wake();
  const words: Partial<Record<RefusalCode, string>> = { sold_out: 'none left' };
  if (answer.type === 'refused') { const { code } = answer; const text: string = words[code as RefusalCode] ?? code; }
  // @ts-expect-error: no refusal has this code
  const wrong: RefusalCode = 'sold';
  for (const purchase of client.purchases.values()) client.buy(purchase);
  client.on('lapsed', ({ key, drop, sku, units }) => client.buy({ key, drop, sku, units: units + 1 }));
  export const stopped = (error: unknown) => error instanceof StoppedError && error.closed.code;
`;

for (const [what, options] of [
  ['Node', { module: 'nodenext', lib: ['es2022'] }],
  ['a bundler for browsers', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] }],
  ['React Native', { module: 'esnext', moduleResolution: 'bundler', customConditions: ['react-native'], lib: ['es2022'] }],
]) {
  test(`an app in TypeScript compiles: ${what}`, () => {
    writeFileSync(join(folder, 'app.mts'), APP);
    run(TSC, ['-p', config('app.json', { target: 'es2022', noEmit: true, ...options }, ['app.mts'])]);
  });
}

test('storage of the browser fits', () => {
  writeFileSync(join(folder, 'browser.mts'), `
    import { StampedeClient } from 'stampede-client';
    new StampedeClient({ url: 'wss://server.test/', ticket: 't', WebSocket, storage: localStorage, newKey: () => crypto.randomUUID() });
  `);
  const options = { target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], noEmit: true };
  run(TSC, ['-p', config('browser.json', options, ['browser.mts'])]);
});
