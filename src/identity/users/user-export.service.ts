import { IsolationLevel, type EntityMetadata, type EntityProperty, type MikroORM } from '@mikro-orm/core';
import { DomainError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { User } from './user.entity.js';

const ROWS_AT_ONCE = 500;
/** Columns that name the user of a row. */
const OF_USER = /^(?:user|assignedUser|fromUser|toUser)Id$/;
/** Columns that lead to the user by a row that has one. */
const PARENTS = { redemptionId: 'redemption', orderId: 'order' } as const;
/** Never leave the program: secrets, what they are found by, and credentials. */
const SECRET = /digest|hash|secret|sealed|token|uuid|key$/i;
/** Copies of what the other tables say, and keys of the program's own. */
const LEFT_OUT = new Set(['outbox_event', 'user_seal', 'device_link_code']);

interface Section {
  readonly table: string;
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Gives out everything that is stored about one user, by the columns of all tables; so that a new table is included without a change here. */
export class UserExportService {
  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Pick<Transactions, 'recordOperation'>,
  ) {}

  /**
   * The text of one JSON object, piece by piece, as of one moment: the rows of each table, without secrets.
   * @throws DomainError USER_NOT_FOUND
   */
  async *text(tenantId: string, userId: Id): AsyncGenerator<string> {
    const em = tenantEm(this.orm, tenantId);
    await em.begin({ isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
    try {
      const user = await em.findOne(User, { id: userId }, { disableIdentityMap: true });
      if (user === null) throw new DomainError('USER_NOT_FOUND', 'The tenant has no user with this id.');
      await this.transactions.recordOperation(tenantId, { type: 'user', id: userId });
      yield `{\n"tenantId": ${JSON.stringify(tenantId)},\n"user": ${JSON.stringify(user)}`;
      for (const section of sectionsOf(em, tenantId, userId)) yield* rowsOf(em, section);
      yield '\n}\n';
    } finally {
      await em.rollback();
    }
  }
}

/** The entity manager has the columns of all tables; an ORM beside the first one of its process has none of its own. */
function sectionsOf(em: Em, tenantId: string, userId: Id): Section[] {
  const all = [...em.getMetadata().getAll().values()].filter(
    ({ tableName, properties }) =>
      'tenantId' in properties && tableName !== 'user' && !LEFT_OUT.has(tableName),
  );
  return all.flatMap((meta) => {
    const condition = conditionOf(meta);
    if (condition === null) return [];
    const { sql, users } = condition;
    const columns = meta.props.filter(isShown).map(columnText).join(', ');
    const order = meta.primaryKeys.map((name) => `t.${fieldOf(meta, name)}`).join(', ');
    const text = `select ${columns} from \`${meta.tableName}\` t where t.tenant_id = ? and (${sql}) order by ${order}`;
    const values = [tenantId, ...Array.from({ length: users }, () => userId)];
    return [{ table: meta.tableName, sql: text, values }];
  });
}

async function* rowsOf(em: Em, { table, sql, values }: Section): AsyncGenerator<string> {
  yield `,\n${JSON.stringify(table)}: [`;
  for (let given = 0; ; given += ROWS_AT_ONCE) {
    const rows = await em.execute<object[]>(`${sql} limit ${ROWS_AT_ONCE} offset ${given}`, [...values]);
    const texts = rows.map((row, at) => `${given + at === 0 ? '' : ','}\n${JSON.stringify(row)}`);
    if (texts.length > 0) yield texts.join('');
    if (rows.length < ROWS_AT_ONCE) break;
  }
  yield ']';
}

/** Which rows of a table are about the user; null for a table that is about none. */
function conditionOf(meta: EntityMetadata): { readonly sql: string; readonly users: number } | null {
  const own = meta.props.filter(({ name }) => OF_USER.test(name));
  if (own.length > 0) {
    const sql = own.map(({ name }) => `t.${fieldOf(meta, name)} = ?`).join(' or ');
    return { sql, users: own.length };
  }
  // Sessions are of staff, too.
  if (meta.tableName === 'session') return { sql: `t.kind = 'DEVICE' and t.subject_id = ?`, users: 1 };
  if (meta.tableName === 'code_allocation')
    return { sql: `t.receiver_type = 'USER' and t.receiver = ?`, users: 1 };
  // Orders of the ledger are names that callers choose.
  const link = Object.entries(PARENTS).find(([name]) =>
    meta.props.some((one) => one.name === name && isBig(one)),
  );
  if (link === undefined) return null;
  const [name, parent] = link;
  const sql = `exists (select 1 from \`${parent}\` p where p.tenant_id = t.tenant_id and p.id = t.${fieldOf(meta, name)} and p.user_id = ?)`;
  return { sql, users: 1 };
}

const isShown = ({ name, persist, type }: EntityProperty): boolean =>
  persist !== false && name !== 'tenantId' && !SECRET.test(name) && type !== 'blob';

const isBig = ({ type }: Pick<EntityProperty, 'type'>): boolean => /bigint/i.test(type);

function columnText({ name, fieldNames, type }: EntityProperty): string {
  const column = `t.\`${fieldNames[0]}\``;
  // Numbers above 2^53 are texts, as everywhere.
  return isBig({ type }) || /decimal/i.test(type)
    ? `cast(${column} as char) as \`${name}\``
    : `${column} as \`${name}\``;
}

function fieldOf({ properties }: EntityMetadata, name: string): string {
  return `\`${(properties as Record<string, EntityProperty>)[name]?.fieldNames[0] ?? name}\``;
}
