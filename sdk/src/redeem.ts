import { errorOf, NetworkError, RedeemkitError, UnavailableError, UnsettledError } from './errors.js';
import { RedeemCode, type RedeemCodeErrorCode, type RedeemCodeMutation } from './generated/operations.js';
import { OutcomeBell, type SettledEvents } from './outcome-bell.js';
import type { PendingRedemption, PendingRedemptions } from './pending.js';
import { throwIfAborted } from './platform.js';
import type { Deadline } from './retry.js';
import { subjectOf } from './tokens.js';
import type { CallOptions, Transport } from './transport.js';

type Payload = RedeemCodeMutation['redeemCode'];
export type Redemption = NonNullable<Payload['redemption']>;

/** Refusals that every operation has; the SDK throws them as the errors that they are for all others. */
type CommonCode = 'TENANT_NOT_ACTIVE' | 'USER_DISABLED' | 'SESSION_ENDED' | 'SERVICE_UNAVAILABLE';
export type RedeemRefusalCode = Exclude<RedeemCodeErrorCode, CommonCode>;

export interface CommittedRedemption {
  readonly status: 'COMMITTED';
  readonly redemption: Redemption;
  readonly orderNo: string | null;
  readonly idempotencyKey: string;
}

/** Not settled by the deadline: `redemptionSettled` tells of it, and so does the same call again. */
export interface ProcessingRedemption {
  readonly status: 'PROCESSING';
  readonly orderNo: string | null;
  readonly idempotencyKey: string;
}

export interface RefusedRedemption {
  readonly status: 'REFUSED';
  readonly code: RedeemRefusalCode;
  /** For people; programs go by the code. */
  readonly message: string;
  readonly field: readonly string[] | null;
  /** Milliseconds until the same call can succeed. */
  readonly retryAfterMs: number | null;
  /** After `ALREADY_REDEEMED` the user's first redemption of the code. */
  readonly redemption: Redemption | null;
  readonly idempotencyKey: string;
}

export type RedeemResult = CommittedRedemption | ProcessingRedemption | RefusedRedemption;

export interface RedeemOptions extends CallOptions {
  /** Your own; by default the SDK makes one, and keeps it until the outcome is known. */
  readonly idempotencyKey?: string;
  /** How long to ask for the outcome. That of `retry` by default. */
  readonly deadlineMs?: number;
}

/** What became of a redemption that was taken up again. */
export interface ResumedRedemption {
  readonly code: string;
  readonly idempotencyKey: string;
  readonly result?: RedeemResult;
  /** If there is no result. */
  readonly error?: unknown;
}

/** Too short a time for an answer would make an unknown outcome of each redemption. */
const TIMEOUT_MIN_MS = 1000;
const COMMON_CODES: ReadonlySet<string> = new Set<CommonCode>([
  'TENANT_NOT_ACTIVE',
  'USER_DISABLED',
  'SESSION_ENDED',
  'SERVICE_UNAVAILABLE',
]);

/** Redeems codes exactly once: each keeps its key, over failures and reloads, until an answer settles it. */
export class Redeemer {
  private readonly transport: Transport;
  private readonly pending: PendingRedemptions;
  private readonly events: SettledEvents | undefined;

  constructor(transport: Transport, pending: PendingRedemptions, events?: SettledEvents) {
    this.transport = transport;
    this.pending = pending;
    this.events = events;
  }

  async redeem(code: string, options: RedeemOptions = {}): Promise<RedeemResult> {
    throwIfAborted(options.signal);
    const subject = subjectOf(await this.transport.tokens.current(options.signal));
    const entry = await this.pending.begin(code, subject, options.idempotencyKey);
    return this.settle(entry, options);
  }

  /** Settles what this user has begun before, here or before a reload. */
  async resume(options: CallOptions = {}): Promise<readonly ResumedRedemption[]> {
    const subject = subjectOf(await this.transport.tokens.current(options.signal));
    const resumed: ResumedRedemption[] = [];
    for (const entry of await this.pending.of(subject)) {
      const { code, idempotencyKey } = entry;
      try {
        resumed.push({ code, idempotencyKey, result: await this.settle(entry, options) });
      } catch (error) {
        throwIfAborted(options.signal);
        resumed.push({ code, idempotencyKey, error });
      }
    }
    return resumed;
  }

  private async settle(entry: PendingRedemption, options: RedeemOptions): Promise<RedeemResult> {
    const outcome = new OutcomeBell(this.events);
    try {
      return await this.untilSettled(entry, options, outcome);
    } finally {
      outcome.close();
    }
  }

