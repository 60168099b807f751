import { firstIdAt, type Id } from '../platform/ids.js';
import type { Rows } from './rows.js';

export interface Moment {
  readonly id: Id;
  readonly settledMs: number;
}

/** So many stretches of time are asked for by one statement. */
const RANGES_MAX = 200;

interface CountRow {
  readonly redemptionId: Id | null;
  readonly type: string;
  readonly rewardNo: string | null;
  readonly events: number;
}

/** What tells that something of a redemption was settled: the redemption itself, or one of its rewards. */
export const TOLD = `type in ('redemption_settled', 'subscription_invalidated')
  and (type <> 'redemption_settled' or json_value(payload, '$.status') = 'COMMITTED')`;

/**
 * Finds the events of redemptions. They have no index by redemption; but ids begin with their time, and events are
 * written by the transaction that settles the redemption, so they stand close to its instant.
 */
export class EventReader {
  constructor(private readonly rows: Rows) {}

  /** How many events there are near the redemptions, by {@link eventKey}; among them some of their neighbours. */
  async counts(
    tenantId: string,
    moments: readonly Moment[],
    beforeMs: number,
    afterMs: number,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const ranges = merged(moments.map(({ settledMs }) => [settledMs - beforeMs, settledMs + afterMs]));
    for (let at = 0; at < ranges.length; at += RANGES_MAX) {
      const some = ranges.slice(at, at + RANGES_MAX);
      const places = some.map(() => '(id >= cast(? as unsigned) and id < cast(? as unsigned))').join(' or ');
      const found = await this.rows.read<CountRow>(
        tenantId,
        `select json_value(payload, '$.redemptionId') as redemptionId, type,
            json_value(payload, '$.rewardNo') as rewardNo, count(*) as events
          from outbox_event force index (primary)
         where tenant_id = ? and (${places}) and ${TOLD}
         group by json_value(payload, '$.redemptionId'), type, json_value(payload, '$.rewardNo')`,
        some.flatMap(([from, to]) => [firstIdAt(from), firstIdAt(to)]),
      );
      for (const { redemptionId, type, rewardNo, events } of found) {
        const key = eventKey(redemptionId ?? '', type, rewardNo);
        counts.set(key, (counts.get(key) ?? 0) + events);
      }
    }
    return counts;
  }
}

export function eventKey(redemptionId: Id, type: string, rewardNo: number | string | null): string {
  return `${redemptionId}|${type}|${rewardNo ?? ''}`;
}

type Range = readonly [from: number, to: number];

/** Stretches that overlap become one, so that no event is counted twice. */
function merged(ranges: readonly Range[]): Range[] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
