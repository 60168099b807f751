/** The server could not run an operation, or could not be reached. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';

  constructor(
    /** Of the server's list in docs/errors.md, or NETWORK. */
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly field?: readonly string[] | null;
}

/** The server has understood an operation and refuses it; nothing was changed. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(readonly errors: readonly Refused[]) {
    super(errors.map(({ message }) => message).join(' '));
  }

  get code(): string {
    return this.errors[0]?.code ?? '';
  }
}

/** What a page shows of any failure. */
export function messageOf(error: unknown): string {
  if (error instanceof Refusal || error instanceof RequestFailure) return error.message;
  return 'Something went wrong in this page. Reload it; if it happens again, tell the operator.';
}

interface RouteErrors {
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** What a route of files refuses, as a refusal of a mutation. */
export function failureOf(status: number, body: string): Error {
  const errors = errorsIn(body);
  if (errors.length > 0 && status < 500) return new Refusal(errors);
  const [error] = errors;
  return new RequestFailure(
    error?.code ?? 'FAILED',
    error?.message ?? `The server has answered with status ${status}.`,
  );
}

function errorsIn(body: string): readonly Refused[] {
  try {
    const { errors = [] } = JSON.parse(body) as RouteErrors;
    return errors.map(({ message, extensions }) => ({ message, code: extensions?.code ?? 'FAILED' }));
  } catch {
    return [];
  }
}
