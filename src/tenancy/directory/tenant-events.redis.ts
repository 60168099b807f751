import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { connectRedisWaiter, type Redis } from '../../platform/redis/redis.js';
import { SourceLostError, type DeliveredEvent, type TenantEventSource } from './tenant-event-source.js';

/** Of all processes of the installation. */
const GROUP = 'redeemkit';
/** The field of an entry that holds the event. */
const FIELD = 'event';
const READ_MAX = 64;
const WAIT_MS = 1000;
/** A consumer that holds nothing and was silent for this long is a process that is gone. */
const GONE_MS = 24 * 3_600_000;

type Entry = readonly [place: string, fields: readonly string[] | null];
type PendingRow = readonly [place: string, consumer: string, idleMs: number, deliveries: number];

export interface TenantEventStreamSettings {
  readonly redisUrl: string;
  /** The key of the stream. */
  readonly stream: string;
  /** After how long an event that was not acknowledged is delivered again, to any worker. */
  readonly redeliverMs: number;
}

/** A Redis Stream with a consumer group, and a consumer of its own for each process. */
export class TenantEventStream implements TenantEventSource {
  private readonly consumer = `${hostname().slice(0, 40)}-${randomBytes(4).toString('hex')}`;
  private redis: Redis | null = null;

  constructor(private readonly settings: TenantEventStreamSettings) {}

  async open(): Promise<boolean> {
    const { stream } = this.settings;
    try {
      // From the first entry: what was applied before is known by its id and its version.
      await this.connection.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
      return true;
    } catch (error) {
      if (!isReply(error, 'BUSYGROUP')) throw error;
      await this.forgetGone();
      return false;
    }
  }

  async next(): Promise<readonly DeliveredEvent[]> {
    try {
      const again = await this.redelivered();
      return again.length > 0 ? again : await this.fresh();
    } catch (error) {
      if (isReply(error, 'NOGROUP') || isReply(error, 'UNBLOCKED'))
        throw new SourceLostError('The stream was emptied.', { cause: error });
      throw error;
    }
  }

  async acknowledge(place: string): Promise<void> {
    await this.connection.xack(this.settings.stream, GROUP, place);
  }

  async waiting(): Promise<number> {
    const groups = (await this.connection.xinfo('GROUPS', this.settings.stream)) as unknown[][];
    const group = groups.map(fieldsOf).find(({ name }) => name === GROUP);
    // Null after entries were deleted: then only what was delivered can be counted.
    return Number(group?.['pending'] ?? 0) + Number(group?.['lag'] ?? 0);
  }

  async close(): Promise<void> {
    this.redis?.disconnect();
  }

  private get connection(): Redis {
    this.redis ??= connectRedisWaiter(this.settings.redisUrl);
    return this.redis;
  }

  /** Takes over events that were not acknowledged in time: their worker died, or failed to apply them. */
  private async redelivered(): Promise<DeliveredEvent[]> {
    const { stream, redeliverMs } = this.settings;
    const rows = (await this.connection.xpending(
      stream,
      GROUP,
      'IDLE',
      redeliverMs,
      '-',
      '+',
      READ_MAX,
    )) as PendingRow[];
    if (rows.length === 0) return [];
    const places = rows.map(([place]) => place);
    const claim = [stream, GROUP, this.consumer, redeliverMs, ...places];
    const entries = await this.connection.call('XCLAIM', ...claim);
    const earlier = new Map(rows.map(([place, , , deliveries]) => [place, deliveries]));
    return (entries as Entry[]).map((entry) => delivered(entry, (earlier.get(entry[0]) ?? 0) + 1));
  }

  private async fresh(): Promise<DeliveredEvent[]> {
    const { stream } = this.settings;
    const read = await this.connection.xreadgroup(
      'GROUP',
      GROUP,
      this.consumer,
      'COUNT',
      READ_MAX,
      'BLOCK',
      WAIT_MS,
      'STREAMS',
      stream,
      '>',
    );
    const [[, entries] = ['', []]] = (read ?? []) as [string, Entry[]][];
    return entries.map((entry) => delivered(entry, 1));
  }

  private async forgetGone(): Promise<void> {
    const { stream } = this.settings;
    const consumers = (await this.connection.xinfo('CONSUMERS', stream, GROUP)) as unknown[][];
    for (const { name, pending, idle } of consumers.map(fieldsOf))
      if (pending === 0 && Number(idle) > GONE_MS)
        await this.connection.xgroup('DELCONSUMER', stream, GROUP, String(name));
  }
}

/** Of an entry without the field all fields are the text, so that nothing is lost. */
function delivered([place, fields]: Entry, deliveries: number): DeliveredEvent {
  const event = fields === null ? undefined : fieldsOf(fields)[FIELD];
  return { place, text: typeof event === 'string' ? event : JSON.stringify(fields), deliveries };
}

function fieldsOf(reply: readonly unknown[]): Readonly<Record<string, unknown>> {
  const pairs = reply.flatMap((name, index) => (index % 2 === 0 ? [[String(name), reply[index + 1]]] : []));
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}
