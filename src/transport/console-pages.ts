import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { PAGE_HEADERS } from './html-page.js';

export const CONSOLE_PATH = '/console';
/** What the build of the workspace `console` makes. */
const FOLDER = fileURLToPath(new URL('../../console/dist', import.meta.url));
/** In the built page: where each answer has a nonce of its own, and whether there is a sign-in provider. */
const MARKS = { nonce: '__CSP_NONCE__', oidc: '__OIDC__' };
const YEAR_S = 31_536_000;

/**
 * The pages of the console: files with a digest in their names, which browsers keep, and one page for all paths, because
 * the browser's part decides what to show. The page holds no data.
 * @returns false where the console is not built
 */
export async function addConsolePages(
  app: FastifyInstance,
  { hasOidc }: { readonly hasOidc: boolean },
): Promise<boolean> {
  const file = path.join(FOLDER, 'index.html');
  if (!existsSync(file)) return false;
  const page = readFileSync(file, 'utf8').replace(MARKS.oidc, hasOidc ? 'on' : 'off');
  await app.register(fastifyStatic, {
    root: path.join(FOLDER, 'assets'),
    prefix: `${CONSOLE_PATH}/assets/`,
    // A route for each file that the build has made, and none for others.
    wildcard: false,
    index: false,
    preCompressed: true,
    decorateReply: false,
    cacheControl: false,
    setHeaders: (reply) => {
      void reply.header('cache-control', `public, max-age=${YEAR_S}, immutable`);
      void reply.header('x-content-type-options', 'nosniff');
      void reply.header('cross-origin-resource-policy', 'same-origin');
    },
  });
  app.get(CONSOLE_PATH, async (_request, reply) => reply.redirect(`${CONSOLE_PATH}/`, 301));
  app.get(`${CONSOLE_PATH}/*`, { config: { isFallback: true } }, async (request, reply) => {
    const [url = ''] = request.url.split('?');
    // A page of an older version asks for a file that is gone: HTML in its place would be read as a script.
    if (url.startsWith(`${CONSOLE_PATH}/assets/`)) return reply.callNotFound();
    const nonce = randomBytes(16).toString('base64');
    return reply
      .headers({ ...PAGE_HEADERS, 'content-security-policy': policyWith(nonce), 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(page.replaceAll(MARKS.nonce, nonce));
  });
  return true;
}

/** Scripts come from files alone. Styles that the page makes itself carry the nonce. */
function policyWith(nonce: string): string {
  return PAGE_HEADERS['content-security-policy'].replace(
    "style-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
  );
}
