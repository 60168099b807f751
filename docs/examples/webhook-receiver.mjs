// A receiver of webhooks without packages: WEBHOOK_SECRET=whsec_… PORT=9000 node docs/examples/webhook-receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const TOLERANCE_S = 300;
const BYTES_MAX = 1_000_000;
const key = Buffer.from((process.env.WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
if (key.length === 0) throw new Error('Set WEBHOOK_SECRET to the secret that createWebhook has shown.');
/** Ids of events that were handled. Keep yours in the database, in the transaction that handles the event. */
const handled = new Set();

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const isRecent = Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S;
  if (!isRecent) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  // Two signatures while a secret is being rotated: one of them must be right.
  return String(signatures)
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

async function textOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Error('The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function answer(request) {
  const body = await textOf(request);
  if (!isGenuine(request.headers, body)) return 401;
  const id = request.headers['webhook-id'];
  if (handled.has(id)) return 204;
  const { type, data } = JSON.parse(body);
  process.stdout.write(`${id} ${type} ${JSON.stringify(data)}\n`);
  handled.add(id);
  return 204;
}

const server = createServer((request, response) => {
  answer(request).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(400).end(),
  );
});
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () =>
  process.stdout.write(`listens on ${server.address().port}\n`),
);
