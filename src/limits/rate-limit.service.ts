import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import { tenantEm } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { isLoopback, networkOf } from '../platform/network-of.js';
import { ReadCache } from '../platform/read-cache.js';
import { within } from '../platform/scheduling/timeout.js';
import type { ProductLine } from '../tenancy/product-line.entity.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { CallerScope, RateLimit } from './rate-limit.entity.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A client that is set up wrongly stays below it; a guesser of product lines does not. */
const UNKNOWN_LINES_PER_HOUR = 60;
const TENANTS_MAX = 10_000;

/** What a limit counts the attempts of. */
export const LIMIT_SCOPES = ['PRODUCT_LINE', 'USER', 'DEVICE', 'IP', 'TENANT'] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/** At most `limit` attempts in any `lengthMs` milliseconds, counted under one Redis key. */
export interface RateWindow {
  readonly key: string;
  readonly limit: number;
  readonly lengthMs: number;
  readonly scope?: LimitScope;
}

/** A subject that waits after too many failed attempts. */
export interface LockOut {
  readonly key: string;
  readonly scope: LimitScope;
  /** How many attempts may fail in an hour without a wait. */
  readonly failuresFree: number;
}

/** Everything that an attempt is judged by before its code is looked at; all of it in one script, all windows or none. */
export interface AttemptLimits {
  /** Of the limits, as they were read; null where nothing is limited. */
  readonly version: string | null;
  readonly windows: readonly RateWindow[];
  /** Of the user, then of device, address and tenant; or none. */
  readonly lockOuts: readonly LockOut[];
}

export const NO_LIMITS: AttemptLimits = { version: null, windows: [], lockOuts: [] };

/** Who makes an attempt. */
export interface AttemptCaller {
  readonly userId?: Id | null;
  readonly deviceId?: string | null;
  /** Of the client, as the transport knows it. */
  readonly ip?: string | null;
}

export interface RateLimitSettings {
  /** For product lines without a rule of their own; 0 means no limit. */
  readonly hour: number;
  readonly day: number;
  /** Per cent of a product line's limits that a single caller may use up; 100 means all. */
  readonly shares: Readonly<Record<CallerScope, number>>;
  /** Failed attempts an hour; 0 means any number, and for USER that there are no lock-outs at all. */
  readonly failuresFree: Readonly<Record<CallerScope | 'TENANT', number>>;
  readonly timeoutMs: number;
}

/** A caller by one of its names. */
type Subject = readonly [CallerScope, string];

/** The attempts that an hour and a day allow; 0 means any number. */
interface Allowed {
  readonly hour: number;
  readonly day: number;
}

type Rule = Pick<RateLimit, 'productCode' | 'scope' | 'hourLimit' | 'dayLimit'>;
type Rules = ReadonlyMap<string, Rule>;

/** The limits of an attempt. `admit-attempt.lua` judges the attempt by them and counts it. */
export class RateLimitService {
  private readonly rules: ReadCache<Rules>;
  /** Version of each tenant's limits, as read last from Redis. */
  private readonly versions = new LRUCache<string, string>(atMost(TENANTS_MAX));

  constructor(
    orm: MikroORM,
    private readonly lines: ProductLineService,
    private readonly settings: RateLimitSettings,
  ) {
    /** Raw, because redemptions wait for it. */
    const load = async (tenantId: string): Promise<Rules> => {
      const rows = await tenantEm(orm, tenantId).execute<Rule[]>(
        `select product_code as productCode, scope, hour_limit as hourLimit, day_limit as dayLimit
         from rate_limit where tenant_id = ?`,
        [tenantId],
      );
      return new Map(rows.map((row) => [`${row.productCode} ${row.scope}`, row]));
    };
    // Rows belong to the version under which they were read, as those of campaigns belong to an epoch.
    this.rules = new ReadCache(async (tenantId) => within(settings.timeoutMs, 'database', load(tenantId)));
  }

  /** What this process knows of the tenant's limits. Ask before the product line is read: what is read later is no older. */
  version(tenantId: string): string {
    return this.versions.get(tenantId) ?? '';
  }

  /** By what an attempt at a product line is limited; without a line, at one that is missing or disabled. */
  async ofAttempt(
    tenantId: string,
    line: ProductLine | null,
    caller: AttemptCaller,
    version: string,
  ): Promise<AttemptLimits> {
    const subjects = subjectsOf(caller);
    const windows =
      line === null
        ? this.unknownLineWindows(tenantId, caller.userId ?? '')
        : await this.windowsAt(line, subjects, version);
    return { version, windows, lockOuts: this.lockOutsOf(tenantId, subjects) };
  }

  /**
   * The limits were set since they were read: what is remembered of them is dropped, once for each version. All attempts
   * under way learn of it at the same moment, and share one read.
   */
  changed(tenantId: string, version: string): void {
    if (this.versions.get(tenantId) === version) return;
    this.versions.set(tenantId, version);
    this.lines.invalidate(tenantId);
  }

  /** The rolling hours and days of a product line, and of the caller at it; the longer one of each last. */
  async windows(line: ProductLine, caller: AttemptCaller): Promise<RateWindow[]> {
    return this.windowsAt(line, subjectsOf(caller), this.version(line.tenantId));
  }

