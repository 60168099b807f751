import { p } from '@mikro-orm/core';

/** 63-bit ids; handled as strings, see `platform/ids.ts`. */
export const idColumn = () => p.bigint('string').unsigned();
export const tenantColumn = () => p.string().length(24);
/** UTC, milliseconds. */
export const instantColumn = () => p.datetime().length(3);
export const moneyColumn = () => p.decimal('string').precision(30).scale(10);
/** A sum of amounts: 2^63 of the largest fit. */
export const totalColumn = () => p.decimal('string').precision(60).scale(10);
/** Counters that stay far below 2^53. */
export const countColumn = () => p.bigint('number').unsigned();
/** A count that a person sets: uses, limits, lengths. */
export const smallCountColumn = () => p.integer().unsigned();
/** Raised by every change of a row, from 1. */
export const versionColumn = () => p.integer().unsigned().default(1);
