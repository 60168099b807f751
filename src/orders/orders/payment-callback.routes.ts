import type { HttpRoute, RouteAnswer, RouteRequest } from '../../graphql/http-route.js';
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

/** Where providers tell of payments. The signature stands for a sign-in. */
export function paymentRoutes(its: CallbackParts): HttpRoute[] {
  return [{ method: 'POST', path: PATH, answer: async (request) => take(its, request) }];
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
