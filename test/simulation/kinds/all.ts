import type { Random } from '../../faults/load/random.js';
import type { Actor, Kind, Request } from '../kind.js';
import { Recent } from '../known.js';
import { REDEEM, REVERSE } from './codes.js';
import { CANCEL, LET_EXPIRE, REFUND, SWEEP, TIME_OUT } from './ending.js';
import { EXPIRE_COUPONS, EXPIRE_POINTS, GRANT_POINTS, ISSUE_COUPONS } from './goods.js';
import { ADJUST, TRANSFER } from './money.js';
import { JOIN } from './others.js';
import { CALL_BACK, PAY } from './paying.js';
import { PLACE_PLAN, PLACE_RECHARGE } from './placing.js';

export const KINDS: readonly Kind[] = [
  PLACE_PLAN,
  PLACE_RECHARGE,
  PAY,
  CALL_BACK,
  CANCEL,
  LET_EXPIRE,
  SWEEP,
  TIME_OUT,
  REFUND,
  ISSUE_COUPONS,
  GRANT_POINTS,
  EXPIRE_COUPONS,
  EXPIRE_POINTS,
  REDEEM,
  REVERSE,
  TRANSFER,
  ADJUST,
  JOIN,
];

const WHOLE = KINDS.reduce((sum, { weight }) => sum + weight, 0);
/** Clients that have lost an answer send a former request again. */
const SHARE_OF_REPEATS = 0.08;
const REPEATABLE = 40;

/** What operations ask for. */
export class Wishes {
  private readonly former = new Recent<Request>(REPEATABLE);

  /** @returns null where there is nothing yet that it could be about */
  next(actor: Actor): Request | null {
    const { draw } = actor;
    const former = draw.chance(SHARE_OF_REPEATS) ? this.former.pick(draw) : undefined;
    if (former !== undefined) return former;
    const kind = kindOf(draw);
    const made = kind.make(actor);
    if (made === null) return null;
    const request = { ...made, kind };
    this.former.add(request);
    return request;
  }
}

function kindOf(draw: Random): Kind {
  let left = draw.between(1, WHOLE);
  for (const kind of KINDS) {
    left -= kind.weight;
    if (left <= 0) return kind;
  }
  throw new Error('Weights are whole numbers.');
}
