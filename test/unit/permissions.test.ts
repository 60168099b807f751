import { describe, expect, it } from 'vitest';
import { modules } from '../../src/app/modules.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { STAFF_ROLES, type Actor } from '../../src/graphql/actor.js';
import { permitOperations } from '../../src/graphql/permit-operations.js';
import {
  denialOf,
  EDITORS,
  joinPermissions,
  NODES,
  OWNERS,
  PUBLIC,
  STAFF,
  USERS,
  type Permissions,
  type Rule,
} from '../../src/graphql/rule.js';
import { permissionsOf, type Permission } from '../../src/identity/users/viewer.permissions.js';
import { RouteRules, TRANSPORT_PERMISSIONS } from '../../src/transport/route-rules.js';

const USER: Actor = { kind: 'USER', tenantId: 'T_1', userId: '1' };
const NODE: Actor = { kind: 'NODE', tenantId: 'T_1', nodeId: '1' };
const staff = (role: (typeof STAFF_ROLES)[number]): Actor => ({
  kind: 'STAFF',
  tenantId: 'T_1',
  staffId: 's',
  role,
});
const ACTORS: readonly Actor[] = [USER, NODE, ...STAFF_ROLES.map(staff)];

const table = modules.permissions;
const schema = buildRedeemkitSchema();
const ROOTS = {
  query: schema.getQueryType(),
  mutation: schema.getMutationType(),
  subscription: schema.getSubscriptionType(),
};

describe('a rule', () => {
  it('is open to everyone, or asks for a token', () => {
    expect(denialOf(PUBLIC, null)).toBeNull();
    expect(denialOf(USERS, null)).toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
  });

  it.each<[Rule, Actor, string]>([
    [USERS, NODE, 'Only users may do this; the token sent belongs to a node.'],
    [{ ...USERS, ...STAFF }, NODE, 'Only users and staff may do this; the token sent belongs to a node.'],
    [EDITORS, USER, 'Only staff may do this; the token sent belongs to a user.'],
    [
      { ...NODES, ...EDITORS },
      staff('AUDITOR'),
      'The role AUDITOR may not do this; it takes OWNER or OPERATOR.',
    ],
    [OWNERS, staff('OPERATOR'), 'The role OPERATOR may not do this; it takes OWNER.'],
  ])('says what is missing: %j', (rule, actor, message) => {
    expect(denialOf(rule, actor)).toMatchObject({ message, extensions: { code: 'FORBIDDEN' } });
  });
});

describe('the table of permissions', () => {
  it('has one row for each operation of the schema, and no other', () => {
    for (const [kind, type] of Object.entries(ROOTS))
      expect(Object.keys(table[kind as keyof Permissions] ?? {}).toSorted()).toEqual(
        Object.keys(type?.getFields() ?? {}).toSorted(),
      );
  });

  it.each([
    ['query', 'campaign'],
    ['mutation', 'redeemCode'],
    ['subscription', 'batchProgress'],
  ] as const)('stops the start where the %s %s has no row', (kind, name) => {
    const rows = Object.fromEntries(Object.entries(table[kind] ?? {}).filter(([row]) => row !== name));
    expect(() => permitOperations(buildRedeemkitSchema(), { ...table, [kind]: rows })).toThrow(
      `The operation ${kind} ${name} has no row`,
    );
  });

  it('stops the start for a row without an operation, and for two rows of one', () => {
    const stale = joinPermissions([table, { query: { gone: STAFF } }]);
    expect(() => permitOperations(buildRedeemkitSchema(), stale)).toThrow('has the row query gone');
    expect(() => joinPermissions([table, { query: { viewer: STAFF } }])).toThrow('a row for the same query');
  });

  it('stops the start for an HTTP route without a row', () => {
    const rules = new RouteRules(table);
    for (const row of Object.keys({ ...table.http, ...TRANSPORT_PERMISSIONS.http })) {
      const [method = '', path = ''] = row.replace('*', '/x').split(' ');
      expect(rules.of(method, path)).toBeDefined();
    }
    expect(() => rules.of('GET', '/api/redeem')).toThrow('The operation GET /api/redeem has no row');
  });

  it('agrees with what the descriptions of the schema say', () => {
    const said: Readonly<Record<string, Rule>> = {
      'For OWNER and OPERATOR.': EDITORS,
      'For staff.': STAFF,
      'For OWNER.': OWNERS,
      'For nodes, OWNER and OPERATOR.': { ...NODES, ...EDITORS },
      'For nodes and staff.': { ...NODES, ...STAFF },
      "For a PLATFORM tenant's OWNER.": OWNERS,
      "For a PLATFORM tenant's staff.": STAFF,
    };
    for (const [kind, type] of Object.entries(ROOTS))
      for (const { name, description } of Object.values(type?.getFields() ?? {})) {
        const rule = table[kind as keyof Permissions]?.[name];
        const words = Object.keys(said).find((each) => description?.endsWith(each) === true);
        expect([name, rule]).toEqual([name, words === undefined ? rule : said[words]]);
        // An operation that not all of the staff may use says so.
        expect([name, words === undefined && rule === EDITORS]).toEqual([name, false]);
      }
  });

  it('gives each permission of the viewer to the callers who may use its operations', () => {
    const operations: Readonly<Record<Permission, Rule | undefined>> = {
      REDEEM: table.mutation?.['redeemCode'],
      SPEND: table.mutation?.['placeOrder'],
      READ: table.query?.['campaigns'],
      READ_NODE_USERS: table.query?.['nodeUsers'],
      CHANGE: table.mutation?.['createCampaign'],
      CHANGE_STAFF: table.mutation?.['inviteStaff'],
      READ_TENANTS: table.query?.['tenants'],
      CHANGE_TENANTS: table.mutation?.['createTenant'],
    };
    for (const actor of ACTORS) {
      const may = Object.entries(operations).filter(([, rule]) => rule && denialOf(rule, actor) === null);
      expect(permissionsOf(actor, true).toSorted()).toEqual(may.map(([permission]) => permission).toSorted());
    }
  });
});
