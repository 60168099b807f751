import type { TextStore } from './platform.js';
import { randomKey } from './platform.js';

/** A redemption whose outcome is not known yet. */
export interface PendingRedemption {
  /** As it was typed first: every repetition sends the same. */
  readonly code: string;
  readonly idempotencyKey: string;
  /** For whom; another user's are left alone. */
  readonly subject: string;
  readonly beganMs: number;
}

const ITEM = 'redeemkit.pending';
/** What was begun longer ago is not taken up again: its user has given up on it. */
const AGE_MAX_MS = 86_400_000;

/** Notes the redemptions that are under way, so that each keeps its key through errors and reloads. */
export class PendingRedemptions {
  /** Redemptions of this page, which a slow store must not hide. */
  private readonly own = new Map<string, PendingRedemption>();
  private readonly store: TextStore | undefined;
  /** Changes of the store, one after another. */
  private changes: Promise<unknown> = Promise.resolve();

  constructor(store: TextStore | undefined) {
    this.store = store;
  }

  /** The one that is under way for this user and code, or a new one. */
  async begin(code: string, subject: string, idempotencyKey: string | undefined): Promise<PendingRedemption> {
    const id = `${subject}\n${alike(code)}`;
    if (this.store !== undefined && !this.own.has(id)) await this.take(subject);
    const known = this.own.get(id);
    if (known !== undefined && (idempotencyKey ?? known.idempotencyKey) === known.idempotencyKey)
      return known;
    const key = idempotencyKey ?? randomKey();
    const entry = { code, idempotencyKey: key, subject, beganMs: Date.now() };
    this.own.set(id, entry);
    await this.change((stored) => [...stored.filter((other) => other.idempotencyKey !== key), entry]);
    return entry;
  }

  async settle(entry: PendingRedemption): Promise<void> {
    for (const [id, { idempotencyKey }] of this.own)
      if (idempotencyKey === entry.idempotencyKey) this.own.delete(id);
    await this.change((stored) =>
      stored.filter(({ idempotencyKey }) => idempotencyKey !== entry.idempotencyKey),
    );
  }

  async of(subject: string): Promise<readonly PendingRedemption[]> {
    await this.take(subject);
    return [...this.own.values()].filter((entry) => entry.subject === subject);
  }

  private async take(subject: string): Promise<void> {
    await this.changes;
    for (const entry of await this.stored()) {
      const id = `${entry.subject}\n${alike(entry.code)}`;
      if (entry.subject === subject && !this.own.has(id)) this.own.set(id, entry);
    }
  }

  private async change(
    changed: (stored: readonly PendingRedemption[]) => readonly PendingRedemption[],
  ): Promise<void> {
    const { store } = this;
    if (store === undefined) return;
    this.changes = this.changes.then(async () => this.write(store, changed(await this.stored())));
    await this.changes;
  }

  /** A store that is full or forbidden costs the way back after a reload, and not the redemption. */
  private async write(store: TextStore, entries: readonly PendingRedemption[]): Promise<void> {
    try {
      await (entries.length === 0 ? store.removeItem(ITEM) : store.setItem(ITEM, JSON.stringify(entries)));
    } catch {
      // Noted in memory all the same.
    }
  }

  private async stored(): Promise<readonly PendingRedemption[]> {
    try {
      const entries: unknown = JSON.parse((await this.store?.getItem(ITEM)) ?? '[]');
      return Array.isArray(entries) ? entries.filter(isPending) : [];
    } catch {
      return [];
    }
  }
}

function isPending(entry: unknown): entry is PendingRedemption {
  const { code, idempotencyKey, subject, beganMs } = (entry ?? {}) as Partial<PendingRedemption>;
  const areTexts = [code, idempotencyKey, subject].every((value) => typeof value === 'string');
  return areTexts && typeof beganMs === 'number' && Date.now() - beganMs < AGE_MAX_MS;
}

/** Two spellings of one code; if they are not, the server says so. */
const alike = (code: string): string => code.toUpperCase().replace(/[\s\-._"'“”]+/g, '');
