import { Refusal, RequestFailure, type Refused } from './failure';
import type { Operation } from './operation';
import { session } from './session';

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly requestId?: string };
  }[];
}

/** Codes of tokens that are no longer good; another one may be. */
const NEEDS_TOKEN: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'SESSION_ENDED']);

/** Runs an operation. @throws RequestFailure where the server has no answer to it */
export async function request<Data, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const send = async (token: string | null): Promise<Answer<Data>> =>
    post(operation, variables, token, signal ?? null);
  const first = await send(await session.accessToken());
  const answer = isRefusedToken(first) ? await send(await session.renewed()) : first;
  const [error] = answer.errors ?? [];
  if (error !== undefined || answer.data === undefined || answer.data === null)
    throw new RequestFailure(
      error?.extensions?.code ?? 'INTERNAL_SERVER_ERROR',
      error?.message ?? 'The server has answered without data.',
      error?.extensions?.requestId,
    );
  return answer.data;
}

/**
 * Runs a mutation and answers its payload.
 * @throws Refusal with the payload's errors, where it has any
 */
export async function act<Payload extends { readonly errors: readonly Refused[] }, Variables>(
  operation: Operation<Readonly<Record<string, Payload>>, Variables>,
  variables: Variables,
): Promise<Payload> {
  const [payload] = Object.values(await request(operation, variables));
  if (payload === undefined)
    throw new RequestFailure('INTERNAL_SERVER_ERROR', 'The mutation has no payload.');
  if (payload.errors.length > 0) throw new Refusal(payload.errors);
  return payload;
}

async function post<Data, Variables>(
  { name, text }: Operation<Data, Variables>,
  variables: Variables,
  token: string | null,
  signal: AbortSignal | null,
): Promise<Answer<Data>> {
  try {
    const reply = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: text, operationName: name, variables }),
      signal,
    });
    return (await reply.json()) as Answer<Data>;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new RequestFailure('NETWORK', 'The server cannot be reached. Check the connection and try again.');
  }
}

const isRefusedToken = ({ errors = [] }: Answer<unknown>): boolean =>
  errors.some(({ extensions }) => NEEDS_TOKEN.has(extensions?.code ?? ''));
