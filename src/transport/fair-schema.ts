import {
  defaultFieldResolver,
  GraphQLError,
  getNullableType,
  isListType,
  isObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { StoreUnavailableError } from '../platform/errors.js';
import type { LoopTurns } from '../platform/scheduling/loop-turns.js';
import { HeldPlace } from '../platform/scheduling/held-place.js';
import { isServerAway, isStatementTimeout } from '../platform/database/sql-errors.js';
import { callerOf } from './caller.js';
import type { RequestContext } from '../graphql/context.js';
import { readPageSize } from '../graphql/page-size.js';
import type { WorkKind, WorkShares } from './work-shares.js';

/** Rows that are resolved in one go; with ten fields each that takes about a millisecond. */
export const SLICE_ROWS = 20;

const STORE_AWAY = new StoreUnavailableError('database', {
  cause: 'A request of the same caller found a store away.',
});

type Resolver = GraphQLFieldResolver<unknown, RequestContext>;

/** Rows that can be paged through: the database walks over all that lie before a page. */
const OFFSET_MAX = 1_000_000;

/**
 * Makes every query and mutation of the schema take its caller's share, and every long list resolve in slices. It works
 * on the finished schema, so a field that is added later cannot forget it.
 */
export function serveFairly(schema: GraphQLSchema, shares: WorkShares): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const kind = kindOf(schema, type);
    for (const field of Object.values(type.getFields())) {
      const isList = isListType(getNullableType(field.type));
      if (field.resolve === undefined && !isList) continue;
      const resolve: Resolver = field.resolve ?? defaultFieldResolver;
      const sliced = isList ? inSlices(resolve, shares.turns) : resolve;
      if (field.resolve === undefined) properties.add(sliced);
      if (kind === null) field.resolve = sliced;
      else {
        const shared = inTurn(sliced, shares, kind);
        field.resolve = field.extensions['unshared'] === true ? atOnce(sliced, shared, shares) : shared;
      }
    }
  }
  return schema;
}

/** Lists that are sliced, and nothing but a property of the object that they are selected of. */
const properties = new WeakSet<Resolver>();

/** Whether a field is nothing but a property of the object that it is selected of. */
export function isProperty({ resolve }: GraphQLField<unknown, RequestContext>): boolean {
  return resolve === undefined || properties.has(resolve);
}

function kindOf(schema: GraphQLSchema, type: unknown): WorkKind | null {
  if (type === schema.getQueryType()) return 'reads';
  return type === schema.getMutationType() ? 'writes' : null;
}

/** Only a user can redeem. Others are refused, and a flood of that must neither pass freely nor hold lists back. */
function atOnce(resolve: Resolver, shared: Resolver, shares: WorkShares): Resolver {
  return async (source, args, context, info) =>
    context.actor?.kind === 'USER'
      ? shares.urgently(callerOf(context), () => resolve(source, args, context, info))
      : shared(source, args, context, info);
}

/** The place is left when the last row of the page was handed on, so that rows of few lists are in memory at once. */
function inTurn(resolve: Resolver, shares: WorkShares, kind: WorkKind): Resolver {
  return async (source, args, context, info) => {
    requireNearPage(args as PageRequest);
    const caller = callerOf(context);
    const place = await HeldPlace.take(async () => shares.enter(kind, caller));
    let rest: Promise<void> | null = null;
    try {
      const result: unknown = await place.during(() => resolve(source, args, context, info));
      // As below: one slow read proves nothing about what other callers need.
      if (isRefusedForDatabase(result))
        shares.failWaiting(kind, STORE_AWAY, (other) => isSame(other, caller));
      if (!isPage(result) || result.items.length <= SLICE_ROWS) return result;
      const { items, last } = spread(result.items, shares.turns, caller);
      rest = last;
      return { ...result, items };
    } catch (error) {
      if (isDatabaseAway(error)) shares.failWaiting(kind, error, (other) => isSame(other, caller));
      throw isStatementTimeout(error) ? timedOut() : error;
    } finally {
      if (rest === null) place.leave();
      else void rest.then(() => place.leave());
    }
  };
}

function isDatabaseAway(error: unknown): boolean {
  return (error instanceof StoreUnavailableError && error.store === 'database') || isServerAway(error);
}

/** A preview tells of a store that is away as data; without Redis, lists go on. */
function isRefusedForDatabase(result: unknown): boolean {
  return (
    typeof result === 'object' && result !== null && 'storeAway' in result && result.storeAway === 'database'
  );
}

const isSame = (a: Caller, b: Caller): boolean =>
  a.tenantId === b.tenantId && a.kind === b.kind && a.id === b.id;

interface PageRequest {
  readonly page?: unknown;
  readonly size?: unknown;
}

function requireNearPage({ page, size }: PageRequest): void {
  if (typeof page !== 'number' || !(size === undefined || size === null || typeof size === 'number')) return;
  if ((page - 1) * readPageSize(size) <= OFFSET_MAX) return;
  throw new GraphQLError(`Only the first ${OFFSET_MAX} rows can be paged through. Narrow the filter.`, {
    extensions: { code: 'PAGE_TOO_DEEP', limit: OFFSET_MAX },
  });
}

function timedOut(): GraphQLError {
  return new GraphQLError(
    'This takes too long to find. Narrow the filter, or ask for an earlier page; where there is neither, ask again later.',
    {
      extensions: { code: 'READ_TIMED_OUT' },
    },
  );
}

function isPage(result: unknown): result is { readonly items: readonly unknown[] } {
  return typeof result === 'object' && result !== null && 'items' in result && Array.isArray(result.items);
}

function inSlices(resolve: Resolver, turns: LoopTurns): Resolver {
  const cut = (list: unknown, context: RequestContext): unknown => {
    if (!Array.isArray(list) || list.length <= SLICE_ROWS || list[0] instanceof Promise) return list;
    return spread(list, turns, callerOf(context)).items;
  };
  return (source, args, context, info) => {
    const list: unknown = resolve(source, args, context, info);
    return list instanceof Promise ? list.then((items: unknown) => cut(items, context)) : cut(list, context);
  };
}

/** A slice of rows per turn: graphql-js resolves each row as soon as its promise does. */
function spread(
  rows: readonly unknown[],
  turns: LoopTurns,
  caller: Caller,
): { readonly items: readonly Promise<unknown>[]; readonly last: Promise<void> } {
  let last = Promise.resolve();
  const items = rows.map((row, at) => {
    if (at % SLICE_ROWS === 0) last = nextTurn(last, turns, caller);
    return last.then(() => row);
  });
  return { items, last };
}

async function nextTurn(before: Promise<void>, turns: LoopTurns, caller: Caller): Promise<void> {
  await before;
  await turns.next(caller);
}
