import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestContext } from '../../graphql/context.js';
import type { Clock } from '../../platform/clock.js';
import type { Redis } from '../../platform/redis/redis.js';
import type { TenantSettingsService } from '../../tenancy/settings/tenant-settings.service.js';
import { callerOf } from '../caller.js';
import type { WorkShares } from '../work-shares.js';
import { envelopeError } from './envelope-error.js';
import { envelopeKeysOf, type EnvelopeKeys } from './envelope-keys.js';
import { openEnvelopeV1, openEnvelopeV2, type BoundRequest, type OpenedEnvelope } from './envelope.js';
import { EnvelopeNonces } from './nonces.redis.js';

export interface OpenerParts {
  readonly settings: Pick<TenantSettingsService, 'find'>;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly shares: WorkShares;
}

/** The body that a route is to see, and how its reply is sealed. */
export interface OpenedRequest {
  readonly version: string;
  readonly body: unknown;
  readonly seal: OpenedEnvelope['seal'];
}

/** Opens envelopes of both forms. */
export class EnvelopeOpener {
  private readonly nonces: EnvelopeNonces;
  private readonly parseJson: ReturnType<FastifyInstance['getDefaultJsonParser']>;

  constructor(
    app: FastifyInstance,
    private readonly parts: OpenerParts,
  ) {
    this.nonces = new EnvelopeNonces(parts.redis);
    this.parseJson = app.getDefaultJsonParser('error', 'error');
  }

  /**
   * @returns null for a caller who is no device client, and whose request passes as it is
   * @throws GraphQLError with the refusal, or StoreUnavailableError
   */
  async open(
    request: FastifyRequest,
    context: RequestContext,
    version: string,
  ): Promise<OpenedRequest | null> {
    const { actor } = context;
    if (actor !== null && actor.kind !== 'USER') return null;
    const tenantId = actor?.tenantId ?? context.tenantId ?? '';
    const keys = actor === null ? await this.keysOfNamed(tenantId, context) : await this.keysOf(tenantId);
    if (keys === null) throw envelopeError('SECRET_IS_EMPTY');
    const { plain, isWhole, seal } = await this.opened(request, tenantId, { keys, version });
    // A text that is not whole is read like one that is, which takes the same time.
    const body = await this.parsed(request, plain);
    if (!isWhole) throw envelopeError('INVALID_CIPHERTEXT');
    return { version, body, seal };
  }

  private async opened(
    { method, url: path, headers, body }: FastifyRequest,
    tenantId: string,
    { keys, version }: { readonly keys: EnvelopeKeys; readonly version: string },
  ): Promise<OpenedEnvelope & { readonly isWhole: boolean }> {
    if (method !== 'POST') throw envelopeError('INVALID_CIPHERTEXT');
    if (version === 'v2') {
      const opened = await this.admittedV2(body, keys, { tenantId, method, path, headers });
      return { ...opened, isWhole: true };
    }
    const v1Secret = version === 'v1' ? keys.v1Secret : null;
    const opened = v1Secret === null ? null : openEnvelopeV1(body, v1Secret, this.parts.clock);
    if (opened === null) throw envelopeError('INVALID_CIPHERTEXT');
    return opened;
  }

  private async admittedV2(
    envelope: unknown,
    keys: EnvelopeKeys,
    bound: BoundRequest,
  ): Promise<OpenedEnvelope> {
    const opened = openEnvelopeV2(envelope, bound, keys);
    if (opened === null) throw envelopeError('INVALID_CIPHERTEXT');
    // Only what the key has authenticated: else anyone could fill Redis with nonces.
    const { status, nowMs, epoch } = await this.nonces.admit(bound.tenantId, opened);
    if (status === 'ENVELOPE_EXPIRED') throw envelopeError(status, { serverTimeMs: nowMs, epoch });
    if (status === 'ENVELOPE_REPLAYED') throw envelopeError(status);
    return opened;
  }

  private async keysOf(tenantId: string): Promise<EnvelopeKeys | null> {
    return envelopeKeysOf(await this.parts.settings.find(tenantId));
  }

  /** Anyone can name any tenant, so its settings are read in the turn of the caller. */
  private async keysOfNamed(tenantId: string, context: RequestContext): Promise<EnvelopeKeys | null> {
    const leave = await this.parts.shares.enter('reads', callerOf(context));
    try {
      return await this.keysOf(tenantId);
    } finally {
      leave();
    }
  }

  /** @throws GraphQLError INVALID_CIPHERTEXT for what is no JSON, like for every other fault */
  private async parsed(request: FastifyRequest, bytes: Buffer): Promise<unknown> {
    if (!isUtf8(bytes)) throw envelopeError('INVALID_CIPHERTEXT');
    const text = bytes.toString();
    return new Promise((resolve, reject) => {
      void this.parseJson(request, text, (error, body) => {
        if (error === null) resolve(body);
        else reject(envelopeError('INVALID_CIPHERTEXT'));
      });
    });
  }
}
