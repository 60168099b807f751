import { expect } from 'vitest';
import type { Scene } from './reconciliation.js';
import { outcomeOf, redeem } from './world.js';

export interface PlantedDrift {
  readonly kind: string;
  /** What is wrong, in a few words. */
  readonly what: string;
  plant(scene: Scene): Promise<void>;
  /** How many there are; 1 by default. */
  readonly count?: number;
}

const LATER = 'created_at - interval 2 hour';
export const of = ({ tenantId, redemptions: [{ id }] }: Scene) => [tenantId, id] as const;

/** The other user redeems the first code, too. */
async function redeemAgain({ world, tenantId, users, texts }: Scene): Promise<void> {
  expect(outcomeOf(await redeem(world, tenantId, users[1], texts[0]))).toBe('COMMITTED');
}

/** Changes a code by hand as an expert would: raises the version and drops the copy. */
export async function changeCode(scene: Scene, assignments: string): Promise<void> {
  const { tenantId, codes } = scene;
  await scene.sql(`update code set ${assignments}, version = version + 1 where tenant_id = ? and id = ?`, [
    tenantId,
    codes[0].id,
  ]);
  await scene.world.stores.redis.del(scene.key(`code:${codes[0].codeDigest}`));
}

/** A change of the campaign long ago, so that what was redeemed came after it. */
async function ageChanges({ sql, tenantId }: Scene): Promise<void> {
  await sql(
    `update outbox_event set created_at = ${LATER} where tenant_id = ? and type = 'campaign_changed'`,
    [tenantId],
  );
}

async function setLimit(scene: Scene, assignment: string): Promise<void> {
  await ageChanges(scene);
  const { tenantId, limited } = scene;
  await scene.sql(`update campaign set ${assignment} where tenant_id = ? and id = ?`, [
    tenantId,
    limited.campaignId,
  ]);
}

/** Adds to the end of the tenant's log, as the writer of an event does. */
export async function addEvent(
  { sql, tenantId }: Scene,
  select: string,
  params: readonly unknown[],
): Promise<void> {
  await sql('update outbox_counter set last_seq = last_seq + 1 where tenant_id = ?', [tenantId]);
  await sql('update event_consumer set seq = seq + 1 where tenant_id = ?', [tenantId]);
  await sql(
    `insert into outbox_event (tenant_id, seq, type, user_id, subject_id, payload, created_at)
      select c.tenant_id, c.last_seq, ${select} and c.tenant_id = ?`,
    [...params, tenantId],
  );
}

const COPIED = `e.type, e.user_id, e.subject_id, e.payload, utc_timestamp(3) from outbox_counter c
  join outbox_event e on e.tenant_id = c.tenant_id and e.subject_id = ? where true`;

/** Takes the last event away, as if its number had never been given. */
export async function dropLast({ sql, tenantId }: Scene): Promise<void> {
  await sql('delete from outbox_event where tenant_id = ? order by seq desc limit 1', [tenantId]);
  await sql('update outbox_counter set last_seq = last_seq - 1 where tenant_id = ?', [tenantId]);
  await sql(
    'update event_consumer set seq = least(seq, (select last_seq from outbox_counter c where c.tenant_id = event_consumer.tenant_id)) where tenant_id = ?',
    [tenantId],
  );
}

async function changeEvent({ sql, tenantId, redemptions }: Scene, payload: string): Promise<void> {
  await sql(`update outbox_event set payload = ${payload} where tenant_id = ? and subject_id = ?`, [
    tenantId,
    redemptions[0].id,
  ]);
}

