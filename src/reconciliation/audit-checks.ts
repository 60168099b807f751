import type { AuditFindingKind, AuditVerifier } from '../audit/audit-verifier.service.js';
import type { Check, DatabaseChecks, Finding } from './drift.js';

const RESTORE = 'Compare the entry with a backup, and find out who can write to the database.';
const MEANS: Readonly<Record<AuditFindingKind, string>> = {
  AUDIT_ROW_CHANGED: 'An entry of the audit log was changed after it was written.',
  AUDIT_ROW_MISSING: 'Entries of the audit log were deleted.',
  AUDIT_ROW_INSERTED: 'An entry of the audit log was not written by this program.',
  AUDIT_HEAD_DIFFERS: 'The end of the audit chain is not the one that was written.',
  AUDIT_ANCHOR_DIFFERS: 'The audit chain was written again: an anchor names another digest.',
};
/** A chain that was tampered with from one end to the other needs no longer report. */
const FINDINGS_MAX = 1000;

/** The chain of audit entries, read from its beginning. */
export class AuditChecks implements DatabaseChecks {
  readonly name = 'audit chains';
  readonly checks = Object.entries(MEANS).map(([kind, means]): Check => ({
    kind,
    invariant: 'I9',
    means,
    remedy: RESTORE,
  }));

  constructor(private readonly verifier: Pick<AuditVerifier, 'verify'>) {}

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    yield [tenantId];
  }

  async judge(_tenantId: string, tenantIds: readonly string[]): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const item of tenantIds)
      for await (const { kind, entryId: subject, toEntryId } of this.verifier.verify(item)) {
        findings.push({ kind, item, subject, evidence: '', details: { toEntryId } });
        if (findings.length >= FINDINGS_MAX) return findings;
      }
    return findings;
  }
}
