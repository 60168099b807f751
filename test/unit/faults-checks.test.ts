import { describe, expect, it } from 'vitest';
import { checkAll } from '../faults/checks/check-all.js';
import type { Evidence } from '../faults/checks/evidence.js';
import { FREE_LINE, LIMITED_LINE, LINE_LIMIT } from '../faults/load/supply.js';
import { healthyEvidence, tryOf, type Plantable } from '../support/healthy-evidence.js';

const check = (evidence: Evidence): string[] =>
  checkAll(evidence, { deadlineGraceMs: 1000 }).map(({ invariant, what }) => `${invariant} ${what}`);

it('nothing is reported of evidence that is as it must be', () => {
  expect(check(healthyEvidence())).toEqual([]);
});

function the<T>(item: T | undefined): T {
  if (item === undefined) throw new Error('The evidence does not have what is to be changed.');
  return item;
}

/** A further redemption in the database, with all that belongs to it. */
function plantRedemption({ facts }: Plantable, user: string, code: string, campaign: string): void {
  const id = '199';
  facts.redemptions.push({
    ...the(facts.redemptions[0]),
    id,
    userId: user,
    codeId: code,
    campaignId: campaign,
    useNo: 3,
    key: null,
  });
}

const LIMITED = { user: '11', code: '2', key: null };

