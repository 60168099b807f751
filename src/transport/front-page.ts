import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CONSOLE_PATH } from './console-pages.js';
import { addGraphiql, GRAPHIQL_PATH, type TryOut } from './graphiql.js';
import { sendPage } from './html-page.js';

export interface FrontPageParts {
  readonly graphqlPath: string;
  readonly hasConsole: boolean;
  /** GraphiQL is served in development alone. */
  readonly isDevelopment: boolean;
  /** What GraphiQL is filled with; null while there is no demo. */
  readonly tryOut: () => TryOut | null;
}

const DOCS = 'README.md and docs/README.md';

/**
 * What a browser finds: a page of links at `/`, and in development GraphiQL. A browser that opens the endpoint is led
 * there, because it sends no operation.
 */
export function addFrontPage(app: FastifyInstance, parts: FrontPageParts): void {
  const { graphqlPath } = parts;
  const hasGraphiql = parts.isDevelopment && addGraphiql(app, graphqlPath, parts.tryOut);
  const links = [
    ...(parts.hasConsole ? [[CONSOLE_PATH, 'The console, for members of staff']] : []),
    ...(hasGraphiql ? [[GRAPHIQL_PATH, 'GraphiQL: write operations and run them']] : []),
    [graphqlPath, 'The GraphQL endpoint, over HTTP and WebSocket'],
    ['/healthz', 'The process lives'],
    ['/readyz', 'It can work: its stores answer'],
    ['/metrics', 'Metrics for Prometheus'],
  ];
  const items = links.map(([path, says]) => `<li><a href="${path}">${path}</a> – ${says}</li>`);
  const body = `<h1>Redeemkit</h1>\n<ul>\n${items.join('\n')}\n</ul>\n<p>Documents in the checkout: ${DOCS}.</p>`;
  app.get('/', async (_request, reply) => sendPage(reply, 'Redeemkit', { body }));
  app.addHook('onRequest', (request, reply, done) => {
    if (!isVisit(request, graphqlPath)) done();
    else void reply.header('vary', 'accept').redirect(hasGraphiql ? GRAPHIQL_PATH : '/', 303);
  });
}

/** A browser that opens the address of the endpoint: it wants a page, and names no operation. */
function isVisit({ method, url, headers }: FastifyRequest, graphqlPath: string): boolean {
  return method === 'GET' && url === graphqlPath && headers.accept?.includes('text/html') === true;
}
