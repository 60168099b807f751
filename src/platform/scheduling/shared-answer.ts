/**
 * Makes one answer for all who ask while it is in the making, and for those who ask up to `keptMs` after it is there.
 * A failure is shared, too, and never kept.
 */
export function sharedAnswer<T>(make: () => Promise<T>, keptMs = 0): () => Promise<T> {
  let current: Promise<T> | null = null;
  const forget = (): void => {
    current = null;
  };
  return async () => {
    if (current !== null) return current;
    const answer = make();
    current = answer;
    answer.then(() => (keptMs > 0 ? setTimeout(forget, keptMs).unref() : forget()), forget);
    return answer;
  };
}