type Plant = (evidence: Plantable) => void;
const PLANTED: readonly (readonly [string, string, Plant])[] = [
  [
    'more redemptions than uses',
    'I1 code 1: 2 redemptions of 1 uses',
    (e) => plantRedemption(e, '15', '1', '8'),
  ],
  [
    'two redemptions of one user',
    'I1 code 2: redeemed twice by one user',
    (e) => plantRedemption(e, '12', '2', '8'),
  ],
  ['a use number twice', 'I1 code 2: uses are numbered 1, 1', (e) => (the(e.facts.redemptions[2]).useNo = 1)],
  [
    'a budget overdrawn',
    'I1 campaign 9: 2 redemptions of 1 budgeted',
    (e) => plantRedemption(e, '15', '4', '9'),
  ],
  [
    'a user past the limit',
    'I1 campaign 9: user 13 redeemed 2 of 1',
    (e) => {
      the(e.campaigns[1]).userLimitTotal = 1;
      plantRedemption(e, '13', '4', '9');
    },
  ],
  [
    'a counter that counts twice',
    'I1 campaign 9: the counter of user 0 says 2',
    (e) => (the(e.facts.usage[0]).uses = 2),
  ],
  [
    'a budget refused too early',
    'I1 try 9 was answered BUDGET_EXHAUSTED when 1 uses',
    (e) => (the(e.campaigns[1]).budgetUses = 2),
  ],
  [
    'a limit of a user refused too early',
    'I1 try 9 was answered USER_LIMIT_REACHED',
    (e) => (the(e.tries[9]).outcome = { kind: 'REFUSED', refusal: 'USER_LIMIT_REACHED', firstId: null }),
  ],
  [
    'an answer without a row',
    'I2 try 0 was answered with redemption 101, which is not there',
    (e) => e.facts.redemptions.shift(),
  ],
  [
    'an answer whose row is a tombstone',
    'I2 try 0 was answered with redemption 101, which is ABORTED',
    (e) => (the(e.facts.redemptions[0]).status = 'ABORTED'),
  ],
  [
    'an answer of another user',
    'I2 try 1 was answered with redemption 102, of another',
    (e) => (the(e.facts.redemptions[1]).userId = '19'),
  ],
  [
    'the redemption of another key',
    'I2 try 1: key null was answered by 102, which bears the key k-other',
    (e) => (the(e.facts.redemptions[1]).key = 'k-other'),
  ],
  [
    'an answer that shows another use',
    'I2 try 1 was shown redemption 102 other than it is',
    (e) => (the(e.facts.redemptions[1]).useNo = 2),
  ],
  [
    'a redemption of a try that was refused',
    'I2 redemption 102: no caller waited for it',
    (e) => (the(e.tries[1]).outcome = { kind: 'REFUSED', refusal: 'CODE_HELD', firstId: null }),
  ],
  [
    'a redemption under another key than it was asked for',
    'I2 redemption 102: no caller waited for it',
    (e) => (the(e.facts.redemptions[1]).key = 'k-9'),
  ],
  [
    'a key that is answered otherwise later',
    'I2 try 5: key 11|k-11 stands for 101, answered CODE_EXHAUSTED',
    (e) => (the(e.tries[5]).outcome = { kind: 'REFUSED', refusal: 'CODE_EXHAUSTED', firstId: null }),
  ],
  [
    'a key that is taken for another code',
    'I2 try 6: key 11|k-11 stands for 101, answered CODE_EXPIRED',
    (e) => (the(e.tries[6]).outcome = { kind: 'REFUSED', refusal: 'CODE_EXPIRED', firstId: null }),
  ],
  [
    'a key refused that was never used',
    'I2 try 2: key 12|k-12 was never sent with another code',
    (e) => (the(e.tries[2]).outcome = { kind: 'REFUSED', refusal: 'IDEMPOTENCY_KEY_REUSED', firstId: null }),
  ],
  ['a deferral without an order', 'I2 deferred 777: the order is not there', (e) => defer(e, '777')],
  [
    'a deferred order that failed without an event',
    'I2 deferred 777: the order is FAILED, the redemption ABORTED, events []',
    (e) => {
      defer(e, '777');
      e.facts.orders.push({ id: '777', userId: '11', status: 'FAILED', subscriptionId: null });
      e.facts.redemptions.push({ ...the(e.facts.redemptions[0]), id: '777', status: 'ABORTED' });
    },
  ],
  [
    'an order both failed and committed',
    'I2 deferred 101: the order is FAILED, the redemption COMMITTED',
    (e) => {
      defer(e, '101');
      the(e.facts.orders[0]).status = 'FAILED';
    },
  ],
  [
    'an error for an answer',
    'I2 try 4 was answered INTERNAL_SERVER_ERROR',
    (e) => (the(e.tries[4]).outcome = { kind: 'UNKNOWN', reason: 'INTERNAL_SERVER_ERROR' }),
  ],
  [
    'a wish without an answer',
    'I2 user 11 never got a final answer for code 1',
    (e) => e.unsettled.push({ userId: '11', codeId: '1', key: null }),
  ],
  ['an uncounted use', 'I3 code 2: used is 1, rows are 2', (e) => (the(e.facts.codes[1]).used = 1)],
  [
    'a copy that counts otherwise',
    'I3 code 1: the copy says 0 uses, not 1',
    (e) => (the(e.facts.redis.copies['digest-1']).used = 0),
  ],
  [
    'a copy of a version that is not',
    'I3 code 1: the copy is of the future',
    (e) => (the(e.facts.redis.copies['digest-1']).version = 9),
  ],
  ['a claim left open', 'I3 code 2: claim 199 is open', (e) => (e.facts.redis.claims['digest-2'] = ['199'])],
  [
    'a claim that is only listed',
    'I3 claim 199|digest-2 is listed as open',
    (e) => e.facts.redis.open.push({ member: '199|digest-2', deadlineMs: 200_000 }),
  ],
  [
    'a copy that was wrong until it was used',
    'I3 code 1: the copy says 0 uses, not 1, at an earlier rest',
    (e) => (the(the(e.earlierFacts[0]).redis.copies['digest-1']).used = 0),
  ],
  [
    'a claim closed without a tombstone',
    'I3 claim 199 was closed without a row',
    (e) => e.claimsSeen.push('199'),
  ],
  ['a job left to do', 'I3 job r199_T is left to do', (e) => e.facts.redis.jobs.push('r199_T')],
  ['a use lost', 'I3 a code: 1 uses were left, 0 could be redeemed', (e) => (the(e.drained[1]).redeemed = 0)],
  [
    'a use too many',
    'I3 code 1: one more use was answered COMMITTED',
    (e) => (the(e.drained[0]).outcomes = ['COMMITTED']),
  ],
  ['no grant', 'I5 redemption 101: 0 grants', (e) => e.facts.grants.shift()],
  [
    'two grants',
    'I5 redemption 101: 2 grants',
    (e) => e.facts.grants.push({ ...the(e.facts.grants[0]), rewardNo: 1 }),
  ],
  [
    'a grant to another user',
    'I5 redemption 101: its grant names no subscription',
    (e) => (the(e.facts.grants[0]).targetId = 's12'),
  ],
  [
    'a grant from nowhere',
    'I5 a grant of redemption 555',
    (e) => e.facts.grants.push({ ...the(e.facts.grants[0]), redemptionId: '555' }),
  ],
  ['no order', 'I5 redemption 101: its order is not there', (e) => e.facts.orders.shift()],
  [
    'an order left pending',
    'I5 redemption 101: its order is PENDING',
    (e) => (the(e.facts.orders[0]).status = 'PENDING'),
  ],
  [
    'an order from nowhere',
    'I5 order 555 is FINISHED without',
    (e) => e.facts.orders.push({ ...the(e.facts.orders[0]), id: '555' }),
  ],
  ['no event', 'I5 redemption 101: told []', (e) => e.facts.events.shift()],
  [
    'an event twice',
    'I5 redemption 101: told [COMMITTED, COMMITTED]',
    (e) => e.facts.events.push({ ...the(e.facts.events[0]), id: 'e9' }),
  ],
  [
    'no word of a reward',
    'I5 redemption 101: told of 0 rewards',
    (e) => (the(e.facts.events[0]).rewards = 0),
  ],
  [
    'an event from nowhere',
    'I5 event e101, redemption_settled, tells of',
    (e) => e.facts.redemptions.shift(),
  ],
  [
    'a subscription extended twice',
    'I5 user 12 redeemed 2 hours, the subscription runs 4',
    (e) => (the(e.facts.subscriptions[1]).expiresMs = 1000 + 4 * 3_600_000),
  ],
  [
    'two subscriptions',
    'I5 user 12 has 2 subscriptions',
    (e) => e.facts.subscriptions.push({ ...the(e.facts.subscriptions[1]), id: 's9' }),
  ],
  [
    'a claim long past its deadline',
    'I6 claim 199|digest-2 is 2000 ms past its deadline',
    (e) => e.facts.redis.open.push({ member: '199|digest-2', deadlineMs: 98_000 }),
  ],
  ['an event never seen', 'I7 event e102 of redemption 102 was never seen', (e) => e.seen?.splice(1, 1)],
  [
    'an event seen too late',
    'I7 event e101 came after a later one',
    (e) => e.seen?.push(the(e.seen.shift())),
  ],
  [
    'an event seen that is not there',
    'I7 event e9 was seen and is not there',
    (e) => (the(e.seen?.[3]).eventId = 'e9'),
  ],
  [
    'an event seen otherwise',
    'I7 event e104 was seen other than it is',
    (e) => (the(e.seen?.[3]).status = 'REFUSED'),
  ],
  [
    'a number that was given to nothing',
    'I7 the events of the tenant are not numbered',
    (e) => (e.facts.counter.lastSeq = 9),
  ],
  [
    'an event that a consumer never handled',
    'I7 3 of 4 events were handled',
    (e) => (e.facts.counter.handledSeq = 3),
  ],
  [
    'more attempts than the line admits',
    `I8 ${LINE_LIMIT + 1} attempts of ${LIMITED_LINE} were admitted`,
    (e) => attempts(e, LINE_LIMIT + 1, 0),
  ],
  [
    'an attempt refused too early',
    `was answered RATE_LIMITED after ${LINE_LIMIT - 1} of ${LINE_LIMIT}`,
    (e) => attempts(e, LINE_LIMIT - 1, 1),
  ],
  [
    'a whole code in a log',
    'I9 process 1 has said the secret that begins WHOL',
    (e) => (e.said[1] = 'try whole-code-2'),
  ],
  [
    'a refusal before the use was spent',
    'HISTORY code 1: user 11 redeemed after CODE_EXHAUSTED',
    (e) => Object.assign(the(e.tries[8]), { startMs: -20, endMs: -15 }),
  ],
  [
    'CODE_EXHAUSTED when nothing became of the request that might have spent the use',
    'HISTORY code 4: CODE_EXHAUSTED was answered when at most 0 of 1',
    (e) => {
      const wish = { user: '14', code: '4', key: null };
      e.tries.push(tryOf(20, wish, { kind: 'UNKNOWN', reason: 'GAVE_UP' }));
      const refused = tryOf(
        21,
        { ...wish, user: '15' },
        { kind: 'REFUSED', refusal: 'CODE_EXHAUSTED', firstId: null },
      );
      e.tries.push(refused);
    },
  ],
];

