import { Option, type Command } from 'commander';
import { SHOWN_CODE_STATUSES, shownStatus, type ShownCodeStatus } from '../codes/code-reader.service.js';
import type { Code } from '../codes/code.entity.js';
import { addList } from './rows.js';

interface Filters {
  readonly campaign?: string;
  readonly batch?: string;
  readonly status?: ShownCodeStatus;
  readonly part?: string;
}

interface ShownCode {
  readonly code: Code;
  /** What it comes to at this instant. */
  readonly effectiveStatus: string;
}

/** Codes whose texts are not kept are told apart by their last four characters. */
export function addCodesList(group: Command): void {
  addList<Filters, ShownCode>(group, {
    description: 'List codes, the newest first.',
    example: 'codes list --tenant CH_123 --campaign 7312345678901234 --status ACTIVE',
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
    filters: (command) =>
      command
        .option('--campaign <id>', 'only those of this campaign')
        .option('--batch <id>', 'only those of this batch')
        .addOption(new Option('--status <status>', 'only these').choices(SHOWN_CODE_STATUSES))
        .option('--part <text>', 'only those that hold this'),
    page: async ({ codeReader }, options, page) => {
      const { tenant, campaign = null, batch = null, status = null, part = null } = options;
      const filter = { campaignId: campaign, batchId: batch, status, part };
      const { total, items } = await codeReader.page(tenant, filter, page);
      const shown = items.map(async (code) => ({
        code,
        effectiveStatus: await codeReader.effectiveStatus(code),
      }));
      return { total, items: await Promise.all(shown) };
    },
  });
}
