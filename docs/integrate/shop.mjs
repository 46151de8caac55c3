// The smallest shop: it serves one page, tells it where Stampede is, signs tickets for its visitors.
//
//   node shop.mjs PORT PLATFORM_KEY_FILE STREAM [VIEWERS_URL] [CLIENT_URL]
//
// A real shop knows its customers by their login; this one gives each browser a cookie.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { mintTicket } from './mint_ticket.mjs';

const [port, keyFile, stream, viewersUrl, clientUrl] = process.argv.slice(2);
if (!stream) {
  console.error('usage: node shop.mjs PORT PLATFORM_KEY_FILE STREAM [VIEWERS_URL] [CLIENT_URL]');
  process.exit(2);
}
const key = JSON.parse(readFileSync(keyFile, 'utf8'));
const page = readFileSync(new URL('page.html', import.meta.url));
const settings = {
  url: viewersUrl ?? 'ws://127.0.0.1:7700/',
  client: clientUrl ?? 'http://127.0.0.1:7701/client/stampede.mjs',
};

const routes = {
  '/': (_, response) => answer(response, 'text/html; charset=utf-8', page),
  '/settings': (_, response) => answer(response, 'application/json', JSON.stringify(settings)),
  '/ticket': (request, response) => {
    const viewer = visitor(request) ?? randomUUID();
    response.setHeader('Set-Cookie', `visitor=${viewer}; Path=/; HttpOnly; SameSite=Strict`);
    answer(response, 'text/plain', mintTicket(key, { stream, viewer, channel: 'own-shop' }));
  },
};

function visitor(request) {
  return /(?:^|; )visitor=([0-9a-f-]{36})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
}

function answer(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
}

createServer((request, response) => {
  const route = request.method === 'GET' && Object.hasOwn(routes, request.url) && routes[request.url];
  if (route) route(request, response);
  else response.writeHead(404).end('not here\n');
}).listen(Number(port), '127.0.0.1', function listening() {
  console.log(`shop on http://127.0.0.1:${this.address().port}/`);
});
