import { setTimeout as pause } from 'node:timers/promises';
import { checkAll, type CheckSettings } from '../checks/check-all.js';
import type { Evidence } from '../checks/evidence.js';
import { readFacts, type Addresses, type Facts } from '../checks/facts.js';
import { violation, type Violation } from '../checks/violation.js';
import type { World } from '../../support/world.js';
import { TEST_SECRETS } from '../../support/world.js';
import { watchClaims } from './claim-watch.js';
import type { Try } from './client-log.js';
import { drain } from './drain.js';
import { Random } from './random.js';
import { startSubscriber } from './subscriber.js';
import { codesOf, makeSupply, type Supply } from './supply.js';
import { makeWishes } from './wishes.js';
import { makeWorkload, type Workload } from './workload.js';

/** What a workload is let loose on. The addresses of the stores are direct, past whatever disturbs the processes. */
export interface Target extends Addresses {
  readonly urls: readonly string[];
  readonly world: World;
}

export interface RoundSettings extends CheckSettings {
  readonly seed: number;
  /** Over how long the first requests are spread. */
  readonly lengthMs: number;
  /** How long everything may take to be settled and at rest, once nothing is disturbed any more. */
  readonly settleMs: number;
}

export interface Judged {
  readonly violations: readonly Violation[];
  readonly evidence: Evidence;
}

/** One workload on a fresh tenant, from the first request to the verdict. */
export interface Round {
  readonly supply: Supply;
  readonly workload: Workload;
  /** The part that may be disturbed. */
  run(): Promise<void>;
  /** Waits until nothing is open any more; what is then there is checked with the rest. */
  rest(): Promise<Facts>;
  /**
   * The part after it, when everything is up again: waits until all is settled, redeems what is left, and checks.
   * @param said the output of each process
   * @param redisForgot it was emptied, or lost what it had been told last
   */
  judge(said: readonly string[], redisForgot?: boolean): Promise<Judged>;
  close(): Promise<void>;
}

export async function startRound(target: Target, settings: RoundSettings): Promise<Round> {
  const supply = await makeSupply(target.world);
  const wishes = makeWishes(supply, new Random(settings.seed), settings.lengthMs);
  const workload = makeWorkload(target.urls, wishes);
  const subscriber = startSubscriber(target.urls, supply.staffToken);
  const earlierFacts: Facts[] = [];
  const isKept = ({ orders }: Facts): boolean => everyPromiseIsKept(workload.log.tries, orders);
  const rest = async (): Promise<Facts> => {
    const facts = await untilRest(target, supply.tenantId, settings.settleMs, isKept);
    earlierFacts.push(facts);
    return facts;
  };
  const claims = watchClaims(() => target.redisUrl, supply.tenantId);
  return {
    supply,
    workload,
    run: async () => workload.run(),
    rest,
    judge: async (said, redisForgot = false) => {
      const unsettled = await workload.settle(settings.settleMs);
      await workload.repeatKeys();
      const drained = await drain(supply, await rest(), workload.ask);
      const isSeen = (found: Facts): boolean =>
        isKept(found) && isAllSeen(found.events, subscriber.seen.length);
      const facts = await untilRest(target, supply.tenantId, settings.settleMs, isSeen);
      const evidence: Evidence = {
        campaigns: [supply.single, supply.double, supply.seven, supply.unlimited, supply.limited],
        tries: workload.log.tries,
        facts,
        earlierFacts,
        claimsSeen: [...claims.seen],
        unsettled: unsettled.map(({ user, code, key }) => ({
          userId: user.userId,
          codeId: code.codeId,
          key,
        })),
        drained,
        seen: subscriber.seen,
        said,
        secrets: secretsOf(target, supply, said.length),
        redisForgot,
      };
      const violations = checkAll(evidence, settings);
      if (claims.seen.size === 0) {
        // Where it has failed, that says why.
        await claims.close();
        const told = violations.map(({ invariant, what }) => `${invariant}: ${what}`).join('; ');
        const rows = `${facts.redemptions.length} redemptions have rows`;
        throw new Error(`No claim was ever seen open, ${rows}; ${claims.connections()}. ${told}`);
      }
      if (violations.some(({ invariant }) => invariant === 'I7'))
        violations.push(violation('I7', `the subscriber's diary: ${subscriber.diary.join('; ')}`));
      return { violations, evidence };
    },
    close: async () => {
      await Promise.all([subscriber.close(), claims.close()]);
    },
  };
}

/** Until no claim is open, no job is left, and every event is handled, or the time is over; what is then there is judged. */
async function untilRest(
  target: Target,
  tenantId: string,
  withinMs: number,
  further: (facts: Facts) => boolean,
): Promise<Facts> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const facts = await readFacts(target, tenantId);
    const { counter, events, redis } = facts;
    const isDone = redis.open.length === 0 && redis.jobs.length === 0;
    const isAtRest = isDone && counter.handledSeq === events.length && further(facts);
    if (isAtRest || performance.now() > untilMs) return facts;
    await pause(50);
  }
}

/** The order of a deferred redemption comes with its outcome, maybe some time after the claim is closed. */
function everyPromiseIsKept(tries: readonly Try[], orders: Facts['orders']): boolean {
  const there = new Set(orders.map(({ id }) => id));
  return tries.every(({ outcome }) => outcome.kind !== 'PROCESSING' || there.has(outcome.orderNo));
}

function isAllSeen(events: Facts['events'], seen: number): boolean {
  return seen >= events.filter(({ type }) => type === 'redemption_settled').length;
}

function secretsOf(target: Target, supply: Supply, processes: number): string[] {
  if (processes === 0) return [];
  const tokens = [...supply.users, ...supply.fresh].map(({ token }) => token);
  const passwords = [target.databaseUrl, target.redisUrl].map(
    (url) => /:\/\/[^:/]*:([^@]*)@/.exec(url)?.[1] ?? '',
  );
  const codes = codesOf(supply).map(({ text }) => text);
  return [...codes, ...tokens, supply.staffToken, ...Object.values(TEST_SECRETS), ...passwords].filter(
    (secret) => secret.length > 3,
  );
}
