import { UnauthenticatedError } from './errors.js';
import { textOfBase64 } from './text.js';
import type { TokenAsk, TokenSource } from './options.js';
import { untilAborted, type Signal } from './platform.js';

/** Codes that another token may cure. */
const TOKEN_CODES: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'SESSION_ENDED']);

/** Whether the call may succeed with another token. */
export const mayRenew = (error: unknown): error is UnauthenticatedError =>
  error instanceof UnauthenticatedError && TOKEN_CODES.has(error.code);

/** Asks the application for tokens; a text is the same for ever. */
export class Tokens {
  private readonly source: TokenSource | undefined;

  constructor(source: TokenSource | undefined) {
    this.source = source;
  }

  async current(signal?: Signal): Promise<string | null> {
    return this.asked({ refused: null, code: null }, signal);
  }

  /** Another token than the one that was refused with this code, or null. */
  async renewed(refused: string | null, code: string, signal?: Signal): Promise<string | null> {
    const token = await this.asked({ refused, code }, signal);
    return token === refused ? null : token;
  }

  private async asked(ask: TokenAsk, signal: Signal | undefined): Promise<string | null> {
    const { source = null } = this;
    if (typeof source !== 'function') return source;
    return untilAborted((async () => source(ask))(), signal);
  }
}

/** Whom a token is for, as far as a client can tell: a note of one user must not be settled for another. */
export function subjectOf(token: string | null): string {
  const { iss, tid, sub } = claimsOf(token);
  return JSON.stringify([iss, tid, sub]);
}

/** The whole life of a token. Its end alone says little, because this device's clock may be wrong. */
export function lifetimeMsOf(token: string): number {
  const { iat, exp } = claimsOf(token);
  return typeof iat === 'number' && typeof exp === 'number' ? (exp - iat) * 1000 : 0;
}

interface Claims {
  readonly iss?: unknown;
  readonly tid?: unknown;
  readonly sub?: unknown;
  readonly iat?: unknown;
  readonly exp?: unknown;
}

function claimsOf(token: string | null): Claims {
  try {
    return JSON.parse(textOfBase64(token?.split('.')[1] ?? '')) as Claims;
  } catch {
    return {};
  }
}
