import type { TryOutcome } from './client-log.js';

const REDEEM = `mutation ($code: String!, $key: String) {
  redeemCode(input: { code: $code, idempotencyKey: $key }) {
    status orderNo redemption { id codeId userId useNo } errors { code }
  }
}`;

export interface RedeemCall {
  readonly url: string;
  readonly token: string;
  readonly code: string;
  readonly key: string | null;
  readonly productCode: string;
  /** When this client gives up waiting. */
  readonly timeoutMs: number;
}

interface Answer {
  readonly data?: { readonly redeemCode?: Payload } | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

interface Payload {
  readonly status: string;
  readonly orderNo: string | null;
  readonly redemption: {
    readonly id: string;
    readonly codeId: string;
    readonly userId: string;
    readonly useNo: number;
  } | null;
  readonly errors: readonly { readonly code: string }[];
}

/** One request as a client makes it that may lose its patience, its connection or its server. Never throws. */
export async function redeem({
  url,
  token,
  code,
  key,
  productCode,
  timeoutMs,
}: RedeemCall): Promise<TryOutcome> {
  try {
    const reply = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'x-product-code': productCode,
      },
      body: JSON.stringify({ query: REDEEM, variables: { code, key } }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return outcomeOf((await reply.json()) as Answer, reply.status);
  } catch (error) {
    const { name } = error as Error;
    return { kind: 'UNKNOWN', reason: name === 'TimeoutError' ? 'GAVE_UP' : 'NO_ANSWER' };
  }
}

/** Refusals that leave it open whether the code was redeemed. */
const LEAVES_OPEN = 'SERVICE_UNAVAILABLE';

function outcomeOf(answer: Answer, status: number): TryOutcome {
  const payload = answer.data?.redeemCode;
  if (payload !== undefined) return outcomeOfPayload(payload);
  return { kind: 'UNKNOWN', reason: answer.errors?.[0]?.extensions?.code ?? `HTTP_${status}` };
}

function outcomeOfPayload(payload: Payload): TryOutcome {
  const { redemption, orderNo } = payload;
  const refusal = payload.errors[0]?.code;
  if (refusal === LEAVES_OPEN) return { kind: 'UNKNOWN', reason: refusal };
  if (refusal !== undefined) return { kind: 'REFUSED', refusal, firstId: redemption?.id ?? null };
  if (payload.status === 'PROCESSING' && orderNo !== null) return { kind: 'PROCESSING', orderNo };
  if (payload.status === 'COMMITTED' && redemption !== null) {
    const { id, codeId, userId, useNo } = redemption;
    return { kind: 'COMMITTED', redemptionId: id, codeId, userId, useNo };
  }
  return { kind: 'UNKNOWN', reason: `ANSWERED_${payload.status}` };
}
