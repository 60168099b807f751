import { connectionOf } from './connection.js';
import { refusedError } from './errors.js';
import {
  ActivateBatch,
  AllocateCodes,
  CreateUserToken,
  PartnerRedemptions,
  type ActivateBatchMutation,
  type AllocateCodesInput,
  type AllocateCodesMutation,
  type CreateUserTokenInput,
  type PartnerRedemptionsQuery,
  type PartnerRedemptionsQueryVariables,
} from './generated/operations.js';
import type { Operation } from './operation.js';
import type { ConnectionOptions } from './options.js';
import { randomKey } from './platform.js';
import { Tokens } from './tokens.js';
import { Transport, type CallOptions } from './transport.js';

export interface PartnerOptions extends Pick<ConnectionOptions, 'url' | 'fetch' | 'timeoutMs' | 'retry'> {
  /** `rk_live_…`; it stays on the partner's server. */
  readonly apiKey: string;
}

export interface UserToken {
  readonly token: string;
  readonly userId: string;
  readonly expiresAt: string;
}

export interface AllocatedCodes {
  readonly codes: readonly string[];
  readonly allocation: NonNullable<AllocateCodesMutation['allocateCodes']['allocation']>;
  /** The key was known: these are the codes of the first call. */
  readonly isReplayed: boolean;
}

/**
 * A partner's server. It sends operations by their ids: register `@redeemkit/client/operations.json` for the partner
 * first (docs/partners.md), together with the manifest of your own operations.
 */
export interface Partner {
  /** Signs a user in, who then redeems with this token. @throws RefusedError */
  createUserToken(input: CreateUserTokenInput, options?: CallOptions): Promise<UserToken>;
  /** Hands out codes of a campaign's pool, once for each idempotency key. @throws RefusedError */
  allocateCodes(input: AllocateCodesInput, options?: CallOptions): Promise<AllocatedCodes>;
  /** Makes the codes of a batch redeemable at its sale. @throws RefusedError */
  activateBatch(
    batchId: string,
    options?: CallOptions,
  ): Promise<NonNullable<ActivateBatchMutation['activateBatch']['batch']>>;
  redemptions(
    page?: PartnerRedemptionsQueryVariables,
    options?: CallOptions,
  ): Promise<PartnerRedemptionsQuery['redemptions']>;
  /** A registered operation of your own, repeated while it may pass: a query, or a mutation with an idempotency key. */
  run<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    options?: CallOptions,
  ): Promise<Result>;
}

/** @throws TypeError for options that cannot work */
export function createPartner({ apiKey, ...options }: PartnerOptions): Partner {
  const connection = connectionOf({ ...options, env: 'app' });
  const transport = new Transport(connection, new Tokens(apiKey), 'BY_ID');
  return {
    createUserToken: async (input, more) => {
      const { createUserToken } = await transport.repeat(CreateUserToken, { input }, more);
      const { token, userId, expiresAt, errors } = createUserToken;
      if (token === null || userId === null || expiresAt === null) throw refusedError(errors);
      return { token, userId, expiresAt };
    },
    allocateCodes: async (input, more) => {
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? randomKey() };
      const { allocateCodes } = await transport.repeat(AllocateCodes, { input: keyed }, more);
      const { codes, allocation, replayed, errors } = allocateCodes;
      if (codes === null || allocation === null) throw refusedError(errors);
      return { codes, allocation, isReplayed: replayed === true };
    },
    activateBatch: async (batchId, more) => {
      const { activateBatch } = await transport.send(ActivateBatch, { input: { batchId } }, more);
      if (activateBatch.batch === null) throw refusedError(activateBatch.errors);
      return activateBatch.batch;
    },
    redemptions: async (page = {}, more) =>
      (await transport.repeat(PartnerRedemptions, page, more)).redemptions,
    run: async (operation, variables, more) => transport.repeat(operation, variables, more),
  };
}
