import type { Random } from './load/random.js';
import type { Stage } from './stage.js';
import type { ProcessName } from './stage-parts.js';
import type { Step } from './steps.js';
import type { Verdict, WireEvent } from './wire-events.js';

/** What a fault is done to, and when: a message is held while it happens. */
export interface Scene {
  readonly stage: Stage;
  readonly step: Step;
  readonly tenantId: string;
  readonly random: Random;
  /** The message that is held. */
  readonly event: WireEvent;
  /** The API process that it is about: the one that sent it or waits for it; the first one where that is a worker. */
  readonly api: ProcessName;
  /** What {@link Kind.prepare} made. */
  readonly prepared: unknown;
  /** Runs when the message has been let go, and a while is over. */
  afterwards(mend: () => Promise<void>): void;
  /** Puts down that the fault has really happened, and how. Without a proof the cell fails. */
  prove(what: string): void;
  /** The same, where it shows only after the message has been let go; throws where it does not show. */
  proveLater(how: () => Promise<string>): void;
}

/** Of a kind that is about API processes alone. */
export const NOT_OF_BATCHES: Kind['senseless'] = {
  CHUNK_SENT: 'workers make batches',
  CHUNK_APPLIED: 'workers make batches',
  PAGE_SENT: 'workers read files',
  PAGE_APPLIED: 'workers read files',
};

export interface Kind {
  readonly name: string;
  /** Which steps make no sense with it, and why. */
  readonly senseless: Partial<Readonly<Record<Step, string>>>;
  /** Redis loses data: its windows of attempts, and claims that have no row yet. */
  readonly makesRedisForget?: boolean;
  /** Before the first request. */
  prepare?(stage: Stage, tenantId: string): Promise<unknown>;
  /** Whether the fault makes sense already; before that its step is not looked out for. */
  isReady?(prepared: unknown): boolean;
  /** The fault itself; answers what becomes of the message that is held. */
  happen(scene: Scene): Promise<Verdict>;
}
