import { setTimeout as pause } from 'node:timers/promises';
import { createConnection, type Connection } from 'mysql2/promise';
import type { SignedUser } from '../../support/cluster.js';
import { withRedis } from '../direct-redis.js';
import type { Round } from '../load/round.js';
import type { SuppliedCode } from '../load/supply.js';
import type { Stage } from '../stage.js';

const WAIT_MS = 20_000;

/** A code of several uses, and a user who asks for it. */
export function firstOf({ supply }: Round): { code: SuppliedCode; user: SignedUser } {
  const [code] = supply.seven.codes;
  const [user] = supply.users;
  if (code === undefined || user === undefined) throw new Error('The supply is too small.');
  return { code, user };
}

/** Holds the user's row, so that a commit for this user waits; whatever the work answers is waited for afterwards. */
export async function whileHolding(
  stage: Stage,
  user: SignedUser,
  holdMs: number,
  work: (connection: Connection) => Promise<unknown>,
): Promise<void> {
  const uri = stage.stores.database.url.replace(/^mariadb:/, 'mysql:');
  const holder = await createConnection({ uri });
  const worker = await createConnection({ uri });
  try {
    await holder.beginTransaction();
    await holder.query('select 1 from user where tenant_id = ? and id = ? for update', [
      user.tenantId,
      user.userId,
    ]);
    const working = work(worker);
    await Promise.race([working, pause(holdMs)]);
    await holder.rollback();
    await working;
  } finally {
    await Promise.all([holder.end(), worker.end()]);
  }
}

/** The redemption id of the tenant's only claim. */
export async function claimOf(stage: Stage, tenantId: string): Promise<string> {
  return withRedis(stage.stores.redis.url, async (redis) => {
    let open: string[] = [];
    await until(
      async () => (open = await redis.zrange(`{${tenantId}}:open`, '0', '-1')).length > 0,
      'a claim is open',
    );
    return open[0]?.split('|')[0] ?? '';
  });
}

export async function until(test: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const untilMs = performance.now() + WAIT_MS;
  while (!(await test())) {
    if (performance.now() > untilMs) throw new Error(`It never came about that ${what}.`);
    await pause(5);
  }
}

/** Asks again for as long as the answer came before what was to be brought about; a store may just be slow. */
export async function untilDone<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<void> {
  await until(async () => isDone(await ask()), 'an answer named it');
}
