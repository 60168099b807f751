import type { DemoFile } from './demo.js';
import type { Launched } from './launch.js';

/** What a person reads after the start: where it is, and on a terminal a line to paste. */
export function welcome({ server, demo }: Launched, isTerminal: boolean): string {
  const where = `Redeemkit listens on ${server.address}/graphql`;
  if (demo === null) return where;
  const whose = `${where} (database and Redis are its own, with their data in the data folder).`;
  // Output that is not a terminal is often a log that many can read, and one of the tokens is an owner's.
  if (!isTerminal) return `${whose}\nTokens and codes to try it with are in ${demo.file}.`;
  return `${whose}

${sampleOf(demo.content())}

More codes, tokens that are renewed, and the addresses of the servers are in ${demo.file}. Ctrl-C stops everything.`;
}

export function sampleOf({ url, productCode, userToken, staffToken, consoleUrl, codes }: DemoFile): string {
  const query =
    'mutation($code:String!){redeemCode(input:{code:$code}){status orderNo redemption{id useNo rewards{type targetId}} errors{code message}}}';
  const body = JSON.stringify({ query, variables: { code: codes[0] } });
  return `The console; this link signs you in once, within a quarter of an hour:

${consoleUrl}

A user's token, for an hour:   ${userToken}

A staff token, for an hour:   ${staffToken}

Redeem a code (paste it into another terminal; the second time it is already redeemed):

curl -s ${url}/graphql \\
  -H 'content-type: application/json' \\
  -H 'authorization: Bearer ${userToken}' \\
  -H 'x-product-code: ${productCode}' \\
  -d '${body}'`;
}
