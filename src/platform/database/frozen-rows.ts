import type { TriggerDef } from '@mikro-orm/core';

/** For tables whose rows are never changed and never deleted: the database itself refuses it. */
export const frozenRows = (table: string, advice = ': add a reversing one'): TriggerDef => ({
  name: `tr_${table}`,
  timing: 'before',
  events: ['update', 'delete'],
  body: `signal sqlstate '45000' set message_text = 'Rows of ${table} are never changed${advice}.'`,
});
