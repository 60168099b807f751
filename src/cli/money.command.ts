import { Money } from '../platform/decimal.js';
import type { Account } from '../money/account.entity.js';
import type { Currency } from '../money/currency.entity.js';
import type { Facility } from '../money/facility.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, externalId, wholeNumber } from './arguments.js';
import { printLine } from './output.js';
import { addList } from './rows.js';
import { fields, type Columns } from './table.js';

/** The database pads to the column's scale; the same amount has one text. */
const amountText = (amount: string | null | undefined) => (amount ? new Money(amount).toFixed() : null);

const CURRENCY_COLUMNS: Columns<Currency> = {
  ...fields<Currency>('code', 'name', 'scale'),
  feeRate: ({ feeRate }) => amountText(feeRate),
  transferMax: ({ transferMax }) => amountText(transferMax),
  ...fields<Currency>('dailyCountMax'),
  dailySumMax: ({ dailySumMax }) => amountText(dailySumMax),
  ...fields<Currency>('enabled', 'version'),
};
const FACILITY_COLUMNS = fields<Facility>('id', 'name', 'enabled', 'version');
const ACCOUNT_COLUMNS: Columns<Account> = {
  ...fields<Account>('id', 'userId', 'facilityId', 'currency'),
  balance: ({ balance }) => amountText(balance),
  ...fields<Account>('haltedAt'),
};

const CREATE_CURRENCY = 'currency create --tenant CH_123 --code USD --name Dollar --scale 2 --fee 0.01';
const CREATE_FACILITY = 'facility create --tenant CH_123 --name "Main shop"';
const ADJUST =
  'balance adjust --tenant CH_123 --user alice --facility 7312345678901234 --currency USD --amount 25.00 --order gift-1 --remark "Welcome gift"';

export function addMoneyCommands(program: Bare): void {
  addCurrencies(program);
  addFacilities(program);
  addBalances(program);
}

function addCurrencies(program: Bare): void {
  const group = program
    .command('currency')
    .description('Currencies that balances are counted in.')
    .addHelpText('after', example(CREATE_CURRENCY));
  addAction(group, {
    name: 'create',
    description: 'Make a currency, and print its code. Code and scale never change.',
    example: CREATE_CURRENCY,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--code <code>', '2 to 8 capitals and digits, e.g. USD')
        .requiredOption('--name <name>', 'the name that people read')
        .requiredOption('--scale <n>', 'digits after the point', wholeNumber)
        .option('--fee <rate>', 'the part of a transfer that is kept, e.g. 0.01')
        .option('--transfer-max <amount>', 'the largest amount of one transfer')
        .option('--daily-count <n>', 'transfers of one user in a day', wholeNumber)
        .option('--daily-sum <amount>', "the sum of one user's transfers in a day"),
    run: async ({ currencies }, { tenant, code, name, scale, fee, transferMax, dailyCount, dailySum }) => {
      const limits = { transferMax, dailyCountMax: dailyCount, dailySumMax: dailySum };
      return currencies.create(tenant, { code, name, scale, feeRate: fee, ...limits });
    },
    print: async ({ code }) => printLine(code),
  });
  addList(group, {
    description: 'List the currencies by their codes; a limit of - is none.',
    example: 'currency list --tenant CH_123',
    columns: CURRENCY_COLUMNS,
    options: ofTenant,
    page: async ({ currencies }, { tenant }, { offset, size }) => {
      const all = await currencies.list(tenant, false);
      return { total: all.length, items: all.slice(offset, offset + size) };
    },
  });
}

function addFacilities(program: Bare): void {
  const group = program
    .command('facility')
    .description('Facilities, where balances are kept: shops, branches, games.')
    .addHelpText('after', example(CREATE_FACILITY));
  addAction(group, {
    name: 'create',
    description: 'Make a facility, and print its id.',
    example: CREATE_FACILITY,
    options: (command) => ofTenant(command).requiredOption('--name <name>', 'the name that people read'),
    run: async ({ facilities }, { tenant, name }) => facilities.create(tenant, { name }),
    print: async ({ id }) => printLine(id),
  });
  addList(group, {
    description: 'List the facilities, the newest first.',
    example: 'facility list --tenant CH_123',
    columns: FACILITY_COLUMNS,
    options: ofTenant,
    page: async ({ facilities }, { tenant }, page) => facilities.list(tenant, page, false),
  });
}

function addBalances(program: Bare): void {
  const group = program
    .command('balance')
    .description('Balances of users.')
    .addHelpText('after', example(ADJUST));
  addAction(group, {
    name: 'adjust',
    description:
      'Add to a balance, or take from it, and print the new one. Once for each account and order id.',
    example: ADJUST,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
        .requiredOption('--facility <id>', 'the facility')
        .requiredOption('--currency <code>', 'the currency')
        .requiredOption('--amount <amount>', 'what to add; --amount=-5 takes away')
        .requiredOption('--order <id>', 'repeated, it changes nothing more')
        .requiredOption('--remark <text>', 'the reason'),
    run: async ({ accounts, users }, { tenant, user, facility, currency, amount, order, remark }) => {
      const known = await users.find(tenant, { externalId: user });
      const place = { userId: known?.id ?? '', facilityId: facility, currency };
      return accounts.adjust(tenant, 'command line', { ...place, amount, orderId: order, remark });
    },
    print: async ({ after }) => printLine(new Money(after).toFixed()),
  });
  addList(group, {
    description: 'List the accounts of users, the newest first.',
    example: 'balance list --tenant CH_123 --halted',
    columns: ACCOUNT_COLUMNS,
    options: (command) =>
      ofTenant(command).option('--halted', 'only those that were halted; see `redeemkit reconcile`'),
    page: async ({ accounts }, { tenant, halted }, page) =>
      accounts.list(tenant, halted === true ? { isHalted: true } : {}, page),
  });
}
