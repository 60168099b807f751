import { z } from 'zod';
import { DomainError } from '../../platform/errors.js';
import { visibleText } from '../../platform/input.js';
import type { RegisteredOperation } from './partner-operations.entity.js';
import type { RegisterOperationsRefusal } from './partner.errors.js';

const MANIFEST_LENGTH_MAX = 1_048_576;
const OPERATIONS_MAX = 1000;
const TEXT_LENGTH_MAX = 65_536;
const FORMAT = 'apollo-persisted-query-manifest';

/** An operation of a manifest; the maps of Relay and codegen have only id and text. */
export interface ManifestEntry {
  readonly id: string;
  readonly name: string | null;
  readonly type: RegisteredOperation['type'] | null;
  readonly text: string;
}

const id = visibleText(128);
const text = z
  .string()
  .min(1, 'must not be empty')
  .max(TEXT_LENGTH_MAX, `must have at most ${TEXT_LENGTH_MAX} characters`);

const apolloManifest = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  operations: z.array(
    z.object({ id, name: z.string(), type: z.enum(['query', 'mutation', 'subscription']), body: text }),
  ),
});
const hashMap = z.record(id, text);

/**
 * Reads a manifest as the compilers of Apollo, Relay and GraphQL Code Generator write it.
 * @throws DomainError MANIFEST_TOO_LARGE or MANIFEST_MALFORMED, naming the first operation at fault
 */
export function parseManifest(manifest: string): ManifestEntry[] {
  if (manifest.length > MANIFEST_LENGTH_MAX)
    refuse('MANIFEST_TOO_LARGE', `A manifest has at most ${MANIFEST_LENGTH_MAX} characters.`);
  const entries = entriesOf(jsonOf(manifest));
  if (entries.length === 0) refuse('MANIFEST_MALFORMED', 'The manifest holds no operation.');
  if (entries.length > OPERATIONS_MAX)
    refuse('MANIFEST_TOO_LARGE', `A manifest holds at most ${OPERATIONS_MAX} operations.`);
  const ids = new Set<string>();
  for (const entry of entries) {
    if (ids.has(entry.id)) refuse('MANIFEST_MALFORMED', `Two operations have the id ${entry.id}.`);
    ids.add(entry.id);
  }
  return entries;
}

function jsonOf(manifest: string): unknown {
  try {
    // Some editors begin a file with a byte-order mark, which is not JSON.
    return JSON.parse(manifest.replace(/^\uFEFF/, ''));
  } catch {
    return refuse('MANIFEST_MALFORMED', 'The manifest is not JSON.');
  }
}

function entriesOf(json: unknown): ManifestEntry[] {
  const isApollo = typeof json === 'object' && json !== null && Object.hasOwn(json, 'operations');
  return isApollo ? apolloEntries(json) : mapEntries(json);
}

function apolloEntries(json: object): ManifestEntry[] {
  const parsed = apolloManifest.safeParse(json);
  if (parsed.success)
    return parsed.data.operations.map((given) => ({
      id: given.id,
      name: given.name === '' ? null : given.name,
      type: given.type,
      text: given.body,
    }));
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  const [, at, ...rest] = path;
  const named = typeof at === 'number' ? nameAt(json, at) : 'The manifest';
  return refuse('MANIFEST_MALFORMED', `${named}: ${[...rest, message].map(String).join(' ')}.`);
}

function nameAt(json: object, at: number): string {
  const { operations } = json as { readonly operations: readonly unknown[] };
  const given = operations[at] as { readonly name?: unknown } | null | undefined;
  const name = typeof given?.name === 'string' ? ` (${given.name.slice(0, 64)})` : '';
  return `Operation ${at + 1}${name}`;
}

function mapEntries(json: unknown): ManifestEntry[] {
  const parsed = hashMap.safeParse(json);
  if (parsed.success)
    return Object.entries(parsed.data).map(([key, value]) => ({
      id: key,
      name: null,
      type: null,
      text: value,
    }));
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  const named = path.length === 0 ? 'The manifest' : `Operation ${String(path[0]).slice(0, 128)}`;
  return refuse('MANIFEST_MALFORMED', `${named}: ${message}.`);
}

function refuse(code: RegisterOperationsRefusal, message: string): never {
  throw new DomainError(code, message, { field: ['input', 'manifest'] });
}
