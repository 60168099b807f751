import { Option } from '@commander-js/extra-typings';
import { PARTNER_SCOPES } from '../graphql/actor.js';
import type { ApiKey } from '../identity/partners/api-key.entity.js';
import { PARTNER_STATUSES, type Partner } from '../identity/partners/partner.entity.js';
import type { PartnerOperations } from '../identity/partners/partner-operations.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { collected, example, expectOption, instant } from './arguments.js';
import { readText } from './json-input.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

/** Who made it, where it was made at the command line. */
const AT_COMMAND_LINE = 'command-line';

const COLUMNS = fields<Partner>('id', 'name', 'status', 'version', 'createdAt');
const KEY_COLUMNS = fields<ApiKey>(
  'id',
  'name',
  'lastFour',
  'scopes',
  'productCodes',
  'expiresAt',
  'lastUsedAt',
  'revokedAt',
);
const OPERATION_COLUMNS = fields<PartnerOperations>('partnerId', 'operationCount', 'version', 'registeredAt');

const CREATE = 'partner create --tenant CH_123 --name "Shop GmbH"';
const KEY = 'partner key create --tenant CH_123 --partner 7312345678901234 --name server --scope redeem';
const REGISTER =
  'partner operations register --tenant CH_123 --partner 7312345678901234 --file manifest.json';

const ofPartner = (command: Bare) => ofTenant(command).requiredOption('--partner <id>', 'the partner');

export function addPartnerCommands(program: Bare): void {
  const group = program
    .command('partner')
    .description("Partners, their servers' API keys, and the operations that these may run.")
    .addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the partners, the newest first.',
    example: 'partner list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ partners }, { tenant }, page) => partners.page(tenant, {}, page),
  });
  addUpdate(group);
  addKeyCommands(group);
  addOperationCommands(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a partner, and print its id.',
    example: CREATE,
    options: (command) => ofTenant(command).requiredOption('--name <name>', 'the name that people read'),
    run: async ({ partners }, { tenant, name }) => partners.create(tenant, { name }),
    print: async ({ id }) => printLine(id),
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change a partner, and print its new state. The keys of a DISABLED one are refused.',
    example: 'partner update --tenant CH_123 --partner 7312345678901234 --status DISABLED',
    options: (command) =>
      ofPartner(command)
        .option('--name <name>', 'the name that people read')
        .addOption(new Option('--status <status>', 'switch it off, or on again').choices(PARTNER_STATUSES))
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async ({ partners }, { tenant, partner, name, status, expect: expectedVersion }) =>
      partners.update(tenant, partner, { name, status, expectedVersion }),
    print: printRow(COLUMNS),
  });
}

function addKeyCommands(partner: Bare): void {
  const group = partner.command('key').description('API keys.').addHelpText('after', example(KEY));
  addAction(group, {
    name: 'create',
    description: 'Make a key, and print it. It is shown this once.',
    example: KEY,
    options: (command) =>
      ofPartner(command)
        .requiredOption('--name <name>', 'what it is for')
        .requiredOption('--scope <scope>', `of ${PARTNER_SCOPES.join(', ')}; may be given again`, collected)
        .option('--product <code>', 'limits it to this product line; may be given again', collected)
        .option('--expires <instant>', 'the first instant at which it is refused', instant),
    run: async ({ apiKeys }, { tenant, partner: partnerId, name, scope, product, expires }) =>
      apiKeys.create(tenant, AT_COMMAND_LINE, {
        partnerId,
        name,
        scopes: scope,
        productCodes: product,
        expiresAt: expires,
      }),
    print: async ({ key }) => printLine(key),
  });
  addList(group, {
    description: 'List the keys of a partner, the newest first, revoked ones too.',
    example: 'partner key list --tenant CH_123 --partner 7312345678901234',
    columns: KEY_COLUMNS,
    options: ofPartner,
    page: async ({ partners }, { tenant, partner: id }, { offset, size }) => {
      const keys = await partners.keysOf(tenant, id);
      return { total: keys.length, items: keys.slice(offset, offset + size) };
    },
  });
  addRevoke(group);
}

function addRevoke(group: Bare): void {
  addAction(group, {
    name: 'revoke',
    description: 'End a key and the user tokens that it has made, and print its last state.',
    example: 'partner key revoke --tenant CH_123 --key 7312345678901234 --keep-user-tokens',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--key <id>', "the key's id, as list shows it")
        .option('--keep-user-tokens', 'let user tokens end by themselves, within 15 minutes')
        .option('--json', 'print JSON'),
    run: async ({ apiKeys }, { tenant, key, keepUserTokens }) =>
      apiKeys.revoke(tenant, key, keepUserTokens === true),
    print: printRow(KEY_COLUMNS),
  });
}

function addOperationCommands(partner: Bare): void {
  const group = partner
    .command('operations')
    .description("The operations that a partner's server may run.")
    .addHelpText('after', example(REGISTER));
  addAction(group, {
    name: 'register',
    description:
      'Replace the operations by those of a manifest: all of them, or none if one cannot run here.',
    example: REGISTER,
    options: (command) =>
      ofPartner(command)
        .requiredOption(
          '--file <path>',
          "the manifest of Apollo's, Relay's or codegen's compiler; - reads standard input",
        )
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    prepare: async ({ file }) => readText(file),
    run: async (services, { tenant, partner: partnerId, expect: expectedVersion }, { source: manifest }) =>
      services.registeredOperations.register(tenant, AT_COMMAND_LINE, {
        partnerId,
        manifest,
        expectedVersion,
      }),
    print: printRow(OPERATION_COLUMNS),
  });
}
