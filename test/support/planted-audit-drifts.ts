import { digestOf, NO_PREVIOUS } from '../../src/audit/audit-chain.js';
import type { PlantedDrift } from './planted-database-drifts.js';
import type { Scene } from './reconciliation.js';

/** An entry as the program writes it; rows may be added, and never changed. @returns its digest */
async function addEntry({ sql, tenantId }: Scene, digest?: string): Promise<string> {
  const entry = {
    tenantId,
    id: '1',
    createdAt: new Date('2026-01-31T10:00:00.000Z'),
    operation: 'updateFacility',
    actorKind: 'STAFF',
    actorId: 'eve',
    targetType: 'facility',
    targetId: '1',
    details: '{}',
    previous: NO_PREVIOUS,
  } as const;
  const nothing = { actorRole: null, credentialId: null, ip: null, requestId: null };
  const own = digest ?? digestOf({ ...entry, ...nothing });
  await sql(
    `insert into audit_entry (tenant_id, seq, created_at, operation, actor_kind, actor_id, target_type, target_id,
        details, previous, digest) values (?)`,
    [[...Object.values(entry), own]],
  );
  return own;
}

async function addHead({ sql, tenantId }: Scene, digest: string): Promise<void> {
  await sql('insert into audit_head (tenant_id, last_seq, digest, anchored_seq) values (?, 1, ?, 0)', [
    tenantId,
    digest,
  ]);
}

export const AUDIT_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'AUDIT_ROW_CHANGED',
    what: 'an entry with the digest of another content',
    plant: async (scene) => addHead(scene, await addEntry(scene, 'of another content')),
  },
  {
    kind: 'AUDIT_ROW_MISSING',
    what: 'a head without its entry',
    plant: async (scene) => addHead(scene, 'of an entry that was deleted'),
  },
  {
    kind: 'AUDIT_ROW_INSERTED',
    what: 'an entry behind the end of the chain',
    plant: async (scene) => void (await addEntry(scene)),
  },
  {
    kind: 'AUDIT_HEAD_DIFFERS',
    what: 'a head with another digest than the last entry',
    plant: async (scene) => {
      await addEntry(scene);
      await addHead(scene, 'of another entry');
    },
  },
  {
    kind: 'AUDIT_ANCHOR_DIFFERS',
    what: 'an anchor with another digest than the entry',
    plant: async (scene) => {
      const { world, tenantId } = scene;
      await addHead(scene, await addEntry(scene));
      const { transactions, outbox } = world.services;
      await transactions.run(tenantId, async (em) => {
        const payload = { entryId: '1', digest: 'of another chain' };
        outbox.append(em, tenantId, [{ type: 'audit_anchored', userId: null, subjectId: '1', payload }]);
      });
    },
  },
];
