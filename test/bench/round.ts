import type { Answer, LoadRequest } from './load-job.js';
import type { LoadProcess } from './load-process.js';
import type { ProcessorTimes } from './processor-time.js';
import { ENVELOPE_KEY, PRODUCT, type BenchUser } from './supply.js';

export const ROUND_KINDS = [
  'raw',
  'empty',
  'redeem',
  'empty_256',
  'redeem_256',
  'hot_code',
  'redeem_four',
  'redeem_conditions',
  'redeem_sealed',
  'refusal',
  'race',
  'plain',
  'two_processes',
  'scarce',
] as const;
export type RoundKind = (typeof ROUND_KINDS)[number];

/** What a client does in a round, and the answers it may get. */
export interface Intent {
  readonly user: BenchUser;
  readonly code: string;
  readonly idempotencyKey: string | null;
  /** COMMITTED, or codes of refusals. */
  readonly mayAnswer: readonly string[];
}

export interface Attempt extends Intent {
  readonly answer: Answer;
}

export interface Round {
  readonly kind: RoundKind;
  readonly requests: number;
  readonly rps: number;
  readonly latenciesMs: Float64Array;
  /** Processor time for a request, of the load generator and of those it asks. */
  readonly loadCpuUs: number;
  readonly cpuUs: ProcessorTimes;
  /** Empty for rounds that redeem nothing. */
  readonly attempts: readonly Attempt[];
  readonly committed: number;
  /** Answers that this kind of round must not get, e.g. `refusal: SERVICE_UNAVAILABLE`. */
  readonly unexpected: readonly string[];
}

export interface RoundTarget {
  readonly kind: RoundKind;
  readonly tenantId: string;
  readonly urls: readonly string[];
  readonly connections: number;
}

/** Rounds that redeem nothing. */
const EMPTY: ReadonlySet<RoundKind> = new Set(['raw', 'empty', 'empty_256']);

/** Sends all requests of a round and looks at every answer. */
export async function runRound(
  load: LoadProcess,
  target: RoundTarget,
  intents: readonly Intent[],
): Promise<Omit<Round, 'cpuUs'>> {
  const { kind, tenantId, urls, connections } = target;
  const isEmpty = EMPTY.has(kind);
  const mutation = isEmpty ? 'emptyMutation' : 'redeemCode';
  const requests = intents.map(requestOf);
  const envelope = kind === 'redeem_sealed' ? { tenantId, ...ENVELOPE_KEY } : null;
  const result = await load.run({ urls, connections, mutation, productCode: PRODUCT, requests, envelope });
  const attempts = intents.map((intent, at) => ({ ...intent, answer: result.answers[at] as Answer }));
  return {
    kind,
    requests: requests.length,
    rps: (requests.length / result.elapsedMs) * 1000,
    latenciesMs: result.latenciesMs,
    loadCpuUs: (result.cpuMs / requests.length) * 1000,
    attempts: isEmpty ? [] : attempts,
    committed: isEmpty ? 0 : attempts.filter(({ answer }) => answer.status === 'COMMITTED').length,
    unexpected: attempts
      .filter(({ answer, mayAnswer }) => !mayAnswer.includes(wordOf(answer)))
      .map(({ answer }) => `${kind}: ${wordOf(answer)}`),
  };
}

/** An answer in one word: COMMITTED, the code of a refusal, or what went wrong. */
function wordOf({ status, why }: Answer): string {
  return status === 'REFUSED' || status === 'FAILED' ? (why ?? status) : status;
}

function requestOf({ user, code, idempotencyKey }: Intent): LoadRequest {
  return { token: user.token, code, idempotencyKey, ip: user.ip };
}
