import { expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { recordedFor } from '../../src/graphql/recorded-operation.js';
import { currentOperation } from '../../src/platform/recording/current-operation.js';

const STAFF: Actor = { kind: 'STAFF', tenantId: 'T_1', staffId: '7', role: 'OWNER' };
const log = { error: () => undefined } as never;

const isRecorded = async (actor: Actor, name: string, signsStaffIn = false): Promise<boolean> =>
  recordedFor(
    { actor, ip: '', requestId: 'r', log },
    { name, input: {}, signsStaffIn },
    () => currentOperation() !== null,
  );

it('is any operation of staff, except the refreshes of sessions: by the mutations, and by the console', async () => {
  expect(await isRecorded(STAFF, 'updateCampaign')).toBe(true);
  expect(await isRecorded(STAFF, 'signInStaff', true)).toBe(true);
  for (const name of ['refreshStaffSession', 'refreshDeviceSession', 'POST /console/session/refresh'])
    expect([name, await isRecorded(STAFF, name)]).toEqual([name, false]);
  expect(await isRecorded({ kind: 'USER', tenantId: 'T_1', userId: '8' }, 'redeemCode')).toBe(false);
});
