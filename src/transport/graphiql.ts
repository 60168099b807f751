import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../platform/network-of.js';
import { PAGE_HEADERS, sendPage } from './html-page.js';

export const GRAPHIQL_PATH = '/graphiql';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** What a newcomer's first operations need. */
export interface TryOut {
  readonly userToken: string;
  readonly staffToken: string;
  readonly productCode: string;
  readonly codes: readonly string[];
}

/** The packages' own builds, in the order in which the page loads them. */
const BUILDS = [
  ['react.js', 'react', 'umd/react.production.min.js', SCRIPT],
  ['react-dom.js', 'react-dom', 'umd/react-dom.production.min.js', SCRIPT],
  ['graphiql.js', 'graphiql', 'graphiql.min.js', SCRIPT],
  ['graphiql.css', 'graphiql', 'graphiql.min.css', STYLE],
] as const;

const OWN_STYLE = 'html, body, #graphiql { height: 100%; margin: 0; }';

/** Nothing is kept in the browser: the tokens of the demo would outlive the page. */
const OWN_SCRIPT = `
const start = async () => {
  const reply = await fetch('${GRAPHIQL_PATH}/tabs.json');
  const { endpoint, tabs } = await reply.json();
  const socket = new URL(endpoint, location.href);
  socket.protocol = socket.protocol.replace('http', 'ws');
  const kept = new Map();
  const storage = {
    get length() { return kept.size; },
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
    clear: () => kept.clear(),
  };
  const fetcher = GraphiQL.createFetcher({ url: endpoint, subscriptionUrl: socket.href });
  const props = { fetcher, storage, defaultTabs: tabs, defaultHeaders: tabs[0]?.headers, isHeadersEditorEnabled: true };
  ReactDOM.createRoot(document.getElementById('graphiql')).render(React.createElement(GraphiQL, props));
};
start();
`;

/** @returns false where the packages are not installed, as in the image */
export function addGraphiql(app: FastifyInstance, endpoint: string, tryOut: () => TryOut | null): boolean {
  const folders = packageFolders();
  if (folders === null) return false;
  for (const [name, from, file, type] of BUILDS)
    addFile(app, name, type, () => readFileSync(path.join(folders[from], file)));
  addFile(app, 'start.js', SCRIPT, () => OWN_SCRIPT);
  addFile(app, 'start.css', STYLE, () => OWN_STYLE);
  const scripts = ['react.js', 'react-dom.js', 'graphiql.js', 'start.js'];
  const head = [
    ...['graphiql.css', 'start.css'].map((name) => `<link rel="stylesheet" href="${GRAPHIQL_PATH}/${name}">`),
    ...scripts.map((name) => `<script defer src="${GRAPHIQL_PATH}/${name}"></script>`),
  ].join('\n');
  app.get(GRAPHIQL_PATH, async (_request, reply) =>
    sendPage(reply, 'GraphiQL – Redeemkit', { head, body: '<div id="graphiql">Loading …</div>' }),
  );
  app.get(`${GRAPHIQL_PATH}/tabs.json`, async (request, reply) => {
    const tabs = tabsOf(isFromHere(request) ? tryOut() : null);
    return reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-store' }).send({ endpoint, tabs });
  });
  return true;
}

function addFile(app: FastifyInstance, name: string, type: string, read: () => string | Buffer): void {
  app.get(`${GRAPHIQL_PATH}/${name}`, async (_request, reply) =>
    reply.headers(PAGE_HEADERS).header('cache-control', 'no-cache').type(type).send(read()),
  );
}

function packageFolders(): Readonly<Record<(typeof BUILDS)[number][1], string>> | null {
  const { resolve } = createRequire(import.meta.url);
  const folderOf = (name: string): string => path.dirname(resolve(`${name}/package.json`));
  try {
    return { react: folderOf('react'), 'react-dom': folderOf('react-dom'), graphiql: folderOf('graphiql') };
  } catch {
    return null;
  }
}

/**
 * Whether the demo's tokens may be told: to this machine, and to a page that it reached by a name of its own. A
 * foreign page whose name was made to lead here (DNS rebinding) names itself in `host`.
 */
function isFromHere({ socket, headers }: FastifyRequest): boolean {
  const host = URL.canParse(`http://${headers.host}`) ? new URL(`http://${headers.host}`).hostname : '';
  const isOwnName = host === 'localhost' || isLoopback(host.replace(/^\[|\]$/g, ''));
  const site = headers['sec-fetch-site'];
  return (
    isOwnName && isLoopback(socket.remoteAddress ?? '') && (site === undefined || site === 'same-origin')
  );
}

interface Tab {
  readonly query: string;
  readonly headers: string;
}

function tabsOf(tryOut: TryOut | null): Tab[] {
  if (tryOut === null) {
    const headers = JSON.stringify({ authorization: 'Bearer …', 'x-product-code': '' }, null, 2);
    return [{ query: '# Put a token into the headers below.\nquery Me {\n  __typename\n}\n', headers }];
  }
  const { userToken, staffToken, productCode, codes } = tryOut;
  const as = (token: string): string =>
    JSON.stringify({ authorization: `Bearer ${token}`, 'x-product-code': productCode }, null, 2);
  return [
    { query: redeemSample(codes[0] ?? ''), headers: as(userToken) },
    { query: LIVE_SAMPLE, headers: as(userToken) },
    { query: STAFF_SAMPLE, headers: as(staffToken) },
  ];
}

const redeemSample = (
  code: string,
): string => `# A user redeems a code; the second time it is already redeemed.
mutation Redeem {
  redeemCode(input: { code: "${code}" }) {
    status
    orderNo
    redemption {
      id
      rewards {
        type
        targetId
      }
    }
    errors {
      code
      message
    }
  }
}
`;

const LIVE_SAMPLE = `# Live: what becomes of this user's redemptions. Run it, then redeem in the other tab.
subscription Settled {
  redemptionSettled {
    cursor
    status
    redemptionId
    orderNo
  }
}
`;

const STAFF_SAMPLE = `# Staff see the campaigns and codes of their tenant.
query Staff {
  campaigns {
    total
    items {
      id
      name
      status
    }
  }
  codes(size: 5) {
    total
    items {
      id
      code
      status
    }
  }
}
`;
