import { useEffect, useRef } from 'react';
import { subscribe } from '../api/live';
import type { Operation } from '../api/operation';

/** Events of so long are shown together: thousands a second would keep the page from anything else. */
const BATCH_MS = 250;

/** Hears of a subscription while the page is open. @param onEvents gets the events of a moment, in their order */
export function useLive<Event extends { readonly cursor: string }>(
  operation: Operation<Readonly<Record<string, Event>>, { readonly after?: string | null | undefined }>,
  onEvents: (events: readonly Event[]) => void,
): void {
  const latest = useRef(onEvents);
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
    const end = subscribe(operation, (event) => {
      gathered.push(event);
      timer ??= setTimeout(flush, BATCH_MS);
    });
    return () => {
      clearTimeout(timer);
      gathered = [];
      end();
    };
  }, [operation]);
}
