// Runs the stay on Node, Deno or Bun, and says so.

import { play } from './platform.mjs';

const name = globalThis.Deno ? 'deno' : globalThis.Bun ? 'bun' : 'node';
const hasWebSocket = typeof WebSocket === 'function';
console.log(await play({ name, hasCrypto: true, hasWebSocket }));
