import { graphql, type GraphQLSchema } from 'graphql';
import type { RequestContext } from '../../src/graphql/context.js';
import type { Actor, StaffRole } from '../../src/graphql/actor.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { World } from './world.js';

export interface ApiAnswer {
  readonly data: Record<string, Record<string, unknown>>;
  /** Codes of errors of the transport, e.g. FORBIDDEN; messages where they have none. */
  readonly errors: unknown[];
}

/** The schema of the product on a world's services, asked without a transport. */
export class ProductApi {
  readonly schema: GraphQLSchema;

  constructor({ app }: World) {
    this.schema = buildRedeemkitSchema(app.resolvers);
  }

  async ask(
    actor: Actor | null,
    source: string,
    variables: Record<string, unknown> = {},
    headers: Partial<Pick<RequestContext, 'tenantId'>> = {},
  ): Promise<ApiAnswer> {
    const none = { tenantId: null, productCode: null, deviceId: null, idempotencyKey: null };
    const rest = { requestId: 'r', ip: '127.0.0.1', ...none, ...headers };
    const contextValue = { actor, ...rest } as unknown as RequestContext;
    const { data, errors } = await graphql({
      schema: this.schema,
      source,
      variableValues: variables,
      contextValue,
    });
    const failures = errors?.map((error) => error.extensions['code'] ?? error.message) ?? [];
    // Null prototypes of the answer would not be equal to literals.
    return { data: JSON.parse(JSON.stringify(data ?? {})) as ApiAnswer['data'], errors: failures };
  }
}

export const staffOf = (tenantId: string, role: StaffRole = 'OWNER'): Actor => ({
  kind: 'STAFF',
  tenantId,
  staffId: 'eve',
  role,
});

/** The code of a payload's first refusal; undefined where it was done. */
export function refusalIn(payload: Record<string, unknown> | undefined): string | undefined {
  const [error] = (payload?.['errors'] ?? []) as { code: string }[];
  return error?.code;
}
