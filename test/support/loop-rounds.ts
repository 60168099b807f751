/** Counts the rounds of the event loop while work is under way: what arrives is served once in each. */
export async function roundsDuring<T>(work: () => Promise<T>): Promise<{ result: T; rounds: number }> {
  let rounds = 0;
  let next = setImmediate(function count() {
    rounds += 1;
    next = setImmediate(count);
  });
  try {
    const result = await work();
    return { result, rounds };
  } finally {
    clearImmediate(next);
  }
}
