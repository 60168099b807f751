import { exchange, type Connection, type HttpReply } from './connection.js';
import {
  EncryptionError,
  errorOf,
  NetworkError,
  RateLimitedError,
  RequestError,
  UnavailableError,
  type ErrorFacts,
  type GraphqlError,
  type RedeemkitError,
} from './errors.js';
import type { Operation } from './operation.js';
import type { Signal } from './platform.js';
import { Deadline, repeated } from './retry.js';
import { mayRenew, type Tokens } from './tokens.js';

export interface CallOptions {
  readonly signal?: Signal | undefined;
}

interface Bounds extends CallOptions {
  /** Less than the usual time of one request. */
  readonly timeoutMs?: number;
}

export interface SendOptions<Result = never> extends Bounds {
  readonly headers?: Readonly<Record<string, string>>;
  /** An error that stands in the data. */
  readonly refusalIn?: (data: Result) => RedeemkitError | null;
}

interface Answer<Result> {
  readonly data?: Result | null;
  readonly errors?: readonly GraphqlError[];
}

/** How a text goes to the server: written out, or by its id where the server knows it. */
export type TextForm = 'WHOLE' | 'BY_ID';

/** Sends operations over HTTP: headers, token, encryption, and errors by their class. */
export class Transport {
  readonly connection: Connection;
  readonly tokens: Tokens;
  private readonly form: TextForm;

  constructor(connection: Connection, tokens: Tokens, form: TextForm = 'WHOLE') {
    this.connection = connection;
    this.tokens = tokens;
    this.form = form;
  }

  deadline(signal: Signal | undefined, deadlineMs = this.connection.retry.deadlineMs): Deadline {
    return new Deadline({ ...this.connection.retry, deadlineMs }, signal);
  }

  /** Repeats the call while it may pass: for operations that change nothing, or the same when they run twice. */
  async repeat<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    options: SendOptions<Result> = {},
  ): Promise<Result> {
    return repeated(this.deadline(options.signal), async () => this.send(operation, variables, options));
  }

  /** One call; once more with another token where the token was refused, because nothing was executed then. */
  async send<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    options: SendOptions<Result> = {},
  ): Promise<Result> {
    const token = await this.tokens.current(options.signal);
    try {
      return await this.sendAs(token, operation, variables, options);
    } catch (error) {
      if (!mayRenew(error)) throw error;
      const other = await this.tokens.renewed(token, error.code, options.signal);
      if (other === null) throw error;
      return this.sendAs(other, operation, variables, options);
    }
  }

  private async sendAs<Result, Variables>(
    token: string | null,
    operation: Operation<Result, Variables>,
    variables: Variables,
    options: SendOptions<Result>,
  ): Promise<Result> {
    const isById = this.form === 'BY_ID' && operation.id !== undefined;
    const first = await this.post<Result>(
      token,
      bodyOf(operation, variables, isById ? 'id' : 'text'),
      options,
    );
    const isUnknown = isById && first.errors?.[0]?.extensions?.['code'] === 'PERSISTED_QUERY_NOT_FOUND';
    const answer = isUnknown
      ? await this.post<Result>(token, bodyOf(operation, variables, 'both'), options)
      : first;
    const [error] = answer.errors ?? [];
    if (error !== undefined) throw errorOf(error, answer.facts);
    if (answer.data === undefined || answer.data === null) throw strangeReply(answer.status, answer.facts);
    const refusal = options.refusalIn?.(answer.data);
    if (refusal) throw refusal;
    return answer.data;
  }

  private async post<Result>(
    token: string | null,
    body: string,
    options: SendOptions<Result>,
  ): Promise<Answer<Result> & { readonly status: number; readonly facts: ErrorFacts }> {
    const headers = this.headersFor(token, options.headers);
    const reply = await this.exchanged(headers, body, options);
    const facts = { requestId: reply.header('x-request-id') ?? undefined, retryAfterMs: retryAfterOf(reply) };
    const answer = jsonOf(reply.text) as Answer<Result> | undefined;
    if (answer === undefined) throw strangeReply(reply.status, facts);
    return { ...answer, status: reply.status, facts };
  }

  private headersFor(token: string | null, more: Readonly<Record<string, string>> = {}) {
    const { 'x-tenant-id': tenantId, ...headers } = this.connection.headers;
    return {
      'content-type': 'application/json',
      ...headers,
      // A token names its tenant itself.
      ...(token === null
        ? tenantId !== undefined && { 'x-tenant-id': tenantId }
        : { authorization: `Bearer ${token}` }),
      ...more,
    };
  }

  private async exchanged(
    headers: Record<string, string>,
    body: string,
    { signal, timeoutMs = this.connection.timeoutMs }: Bounds,
  ): Promise<HttpReply> {
    const { encryption, path, tenantId = '' } = this.connection;
    const bounds = { signal, timeoutMs: Math.min(timeoutMs, this.connection.timeoutMs) };
    if (encryption === undefined) return exchange(this.connection, { headers, body, ...bounds });
    for (let isSecond = false; ; isSecond = true) {
      const sealed = await encryption.seal({ path, tenantId, headers, body });
      const envelope = { headers: { ...headers, ...sealed.headers }, body: sealed.body, ...bounds };
      const reply = await exchange(this.connection, envelope);
      if (reply.header('x-encryption') !== null)
        return { ...reply, text: await sealed.open(reply.status, reply.text) };
      const [error] = refusalsIn(reply);
      const isExpired = error?.extensions?.['code'] === 'ENVELOPE_EXPIRED';
      if (isSecond || !isExpired || !encryption.correct(error.extensions ?? {})) return reply;
    }
  }
}

/** Refusals may come in plain text. Data may not: any proxy could have written it. */
function refusalsIn({ text, status }: HttpReply): readonly GraphqlError[] {
  const answer: Answer<unknown> | undefined = jsonOf(text);
  if (answer !== undefined && (answer.errors ?? []).length === 0)
    throw new EncryptionError(
      'REPLY_NOT_SEALED',
      `The reply (${status}) to an encrypted request is plain text.`,
    );
  return answer?.errors ?? [];
}

function bodyOf(
  { name, text, id }: Operation<unknown, never>,
  variables: unknown,
  form: 'text' | 'id' | 'both',
): string {
  return JSON.stringify({
    ...(form !== 'id' && { query: text }),
    ...(name !== '' && { operationName: name }),
    variables,
    ...(form !== 'text' && { extensions: { persistedQuery: { version: 1, sha256Hash: id } } }),
  });
}

function jsonOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The page of a proxy, or of a network that wants a sign-in: only the status tells what happened. */
function strangeReply(status: number, facts: ErrorFacts): RedeemkitError {
  const message = `The answer has status ${status} and is not one of a GraphQL server.`;
  if (status === 429) return new RateLimitedError('HTTP_429', message, facts);
  if (status === 408 || status >= 500) return new UnavailableError(`HTTP_${status}`, message, facts);
  if (status >= 400) return new RequestError(`HTTP_${status}`, message, facts);
  return new NetworkError('NO_ANSWER', message, facts);
}

/** By the header `retry-after`: seconds, or an instant. */
function retryAfterOf({ header }: HttpReply): number | undefined {
  const text = header('retry-after');
  if (text === null) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
