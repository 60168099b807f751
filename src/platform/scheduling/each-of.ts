import pLimit from 'p-limit';

/** Does the work for each item, a few at once, in their order. A failure ends the rest, and is thrown after those under way. */
export async function eachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const limit = pLimit({ concurrency: atOnce, rejectOnClear: true });
  const all = [...items].map(async (item) => limit(work, item));
  for (const one of all) one.catch(() => limit.clearQueue());
  const settled = await Promise.allSettled(all);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}
