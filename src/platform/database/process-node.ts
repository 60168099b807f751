import { randomUUID } from 'node:crypto';
import { raw, type MikroORM } from '@mikro-orm/core';
import { invariant } from '../assert.js';
import { systemClock, type Clock } from '../clock.js';
import { NODE_COUNT, type NodeLease } from '../ids.js';
import type { Logger } from '../observability/log.js';
import { systemEm, type Em } from './orm.js';
import { ProcessNode } from './process-node.entity.js';
import { ProcessPresence, UNSEEN, type ShownProcess } from './process-presence.js';
import { isDuplicateKey } from './sql-errors.js';
import { ACROSS_TENANTS } from './tenant-filter.js';

const HOUR_MS = 3_600_000;
const LEASE_HOURS = 24;
const RENEW_EVERY_MS = 600_000;
/** A process that has not renewed its lease for this long is gone. */
const SILENCE_MAX_S = 900;
/**
 * How far the clocks of two processes may be apart: a node that was given back is not used for this time, and a lease
 * counts as expired this much before it is. Ids of the next holder are then later than all of the last one.
 */
const CLOCKS_APART_S = 60;
/** Races lost in a row before something else must be wrong; each is lost to a process that won a node. */
const TRIES_MAX = 200;

/** Leases are judged by the database's clock, the only one that all processes share. */
const leaseEnd = () => raw<Date>(`utc_timestamp(3) + interval ${LEASE_HOURS} hour`);
const databaseNow = () => raw<Date>('utc_timestamp(3)');

export interface ProcessNodeOptions {
  readonly clock?: Clock;
  readonly renewEveryMs?: number;
  /** Fingerprints of the keys that this process can read with, for {@link processesWithout}. */
  readonly keyPrints?: readonly string[];
  /** What staff see of a process that stays; commands have nothing to show. */
  readonly shown?: ShownProcess;
}

/** Leases a node number for the ids of this process, and keeps it until it is released. */
export async function acquireProcessNode(
  orm: MikroORM,
  log: Logger,
  options: ProcessNodeOptions = {},
): Promise<ProcessNodeHolder> {
  const { clock = systemClock, renewEveryMs = RENEW_EVERY_MS, keyPrints = [] } = options;
  const node = new ProcessNodeHolder(orm, log, clock, keyPrints.join(','));
  await node.take();
  node.keep(renewEveryMs);
  if (options.shown !== undefined) await node.show(options.shown);
  return node;
}

/**
 * How many processes are at work that cannot read with this key. One that was killed counts until its lease should
 * have been renewed.
 */
export async function processesWithout(em: Em, keyPrint: string): Promise<number> {
  const lastRenewalS = LEASE_HOURS * 3600 - SILENCE_MAX_S;
  const [row]: { count: number }[] = await em.execute(
    `select count(*) as count from process_node
      where leased_until > utc_timestamp(3) + interval ? second
        and (key_prints is null or not find_in_set(?, key_prints))`,
    [lastRenewalS, keyPrint],
  );
  return row?.count ?? 0;
}

export class ProcessNodeHolder {
  private current: NodeLease = { nodeNo: 0, validUntilMs: 0 };
  private renewal: NodeJS.Timeout | undefined;
  private presence: ProcessPresence | null = null;
  private readonly owner = randomUUID();
  private released = false;

  constructor(
    private readonly orm: MikroORM,
    private readonly log: Logger,
    private readonly clock: Clock,
    private readonly keyPrints: string,
  ) {}

  /** What {@link IdGenerator} asks before each id. */
  lease(): NodeLease {
    return this.current;
  }

  keep(everyMs: number): void {
    this.renewal = setInterval(() => void this.renew(), everyMs).unref();
  }

  async show(process: ShownProcess): Promise<void> {
    const row = () => ({ nodeNo: this.current.nodeNo, owner: this.owner });
    this.presence = new ProcessPresence(this.orm, this.log, row, process);
    await this.presence.begin();
  }

  /** Tries free numbers at random, so that processes that start together seldom meet; the primary key decides. */
  async take(): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const nodeNo = await this.freeNodeNo();
      const validUntilMs = this.validity();
      if (await this.claim(nodeNo)) {
        this.current = { nodeNo, validUntilMs };
        return;
      }
    }
    throw new Error(`No process node could be leased in ${TRIES_MAX} tries.`);
  }

  /** A renewal that fails is tried again next time; ids stop only when the lease has really run out. */
  private async renew(): Promise<void> {
    try {
      const validUntilMs = this.validity();
      const { nodeNo } = this.current;
      const kept = await systemEm(this.orm).nativeUpdate(
        ProcessNode,
        { nodeNo, owner: this.owner },
        { leasedUntil: leaseEnd() },
        ACROSS_TENANTS,
      );
      if (this.released) return;
      if (kept === 1) {
        this.current = { nodeNo, validUntilMs };
        return;
      }
      // Another process holds the number by now: no further id may use it.
      this.current = { nodeNo, validUntilMs: 0 };
      this.log.error({ nodeNo }, 'process node was lost, taking another one');
      await this.take();
    } catch (error) {
      this.log.warn({ err: error }, 'process node could not be renewed');
    }
  }

  /** Gives the node back; no id can be made after that. */
  async release(): Promise<void> {
    clearInterval(this.renewal);
    this.presence?.end();
    const { nodeNo } = this.current;
    this.released = true;
    this.current = { nodeNo, validUntilMs: 0 };
    await systemEm(this.orm).nativeUpdate(
      ProcessNode,
      { nodeNo, owner: this.owner },
      { ...UNSEEN, leasedUntil: raw<Date>(`utc_timestamp(3) + interval ${CLOCKS_APART_S} second`) },
      ACROSS_TENANTS,
    );
  }

  /** Read before the statement is sent, so that the local end of the lease is never later than the database's. */
  private validity(): number {
    return this.clock.nowMs() + LEASE_HOURS * HOUR_MS - CLOCKS_APART_S * 1000;
  }

  private async freeNodeNo(): Promise<number> {
    const held = await systemEm(this.orm).find(
      ProcessNode,
      { leasedUntil: { $gte: databaseNow() } },
      { fields: ['nodeNo'], ...ACROSS_TENANTS },
    );
    const taken = new Set(held.map((node) => node.nodeNo));
    const free = Array.from({ length: NODE_COUNT }, (_, nodeNo) => nodeNo).filter(
      (nodeNo) => !taken.has(nodeNo),
    );
    const nodeNo = free[Math.floor(Math.random() * free.length)];
    invariant(nodeNo !== undefined, `All ${NODE_COUNT} process nodes are leased.`);
    return nodeNo;
  }

  /** Takes over a lease that has run out, or a number that was never taken. */
  private async claim(nodeNo: number): Promise<boolean> {
    const em = systemEm(this.orm);
    const expired = { nodeNo, leasedUntil: { $lt: databaseNow() } };
    const lease = { owner: this.owner, leasedUntil: leaseEnd(), keyPrints: this.keyPrints, ...UNSEEN };
    const taken = await em.nativeUpdate(ProcessNode, expired, lease, ACROSS_TENANTS);
    if (taken === 1) return true;
    try {
      await em.insert(ProcessNode, { nodeNo, ...lease });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}
