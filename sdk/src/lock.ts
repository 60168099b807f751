/** One caller at a time, in all tabs of a browser: `navigator.locks` does it, and is used where there is one. */
export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>;

interface LockManager {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Browsers share a lock between tabs; elsewhere it is one of this program. */
export function platformLock(): Lock {
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: LockManager } };
  const locks = navigator?.locks;
  if (locks !== undefined) return async (name, work) => locks.request(name, work);
  let last: Promise<unknown> = Promise.resolve();
  return async (_name, work) => {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  };
}
