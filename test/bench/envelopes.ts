import type { KeyObject } from 'node:crypto';
import type { Client, Dispatcher } from 'undici';
import { present } from '../../src/platform/assert.js';
import { keyOfSecret, newNonce, openV2, sealV2 } from '../../src/platform/crypto/envelope-v2.js';
import { systemClock } from '../../src/platform/clock.js';
import type { LoadEnvelope } from './load-job.js';

interface Plain extends Dispatcher.DispatchOptions {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Sealed extends Plain {
  /** Opens the reply. */
  readonly open: (body: string) => string;
}

/** Before the clock runs, as everything that is not the server's work. */
export async function sealRequests(
  clients: readonly Client[],
  requests: readonly Plain[],
  { tenantId, keyId, secret }: LoadEnvelope,
): Promise<readonly Sealed[]> {
  const [client, first] = [present(clients[0], 'A client'), requests[0]];
  if (first === undefined) return [];
  const key = keyOfSecret(secret);
  const sealed = (request: Plain, epoch: string) => seal(request, { tenantId, keyId, key, epoch });
  const { body } = await client.request(sealed(first, ''));
  const refusal = (await body.json()) as { errors: { extensions: { epoch: string } }[] };
  const { epoch } = present(refusal.errors[0], 'The refusal of an unknown epoch').extensions;
  return requests.map((request) => sealed(request, epoch));
}

/** A reply in plain text is a refusal of the envelope. */
export function openReplies(bodies: readonly string[], requests: readonly Sealed[]): readonly string[] {
  return bodies.map((body, at) => present(requests[at], 'The request of a reply').open(body));
}

interface Context {
  readonly tenantId: string;
  readonly keyId: string;
  readonly key: KeyObject;
  readonly epoch: string;
}

function seal(request: Plain, { tenantId, keyId, key, epoch }: Context): Sealed {
  const nonce = newNonce();
  const ts = systemClock.nowMs();
  const path = '/graphql';
  const { authorization = '', 'x-product-code': product = '' } = request.headers;
  const bound = [
    'redeemkit-v2 request',
    'POST',
    path,
    tenantId,
    keyId,
    ts,
    nonce,
    epoch,
    authorization,
    product,
    '',
    '',
  ];
  const data = sealV2(request.body, key, nonce, bound.join('\n'));
  const open = (body: string): string => {
    const reply = JSON.parse(body) as { nonce?: string; data?: string };
    if (reply.nonce === undefined || typeof reply.data !== 'string') return body;
    const answer = ['redeemkit-v2 reply', 200, path, tenantId, keyId, nonce, reply.nonce].join('\n');
    return String(present(openV2(reply.data, key, reply.nonce, answer), 'A reply that opens'));
  };
  const body = JSON.stringify({ kid: keyId, ts, nonce, epoch, data });
  return { ...request, headers: { ...request.headers, 'x-encryption': 'v2' }, body, open };
}
