import { setTimeout as sleep } from 'node:timers/promises';
import { tenantEm, type Em } from '../../src/platform/database/orm.js';
import { countDeviations, type CountedCode, type CountedRow, type Deviations } from './count.js';
import type { Attempt } from './round.js';
import { TENANT } from './supply.js';
import type { BenchWorld } from './world.js';

const DRAIN_MAX_MS = 60_000;

/** Counters of the database server since it started. */
export interface ServerCounters {
  readonly commits: number;
  readonly selects: number;
}

export async function readCounters(world: BenchWorld): Promise<ServerCounters> {
  const rows = await emOf(world).execute<{ Variable_name: string; Value: string }[]>(
    "show global status where variable_name in ('Com_commit', 'Com_select')",
  );
  const values = new Map(rows.map((row) => [row.Variable_name, Number(row.Value)]));
  return { commits: values.get('Com_commit') ?? Number.NaN, selects: values.get('Com_select') ?? Number.NaN };
}

/**
 * Waits until every event is handled by its consumers: what a round leaves behind must not burden the next.
 * @returns how long that took
 */
export async function drainOutbox(world: BenchWorld, tenantId = TENANT): Promise<number> {
  const startMs = performance.now();
  const sql = `select (select count(*) from event_consumer e join outbox_counter c on c.tenant_id = e.tenant_id
    where e.tenant_id = ? and e.seq >= c.last_seq) < ? as behind`;
  const consumers = world.services.consumers.length;
  for (;;) {
    const [row] = await emOf(world).execute<{ behind: number }[]>(sql, [tenantId, consumers]);
    const waitedMs = performance.now() - startMs;
    if (row?.behind === 0) return waitedMs;
    if (waitedMs > DRAIN_MAX_MS) throw new Error('Events wait for their consumers after a minute.');
    await sleep(20);
  }
}

/** Holds every code and every redemption of the database against all that the clients were told. */
export async function countInDatabase(
  world: BenchWorld,
  attempts: readonly Attempt[],
  closedCodes: ReadonlySet<string>,
): Promise<Deviations> {
  // As text, because a number of JavaScript cannot hold an id.
  const codes = await emOf(world).execute<(Omit<CountedCode, 'isOpen'> & { codeText: string })[]>(
    `select cast(id as char) as codeId, code_text as codeText, use_limit as useLimit, used
     from code where tenant_id = ?`,
    [TENANT],
  );
  const rows = await emOf(world).execute<CountedRow[]>(
    `select cast(id as char) as id, cast(code_id as char) as codeId, cast(user_id as char) as userId
     from redemption where tenant_id = ? and status <> 'ABORTED'`,
    [TENANT],
  );
  const idOf = new Map(codes.map((code) => [code.codeText, code.codeId]));
  return countDeviations(
    codes.map((code) => ({ ...code, isOpen: !closedCodes.has(code.codeText) })),
    rows,
    attempts.map(({ user, code, answer }) => ({
      codeId: idOf.get(code) ?? null,
      userId: user.id,
      redemptionId: toldOf(answer),
    })),
  );
}

/** An order that is being settled bears the id of its redemption, and must come to one. */
function toldOf({ status, redemptionId, orderNo }: Attempt['answer']): string | null {
  if (status === 'COMMITTED') return redemptionId ?? '';
  return status === 'PROCESSING' ? (orderNo ?? '') : null;
}

function emOf({ stores }: BenchWorld): Em {
  return tenantEm(stores.orm, TENANT);
}
