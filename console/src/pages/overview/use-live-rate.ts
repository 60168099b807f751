import { useEffect, useState } from 'react';
import { useOperation } from '../../api/queries';
import { useLive } from '../../kit/use-live';
import { RecentlySettledDocument, RedemptionSettledDocument } from './overview.gql';

export const WINDOW_S = 300;
const TICK_MS = 1000;

interface Counts {
  readonly committed: number;
  readonly refused: number;
}

export interface LiveRate {
  /** The seconds of the window, the latest last. */
  readonly times: readonly number[];
  readonly committed: readonly number[];
  readonly refused: readonly number[];
  /** Since the page was opened. */
  readonly settled: Counts;
}

const NONE: Counts = { committed: 0, refused: 0 };
const secondOf = (ms: number): number => Math.floor(ms / 1000);

/**
 * Redemptions by the second: those of before the page was opened as the server lists them, up to 500, and then each one
 * as it is settled.
 */
export function useLiveRate(): LiveRate {
  const [openedMs] = useState(() => Date.now());
  const [from] = useState(() => new Date(openedMs - WINDOW_S * 1000).toISOString());
  const { data } = useOperation(RecentlySettledDocument, { from }, undefined);
  const [counts] = useState(() => new Map<number, Counts>());
  const [settled, setSettled] = useState(NONE);
  const [now, setNow] = useState(() => secondOf(Date.now()));
  useEffect(() => {
    const timer = setInterval(() => setNow(secondOf(Date.now())), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  useLive(RedemptionSettledDocument, (events) => {
    const committed = events.filter(({ status }) => status === 'COMMITTED').length;
    const more = { committed, refused: events.length - committed };
    const second = secondOf(Date.now());
    counts.set(second, sum(counts.get(second), more));
    for (const old of counts.keys()) if (old < second - WINDOW_S) counts.delete(old);
    setNow(second);
    setSettled((before) => sum(before, more));
  });
  const earlier = new Map<number, number>();
  for (const { settledAt } of data?.redemptions.items ?? []) {
    const ms = Date.parse(settledAt);
    if (ms < openedMs) earlier.set(secondOf(ms), (earlier.get(secondOf(ms)) ?? 0) + 1);
  }
  const times = Array.from({ length: WINDOW_S }, (_, index) => now - WINDOW_S + 1 + index);
  return {
    times,
    committed: times.map((second) => (counts.get(second)?.committed ?? 0) + (earlier.get(second) ?? 0)),
    refused: times.map((second) => counts.get(second)?.refused ?? 0),
    settled,
  };
}

const sum = (a: Counts = NONE, b: Counts = NONE): Counts => ({
  committed: a.committed + b.committed,
  refused: a.refused + b.refused,
});
