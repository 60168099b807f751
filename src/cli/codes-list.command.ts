import { Option } from '@commander-js/extra-typings';
import { SHOWN_CODE_STATUSES, shownStatus } from '../codes/code-filter.js';
import { TIME_UNITS } from '../rewards/time-unit.js';
import { ofTenant, type Bare } from './action.js';
import { instant } from './arguments.js';
import { addList } from './rows.js';

/** Codes whose texts are not stored are distinguished by their last four characters. */
export function addCodesList(group: Bare): void {
  addList(group, {
    description: 'List codes, the newest first.',
    example: 'codes list --tenant CH_123 --campaign 7312345678901234 --status ACTIVE',
    options: (command) =>
      ofTenant(command)
        .option('--campaign <id>', 'only those of this campaign')
        .option('--batch <id>', 'only those of this batch')
        .addOption(new Option('--status <status>', 'only these').choices(SHOWN_CODE_STATUSES))
        .option('--plan <id>', 'only those of campaigns that give this plan')
        .addOption(new Option('--unit <unit>', 'only those that give this unit of time').choices(TIME_UNITS))
        .option('--assigned <id>', 'only those that this user alone may redeem')
        .option('--from <instant>', 'only those issued from this instant on', instant)
        .option('--before <instant>', 'only those issued before this instant', instant)
        .option('--part <text>', 'only those that hold this'),
    page: async ({ codeReader }, options, page) => {
      const { tenant, campaign, batch, plan, assigned, from, before } = options;
      const { status = null, part = null, unit = null } = options;
      const filter = {
        status,
        part,
        unit,
        campaignId: campaign ?? null,
        batchId: batch ?? null,
        planId: plan ?? null,
        assignedUserId: assigned ?? null,
        issuedFrom: from ?? null,
        issuedBefore: before ?? null,
      };
      const { total, items } = await codeReader.page(tenant, filter, page);
      const shown = items.map(async (code) => ({
        code,
        // What it comes to at this instant.
        effectiveStatus: await codeReader.effectiveStatus(code),
      }));
      return { total, items: await Promise.all(shown) };
    },
    columns: {
      id: ({ code }) => code.id,
      code: ({ code }) => code.codeText,
      lastFour: ({ code }) => code.lastFour,
      status: ({ code }) => shownStatus(code),
      effectiveStatus: ({ effectiveStatus }) => effectiveStatus,
      used: ({ code }) => code.used,
      useLimit: ({ code }) => code.useLimit,
      expiresAt: ({ code }) => code.expiresAt,
      campaignId: ({ code }) => code.campaignId,
      batchId: ({ code }) => code.batchId,
    },
  });
}
