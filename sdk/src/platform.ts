/**
 * What the SDK needs from where it runs. Mini programs have no `fetch`, `AbortController`, `crypto` or `WebSocket`, so
 * each is looked up when it is first needed, and can be given instead.
 */

/** The native `AbortSignal` where there is one; else any object of its form. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer Native } }
  ? Native
  : SignalLike;

export interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface FetchInit {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly signal?: Signal;
}

export interface FetchReply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** The part of `fetch` that is used; `miniFetch` makes one of a mini program's `request`. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchReply>;

/** A store of texts: `localStorage`, `sessionStorage`, AsyncStorage of React Native, or `miniStorage`. */
export interface TextStore {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

interface Globals {
  readonly fetch?: FetchLike;
  readonly AbortController?: new () => { readonly signal: Signal; abort(): void };
  readonly crypto?: { getRandomValues?(bytes: Uint8Array): Uint8Array };
  setTimeout(work: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const globals = globalThis as unknown as Globals;

/** Throws the signal's reason once it is aborted; a signal that was not given never is. */
export function throwIfAborted(signal: SignalLike | undefined): void {
  if (signal?.aborted === true) throw reasonOf(signal);
}

function reasonOf({ reason }: SignalLike): Error {
  return reason instanceof Error ? reason : new Error('The call was aborted.', { cause: reason });
}

/**
 * Resolves after that time, or when something else does that ends it sooner. Rejects at once when the signal is
 * aborted. Leaves no timer behind, which would keep a Node process alive.
 */
export async function pause(ms: number, signal?: SignalLike, sooner?: Promise<unknown>): Promise<void> {
  let timer: unknown;
  const over = new Promise<void>((resolve) => {
    timer = globals.setTimeout(resolve, ms);
  });
  try {
    await untilAborted(sooner === undefined ? over : Promise.race([over, sooner]), signal);
  } finally {
    globals.clearTimeout(timer);
  }
}

/** The work's own end, or the abort, whichever comes first. The work itself goes on, and its end needs no handling. */
export async function untilAborted<T>(work: Promise<T>, signal: SignalLike | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(reasonOf(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const HEX_DIGITS = '0123456789abcdef';

/**
 * A UUID of version 4, for idempotency keys. A key has to be unique for its user and need not be secret, so platforms
 * without a cryptographic generator may use the ordinary one.
 */
export function randomKey(): string {
  const bytes = secureRandom(16) ?? Uint8Array.from({ length: 16 }, () => Math.floor(Math.random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let text = '';
  for (const [index, byte] of bytes.entries())
    text += `${[4, 6, 8, 10].includes(index) ? '-' : ''}${HEX_DIGITS[byte >> 4]}${HEX_DIGITS[byte & 15]}`;
  return text;
}

/** Random bytes that cannot be guessed, or null where the platform has none. */
export function secureRandom(length: number): Uint8Array | null {
  return globals.crypto?.getRandomValues?.(new Uint8Array(length)) ?? null;
}
