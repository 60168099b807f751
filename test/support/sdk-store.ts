import type { TextStore } from '../../sdk/src/index.js';

/** A store as a browser has it: all pages find the same in it. */
export class MapStore implements TextStore {
  readonly items = new Map<string, string>();
  readonly getItem = (key: string): string | null => this.items.get(key) ?? null;
  readonly setItem = (key: string, value: string): void => void this.items.set(key, value);
  readonly removeItem = (key: string): void => void this.items.delete(key);
}
