/** One request that the load generator sends. */
export interface LoadRequest {
  readonly token: string;
  readonly code: string;
  readonly idempotencyKey: string | null;
  /** The caller's address, as a proxy would give it: a crowd does not come from one place. */
  readonly ip: string;
}

/** How the generator encrypts what it sends. */
export interface LoadEnvelope {
  readonly tenantId: string;
  readonly keyId: string;
  readonly secret: string;
}

export interface LoadJob {
  /** Connections are spread over them in turn. */
  readonly urls: readonly string[];
  readonly connections: number;
  readonly mutation: 'redeemCode' | 'emptyMutation';
  readonly productCode: string;
  readonly requests: readonly LoadRequest[];
  /** Null for plain requests. */
  readonly envelope: LoadEnvelope | null;
}

/** The outcome for a client. FAILED is anything but an answer of the mutation. */
export interface Answer {
  readonly status: 'COMMITTED' | 'PROCESSING' | 'REFUSED' | 'FAILED';
  readonly redemptionId: string | null;
  readonly orderNo: string | null;
  /** The code of the refusal, or what went wrong. */
  readonly why: string | null;
}

export interface LoadResult {
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  /** In the order of the requests. */
  readonly latenciesMs: Float64Array;
  readonly answers: readonly Answer[];
  /** What the generator itself took of the machine. */
  readonly cpuMs: number;
}
