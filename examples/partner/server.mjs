/**
 * A partner's server: it signs its own users in, redeems codes for them, and sells codes of a campaign's pool.
 *
 *   REDEEMKIT_URL=https://codes.example.com REDEEMKIT_API_KEY=rk_live_… REDEEMKIT_PRODUCT=DEMO REDEEMKIT_CAMPAIGN=… \
 *     node examples/partner/server.mjs
 *
 * The API key has the scopes `redeem` and `codes:sell`, and sdk/operations.json is registered (docs/partners.md).
 */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createClient, RedeemkitError } from '@redeemkit/client';
import { createPartner } from '@redeemkit/client/partners';

const {
  REDEEMKIT_URL,
  REDEEMKIT_API_KEY,
  REDEEMKIT_PRODUCT,
  REDEEMKIT_CAMPAIGN,
  PORT = '8080',
} = process.env;
const partner = createPartner({ url: REDEEMKIT_URL, apiKey: REDEEMKIT_API_KEY });

/** Tokens live for 15 minutes; a client asks for a new one when the server refuses the old one. */
const tokens = new Map();
async function tokenOf(user, refused) {
  if (!tokens.has(user) || tokens.get(user) === refused) {
    const { token } = await partner.createUserToken({ externalUserId: user, productCode: REDEEMKIT_PRODUCT });
    tokens.set(user, token);
  }
  return tokens.get(user);
}

/** Replace it by your own sign-in. The code is redeemed for the user that it names. */
function userOf(request) {
  const user = request.headers['x-demo-user'];
  if (user === undefined) throw Object.assign(new Error('Sign in first.'), { status: 401 });
  return user;
}

const routes = {
  /** For the page in examples/web: the browser talks to Redeemkit itself, by this token. */
  'POST /session': async (request) => ({ token: await tokenOf(userOf(request), null) }),

  /** A device that cannot: the server redeems for it. The order is the key, so a repeated call is the same redemption. */
  'POST /redeem': async (request) => {
    const user = userOf(request);
    const { code, order } = await json(request);
    const token = async ({ refused }) => tokenOf(user, refused);
    return createClient({ url: REDEEMKIT_URL, env: 'app', token }).redeemCode(code, {
      idempotencyKey: order,
    });
  },

  /** One code for one order of the shop, however often the call is repeated. */
  'POST /sell': async (request) => {
    const { order } = await json(request);
    const input = { campaignId: REDEEMKIT_CAMPAIGN, count: 1, channel: 'Shop', idempotencyKey: order };
    const { codes } = await partner.allocateCodes(input);
    return { code: codes[0] };
  },
};

async function take(request, response) {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  try {
    const route = routes[`${request.method} ${request.url}`];
    if (route === undefined) answer(404, { error: 'There is no such route.' });
    else answer(200, await route(request));
  } catch (error) {
    if (error instanceof RedeemkitError)
      answer(error.isRetryable ? 503 : 422, { error: error.message, code: error.code });
    else answer(error.status ?? 500, { error: error.status ? error.message : 'The server failed.' });
  }
}

const server = createServer((request, response) => void take(request, response));
server.listen(Number(PORT), () =>
  console.log(`The partner listens on http://localhost:${server.address().port}`),
);
