import { present } from '../../src/platform/assert.js';
import type { Intent, RoundKind } from './round.js';
import { SCARCE_LIMIT, type BenchUser, type Supply } from './supply.js';

const COMMITTED = ['COMMITTED'];
/** Users who want a code that has a few uses. */
const SCARCE_USERS = 4 * SCARCE_LIMIT;

/** A code that is refused, and by what. */
export interface RefusedCode {
  readonly code: string;
  readonly refusal: string;
}

/** What the clients of a run do. */
export class Intents {
  private keys = 0;
  private refused: readonly RefusedCode[] = [];
  private readonly supply: Supply;

  constructor(supply: Supply) {
    this.supply = supply;
  }

  get tenantId(): string {
    return this.supply.tenantId;
  }

  /** An equal mix of codes that are not known, used up, and expired. */
  setRefused(usedUp: readonly string[]): void {
    const { expiredCodes } = this.supply;
    const unknown = this.supply.unknownCodes(expiredCodes.length);
    this.refused = expiredCodes.flatMap((expired, at) => [
      { code: expired, refusal: 'CODE_EXPIRED' },
      { code: present(usedUp[at], 'A used-up code'), refusal: 'CODE_EXHAUSTED' },
      { code: present(unknown[at], 'An unknown code'), refusal: 'CODE_NOT_FOUND' },
    ]);
  }

  /** What the clients of a round do: everybody with an own token, and with an own code where the kind is not about one. */
  async of(kind: RoundKind, count: number, withKeys = true): Promise<readonly Intent[]> {
    switch (kind) {
      case 'raw':
      case 'empty':
      case 'empty_256':
        return this.pairs(await this.supply.passersBy(count), this.supply.unknownCodes(count), withKeys);
      case 'redeem':
      case 'redeem_256':
      case 'redeem_sealed':
      case 'plain':
      case 'two_processes':
        return this.pairs(await this.supply.takeUsers(count), await this.supply.takeCodes(count), withKeys);
      case 'redeem_four':
        return this.pairs(await this.supply.takeUsers(count), await this.supply.takeFour(count), withKeys);
      case 'redeem_conditions':
        return this.pairs(
          await this.supply.takeUsers(count),
          await this.supply.takeSelective(count),
          withKeys,
        );
      case 'hot_code': {
        const users = await this.supply.takeUsers(count);
        return this.pairs(
          users,
          users.map(() => this.supply.hotCode),
          withKeys,
        );
      }
      case 'refusal':
        return this.refusals(await this.supply.passersBy(count));
      case 'race':
        return this.race(count);
      default:
        return this.scarce();
    }
  }

  /** Every refused code once, so that from then on its refusal is known. */
  async warmRefusals(): Promise<readonly Intent[]> {
    return this.refusals(await this.supply.passersBy(this.refused.length));
  }

  /** More users than uses, in an order that brings all users of a code at about the same time. */
  private async scarce(): Promise<readonly Intent[]> {
    const codes = this.supply.scarceCodes.flatMap((code) => Array.from({ length: SCARCE_USERS }, () => code));
    const users = await this.supply.takeUsers(codes.length);
    const intents = this.pairs(users, codes, true);
    return intents.map((intent) => ({ ...intent, mayAnswer: ['COMMITTED', 'CODE_EXHAUSTED', 'CODE_HELD'] }));
  }

  /** Everybody wants the same single-use code. */
  private async race(count: number): Promise<readonly Intent[]> {
    const [code] = await this.supply.takeCodes(1);
    const users = await this.supply.takeUsers(count);
    const codes = users.map(() => present(code, 'The code of a race'));
    const mayAnswer = ['COMMITTED', 'CODE_EXHAUSTED', 'CODE_HELD'];
    return this.pairs(users, codes, false).map((intent) => ({ ...intent, mayAnswer }));
  }

  private pairs(users: readonly BenchUser[], codes: readonly string[], withKeys: boolean): readonly Intent[] {
    return users.map((user, at) => ({
      user,
      code: present(codes[at], 'The code of a user'),
      idempotencyKey: withKeys ? this.nextKey() : null,
      mayAnswer: COMMITTED,
    }));
  }

  private refusals(users: readonly BenchUser[]): readonly Intent[] {
    return users.map((user, at) => {
      const { code, refusal } = present(this.refused[at % this.refused.length], 'A code that is refused');
      return { user, code, idempotencyKey: null, mayAnswer: [refusal] };
    });
  }

  private nextKey(): string {
    this.keys += 1;
    return `bench-${this.keys}`;
  }
}
