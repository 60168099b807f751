import type { MikroORM } from '@mikro-orm/core';
import { isRetryable } from '../database/sql-errors.js';
import type { Logger } from '../observability/log.js';
import { PARTITION_TAGS, partitionOf } from '../partitions.js';
import { Periodic } from '../scheduling/periodic.js';
import { LeaseLostError, type Fence } from './fence.js';
import { LeaseRows, type LeaseRow } from './lease-rows.js';

/** A worker that fell silent for this long (killed, paused, cut off) loses its partitions. */
const SILENCE_MAX_MS = 6000;
/** How often a worker shows itself within that time, and looks whether its share is right. */
const SIGNS_OF_LIFE = 4;
/**
 * Looks of a new worker before the others count it; until then it takes only what is free. One that dies as soon as it
 * has started, again and again, must not make them give up tenants that it never takes.
 */
export const LOOKS_BEFORE_COUNTED = SIGNS_OF_LIFE;
const TENANTS = 'tenants/';
const PARTITION = `${TENANTS}partition/`;
/** Beside its partitions each worker holds a lease of its own, by which the others count it. */
const WORKER = `${TENANTS}worker/`;

export interface PartitionLeaseSettings {
  readonly log: Logger;
  readonly silenceMaxMs?: number;
}

interface Held {
  readonly fence: Fence;
  /** Works that are under way. */
  uses: number;
  /** Another worker is to have it: nothing further begins. */
  isLeaving: boolean;
}

/**
 * Divides the tenants among all workers, by partitions: each holds the leases of its share. A worker that comes gets
 * some of the others', which they give up when their work on it has ended; those of one that goes, or falls silent, are
 * taken by the others. Writes that must not be made twice check the fence.
 */
export class PartitionLeases {
  private readonly rows: LeaseRows;
  private readonly held = new Map<number, Held>();
  private readonly keeping: Periodic;
  private readonly silenceMaxMs: number;
  /** By the clock that only goes forward, as the last renewal was sent. */
  private heldUntilMs = 0;
  private looks = 0;
  private onTaken: () => void = () => undefined;

  constructor(orm: MikroORM, { log, silenceMaxMs = SILENCE_MAX_MS }: PartitionLeaseSettings) {
    this.silenceMaxMs = silenceMaxMs;
    this.rows = new LeaseRows(orm, silenceMaxMs);
    const everyMs = silenceMaxMs / SIGNS_OF_LIFE;
    this.keeping = new Periodic({ name: 'partitions', everyMs, log }, async () => this.balance());
  }

  /** Takes a first share, where the database answers, and keeps it in step with the number of workers. */
  async start(taken: () => void): Promise<void> {
    this.onTaken = taken;
    await this.balance().catch(() => undefined);
    this.keeping.start();
  }

  /** After all work has ended. */
  async stop(): Promise<void> {
    await this.keeping.stop();
    const names = [...this.names, this.ownName];
    this.held.clear();
    // Without the database they expire.
    await this.rows.giveBack(names).catch(() => undefined);
  }

  /** Whether the tenant is among this worker's. */
  holds(tenantId: string): boolean {
    return this.heldOf(tenantId) !== null;
  }

  /** Works for a tenant if it is among this worker's. @returns null where it is not, or is no longer */
  async whileHeld<T>(tenantId: string, work: (fence: Fence) => Promise<T>): Promise<T | null> {
    const held = this.heldOf(tenantId);
    if (held === null) return null;
    held.uses += 1;
    try {
      return await work(held.fence);
    } catch (error) {
      if (error instanceof LeaseLostError) return null;
      throw error;
    } finally {
      held.uses -= 1;
    }
  }

  /** Renews, and takes or gives up what the number of workers asks for. */
  async balance(): Promise<void> {
    const untilMs = performance.now() + this.silenceMaxMs;
    await this.renew();
    const all = await this.rows.beginningWith(TENANTS);
    this.forgetLost(all);
    this.heldUntilMs = untilMs;
    this.looks += 1;
    const share = this.shareAmong(all);
    await this.giveUpBeyond(share);
    if (await this.takeUpTo(share, all)) this.onTaken();
  }

  private get names(): readonly string[] {
    return [...this.held.values()].map(({ fence }) => fence.name);
  }

  private get ownName(): string {
    return `${WORKER}${this.rows.owner}`;
  }

  private heldOf(tenantId: string): Held | null {
    const held = this.held.get(partitionOf(tenantId));
    return held === undefined || held.isLeaving || performance.now() > this.heldUntilMs ? null : held;
  }

  private async renew(): Promise<void> {
    const locked = await this.rows.renewUnlocked(this.names);
    await this.renewOwn();
    try {
      // Mostly they are locked for a moment only.
      await this.rows.renew(locked);
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
  }

  private async renewOwn(): Promise<void> {
    if (this.looks < LOOKS_BEFORE_COUNTED) return;
    if ((await this.rows.renew([this.ownName])) > 0) return;
    await this.rows.forgetExpired(WORKER);
    await this.rows.take(this.ownName);
  }

  /** Those that others have taken while this process did not renew them. */
  private forgetLost(all: readonly LeaseRow[]): void {
    const rows = new Map(all.map((row) => [row.name, row]));
    for (const [partition, { fence }] of this.held) {
      const row = rows.get(fence.name);
      if (row?.owner !== fence.owner || row.fence !== fence.no) this.held.delete(partition);
    }
  }

  /** Of the workers in the order of their names, so that the shares of all are the whole. */
  private shareAmong(all: readonly LeaseRow[]): number {
    const others = all.filter(({ name, isFree }) => name.startsWith(WORKER) && !isFree);
    const workers = [...new Set([this.ownName, ...others.map(({ name }) => name)])].toSorted();
    const isOneMore = workers.indexOf(this.ownName) < PARTITION_TAGS.length % workers.length;
    return Math.floor(PARTITION_TAGS.length / workers.length) + (isOneMore ? 1 : 0);
  }

  /** Idle ones first: a partition whose work does not end would stand still until it does. */
  private async giveUpBeyond(share: number): Promise<void> {
    const busiestFirst = [...this.held.values()].toSorted((a, b) => b.uses - a.uses);
    for (const [at, held] of busiestFirst.entries()) held.isLeaving = at >= share;
    const idle = [...this.held].filter(([, { isLeaving, uses }]) => isLeaving && uses === 0);
    for (const [partition] of idle) this.held.delete(partition);
    await this.rows.giveBack(idle.map(([, { fence }]) => fence.name));
  }

  /** From one at random on, so that workers that start together seldom meet. @returns whether it took any */
  private async takeUpTo(share: number, all: readonly LeaseRow[]): Promise<boolean> {
    const taken = new Set(all.filter(({ isFree }) => !isFree).map(({ name }) => name));
    const first = Math.floor(Math.random() * PARTITION_TAGS.length);
    const inOrder = PARTITION_TAGS.map((_tag, at) => (first + at) % PARTITION_TAGS.length);
    const free = inOrder.filter((partition) => !taken.has(nameOf(partition)) && !this.held.has(partition));
    const wanted = free.slice(0, Math.max(share - this.held.size, 0));
    let count = 0;
    for (const partition of wanted) {
      const fence = await this.rows.take(nameOf(partition));
      if (fence === null) continue;
      this.held.set(partition, { fence, uses: 0, isLeaving: false });
      count += 1;
    }
    return count > 0;
  }
}

function nameOf(partition: number): string {
  return `${PARTITION}${partition}`;
}
