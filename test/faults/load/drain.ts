import { setTimeout as pause } from 'node:timers/promises';
import { eachOf } from '../../../src/platform/scheduling/each-of.js';
import type { SignedUser } from '../../support/cluster.js';
import { committedOf, type Drained } from '../checks/evidence.js';
import type { Facts } from '../checks/facts.js';
import type { TryOutcome } from './client-log.js';
import { FREE_LINE, type SuppliedCampaign, type SuppliedCode, type Supply } from './supply.js';
import type { Ask } from './workload.js';

const AT_ONCE = 8;
/** A use still held this long after everything was settled is lost. */
const HELD_MS = 15_000;

interface Drain {
  readonly what: string;
  readonly left: number;
  /** The codes to ask for, one after the other; the last one is asked for more than there is. */
  readonly codes: readonly SuppliedCode[];
  readonly end: string | null;
}

/**
 * Redeems all that is left, by users who have had nothing yet, and one more: counted, that is the proof that no use
 * was lost. Users of the workload could be refused for other reasons.
 */
export async function drain(supply: Supply, facts: Facts, ask: Ask): Promise<Drained[]> {
  const users = [...supply.fresh];
  const nextUser = (): SignedUser => {
    const user = users.shift();
    if (user === undefined) throw new Error('There are too few fresh users to drain all codes.');
    return user;
  };
  const drained: Drained[] = [];
  const plans = drainsOf(supply, facts).map((plan) => ({ plan, users: plan.codes.map(nextUser) }));
  await eachOf(plans, AT_ONCE, async ({ plan, users: own }) => {
    const outcomes: string[] = [];
    for (const [at, code] of plan.codes.entries()) {
      outcomes.push(await untilFree(ask, own[at] ?? nextUser(), code));
    }
    const redeemed = outcomes.slice(0, plan.left).filter((outcome) => outcome === 'COMMITTED').length;
    drained.push({ what: plan.what, left: plan.left, redeemed, outcomes, end: plan.end });
  });
  return drained;
}

function drainsOf(supply: Supply, facts: Facts): Drain[] {
  const { single, double, seven, unlimited, limited } = supply;
  const committed = committedOf(facts);
  const usesOf = (code: SuppliedCode): number => committed.filter((row) => row.codeId === code.codeId).length;
  const limits = [single, double, seven]
    .flatMap(({ codes }) => codes)
    .map((code) => drainOfCode(code, usesOf(code)));
  const endless = unlimited.codes.map((code) => ({
    what: `code ${code.codeId}`,
    left: 1,
    codes: [code],
    end: null,
  }));
  return [...limits, ...endless, drainOfBudget(limited, usesOf)];
}

function drainOfCode(code: SuppliedCode, used: number): Drain {
  const left = Math.max(0, code.useLimit - used);
  const codes = Array.from({ length: left + 1 }, () => code);
  return { what: `code ${code.codeId} of ${code.useLimit} uses`, left, codes, end: 'CODE_EXHAUSTED' };
}

function drainOfBudget(campaign: SuppliedCampaign, usesOf: (code: SuppliedCode) => number): Drain {
  const { budgetUses, campaignId } = campaign;
  const free = campaign.codes.filter((code) => usesOf(code) === 0);
  const left = Math.max(0, budgetUses - (campaign.codes.length - free.length));
  return {
    what: `campaign ${campaignId} of ${budgetUses} uses`,
    left,
    codes: free.slice(0, left + 1),
    end: 'BUDGET_EXHAUSTED',
  };
}

async function untilFree(ask: Ask, user: SignedUser, code: SuppliedCode): Promise<string> {
  const untilMs = performance.now() + HELD_MS;
  for (;;) {
    const outcome = await ask({ user, code, key: null, productCode: FREE_LINE });
    if (!mayPass(outcome) || performance.now() > untilMs) return nameOf(outcome);
    await pause(50);
  }
}

function mayPass(outcome: TryOutcome): boolean {
  return outcome.kind === 'REFUSED' ? outcome.refusal === 'CODE_HELD' : outcome.kind !== 'COMMITTED';
}

/** An answer that came after the redemption was made, by a request before, is as good. */
function nameOf(outcome: TryOutcome): string {
  if (outcome.kind !== 'REFUSED') return outcome.kind;
  return outcome.refusal === 'ALREADY_REDEEMED' ? 'COMMITTED' : outcome.refusal;
}
