import { parseArgs } from 'node:util';

export interface FaultOptions {
  readonly isHelp: boolean;
  readonly isQuick: boolean;
  readonly seed: number;
  /** `STEP:KIND`; empty means all. */
  readonly cells: readonly string[];
  /** Plants bugs and sees them caught, in the place of the cells. */
  readonly isPlanted: boolean;
  /** By name; empty means all. */
  readonly bugs: readonly string[];
}

export const USAGE = `npm run test:faults -- [options]
  --quick            the most telling cells, in three minutes at most
  --seed <n>         replays a run; without it the seed is drawn, and printed
  --cell STEP:KIND   only this cell; may be given more than once
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
      planted: { type: 'boolean', default: false },
      bug: { type: 'string', multiple: true, default: [] },
      cell: { type: 'string', multiple: true, default: [] },
    },
  });
  if (values.seed !== undefined && !/^[0-9]{1,9}$/.test(values.seed))
    throw new Error('--seed takes a whole number of at most nine digits.');
  return {
    isHelp: values.help,
    isQuick: values.quick,
    seed: values.seed === undefined ? drawn : Number(values.seed),
    cells: values.cell,
    isPlanted: values.planted || values.bug.length > 0,
    bugs: values.bug,
  };
}
