/**
 * A live dashboard of a partner: its server listens to the tenant's redemptions by its API key, and passes them on to
 * the pages that are open. After a restart it goes on behind the last event that it counted.
 *
 *   REDEEMKIT_URL=https://codes.example.com REDEEMKIT_API_KEY=rk_live_… node examples/dashboard/server.mjs
 *
 * The API key has the scope `redemptions:read`, and sdk/operations.json is registered (docs/partners.md).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSubscriptions } from '@redeemkit/client/subscriptions';

const { REDEEMKIT_URL, REDEEMKIT_API_KEY, STATE_FILE = 'dashboard.json', PORT = '8081' } = process.env;
const page = readFileSync(new URL('index.html', import.meta.url));

/** The counts and the cursor that belongs to them, written together. */
const state = (() => {
  try {
    return JSON.parse(readFileSync(STATE_FILE, 'utf8'));
  } catch {
    return { cursor: '0', committed: 0, refused: 0, byCampaign: {} };
  }
})();
let connection = 'CONNECTING';
const pages = new Set();
const shown = () => `data: ${JSON.stringify({ ...state, connection })}\n\n`;
const tell = () => pages.forEach((response) => response.write(shown()));

const subscriptions = createSubscriptions({ url: REDEEMKIT_URL, env: 'app', token: REDEEMKIT_API_KEY });
const stream = subscriptions.onRedemptionSettled({
  after: state.cursor,
  onEvent: ({ cursor, status, campaignId }) => {
    state[status === 'COMMITTED' ? 'committed' : 'refused'] += 1;
    state.byCampaign[campaignId] = (state.byCampaign[campaignId] ?? 0) + 1;
    state.cursor = cursor;
    writeFileSync(STATE_FILE, JSON.stringify(state));
    tell();
  },
  onState: (now) => {
    connection = now;
    tell();
  },
});

const server = createServer((request, response) => {
  if (request.url !== '/events') return response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(shown());
  pages.add(response);
  return response.on('close', () => pages.delete(response));
});
server.listen(Number(PORT), () =>
  console.log(`The dashboard is at http://localhost:${server.address().port}`),
);

// Another key, or a cursor that is too old: a connection that cannot be mended ends the program.
await stream.closed;
