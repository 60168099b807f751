import { graphqlRequest } from './graphql-client.js';
import type { OpenApiDocument } from './openapi.js';

export const DOOR = { method: 'POST', path: '/api/redeem' } as const;

export interface Answer {
  readonly status: string;
  readonly redemption: Record<string, unknown> | null;
  readonly orderNo: string | null;
  readonly errors: { code: string; message: string; field: string[] | null; retryAfterMs: number | null }[];
}

export interface Reply {
  readonly http: number;
  readonly retryAfter: string | null;
  readonly answer: Answer;
}

export interface Call {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** In place of the body as JSON. */
  readonly text?: string;
}

const REDEEM = `mutation ($input: RedeemCodeInput!) { redeemCode(input: $input) {
  status orderNo errors { code message field retryAfterMs }
  redemption { id status codeId campaignId userId useNo productCode claimedAt settledAt reversedAt
    rewards { type status sourceId targetId value } } } }`;

/** The two ways to redeem at one server: by REST and by the mutation. */
export class RedeemDoors {
  private readonly address: string;
  private readonly document: OpenApiDocument;

  constructor(address: string, document: OpenApiDocument) {
    this.address = address;
    this.document = document;
  }

  /** By REST. Every answer must fit the OpenAPI document, whatever a test looks at. */
  async door({ token, headers = {}, body, text }: Call): Promise<Reply> {
    const reply = await fetch(new URL(DOOR.path, this.address), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-product-code': 'DEMO',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: text ?? JSON.stringify(body),
    });
    const raw = await reply.text();
    const seen = { ...DOOR, status: reply.status, contentType: reply.headers.get('content-type'), body: raw };
    const fault = this.document.faultOf(seen);
    if (fault !== null) throw new Error(fault);
    const answer = JSON.parse(raw) as Answer;
    const unnamed = answer.errors.filter(({ code }) => !this.document.names(seen, code));
    if (unnamed.length > 0) throw new Error(`The document does not name ${reply.status} ${raw}`);
    return { http: reply.status, retryAfter: reply.headers.get('retry-after'), answer };
  }

  async mutation({ token, headers = {}, body }: Call): Promise<Answer> {
    const { data, errors } = await graphqlRequest<{ redeemCode: Answer }>(this.address, {
      query: REDEEM,
      variables: { input: body },
      headers: { 'x-product-code': 'DEMO', ...headers },
      ...(token !== undefined && { token }),
    });
    if (!data) throw new Error(JSON.stringify(errors));
    const { errors: refusals, ...answer } = data.redeemCode;
    // The body of the door is the input itself.
    return { ...answer, errors: refusals.map((each) => ({ ...each, field: each.field?.slice(1) ?? null })) };
  }
}
