import type { Evidence, SeenEvent } from './evidence.js';
import { violation, type Violation } from './violation.js';

/** I7: the subscriber saw every event, live or by its cursor, in order; what comes again has come before. */
export function checkStream({ facts, seen }: Evidence): Violation[] {
  const events = facts.events.filter(({ type }) => type === 'redemption_settled');
  const found = checkNumbers(facts);
  if (seen === null) return found.map((what) => violation('I7', what));
  const firsts = firstSightings(seen);
  const known = new Map(events.map((event) => [event.id, event]));
  for (const { id, redemptionId } of events) {
    if (!firsts.has(id)) found.push(`event ${id} of redemption ${redemptionId} was never seen`);
  }
  let last = 0;
  for (const [id, { cursor, redemptionId, status }] of firsts) {
    const event = known.get(id);
    if (event === undefined) found.push(`event ${id} was seen and is not there`);
    else if (event.seq !== Number(cursor) || event.redemptionId !== redemptionId || event.status !== status) {
      found.push(`event ${id} was seen other than it is`);
    }
    if (Number(cursor) <= last) found.push(`event ${id} came after a later one`);
    last = Math.max(last, Number(cursor));
  }
  return found.map((what) => violation('I7', what));
}

/** Clients drop duplicates by id, so an event counts where it came first. */
function firstSightings(seen: readonly SeenEvent[]): Map<string, SeenEvent> {
  const firsts = new Map<string, SeenEvent>();
  for (const event of seen) if (!firsts.has(event.eventId)) firsts.set(event.eventId, event);
  return firsts;
}

/** The events of the tenant are numbered without gaps, and all consumers have handled them. */
function checkNumbers({ events, counter: { lastSeq, handledSeq } }: Evidence['facts']): string[] {
  const numbers = events.map(({ seq }) => seq).toSorted((a, b) => a - b);
  const isGapless = lastSeq === events.length && numbers.every((number, at) => number === at + 1);
  return [
    ...(isGapless ? [] : ['the events of the tenant are not numbered without gaps']),
    ...(handledSeq === events.length
      ? []
      : [`${handledSeq} of ${events.length} events were handled by all consumers`]),
  ];
}
