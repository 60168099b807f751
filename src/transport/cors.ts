import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { TransportAnswer } from './raw-answer.js';

const PREFLIGHT_MAX_AGE_S = 86_400;
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'x-product-code',
  'x-device-id',
  'x-tenant-id',
  'x-encryption',
  'x-request-id',
  'idempotency-key',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'apollographql-client-name',
  'apollographql-client-version',
];
const EXPOSED_HEADERS = ['x-request-id', 'retry-after', 'x-encryption'];

/** Lets pages of these origins call the routes of the scope; without any, browsers keep other pages out. */
export async function allowOrigins(scope: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await scope.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE_S,
    // An OPTIONS that is no preflight is answered as one, instead of by an error of another form than ours.
    strictPreflight: false,
  });
}

const FOREIGN: TransportAnswer = {
  status: 403,
  code: 'FORBIDDEN',
  message: 'Pages of this origin may not connect. The operator can add it to CORS_ORIGINS.',
};

/**
 * Why a WebSocket may not be opened from a page; browsers ask for no permission before they do. A client that names
 * no origin is no browser, and this server's own pages are no foreign ones.
 */
export function originRefusal(
  { headers }: IncomingMessage,
  origins: readonly string[],
): TransportAnswer | null {
  const { origin, host } = headers;
  if (origins.length === 0 || origins.includes('*') || origin === undefined) return null;
  if (origins.includes(origin)) return null;
  return URL.canParse(origin) && new URL(origin).host === host ? null : FOREIGN;
}
