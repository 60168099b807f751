import type { Random } from '../faults/load/random.js';

const KEPT = 12;

/** The last few of something; what requests refer to. */
export class Recent<T> {
  private readonly items: T[] = [];
  private readonly kept: number;

  constructor(kept = KEPT) {
    this.kept = kept;
  }

  add(item: T): void {
    if (this.items.includes(item)) return;
    this.items.push(item);
    if (this.items.length > this.kept) this.items.shift();
  }

  /** The newer ones more often. */
  pick(draw: Random): T | undefined {
    const back = Math.floor(draw.next() ** 2 * this.items.length);
    return this.items[this.items.length - 1 - back];
  }

  /** At most this many, each once. */
  some(draw: Random, count: number): T[] {
    const picked = Array.from({ length: count }, () => this.pick(draw));
    return [...new Set(picked)].filter((item) => item !== undefined);
  }
}

/** What a user has or has had, by ids. */
interface Things {
  readonly orders: Recent<string>;
  /** Those of them that were paid. */
  readonly paid: Recent<string>;
  readonly coupons: Recent<string>;
  readonly redemptions: Recent<string>;
}

/** What the requests of all lanes can refer to. They share it, so that they want the same things at the same moment. */
export class Known {
  private readonly things = new Map<string, Things>();
  private readonly users: string[];

  constructor(users: readonly string[]) {
    this.users = [...users];
  }

  user(draw: Random): string {
    return draw.pick(this.users);
  }

  of(userId: string): Things {
    const known = this.things.get(userId);
    if (known !== undefined) return known;
    const ids = (): Recent<string> => new Recent<string>();
    const none = { orders: ids(), paid: ids(), coupons: ids(), redemptions: ids() };
    this.things.set(userId, none);
    return none;
  }

  /** A new user in the place of another one, who asks for nothing more. */
  replace(userId: string, place: number): void {
    const gone = this.users[place % this.users.length];
    this.users[place % this.users.length] = userId;
    if (gone !== undefined) this.things.delete(gone);
  }
}
