import type { Transactions } from '../../platform/database/transaction.js';
import type { Logger } from '../../platform/observability/log.js';
import {
  currentOperation,
  duringOperation,
  type OperationFacts,
} from '../../platform/recording/current-operation.js';
import { answered, type Redis } from '../../platform/redis/redis.js';
import type { Staff } from './staff.entity.js';

/** An account has one entry in this time, however often and from wherever its password is tried. */
const EVERY_MS = 60_000;

type Account = Pick<Staff, 'tenantId' | 'id'>;

interface Parts {
  readonly redis: Redis;
  readonly transactions: Pick<Transactions, 'recordOperation'>;
  readonly log: Logger;
}

/** Puts refused sign-ins of accounts that exist into the audit log. Who tried is not known: only which account. */
export class RefusedSignIns {
  constructor(private readonly its: Parts) {}

  /** Not waited for: the time of the answer would tell that there is such an account. Never throws. */
  note(account: Account): void {
    const operation = currentOperation();
    if (operation === null) return;
    this.write(account, operation.facts).catch((error: unknown) =>
      this.its.log.warn({ err: error, staffId: account.id }, 'a refused sign-in is not in the audit log'),
    );
  }

  private async write({ tenantId, id }: Account, facts: OperationFacts): Promise<void> {
    const key = `{${tenantId}}:refused_sign_ins:${id}`;
    if ((await answered(this.its.redis.set(key, '1', 'PX', EVERY_MS, 'NX'))) === null) return;
    const by = { kind: 'STAFF', tenantId, id, role: null, credentialId: null } as const;
    await duringOperation({ ...facts, name: `${facts.name} refused`, by }, async () =>
      this.its.transactions.recordOperation(tenantId, { type: 'staff', id }),
    );
  }
}
