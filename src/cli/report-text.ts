import type { Services } from '../app/modules.js';

type Report = Awaited<ReturnType<Services['reconciler']['run']>>;
type CheckResult = Report['checks'][number];

const SAMPLES_SHOWN = 5;
const VERDICTS: Readonly<Record<Report['invariants'][number]['verdict'], string>> = {
  HOLDS: 'holds',
  BROKEN: 'BROKEN',
  NOT_CHECKED: 'not checked',
};

/** A report as people read it: a line for each invariant, then each kind of drift, then the verdict. */
export function reportText(report: Report): string {
  const found = report.checks.filter(({ count }) => count > 0);
  return [
    `Reconciliation of ${report.tenantId ?? 'all tenants'}, ${report.startedAt.toISOString()}`,
    lookedText(report),
    '',
    ...report.invariants.map(invariantText),
    ...found.flatMap((check) => ['', ...driftText(check)]),
    '',
    verdictText(report, found),
    '',
  ].join('\n');
}

function lookedText({ looked, tookMs }: Report): string {
  const counts = Object.entries(looked).map(([name, count]) => `${count} ${words(name)}`);
  return `Looked at ${counts.length === 0 ? 'nothing' : counts.join(', ')} in ${(tookMs / 1000).toFixed(1)} s.`;
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function invariantText({ invariant, verdict, states, note }: Report['invariants'][number]): string {
  return `${invariant}  ${VERDICTS[verdict].padEnd(11)}  ${states}${note === null ? '' : ` (${note})`}`;
}

function driftText(check: CheckResult): string[] {
  const { kind, invariant, holder, count, repaired, means, remedy, samples } = check;
  const mended = repaired > 0 ? `, ${repaired} mended` : '';
  return [
    `${kind} (${invariant}, ${holder === 'REDIS' ? 'Redis' : 'database'}): ${count}${mended}`,
    `  ${means}`,
    ...(count > repaired ? [`  What to do: ${remedy}`] : []),
    ...samples.slice(0, SAMPLES_SHOWN).map(({ tenantId, subject, details }) => {
      const facts = Object.entries(details).map(([name, value]) => `${name} ${value ?? 'none'}`);
      return `  - ${tenantId} ${subject}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
    }),
    ...(count > SAMPLES_SHOWN ? [`  … and ${count - SAMPLES_SHOWN} more`] : []),
  ];
}

function verdictText({ verdict }: Report, found: readonly CheckResult[]): string {
  const total = found.reduce((sum, { count }) => sum + count, 0);
  const mended = found.reduce((sum, { repaired }) => sum + repaired, 0);
  if (total === 0) return 'CLEAN: everything agrees.';
  if (verdict === 'CLEAN') return `CLEAN: ${counted(mended)} found and mended.`;
  const rest = mended > 0 ? `, ${counted(total - mended)} left` : '';
  return `DRIFT: ${counted(total)} of ${found.length} ${found.length === 1 ? 'kind' : 'kinds'}${rest}.`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'drift' : 'drifts'}`;
}
