import { Counter, type Registry } from 'prom-client';

/** How many campaigns have a label of their own; further ones are counted together, because series never end. */
const CAMPAIGN_LABELS_MAX = 200;
const OTHER = 'other';

export type CodeMetrics = ReturnType<typeof codeMetrics>;

export function codeMetrics(registry: Registry) {
  return {
    codesGenerated: new Counter({
      name: 'marketing_codes_generated_total',
      help: 'Codes of batches completed by this process, by campaign; campaigns beyond the first 200 are "other".',
      labelNames: ['campaign'] as const,
      registers: [registry],
    }),
    campaignLabel: campaignLabels(),
  };
}

/** The bounded label of a campaign: its id while there is room, then `other`. */
function campaignLabels(): (campaignId: string) => string {
  const known = new Set<string>();
  return (campaignId) => {
    if (known.has(campaignId)) return campaignId;
    if (known.size >= CAMPAIGN_LABELS_MAX) return OTHER;
    known.add(campaignId);
    return campaignId;
  };
}
