import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { StageProcess } from './stage-parts.js';

/** Loaded into every process under test; see there. */
export const CLOCK_MODULE = pathToFileURL(path.resolve(import.meta.dirname, 'shifted-clock.mjs')).href;

const SHIFTED_WITHIN_MS = 20_000;
const POLL_MS = 5;
const SAYS = /the clock is \S+ off/g;

/** Sets a process' clock one step further: right, ahead, right, behind. Resolves when the process confirms it. */
async function shiftOnce(process: StageProcess): Promise<string> {
  const before = process.said().match(SAYS)?.length ?? 0;
  process.signal('SIGUSR2');
  const giveUp = AbortSignal.timeout(SHIFTED_WITHIN_MS);
  for (;;) {
    const said = process.said().match(SAYS) ?? [];
    if (said.length > before) return said.at(-1) ?? '';
    if (giveUp.aborted) throw new Error(`The clock of ${process.name} did not move.`);
    await pause(POLL_MS);
  }
}

export type ClockState = 'AHEAD' | 'BEHIND' | 'RIGHT';

const TEXTS: Readonly<Record<ClockState, string>> = { AHEAD: '+1h', BEHIND: '-1h', RIGHT: '0h' };

/** @returns once the process lives by that clock */
export async function setClock(process: StageProcess, state: ClockState): Promise<void> {
  const wanted = `the clock is ${TEXTS[state]} off`;
  while ((await shiftOnce(process)) !== wanted);
}
