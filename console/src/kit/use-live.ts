import { useEffect, useRef } from 'react';
import { subscribe } from '../api/live';
import type { Operation } from '../api/operation';

/** Events of so long are shown together: thousands a second would keep the page from anything else. */
const BATCH_MS = 250;

/**
 * Hears of a subscription while the page is open.
 * @param onEvents gets the events of a moment, in their order
 * @param given variables of the subscription without `after`
 */
export function useLive<Event extends object, Variables extends object>(
  operation: Operation<Readonly<Record<string, Event>>, Variables>,
  onEvents: (events: readonly Event[]) => void,
  given = {} as Omit<Variables, 'after'>,
): void {
  const latest = useRef(onEvents);
  const wanted = JSON.stringify(given);
  useEffect(() => {
    latest.current = onEvents;
  });
  useEffect(() => {
    let gathered: Event[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      latest.current(gathered.splice(0));
    };
    const end = subscribe(operation, JSON.parse(wanted) as typeof given, (event) => {
      gathered.push(event);
      timer ??= setTimeout(flush, BATCH_MS);
    });
    return () => {
      clearTimeout(timer);
      gathered = [];
      end();
    };
  }, [operation, wanted]);
}
