import { randomFillSync } from 'node:crypto';
import { canonicalize } from './canonical-code.js';
import { CheckCharacter } from './check-character.js';
import { CHECK_MARK, hasCheckCharacter, slotsOf, type CodeFormat } from './code-format.js';
import { present } from '../platform/assert.js';

const POOL_BYTES = 32_768;

/** Fills a buffer with random bytes. Taken by tests to look at the generator without luck. */
export type RandomSource = (buffer: Uint8Array) => void;

/**
 * Random indices from the operating system's generator. A byte above the last whole multiple of the range is
 * thrown away: its remainder would make the first indices more likely than the others.
 */
export class RandomIndices {
  private readonly pool = new Uint8Array(POOL_BYTES);
  private position = POOL_BYTES;

  constructor(private readonly fill: RandomSource = (buffer) => randomFillSync(buffer)) {}

  /** A number in [0, range), each as likely as any other. The range is 1 to 256. */
  below(range: number): number {
    const limit = 256 - (256 % range);
    for (;;) {
      const byte = this.nextByte();
      if (byte < limit) return byte % range;
    }
  }

  private nextByte(): number {
    if (this.position === POOL_BYTES) {
      this.fill(this.pool);
      this.position = 0;
    }
    const byte = present(this.pool[this.position], 'A random byte');
    // What made one code must not be readable in memory when the next is made.
    this.pool[this.position] = 0;
    this.position += 1;
    return byte;
  }
}

/** A code as its holder reads it, and the form by which it is found. */
export interface GeneratedCode {
  readonly text: string;
  readonly canonical: string;
}

/** Makes codes of one format. */
export class CodeGenerator {
  private readonly pieces: readonly string[];
  private readonly slots: readonly string[];
  private readonly check: CheckCharacter | null;

  constructor(
    format: CodeFormat,
    private readonly random: RandomIndices = new RandomIndices(),
  ) {
    this.pieces = format.template.replace(CHECK_MARK, '').split(/[#@]/);
    this.slots = slotsOf(format);
    this.check = hasCheckCharacter(format) ? new CheckCharacter(format.alphabet) : null;
  }

  next(): GeneratedCode {
    for (;;) {
      const text = this.draw();
      if (text !== null)
        return { text, canonical: present(canonicalize(text), 'The canonical form of a generated code') };
    }
  }

  /** @returns null where the alphabet does not have the check character that is due */
  private draw(): string | null {
    let text = this.pieces[0] ?? '';
    let random = '';
    for (const [index, slot] of this.slots.entries()) {
      const character = slot.charAt(this.random.below(slot.length));
      random += character;
      text += character + (this.pieces[index + 1] ?? '');
    }
    if (this.check === null) return text;
    const last = this.check.of(random);
    return last === null ? null : text + last;
  }

  /**
   * This number of codes that differ from one another and from those to avoid. It ends, because no format is accepted
   * that has fewer than a thousand times the codes it issues.
   */
  distinct(count: number, isTaken: (canonical: string) => boolean = () => false): GeneratedCode[] {
    const codes = new Map<string, GeneratedCode>();
    while (codes.size < count) {
      const code = this.next();
      if (!isTaken(code.canonical)) codes.set(code.canonical, code);
    }
    return [...codes.values()];
  }
}
