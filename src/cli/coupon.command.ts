import { Option } from '@commander-js/extra-typings';
import { COUPON_KINDS, type CouponTemplate } from '../orders/coupons/coupon-template.entity.js';
import { Money } from '../platform/decimal.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, externalId, instant, wholeNumber } from './arguments.js';
import { printLine } from './output.js';
import { addList } from './rows.js';
import { fields, type Columns } from './table.js';
import { userIdOf } from './user-id.js';

const COLUMNS: Columns<CouponTemplate> = {
  ...fields<CouponTemplate>('id', 'name', 'kind', 'currency'),
  // The database pads to the column's scale; the same amount has one text.
  amount: (template) => new Money(template.amount).toFixed(),
  minimum: (template) => new Money(template.minimum).toFixed(),
  ...fields<CouponTemplate>(
    'rateMille',
    'issued',
    'issueLimit',
    'validDays',
    'startsAt',
    'endsAt',
    'enabled',
    'version',
  ),
};

const CREATE = 'coupon create --tenant CH_123 --name Welcome --kind AMOUNT --currency USD --amount 10';

export function addCouponCommands(program: Bare): void {
  const group = program
    .command('coupon')
    .description('Coupons, and the templates that they are issued from.')
    .addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the templates, the newest first.',
    example: 'coupon list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ couponTemplates }, { tenant }, page) => couponTemplates.list(tenant, page),
  });
  addIssue(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a template of coupons, and print its id.',
    example: CREATE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--name <name>', 'the name that people read')
        .addOption(
          new Option(
            '--kind <kind>',
            'a balance used in parts, an amount off from a minimum on, or a share of the total',
          )
            .choices(COUPON_KINDS)
            .makeOptionMandatory(),
        )
        .requiredOption('--currency <code>', 'a currency of the tenant, e.g. USD')
        .option('--amount <amount>', 'of AMOUNT and THRESHOLD, e.g. 10.00')
        .option('--minimum <amount>', 'of THRESHOLD: the least total')
        .option('--rate <mille>', 'of RATE: per mille of the total, e.g. 100 for a tenth', wholeNumber)
        .option('--limit <n>', 'coupons that there may ever be; else any number', wholeNumber)
        .option('--days <n>', 'days until a coupon expires; else only at the end of the window', wholeNumber)
        .option('--starts <instant>', 'the first instant at which coupons are issued', instant)
        .option('--ends <instant>', 'the first instant at which none is valid any more', instant),
    run: async ({ couponTemplates }, options) => {
      const { tenant, name, kind, currency, amount, minimum, rate, limit, days, starts, ends } = options;
      const terms = { kind, currency, amount, minimum, rateMille: rate };
      const window = { validDays: days, startsAt: starts, endsAt: ends };
      return couponTemplates.create(tenant, { name, ...terms, issueLimit: limit, ...window });
    },
    print: async ({ id }) => printLine(id),
  });
}

function addIssue(group: Bare): void {
  addAction(group, {
    name: 'issue',
    description: 'Issue coupons to a user, and print their ids, one a line.',
    example: 'coupon issue --tenant CH_123 --template 7312345678901234 --user alice',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--template <id>', 'the template')
        .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
        .option('--count <n>', 'how many, 100 at most', wholeNumber)
        .option('--key <key>', 'idempotency key: the same call again prints the same coupons', externalId),
    run: async ({ couponIssues, users }, { tenant, template: templateId, user, count, key }) => {
      const userId = await userIdOf(users, tenant, user);
      const { coupons } = await couponIssues.issue(tenant, {
        templateId,
        userId,
        count,
        idempotencyKey: key,
      });
      return coupons;
    },
    print: async (coupons) => printLine(coupons.map(({ id }) => id).join('\n')),
  });
}
