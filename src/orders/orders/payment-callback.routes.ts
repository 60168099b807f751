import { z } from 'zod';
import type { HttpRoute, RouteAbout, RouteAnswer, RouteRequest } from '../../graphql/http-route.js';
import type { Clock } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { readPayment } from './order-input.js';
import type { OrderPaymentService } from './order-payment.service.js';
import type { PaymentRefusal } from './order.errors.js';
import { isSigned, isTimely, paymentKey, type SignedBody } from './payment-signature.js';

const PATH = '/api/payments/callback';
const JSON_TYPE = 'application/json; charset=utf-8';

interface CallbackParts {
  readonly payments: OrderPaymentService;
  readonly clock: Clock;
  /** The present secret, and the one before it; none where payments are not set up. */
  readonly secrets: readonly string[];
}

const REFUSALS: Readonly<Record<PaymentRefusal | 'ACCOUNT_HALTED', number>> = {
  PAYMENT_CALLBACK_OFF: 404,
  SIGNATURE_MISMATCH: 401,
  TIMESTAMP_STALE: 401,
  PAYMENT_MALFORMED: 400,
  ORDER_NOT_FOUND: 404,
  PAYMENT_ID_REUSED: 409,
  PAYMENT_CURRENCY_DIFFERS: 409,
  PAYMENT_AMOUNT_DIFFERS: 409,
  ACCOUNT_HALTED: 409,
};

const text = z.string();
const paymentForm = z.strictObject({ paymentId: text, orderNo: text, amount: text, currency: text });
const paymentAnswer = z.object({ orderNo: text, outcome: z.enum(['ACCEPTED', 'REFUNDED']) });

const CALLBACK: RouteAbout = {
  id: 'reportPayment',
  summary: 'Tells of a payment of an order. For the payment provider.',
  description: 'The signature stands for a sign-in; docs/orders.md says how it is made.',
  headers: z.object({
    'x-tenant-id': z.string(),
    'x-payment-timestamp': z.string().meta({ description: 'Seconds since 1970, at most 300 off.' }),
    'x-payment-signature': z.string(),
  }),
  takes: { kind: 'SIGNED', schema: paymentForm },
  answers: {
    200: {
      description: 'The payment is taken, or was before.',
      contentType: 'application/json',
      schema: paymentAnswer,
    },
  },
  refusals: REFUSALS,
};

/** Where providers tell of payments. The signature stands for a sign-in. */
export function paymentRoutes(its: CallbackParts): HttpRoute[] {
  return [{ method: 'POST', path: PATH, about: CALLBACK, answer: async (request) => take(its, request) }];
}

async function take(
  { payments, clock, secrets }: CallbackParts,
  request: RouteRequest,
): Promise<RouteAnswer> {
  const { headers, document: body } = request;
  if (secrets.length === 0)
    refuse('PAYMENT_CALLBACK_OFF', 'Payments are not set up: PAYMENT_SECRET is missing.');
  const tenantId = headers['x-tenant-id'] ?? '';
  const signed: SignedBody = {
    timestamp: headers['x-payment-timestamp'] ?? '',
    signature: headers['x-payment-signature'] ?? '',
    body,
  };
  // Before anything is read of the body.
  if (!secrets.some((secret) => isSigned(signed, paymentKey(secret, tenantId))))
    refuse('SIGNATURE_MISMATCH', 'The signature is not that of this body, timestamp and tenant.');
  if (!isTimely(signed, clock.nowMs()))
    refuse('TIMESTAMP_STALE', 'The timestamp is more than 300 seconds away from the time of this server.');
  const payment = readPayment(parsed(body));
  if (payment === null)
    return refuse(
      'PAYMENT_MALFORMED',
      'The body is JSON with paymentId, orderNo, amount and currency, each a string, and nothing else.',
    );
  const answer = await payments.receive(tenantId, payment);
  return { contentType: JSON_TYPE, body: JSON.stringify(answer) };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return null;
  }
}

function refuse(code: PaymentRefusal, message: string): never {
  throw new DomainError(code, message);
}
