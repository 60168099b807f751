import { parseArgs } from 'node:util';

export interface SimulationOptions {
  readonly isHelp: boolean;
  readonly operations: number;
  readonly seed: number;
  readonly workers: number;
}

export const USAGE = `npm run test:simulation -- [options]
  --operations <n>   how many; 10000 if not said
  --seed <n>         the same wishes again; without it the seed is drawn, and printed
  --workers <n>      1 to 8 at once; 3 if not said
  --help             only says this`;

/** @throws Error with a message for the caller of the command */
export function parseOptions(argv: readonly string[], drawn: number): SimulationOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      operations: { type: 'string', default: '10000' },
      seed: { type: 'string', default: `${drawn}` },
      workers: { type: 'string', default: '3' },
    },
  });
  return {
    isHelp: values.help,
    operations: numberOf('operations', values.operations, 1, 10_000_000),
    seed: numberOf('seed', values.seed, 0, 999_999_999),
    workers: numberOf('workers', values.workers, 1, 8),
  };
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} takes a whole number from ${least} to ${most}.`);
}
