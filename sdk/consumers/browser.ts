/** What an application in a browser or in Node writes; sdk/scripts/check-package.mjs compiles it for both. */
import { createClient, operation, RefusedError, type RedeemResult } from '@redeemkit/client';
import { deviceSession } from '@redeemkit/client/devices';
import { envelopes } from '@redeemkit/client/encryption';
import { createPartner } from '@redeemkit/client/partners';
import { createSubscriptions } from '@redeemkit/client/subscriptions';

const url = 'https://codes.example.com';
const { signal } = new AbortController();
const device = deviceSession({ url, env: 'web', tenantId: 'CH_1', store: localStorage });

export const client = createClient({
  url,
  productCode: 'DEMO',
  env: 'web',
  tenantId: 'CH_1',
  token: device.token,
  fetch,
  pendingStore: localStorage,
  encryption: envelopes({ keyId: 'k1', secret: 'secret' }),
});

/** A result is told apart by its status, and a refusal has one of the codes of the schema. */
export function wordOf(result: RedeemResult): string {
  if (result.status === 'COMMITTED') return result.redemption.id;
  if (result.status === 'PROCESSING') return result.orderNo ?? '';
  const code: 'CODE_EXPIRED' | (typeof result)['code'] = result.code;
  // @ts-expect-error No such code is in the schema.
  const wrong = result.code === 'CODE_TOO_BLUE';
  return wrong ? '' : code;
}

export const redeemed = client.redeemCode('ABCD', { signal });

export async function pay(orderNo: string): Promise<string | undefined> {
  try {
    return (await client.payOrder(orderNo, { signal })).status;
  } catch (error) {
    return error instanceof RefusedError ? error.code : undefined;
  }
}

const subscriptions = createSubscriptions({
  url,
  env: 'web',
  token: 'token',
  WebSocket,
  cursorStore: sessionStorage,
});

export async function firstOf(): Promise<string> {
  for await (const { cursor, status } of subscriptions.onRedemptionSettled({ signal }))
    return status + cursor;
  return '';
}

interface Progress {
  readonly batchProgress: { readonly cursor: string; readonly percentage: number };
}
const PROGRESS = operation<Progress, { after?: string; batchId?: string }>(
  'subscription Progress($after: String, $batchId: ID) { batchProgress(after: $after, batchId: $batchId) { cursor percentage } }',
);
export const progress = subscriptions.on(
  PROGRESS,
  { batchId: '1' },
  { onEvent: ({ percentage }) => percentage },
);

const ORDER = operation<object, { no: string }>('query Own($no: ID!) { order(orderNo: $no) { status } }');
export const order = client.query(ORDER, { no: '1' });
// @ts-expect-error A variable is missing.
export const none = client.query(ORDER, {});
// @ts-expect-error No such platform.
export const other = createClient({ url, env: 'desktop' });

export const partner = createPartner({ url, apiKey: 'rk_live_…' });
