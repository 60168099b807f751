import { raw, type MikroORM } from '@mikro-orm/core';
import type { Logger } from '../observability/log.js';
import { instantOf } from './sql-values.js';
import { systemEm } from './orm.js';
import { ProcessNode } from './process-node.entity.js';
import { ACROSS_TENANTS } from './tenant-filter.js';

const SHOWN_EVERY_MS = 15_000;
/** A process that has missed three times is taken for dead. */
const SILENCE_MAX_S = 50;
/** How long a process that ended without a word is still shown. */
const SHOWN_FOR_S = 3600;
const SHOWN_MAX = 100;

/** What staff see of a process. */
export interface ShownProcess {
  readonly role: string;
  readonly version: string;
}

/** The columns of a row whose process shows nothing, or has ended. */
export const UNSEEN = { role: null, version: null, startedAt: null, seenAt: null } as const;

export interface SeenProcess extends ShownProcess {
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Whether it has said so lately, by the database's clock. */
  readonly isAlive: boolean;
}

/** Says regularly in the row of a process that it runs. */
export class ProcessPresence {
  private timer: NodeJS.Timeout | undefined;

  /** @param row which row it is now: a process that lost its node number has taken another */
  constructor(
    private readonly orm: MikroORM,
    private readonly log: Logger,
    private readonly row: () => { readonly nodeNo: number; readonly owner: string },
    private readonly process: ShownProcess,
  ) {}

  async begin(): Promise<void> {
    await this.note({ ...this.process, startedAt: now() });
    this.timer = setInterval(() => void this.repeat(), SHOWN_EVERY_MS).unref();
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async repeat(): Promise<void> {
    try {
      await this.note({ ...this.process, startedAt: raw<Date>('coalesce(started_at, utc_timestamp(3))') });
    } catch (error) {
      this.log.debug({ err: error }, 'the process could not say that it runs');
    }
  }

  private async note(columns: Partial<ProcessNode>): Promise<void> {
    await systemEm(this.orm).nativeUpdate(
      ProcessNode,
      this.row(),
      { ...columns, seenAt: now() },
      ACROSS_TENANTS,
    );
  }
}

const now = () => raw<Date>('utc_timestamp(3)');

interface Row extends ShownProcess {
  readonly startedAt: string;
  readonly seenAt: string;
  readonly silentS: number;
}

/** The processes of the installation that were seen within the last hour, the oldest first. */
export async function seenProcesses(orm: MikroORM): Promise<SeenProcess[]> {
  const rows = await systemEm(orm).execute<Row[]>(
    `select role, version, started_at as startedAt, seen_at as seenAt,
        timestampdiff(second, seen_at, utc_timestamp(3)) as silentS
      from process_node where seen_at > utc_timestamp(3) - interval ${SHOWN_FOR_S} second
      order by started_at, node_no limit ${SHOWN_MAX}`,
  );
  return rows.map(({ role, version, startedAt, seenAt, silentS }) => ({
    role,
    version,
    startedAt: instantOf(startedAt),
    seenAt: instantOf(seenAt),
    isAlive: silentS <= SILENCE_MAX_S,
  }));
}
