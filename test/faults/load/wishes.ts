import type { SignedUser } from '../../support/cluster.js';
import type { Random } from './random.js';
import { FREE_LINE, LIMITED_LINE, type SuppliedCampaign, type SuppliedCode, type Supply } from './supply.js';

/** What a user wants, however often it has to be asked for. */
export interface Wish {
  readonly no: number;
  readonly user: SignedUser;
  readonly code: SuppliedCode;
  readonly key: string | null;
  readonly productCode: string;
  /** When it is asked for first, from the beginning of the workload. */
  readonly atMs: number;
  readonly manner: Manner;
  readonly random: Random;
}

/** How a client asks; every client asks again when it gets no answer. */
export type Manner =
  | 'PATIENT'
  /** Twice at once, at different processes. */
  | 'DOUBLE_CLICK'
  /** Gives up after some milliseconds, and asks again. */
  | 'IMPATIENT'
  /** Asks again after the answer. */
  | 'REPEATING';

const MANNERS: readonly Manner[] = [
  'PATIENT',
  'PATIENT',
  'PATIENT',
  'DOUBLE_CLICK',
  'IMPATIENT',
  'REPEATING',
];

type Draft = Omit<Wish, 'no' | 'atMs' | 'random'>;

/** All requests of a workload of this length. The seed decides all of them. */
export function makeWishes(supply: Supply, random: Random, lengthMs: number): readonly Wish[] {
  const drafts = [
    ...contested(supply, random, supply.single, 6),
    ...contested(supply, random, supply.double, 7),
    ...contested(supply, random, supply.seven, 14),
    ...contested(supply, random, supply.unlimited, 10),
    // Few users, so that they come to their limit before the budget is spent.
    ...contested({ ...supply, users: supply.users.slice(0, 6) }, random, supply.limited, 2),
    ...attemptsOfLimitedLine(supply, random),
  ];
  const reused = drafts.flatMap((draft) => reuseOfKey(supply, random, draft));
  return random.shuffled([...drafts, ...reused]).map((draft, no) => ({
    ...draft,
    no,
    atMs: random.between(0, lengthMs),
    random: random.fork(),
  }));
}

function contested(supply: Supply, random: Random, campaign: SuppliedCampaign, users: number): Draft[] {
  return campaign.codes.flatMap((code) =>
    random
      .shuffled(supply.users)
      .slice(0, users)
      .map((user): Draft => ({
        user,
        code,
        key: random.chance(0.6) ? `key-${user.userId}-${code.codeId}` : null,
        productCode: FREE_LINE,
        manner: random.pick(MANNERS),
      })),
  );
}

/** More than the line admits, without keys: each answer but RATE_LIMITED is then one that was counted. */
function attemptsOfLimitedLine(supply: Supply, random: Random): Draft[] {
  const [code] = supply.unlimited.codes;
  if (code === undefined) return [];
  const wish = { code, key: null, productCode: LIMITED_LINE, manner: 'PATIENT' } as const;
  return random.shuffled(supply.users).map((user) => ({ ...wish, user }));
}

/** A faulty app sends the key of one code with another code. */
function reuseOfKey(supply: Supply, random: Random, draft: Draft): Draft[] {
  if (draft.key === null || !random.chance(0.08)) return [];
  const [other] = random.shuffled(supply.single.codes.filter(({ codeId }) => codeId !== draft.code.codeId));
  return other === undefined ? [] : [{ ...draft, code: other, manner: 'PATIENT' }];
}
