import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { InvitationLink, type Invitation } from './invitation-link';
import { StaffActions } from './staff-actions';
import { InviteStaffForm } from './staff-forms';
import { ROLES, STATUSES } from './staff-terms';
import { StaffListDocument, type StaffRowFragment } from './staff.gql';

const route = getRouteApi('/shell/staff');

const columns: readonly Column<StaffRowFragment>[] = [
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Email', cell: ({ email }) => email },
  { title: 'Role', cell: ({ role }) => labelOf(role) },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Second factor', cell: ({ hasSecondFactor }) => (hasSecondFactor ? 'yes' : 'no') },
  { title: 'Last sign-in', cell: ({ signedInAt }) => <TimeCell value={signedInAt} /> },
];

/** The accounts of staff. */
export function StaffPage() {
  const { email, role, status, ...search } = route.useSearch();
  const filter = { email: email ?? null, role: role ?? null, status: status ?? null };
  const query = useOperation(StaffListDocument, { ...pageVariables(search), filter });
  const [isInviting, { open, close }] = useDisclosure();
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const actions: Column<StaffRowFragment> = {
    title: '',
    align: 'end',
    cell: (staff) => (
      <Can permission="CHANGE_STAFF">
        <StaffActions staff={staff} onInvitation={setInvitation} />
      </Can>
    ),
  };
  return (
    <>
      <ListPage
        title="Staff"
        query={query}
        list={({ staff }) => staff}
        search={search}
        columns={[...columns, actions]}
        filters={
          <>
            <TextFilter name="email" label="Email" />
            <ChoiceFilter name="role" label="Role" values={ROLES} />
            <ChoiceFilter name="status" label="Status" values={STATUSES} />
          </>
        }
        empty="No account fits. Staff are invited by an owner, here or by `npx redeemkit staff invite`."
        actions={
          <Can permission="CHANGE_STAFF">
            <Button leftSection={<UserPlus size={16} aria-hidden />} onClick={open}>
              Invite
            </Button>
          </Can>
        }
      />
      {isInviting && <InviteStaffForm onClose={close} onInvitation={setInvitation} />}
      {invitation !== null && <InvitationLink invitation={invitation} onClose={() => setInvitation(null)} />}
    </>
  );
}
