import { createHash } from 'node:crypto';

/** Values that differ from run to run but stand for the same thing wherever they come again, with a sample of each. */
const KINDS: Readonly<Record<string, { readonly is: RegExp; readonly keys?: RegExp }>> = {
  id: { is: /^\d{16,20}$/ },
  uuid: { is: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/ },
  code: { is: /^[A-Za-z\d-]{4,40}$/, keys: /^(?:code|codes|lastFour|codeLastFour|linkCode|samples)$/ },
};
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
/** Of texts by chance only the beginning is shown, and only that is compared. */
const BY_CHANCE: readonly RegExp[] = [
  /^(eyJ)[\w-]+\.[\w-]+\.[\w-]+$/,
  /^(rk_live_)\w+$/,
  /^(rk[ir]_).+$/,
  /^(whsec_)[\w+/=-]+$/,
  /^()(?=.*\d)[\w-]{20,}$/,
  /^(https?:\/\/[^?]+\?).{40,}$/,
  /^(otpauth:\/\/).+$/,
];
const POSITION = /^(?:cursor|eventId|messageId)$/;
const ROUNDED_MS = 300_000;
const SAMPLE_NOW_MS = Date.UTC(2026, 11, 1, 12);

type Path = readonly string[];

/** Tells whether answers are those that were recorded, and records new ones. */
export class ApiAnswers {
  /** What stands in the pages for a value of this run. */
  private readonly samples = new Map<string, string>();
  private varies: readonly string[] = [];
  /** @param given texts that requests have given: answers repeat them as they are */
  private readonly given: string;
  private readonly nowMs: () => number;

  constructor(given: string, nowMs: () => number) {
    this.given = given;
    this.nowMs = nowMs;
  }

  /** For the comparisons that follow. */
  about({ varies = [] }: { readonly varies?: readonly string[] }): void {
    this.varies = varies;
  }

  /** One line for each value that is not the recorded one, or not of its kind. */
  differences(recorded: unknown, actual: unknown, path: Path = []): readonly string[] {
    if (this.mayVary(path)) return typeof recorded === typeof actual ? [] : [differs(path, recorded, actual)];
    if (isObject(recorded) && isObject(actual)) {
      const keys = new Set([...Object.keys(recorded), ...Object.keys(actual)]);
      return [...keys].flatMap((key) => this.differences(recorded[key], actual[key], [...path, key]));
    }
    return this.isSame(recorded, actual, path) ? [] : [differs(path, recorded, actual)];
  }

  private isSame(recorded: unknown, actual: unknown, path: Path): boolean {
    if (typeof recorded !== 'string' || typeof actual !== 'string') return recorded === actual;
    const sample = this.samples.get(actual);
    if (sample !== undefined) return recorded === sample;
    if (recorded === actual) return true;
    if (recorded.includes('…')) return actual.startsWith(recorded.slice(0, recorded.indexOf('…')));
    if (INSTANT.test(actual)) return INSTANT.test(recorded) && !this.given.includes(recorded);
    if (POSITION.test(path.at(-1) ?? ''))
      return recorded.replaceAll(/\d+/g, '') === actual.replaceAll(/\d+/g, '');
    const kind = kindOf(actual, path);
    if (kind === null || kindOf(recorded, path) !== kind) return false;
    this.learn(actual, recorded);
    return true;
  }

  /** Shows a value of this run as that sample from now on; of a code its last four characters, too. */
  learn(actual: string, sample: string): void {
    this.samples.set(actual, sample);
    const [own, shown] = [actual, sample].map((text) => text.replaceAll('-', '').slice(-4));
    if (/[A-Z]/.test(actual)) this.samples.set(own ?? '', shown ?? '');
  }

  /** The answer as a page shows it; values that are still right are taken from what was recorded before. */
  recorded(before: unknown, actual: unknown, path: Path = []): unknown {
    if (Array.isArray(actual)) {
      const items = actual as unknown[];
      return items.map((item, at) =>
        this.recorded(isObject(before) ? before[at] : null, item, [...path, String(at)]),
      );
    }
    if (isObject(actual)) {
      const entries = Object.entries(actual).map(([key, value]) => {
        return [key, this.recorded(isObject(before) ? before[key] : null, value, [...path, key])] as const;
      });
      return Object.fromEntries(entries);
    }
    if (before !== undefined && this.differences(before, actual, path).length === 0) return before;
    return typeof actual === 'string' ? this.sampleOf(actual, path) : actual;
  }

  private sampleOf(actual: string, path: Path): string {
    const known = this.samples.get(actual);
    if (known !== undefined) return known;
    if (INSTANT.test(actual)) return this.given.includes(actual) ? actual : this.instant(actual);
    const kind = kindOf(actual, path);
    if (kind !== null) {
      const sample = sampleText(actual, `${path.join('.')} ${this.samples.size}`);
      this.learn(actual, sample);
      return sample;
    }
    const beginning = BY_CHANCE.map((pattern) => pattern.exec(actual)?.[1]).find(
      (text) => text !== undefined,
    );
    return beginning === undefined || this.given.includes(actual) ? actual : `${beginning}…`;
  }

  private instant(actual: string): string {
    const fromNow = Math.round((Date.parse(actual) - this.nowMs()) / ROUNDED_MS) * ROUNDED_MS;
    return new Date(SAMPLE_NOW_MS + fromNow).toISOString();
  }

  private mayVary(path: Path): boolean {
    const own = path.join('.');
    return this.varies.some((varying) => own === varying || own.endsWith(`.${varying}`));
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function kindOf(text: string, path: Path): string | null {
  if (path.includes('errors')) return null;
  const key = path.findLast((step) => !/^\d+$/.test(step)) ?? '';
  const found = Object.entries(KINDS).find(([, { is, keys }]) => is.test(text) && (keys?.test(key) ?? true));
  return found?.[0] ?? null;
}

/** Another text of the same shape; ids keep their beginning, because they begin with their time. */
function sampleText(text: string, seed: string): string {
  const bytes = createHash('sha256').update(seed).digest();
  const isId = /^\d+$/.test(text);
  const alphabet = isId
    ? '0123456789'
    : /[A-Z]/.test(text)
      ? 'ABCDEFGHJKMNPQRSTVWXYZ23456789'
      : '0123456789abcdef';
  const random = (at: number): string => alphabet[(bytes[at % bytes.length] ?? 0) % alphabet.length] ?? '';
  return [...text].map((letter, at) => (letter === '-' || (isId && at < 2) ? letter : random(at))).join('');
}

const differs = (path: Path, recorded: unknown, actual: unknown): string =>
  `${path.join('.')}: ${JSON.stringify(actual)}, recorded is ${JSON.stringify(recorded)}`;
