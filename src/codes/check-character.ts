import { present } from '../platform/assert.js';

/** The totally anti-symmetric quasigroup of H. Michael Damm (2004), row by row. */
const DAMM = [
  '0317598642',
  '7092154863',
  '4206871359',
  '1750983426',
  '6123045978',
  '3674209581',
  '5869720134',
  '8945362017',
  '9438617205',
  '2581436790',
].map((row) => [...row].map(Number));

/** What the characters read so far and the next one make together; symbols and states are numbers below `order`. */
interface Quasigroup {
  readonly order: number;
  /** Rows are states, columns symbols. */
  readonly next: readonly (readonly number[])[];
  /** The symbol that leads from a state to 0. */
  readonly closing: readonly number[];
}

/**
 * Multiplying by x: in GF(32), modulo x⁵ + x² + 1, and in GF(4), modulo x² + x + 1. Neither multiplication nor its
 * difference from the identity maps two elements to one, which is what makes single typos and adjacent swaps differ.
 */
const timesX32 = (state: number): number => ((state << 1) ^ (state & 16 ? 0b100101 : 0)) & 31;
const timesX4 = (state: number): number => ((state << 1) ^ (state & 2 ? 0b111 : 0)) & 3;

/** A part of a number that stands for an element of GF(4) × Z₃ × Z₃: place 0 or 1 of the two behind GF(4). */
const thirdOf = (number: number, place: number): number => Math.floor(number / (4 * 3 ** place)) % 3;

/** The same with −1 for x in both parts of Z₃ × Z₃, beside GF(4). */
function next36(state: number, symbol: number): number {
  const four = timesX4(state % 4) ^ (symbol % 4);
  const [low, high] = [0, 1].map((place) => (2 * thirdOf(state, place) + thirdOf(symbol, place)) % 3);
  return four + 4 * (low ?? 0) + 12 * (high ?? 0);
}

const QUASIGROUPS: readonly Quasigroup[] = [
  quasigroupOf(10, (state, symbol) => present(DAMM[state]?.[symbol], 'A place of the table')),
  quasigroupOf(32, (state, symbol) => timesX32(state) ^ symbol),
  quasigroupOf(36, next36),
];

function quasigroupOf(order: number, next: (state: number, symbol: number) => number): Quasigroup {
  const symbols = Array.from({ length: order }, (_, symbol) => symbol);
  const table = symbols.map((state) => symbols.map((symbol) => next(state, symbol)));
  return { order, next: table, closing: table.map((row) => row.indexOf(0)) };
}

/**
 * The last character of a code, which follows from those before it. Any single character typed wrong, and any two
 * neighbours swapped, the check character among them, make another one due: over an alphabet of 10 symbols by Damm's
 * quasigroup, of 32 by a weighted sum over GF(32), of 36 by one over GF(4) × Z₃ × Z₃. A smaller alphabet uses the
 * symbols of the next larger of these, and only those codes whose check character it has. (ISO 7064 MOD 37,36 and
 * 11,10 miss swaps.)
 */
export class CheckCharacter {
  private readonly quasigroup: Quasigroup;
  private readonly numbers: ReadonlyMap<string, number>;

  /** @param alphabet at most 36 distinct characters */
  constructor(private readonly alphabet: string) {
    const fitting = QUASIGROUPS.find(({ order }) => order >= alphabet.length);
    this.quasigroup = present(fitting, `A check character for ${alphabet.length} symbols`);
    this.numbers = new Map([...alphabet].map((character, number) => [character, number]));
  }

  /** @returns null where the alphabet does not have the character that is due */
  of(text: string): string | null {
    const state = this.stateOf(text);
    return state === null
      ? null
      : (this.alphabet[present(this.quasigroup.closing[state], 'A closing')] ?? null);
  }

  /** Whether the last character is the one that is due after the others. */
  accepts(text: string): boolean {
    return this.stateOf(text) === 0;
  }

  /** How many texts of this length, without the check character, have one. */
  countOf(length: number): number {
    const { order, next, closing } = this.quasigroup;
    let counts = Array.from({ length: order }, (_, state) => Number(state === 0));
    for (let place = 0; place < length; place += 1) {
      const after = Array.from({ length: order }, () => 0);
      for (const [state, count] of counts.entries())
        for (let symbol = 0; symbol < this.alphabet.length; symbol += 1) {
          const to = present(next[state]?.[symbol], 'A state');
          after[to] = (after[to] ?? 0) + count;
        }
      counts = after;
    }
    return counts.reduce(
      (sum, count, state) =>
        present(closing[state], 'A closing') < this.alphabet.length ? sum + count : sum,
      0,
    );
  }

  /** @returns null for a character that the alphabet does not have */
  private stateOf(text: string): number | null {
    let state = 0;
    for (const character of text) {
      const number = this.numbers.get(character);
      if (number === undefined) return null;
      state = present(this.quasigroup.next[state]?.[number], 'A state');
    }
    return state;
  }
}
