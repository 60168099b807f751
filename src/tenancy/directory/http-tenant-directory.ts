import {
  CircuitState,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  handleWhen,
  isBrokenCircuitError,
  retry,
  wrap,
} from 'cockatiel';
import { z } from 'zod';
import { OutgoingHttp } from '../../platform/outgoing/outgoing-http.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/observability/log.js';
import { RareWarning } from '../../platform/observability/rare-warning.js';
import type { DirectoryMetrics } from './directory.metrics.js';
import {
  directoryTenant,
  DirectoryUnavailableError,
  type BreakerState,
  type DirectoryTenant,
  type TenantDirectory,
} from './tenant-directory.js';

const RETRIES_MAX = 2;
const PAUSE_FIRST_MS = 50;
/** Attempts that failed one after another until the directory is left alone. */
const FAILURES_MAX = 5;
const RESPONSE_BYTES_MAX = 1_048_576;
/** The operator has chosen the URL, so it may lead into a private network, and without TLS. */
const ANYWHERE = ['0.0.0.0/0', '::/0'];

/** Its tenants are read one by one: a state that is odd is no reason to leave the directory alone. */
const answer = z.object({ tenants: z.array(z.unknown()) });

const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'CLOSED',
  [CircuitState.HalfOpen]: 'HALF_OPEN',
  [CircuitState.Open]: 'OPEN',
  [CircuitState.Isolated]: 'OPEN',
};

export interface HttpDirectorySettings {
  readonly url: string;
  readonly token: string | undefined;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** For a question with its retries: no attempt begins later, and none lasts longer. */
  readonly budgetMs: number;
  /** How long it is left alone after failures in a row. */
  readonly breakMs: number;
}

/** Another attempt may go well. */
class DirectoryAttemptError extends Error {
  override readonly name = 'DirectoryAttemptError';
}

/** Asks another system: `GET <url>/tenants?id=…&id=…`, see docs/directory.md. */
export class HttpTenantDirectory implements TenantDirectory {
  readonly isRemote = true;
  private readonly http: OutgoingHttp;
  private readonly breaker;
  private readonly attempts;
  private readonly unreadable: RareWarning;
  private openedMs: number | null = null;

  constructor(
    private readonly settings: HttpDirectorySettings,
    private readonly metrics: Pick<DirectoryMetrics, 'directoryRequests' | 'directoryBreakerState'>,
    private readonly clock: Clock,
    log: Logger,
  ) {
    this.unreadable = new RareWarning(
      log,
      'the tenant directory has a state of a tenant that cannot be read',
    );
    this.http = new OutgoingHttp({ allowedNetworks: ANYWHERE, connectTimeoutMs: settings.timeoutMs });
    const passing = handleWhen((error) => error instanceof DirectoryAttemptError);
    this.breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(FAILURES_MAX),
      halfOpenAfter: settings.breakMs,
    });
    this.attempts = wrap(
      retry(passing, {
        maxAttempts: RETRIES_MAX,
        backoff: new ExponentialBackoff({ initialDelay: PAUSE_FIRST_MS }),
      }),
      this.breaker,
    );
    this.breaker.onBreak(() => {
      this.openedMs = this.clock.nowMs();
    });
    this.breaker.onStateChange(() => this.showState());
    this.showState();
  }

  get breakerState(): BreakerState {
    return STATES[this.breaker.state];
  }

  get downSinceMs(): number | null {
    return this.breaker.state === CircuitState.Closed ? null : this.openedMs;
  }

  async find(ids: readonly string[]): Promise<DirectoryTenant[]> {
    const asked = new Set(ids);
    return this.readable(await this.answered(ids)).filter(({ id }) => asked.has(id));
  }

  private async answered(ids: readonly string[]): Promise<unknown[]> {
    const budget = AbortSignal.timeout(this.settings.budgetMs);
    try {
      const states = await this.attempts.execute(async ({ signal }) => this.ask(ids, signal), budget);
      this.metrics.directoryRequests.inc({ outcome: 'ANSWERED' });
      return states;
    } catch (error) {
      const outcome = isBrokenCircuitError(error) ? 'NOT_ASKED' : 'FAILED';
      this.metrics.directoryRequests.inc({ outcome });
      throw new DirectoryUnavailableError('The tenant directory gave no answer.', { cause: error });
    }
  }

  /** The one tenant that is asked for must not seem to be unknown, because what is said of it cannot be read. */
  private readable(states: readonly unknown[]): DirectoryTenant[] {
    const read = states.map((state) => directoryTenant.safeParse(state));
    const tenants = read.flatMap(({ data }) => data ?? []);
    const error = read.find((one) => !one.success)?.error;
    if (error === undefined) return tenants;
    this.unreadable.warn({ err: error });
    if (tenants.length > 0) return tenants;
    throw new DirectoryUnavailableError('The tenant directory gave no answer that can be read.', {
      cause: error,
    });
  }

  private async ask(ids: readonly string[], signal: AbortSignal): Promise<unknown[]> {
    const { url, token, timeoutMs } = this.settings;
    const query = new URLSearchParams(ids.map((id) => ['id', id] as [string, string]));
    const { status, body } = await this.http
      .send({
        url: `${url.replace(/\/+$/, '')}/tenants?${query.toString()}`,
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        timeoutMs,
        responseBytesMax: RESPONSE_BYTES_MAX,
        signal,
      })
      .catch((error: unknown) => {
        throw new DirectoryAttemptError('There was no answer.', { cause: error });
      });
    if (status >= 500 || status === 429) throw new DirectoryAttemptError(`It answered ${status}.`);
    if (status !== 200) throw new DirectoryUnavailableError(`It answered ${status}.`);
    return answer.parse(JSON.parse(body.toString())).tenants;
  }

  private showState(): void {
    for (const state of Object.values(STATES))
      this.metrics.directoryBreakerState.set({ state }, state === this.breakerState ? 1 : 0);
  }
}
