import { p } from '@mikro-orm/core';

/** 63-bit ids; handled as strings, see `platform/ids.ts`. */
export const idColumn = () => p.bigint('string').unsigned();
export const tenantColumn = () => p.string().length(24);
/** UTC, milliseconds. */
export const instantColumn = () => p.datetime().length(3);
export const moneyColumn = () => p.decimal('string').precision(30).scale(10);
/** Counters that stay far below 2^53. */
export const countColumn = () => p.bigint('number').unsigned();
/** A count that a person sets: uses, limits, lengths. */
export const smallCountColumn = () => p.integer().unsigned();
