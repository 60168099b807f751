import type { FastifyInstance, FastifyReply } from 'fastify';
import { errorBody } from './raw-answer.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes what no other route takes; a path that is known under another method is not its own. */
    readonly isFallback?: boolean;
  }
}

interface KnownRoute {
  readonly method: string;
  readonly path: RegExp;
  readonly isFallback: boolean;
}

const BY_POST = 'Send the operation by POST.';

/**
 * Answers requests that no route takes: 405 with `allow` where the path is known under other methods, else 404.
 * A wrong method is answered before the body is read, whose type is that of another route. Call it before routes are added.
 */
export function answerElsewhere(app: FastifyInstance, graphqlPath: string): void {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    const isFallback = config?.isFallback === true;
    // Preflights of browsers are answered at every path, and say nothing of what a path is.
    const methods = [method].flat().filter((each) => each !== 'OPTIONS');
    routes.push(...methods.map((each) => ({ method: each, path: patternOf(url), isFallback })));
  });
  app.addHook('onRequest', (request, reply, done) => {
    const path = request.url.split('?')[0] ?? '';
    const isFallback = request.routeOptions.config.isFallback === true;
    const own = request.is404 || isFallback ? methodsAt(routes, path, false) : [];
    const allowed = own.length === 0 && request.is404 ? methodsAt(routes, path, true) : own;
    if (allowed.length === 0) done();
    // Bytes of a body without a length, as of some DELETE, come with the head and are no request: node says so first,
    // and that answer closes the connection, which a caller would otherwise use again.
    else
      setImmediate(() => void refuseMethod(reply, allowed, path === graphqlPath ? BY_POST : callBy(allowed)));
  });
  app.setNotFoundHandler(async (_request, reply) => send(reply, 404, 'There is nothing at this path.'));
}

function refuseMethod(reply: FastifyReply, allowed: readonly string[], message: string): FastifyReply {
  return send(reply.header('allow', allowed.join(', ')), 405, message);
}

function send(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(errorBody({ message, code: 'BAD_REQUEST' }));
}

const callBy = (allowed: readonly string[]): string => `Call this path by ${allowed.join(' or ')}.`;

function methodsAt(routes: readonly KnownRoute[], path: string, isFallback: boolean): string[] {
  const found = routes.filter((route) => route.isFallback === isFallback && route.path.test(path));
  return [...new Set(found.map(({ method }) => method))].toSorted();
}

/** Of a path in fastify's form: `/api/imports/:id`, `/files/*`. */
function patternOf(url: string): RegExp {
  const literal = url.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${literal.replaceAll(/:\w+/g, '[^/]+').replaceAll('*', '.*')}$`);
}
