import type { Config } from '../config.js';
import type { UserErasure } from '../identity/identity.module.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { IsOwn } from '../platform/scheduling/job.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { appendAnchors } from './anchor-file.js';
import { AuditAnchors, AUDIT_ANCHORED } from './audit-anchors.js';
import { AuditErasure } from './audit-erasure.js';
import { AuditEntry, AuditHead } from './audit-entry.entity.js';
import { AUDIT_PERMISSIONS } from './audit.permissions.js';
import { AuditEntryResolver, AuditResolver } from './audit.resolver.js';
import { AuditService } from './audit.service.js';
import { UserSeal } from './user-seal.entity.js';
import { AuditVerifier } from './audit-verifier.service.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'transactions' | 'outbox' | 'clock' | 'log'
> {
  readonly config: Config;
  readonly userErasures: UserErasure[];
}

/** Due chains are looked for this often; each is anchored once a minute at most. */
const LOOK_EVERY_MS = 15_000;

/** What staff have changed. It is written by the transactions of the changes themselves (`AuditTrail`); here it is read. */
export const audit = {
  name: 'audit',
  entities: [AuditEntry, AuditHead, UserSeal],
  resolvers: [AuditResolver, AuditEntryResolver],
  permissions: AUDIT_PERMISSIONS,
  compose: (its: Needs) => {
    const { AUDIT_ANCHOR_FILE: file } = its.config;
    const auditLog = new AuditService(its.readOrm);
    its.userErasures.push(new AuditErasure());
    const auditAnchors = new AuditAnchors(its);
    return {
      services: { auditLog, auditAnchors, auditVerifier: new AuditVerifier(its.readOrm) },
      resolvers: [new AuditResolver(auditLog), new AuditEntryResolver()],
      consumers: [
        {
          name: 'audit anchors',
          types: [AUDIT_ANCHORED],
          handle: async (tenantId: string, events: readonly PublishedEvent[]) =>
            file === undefined ? undefined : appendAnchors(file, tenantId, events),
        },
      ],
      jobs: [
        {
          name: 'audit anchors',
          everyMs: LOOK_EVERY_MS,
          where: 'IN_EACH' as const,
          run: async (signal?: AbortSignal, isOwn?: IsOwn) => auditAnchors.run(signal, isOwn),
        },
      ],
    };
  },
};
