import type { Claim } from '../claim/claim.js';
import type { CommitOutcome } from './commit-outcome.js';
import { TenantQueue, type QueuedClaim } from './tenant-queue.js';

export interface GroupCommitSettings {
  /** Claims that one transaction commits at most; 1 switches group commit off. */
  readonly batchMax: number;
  /** Commits of one tenant under way at once, and of several tenants. */
  readonly lanes: number;
  /** Tenants whose claims one transaction commits at most; 1 has each tenant go alone. */
  readonly tenantsMax: number;
}

type RedemptionKey = Pick<Claim, 'tenantId' | 'redemptionId'>;

/** Claims by tenant. */
export type Batches = ReadonlyMap<string, readonly QueuedClaim[]>;

/** What brings batches to their end. Each resolves when the next one may begin. */
export interface Commits {
  /** Settles all claims of a batch. @returns whether each of them came to a redemption at the first try */
  alone(tenantId: string, batch: readonly QueuedClaim[]): Promise<boolean>;
  /** Settles claims of several tenants. @returns those that are to be committed with their tenant alone */
  together(batches: Batches): Promise<ReadonlySet<QueuedClaim>>;
}

/** What one lane commits of one tenant. */
interface Part {
  readonly queue: TenantQueue;
  readonly batch: readonly QueuedClaim[];
}

/** Tenants that can go alone by all of their lanes at once; others wait, because each lane takes a connection. */
export const TENANTS_ALONE_AT_ONCE = 4;
/** A batch below this share of what one transaction takes goes with those of other tenants. */
const SHARE_OF_SMALL = 1 / 8;
/** How long a small batch waits for a lane of such commits, where those may be held up; most take less. */
const SHARED_WAIT_MS = 250;
/** How often queues are looked at that may have become idle. */
const FORGET_EVERY_MS = 1000;

/** Connections that all lanes take at most. */
export function connectionsOf(lanes: number): number {
  return lanes * (TENANTS_ALONE_AT_ONCE + 1);
}

/**
 * Collects claims, and hands them on in batches. Two half commits cost twice what one whole does: a batch waits a moment
 * for requests that are under way, and for clients that were just answered and send their next request at once; and
 * small batches of several tenants go together. A lone request does not wait.
 *
 * A commit of one tenant may wait for rows that others hold. One of several tenants leaves such claims out as far as it
 * can, and has lanes of its own.
 */
export class GroupCommit {
  /** A tenant whose turn is over goes to the end. */
  private readonly queues = new Map<string, TenantQueue>();
  /** By {@link keyOf}. */
  private readonly inFlight = new Map<string, Promise<CommitOutcome>>();
  private lanesAlone = 0;
  private lanesShared = 0;
  private isWoken = false;
  private nextLook: { readonly atMs: number; readonly timer: NodeJS.Timeout } | null = null;
  private forgetting: NodeJS.Timeout | null = null;

  constructor(
    private readonly commits: Commits,
    private readonly settings: GroupCommitSettings,
  ) {}

  /** A request is under way that may bring a claim. @returns what to call when it has ended, committed or not */
  expect(tenantId: string): (isCommitted: boolean) => void {
    const queue = this.queueOf(tenantId);
    queue.begin();
    return (isCommitted) => {
      queue.end(isCommitted);
      if (queue.length > 0) this.wake();
    };
  }

  /** While an expected request waits for others it brings no claim, and commits do not wait for it. */
  async aside<T>(tenantId: string, waiting: Promise<T>): Promise<T> {
    const queue = this.queueOf(tenantId);
    queue.stepAside();
    if (queue.length > 0) this.wake();
    return waiting.finally(() => queue.stepBack());
  }

