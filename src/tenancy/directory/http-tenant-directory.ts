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

const answer = z.object({ tenants: z.array(directoryTenant) });

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
  private openedMs: number | null = null;

  constructor(
    private readonly settings: HttpDirectorySettings,
    private readonly metrics: Pick<DirectoryMetrics, 'directoryRequests' | 'directoryBreakerState'>,
    private readonly clock: Clock,
  ) {
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
    const budget = AbortSignal.timeout(this.settings.budgetMs);
    try {
      const tenants = await this.attempts.execute(async ({ signal }) => this.ask(ids, signal), budget);
      this.metrics.directoryRequests.inc({ outcome: 'ANSWERED' });
      const asked = new Set(ids);
      return tenants.filter(({ id }) => asked.has(id));
    } catch (error) {
      const outcome = isBrokenCircuitError(error) ? 'NOT_ASKED' : 'FAILED';
      this.metrics.directoryRequests.inc({ outcome });
      throw new DirectoryUnavailableError('The tenant directory gave no answer.', { cause: error });
    }
  }

  private async ask(ids: readonly string[], signal: AbortSignal): Promise<DirectoryTenant[]> {
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
