import { AuditEntry } from '../../src/audit/audit-entry.entity.js';
import type { AuditFinding } from '../../src/audit/audit-verifier.service.js';
import { detailsOf } from '../../src/audit/audit-details.js';
import { emOf, type World } from './world.js';

/** All items of a stream. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The chain of a tenant, oldest first. */
export async function entriesOf(world: World, tenantId: string): Promise<AuditEntry[]> {
  const oldestFirst = { orderBy: { id: 'asc' }, disableIdentityMap: true } as const;
  return emOf(world, tenantId).find(AuditEntry, {}, oldestFirst);
}

/** What is wrong with the chain of a tenant: kinds and entries. */
export async function findingsOf(world: World, tenantId: string): Promise<string[]> {
  return (await allOf(world.services.auditVerifier.verify(tenantId))).map(findingText);
}

export const findingText = ({ kind, entryId, toEntryId }: AuditFinding): string =>
  entryId === toEntryId ? `${kind} ${entryId}` : `${kind} ${entryId}-${toEntryId}`;

export const detailsIn = (entry: AuditEntry | undefined) => (entry === undefined ? null : detailsOf(entry));