  /** Commits a claim. The same id joins the commit that is under way for it. */
  async settle(claim: Claim): Promise<CommitOutcome> {
    const underWay = this.joining(claim);
    if (underWay !== undefined) return underWay;
    const key = keyOf(claim);
    const outcome = new Promise<CommitOutcome>((resolve, reject) => {
      this.queueOf(claim.tenantId).add({ claim, resolve, reject });
      this.wake();
    }).finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, outcome);
    return outcome;
  }

  /** The commit of a redemption that is under way in this process. */
  joining(redemption: RedemptionKey): Promise<CommitOutcome> | undefined {
    return this.inFlight.get(keyOf(redemption));
  }

  /** Resolves when no claim is left to commit. */
  async drained(): Promise<void> {
    while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight.values());
  }

  private queueOf(tenantId: string): TenantQueue {
    let queue = this.queues.get(tenantId);
    if (queue === undefined) {
      queue = new TenantQueue(tenantId);
      this.queues.set(tenantId, queue);
      this.forgetting ??= setTimeout(() => this.forgetIdle(), FORGET_EVERY_MS).unref();
    }
    return queue;
  }

  /** Requests of the same turn of the event loop go together. */
  private wake(): void {
    if (this.isWoken) return;
    this.isWoken = true;
    setImmediate(() => {
      this.isWoken = false;
      this.startLanes();
    });
  }

  private startLanes(): void {
    const nowMs = performance.now();
    for (const queue of this.queues.values()) queue.forgetReturning(nowMs);
    for (const queue of this.queues.values()) {
      let isStarted = true;
      while (isStarted) isStarted = this.startLane(queue, nowMs);
    }
  }

  /** @returns false where none can start now */
  private startLane(queue: TenantQueue, nowMs: number): boolean {
    const { batchMax, lanes } = this.settings;
    if (queue.length === 0 || queue.busyLanes >= lanes || queue.isShared) return false;
    const heldUntilMs = queue.heldUntilMs(nowMs, batchMax);
    if (heldUntilMs > nowMs) {
      this.lookAgainAt(heldUntilMs);
      return false;
    }
    if (!this.mayShare(queue)) return this.startAlone(queue);
    if (this.lanesShared < lanes) {
      const [first, ...others] = this.takeSmall(queue, nowMs);
      const isQuiet = others.length === 0 && this.lanesAlone + this.lanesShared < lanes;
      void (isQuiet ? this.runAlone(first) : this.runShared([first, ...others]));
      return true;
    }
    // What comes meanwhile goes together when one of these lanes has ended.
    const waitsUntilMs = queue.firstMs + SHARED_WAIT_MS;
    if (waitsUntilMs <= nowMs) return this.startAlone(queue);
    this.lookAgainAt(waitsUntilMs);
    return false;
  }

  private startAlone(queue: TenantQueue): boolean {
    if (this.lanesAlone >= this.settings.lanes * TENANTS_ALONE_AT_ONCE) return false;
    void this.runAlone(this.take(queue));
    return true;
  }

  /** One with a commit under way could wait for rows that this commit holds. */
  private mayShare({ length, busyLanes, isAlone }: TenantQueue): boolean {
    const { tenantsMax, batchMax } = this.settings;
    return tenantsMax > 1 && !isAlone && busyLanes === 0 && length < batchMax * SHARE_OF_SMALL;
  }

  private take(queue: TenantQueue): Part {
    queue.busyLanes += 1;
    return { queue, batch: queue.take(this.settings.batchMax) };
  }

  /** The batch of this tenant, and small ones of others that may go now. */
  private takeSmall(queue: TenantQueue, nowMs: number): [Part, ...Part[]] {
    const { batchMax, tenantsMax } = this.settings;
    const first = this.take(queue);
    const others: Part[] = [];
    let room = batchMax - first.batch.length;
    for (const other of this.queues.values()) {
      if (others.length + 1 === tenantsMax) break;
      if (other.length === 0 || other.length > room || !this.mayShare(other)) continue;
      if (other.heldUntilMs(nowMs, batchMax) > nowMs) continue;
      room -= other.length;
      others.push(this.take(other));
    }
    return [first, ...others];
  }

  private async runAlone(part: Part): Promise<void> {
    const { queue, batch } = part;
    this.lanesAlone += 1;
    const isClean = await orReject([part], false, async () => this.commits.alone(queue.tenantId, batch));
    this.lanesAlone -= 1;
    queue.isAlone = !isClean;
    this.release([queue]);
  }

  /** What is put back goes first, and alone: others' claims are not held up by it again. */
  private async runShared(parts: readonly Part[]): Promise<void> {
    this.lanesShared += 1;
    for (const { queue } of parts) queue.isShared = true;
    const batches = new Map(parts.map(({ queue, batch }) => [queue.tenantId, batch]));
    const left = await orReject(parts, NONE, async () => this.commits.together(batches));
    this.lanesShared -= 1;
    for (const { queue, batch } of parts) {
      queue.isShared = false;
      const back = batch.filter((queued) => left.has(queued));
      if (back.length === 0) continue;
      queue.putBack(back);
      queue.isAlone = true;
    }
    this.release(parts.map(({ queue }) => queue));
  }

  /** To the end, behind the tenants that wait. */
  private release(queues: readonly TenantQueue[]): void {
    for (const queue of queues) {
      queue.busyLanes -= 1;
      this.queues.delete(queue.tenantId);
      this.queues.set(queue.tenantId, queue);
    }
    this.startLanes();
  }

  /** One timer for all tenants: the earliest look counts. */
  private lookAgainAt(atMs: number): void {
    if (this.nextLook !== null && this.nextLook.atMs <= atMs) return;
    clearTimeout(this.nextLook?.timer);
    const look = (): void => {
      this.nextLook = null;
      this.startLanes();
    };
    this.nextLook = { atMs, timer: setTimeout(look, Math.max(1, Math.ceil(atMs - performance.now()))) };
  }

  private forgetIdle(): void {
    const nowMs = performance.now();
    for (const [tenantId, queue] of this.queues) if (queue.isForgotten(nowMs)) this.queues.delete(tenantId);
    this.forgetting =
      this.queues.size === 0 ? null : setTimeout(() => this.forgetIdle(), FORGET_EVERY_MS).unref();
  }
}

function keyOf({ tenantId, redemptionId }: RedemptionKey): string {
  return `${tenantId}|${redemptionId}`;
}

const NONE: ReadonlySet<QueuedClaim> = new Set();

/** An error that is no outcome goes to the callers of all claims. */
async function orReject<T>(parts: readonly Part[], otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const { batch } of parts) for (const { reject } of batch) reject(error);
    return otherwise;
  }
}
