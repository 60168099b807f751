import type { AskedOperation } from '../identity/partners/partner-access.service.js';

/** Names nothing: two ids that differ, or what is no id at all. */
const NOTHING = Symbol('no operation');

/** What a body or a message asks for: by the hash of persisted queries, by `documentId` as in the draft, or by its text. */
export function askedOf({
  query,
  documentId,
  extensions,
}: Readonly<Record<string, unknown>>): AskedOperation {
  const persisted = isRecord(extensions) ? extensions['persistedQuery'] : undefined;
  const hash = isRecord(persisted) ? persisted['sha256Hash'] : undefined;
  // Said, and not understood: the text beside it must not stand for it.
  const isUnclear = isGiven(persisted) && !isGiven(hash);
  return { id: isUnclear ? NOTHING : oneOf(documentId, hash), text: query };
}

/** The same of a query string. A parameter that comes twice names nothing. */
export function askedByGet(search: URLSearchParams): AskedOperation {
  const { query, documentId, extensions } = Object.fromEntries(
    ['query', 'documentId', 'extensions'].map((name) => [name, onlyOne(search.getAll(name))]),
  );
  const parsed = isGiven(extensions) ? parsedOr(extensions) : undefined;
  if (parsed === NOTHING || query === NOTHING) return { id: NOTHING };
  return askedOf({ query, documentId, extensions: parsed });
}

function onlyOne(values: readonly string[]): unknown {
  return values.length > 1 ? NOTHING : values[0];
}

function parsedOr(text: unknown): unknown {
  try {
    return JSON.parse(text as string) as unknown;
  } catch {
    return NOTHING;
  }
}

function oneOf(documentId: unknown, hash: unknown): unknown {
  if (!isGiven(documentId)) return isGiven(hash) ? hash : undefined;
  return !isGiven(hash) || hash === documentId ? documentId : NOTHING;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
