import { setTimeout as pause } from 'node:timers/promises';

/** Collects tenants with new events during a round, and ends the pause before the next one. */
export class WakeSignal {
  private readonly tenantIds = new Set<string>();
  private raised = Promise.withResolvers<void>();

  raise(tenantId?: string): void {
    if (tenantId !== undefined) this.tenantIds.add(tenantId);
    this.raised.resolve();
  }

  /** Everything raised since the last call. */
  take(): string[] {
    const taken = [...this.tenantIds];
    this.tenantIds.clear();
    this.raised = Promise.withResolvers();
    return taken;
  }

  /** Until it is raised and some time has passed to let more come, or until the time is up. */
  async wait(timeoutMs: number, lingerMs: number): Promise<void> {
    const timer = new AbortController();
    const late = pause(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
    const woken = await Promise.race([late.then(() => false), this.raised.promise.then(() => true)]);
    timer.abort();
    if (woken) await pause(lingerMs);
  }
}
