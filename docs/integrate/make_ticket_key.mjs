// Makes a ticket key: the platform's half, and the half that Stampede checks tickets with.
//
//   node make_ticket_key.mjs KID EdDSA|HS256 PLATFORM_KEY_FILE TICKET_KEYS_FILE
//
// TICKET_KEYS_FILE is `ticket-keys.json` in Stampede's data directory. It is made, or the key is
// added to it; Stampede reads it when it starts. Both files can be read by their owner alone.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const [kid, alg, platformFile, keysFile] = process.argv.slice(2);
const makers = {
  // A pair: Stampede gets the public half and cannot sign tickets itself.
  EdDSA() {
    const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return { platform: { kid, kty, alg, crv, x, d }, stampede: { kid, kty, alg, crv, x } };
  },
  // One secret for both.
  HS256() {
    const secret = { kid, kty: 'oct', alg, k: randomBytes(32).toString('base64url') };
    return { platform: secret, stampede: secret };
  },
};
if (!keysFile || !Object.hasOwn(makers, alg)) {
  console.error('usage: node make_ticket_key.mjs KID EdDSA|HS256 PLATFORM_KEY_FILE TICKET_KEYS_FILE');
  process.exit(2);
}
const { platform, stampede } = makers[alg]();
const set = existsSync(keysFile) ? JSON.parse(readFileSync(keysFile, 'utf8')) : { keys: [] };
if (set.keys.some((key) => key.kid === kid)) {
  console.error(`${keysFile} has a key ${kid} already; choose another name`);
  process.exit(1);
}
set.keys.push(stampede);
for (const [file, content] of [[platformFile, platform], [keysFile, set]]) {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}
console.log(`${platformFile} signs tickets; ${keysFile} checks them`);
