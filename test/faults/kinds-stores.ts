import { setTimeout as pause } from 'node:timers/promises';
import type { Kind, Scene } from './kind.js';
import { stateOf } from './kinds-processes.js';
import type { StoreName } from './stage-parts.js';
import { isOfBatch } from './steps.js';
import type { Verdict } from './wire-events.js';

/** What was on its way to a server that died, or from it, does not arrive. */
export function lostWith(store: StoreName, { event }: Scene): Verdict {
  return event.link.to === store ? 'RESET' : 'PASS';
}

const killStore = (name: string, store: StoreName): Kind => ({
  name,
  senseless: {},
  happen: async (scene) => {
    const server = scene.stage.stores[store];
    const { pid } = server;
    await server.kill();
    scene.prove(`${store} (process ${pid}) was killed`);
    const outageMs = scene.random.between(50, 900);
    scene.afterwards(async () => {
      await pause(outageMs);
      await server.start();
    });
    return lostWith(store, scene);
  },
});

export const killRedis = killStore('KILL_REDIS', 'redis');
export const killDatabase = killStore('KILL_DATABASE', 'database');

const pauseStore = (name: string, store: StoreName): Kind => ({
  name,
  senseless: {},
  happen: async (scene) => {
    const server = scene.stage.stores[store];
    server.signal('SIGSTOP');
    scene.prove(`${store} is in state ${await stateOf(server.pid)}`);
    const outageMs = scene.random.between(600, 2200);
    scene.afterwards(async () => {
      await pause(outageMs);
      server.signal('SIGCONT');
    });
    return 'PASS';
  },
});

export const pauseRedis = pauseStore('PAUSE_REDIS', 'redis');
export const pauseDatabase = pauseStore('PAUSE_DATABASE', 'database');

const cutFrom = (name: string, store: StoreName): Kind => ({
  name,
  senseless: {},
  happen: async (scene) => {
    const { event, stage, random } = scene;
    const process = isOfBatch(scene.step) ? event.link.process : scene.api;
    const link = stage.link(process, store);
    const how = random.chance(0.5) ? 'RESET' : 'SILENT';
    const connections = link.connectionCount;
    if (connections === 0) throw new Error(`${process} has no connection to ${store} that could be cut.`);
    link.cut(how);
    scene.prove(`${connections} connections of ${process} to ${store} were cut (${how})`);
    const outageMs = random.between(300, 1800);
    const mend = async (): Promise<void> => {
      await pause(outageMs);
      link.mend();
    };
    const isOnIt = event.link.process === process && event.link.to === store;
    if (isOnIt && how === 'SILENT') await mend();
    else scene.afterwards(mend);
    return isOnIt && how === 'RESET' ? 'RESET' : 'PASS';
  },
});

export const cutRedis = cutFrom('CUT_REDIS', 'redis');
export const cutDatabase = cutFrom('CUT_DATABASE', 'database');

const ROLLED_BACK_WITHIN_MS = 20_000;
const NOT_IN_TRANSACTION = 'no transaction is open that the database could refuse';
const COMMITTED = 'what is committed cannot be rolled back';

const refusal = (name: string, errno: number, state: string, message: string): Kind => ({
  name,
  senseless: {
    KEY_LOOKUP: NOT_IN_TRANSACTION,
    LUA_SENT: NOT_IN_TRANSACTION,
    LUA_APPLIED: NOT_IN_TRANSACTION,
    BEFORE_BEGIN: NOT_IN_TRANSACTION,
    COMMIT_APPLIED: COMMITTED,
    CHUNK_APPLIED: COMMITTED,
    PAGE_APPLIED: COMMITTED,
    BEFORE_CONFIRM: NOT_IN_TRANSACTION,
    BEFORE_PUBLISH: NOT_IN_TRANSACTION,
    BEFORE_REPLY: NOT_IN_TRANSACTION,
    CLIENT_RETRIES: NOT_IN_TRANSACTION,
  },
  happen: async (scene) => {
    // It happens after this: the message that is held is refused.
    const told = Promise.withResolvers<void>();
    scene.proveLater(async () => {
      const isTold = await Promise.race([
        told.promise.then(() => true),
        pause(ROLLED_BACK_WITHIN_MS, false, { ref: false }),
      ]);
      if (!isTold) throw new Error(`Nothing was rolled back within ${ROLLED_BACK_WITHIN_MS} ms.`);
      return `the database answered ROLLBACK, and the client got ${errno}`;
    });
    return { errno, state, message, told: told.resolve };
  },
});

export const deadlock = refusal(
  'DEADLOCK_1213',
  1213,
  '40001',
  'Deadlock found when trying to get lock; try restarting transaction',
);
export const lockTimeout = refusal(
  'LOCK_WAIT_1205',
  1205,
  'HY000',
  'Lock wait timeout exceeded; try restarting transaction',
);
