import { LockMode } from '@mikro-orm/core';
import type { NodeActor } from '../../graphql/actor.js';
import type { AccessService } from '../../identity/access.service.js';
import type { TokenService } from '../../identity/token.service.js';
import { changeRow, givenFields } from '../../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { Tenant } from '../../tenancy/tenant.entity.js';
import { nodesChanged } from './node-events.js';
import { checkNode, checkNodeChange } from './node-input.js';
import type { NodeErrorCode } from './node.errors.js';
import { SubscriptionNode } from './subscription-node.entity.js';

/** A plan that says nothing of nodes opens all of them, so one answer may hold this many. */
const NODES_MAX = 1000;
const TOKEN_TTL_S = 900;

export interface NodeFilter {
  readonly enabled?: boolean | null;
}

export interface NodeParts extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions' | 'outbox'
> {
  readonly tokens: Pick<TokenService, 'sign'>;
  readonly access: Pick<AccessService, 'changed'>;
}

/** The nodes of a tenant. They are never cached, so a change is effective at its commit. */
export class NodeService {
  constructor(private readonly its: NodeParts) {}

  /** @throws DomainError with a code of `CREATE_NODE_ERROR_CODES` */
  async create(tenantId: string, input: unknown): Promise<SubscriptionNode> {
    const node = {
      ...checkNode(input),
      tenantId,
      id: this.its.ids.next(),
      version: 1,
      createdAt: new Date(this.its.clock.nowMs()),
    };
    return this.its.transactions.run(tenantId, async (em) => {
      await requirePlace(em, tenantId);
      await em.insert(SubscriptionNode, node);
      this.its.outbox.append(em, tenantId, [nodesChanged({ nodeId: node.id })]);
      return em.map(SubscriptionNode, node);
    });
  }

  /** @throws DomainError with a code of `UPDATE_NODE_ERROR_CODES` */
  async update(tenantId: string, nodeId: Id, input: object): Promise<SubscriptionNode> {
    const { expectedVersion, ...values } = checkNodeChange(input);
    if (!isId(nodeId)) throw notFound();
    const decide = () => givenFields(values);
    return this.its.transactions.run(tenantId, async (em) => {
      const changed = await changeRow(em, SubscriptionNode, { id: nodeId }, expectedVersion, decide);
      if (changed === null) throw notFound();
      this.its.outbox.append(em, tenantId, [nodesChanged({ nodeId })]);
      return changed.after;
    });
  }

  /**
   * Plans may still name it; an id without a node opens nothing. Its tokens are refused from then on, and its sockets
   * end. @throws DomainError NODE_NOT_FOUND
   */
  async delete(tenantId: string, nodeId: Id): Promise<Id> {
    if (!isId(nodeId)) throw notFound();
    await this.its.transactions.run(tenantId, async (em) => {
      if ((await em.nativeDelete(SubscriptionNode, { id: nodeId })) === 0) throw notFound();
      this.its.outbox.append(em, tenantId, [nodesChanged({ nodeId })]);
    });
    this.its.access.changed({ tenantId, nodeId });
    return nodeId;
  }

  /** Those of the nodes that exist. */
  async existing(tenantId: string, nodeIds: readonly Id[]): Promise<ReadonlySet<Id>> {
    const where = { id: { $in: [...nodeIds] } };
    const em = tenantEm(this.its.orm, tenantId);
    const nodes = await em.find(SubscriptionNode, where, { fields: ['id'], disableIdentityMap: true });
    return new Set(nodes.map(({ id }) => id));
  }

  async find(tenantId: string, nodeId: Id): Promise<SubscriptionNode | null> {
    if (!isId(nodeId)) return null;
    const em = tenantEm(this.its.orm, tenantId);
    return em.findOne(SubscriptionNode, { id: nodeId }, { disableIdentityMap: true });
  }

  /** A token with which the node reads who may use it. @throws DomainError NODE_NOT_FOUND */
  async createToken(tenantId: string, nodeId: Id): Promise<{ token: string; expiresAt: Date }> {
    const token = this.its.tokens.sign(await this.actorOf(tenantId, nodeId), TOKEN_TTL_S);
    return { token, expiresAt: new Date(this.its.clock.nowMs() + TOKEN_TTL_S * 1000) };
  }

  /** For a token, whose issue is recorded. @throws DomainError NODE_NOT_FOUND */
  async actorOf(tenantId: string, nodeId: Id): Promise<NodeActor> {
    if ((await this.find(tenantId, nodeId)) === null) throw notFound();
    await this.its.transactions.recordOperation(tenantId, { type: 'subscription_node', id: nodeId });
    return { kind: 'NODE', tenantId, nodeId };
  }

  /** Newest first, with the exact total. */
  async list(tenantId: string, { enabled }: NodeFilter, page: PageRange): Promise<Page<SubscriptionNode>> {
    const where = enabled === null || enabled === undefined ? {} : { enabled };
    return findPage(tenantEm(this.its.readOrm, tenantId), SubscriptionNode, where, page);
  }
}

/** Under the lock of the tenant's row: of two that are made at once, the second counts the first. */
async function requirePlace(em: Em, tenantId: string): Promise<void> {
  await em.findOne(
    Tenant,
    { id: tenantId },
    { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true },
  );
  if ((await em.count(SubscriptionNode, {})) < NODES_MAX) return;
  const code: NodeErrorCode = 'NODE_LIMIT_REACHED';
  throw new DomainError(
    code,
    `The tenant has ${NODES_MAX} nodes, the most that there can be. Delete one first.`,
  );
}

function notFound(): DomainError {
  const code: NodeErrorCode = 'NODE_NOT_FOUND';
  return new DomainError(code, 'The tenant has no node with this id.', { field: ['input', 'nodeId'] });
}
