import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { createLog } from '../../src/platform/observability/log.js';
import { EventBus, type ChannelListener } from '../../src/platform/push/event-bus.js';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';
import { breakListener, killListener } from '../support/redis-connections.js';

interface Process {
  readonly redis: Redis;
  readonly listener: Redis;
  readonly bus: EventBus;
}

const log = createLog({ level: 'silent' });
let one: Process;
let other: Process;
let channel: string;

function newProcess(): Process {
  const redis = connectRedis(inject('redisUrl'), 1000);
  const listener = connectRedisListener(inject('redisUrl'));
  return { redis, listener, bus: new EventBus(redis, listener, log) };
}

beforeEach(() => {
  channel = `{T_${randomBytes(6).toString('hex')}}:events`;
  one = newProcess();
  other = newProcess();
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

/** Writes down everything that a listener is told, in order. */
function recorder(): ChannelListener & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    deliver: (message) => void told.push((message as { n: number }).n),
    onGap: (live) => {
      told.push('gap');
      void live.then(() => told.push('live'));
    },
    end: () => void told.push('end'),
  };
}

describe('the event bus', () => {
  it('passes over a message that is no JSON, and delivers the next one', async () => {
    const listener = recorder();
    await other.bus.listen(channel, listener);
    await one.redis.publish(channel, '{ "n": ');
    await publish(1);
    await vi.waitFor(() => expect(listener.told).toEqual([1]));
  });

  it('carries events to another process in order, from the moment that listen resolves', async () => {
    const heard = recorder();
    await other.bus.listen(channel, heard);
    await publish(1, 2, 3);
    await expect.poll(() => heard.told).toEqual([1, 2, 3]);
  });

  it('subscribes once for all listeners of a process, and leaves with the last of them', async () => {
    const [first, second, third] = [recorder(), recorder(), recorder()];
    const leave = await Promise.all([other.bus.listen(channel, first), other.bus.listen(channel, second)]);
    const leaveThird = await one.bus.listen(channel, third);
    expect(await listeners()).toBe(2);
    leave[0]();
    await publish(1);
    await expect.poll(() => [first.told, second.told, third.told]).toEqual([[], [1], [1]]);
    leaveThird();
    leave[1]();
    await expect.poll(listeners).toBe(0);
    expect([one.bus.channelCount, other.bus.channelCount]).toEqual([0, 0]);
  });

  it('can be left and joined again at once', async () => {
    const heard = recorder();
    const leave = await other.bus.listen(channel, recorder());
    leave();
    await other.bus.listen(channel, heard);
    await publish(7);
    await expect.poll(() => heard.told).toEqual([7]);
  });

  it('tells its listeners when it is closed', async () => {
    const heard = recorder();
    await other.bus.listen(channel, heard);
    other.bus.close();
    expect(heard.told).toEqual(['end']);
  });

  it('tells of a gap before anything that comes after it, and when the channel is live again', async () => {
    const heard = recorder();
    await other.bus.listen(channel, heard);
    const publishing = new AbortController();
    let last = 0;
    const stream = (async () => {
      while (!publishing.signal.aborted) await publish((last += 1));
    })();
    await expect.poll(() => heard.told.length).toBeGreaterThan(5);
    await killListener(one.redis, other.listener);
    await expect.poll(() => heard.told.includes('live'), { timeout: 5000 }).toBe(true);
    const seenLive = heard.told.length;
    await expect.poll(() => heard.told.length).toBeGreaterThan(seenLive + 5);
    publishing.abort();
    await stream;
    await expect.poll(() => heard.told.at(-1)).toBe(last);
    const before = heard.told.slice(0, heard.told.indexOf('gap'));
    expect(before, 'nothing is missed before it is told').toEqual(before.map((_, index) => index + 1));
    const after = heard.told.slice(heard.told.indexOf('live') + 1);
    expect(after, 'nothing is missed from then on').toEqual(
      after.map((_, index) => last - after.length + 1 + index),
    );
  });

  it('is live again only when Redis has answered behind the channels, and tells of the gap long before', async () => {
    const heard = recorder();
    await other.bus.listen(channel, heard);
    const { promise: answered, resolve: answer } = Promise.withResolvers<'PONG'>();
    vi.spyOn(other.listener, 'ping').mockReturnValue(answered);
    await killListener(one.redis, other.listener);
    await expect.poll(() => heard.told).toEqual(['gap']);
    await expect.poll(listeners).toBe(1);
    await publish(1);
    await expect.poll(() => heard.told).toEqual(['gap', 1]);
    answer('PONG');
    await expect.poll(() => heard.told).toEqual(['gap', 1, 'live']);
  });

  it('is not live for whoever comes while the connection is away', async () => {
    await other.bus.listen(channel, recorder());
    await killListener(one.redis, other.listener);
    await expect.poll(() => other.listener.status).not.toBe('ready');
    const heard = recorder();
    await other.bus.listen(channel, heard);
    await publish(5);
    await expect.poll(() => heard.told).toEqual([5]);
  });

  it('has caught up once all that was published is delivered, and says when nothing is known', async () => {
    const heard = recorder();
    await other.bus.listen(channel, heard);
    await publish(...Array.from({ length: 200 }, (_, index) => index));
    expect(await other.bus.hasCaughtUp()).toBe(true);
    expect(heard.told).toHaveLength(200);
    const asked = other.bus.hasCaughtUp();
    breakListener(other.listener);
    expect(await asked).toBe(false);
    await expect.poll(() => heard.told.slice(200), { timeout: 5000 }).toEqual(['gap', 'live']);
    expect(await other.bus.hasCaughtUp()).toBe(true);
  });

  it('refuses a listener when Redis is not there, and holds nothing for it', async () => {
    const nowhere = connectRedisListener('redis://127.0.0.1:1');
    const bus = new EventBus(one.redis, nowhere, log);
    await expect(bus.listen(channel, recorder())).rejects.toThrow('did not answer in time');
    expect(bus.channelCount).toBe(0);
    nowhere.disconnect();
    await pause(10);
  });
});
