import type { AuditEntry } from '../audit/audit-entry.entity.js';
import type { AuditFinding } from '../audit/audit-verifier.service.js';
import type { Services } from '../app/modules.js';
import { ofTenant, type Bare } from './action.js';
import { example, instant } from './arguments.js';
import { InterruptedError, NotLookedError } from './failures.js';
import { printLine, sayOnStderr } from './output.js';
import { addList } from './rows.js';
import { withServices } from './session.js';
import { fields } from './table.js';

const COLUMNS = fields<AuditEntry>(
  'id',
  'createdAt',
  'operation',
  'actorKind',
  'actorId',
  'actorRole',
  'ip',
  'targetType',
  'targetId',
  'details',
);

const VERIFY_HELP = `
Reads every chain from its beginning, and compares it with its head, with the anchors in the event log, and with those in
a file. Each entry that was changed, deleted or inserted is named on standard output.
Exit status: 0 whole; 1 tampered with; 2 it could not be read.`;

export function addAuditCommands(program: Bare): void {
  const group = program
    .command('audit')
    .description('What staff, partners and the command line have changed.')
    .addHelpText('after', example('audit verify'));
  addList(group, {
    description: 'List the entries, the newest first.',
    example: 'audit list --tenant CH_123 --operation updateCampaign',
    columns: COLUMNS,
    options: (command) =>
      ofTenant(command)
        .option('--actor <id>', 'only by this member of staff, partner or user@host')
        .option('--operation <name>', 'only this operation')
        .option('--target <id>', 'only changes of what has this id')
        .option('--from <instant>', 'only from this instant on', instant)
        .option('--before <instant>', 'only before this instant', instant),
    page: async ({ auditLog }, { tenant, actor, operation, target, from, before }, page) =>
      auditLog.page(
        tenant,
        {
          actorId: actor ?? null,
          operation: operation ?? null,
          targetId: target ?? null,
          from: from ?? null,
          before: before ?? null,
        },
        page,
      ),
  });
  addVerify(group);
}

function addVerify(group: Bare): void {
  group
    .command('verify')
    .description('Find entries that were changed, deleted or inserted.')
    .option('--tenant <id>', 'only this tenant')
    .option('--anchors <file>', 'compare with this file as well; AUDIT_ANCHOR_FILE is taken where it is set')
    .option('--json', 'print each finding as a line of JSON')
    .addHelpText('after', VERIFY_HELP + example('audit verify --anchors /var/lib/redeemkit/anchors.jsonl'))
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      let findings = 0;
      const chains = await looked(async () =>
        withServices(options, async (services) =>
          verifyAll(services, options, async (finding) => {
            findings += 1;
            await printLine(options.json === true ? JSON.stringify(finding) : lineOf(finding));
          }),
        ),
      );
      sayOnStderr(
        findings === 0
          ? `${counted(chains, 'chain is', 'chains are')} whole.`
          : `${counted(findings, 'finding')} in ${counted(chains, 'chain')}.`,
      );
      if (findings > 0) process.exitCode = 1;
    });
}

interface VerifyOptions {
  readonly tenant?: string | undefined;
  readonly anchors?: string | undefined;
}

/** @returns how many chains there are */
async function verifyAll(
  { auditVerifier, tenants, config }: Services,
  { tenant, anchors = config.AUDIT_ANCHOR_FILE }: VerifyOptions,
  report: (finding: AuditFinding) => Promise<void>,
): Promise<number> {
  let chains = 0;
  for await (const page of tenant === undefined ? tenants.idPages() : [[tenant]]) {
    for (const tenantId of page) {
      for await (const finding of auditVerifier.verify(tenantId)) await report(finding);
      chains += 1;
    }
  }
  if (anchors !== undefined)
    for await (const finding of auditVerifier.verifyFile(anchors, tenant ?? null)) await report(finding);
  return chains;
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const lineOf = ({ kind, tenantId, entryId, toEntryId, says }: AuditFinding): string =>
  `${kind} ${tenantId} ${entryId === toEntryId ? entryId : `${entryId}-${toEntryId}`}: ${says}`;

/** Status 1 is a finding, so whatever keeps the command from looking has another. */
async function looked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new NotLookedError('The chains could not be read.', { cause: error });
  }
}