  private async untilSettled(
    entry: PendingRedemption,
    options: RedeemOptions,
    outcome: OutcomeBell,
  ): Promise<RedeemResult> {
    const deadline = this.transport.deadline(options.signal, options.deadlineMs);
    let isUnknown = false;
    let processing: ProcessingRedemption | null = null;
    for (;;) {
      const heard = await this.attempt(entry, deadline, options);
      // An answer stands for all attempts before it: they had the same key.
      isUnknown = isError(heard) ? isUnknown || mayHaveRun(heard) : heard.status === 'PROCESSING';
      if (!isError(heard) && heard.status === 'PROCESSING') processing = heard;
      if (mayChange(heard) && (await this.mayAskAgain(heard, deadline, outcome))) continue;
      if (!isUnknown) await this.pending.settle(entry);
      if (!isError(heard)) return heard;
      if (!isUnknown || !heard.isRetryable) throw heard;
      if (processing !== null) return processing;
      throw new UnsettledError(entry.idempotencyKey, heard);
    }
  }

  /** After a pause; while a redemption is under way, until its event comes, where events are listened to. */
  private async mayAskAgain(
    heard: RedeemResult | RedeemkitError,
    deadline: Deadline,
    outcome: OutcomeBell,
  ): Promise<boolean> {
    const isUnderWay = !isError(heard) && heard.status === 'PROCESSING';
    const rung = isUnderWay ? outcome.rung(heard.orderNo) : null;
    if (rung === null) return deadline.pause(waitOf(heard));
    const { maxPauseMs } = this.transport.connection.retry;
    return deadline.pauseUntil(rung, outcome.isListening ? maxPauseMs : 0);
  }

  /** One attempt, and its error as a value. Throws what ends the redemption here: an abort, or the token's source. */
  private async attempt(
    { code, idempotencyKey }: PendingRedemption,
    deadline: Deadline,
    { signal }: RedeemOptions,
  ): Promise<RedeemResult | RedeemkitError> {
    const timeoutMs = Math.max(TIMEOUT_MIN_MS, deadline.leftMs);
    try {
      const { redeemCode } = await this.transport.send(
        RedeemCode,
        { input: { code, idempotencyKey } },
        // In both places: gateways and logs go by the header, and a proxy may take it away.
        {
          headers: { 'idempotency-key': idempotencyKey },
          timeoutMs,
          signal,
          // Before the token is judged, so that another one is asked for.
          refusalIn: (data) => commonRefusalIn(data.redeemCode),
        },
      );
      return resultOf(redeemCode, idempotencyKey);
    } catch (error) {
      if (error instanceof RedeemkitError) return error;
      throw error;
    }
  }
}

const isError = (heard: RedeemResult | RedeemkitError): heard is RedeemkitError =>
  heard instanceof RedeemkitError;

/** A reply that does not open, or came in plain text, says nothing of the request. */
const mayHaveRun = (error: RedeemkitError): boolean =>
  error instanceof NetworkError || error instanceof UnavailableError || error.code.startsWith('REPLY_');

function mayChange(heard: RedeemResult | RedeemkitError): boolean {
  if (isError(heard)) return heard.isRetryable;
  return heard.status === 'PROCESSING' || (heard.status === 'REFUSED' && heard.code === 'CODE_HELD');
}

const waitOf = (heard: RedeemResult | RedeemkitError): number =>
  ('retryAfterMs' in heard ? heard.retryAfterMs : null) ?? 0;

function commonRefusalIn({ errors: [refusal] }: Payload): RedeemkitError | null {
  if (refusal === undefined || !COMMON_CODES.has(refusal.code)) return null;
  const { message, code } = refusal;
  return errorOf({ message, extensions: { code } }, { retryAfterMs: refusal.retryAfterMs ?? undefined });
}

function resultOf(payload: Payload, idempotencyKey: string): RedeemResult {
  const { status, redemption, orderNo, errors } = payload;
  if (status === 'COMMITTED' && redemption !== null) return { status, redemption, orderNo, idempotencyKey };
  if (status === 'PROCESSING') return { status, orderNo, idempotencyKey };
  const [refusal] = errors;
  if (refusal === undefined) throw new NetworkError('NO_ANSWER', 'The answer has no outcome.');
  const { message, field, retryAfterMs } = refusal;
  const code = refusal.code as RedeemRefusalCode;
  return { status: 'REFUSED', code, message, field, retryAfterMs, redemption, idempotencyKey };
}
