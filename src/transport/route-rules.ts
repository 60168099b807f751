import type { FastifyInstance } from 'fastify';
import { withoutRow } from '../graphql/permit-operations.js';
import { joinPermissions, PUBLIC, type Permissions, type Rule } from '../graphql/rule.js';

/** Who may use the transport's own routes. A row that ends in `*` stands for all paths that begin so. */
export const TRANSPORT_PERMISSIONS: Permissions = {
  http: {
    'GET /': PUBLIC,
    // Each operation has a row of its own.
    'GET /graphql': PUBLIC,
    'POST /graphql': PUBLIC,
    'GET /graphiql*': PUBLIC,
    // Pages without data; what they show is asked of /graphql.
    'GET /console*': PUBLIC,
    'GET /api/openapi.json': PUBLIC,
    'GET /healthz': PUBLIC,
    'GET /readyz': PUBLIC,
    'GET /metrics': PUBLIC,
  },
};

/** Browsers ask with OPTIONS before they call, and HEAD is GET without the body. */
const NEEDS_NO_ROW: ReadonlySet<string> = new Set(['HEAD', 'OPTIONS']);

/** The rows of the HTTP routes. */
export class RouteRules {
  private readonly rows: ReadonlyMap<string, Rule>;

  constructor(permissions: Permissions) {
    this.rows = new Map(Object.entries(joinPermissions([TRANSPORT_PERMISSIONS, permissions]).http ?? {}));
  }

  /** @throws InvariantError for a route without a row */
  of(method: string, path: string): Rule {
    const name = `${method} ${path}`;
    const exact = this.rows.get(name);
    if (exact !== undefined) return exact;
    const prefix = [...this.rows.keys()].find(
      (row) => row.endsWith('*') && name.startsWith(row.slice(0, -1)),
    );
    const rule = prefix === undefined ? undefined : this.rows.get(prefix);
    if (rule === undefined) throw withoutRow(name);
    return rule;
  }

  /** Lets no route be added without a row. */
  require(app: FastifyInstance): void {
    app.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) if (!NEEDS_NO_ROW.has(each)) this.of(each, url);
    });
  }
}
