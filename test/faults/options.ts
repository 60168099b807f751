import { parseArgs } from 'node:util';

export interface FaultOptions {
  readonly isHelp: boolean;
  readonly isQuick: boolean;
  readonly seed: number;
  /** How many cells are played at the same time, each on servers and processes of its own. */
  readonly stages: number;
  /** `STEP:KIND`; empty means all. */
  readonly cells: readonly string[];
  /** On a Redis Cluster, with the faults of one, in the place of the cells. */
  readonly isCluster: boolean;
  /** Plants bugs and sees them caught, in the place of the cells. */
  readonly isPlanted: boolean;
  /** By name; empty means all. */
  readonly bugs: readonly string[];
}

export const USAGE = `npm run test:faults -- [options]
  --quick            the most telling cells, in two minutes at most, two of them at a time
  --seed <n>         replays a run; without it the seed is drawn, and printed
  --cell STEP:KIND   only this cell; may be given more than once
  --stages <n>       plays n cells at a time, each on servers and processes of its own
  --cluster          on a Redis Cluster: masters killed, paused, demoted, cut off, and slots moved
  --planted          plants bugs into copies of the sources, and sees each of them caught
  --bug NAME         only this bug; may be given more than once
  --help             only says this`;

/** @throws Error with a message for the caller of the command */
export function parseOptions(argv: readonly string[], drawn: number): FaultOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      seed: { type: 'string' },
      stages: { type: 'string' },
      cluster: { type: 'boolean', default: false },
      planted: { type: 'boolean', default: false },
      bug: { type: 'string', multiple: true, default: [] },
      cell: { type: 'string', multiple: true, default: [] },
    },
  });
  if (values.seed !== undefined && !/^[0-9]{1,9}$/.test(values.seed))
    throw new Error('--seed takes a whole number of at most nine digits.');
  if (values.stages !== undefined && !/^[1-9]$/.test(values.stages))
    throw new Error('--stages takes a whole number from 1 to 9.');
  return {
    isHelp: values.help,
    isQuick: values.quick,
    seed: values.seed === undefined ? drawn : Number(values.seed),
    // A quick run wants an answer soon; a whole one compares times of recovery.
    stages: Number(values.stages ?? (values.quick ? 2 : 1)),
    cells: values.cell,
    isCluster: values.cluster,
    isPlanted: values.planted || values.bug.length > 0,
    bugs: values.bug,
  };
}