/** What the database holds wrongly. */
export const DATABASE_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'USES_OVER_LIMIT',
    what: 'a limit below what was redeemed',
    plant: async (scene) => {
      await redeemAgain(scene);
      await changeCode(scene, 'use_limit = 1, used = 1');
    },
  },
  { kind: 'USED_DIFFERS', what: 'a use too few', plant: async (s) => changeCode(s, 'used = used - 1') },
  { kind: 'USED_DIFFERS', what: 'a use too many', plant: async (s) => changeCode(s, 'used = used + 1') },
  {
    kind: 'USE_NUMBERS_DIFFER',
    what: 'an unused number',
    plant: async (s) => changeCode(s, 'last_use_no = last_use_no + 1'),
  },
  {
    kind: 'DIGEST_DIFFERS',
    what: 'a digest that another pepper has made',
    plant: async (s) =>
      s.sql('update code set code_digest = ? where tenant_id = ? and id = ?', [
        s.idleCode.codeDigest.split('').toReversed().join(''),
        s.tenantId,
        s.idleCode.id,
      ]),
  },
  {
    kind: 'REDEMPTION_WITHOUT_ORDER',
    what: 'an order that is gone',
    plant: async (s) => s.sql('delete from `order` where tenant_id = ? and id = ?', of(s)),
  },
  {
    kind: 'ORDER_DIFFERS',
    what: 'an order that failed although it was committed',
    plant: async (s) => s.sql(`update \`order\` set status = 'FAILED' where tenant_id = ? and id = ?`, of(s)),
  },
  {
    kind: 'ORDER_DIFFERS',
    what: 'an order of another user',
    plant: async (s) => s.sql('update `order` set user_id = 7 where tenant_id = ? and id = ?', of(s)),
  },
  {
    kind: 'REDEMPTION_WITHOUT_USE',
    what: 'a redemption without its use',
    plant: async (s) => {
      await s.sql('update redemption set user_use_no = null where tenant_id = ? and id = ?', of(s));
      await changeCode(s, 'used = used - 1');
      await s.world.stores.redis.del(s.key(`done:${s.users[0]}:${s.codes[0].codeDigest}`));
    },
  },
  {
    kind: 'TOMBSTONE_HOLDS_USE',
    what: 'a tombstone with a key',
    plant: async (s) =>
      s.sql(
        `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, product_code,
            claimed_at, settled_at, abort_reason, idempotency_key)
          select tenant_id, ?, 'ABORTED', code_id, campaign_id, batch_id, user_id, product_code, claimed_at,
            settled_at, 'DEADLINE_PASSED', 'lost' from redemption where tenant_id = ? and id = ?`,
        [s.world.services.ids.next(), ...of(s)],
      ),
  },
  {
    kind: 'REDEMPTION_WITHOUT_CODE',
    what: 'a redemption of another batch than its code',
    plant: async (s) => s.sql('update redemption set batch_id = 7 where tenant_id = ? and id = ?', of(s)),
  },
  {
    kind: 'REDEMPTION_WITHOUT_USER',
    what: 'a deleted user',
    plant: async (s) => {
      await redeemAgain(s);
      await s.sql('delete from user where tenant_id = ? and id = ?', [s.tenantId, s.users[1]]);
    },
  },
  {
    kind: 'ORDER_WITHOUT_REDEMPTION',
    what: 'an order of no redemption',
    plant: async (s) =>
      s.sql(
        `insert into \`order\` (tenant_id, id, user_id, type, status, amount, is_new, created_at)
          values (?, ?, ?, 'REDEMPTION', 'FINISHED', 0, 0, now(3))`,
        [s.tenantId, s.world.services.ids.next(), s.users[0]],
      ),
  },
  {
    kind: 'GRANT_MISSING',
    what: 'a grant that is gone',
    plant: async (s) => s.sql('delete from reward_grant where tenant_id = ? and redemption_id = ?', of(s)),
  },
  {
    kind: 'GRANT_DIFFERS',
    what: 'a grant of more than the rule says',
    plant: async (s) =>
      s.sql('update reward_grant set value = 1 where tenant_id = ? and redemption_id = ?', of(s)),
  },
  {
    kind: 'GRANT_WITHOUT_REDEMPTION',
    what: 'a grant of no redemption',
    plant: async (s) =>
      s.sql(
        `insert into reward_grant (tenant_id, redemption_id, reward_no, type, status, source_id, target_id, value, granted_at)
          select tenant_id, ?, reward_no, type, status, source_id, target_id, value, granted_at
            from reward_grant where tenant_id = ? and redemption_id = ?`,
        [s.world.services.ids.next(), ...of(s)],
      ),
  },
  {
    kind: 'SUBSCRIPTION_MISSING',
    what: 'a subscription that is gone',
    // One subscription, which four redemptions started and extended.
    count: 4,
    plant: async (s) => s.sql('delete from subscription where tenant_id = ?', [s.tenantId]),
  },
  {
    kind: 'SUBSCRIPTION_MISSING',
    what: 'a subscription of another user',
    count: 4,
    plant: async (s) => s.sql('update subscription set user_id = 7 where tenant_id = ?', [s.tenantId]),
  },
  {
    kind: 'EVENT_MISSING',
    what: 'no word of the redemption',
    plant: async (s) => {
      await redeemAgain(s);
      await dropLast(s);
    },
  },
  {
    kind: 'EVENT_MISSING',
    what: 'no word of the reward',
    plant: async (s) => changeEvent(s, `json_remove(payload, '$.rewards[0]')`),
  },
  {
    kind: 'EVENT_TWICE',
    what: 'a redemption with a second event much later',
    plant: async (s) => addEvent(s, COPIED, [s.redemptions[0].id]),
  },
  {
    kind: 'EVENT_TWICE',
    what: 'a reward that is in two events of its transaction',
    plant: async (s) =>
      changeEvent(s, `json_array_append(payload, '$.rewards', json_extract(payload, '$.rewards[0]'))`),
  },
  {
    kind: 'EVENT_WITHOUT_REDEMPTION',
    what: 'word of a redemption that never was',
    plant: async (s) => {
      const redemptionId = s.world.services.ids.next();
      const payload = JSON.stringify({ redemptionId, status: 'COMMITTED' });
      const select = `'redemption_settled', null, ?, ?, utc_timestamp(3) from outbox_counter c where true`;
      await addEvent(s, select, [redemptionId, payload]);
    },
  },
  {
    kind: 'EVENT_UNHANDLED',
    what: 'an event that one consumer has not handled for hours',
    plant: async (s) => {
      await ageChanges(s);
      await s.sql(
        `update event_consumer set seq = (select min(seq) - 1 from outbox_event e
          where e.tenant_id = event_consumer.tenant_id and e.type = 'campaign_changed')
          where tenant_id = ? and consumer = 'late_confirms'`,
        [s.tenantId],
      );
    },
  },
  {
    kind: 'EVENT_UNHANDLED',
    what: 'events that a consumer has never come to',
    plant: async (s) => {
      await s.sql(`update outbox_event set created_at = ${LATER} where tenant_id = ? and seq = 1`, [
        s.tenantId,
      ]);
      await s.sql(`delete from event_consumer where tenant_id = ? and consumer = 'code_copies'`, [
        s.tenantId,
      ]);
    },
  },
  {
    kind: 'EVENT_UNHANDLED',
    what: 'events that a consumer has never come to, in a log whose first ones are gone',
    plant: async (s) => {
      await s.sql('delete from outbox_event where tenant_id = ? and seq = 1', [s.tenantId]);
      await s.sql(`update outbox_event set created_at = ${LATER} where tenant_id = ? and seq = 2`, [
        s.tenantId,
      ]);
      await s.sql(`delete from event_consumer where tenant_id = ? and consumer = 'code_copies'`, [
        s.tenantId,
      ]);
    },
  },
  {
    kind: 'CONSUMER_AHEAD',
    what: 'a consumer that has passed the last event',
    plant: async (s) =>
      s.sql(`update event_consumer set seq = seq + 1 where tenant_id = ? and consumer = 'code_copies'`, [
        s.tenantId,
      ]),
  },
  {
    kind: 'EVENT_NUMBER_MISSING',
    what: 'a gap in the middle',
    plant: async (s) =>
      s.sql(`delete from outbox_event where tenant_id = ? and type = 'codes_generated' and seq > 1 limit 1`, [
        s.tenantId,
      ]),
  },
  {
    kind: 'EVENT_NUMBER_MISSING',
    what: 'numbers that were given to nothing',
    plant: async (s) =>
      s.sql('update outbox_counter set last_seq = last_seq + 3 where tenant_id = ?', [s.tenantId]),
  },
  {
    kind: 'CAMPAIGN_USAGE_DIFFERS',
    what: "a user's counter that missed a redemption",
    plant: async (s) =>
      s.sql('update campaign_usage set uses = uses - 1 where tenant_id = ? and user_id > 0 and day = 0', [
        s.tenantId,
      ]),
  },
  {
    kind: 'CAMPAIGN_USAGE_DIFFERS',
    what: "a user's counter of a day that missed a redemption",
    plant: async (s) =>
      s.sql('update campaign_usage set uses = uses - 1 where tenant_id = ? and day > 0', [s.tenantId]),
  },
  {
    kind: 'CAMPAIGN_USAGE_DIFFERS',
    what: 'a budget that missed some value',
    plant: async (s) =>
      s.sql('update campaign_usage set value = value - 0.0000000001 where tenant_id = ? and user_id = 0', [
        s.tenantId,
      ]),
  },
  {
    kind: 'USER_LIMIT_EXCEEDED',
    what: 'more than the limit in total',
    plant: async (s) => setLimit(s, 'user_limit_total = 1'),
  },
  {
    kind: 'USER_LIMIT_EXCEEDED',
    what: 'more than the limit of a day',
    plant: async (s) => setLimit(s, 'user_limit_day = 1'),
  },
  {
    kind: 'BUDGET_EXCEEDED',
    what: 'more redemptions than the budget has',
    plant: async (s) => setLimit(s, 'budget_uses = 1'),
  },
  {
    kind: 'BUDGET_EXCEEDED',
    what: 'more value than the budget has',
    plant: async (s) => setLimit(s, 'budget_value = 4.9999999999'),
  },
  {
    kind: 'TENANT_QUOTA_DIFFERS',
    what: 'a quota that gave too much back',
    plant: async (s) => s.sql('update tenant set codes_issued = codes_issued - 1 where id = ?', [s.tenantId]),
  },
  {
    kind: 'LIVE_CODES_DIFFER',
    what: 'a format that counts a code too many',
    plant: async (s) =>
      s.sql('update code_format set live = live + 1 where tenant_id = ? order by id limit 1', [s.tenantId]),
  },
  {
    kind: 'BATCH_COUNT_DIFFERS',
    what: 'a batch that lost a code',
    plant: async (s) =>
      s.sql('update code_batch set `generated` = `generated` + 1 where tenant_id = ? and id = ?', [
        s.tenantId,
        s.codes[0].batchId,
      ]),
  },
  {
    kind: 'CODE_TOTAL_DIFFERS',
    what: 'a total that counts a code which is not there',
    plant: async (s) =>
      s.sql('update code_total set total = total + 1 where tenant_id = ? and batch_id = ?', [
        s.tenantId,
        s.codes[0].batchId,
      ]),
  },
  {
    kind: 'CODE_TOTAL_DIFFERS',
    what: 'a code that was switched off past the totals',
    plant: async (s) => changeCode(s, "status = 'DISABLED'"),
  },
  {
    kind: 'REDEMPTION_TOTAL_DIFFERS',
    what: 'a total that lacks a redemption',
    plant: async (s) =>
      s.sql('update redemption_total set total = total - 1 where tenant_id = ? and batch_id = ?', [
        s.tenantId,
        s.codes[0].batchId,
      ]),
  },
  ...(['COMMITTED', 'REVERSED'] as const).map((outcome) => ({
    kind: 'REDEMPTION_SERIES_DIFFERS',
    what: `a day that counts one ${outcome} redemption too many`,
    plant: async (s: Scene) => {
      await s.world.services.seriesRecount.recount(s.tenantId);
      await s.sql(
        `insert into redemption_series (tenant_id, step, campaign_id, product_code, starts_at, outcome, total)
          values (?, 'DAY', 0, '', '2026-01-01', ?, 1)`,
        [s.tenantId, outcome],
      );
    },
  })),
];
