import { useState } from 'react';
import type { Operation } from '../api/operation';
import { useLive } from './use-live';

/** The last event of a subscription that tells the present; null until the first one. */
export function useLatest<Event extends object, Variables extends object>(
  operation: Operation<Readonly<Record<string, Event>>, Variables>,
  given: Omit<Variables, 'after'>,
): Event | null {
  const asked = JSON.stringify(given);
  const [latest, setLatest] = useState<{ readonly asked: string; readonly event: Event } | null>(null);
  useLive(
    operation,
    (events) => {
      const event = events.at(-1);
      if (event !== undefined) setLatest({ asked, event });
    },
    given,
  );
  return latest?.asked === asked ? latest.event : null;
}
