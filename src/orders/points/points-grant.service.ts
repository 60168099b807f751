import { z } from 'zod';
import { lockRecipient } from '../../identity/users/recipient.service.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import {
  argumentsDigest,
  countNumber,
  foreignKeyText,
  instant,
  orElse,
  parseInput,
} from '../../platform/input.js';
import { keyDigest } from '../../platform/key-digest.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { pointsExpiry } from './points-lots.js';
import { grantLots } from './points-rows.js';
import { PointsAccount, PointsLot } from './points.entity.js';
import type { GrantPointsRefusal } from './points.errors.js';
import { operationChanges } from '../../platform/recording/recording-em.js';

/** A thousand million: more at once is a typing mistake, and sums of many stay whole. */
const POINTS_MAX = 1_000_000_000;
const DAYS_MAX = 36_500;

const grantPointsInput = z
  .strictObject({
    userId: z.string().max(24),
    amount: countNumber(1, POINTS_MAX),
    validDays: orElse(countNumber(1, DAYS_MAX), null),
    expiresAt: orElse(instant, null),
    idempotencyKey: orElse(foreignKeyText, null),
  })
  .refine(({ validDays, expiresAt }) => validDays === null || expiresAt === null, {
    message: 'must not be given together with validDays',
    path: ['expiresAt'],
  });

const FIELD_REFUSALS = {
  input: 'INPUT_NOT_ALLOWED',
  userId: 'USER_NOT_FOUND',
  amount: 'POINTS_OUT_OF_RANGE',
  validDays: 'VALID_DAYS_OUT_OF_RANGE',
  expiresAt: 'POINTS_EXPIRY_NOT_ALLOWED',
  idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
} as const;

export interface GrantedPoints {
  readonly lot: PointsLot;
  /** Whether an earlier call with the same key granted them. */
  readonly replayed: boolean;
}

interface Grant {
  readonly lotId: Id;
  readonly userId: Id;
  readonly points: number;
  readonly validDays: number | null;
  readonly expiresAt: Date | null;
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
}

/** Points that staff give to a user. */
export class PointsGrantService {
  constructor(private readonly its: Pick<PlatformServices, 'ids' | 'clock' | 'transactions'>) {}

  /**
   * The same key again answers the same points.
   * @throws DomainError one of {@link GRANT_POINTS_REFUSALS}
   */
  async grant(tenantId: string, input: unknown): Promise<GrantedPoints> {
    const grant = this.grantOf(tenantId, input);
    // Two calls with one key meet at the unique key; the second runs again, and finds what the first has granted.
    return this.its.transactions.runForCaller(tenantId, async (em, readsBack) => {
      const known = await knownOf(em, grant, readsBack);
      return known ?? this.write(em, tenantId, grant);
    });
  }

  private grantOf(tenantId: string, input: unknown): Grant {
    const wanted = parseInput<typeof grantPointsInput, GrantPointsRefusal>(
      grantPointsInput,
      input,
      FIELD_REFUSALS,
    );
    const { userId, amount: points, validDays, expiresAt, idempotencyKey: key } = wanted;
    return {
      lotId: this.its.ids.next(),
      userId,
      points,
      validDays,
      expiresAt,
      idempotencyKey: key === null ? null : keyDigest(tenantId, 'points_lot', key),
      argumentsDigest: key === null ? null : argumentsDigest(wanted),
    };
  }

  private async write(em: Em, tenantId: string, grant: Grant): Promise<GrantedPoints> {
    const { lotId, userId, points, idempotencyKey, argumentsDigest: digest } = grant;
    const nowMs = this.its.clock.nowMs();
    await lockRecipient(em, userId);
    if (grant.expiresAt !== null && grant.expiresAt.getTime() <= nowMs)
      refuse('POINTS_EXPIRY_PAST', 'Points that have expired cannot be granted.', 'expiresAt');
    const lot = {
      id: lotId,
      userId,
      points,
      expiresAt: grant.expiresAt ?? pointsExpiry(grant.validDays, nowMs),
      redemptionId: null,
      rewardNo: null,
      idempotencyKey,
      argumentsDigest: digest,
      createdAt: new Date(nowMs),
    };
    await operationChanges(em, PointsAccount, { userId });
    await grantLots(em, tenantId, [lot], 'STAFF', this.its.ids);
    return { lot: await em.findOneOrFail(PointsLot, { id: lotId }), replayed: false };
  }
}

/** What an earlier call with the same key has granted, or this one where it could not know whether its commit stands. */
async function knownOf(em: Em, grant: Grant, readsBack: boolean): Promise<GrantedPoints | null> {
  const { idempotencyKey, argumentsDigest: digest, lotId } = grant;
  if (idempotencyKey === null && !readsBack) return null;
  const where = idempotencyKey === null ? { id: lotId } : { idempotencyKey };
  const lot = await em.findOne(PointsLot, where, { disableIdentityMap: true });
  if (lot === null) return null;
  if (lot.argumentsDigest === digest) return { lot, replayed: lot.id !== lotId };
  const message = 'The idempotency key belongs to a call with other arguments.';
  return refuse('IDEMPOTENCY_KEY_REUSED', message, 'idempotencyKey');
}

function refuse(code: GrantPointsRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
