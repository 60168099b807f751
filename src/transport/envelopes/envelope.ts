import { randomInt } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { openV1, sealV1 } from '../../platform/crypto/envelope-v1.js';
import { newNonce, NONCE_TEXT, openV2, sealV2 } from '../../platform/crypto/envelope-v2.js';
import type { Clock } from '../../platform/clock.js';
import type { EnvelopeKeys } from './envelope-keys.js';

/** What an envelope of v2 is bound to besides its own fields: it opens for no other request. */
export interface BoundRequest {
  readonly tenantId: string;
  readonly method: string;
  /** With its query, as the server receives it. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A request that was opened, and how its reply is sealed. */
export interface OpenedEnvelope {
  readonly plain: Buffer;
  readonly seal: (reply: string | Uint8Array, status: number) => string;
}

/** One of v2, which has to be admitted yet. */
export interface OpenedV2 extends OpenedEnvelope {
  readonly nonce: string;
  readonly sealedMs: number;
  readonly epoch: string;
}

const BOUND_HEADERS = ['authorization', 'x-product-code', 'x-device-id', 'idempotency-key'] as const;
const EPOCH_TEXT = /^[\w-]{0,32}$/;
const TIME_TEXT = /^[\w.:+-]{1,64}$/;
const NS_PER_MS = 1_000_000;

/** `{kid, ts, nonce, epoch, data}` as `docs/encryption.md` has it. @returns null for whatever does not open */
export function openEnvelopeV2(body: unknown, bound: BoundRequest, { byId }: EnvelopeKeys): OpenedV2 | null {
  if (!isRecord(body)) return null;
  const { kid, ts, nonce, epoch = '', data } = body;
  if (typeof kid !== 'string' || typeof nonce !== 'string' || typeof data !== 'string') return null;
  if (typeof ts !== 'number' || !Number.isSafeInteger(ts) || ts < 0) return null;
  if (typeof epoch !== 'string' || !EPOCH_TEXT.test(epoch) || !NONCE_TEXT.test(nonce)) return null;
  const key = byId.get(kid);
  if (key === undefined) return null;
  const { tenantId, method, path, headers } = bound;
  const request = ['redeemkit-v2 request', method, path, tenantId, kid, ts, nonce, epoch];
  const lines = [...request, ...BOUND_HEADERS.map((name) => String(headers[name] ?? ''))];
  const plain = openV2(data, key, nonce, lines.join('\n'));
  if (plain === null) return null;
  const seal = (reply: string | Uint8Array, status: number): string => {
    const own = newNonce();
    const answer = ['redeemkit-v2 reply', status, path, tenantId, kid, nonce, own];
    return JSON.stringify({ nonce: own, data: sealV2(reply, key, own, answer.join('\n')) });
  };
  return { plain, seal, nonce, sealedMs: ts, epoch };
}

/**
 * `{data, time}` of clients that speak v1. Nothing authenticates it, so the caller goes on alike with what is not whole.
 * @returns null where its form alone is wrong
 */
export function openEnvelopeV1(
  body: unknown,
  secret: string,
  clock: Clock,
): (OpenedEnvelope & { readonly isWhole: boolean }) | null {
  if (!isRecord(body)) return null;
  const { data, time } = body;
  if (typeof data !== 'string' || typeof time !== 'string' || !TIME_TEXT.test(time)) return null;
  const opened = openV1(data, secret, time);
  const seal = (reply: string | Uint8Array): string => {
    const own = timeOf(clock.nowMs());
    return JSON.stringify({ data: sealV1(reply, secret, own), time: own });
  };
  return opened && { ...opened, seal };
}

/** Nanoseconds in hexadecimal, as these clients write it; two replies hardly ever have the same. */
function timeOf(nowMs: number): string {
  return (BigInt(Math.floor(nowMs)) * BigInt(NS_PER_MS) + BigInt(randomInt(NS_PER_MS))).toString(16);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
