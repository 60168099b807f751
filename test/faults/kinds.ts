import type { Kind } from './kind.js';
import { clockAhead, clockBehind, killApi, killWorker, pauseApi, twoSweepers } from './kinds-processes.js';
import { jobFiveTimes } from './kinds-jobs.js';
import { staleCopy } from './kinds-copies.js';
import { emptied, outOfMemory, scriptsForgotten, tailLost } from './kinds-redis.js';
import {
  cutDatabase,
  cutRedis,
  deadlock,
  killDatabase,
  killRedis,
  lockTimeout,
  pauseDatabase,
  pauseRedis,
} from './kinds-stores.js';

/** Everything that can go wrong, in the order in which it is tried. */
export const KINDS: readonly Kind[] = [
  killApi,
  killWorker,
  killRedis,
  killDatabase,
  pauseApi,
  pauseRedis,
  pauseDatabase,
  emptied,
  tailLost,
  staleCopy,
  cutRedis,
  cutDatabase,
  deadlock,
  lockTimeout,
  clockAhead,
  clockBehind,
  scriptsForgotten,
  outOfMemory,
  twoSweepers,
  jobFiveTimes,
];
