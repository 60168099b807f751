import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createLog } from '../../src/platform/log.js';
import { SlowSubscriberError } from '../../src/platform/pubsub/bounded-subscription.js';
import { EventBus } from '../../src/platform/pubsub/event-bus.js';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';

interface Message {
  readonly n: number;
}

interface Process {
  readonly redis: Redis;
  readonly listener: Redis;
  readonly bus: EventBus;
}

const log = createLog({ level: 'silent' });
let one: Process;
let other: Process;
let channel: string;

function newProcess(waitingMax?: number): Process {
  const redis = connectRedis(inject('redisUrl'), 1000);
  const listener = connectRedisListener(inject('redisUrl'));
  const bus = new EventBus(redis, listener, log, waitingMax === undefined ? {} : { waitingMax });
  return { redis, listener, bus };
}

beforeEach(() => {
  channel = `{T_${randomBytes(6).toString('hex')}}:events`;
  one = newProcess();
  other = newProcess(10);
});
afterEach(() => {
  for (const { redis, listener, bus } of [one, other]) {
    bus.close();
    redis.disconnect();
    listener.disconnect();
  }
});

/** How many connections Redis counts on the channel. */
async function listeners(): Promise<number> {
  const [, count] = (await one.redis.pubsub('NUMSUB', channel)) as [string, number];
  return count;
}

async function publish(...numbers: number[]): Promise<void> {
  for (const n of numbers) await one.bus.publish(channel, { n });
}

describe('the event bus', () => {
  it('carries events to another process in order, from the moment that subscribe resolves', async () => {
    const events = await other.bus.subscribe<Message>(channel);
    await publish(1, 2, 3);
    const seen = [await events.next(), await events.next(), await events.next()];
    expect(seen.map((result) => result.value?.n)).toEqual([1, 2, 3]);
  });

  it('gives each subscriber what it selects of a message', async () => {
    const events = await other.bus.subscribe<string, Message>(channel, {
      select: ({ n }) => (n % 2 === 0 ? [`${n}a`, `${n}b`] : []),
    });
    await publish(1, 2, 3, 4);
    const seen = [await events.next(), await events.next(), await events.next()];
    expect(seen.map((result) => result.value)).toEqual(['2a', '2b', '4a']);
  });

  it('subscribes once for all listeners of a process, and leaves with the last of them', async () => {
    const [first, second] = await Promise.all([
      other.bus.subscribe<Message>(channel),
      other.bus.subscribe<Message>(channel),
    ]);
    const third = await one.bus.subscribe(channel);
    expect(await listeners()).toBe(2);
    await first.return();
    await publish(1);
    expect((await second.next()).value).toEqual({ n: 1 });
    await third.return();
    await second.return();
    await expect.poll(listeners).toBe(0);
    expect([one.bus.channelCount, other.bus.channelCount]).toEqual([0, 0]);
  });

  it('lets a subscriber leave at once while it waits', async () => {
    const events = await other.bus.subscribe<Message>(channel);
    const waiting = events.next();
    await events.return();
    await expect(waiting).resolves.toEqual({ value: undefined, done: true });
    await expect(events.next()).resolves.toEqual({ value: undefined, done: true });
    await expect.poll(listeners).toBe(0);
  });

  it('is left when a loop is left', async () => {
    const events = await other.bus.subscribe<Message>(channel);
    await publish(1, 2);
    for await (const { n } of events) {
      expect(n).toBe(1);
      break;
    }
    expect(other.bus.channelCount).toBe(0);
  });

  it('can be left and joined again at once', async () => {
    const events = await other.bus.subscribe<Message>(channel);
    await events.return();
    const again = await other.bus.subscribe<Message>(channel);
    await publish(7);
    expect((await again.next()).value).toEqual({ n: 7 });
  });

  it('ends a subscriber that is too slow with an error, and holds nothing for it', async () => {
    const slow = await other.bus.subscribe<Message>(channel);
    const quick = await other.bus.subscribe<Message>(channel);
    for (let n = 1; n <= 11; n += 1) {
      await publish(n);
      expect((await quick.next()).value).toEqual({ n });
    }
    await expect(slow.next()).rejects.toBeInstanceOf(SlowSubscriberError);
    await expect(slow.next()).resolves.toEqual({ value: undefined, done: true });
    await quick.return();
    await expect.poll(listeners).toBe(0);
  });

  it('takes up its channels again after the connection was cut, and tells of the gap', async () => {
    let gaps = 0;
    const events = await other.bus.subscribe<Message>(channel, { onGap: () => void (gaps += 1) });
    const id = await one.redis.client('LIST').then((list) => subscriberId(String(list)));
    await one.redis.client('KILL', 'ID', id);
    await expect.poll(() => gaps).toBe(1);
    await expect.poll(listeners).toBe(1);
    await publish(5);
    expect((await events.next()).value).toEqual({ n: 5 });
  });

  it('refuses a subscription when Redis is not there, and holds nothing for it', async () => {
    const nowhere = connectRedisListener('redis://127.0.0.1:1');
    const bus = new EventBus(one.redis, nowhere, log);
    await expect(bus.subscribe(channel)).rejects.toThrow('did not answer in time');
    expect(bus.channelCount).toBe(0);
    nowhere.disconnect();
    await pause(10);
  });
});

/** The connection of `other` that listens, by its local port. */
function subscriberId(list: string): number {
  const port = (other.listener as unknown as { stream: { localPort: number } }).stream.localPort;
  const line = list.split('\n').find((entry) => entry.includes(`addr=127.0.0.1:${port} `)) ?? '';
  return Number(/id=(\d+)/.exec(line)?.[1]);
}
