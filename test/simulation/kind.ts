import type { Random } from '../faults/load/random.js';
import type { World } from '../support/world.js';
import type { Known } from './known.js';
import type { Model } from './model.js';
import type { Scene } from './scene.js';

/** What an operation is made of. */
export interface Actor {
  readonly scene: Scene;
  readonly known: Known;
  readonly model: Model;
  /** Of this operation alone, so that no other one changes what it wants. */
  readonly draw: Random;
  /** Of this operation alone, in all of the run; names what it makes. */
  readonly name: string;
  /** How much of the run is over, from 0 to 1. */
  readonly progress: number;
}

/** What a client sends. It may send it twice at the same moment, and again later. */
export interface Request {
  readonly kind: Kind;
  /** What is asked for, in the diary. */
  readonly says: string;
  /**
   * @returns what has become of it, in one word
   * @throws DomainError with one of the refusals of its kind; all else is a fault
   */
  readonly send: (world: World) => Promise<string>;
}

/** A kind of operation. */
export interface Kind {
  readonly name: string;
  /** How often it is wanted, compared with the others. */
  readonly weight: number;
  /** What it may be refused for here. Each other refusal is a fault: nothing here is malformed, disabled or halted. */
  readonly refusals: readonly string[];
  /** @returns null where there is nothing yet that it could be about */
  readonly make: (actor: Actor) => Omit<Request, 'kind'> | null;
}
