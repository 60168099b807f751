/** What the fields of forms have in common: an empty one is "none", and checks that need no server. */

export const nameIsGiven = (name: string): string | null => (name.trim() === '' ? 'Enter a name.' : null);

/** An empty amount is allowed; the server judges what it means. */
export const isAmount = (amount: string): string | null =>
  /^\d*(?:\.\d+)?$/.test(amount.trim()) ? null : 'An amount such as 5.00.';

export const amountOrNone = (amount: string): string | null => (amount.trim() === '' ? null : amount.trim());

/** Of a field of numbers, which holds a text only while it is empty. */
export const countOrNone = (count: number | ''): number | null => (count === '' ? null : count);
