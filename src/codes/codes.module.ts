import type { CampaignRewards } from '../campaigns/campaign-rewards.service.js';
import type { CampaignNames } from '../campaigns/campaign-names.service.js';
import { campaignNameOf, type CampaignPorts } from '../campaigns/campaigns.module.js';
import type { CampaignService } from '../campaigns/campaign.service.js';
import type { EventConsumer } from '../platform/outbox/event-consumers.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { Totals } from '../platform/database/totals.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { SecretResealing } from '../platform/sealed-secrets.js';
import { BatchGate } from './batch-gate.service.js';
import { BatchProgressResolver } from './batch-progress.resolver.js';
import { BatchResolver } from './batch.resolver.js';
import { BatchType } from './batch.types.js';
import { CampaignLaunchService } from './campaign-launch.service.js';
import { CODE_CHECKS } from './code.checks.js';
import { codeMetrics } from './code.metrics.js';
import { CodeBatch } from './code-batch.entity.js';
import { CodeChangeService } from './code-change.service.js';
import { CodeCopyService } from './code-copy.service.js';
import { CodeCounts } from './code-counts.service.js';
import { CodeDigester, type PepperKey } from './code-digester.js';
import { CodeEndings } from './code-endings.service.js';
import { CodeFormatRow } from './code-format.entity.js';
import { formatOf } from './code-format.js';
import { CodePepper } from './code-pepper.entity.js';
import { CodeReader } from './code-reader.service.js';
import { CodeSearch } from './code-search.js';
import { CodeRecognizer } from './code-recognizer.service.js';
import { CodeTotal } from './code-total.entity.js';
import { CODE_TOTALS } from './code-totals.service.js';
import { CodeRedigest, type CodeFence } from './code-redigest.service.js';
import { CodeRefresh } from './code-refresh.js';
import { CodeAllocation, CodeAllocationItem } from './code-allocation.entity.js';
import { CodeAllocationResolver } from './code-allocation.resolver.js';
import { CodePool, CodePoolItem } from './code-pool.entity.js';
import { codeFileRoutes } from './files/code-files.routes.js';
import { CodeImport, CodeImportPart, CodeImportRefusal } from './files/code-import.entity.js';
import { CodeImportResolver } from './files/code-import.resolver.js';
import { composeFiles } from './files/compose-files.js';
import { GivenCodes } from './given-code.js';
import { CodeBatchFormat } from './code-batch-format.entity.js';
import { GuessSafety } from './guess-safety.service.js';
import { Code } from './code.entity.js';
import { composeAllocation } from './compose-allocation.js';
import { composeGeneration, type GenerationNeeds } from './compose-generation.js';
import { CodeResolver } from './code.resolver.js';
import { CodeType } from './code.types.js';
import { EffectiveStatusService } from './effective-status.service.js';
import { previewCodes } from './codes-preview.js';
import { PepperRegistry } from './pepper-registry.js';
import { SealedCodesRow } from './sealed-codes.entity.js';
import { CODE_PERMISSIONS } from './codes.permissions.js';

interface Needs extends Omit<GenerationNeeds, 'digester' | 'refresh' | 'guesses'>, PlatformServices {
  readonly codePeppers: readonly PepperKey[];
  readonly campaigns: CampaignService;
  readonly campaignNames: CampaignNames;
  readonly campaignRewards: CampaignRewards;
  readonly campaignPorts: CampaignPorts;
  readonly secretResealings: readonly SecretResealing[];
}

const BatchCampaign = campaignNameOf(BatchType);
const CodeCampaign = campaignNameOf(CodeType);

