import { describe, expect, it } from 'vitest';
import { checkOrder } from '../../src/orders/orders/order-input.js';
import { isMore, minus, plus, scaleOf, totalOf, worthOf } from '../../src/orders/orders/order-pricing.js';

describe('what an order costs', () => {
  it('S3.10 is exact, and rounded half to even at the scale of the currency', () => {
    expect(totalOf('0.1', 3, 2)).toBe('0.3');
    expect(totalOf('9.995', 3, 2)).toBe('29.98');
    expect(totalOf('9.995', 1, 2)).toBe('10');
    expect(totalOf('0.125', 1, 2)).toBe('0.12');
    expect(totalOf('2.5', 1, 0)).toBe('2');
    expect(totalOf('99999999999999999999', 1_000_000, 2)).toBeNull();
    expect(totalOf('99999999999999999999.9999999999', 1, 10)).toBe('99999999999999999999.9999999999');
  });

  it('is never nothing where there is a price', () => {
    expect(totalOf('0.005', 1, 2)).toBe('0.01');
    expect(totalOf('0.5', 1, 0)).toBe('1');
    expect(totalOf('0.0000000001', 1, 2)).toBe('0.01');
    expect(totalOf('0', 5, 2)).toBe('0');
  });

  it('is less what points are worth, rounded down', () => {
    expect(worthOf(1999, '0.01', 2)).toBe('19.99');
    expect(worthOf(199, '0.01', 0)).toBe('1');
    expect(worthOf(99, '0.01', 0)).toBe('0');
    expect(worthOf(1_000_000_000, '0.0000000001', 2)).toBe('0.1');
  });

  it('adds and subtracts without a float', () => {
    expect(minus('100', '33.33', '0.01')).toBe('66.66');
    expect(plus('0.1', '0.2')).toBe('0.3');
    expect(isMore('0.30000000001', '0.3')).toBe(true);
    expect(scaleOf('1.2500')).toBe(2);
  });
});

describe('what is ordered', () => {
  it('has its defaults', () => {
    expect(checkOrder({ type: 'PURCHASE', planId: '1' })).toEqual({
      type: 'PURCHASE',
      sourceType: 'MALL',
      quantity: 1,
      amount: null,
      points: 0,
      planId: '1',
      facilityId: null,
      currency: null,
      couponIds: [],
      idempotencyKey: null,
    });
  });

  it.each([
    null,
    undefined,
    7,
    'PURCHASE',
    [],
    {},
    { type: 'PURCHASE', planId: 5 },
    { type: 'PURCHASE', planId: '1', couponIds: 'a' },
  ])('is refused for %j', (input) => {
    expect(() => checkOrder(input)).toThrow(expect.objectContaining({ name: 'DomainError' }) as Error);
  });
});
