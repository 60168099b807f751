import type { Invariant } from '../checks/violation.js';

/** A change of one file; the text must be in it exactly once, so that it is noticed when the source moves on. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A plausible mistake. It is planted into a copy of the sources, and its cells must find it. */
export interface PlantedBug {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Where it must show: a fault at a step, as STEP:KIND, or a race of `races.ts`. Tried in turn until it does. */
  readonly cells: readonly string[];
  /** What has to be reported; anything else is not what was planted. */
  readonly shows: { readonly invariant: Invariant; readonly like: RegExp };
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'claims past their deadline are not swept',
    edits: [
      {
        file: 'src/redemption/recovery/claim-sweeper.ts',
        find: 'const due = await open.tenantsOverdue(page.filter(isSwept), this.failed);',
        replace:
          'const due = await open.tenantsOverdue(page.filter(isSwept).slice(page.length), this.failed);',
      },
    ],
    cells: ['ORPHANED'],
    shows: { invariant: 'I6', like: /past its deadline and still open/ },
  },
  {
    name: 'claims are released without a tombstone',
    edits: [
      {
        file: 'src/redemption/commit/claim-aborter.ts',
        find: 'tombstones: requests.filter(({ claim }) => found.settled(claim) === null),',
        replace: 'tombstones: [],',
      },
    ],
    cells: ['ORPHANED'],
    shows: { invariant: 'I3', like: /was closed without a row/ },
  },
  {
    name: 'the confirm adds one instead of setting what was committed',
    edits: [
      {
        file: 'scripts/lua/confirm-claims.lua',
        find: `redis.call('HSET', copy, 'version', version, 'used', used, 'sole_user_id', sole_user_id)`,
        replace: `redis.call('HSET', copy, 'version', version, 'sole_user_id', sole_user_id)
    redis.call('HINCRBY', copy, 'used', 1)`,
      },
    ],
    cells: ['QUIET', 'BEFORE_CONFIRM:CUT_REDIS'],
    shows: { invariant: 'I3', like: /the copy says/ },
  },
  {
    name: 'a deadlock is not retried',
    edits: [
      {
        file: 'src/platform/database/sql-errors.ts',
        find: 'new Set([1213, 1205, 1020, 3101])',
        replace: 'new Set([1205, 1020, 3101])',
      },
    ],
    cells: ['DEADLOCK_ALONE'],
    shows: { invariant: 'I2', like: /INTERNAL_SERVER_ERROR/ },
  },
  {
    name: 'a lock wait time-out is swallowed, and the transaction committed',
    edits: [
      {
        file: 'src/redemption/commit/commit-transaction.ts',
        find: `        this.writes.write(em, tenantId, { ...decisions, failed, buyers, settledAt }),
      ]);`,
        replace: `        this.writes.write(em, tenantId, { ...decisions, failed, buyers, settledAt }),
      ]).catch(() => undefined);`,
      },
      {
        file: 'src/platform/database/session-guard.ts',
        find: 'if (this.open && isRetryable(error)) this.abortCause = error;',
        replace: '',
      },
    ],
    cells: ['AFTER_INSERTS:LOCK_WAIT_1205'],
    shows: { invariant: 'I2', like: /which is not there/ },
  },
  {
    name: 'a tombstone is taken for the redemption',
    edits: [
      {
        file: 'src/redemption/commit/commit-decider.ts',
        find: `    if (record.status === 'ABORTED') return { kind: 'ABORTED' };\n`,
        replace: '',
      },
    ],
    cells: ['TOMBSTONE_FIRST'],
    shows: { invariant: 'I2', like: /which is ABORTED/ },
  },
  {
    name: 'a duplicate key is not read back',
    edits: [
      {
        file: 'src/platform/database/transaction.ts',
        find: 'isDuplicateKey(error) || error instanceof CommitUnknownError',
        replace: '(isDuplicateKey(error) && READ_BACK_RUNS_MAX < 0) || error instanceof CommitUnknownError',
      },
    ],
    cells: ['FORGOTTEN'],
    shows: { invariant: 'I2', like: /INTERNAL_SERVER_ERROR/ },
  },
  {
    name: 'an older copy of a code replaces a newer one',
    edits: [
      {
        file: 'scripts/lua/load-codes.lua',
        find: 'if not held or tonumber(held) <= tonumber(ARGV[first]) then',
        replace: 'if held or not held then',
      },
    ],
    cells: ['STALE_LOAD'],
    shows: { invariant: 'I3', like: /the copy says 0 uses.*at an earlier rest/ },
  },
  {
    name: 'events are written outside of the transaction',
    edits: [
      {
        file: 'src/platform/outbox/outbox.ts',
        find: '    const [taken] = await Promise.all([',
        replace: '    em = em.fork();\n    const [taken] = await Promise.all([',
      },
    ],
    cells: ['BEFORE_COMMIT:DEADLOCK_1213', 'BEFORE_COMMIT:LOCK_WAIT_1205'],
    shows: {
      invariant: 'I5',
      like: /told \[COMMITTED, COMMITTED\]|tells of a redemption that is not committed/,
    },
  },
  {
    name: 'the answer does not wait for the commit',
    edits: [
      {
        file: 'src/platform/database/transaction.ts',
        find: '      await em.commit();\n',
        replace: '      em.commit().catch(() => undefined);\n',
      },
    ],
    cells: ['BEFORE_COMMIT:DEADLOCK_1213', 'BEFORE_COMMIT:KILL_API'],
    shows: { invariant: 'I2', like: /which is not there/ },
  },
  {
    name: 'an idempotency key is known to Redis only',
    edits: [
      {
        file: 'src/redemption/redeem/known-redemptions.ts',
        find: 'idempotencyKey === null || !yieldsToKnownKey(refused.refusal)',
        replace: 'idempotencyKey === null || yieldsToKnownKey(refused.refusal)',
      },
    ],
    cells: ['BEFORE_REPLY:REDIS_EMPTIED', 'BEFORE_CONFIRM:REDIS_EMPTIED'],
    shows: { invariant: 'I2', like: /stands for .* answered (?!\d)/ },
  },
  {
    name: "a key is answered by the same user's claim without it",
    edits: [
      {
        file: 'src/redemption/claim/claim.ts',
        find: 'return claim.idempotencyKey === idempotencyKey;',
        replace: 'return claim.idempotencyKey === idempotencyKey || claim.idempotencyKey === null;',
      },
    ],
    cells: ['OTHER_KEY'],
    shows: { invariant: 'I2', like: /key .* was answered by \d+, which bears the key null/ },
  },
  {
    name: 'the sweeper gives the uses of committed claims back',
    edits: [
      {
        file: 'src/redemption/commit/abort.service.ts',
        find: `=> became.get(redemptionId) === 'COMMITTED');`,
        replace: `=> became.get(redemptionId) === 'COMMITTED' && tenantId === '');`,
      },
      // Else the outbox may confirm the claim before the sweeper comes to it.
      {
        file: 'src/redemption/recovery/late-confirms.ts',
        find: 'const CONFIRM_MS = 2000;',
        replace: 'const CONFIRM_MS = 30_000;',
      },
    ],
    cells: ['UNCONFIRMED'],
    shows: { invariant: 'I3', like: /the copy says/ },
  },
  {
    name: 'an attempt is counted twice in its window',
    edits: [
      {
        file: 'scripts/lua/lib/rate-windows.lua',
        find: `  redis.call('ZADD', key, now_ms, attempt_id)\n`,
        replace: `  redis.call('ZADD', key, now_ms, attempt_id, now_ms, attempt_id .. 'again')\n`,
      },
    ],
    cells: ['QUIET'],
    shows: { invariant: 'I8', like: /RATE_LIMITED after/ },
  },
  {
    name: 'everybody in a batch is answered as the first one',
    edits: [
      {
        file: 'src/redemption/commit/batch-commit.ts',
        find: 'const outcome = outcomes.get(claim.redemptionId);',
        replace: 'const outcome = claim.redemptionId === "" ? undefined : [...outcomes.values()][0];',
      },
    ],
    cells: ['QUIET'],
    shows: { invariant: 'I2', like: /of another user or code/ },
  },
  {
    name: 'a use that was refused by the database is never given back',
    edits: [
      {
        file: 'scripts/lua/release-claims.lua',
        find: `    released = released + redis.call('HDEL', claims, redemption_id)\n`,
        replace: '    released = released + 1\n',
      },
    ],
    cells: ['QUIET'],
    shows: { invariant: 'I3', like: /is open/ },
  },
  {
    name: 'of what the doorbell tells, only the last event is read',
    edits: [
      {
        file: 'src/platform/push/tenant-tail.ts',
        find: '        const afterSeq = this.readSeq;',
        replace: '        const afterSeq = Math.max(this.readSeq, this.headSeq - 1);',
      },
    ],
    cells: ['PUBLISH_LOST'],
    shows: { invariant: 'I7', like: /was never seen/ },
  },
  {
    name: 'counters of a campaign are read without their lock',
    edits: [
      {
        file: 'src/campaigns/campaign-usage.service.ts',
        find: `await readCounters(em, tenantId, keys, 'for update')`,
        replace: `await readCounters(em, tenantId, keys, '')`,
      },
    ],
    cells: ['BUDGET_RACE'],
    shows: { invariant: 'I1', like: /campaign/ },
  },
  {
    name: 'a job takes a new id at each delivery',
    edits: [
      {
        file: 'src/redemption/deferred/pending-redemptions.jobs.ts',
        find: 'return claimOf(open === undefined ? pending : { ...pending, ...open });',
        replace: `const redemptionId = String(BigInt(pending.redemptionId) + BigInt(Math.floor(Math.random() * 999) + 1));
    return { ...claimOf(open === undefined ? pending : { ...pending, ...open }), redemptionId };`,
      },
    ],
    cells: ['DEFERRED'],
    shows: { invariant: 'I2', like: /deferred/ },
  },
  {
    name: 'a code is written to the log',
    edits: [
      {
        file: 'src/redemption/redeem/redemption.service.ts',
        find: `scope.log.warn({ err: error }, 'a store did not answer');`,
        replace: `scope.log.warn({ err: error }, 'a store did not answer');
      scope.log.debug(\`no answer for \${request.code}\`);`,
      },
    ],
    cells: ['LUA_SENT:CUT_REDIS', 'LUA_SENT:PAUSE_REDIS'],
    shows: { invariant: 'I9', like: /has said the secret/ },
  },
];
