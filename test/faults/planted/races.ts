import { setTimeout as pause } from 'node:timers/promises';
import type { Violation } from '../checks/violation.js';
import { withRedis } from '../direct-redis.js';
import { startRound, type Round } from '../load/round.js';
import { FREE_LINE, type SuppliedCode } from '../load/supply.js';
import type { SignedUser } from '../../support/cluster.js';
import type { Stage } from '../stage.js';
import { claimOf, firstOf, until, untilDone, whileHolding } from './race-steps.js';
import { insertsInto } from '../sql-statements.js';
import { lookoutFor } from '../steps.js';
import type { Verdict, WireEvent } from '../wire-events.js';

const LENGTH_MS = 500;
const SETTLE_WITHIN_MS = 10_000;
const DEADLINE_GRACE_MS = 5000;
/** Longer than it takes to get in between, and shorter than a caller waits for the commit. */
const MEETING_MS = 500;
/** Longer than a caller waits for the commit. */
const DEFER_MS = 3000;

/** A meeting of requests that is brought about on purpose, without any fault; the usual workload comes after it. */
type Race = (stage: Stage, round: Round) => Promise<void>;

export const RACES: Readonly<Record<string, Race>> = {
  QUIET: async () => undefined,
  TOMBSTONE_FIRST: tombstoneFirst,
  ADOPTED: adopted,
  OTHER_KEY: otherKey,
  DEFERRED: deferred,
  ORPHANED: orphaned,
  DEADLOCK_ALONE: deadlockAlone,
  UNCONFIRMED: unconfirmed,
  PUBLISH_LOST: publishLost,
  STALE_LOAD: staleLoad,
  BUDGET_RACE: budgetRace,
  FORGOTTEN: forgotten,
};

export async function playRace(stage: Stage, name: string, seed: number): Promise<readonly Violation[]> {
  const race = RACES[name];
  if (race === undefined) throw new Error(`There is no race ${name}.`);
  const { stores, processes } = stage;
  const target = {
    urls: stage.urls,
    world: await stage.world(),
    databaseUrl: stores.database.url,
    redisUrl: stores.redis.url,
  };
  for (const each of Object.values(processes)) each.forgetSaid();
  const settings = {
    seed,
    lengthMs: LENGTH_MS,
    settleMs: SETTLE_WITHIN_MS,
    deadlineGraceMs: DEADLINE_GRACE_MS,
  };
  const round = await startRound(target, settings);
  try {
    await race(stage, round);
    await round.run();
    const said = Object.values(processes).map((each) => each.said());
    return (await round.judge(said)).violations;
  } finally {
    stage.watch = null;
    await round.close();
  }
}

/** A claim is tombstoned, as by a sweeper, while its commit waits for the user's row; then the commit resumes. */
async function tombstoneFirst(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  await whileHolding(stage, user, MEETING_MS, async (connection) => {
    const asked = round.workload.ask({ user, code, key: null, productCode: FREE_LINE });
    const { tenantId } = round.supply;
    const id = await claimOf(stage, tenantId);
    const columns = 'tenant_id, id, code_id, campaign_id, batch_id, user_id';
    await connection.query(
      `insert into redemption (${columns}, status, product_code, claimed_at, settled_at, abort_reason)
       select tenant_id, ?, id, campaign_id, batch_id, ?, 'ABORTED', ?, utc_timestamp(3), utc_timestamp(3), 'TEST'
       from code where tenant_id = ? and id = ?`,
      [id, user.userId, FREE_LINE, tenantId, code.codeId],
    );
    await asked;
  });
}

/** A claim whose commit waits for its user's row is adopted by the other process: both commit the same id. */
async function adopted(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const wish = { user, code, key: 'adopted', productCode: FREE_LINE };
  await whileHolding(stage, user, MEETING_MS, async () => {
    const first = round.workload.ask(wish, 0);
    await claimOf(stage, round.supply.tenantId);
    const second = round.workload.ask(wish, 1);
    await Promise.all([first, second]);
  });
}

/** A claim without a key whose commit waits is met by the same user's request with one, at the other process. */
async function otherKey(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const wish = { user, code, key: null, productCode: FREE_LINE };
  await whileHolding(stage, user, MEETING_MS, async () => {
    const first = round.workload.ask(wish, 0);
    await claimOf(stage, round.supply.tenantId);
    const second = round.workload.ask({ ...wish, key: 'other' }, 1);
    await Promise.all([first, second]);
  });
}

/** A caller is answered PROCESSING, and then the process dies: only the job can settle the redemption. */
async function deferred(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const { api1 } = stage.processes;
  await whileHolding(stage, user, DEFER_MS, async () => {
    await round.workload.ask({ user, code, key: 'deferred', productCode: FREE_LINE }, 0);
    await api1.kill();
  });
  await api1.start();
}

/** A process dies between claim and commit without a retry by the client: only the sweeper can give the use back. */
async function orphaned(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const { api1 } = stage.processes;
  await whileHolding(stage, user, DEFER_MS, async () => {
    const asked = round.workload.ask({ user, code, key: null, productCode: FREE_LINE }, 0);
    await claimOf(stage, round.supply.tenantId);
    await api1.kill();
    await asked;
  });
  await round.rest();
  await api1.start();
}

/** The database aborts the commit of a batch with a single claim. */
async function deadlockAlone(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const lookout = lookoutFor('AFTER_INSERTS', round.supply.tenantId);
  let isDone = false;
  stage.watch = (event) => {
    if (isDone || lookout(event) !== 'HERE') return 'PASS';
    isDone = true;
    return { errno: 1213, state: '40001', message: 'Deadlock found when trying to get lock' };
  };
  await untilDone(
    async () => round.workload.ask({ user, code, key: 'alone', productCode: FREE_LINE }),
    () => isDone,
  );
  stage.watch = null;
}

