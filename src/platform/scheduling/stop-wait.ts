import { endsWithin } from './timeout.js';

const STEP_MS_MAX = 5000;
/** Enough to close what answers. */
const FURTHER_STEP_MS_MAX = 250;

/** Bounds a stop while a store does not answer. Each step would wait for the same store, so only one waits long. */
export class StopWait {
  private stepMsMax = STEP_MS_MAX;

  /** @returns whether the step ended in time; throws what the step throws */
  async endOf(step: Promise<unknown>): Promise<boolean> {
    const ended = await endsWithin(this.stepMsMax, step);
    if (!ended) this.stepMsMax = FURTHER_STEP_MS_MAX;
    return ended;
  }
}
