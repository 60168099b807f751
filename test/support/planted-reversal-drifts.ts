import { addEvent, changeCode, dropLast, of, type PlantedDrift } from './planted-database-drifts.js';
import type { Scene } from './reconciliation.js';

/** The first redemption is reversed, if no other is named; all consumers have seen it. */
async function reverse(scene: Scene, wish: Record<string, unknown> = {}): Promise<void> {
  const { world, tenantId, redemptions } = scene;
  const input = { redemptionId: redemptions[0].id, reason: 'planted', spent: 'DEBT', ...wish };
  await world.services.reversals.reverse(tenantId, 'staff', input);
  await scene.sql(
    'update event_consumer set seq = (select last_seq from outbox_counter c where c.tenant_id = event_consumer.tenant_id) where tenant_id = ?',
    [tenantId],
  );
}

/** What reversals could leave behind in the database. */
export const REVERSAL_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'REVERSAL_NOT_STATED',
    what: 'a redemption that was reversed by hand',
    plant: async (s) => {
      await s.sql(`update redemption set reversed_at = now(3) where tenant_id = ? and id = ?`, of(s));
    },
  },
  {
    kind: 'GRANT_STATUS_DIFFERS',
    what: 'a reward that was taken back alone',
    plant: async (s) =>
      s.sql(`update reward_grant set status = 'REVERSED' where tenant_id = ? and redemption_id = ?`, of(s)),
  },
  {
    kind: 'GRANT_STATUS_DIFFERS',
    what: 'a reward that a reversal has forgotten',
    plant: async (s) => {
      await reverse(s);
      await s.sql(
        `update reward_grant set status = 'GRANTED' where tenant_id = ? and redemption_id = ?`,
        of(s),
      );
    },
  },
  {
    kind: 'ORDER_DIFFERS',
    what: 'an order that its reversal has not refunded',
    plant: async (s) => {
      await reverse(s);
      await s.sql(`update \`order\` set status = 'FINISHED' where tenant_id = ? and id = ?`, of(s));
    },
  },
  {
    kind: 'USED_DIFFERS',
    what: 'a use that a reversal gave back to the redemption and not to the code',
    plant: async (s) => {
      await reverse(s, { returnUse: true });
      await changeCode(s, 'used = used + 1');
    },
  },
  {
    kind: 'CAMPAIGN_USAGE_DIFFERS',
    what: 'a counter that a reversal has not moved',
    count: 3,
    plant: async (s) => {
      await reverse(s, { redemptionId: s.limited.id, returnUse: true });
      await s.sql('update campaign_usage set uses = uses + 1 where tenant_id = ?', [s.tenantId]);
    },
  },
  {
    kind: 'REDEMPTION_TOTAL_DIFFERS',
    what: 'a total that a reversal has not moved',
    plant: async (s) => {
      await reverse(s);
      await s.sql(`update redemption_total set total = 0 where tenant_id = ? and status = 'REVERSED'`, [
        s.tenantId,
      ]);
    },
  },
  {
    kind: 'REVERSAL_EVENT_DIFFERS',
    what: 'no word of a reversal',
    plant: async (s) => {
      await reverse(s);
      await dropLast(s);
    },
  },
  {
    kind: 'REVERSAL_EVENT_DIFFERS',
    what: 'word of a reversal that never was',
    plant: async (s) => {
      const select = `'redemption_reversed', null, ?, '{}', utc_timestamp(3) from outbox_counter c where true`;
      await addEvent(s, select, [s.redemptions[0].id]);
    },
  },
];
