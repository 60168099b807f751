import { setImmediate as nextRound } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { changeRow, expectedVersion, type ExpectedVersion } from '../../platform/database/change-row.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { parseManifest, type ManifestEntry } from './operation-manifest.js';
import { PartnerOperations, type RegisteredOperation } from './partner-operations.entity.js';
import { Partner } from './partner.entity.js';
import type { RegisterOperationsRefusal } from './partner.errors.js';
import { partnerNotFound, type PartnerService } from './partner.service.js';

const registerInput = z.strictObject({ partnerId: z.string(), manifest: z.string(), expectedVersion });

/** The check of a text by the schema and its limits: the one operation in it, or the problem. */
export type CheckedOperation = Pick<RegisteredOperation, 'name' | 'type'> | { readonly problem: string };

/** What partners need of the transport, which knows the schema and fills it in. */
export interface OperationPorts {
  checkOperation(text: string): CheckedOperation;
}

interface Collaborators extends Pick<PlatformServices, 'clock' | 'transactions'> {
  readonly ports: OperationPorts;
  readonly partners: Pick<PartnerService, 'noteChange'>;
}

type Values = Pick<PartnerOperations, 'operations' | 'operationCount' | 'registeredAt' | 'registeredBy'>;

/** The lists of operations that partners' servers may run: an upload replaces the whole list, or changes nothing. */
export class RegisteredOperationsService {
  constructor(private readonly its: Collaborators) {}

  /** @throws DomainError with a code of `REGISTER_OPERATIONS_REFUSALS` */
  async register(tenantId: string, registeredBy: string, input: unknown): Promise<PartnerOperations> {
    const wanted = parseInput<typeof registerInput, RegisterOperationsRefusal>(registerInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      manifest: 'MANIFEST_MALFORMED',
    });
    const operations = await this.checked(parseManifest(wanted.manifest));
    if (!isId(wanted.partnerId)) throw partnerNotFound();
    const values = {
      operations,
      operationCount: operations.length,
      registeredAt: new Date(this.its.clock.nowMs()),
      registeredBy,
    };
    const { partnerId, expectedVersion: expected } = wanted;
    const row = await this.its.transactions.run(tenantId, async (em) =>
      replaced(em, tenantId, partnerId, expected, values),
    );
    await this.its.partners.noteChange(tenantId, partnerId);
    return row;
  }

  /** A long manifest is checked an operation a round of the event loop, so that others are served meanwhile. */
  private async checked(entries: readonly ManifestEntry[]): Promise<RegisteredOperation[]> {
    const operations: RegisteredOperation[] = [];
    for (const entry of entries) {
      operations.push(this.checkedOne(entry));
      await nextRound();
    }
    return operations;
  }

  private checkedOne({ id, name, type, text }: ManifestEntry): RegisteredOperation {
    const found = this.its.ports.checkOperation(text);
    const called = name ?? id;
    if ('problem' in found) return refuse(called, found.problem);
    if (type !== null && type !== found.type)
      refuse(called, `The manifest calls it a ${type}, and its text is a ${found.type}.`);
    if (name !== null && name !== found.name)
      refuse(called, `Its text gives it the name ${found.name ?? 'of none'}.`);
    return { id, name: found.name, type: found.type, text };
  }
}

/** Under the lock of the partner's row: of two uploads at once, the second replaces the first. */
async function replaced(
  em: Em,
  tenantId: string,
  partnerId: Id,
  expected: ExpectedVersion,
  values: Values,
): Promise<PartnerOperations> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  if ((await em.findOne(Partner, { id: partnerId }, lock)) === null) throw partnerNotFound();
  const changed = await changeRow(em, PartnerOperations, { partnerId }, expected, () => values);
  if (changed !== null) return changed.after;
  if (expected !== null && expected !== undefined) refuseVersion(expected);
  const row = em.create(
    PartnerOperations,
    { ...values, tenantId, partnerId, version: 1 },
    { persist: false },
  );
  await em.insert(row);
  return row;
}

function refuseVersion(expected: number): never {
  const code: RegisterOperationsRefusal = 'VERSION_CONFLICT';
  throw new DomainError(
    code,
    `Nothing is registered yet, and this change was made from version ${expected}.`,
    {
      field: ['input', 'expectedVersion'],
    },
  );
}

function refuse(called: string, problem: string): never {
  const code: RegisterOperationsRefusal = 'OPERATION_NOT_ALLOWED';
  throw new DomainError(code, `The operation ${called} cannot be registered: ${problem}`, {
    field: ['input', 'manifest'],
  });
}
