import { changeRow, givenFields } from '../../platform/database/change-row.js';
import { isId } from '../../platform/ids.js';
import { parseInput } from '../../platform/input.js';
import { assertOwnerRemains } from './last-owner.js';
import { endSessions, sessionsEnded, type StaffParts } from './staff-parts.js';
import { Staff } from './staff.entity.js';
import { staffRefusal, type UPDATE_STAFF_REFUSALS } from './staff.errors.js';
import { updateInput } from './staff-input.js';

/** Changes of accounts. A disabled account, and one with another role, is signed out on every process within a second. */
export class StaffChangeService {
  constructor(private readonly its: StaffParts) {}

  /** @throws DomainError one of {@link UPDATE_STAFF_REFUSALS} */
  async update(tenantId: string, staffId: string, input: unknown): Promise<Staff> {
    const wanted = parseInput<typeof updateInput, (typeof UPDATE_STAFF_REFUSALS)[number]>(
      updateInput,
      input,
      { input: 'INPUT_NOT_ALLOWED', name: 'NAME_NOT_ALLOWED' },
    );
    const { expectedVersion, ...rest } = wanted;
    const given = givenFields(rest);
    if (!isId(staffId)) throw staffRefusal('STAFF_NOT_FOUND');
    const takesOwner = given.status === 'DISABLED' || (given.role !== undefined && given.role !== 'OWNER');
    const { row, ended } = await this.its.transactions.runForCaller(tenantId, async (em) => {
      if (takesOwner) await assertOwnerRemains(em, tenantId, staffId);
      const changed = await changeRow(
        em,
        Staff,
        { id: staffId },
        expectedVersion,
        ({ status, passwordHash }) => {
          if (status === 'INVITED' && given.status === 'ACTIVE') throw staffRefusal('STAFF_INVITED');
          // An invitation does not outlast it.
          if (given.status === 'DISABLED')
            return { ...given, invitationDigest: null, invitationExpiresAt: null };
          // Without a password it waits for one again: as ACTIVE it would count as an OWNER who remains.
          const waits = given.status === 'ACTIVE' && status === 'DISABLED' && !passwordHash;
          return waits ? { ...given, status: 'INVITED' as const } : given;
        },
      );
      if (changed === null) throw staffRefusal('STAFF_NOT_FOUND');
      const { before, after } = changed;
      const isDisabled = after.status !== before.status && after.status === 'DISABLED';
      if (!isDisabled && after.role === before.role) return { row: after, ended: [] };
      const reason = isDisabled ? 'DISABLED' : 'ROLE_CHANGED';
      return { row: after, ended: await endSessions(em, this.its, { tenantId, staffId, reason }) };
    });
    sessionsEnded(this.its, tenantId, ended);
    return row;
  }
}
