import type { EntityName } from '@mikro-orm/core';
import type { Registry } from 'prom-client';
import { invariant } from '../platform/assert.js';
import type { HttpRoute } from '../graphql/http-route.js';
import { joinPermissions, type Permissions } from '../graphql/rule.js';
import type { RowCheck } from '../platform/database/row-check.js';
import type { EventConsumer } from '../platform/outbox/event-consumers.js';
import { isPeriodic, type Job, type KeptData } from '../platform/scheduling/job.js';

export type ResolverClass = abstract new (...args: never[]) => object;

/** What a feature is, before anything is connected, and how its services are made. */
export interface FeatureModule<Needs, Services extends object> {
  /** The feature's folder. */
  readonly name: string;
  readonly entities?: readonly EntityName[];
  readonly resolvers?: readonly ResolverClass[];
  /** Who may use its operations and routes: one row for each. */
  readonly permissions?: Permissions;
  /** What reconciliation looks for in its tables. */
  readonly checks?: readonly RowCheck[];
  /** Registers what it measures, and answers it by name. */
  readonly metrics?: (registry: Registry) => object;
  /** Constructs the services of one process, from those of the modules before it. */
  readonly compose: (its: Needs) => Contribution<Services>;
}

/** What a feature brings into a process. */
export interface Contribution<Services extends object> {
  /** What other features may call. */
  readonly services: Services;
  /** An instance of each of the module's resolver classes. */
  readonly resolvers?: readonly object[];
  /** What follows from events, also those of other processes. */
  readonly consumers?: readonly EventConsumer[];
  /** Work of the worker role. */
  readonly jobs?: readonly Job[];
  /** Files that are sent beside GraphQL. */
  readonly routes?: readonly HttpRoute[];
}

type Modules = readonly FeatureModule<never, object>[];

/** All modules of a process, composed. */
export interface Composed<Services> {
  readonly services: Services;
  readonly resolvers: readonly object[];
  readonly jobs: readonly Job[];
  readonly routes: readonly HttpRoute[];
}

interface ModuleBase {
  /** Of all modules; complete when the last one is composed. */
  readonly consumers: EventConsumer[];
  /** The same of what is deleted once it is old. */
  readonly keptData: KeptData[];
}

/** The list of modules; the type of each step says which services the next one may need. */
export class ModuleList<Base extends ModuleBase, Services extends Base> {
  private constructor(private readonly modules: Modules) {}

  /** A list whose modules may need what every process has. */
  static on<Base extends ModuleBase>(): ModuleList<Base, Base> {
    return new ModuleList([]);
  }

  add<Added extends object>(module: FeatureModule<Services, Added>): ModuleList<Base, Services & Added> {
    return new ModuleList([...this.modules, module]);
  }

  get entities(): EntityName[] {
    return this.modules.flatMap(({ entities = [] }) => entities);
  }

  get resolvers(): ResolverClass[] {
    return this.modules.flatMap(({ resolvers = [] }) => resolvers);
  }

  /** The table of all modules: who may use which operation. */
  get permissions(): Permissions {
    return joinPermissions(this.permissionsByModule.map(({ permissions }) => permissions));
  }

  get permissionsByModule(): { readonly name: string; readonly permissions: Permissions }[] {
    return this.modules.map(({ name, permissions = {} }) => ({ name, permissions }));
  }

  get checks(): RowCheck[] {
    return this.modules.flatMap(({ checks = [] }) => checks);
  }

  metrics(registry: Registry): object {
    return Object.assign({}, ...this.modules.map(({ metrics }) => metrics?.(registry))) as object;
  }

  compose(base: Base): Composed<Services> {
    const services: object = { ...base };
    const contributions = this.modules.map((module) => {
      const contribution = module.compose(services as never);
      for (const name of Object.keys(contribution.services))
        invariant(!(name in services), `Two modules offer the service ${name}.`);
      Object.assign(services, contribution.services);
      base.consumers.push(...(contribution.consumers ?? []));
      base.keptData.push(...(contribution.jobs ?? []).filter(isPeriodic).flatMap(({ keeps = [] }) => keeps));
      return contribution;
    });
    return {
      services: services as Services,
      resolvers: contributions.flatMap(({ resolvers = [] }) => resolvers),
      jobs: contributions.flatMap(({ jobs = [] }) => jobs),
      routes: contributions.flatMap(({ routes = [] }) => routes),
    };
  }
}
