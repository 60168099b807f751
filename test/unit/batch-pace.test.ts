import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NO_PACE, PaceMeter, percentageOf } from '../../src/codes/batch-pace.js';
import { progressOf } from '../../src/codes/batch-progress.js';
import { seal, unseal } from '../../src/platform/sealed-bytes.js';

describe('the pace of a batch', () => {
  it('is unknown at first, then that of the last ten seconds', () => {
    const meter = new PaceMeter(100_000);
    expect(meter.note(0, 1000)).toEqual(NO_PACE);
    expect(meter.note(5000, 2000)).toEqual({ codesPerSecond: 5000, secondsLeft: 19 });
    expect(meter.note(10_000, 3000)).toEqual({ codesPerSecond: 5000, secondsLeft: 18 });
    // A pause of a minute is no part of it.
    expect(meter.note(10_000, 63_000)).toEqual(NO_PACE);
    expect(meter.note(30_000, 64_000)).toEqual({ codesPerSecond: 20_000, secondsLeft: 4 });
  });

  it('is unknown while codes are removed', () => {
    const meter = new PaceMeter(100_000);
    meter.note(10_000, 1000);
    expect(meter.note(5000, 2000)).toEqual(NO_PACE);
  });
});

describe('the percentage of a batch', () => {
  it.each([
    [0, 0, 0],
    [0, 5_000_000, 0],
    [1, 3, 33.3],
    [4_999_999, 5_000_000, 99.9],
    [5_000_000, 5_000_000, 100],
  ])('of %d of %d codes is %d, and 100 only when no code is missing', (generated, requested, percentage) => {
    expect(percentageOf(generated, requested)).toBe(percentage);
  });
});

describe('the progress that an event tells', () => {
  const event = (type: string, payload: Record<string, unknown>) =>
    ({ tenantId: 'T', seq: 1, type, userId: null, payload, createdAt: new Date(0) }) as const;
  const pace = { codesPerSecond: 10, secondsLeft: 5 };
  const half = {
    batchId: '7',
    campaignId: '8',
    status: 'GENERATING',
    requested: 100,
    generated: 50,
    ...pace,
  };

  it('is that of the batch that was asked for, or of all', () => {
    const progress = event('batch_progress', half);
    expect(progressOf(progress, null)).toEqual([{ ...half, percentage: 50 }]);
    expect(progressOf(progress, '7')).toEqual([{ ...half, percentage: 50 }]);
    expect(progressOf(progress, '9')).toEqual([]);
  });

  it('is complete with the codes of a batch, also of one that was made at once', () => {
    expect(progressOf(event('codes_generated', { batchId: '7', campaignId: '8', count: 3 }), null)).toEqual([
      {
        batchId: '7',
        campaignId: '8',
        status: 'READY',
        requested: 3,
        generated: 3,
        percentage: 100,
        codesPerSecond: null,
        secondsLeft: 0,
      },
    ]);
  });
});

describe('a sealed text', () => {
  const key = (): string => randomBytes(32).toString('base64url');

  it('is opened by its key alone, and never the same twice', () => {
    const own = key();
    const sealed = seal('ABCD\nEFGH', own);
    expect(unseal(sealed, own)?.toString()).toBe('ABCD\nEFGH');
    expect(unseal(sealed, key())).toBeNull();
    expect(seal('ABCD\nEFGH', own).equals(sealed)).toBe(false);
  });

  it('is not opened when one of its bytes was changed', () => {
    const own = key();
    const sealed = seal('ABCD', own);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(unseal(changed, own)).toBeNull();
    }
  });
});
