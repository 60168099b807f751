import type { MikroORM } from '@mikro-orm/core';
import { Counter, type Registry } from 'prom-client';
import { defineEntity, p } from '@mikro-orm/core';
import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../../src/graphql/auth.js';
import { STAFF } from '../../../src/graphql/rule.js';
import type { RequestContext } from '../../../src/graphql/context.js';
import { idColumn, tenantColumn } from '../../../src/platform/database/columns.js';
import { tenantEm } from '../../../src/platform/database/orm.js';
import type { PublishedEvent } from '../../../src/platform/outbox/published-event.js';

const NoteSchema = defineEntity({
  name: 'Note',
  tableName: 'note',
  properties: { tenantId: tenantColumn().primary(), id: idColumn().primary(), text: p.string().length(100) },
});
export class Note extends NoteSchema.class {}
NoteSchema.setClass(Note);

class NoteService {
  constructor(private readonly orm: MikroORM) {}

  async text(tenantId: string, id: string): Promise<string | null> {
    const note = await tenantEm(this.orm, tenantId).findOne(Note, { id });
    return note?.text ?? null;
  }

  /** Safe to run twice: the event's number is the note's id. */
  async noteCampaigns(tenantId: string, events: readonly PublishedEvent[]): Promise<void> {
    for (const { seq } of events)
      await tenantEm(this.orm, tenantId).upsert(Note, {
        tenantId,
        id: String(seq),
        text: 'A campaign changed.',
      });
  }
}

@Resolver()
class NoteResolver {
  constructor(private readonly notes: NoteService) {}

  @Query(() => String, { nullable: true })
  async note(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<string | null> {
    return this.notes.text(requireStaff(context).tenantId, id);
  }
}

/** A whole feature: a table, a query, a consumer of events, a check of its rows, and a metric. */
export const notes = {
  name: 'notes',
  entities: [Note],
  resolvers: [NoteResolver],
  permissions: { query: { note: STAFF } },
  checks: [
    {
      kind: 'NOTE_EMPTY',
      invariant: 'I9' as const,
      means: 'A note says nothing.',
      remedy: 'Delete it.',
      facts: {
        name: 'notes',
        rows: { table: 'note' },
        sql: `select cast(id as char) as id, text = '' as isEmpty from note where tenant_id = :tenant and id in (:items)`,
      },
      wrong: 'isEmpty',
    },
  ],
  metrics: (registry: Registry) => ({
    notesWritten: new Counter({ name: 'notes_written_total', help: 'Notes written.', registers: [registry] }),
  }),
  compose: ({ orm }: { readonly orm: MikroORM }) => {
    const service = new NoteService(orm);
    return {
      services: { notes: service },
      resolvers: [new NoteResolver(service)],
      consumers: [
        {
          name: 'notes',
          types: ['campaign_changed'],
          handle: async (tenantId: string, events: readonly PublishedEvent[]) =>
            service.noteCampaigns(tenantId, events),
        },
      ],
    };
  },
};
