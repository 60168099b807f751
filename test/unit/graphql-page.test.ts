import 'reflect-metadata';
import { graphql, type GraphQLResolveInfo } from 'graphql';
import {
  Arg,
  Args,
  ArgsType,
  Field,
  Info,
  Int,
  ObjectType,
  Query,
  Resolver,
  buildSchemaSync,
} from 'type-graphql';
import { describe, expect, it } from 'vitest';
import { enumFromValues } from '../../src/graphql/enums.js';
import { ListArgs, listPageOf, PageArgs, pageOf } from '../../src/graphql/page.js';
import { DecimalScalar, InstantScalar } from '../../src/graphql/scalars.js';
import { selects } from '../../src/graphql/selects.js';

const ColourEnum = enumFromValues('Colour', ['RED', 'BLUE'], 'A colour.', { BLUE: 'Like the sky.' });

@ObjectType('Thing')
class ThingType {
  @Field(() => String)
  name!: string;
}
const ThingPageType = pageOf(ThingType, 'ThingPage');
const ThingListType = listPageOf(ThingType, 'ThingList');

@ArgsType()
class ThingsArgs extends PageArgs {
  @Field(() => ColourEnum, { nullable: true })
  colour?: string | null;
}

@Resolver()
class ThingsResolver {
  @Query(() => ThingPageType)
  things(@Args(() => ThingsArgs) args: ThingsArgs): { total: number; items: ThingType[] } {
    return { total: 1, items: [{ name: `${args.page}/${args.size}/${args.offset}/${args.colour}` }] };
  }

  @Query(() => ThingListType)
  list(@Args(() => ListArgs) args: ListArgs, @Info() info: GraphQLResolveInfo) {
    const name = `${args.afterId}/${args.size}/${selects(info, 'total')}`;
    return { total: 1, items: [{ name }], next: args.after };
  }

  @Query(() => DecimalScalar, { nullable: true })
  sum(@Arg('amount', () => DecimalScalar) amount: string): string {
    return amount;
  }

  @Query(() => InstantScalar)
  at(@Arg('at', () => InstantScalar) at: Date): Date {
    return at;
  }

  @Query(() => Int)
  one(): number {
    return 1;
  }
}

const schema = buildSchemaSync({ resolvers: [ThingsResolver], validate: false });

async function named(args: string): Promise<unknown> {
  const result = await graphql({ schema, source: `{ things${args} { items { name } } }` });
  expect(result.errors).toBeUndefined();
  return (result.data as { things: { items: { name: string }[] } }).things.items[0]?.name;
}

describe('PageArgs', () => {
  it.each([
    ['', '1/15/0/undefined'],
    ['(page: 0, size: 0)', '1/15/0/undefined'],
    ['(page: null, size: null)', '1/15/0/undefined'],
    ['(page: -3, size: -1)', '1/15/0/undefined'],
    ['(page: 3, size: 20, colour: BLUE)', '3/20/40/BLUE'],
    ['(size: 501)', '1/500/0/undefined'],
  ])('reads %s as page/size/offset %s', async (args, expected) => {
    expect(await named(args)).toBe(expected);
  });

  it('shows page and size as optional arguments beside those of the list itself', () => {
    const field = schema.getQueryType()?.getFields()['things'];
    const names = field?.args.map((arg) => `${arg.name}: ${arg.type.toString()}`);
    expect(names?.toSorted()).toEqual(['colour: Colour', 'page: Int', 'size: Int']);
  });
});

describe('ListArgs', () => {
  const listed = async (source: string) => {
    const { data, errors } = await graphql({ schema, source });
    const list = (data as { list?: { items: { name: string }[]; next?: string | null } } | null)?.list;
    return { name: list?.items[0]?.name, next: list?.next, codes: errors?.map((e) => e.extensions['code']) };
  };

  it('take the id behind which the list continues, beside the arguments of a page', async () => {
    expect(await listed('{ list(after: "123", size: 3) { items { name } next } }')).toMatchObject({
      name: '123/3/false',
      next: '123',
    });
    expect(await listed('{ list(after: null) { items { name } } }')).toMatchObject({ name: 'null/15/false' });
    const fields = schema.getQueryType()?.getFields();
    const names = fields?.['list']?.args.map(({ name }) => name);
    expect(names?.toSorted()).toEqual(['after', 'page', 'size']);
  });

  it.each(['', '0', 'x', '-1', '1 or 1=1', '9223372036854775808'])('refuse %j as a cursor', async (after) => {
    const { codes } = await listed(`{ list(after: ${JSON.stringify(after)}) { items { name } } }`);
    expect(codes).toEqual(['CURSOR_MALFORMED']);
  });

  it.each([
    ['{ list { total items { name } } }', 'true'],
    ['{ list { ... { total } items { name } } }', 'true'],
    [
      '{ list { ...A items { name } } } fragment A on ThingList { ...B } fragment B on ThingList { total }',
      'true',
    ],
    ['{ list { total: next items { name } } }', 'false'],
    ['{ list { items { name } } }', 'false'],
  ])('%s asks for the total: %s', async (source, isAsked) => {
    expect((await listed(source)).name).toBe(`null/15/${isAsked}`);
  });
});

describe('enumFromValues', () => {
  it('gives the same enum for the same name and values, and refuses other values', () => {
    expect(enumFromValues('Colour', ['RED', 'BLUE'], 'A colour.')).toBe(ColourEnum);
    expect(() => enumFromValues('Colour', ['RED'], 'A colour.')).toThrow('declared twice');
  });
});

describe('scalars', () => {
  it.each(['"0.1"', '"-12.5"', '12', '"99999999999999999999.9999999999"'])(
    'carries the decimal %s without losing a digit',
    async (literal) => {
      const result = await graphql({ schema, source: `{ sum(amount: ${literal}) }` });
      expect(result).toEqual({ data: { sum: literal.replaceAll('"', '') } });
    },
  );

  it('answers one text for one amount, however many digits the database pads', async () => {
    const result = await graphql({ schema, source: '{ sum(amount: "-12.5000000000") }' });
    expect(result).toEqual({ data: { sum: '-12.5' } });
  });

  it.each(['"1e3"', '"NaN"', '" 1"', '"1."', '"0.12345678901"', 'true', '"123456789012345678901"'])(
    'refuses %s as a decimal',
    async (literal) => {
      const result = await graphql({ schema, source: `{ sum(amount: ${literal}) }` });
      expect(result.errors?.[0]?.message).toContain('Decimal must be a string');
    },
  );

  it.each([0.1, -12.5, 1e-7, 1e21])(
    'S3.10 refuses the float %s, in the document and as a variable',
    async (a) => {
      const literal = await graphql({ schema, source: `{ sum(amount: ${a}) }` });
      expect(literal.errors?.[0]?.message).toContain('not a float');
      const source = 'query ($a: Decimal!) { sum(amount: $a) }';
      const variable = await graphql({ schema, source, variableValues: { a } });
      expect(variable.errors?.[0]?.message).toContain('not a float');
    },
  );

  it('answers instants in UTC with milliseconds', async () => {
    const result = await graphql({ schema, source: '{ at(at: "2026-01-31T23:59:59.9+01:00") }' });
    expect(result).toEqual({ data: { at: '2026-01-31T22:59:59.900Z' } });
  });
});
