import { DomainError } from '../../src/platform/errors.js';
import type { World } from '../support/world.js';
import { answered, saysBusy } from './answered.js';
import { Diary } from './diary.js';
import { drawOf } from './draw.js';
import type { Request } from './kind.js';
import { Wishes } from './kinds/all.js';
import { Known } from './known.js';
import { Model } from './model.js';
import { closeAll, faultsAtRest } from './rest.js';
import { makeScene, type Scene } from './scene.js';

/** Requests at once at each worker, if not said. */
const LANES_EACH = 4;
/** Clients that are impatient send a request twice at the same moment, to two workers. */
const SHARE_OF_TWINS = 0.12;

export interface SimulationSettings {
  readonly worlds: readonly [World, ...World[]];
  readonly seed: number;
  readonly operations: number;
  /** Requests at once at each worker. */
  readonly lanesEach?: number;
  /** Operations between two checks, for which all work rests. */
  readonly restEvery: number;
  /** Warnings and errors in the logs of the workers. */
  readonly heard: readonly string[];
  readonly tell?: (line: string) => void;
}

export interface Simulated {
  readonly operations: number;
  /** Nothing where all went well; the first ones where not. */
  readonly faults: readonly string[];
  readonly diary: Diary;
}

/** Plays random operations on few users, several at once at several workers, and checks what they come to. */
export async function simulate(settings: SimulationSettings): Promise<Simulated> {
  const { worlds, operations } = settings;
  const scene = await makeScene(worlds[0], operations);
  return new Simulation(settings, scene).run();
}

class Simulation {
  private readonly diary = new Diary();
  private readonly model = new Model();
  private readonly wishes = new Wishes();
  private readonly known: Known;
  private readonly faults: string[] = [];
  private readonly settings: SimulationSettings;
  private readonly scene: Scene;
  private done = 0;

  constructor(settings: SimulationSettings, scene: Scene) {
    this.settings = settings;
    this.scene = scene;
    this.known = new Known(scene.users);
  }

  async run(): Promise<Simulated> {
    const { operations, restEvery, worlds, lanesEach = LANES_EACH } = this.settings;
    const lanes = Array.from({ length: worlds.length * lanesEach }, (_, no) => no);
    for (let from = 0; from < operations && this.faults.length === 0; from += restEvery) {
      const to = Math.min(operations, from + restEvery);
      // The operations are dealt out in turn, so that a lane's are the same however fast the others are.
      await Promise.all(lanes.map(async (lane) => this.play(lane, lanes.length, from, to)));
      await this.rest(to === operations);
    }
    return { operations: this.done, faults: this.faults, diary: this.diary };
  }

  private async play(lane: number, lanes: number, from: number, to: number): Promise<void> {
    for (let no = from + lane; no < to && this.faults.length === 0; no += lanes) await this.step(no, lane);
  }

  private async step(no: number, lane: number): Promise<void> {
    const { seed, worlds, operations } = this.settings;
    const draw = drawOf(seed, no);
    const { scene, known, model } = this;
    const first = lane % worlds.length;
    const second = draw.chance(SHARE_OF_TWINS) ? [(first + 1) % worlds.length] : [];
    const request = this.wishes.next({
      scene,
      known,
      model,
      draw,
      name: `n${no}`,
      progress: no / operations,
    });
    this.done += 1;
    if (request === null) return this.diary.note('NOTHING YET', 'NOTHING', '');
    const asked = [first, ...second].map(async (at) => this.ask(request, no, worlds[at] ?? worlds[0]));
    await Promise.all(asked);
  }

  /** Never throws: what is neither done nor refused as it may be is a fault. */
  private async ask({ kind, says, send }: Request, no: number, world: World): Promise<void> {
    const outcome = await outcomeOf(async () => send(world), kind.refusals);
    const line = `${no} ${kind.name} ${says}: ${outcome.word}`;
    this.diary.note(kind.name, outcome.word, line);
    if (outcome.fault !== null) this.faults.push(`operation ${line}\n${outcome.fault}`);
  }

  private async rest(isLast: boolean): Promise<void> {
    const { heard, tell } = this.settings;
    const resting = { ...this.settings, scene: this.scene, model: this.model };
    if (isLast) this.faults.push(...(await closeAll(resting)));
    this.faults.push(
      ...(await faultsAtRest(resting)),
      ...heard.filter((line) => !saysBusy(line)).map((line) => `a log says ${line}`),
    );
    tell?.(`${this.done} operations, ${this.faults.length === 0 ? 'all holds' : 'not all holds'}`);
  }
}

interface Outcome {
  readonly word: string;
  readonly fault: string | null;
}

async function outcomeOf(send: () => Promise<string>, refusals: readonly string[]): Promise<Outcome> {
  try {
    return { word: await answered(send), fault: null };
  } catch (error) {
    if (error instanceof DomainError) {
      const code = String(error.code);
      const isFault = !refusals.includes(code);
      return { word: code, fault: isFault ? `It must not be refused so: ${error.message}` : null };
    }
    const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { word: 'FAULT', fault };
  }
}