/** Codes by the million: batches, look-up, status, and their copies in Redis. */
export const codes = {
  name: 'codes',
  entities: [
    Code,
    CodeBatch,
    CodeTotal,
    CodeFormatRow,
    CodeBatchFormat,
    CodePepper,
    SealedCodesRow,
    CodePool,
    CodePoolItem,
    CodeAllocation,
    CodeAllocationItem,
    CodeImport,
    CodeImportPart,
    CodeImportRefusal,
  ],
  resolvers: [
    BatchResolver,
    BatchCampaign,
    BatchProgressResolver,
    CodeResolver,
    CodeCampaign,
    CodeAllocationResolver,
    CodeImportResolver,
  ],
  permissions: CODE_PERMISSIONS,
  checks: CODE_CHECKS,
  metrics: codeMetrics,
  compose: (its: Needs) => {
    const { config, orm, readOrm, redis, clock, log } = its;
    const copies = new CodeCopyService(redis, config.CODE_COPY_TTL_S * 1000);
    const digester = new CodeDigester(its.codePeppers);
    const recognizer = new CodeRecognizer(orm, digester);
    const refresh = new CodeRefresh(copies, log);
    const guesses = new GuessSafety(its.ids, clock, digester, config.GUESSES_PER_HIT_MIN);
    const generating = composeGeneration({ ...its, digester, refresh, guesses });
    const { generation, batchChanges } = generating.services;
    const codeChanges = new CodeChangeService({ ...its, refresh, guesses });
    const states = new EffectiveStatusService(readOrm);
    const codeSearch = new CodeSearch({ states, recognizer, rewards: its.campaignRewards });
    const codeReader = new CodeReader(readOrm, states, codeSearch);
    const given = new GivenCodes(its.ids, digester);
    const allocating = composeAllocation({ ...its, given, guesses, refresh, generation });
    const files = composeFiles({ ...its, given, guesses, refresh, digester });
    const launches = new CampaignLaunchService(orm, its.campaigns, generation);
    Object.assign(its.campaignPorts, {
      create: async (tenantId, input) => launches.create(tenantId, input),
      voidCodes: async (em, tenantId, campaignId) => batchChanges.voidAll(em, tenantId, campaignId),
      codesEnded: async (em, tenantId, campaignId) => batchChanges.ended(em, tenantId, campaignId),
      changed: async (tenantId) => refresh.added(tenantId),
      previewCodes: async (tenantId, rule, count) =>
        previewCodes(readOrm, guesses, { tenantId, rule, count }),
      checkCodes: (rule, count) => guesses.assertRule(formatOf(rule), count),
    } satisfies Omit<CampaignPorts, 'readFacts'>);
    return {
      services: {
        copies,
        recognizer,
        ...generating.services,
        batchGate: new BatchGate(orm),
        codeChanges,
        codeReader,
        codeEndings: new CodeEndings(readOrm),
        codeCounts: new CodeCounts(readOrm, states),
        codeTotals: new Totals(its, CODE_TOTALS),
        ...allocating.services,
        codeImports: files.imports,
        codeImportJobs: files.jobs,
        codeUploads: files.uploads,
        importFileRetention: files.retention,
        codeExports: files.exports,
        launches,
        /** @param fence keeps codes from being redeemed while their digests change */
        redigestWith: (fence: CodeFence) =>
          new CodeRedigest({ ...its, digester, peppers: new PepperRegistry(orm, log), copies, fence }),
      },
      resolvers: [
        new BatchResolver(generation, batchChanges, codeReader),
        new BatchCampaign(its.campaignNames),
        new BatchProgressResolver(),
        new CodeResolver(codeChanges, codeReader),
        new CodeCampaign(its.campaignNames),
        allocating.resolver,
        new CodeImportResolver(files.imports, files.jobs),
      ],
      consumers: [codeCopies(copies)],
      jobs: [...generating.jobs, ...allocating.jobs, files.jobs, ...files.periodic],
      routes: codeFileRoutes({ ...its, ...files, reader: codeReader }),
    };
  },
};

const CODE_EVENTS = ['code_changed', 'codes_generated', 'campaign_changed', 'batch_changed'] as const;

/** The process that commits a change updates Redis itself; this repeats it where Redis did not answer. */
function codeCopies(copies: CodeCopyService): EventConsumer {
  const handle = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> => {
    const changed = events.filter(({ type }) => type === 'code_changed');
    for (const { payload } of changed)
      await copies.evict(tenantId, String(payload['digest']), Number(payload['version']));
    if (changed.length < events.length) await copies.bumpEpoch(tenantId);
  };
  return { name: 'code_copies', types: CODE_EVENTS, handle };
}