  private async windowsAt(
    line: ProductLine,
    subjects: readonly Subject[],
    version: string,
  ): Promise<RateWindow[]> {
    const { tenantId, code } = line;
    const whole = this.allowedAt(line);
    const own = windowsOf(`{${tenantId}}:rate:line:${code}`, 'PRODUCT_LINE', whole);
    if (subjects.length === 0) return own;
    const rules = await this.rules.find(tenantId, version);
    const shares = subjects.flatMap(([scope, subject]) =>
      windowsOf(
        `{${tenantId}}:rate:${scope.toLowerCase()}:${code}:${subject}`,
        scope,
        this.shareOf(whole, scope, rules?.get(`${code} ${scope}`)),
      ),
    );
    return [...own, ...shares];
  }

  /** The rolling hour of a user's attempts at product lines that the tenant does not have, or has disabled. */
  unknownLineWindows(tenantId: string, userId: Id): RateWindow[] {
    const key = `{${tenantId}}:rate:unknown_line:${userId}`;
    return [{ key, limit: UNKNOWN_LINES_PER_HOUR, lengthMs: HOUR_MS, scope: 'USER' }];
  }

  /** What one caller may use of a product line, by its row or by default. */
  shareOf(whole: Allowed, scope: CallerScope, rule: Rule | undefined): Allowed {
    const percent = this.settings.shares[scope];
    const share = (limit: number): number =>
      limit === 0 || percent === 100 ? 0 : Math.ceil((limit * percent) / 100);
    return { hour: rule?.hourLimit ?? share(whole.hour), day: rule?.dayLimit ?? share(whole.day) };
  }

  /** What a product line admits of all callers together. */
  allowedAt(line: Pick<ProductLine, 'hourLimit' | 'dayLimit'>): Allowed {
    return { hour: line.hourLimit ?? this.settings.hour, day: line.dayLimit ?? this.settings.day };
  }

  /** The user's first: those of device, address and tenant hold only for users who have failed themselves. */
  lockOuts(tenantId: string, caller: AttemptCaller): LockOut[] {
    return this.lockOutsOf(tenantId, subjectsOf(caller));
  }

  private lockOutsOf(tenantId: string, subjects: readonly Subject[]): LockOut[] {
    const { failuresFree } = this.settings;
    if (failuresFree.USER === 0) return [];
    const named = subjects.map(([scope, subject]) => [scope, `${scope.toLowerCase()}:${subject}`] as const);
    return [...named, ['TENANT', 'tenant'] as const].flatMap(([scope, name]) => {
      const key = `{${tenantId}}:lockout:${name}`;
      return failuresFree[scope] === 0 ? [] : [{ key, scope, failuresFree: failuresFree[scope] }];
    });
  }
}

/** Redis' word for which limits are in force: a change gives the tenant another one. */
export function limitsKey(tenantId: string): string {
  return `{${tenantId}}:limits`;
}

/** Where attempts are counted that are too many to be kept one by one; `lib/rate-windows.lua` tells how. */
export function olderAttemptsKey(windowKey: string): string {
  return `${windowKey}:older`;
}

/**
 * Keys of windows and lock-outs, and the scripts' arguments for them; windows of one key are adjacent.
 * @param firstKey index of the first of the keys
 */
export function admissionArguments({ windows, lockOuts }: AttemptLimits, firstKey: number) {
  const keys: string[] = [];
  const triples: number[] = [];
  for (const { key, limit, lengthMs } of windows) {
    if (keys.at(-2) !== key) keys.push(key, olderAttemptsKey(key));
    triples.push(firstKey + keys.length - 2, limit, lengthMs);
  }
  for (const { key } of lockOuts) keys.push(key);
  return { keys, triples, frees: lockOuts.map(({ failuresFree }) => failuresFree).join() };
}

/**
 * Previews have the limits of attempts, counted apart, so that looking does not use up redeeming. Their failures are
 * guesses like others.
 */
export function previewLimits(limits: AttemptLimits): AttemptLimits {
  return { ...limits, windows: previewWindows(limits.windows) };
}

export function previewWindows(windows: readonly RateWindow[]): RateWindow[] {
  return windows.map((window) => ({ ...window, key: `${window.key}:preview` }));
}

/** Whose limit it is that held an attempt back. */
export function scopeOf({ windows, lockOuts }: AttemptLimits, key: string): LimitScope | null {
  return [...windows, ...lockOuts].find((each) => each.key === key)?.scope ?? null;
}

function windowsOf(key: string, scope: LimitScope, { hour, day }: Allowed): RateWindow[] {
  const both = [
    { key, limit: hour, lengthMs: HOUR_MS, scope },
    { key, limit: day, lengthMs: DAY_MS, scope },
  ];
  return both.filter(({ limit }) => limit > 0);
}

/**
 * Names of the caller as keys hold them. An address of this machine is a proxy's that tells nothing of its clients, or
 * an operator's: to count it would lock all clients out together.
 */
function subjectsOf({ userId = null, deviceId = null, ip = null }: AttemptCaller): Subject[] {
  const address = ip === null || ip === '' || isLoopback(ip) ? null : networkOf(ip);
  const all: [CallerScope, string | null][] = [
    ['USER', userId],
    ['DEVICE', deviceId],
    ['IP', address],
  ];
  return all.flatMap(([scope, name]) => (name === null ? [] : [[scope, encodeURIComponent(name)]]));
}