/** The row of a redemption that was deferred on a product line. */
function plantRow({ facts }: Plantable, id: string, productCode: string): void {
  if (facts.redemptions.some((row) => row.id === id)) return;
  facts.redemptions.push({ ...the(facts.redemptions[0]), id, productCode, status: 'ABORTED', key: null });
}

function defer({ tries }: Plantable, orderNo: string): void {
  the(tries[4]).outcome = { kind: 'PROCESSING', orderNo };
}

/** Refused attempts of the line with a limit, some of them by the limit itself. */
function attempts(evidence: Plantable, admitted: number, limited: number): void {
  for (let at = 0; at < admitted + limited; at += 1) {
    const refusal = at < admitted ? 'ALREADY_REDEEMED' : 'RATE_LIMITED';
    const outcome = { kind: 'REFUSED', refusal, firstId: at < admitted ? '102' : null } as const;
    const each = { ...tryOf(100 + at, LIMITED, outcome), productCode: LIMITED_LINE };
    evidence.tries.push(each);
  }
}

describe('every violation is named', () => {
  it.each(PLANTED)('%s', (_name, said, plant) => {
    const evidence = healthyEvidence();
    plant(evidence);
    expect(check(evidence).join('\n')).toContain(said);
  });

  it('but a PROCESSING answer that is repeated is one attempt', () => {
    const violations = (evidence: Plantable, orderNos: number): string[] => {
      for (let at = 0; at <= LINE_LIMIT; at += 1) {
        const orderNo = String(9000 + (at % orderNos));
        const outcome = { kind: 'PROCESSING', orderNo } as const;
        plantRow(evidence, orderNo, LIMITED_LINE);
        evidence.tries.push({ ...tryOf(100 + at, LIMITED, outcome), productCode: LIMITED_LINE });
      }
      return check(evidence).filter((line) => line.startsWith('I8'));
    };
    expect(violations(healthyEvidence(), LINE_LIMIT)).toEqual([]);
    expect(violations(healthyEvidence(), LINE_LIMIT + 1)).toHaveLength(1);
  });

  it('but a redemption deferred on another line is no attempt of this one', () => {
    const evidence = healthyEvidence();
    attempts(evidence, LINE_LIMIT, 0);
    const user = { ...LIMITED, user: '500' };
    const deferred = { kind: 'PROCESSING', orderNo: '9500' } as const;
    evidence.tries.push(tryOf(200, user, deferred));
    evidence.tries.push({ ...tryOf(201, user, deferred), productCode: LIMITED_LINE });
    expect(check(evidence).filter((line) => line.startsWith('I8'))).toEqual([]);
  });

  it('but attempts past a limit and claims without a row are no violation when Redis has lost its data', () => {
    const evidence = healthyEvidence();
    attempts(evidence, LINE_LIMIT + 1, 0);
    evidence.redisForgot = true;
    evidence.claimsSeen.push('199');
    expect(check(evidence)).toEqual([]);
  });

  it('and the same order number answered three times is one attempt', () => {
    const evidence = healthyEvidence();
    attempts(evidence, LINE_LIMIT, 0);
    the(evidence.facts.redemptions[1]).productCode = LIMITED_LINE;
    for (const no of [200, 201, 202]) {
      const again = tryOf(no, LIMITED, { kind: 'PROCESSING', orderNo: '102' });
      evidence.tries.push({ ...again, productCode: LIMITED_LINE });
    }
    expect(check(evidence).filter((found) => found.startsWith('I8'))).toEqual([
      `I8 ${LINE_LIMIT + 1} attempts of ${LIMITED_LINE} were admitted, the limit is ${LINE_LIMIT}`,
    ]);
  });

  it('and an answer on one line with an order that another line admitted is no attempt of the first', () => {
    const told = (line: string): string[] => {
      const evidence = healthyEvidence();
      attempts(evidence, LINE_LIMIT, 0);
      plantRow(evidence, '9000', line);
      const again = tryOf(200, LIMITED, { kind: 'PROCESSING', orderNo: '9000' });
      evidence.tries.push({ ...again, productCode: LIMITED_LINE });
      return check(evidence).filter((found) => found.startsWith('I8'));
    };
    expect(told(FREE_LINE)).toEqual([]);
    expect(told(LIMITED_LINE)).toHaveLength(1);
  });

  it('and a deferred redemption may end either way', () => {
    const evidence = healthyEvidence();
    defer(evidence, '103');
    expect(check(evidence)).toEqual([]);
  });
});
