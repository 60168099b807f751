import type { Evidence } from '../faults/checks/evidence.js';
import type { Facts } from '../faults/checks/facts.js';
import type { Try, TryOutcome } from '../faults/load/client-log.js';
import { FREE_LINE, type SuppliedCampaign } from '../faults/load/supply.js';

const HOUR_MS = 3_600_000;

/** Evidence that can be changed, to plant violations. */
export type Plantable = Mutable<Evidence>;
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

interface Redeemed {
  readonly id: string;
  readonly user: string;
  readonly code: string;
  readonly campaign: string;
  readonly useNo: number;
  readonly key: string | null;
}

/** Code 1 has one use, 2 has two, 3 and 4 are of a campaign with a budget of 1; all hold claims, which are closed. */
const REDEEMED: readonly Redeemed[] = [
  { id: '101', user: '11', code: '1', campaign: '8', useNo: 1, key: 'k-11' },
  { id: '102', user: '11', code: '2', campaign: '8', useNo: 1, key: null },
  { id: '103', user: '12', code: '2', campaign: '8', useNo: 2, key: 'k-12' },
  { id: '104', user: '13', code: '3', campaign: '9', useNo: 1, key: null },
];

const codeOf = (codeId: string, useLimit: number, campaignId: string) => ({
  codeId,
  useLimit,
  campaignId,
  digest: `digest-${codeId}`,
  text: `WHOLE-CODE-${codeId}`,
});
const CAMPAIGNS: readonly SuppliedCampaign[] = [
  {
    campaignId: '8',
    hours: 2,
    userLimitTotal: 0,
    budgetUses: 0,
    codes: [codeOf('1', 1, '8'), codeOf('2', 2, '8')],
  },
  {
    campaignId: '9',
    hours: 5,
    userLimitTotal: 2,
    budgetUses: 1,
    codes: [codeOf('3', 1, '9'), codeOf('4', 1, '9')],
  },
];

/** A small workload after which everything is as it must be. */
export function healthyEvidence(): Plantable {
  const evidence: Evidence = {
    campaigns: CAMPAIGNS,
    tries: triesOf(),
    facts: factsOf(),
    earlierFacts: [factsOf()],
    claimsSeen: ['101', '104'],
    unsettled: [],
    drained: [
      { what: 'code 1', left: 0, redeemed: 0, outcomes: ['CODE_EXHAUSTED'], end: 'CODE_EXHAUSTED' },
      {
        what: 'a code',
        left: 1,
        redeemed: 1,
        outcomes: ['COMMITTED', 'CODE_EXHAUSTED'],
        end: 'CODE_EXHAUSTED',
      },
    ],
    seen: REDEEMED.map(({ id }, at) => ({
      eventId: `e${id}`,
      cursor: String(at + 1),
      redemptionId: id,
      status: 'COMMITTED',
    })),
    said: ['listens on 127.0.0.1', '{"level":"warn"}'],
    secrets: CAMPAIGNS.flatMap(({ codes }) => codes.map(({ text }) => text)),
    redisForgot: false,
  };
  return structuredClone(evidence) as Plantable;
}

function triesOf(): Try[] {
  const answered = REDEEMED.map((row, at) => tryOf(at, row, committedAnswer(row)));
  const unanswered: TryOutcome = { kind: 'UNKNOWN', reason: 'GAVE_UP' };
  const [first, , third] = REDEEMED;
  if (first === undefined || third === undefined)
    throw new Error('The evidence is made of several redemptions.');
  const refused = (refusal: string, firstId: string | null = null): TryOutcome => ({
    kind: 'REFUSED',
    refusal,
    firstId,
  });
  return [
    ...answered,
    { ...tryOf(4, third, unanswered), startMs: 15 },
    tryOf(5, first, committedAnswer(first)),
    tryOf(6, { ...first, code: '2' }, refused('IDEMPOTENCY_KEY_REUSED')),
    tryOf(7, { ...first, key: null }, refused('ALREADY_REDEEMED', first.id)),
    tryOf(8, { ...first, user: '14', key: null }, refused('CODE_EXHAUSTED')),
    tryOf(9, { ...first, user: '14', code: '4', key: null }, refused('BUDGET_EXHAUSTED')),
  ];
}

function committedAnswer({ id, code, user, useNo }: Redeemed): TryOutcome {
  return { kind: 'COMMITTED', redemptionId: id, codeId: code, userId: user, useNo };
}

/** The tenth second has the tenth try: one after the other, each of five milliseconds. */
export function tryOf(no: number, row: Pick<Redeemed, 'user' | 'code' | 'key'>, outcome: TryOutcome): Try {
  const startMs = no * 10;
  return {
    no,
    wishNo: no,
    userId: row.user,
    codeId: row.code,
    key: row.key,
    productCode: FREE_LINE,
    process: no % 2,
    startMs,
    endMs: outcome.kind === 'UNKNOWN' ? null : startMs + 5,
    outcome,
  };
}

function factsOf(): Facts {
  const codes = CAMPAIGNS.flatMap((campaign) => campaign.codes);
  const usesOf = (codeId: string): number => REDEEMED.filter(({ code }) => code === codeId).length;
  const users = [...new Set(REDEEMED.map(({ user }) => user))];
  const hoursOf = (user: string): number =>
    REDEEMED.filter((row) => row.user === user).reduce(
      (sum, { campaign }) => sum + (campaign === '8' ? 2 : 5),
      0,
    );
  return {
    codes: codes.map(({ codeId, digest, useLimit }) => ({
      id: codeId,
      digest,
      useLimit,
      used: usesOf(codeId),
      lastUseNo: usesOf(codeId),
      version: 4,
    })),
    batches: [{ id: '5', status: 'READY', requested: 4, generated: 4, codes: 4 }],
    codesIssued: 4,
    redemptions: REDEEMED.map((row) => ({
      id: row.id,
      status: 'COMMITTED',
      codeId: row.code,
      campaignId: row.campaign,
      userId: row.user,
      useNo: row.useNo,
      userUseNo: 1,
      key: row.key,
      productCode: FREE_LINE,
      abortReason: null,
    })),
    orders: REDEEMED.map(({ id, user }) => ({
      id,
      userId: user,
      status: 'FINISHED',
      subscriptionId: `s${user}`,
    })),
    grants: REDEEMED.map(({ id, user }) => ({
      redemptionId: id,
      rewardNo: 0,
      status: 'GRANTED',
      targetId: `s${user}`,
    })),
    subscriptions: users.map((user) => ({
      id: `s${user}`,
      userId: user,
      startedMs: 1000,
      expiresMs: 1000 + hoursOf(user) * HOUR_MS,
    })),
    events: REDEEMED.map(({ id }, at) => ({
      id: `e${id}`,
      type: 'redemption_settled',
      redemptionId: id,
      seq: at + 1,
      status: 'COMMITTED',
      rewards: 1,
    })),
    usage: [
      { campaignId: '9', userId: '0', uses: 1 },
      { campaignId: '9', userId: '13', uses: 1 },
    ],
    counter: { lastSeq: 4, handledSeq: 4 },
    redis: {
      nowMs: 100_000,
      open: [],
      jobs: [],
      claims: {},
      copies: { 'digest-1': { used: 1, version: 4 }, 'digest-4': { used: 0, version: 3 } },
    },
  };
}
