export { createClient, type MutateOptions, type PlacedOrder, type RedeemkitClient } from './client.js';
export * from './errors.js';
export { operation, type Operation } from './operation.js';
export type * from './options.js';
export type { SettledEvents } from './outcome-bell.js';
export type { FetchInit, FetchLike, FetchReply, Signal, SignalLike, TextStore } from './platform.js';
export type * from './redeem.js';
export type { CallOptions } from './transport.js';
export type * from './generated/operations.js';
