import type { Launched } from './launch.js';

/** What a person reads after the start: where it is, and a line to paste. */
export function welcome({ server, demo }: Launched): string {
  if (demo === null) return `Redeemkit listens on ${server.address}/graphql`;
  const { url, productCode, userToken, staffToken, codes } = demo.content;
  const query =
    'mutation($code:String!){redeemCode(input:{code:$code}){status orderNo redemption{id useNo rewards{type targetId}} errors{code message}}}';
  const body = JSON.stringify({ query, variables: { code: codes[0] } });
  return `
Redeemkit listens on ${url}/graphql (database and Redis are its own, with their data in the data folder).

A user's token:   ${userToken}

A staff token:    ${staffToken}

Redeem a code (paste it into another terminal; the second time it is already redeemed):

curl -s ${url}/graphql \\
  -H 'content-type: application/json' \\
  -H 'authorization: Bearer ${userToken}' \\
  -H 'x-product-code: ${productCode}' \\
  -d '${body}'

More codes and the addresses of the servers are in demo.json in the data folder. Ctrl-C stops everything.`;
}
