import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import type { GraphQLObjectType, GraphQLSchema } from 'graphql';
import {
  Arg,
  Args,
  buildSchemaSync,
  Ctx,
  Field,
  Float,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { requireStaff, requireUser } from '../../src/graphql/auth.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { idempotencyKeyOf } from '../../src/graphql/idempotency-key.js';
import { permitOperations } from '../../src/graphql/permit-operations.js';
import { OWNERS, PUBLIC, USERS, type Permissions, type Rule } from '../../src/graphql/rule.js';
import { PageArgs, pageOf } from '../../src/graphql/page.js';
import { DecimalScalar } from '../../src/graphql/scalars.js';
import { DomainError, StoreUnavailableError } from '../../src/platform/errors.js';
import { BusyError } from '../../src/platform/scheduling/fair-gate.js';
import { rateLimited } from '../../src/transport/caller.js';

const SizeEnum = { SMALL: 'SMALL', LARGE: 'LARGE' } as const;
registerEnumType(SizeEnum, { name: 'Size' });

@ObjectType('Box', { simpleResolvers: true })
class BoxType {
  @Field(() => String)
  name!: string;

  @Field(() => BoxType, { nullable: true })
  inner?: BoxType | null;
}

const BoxPageType = pageOf(BoxType, 'BoxPage');

@InputType()
class KeyedInput {
  @Field(() => String, { nullable: true })
  idempotencyKey?: string | null;

  @Field(() => [Int], { defaultValue: [1, 2] })
  numbers!: number[];
}

/** What the fault's message holds, and no caller may ever read. */
export const SECRET_OF_FAULT = 'select password from user';

@Resolver()
class TransportResolver {
  @Query(() => String)
  echo(@Arg('text', () => String) text: string): string {
    return text;
  }

  @Query(() => String)
  sized(@Arg('size', () => SizeEnum) size: string): string {
    return size;
  }

  @Query(() => BoxType)
  box(): BoxType {
    const box: BoxType = { name: 'box' };
    box.inner = box;
    return box;
  }

  @Query(() => BoxPageType)
  async boxes(@Args(() => PageArgs) { size }: PageArgs) {
    await setTimeout(5);
    return { total: size, items: Array.from({ length: size }, (_, at) => ({ name: `box ${at}` })) };
  }

  @Query(() => String, { nullable: true })
  fault(): string {
    throw new Error(SECRET_OF_FAULT);
  }

  @Query(() => String, { nullable: true })
  storeAway(): string {
    throw new StoreUnavailableError('redis', { cause: new Error(SECRET_OF_FAULT) });
  }

  @Query(() => String, { nullable: true })
  escapedRefusal(): string {
    throw new DomainError('SECRET_CODE', SECRET_OF_FAULT);
  }

  @Query(() => String, { nullable: true })
  busy(): string {
    throw new BusyError('TIME', 7000, 7000);
  }

  @Query(() => String, { nullable: true })
  tooMany(): string {
    throw rateLimited('Wait a little.', 1500);
  }

  @Query(() => DecimalScalar, { nullable: true })
  wrongDecimal(): unknown {
    return { secret: SECRET_OF_FAULT };
  }

  @Query(() => String, { description: 'What the context says, as JSON.' })
  context(@Ctx() { actor, productCode, deviceId, idempotencyKey, ip, requestId }: RequestContext): string {
    return JSON.stringify({ actor, productCode, deviceId, idempotencyKey, ip, requestId });
  }

  @Query(() => String)
  userOnly(@Ctx() context: RequestContext): string {
    return requireUser(context).userId;
  }

  @Query(() => String)
  ownerOnly(@Ctx() context: RequestContext): string {
    return requireStaff(context).staffId;
  }

  @Query(() => String)
  async slow(): Promise<string> {
    await setTimeout(300);
    return 'done';
  }

  @Mutation(() => Int)
  touch(): number {
    return 1;
  }

  @Mutation(() => String)
  keyed(@Ctx() context: RequestContext, @Arg('input', () => KeyedInput) input: KeyedInput): string {
    return idempotencyKeyOf(context, input) ?? 'none';
  }

  @Subscription(() => Int, { subscribe: ({ args }) => counting(args as { to: number }) })
  counted(@Arg('to', () => Int) to: number): number {
    if (to < 0) throw new Error(SECRET_OF_FAULT);
    return to;
  }

  @Subscription(() => Int, { subscribe: () => refusingAtOnce() })
  neverBegun(): number {
    return 1;
  }

  @Subscription(() => Int, { subscribe: () => failingLater() })
  brokenOff(): number {
    return 1;
  }

  @Subscription(() => Float, { description: 'The time, again and again.', subscribe: () => ticking() })
  ticks(@Root() atMs: number): number {
    return atMs;
  }

  @Subscription(() => Int, { subscribe: () => new Waiting() })
  forever(): number {
    return 1;
  }
}

async function* counting({ to }: { to: number }): AsyncGenerator<number> {
  for (let count = 1; count <= Math.abs(to); count += 1) yield count;
}

async function refusingAtOnce(): Promise<AsyncIterable<number>> {
  throw new BusyError('CALLER', 7000, 7000);
}

/** As a subscription that catches up and finds no place for its next page. */
async function* failingLater(): AsyncGenerator<number> {
  yield 1;
  throw new BusyError('TIME', 7000, 7000);
}

async function* ticking(): AsyncGenerator<number> {
  for (;;) {
    await setTimeout(5);
    yield Date.now();
  }
}

/** Gives nothing until it is stopped. */
class Waiting implements AsyncIterableIterator<number> {
  private end: (result: IteratorResult<number>) => void = () => undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<number>> {
    return new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async return(): Promise<IteratorResult<number>> {
    this.end({ done: true, value: undefined });
    return { done: true, value: undefined };
  }
}

/** type-graphql only wants to see one. */
const UNUSED_PUB_SUB = { publish: () => undefined, subscribe: () => new Waiting() };

const RULES: Readonly<Record<string, Rule>> = { userOnly: USERS, ownerOnly: OWNERS };

/** Operations that have no rule of their own are open to everyone. */
function permissionsOf(built: GraphQLSchema): Permissions {
  const rows = (type: GraphQLObjectType | null | undefined): Record<string, Rule> =>
    Object.fromEntries(Object.keys(type?.getFields() ?? {}).map((name) => [name, RULES[name] ?? PUBLIC]));
  return {
    query: rows(built.getQueryType()),
    mutation: rows(built.getMutationType()),
    subscription: rows(built.getSubscriptionType()),
  };
}

let schema: GraphQLSchema | undefined;

export function transportSchema(): GraphQLSchema {
  schema ??= newTransportSchema();
  return schema;
}

/** A new schema, for a test that changes it. */
export function newTransportSchema(): GraphQLSchema {
  const made = buildSchemaSync({ resolvers: [TransportResolver], validate: false, pubSub: UNUSED_PUB_SUB });
  permitOperations(made, permissionsOf(made));
  return made;
}
