// Mints a viewer's ticket in Node 20 or later, without dependencies.
//
//   node mint_ticket.mjs PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]

import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const LIFETIME_S = 600;

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * @param {object} key a JSON Web Key with its private half
 * @param {{ stream: string, viewer: string, channel?: string, mode?: 'live' | 'rehearsal' }} who
 */
export function mintTicket(key, { stream, viewer, channel, mode = 'live' }) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: 'stampede', sub: viewer, stream, channel, mode, iat: now, exp: now + LIFETIME_S };
  const signed = `${part({ alg: key.alg, typ: 'JWT', kid: key.kid })}.${part(claims)}`;
  return `${signed}.${signature(key, signed)}`;
}

function signature(key, signed) {
  switch (key.alg) {
    case 'HS256':
      return createHmac('sha256', Buffer.from(key.k, 'base64url')).update(signed).digest('base64url');
    case 'EdDSA':
      return sign(null, Buffer.from(signed), createPrivateKey({ key, format: 'jwk' })).toString('base64url');
    default:
      throw new Error(`this sample signs with HS256 or EdDSA, not with ${key.alg}`);
  }
}

/** Whether this file is the program, not a part of another one. */
const isProgram = () =>
  process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href;

if (isProgram()) {
  const [keyFile, stream, viewer, channel] = process.argv.slice(2);
  if (!viewer) {
    console.error('usage: node mint_ticket.mjs PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]');
    process.exit(2);
  }
  console.log(mintTicket(JSON.parse(readFileSync(keyFile, 'utf8')), { stream, viewer, channel }));
}
