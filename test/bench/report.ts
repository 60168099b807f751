import type { Deviations } from './count.js';
import type { Figure, KindFigures } from './figures.js';
import type { NeighbourFigure } from './neighbour.js';
import type { BenchOptions, RatioName } from './options.js';
import { rounded } from './statistics.js';

export interface BenchReport {
  readonly options: BenchOptions;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  readonly kinds: readonly KindFigures[];
  readonly neighbours: readonly NeighbourFigure[];
  readonly ratios: ReadonlyMap<RatioName, readonly number[]>;
  readonly deviations: Deviations;
  /** How often each answer was given that should not have been. */
  readonly unexpected: Readonly<Record<string, number>>;
  readonly isSound: boolean;
}

/** For programs: one object. */
export function reportJson(report: BenchReport): string {
  const { options, figures, kinds } = report;
  const ofKinds = (value: (kind: KindFigures) => number): Record<string, number> =>
    Object.fromEntries(kinds.map((kind) => [kind.kind, value(kind)]));
  const ratios: Record<string, number[]> = {};
  for (const [name, values] of report.ratios) ratios[name] = values.map((value) => rounded(value, 3));
  return JSON.stringify({
    form: options.form,
    connections: options.connections,
    seconds: report.seconds,
    ...Object.fromEntries(figures.map(({ name, value }) => [name, value])),
    targets: Object.fromEntries(figures.map(({ name, target, isMet }) => [name, { target, met: isMet }])),
    rps: ofKinds((kind) => kind.rps),
    p50_ms: ofKinds((kind) => kind.p50Ms),
    p99_ms: ofKinds((kind) => kind.p99Ms),
    server_cpu_us: ofKinds((kind) => kind.serverCpuUs),
    database_cpu_us: ofKinds((kind) => kind.databaseCpuUs),
    redis_cpu_us: ofKinds((kind) => kind.redisCpuUs),
    load_cpu_us: ofKinds((kind) => kind.loadCpuUs),
    consumer_lag_ms: ofKinds((kind) => kind.consumerLagMs),
    pair_ratios: ratios,
    neighbours: report.neighbours,
    deviations: report.deviations,
    unexpected_answers: report.unexpected,
    sound: report.isSound,
  });
}

/** For people. */
export function reportTable(report: BenchReport): string {
  const { options, figures, kinds } = report;
  const lines = [
    '',
    `Redeemkit bench, ${options.form} form, ${options.connections} connections, ${report.seconds} s`,
    '',
    ...table(
      ['figure', 'value', 'target', ''],
      figures.map(({ name, value, target, isMet }) => [
        name,
        String(value),
        target,
        isMet ? 'met' : 'MISSED',
      ]),
    ),
    '',
    ...table(
      [
        'round',
        'requests/s',
        'p50 ms',
        'p99 ms',
        'server µs',
        'database µs',
        'redis µs',
        'load µs',
        'consumer lag ms',
        'requests',
      ],
      kinds.map((kind) => [
        kind.kind,
        String(kind.rps),
        kind.p50Ms.toFixed(1),
        kind.p99Ms.toFixed(1),
        kind.serverCpuUs.toFixed(0),
        kind.databaseCpuUs.toFixed(0),
        kind.redisCpuUs.toFixed(0),
        kind.loadCpuUs.toFixed(0),
        String(kind.consumerLagMs),
        String(kind.requests),
      ]),
    ),
    '',
    ...neighbourTable(report.neighbours),
    'Ratios are medians over pairs of rounds in turn. µs are processor time for one request.',
  ];
  if (!report.isSound)
    lines.push(`NOT SOUND: ${JSON.stringify({ ...report.deviations, ...report.unexpected })}`);
  return lines.join('\n');
}

function neighbourTable(neighbours: readonly NeighbourFigure[]): string[] {
  if (neighbours.length === 0) return [];
  const rows = neighbours.map(({ flood, aloneP50Ms, aloneP99Ms, p50Ms, p99Ms, ratio, answers }) => [
    flood,
    String(ratio),
    String(p99Ms),
    String(aloneP99Ms),
    String(p50Ms),
    String(aloneP50Ms),
    Object.entries(answers)
      .map(([answer, times]) => `${answer} × ${times}`)
      .join(', '),
  ]);
  const head = [
    'flood beside a quiet tenant',
    'p99 ratio',
    'p99 ms',
    'alone',
    'p50 ms',
    'alone',
    'the flood got',
  ];
  return [...table(head, rows), ''];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
