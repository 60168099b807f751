import type { Clock } from '../platform/clock.js';
import { instantOfId, type Id } from '../platform/ids.js';
import { instantOf, type SqlInstant } from '../platform/database/sql-values.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import { eventKey, TOLD, type EventReader, type Moment } from './event-reader.js';
import type { Rows } from './rows.js';

/** Events follow the instant of their redemption by the time of one statement; a process may have slept in between. */
const NEAR = { beforeMs: 50, afterMs: 250 };
const FAR = { beforeMs: 60_000, afterMs: 600_000 };
/** What is just being removed because of its age is not missed. */
const RETENTION_MARGIN_MS = 3_600_000;

const MISSING = {
  kind: 'EVENT_MISSING',
  invariant: 'I5',
  holder: 'DATABASE',
  means: 'A redemption was committed, and the event that tells of it or of its reward is not in the outbox.',
  remedy: 'Both are written by one transaction: subscribers were not told, so tell them by hand.',
} as const satisfies Check;
const TWICE = {
  kind: 'EVENT_TWICE',
  invariant: 'I5',
  holder: 'DATABASE',
  means: 'The outbox tells twice of one redemption or reward, under different event ids.',
  remedy: 'Consumers drop repeated event ids, not repeated redemptions: look at what they did twice.',
} as const satisfies Check;
const WITHOUT_REDEMPTION = {
  kind: 'EVENT_WITHOUT_REDEMPTION',
  invariant: 'I5',
  holder: 'DATABASE',
  means: 'The outbox tells of a redemption as committed that is not there, or was given up.',
  remedy: 'Both are written by one transaction: find out what removed the redemption.',
} as const satisfies Check;

interface MomentRow {
  readonly id: Id;
  readonly settledAt: SqlInstant;
}

const SELECT_MOMENTS = `select cast(id as char) as id, settled_at as settledAt from redemption force index (primary)
   where tenant_id = ? and id in (?) and status <> 'ABORTED'`;
const SELECT_REWARDS = `select cast(redemption_id as char) as redemptionId, reward_no as rewardNo
    from reward_grant force index (primary)
   where tenant_id = ? and redemption_id in (?) and type = 'SUBSCRIPTION'`;

/** Redemptions that the outbox should tell of, once each. */
export class ToldChecks implements DatabaseChecks {
  readonly name = 'toldRedemptions';
  readonly checks = [MISSING, TWICE];

  constructor(
    private readonly rows: Rows,
    private readonly events: EventReader,
    private readonly clock: Clock,
    private readonly retentionMs: number,
  ) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'redemption', `t.status <> 'ABORTED'`);
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const since = this.clock.nowMs() - this.retentionMs + RETENTION_MARGIN_MS;
    const moments = (await momentsOf(this.rows, tenantId, ids)).filter(({ settledMs }) => settledMs > since);
    if (moments.length === 0) return [];
    const expected = await this.expected(tenantId, moments);
    const near = await this.events.counts(tenantId, moments, NEAR.beforeMs, NEAR.afterMs);
    const unsure = new Set(expected.filter(({ key }) => near.get(key) !== 1).map(({ id }) => id));
    const again = moments.filter(({ id }) => unsure.has(id));
    const far = await this.events.counts(tenantId, again, FAR.beforeMs, FAR.afterMs);
    return expected.flatMap(({ id, key, subject }) => {
      const count = unsure.has(id) ? (far.get(key) ?? 0) : 1;
      if (count === 1) return [];
      return [finding(count === 0 ? MISSING.kind : TWICE.kind, id, {}, subject)];
    });
  }

  /** One event for the redemption, and one for each reward. */
  private async expected(tenantId: string, moments: readonly Moment[]) {
    const ids = moments.map(({ id }) => id);
    const rewards = await this.rows.read<{ redemptionId: Id; rewardNo: number }>(tenantId, SELECT_REWARDS, [
      ids,
    ]);
    return [
      ...ids.map((id) => ({ id, key: eventKey(id, 'redemption_settled', null), subject: id })),
      ...rewards.map(({ redemptionId: id, rewardNo }) => {
        const key = eventKey(id, 'subscription_invalidated', rewardNo);
        return { id, key, subject: `${id}/${rewardNo}` };
      }),
    ];
  }
}

interface EventRow {
  readonly id: Id;
  readonly type: string;
  readonly redemptionId: Id;
  readonly rewardNo: string | null;
}

const SELECT_EVENTS = `
  select cast(id as char) as id, type, json_value(payload, '$.redemptionId') as redemptionId,
      json_value(payload, '$.rewardNo') as rewardNo
    from outbox_event force index (primary)
   where tenant_id = ? and id in (?) and ${TOLD} and json_value(payload, '$.redemptionId') is not null`;

/** Events that tell of a redemption, by what they tell of. */
export class EventChecks implements DatabaseChecks {
  readonly name = 'events';
  readonly checks = [WITHOUT_REDEMPTION];

  constructor(
    private readonly rows: Rows,
    private readonly events: EventReader,
  ) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(
      tenantId,
      'outbox_event',
      `t.type in ('redemption_settled', 'subscription_invalidated')`,
    );
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const events = await this.rows.read<EventRow>(tenantId, SELECT_EVENTS, [ids]);
    if (events.length === 0) return [];
    const wanted = [...new Set(events.map(({ redemptionId }) => redemptionId))];
    const rows = await momentsOf(this.rows, tenantId, wanted);
    const moments = new Map(rows.map((row) => [row.id, row]));
    const found: Finding[] = [];
    for (const event of events) {
      const moment = moments.get(event.redemptionId);
      if (moment === undefined) {
        found.push(finding(WITHOUT_REDEMPTION.kind, event.id, { event: event.id }, event.redemptionId));
      } else if (await this.isRepetition(tenantId, event, moment)) {
        found.push(finding(TWICE.kind, event.id, { event: event.id }, event.redemptionId));
      }
    }
    return found;
  }

  /** An event far from its redemption's instant is the only one, or it is one too many. */
  private async isRepetition(tenantId: string, event: EventRow, moment: Moment): Promise<boolean> {
    const lateMs = instantOfId(event.id) - moment.settledMs;
    if (lateMs >= -NEAR.beforeMs && lateMs < NEAR.afterMs) return false;
    const near = await this.events.counts(tenantId, [moment], NEAR.beforeMs, NEAR.afterMs);
    return near.has(eventKey(event.redemptionId, event.type, event.rewardNo));
  }
}

async function momentsOf(rows: Rows, tenantId: string, ids: readonly Id[]): Promise<Moment[]> {
  const found = await rows.read<MomentRow>(tenantId, SELECT_MOMENTS, [ids]);
  return found.map(({ id, settledAt }) => ({ id, settledMs: instantOf(settledAt)?.getTime() ?? 0 }));
}
