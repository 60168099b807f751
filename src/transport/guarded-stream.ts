import { Readable } from 'node:stream';
import type { RequestContext } from '../graphql/context.js';
import { STATUS_TTL_MS } from '../identity/access.service.js';
import { admitInOutage } from './admission.js';

/**
 * A file that is made at the pace of its reader, and fails once its caller may do nothing any more: the session or the
 * key has ended, or the tenant was disabled. It is watched by a timer, because a reader that pauses asks for no piece.
 */
export function guardedStream(
  body: AsyncIterable<string | Uint8Array>,
  context: Pick<RequestContext, 'actor' | 'access'>,
): Readable {
  const stream = Readable.from(body);
  const watch = setInterval(() => {
    admitInOutage(context).catch((error: unknown) => stream.destroy(error as Error));
  }, STATUS_TTL_MS).unref();
  stream.once('close', () => clearInterval(watch));
  return stream;
}
