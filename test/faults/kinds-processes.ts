import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { setClock } from './clock-shift.js';
import { NOT_OF_BATCHES, type Kind, type Scene } from './kind.js';
import type { ProcessName } from './stage-parts.js';
import { isOfBatch } from './steps.js';
import type { Verdict, WireEvent } from './wire-events.js';

/** What a dead process had sent may still arrive, or not. Of a batch each of the two has its own step. */
const perhaps = ({ random, event, step }: Scene): Verdict =>
  event.side === 'REQUEST' && !isOfBatch(step) && random.chance(0.5) ? 'PASS' : 'RESET';

async function killProcess(scene: Scene, name: ProcessName): Promise<Verdict> {
  const process = scene.stage.processes[name];
  const { pid } = process;
  await process.kill();
  scene.prove(`${name} (process ${pid}) was killed`);
  scene.afterwards(async () => process.start());
  return scene.event.link.process === name ? perhaps(scene) : 'PASS';
}

export const killApi: Kind = {
  name: 'KILL_API',
  senseless: NOT_OF_BATCHES,
  happen: async (scene) => killProcess(scene, scene.api),
};

export const killWorker: Kind = {
  name: 'KILL_WORKER',
  senseless: {},
  happen: async (scene) => killProcess(scene, 'worker'),
};

/** The one that was to settle the claim is gone, and two look for such claims. */
export const twoSweepers: Kind = {
  name: 'TWO_SWEEPERS',
  senseless: {
    BEFORE_PUBLISH: 'no claim of the killed process is open',
    BEFORE_REPLY: 'no claim of the killed process is open',
    CLIENT_RETRIES: 'no claim of the killed process is open',
    KEY_LOOKUP: 'there is no claim yet',
    ...NOT_OF_BATCHES,
  },
  prepare: async (stage, tenantId) => {
    await stage.processes.worker2.start();
    const looked = new Set<ProcessName>();
    stage.watch = (event) => {
      if (isLook(event, tenantId)) looked.add(event.link.process);
      return 'PASS';
    };
    return looked;
  },
  happen: async (scene) => {
    const looked = scene.prepared as Set<ProcessName>;
    const verdict = await killProcess(scene, scene.api);
    looked.clear();
    scene.proveLater(async () => {
      const giveUp = AbortSignal.timeout(LOOKS_WITHIN_MS);
      while (looked.size < 2 && !giveUp.aborted) await pause(5);
      if (looked.size < 2) throw new Error(`Only ${[...looked].join()} has looked for claims since.`);
      return `${[...looked].toSorted().join(' and ')} were answered since then which claims are overdue`;
    });
    return verdict;
  },
};

const LOOKS_WITHIN_MS = 30_000;

const isLook = (event: WireEvent, tenantId: string): boolean =>
  event.kind === 'REDIS' &&
  event.side === 'REPLY' &&
  event.script === 'overdue-claims' &&
  (event.keys[0] ?? '').startsWith(`{${tenantId}}:`);

/** Longer than the deadline of a claim and a round of the sweeper. */
const PAUSE_API_MS = 3200;

export const pauseApi: Kind = {
  name: 'PAUSE_API',
  senseless: NOT_OF_BATCHES,
  happen: async (scene) => {
    const process = scene.stage.processes[scene.api];
    const arrivesLate = scene.random.chance(0.5);
    process.signal('SIGSTOP');
    scene.prove(`${scene.api} is in state ${await stateOf(process.pid)}`);
    const goOn = async (): Promise<void> => {
      await pause(PAUSE_API_MS);
      process.signal('SIGCONT');
    };
    if (arrivesLate) await goOn();
    else scene.afterwards(goOn);
    return 'PASS';
  },
};

/** By what the kernel says; "T" is stopped. */
export async function stateOf(pid: number): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '?';
    if (state === 'T') return state;
    if (tries > 200) throw new Error(`Process ${pid} does not stop: it is in state ${state}.`);
    await pause(5);
  }
}

const clockKind = (name: string, state: 'AHEAD' | 'BEHIND'): Kind => ({
  name,
  senseless: NOT_OF_BATCHES,
  happen: async (scene) => {
    const process = scene.stage.processes[scene.api];
    await setClock(process, state);
    scene.prove(`${process.name} says that its clock is wrong: ${state}`);
    scene.afterwards(async () => {
      await pause(1500);
      await setClock(process, 'RIGHT');
    });
    return 'PASS';
  },
});

export const clockAhead = clockKind('CLOCK_AHEAD', 'AHEAD');
export const clockBehind = clockKind('CLOCK_BEHIND', 'BEHIND');