/** A process dies between commit and confirm without a retry by the client: only the worker can bring Redis up to date. */
async function unconfirmed(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const { api1 } = stage.processes;
  const lookout = lookoutFor('BEFORE_CONFIRM', round.supply.tenantId);
  const kills: Promise<void>[] = [];
  stage.watch = (event) => {
    if (lookout(event) !== 'HERE') return 'PASS';
    if (kills.length === 0) kills.push(api1.kill());
    return 'RESET';
  };
  const wish = { user, code, key: null, productCode: FREE_LINE };
  await untilDone(
    async () => round.workload.ask(wish, 0),
    () => kills.length > 0,
  );
  await Promise.all(kills);
  stage.watch = null;
  await round.rest();
  await api1.start();
}

/** The doorbell of a commit is lost. */
async function publishLost(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const lookout = lookoutFor('BEFORE_PUBLISH', round.supply.tenantId);
  let isLost = false;
  stage.watch = (event) => {
    if (lookout(event) !== 'HERE') return 'PASS';
    isLost = true;
    return 'RESET';
  };
  await round.workload.ask({ user, code, key: null, productCode: FREE_LINE });
  await until(() => isLost, 'the doorbell is rung');
  stage.watch = null;
}

/** One process reads a code, and its copy is on the way to Redis while the other one redeems the code. */
async function staleLoad(stage: Stage, round: Round): Promise<void> {
  const [late, early] = round.supply.fresh.slice(-2);
  const [code] = round.supply.double.codes;
  if (late === undefined || early === undefined || code === undefined)
    throw new Error('The supply is too small.');
  const ask = async (user: SignedUser, at: number) =>
    round.workload.ask({ user, code, key: null, productCode: FREE_LINE }, at);
  const held = Promise.withResolvers<void>();
  let isOnItsWay = false;
  const isOfLate = (event: WireEvent, script: string): boolean =>
    event.kind === 'REDIS' &&
    event.side === 'REQUEST' &&
    event.script === script &&
    event.link.process === 'api2';
  stage.watch = async (event) => {
    // The process that has loaded the code must not claim it: a claim repairs a wrong copy.
    if (isOfLate(event, 'claim-code')) return 'RESET';
    if (!isOfLate(event, 'load-codes')) return 'PASS';
    isOnItsWay = true;
    await held.promise;
    return 'PASS';
  };
  const asked = untilDone(
    async () => ask(late, 1),
    () => isOnItsWay,
  );
  await until(() => isOnItsWay, 'the copy is on its way');
  await untilDone(
    async () => ask(early, 0),
    ({ kind }) => kind === 'COMMITTED',
  );
  held.resolve();
  await asked;
  stage.watch = null;
  // The workload would mend the copy.
  await until(async () => isCopied(stage, round, code), 'the copy is there');
  await round.rest();
}

const isCopied = async (stage: Stage, { supply }: Round, { digest }: SuppliedCode): Promise<boolean> =>
  withRedis(
    stage.stores.redis.url,
    async (redis) => (await redis.hexists(`{${supply.tenantId}}:code:${digest}`, 'id')) === 1,
  );

/**
 * Two processes commit for one budget at the same time: the first may not write until the second has read the counter,
 * if it can; where the counter is locked it cannot.
 */
async function budgetRace(stage: Stage, round: Round): Promise<void> {
  const { limited, users } = round.supply;
  const [a, b, c] = users.slice(-3);
  const [first, second, third] = limited.codes;
  if (a === undefined || b === undefined || c === undefined || third === undefined)
    throw new Error('The supply is too small.');
  const ask = async (user: SignedUser, code: SuppliedCode | undefined, at: number) =>
    round.workload.ask({ user, code: code ?? third, key: null, productCode: FREE_LINE }, at);
  // The transaction that inserts the counter holds its lock in any case.
  await untilDone(
    async () => ask(a, first, 0),
    ({ kind }) => kind === 'COMMITTED',
  );
  const other = Promise.withResolvers<void>();
  stage.watch = async (event): Promise<Verdict> => {
    const isWrite =
      event.kind === 'MYSQL' && event.side === 'REQUEST' && event.statements.some(insertsRedemption);
    if (!isWrite) return 'PASS';
    if (event.link.process === 'api1') await Promise.race([other.promise, pause(MEETING_MS)]);
    else other.resolve();
    return 'PASS';
  };
  await Promise.all([ask(b, second, 0), ask(c, third, 1)]);
  stage.watch = null;
  await round.rest();
}

/**
 * Redis forgets a redemption of a code that has uses left, and its user asks again, with the key and without: only the
 * unique keys of the database prevent a second one.
 */
async function forgotten(stage: Stage, round: Round): Promise<void> {
  const { code, user } = firstOf(round);
  const wish = { user, code, key: 'forgotten', productCode: FREE_LINE };
  await untilDone(
    async () => round.workload.ask(wish, 0),
    ({ kind }) => kind === 'COMMITTED',
  );
  await round.rest();
  await withRedis(stage.stores.redis.url, async (redis) => {
    await redis.del(await redis.keys(`{${round.supply.tenantId}}:*`));
  });
  await round.workload.ask(wish, 1);
  await round.workload.ask({ ...wish, key: null }, 0);
}

const insertsRedemption = (statement: string): boolean => insertsInto('redemption', statement);
