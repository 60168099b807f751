import { Random } from '../faults/load/random.js';

/** The same numbers for an operation, whatever the ones before it have drawn. */
export function drawOf(seed: number, no: number): Random {
  return new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(no + 1, 0x85ebca6b));
}
