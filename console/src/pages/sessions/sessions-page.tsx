import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { ChoiceFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { EndSessionDocument, SessionsDocument, type SessionsQuery } from './sessions.gql';
import { SHOWN } from './sessions.routes';

const route = getRouteApi('/shell/sessions');

type Row = SessionsQuery['staffSessions']['items'][number];

const hasExpired = ({ expiresAt }: Row): boolean => Date.parse(expiresAt) <= Date.now();

const columns: readonly Column<Row>[] = [
  { title: 'Signed in', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: 'From', cell: ({ ip }) => ip ?? <None says="not known" /> },
  { title: 'State', cell: (row) => <StatusBadge value={stateOf(row)} /> },
  { title: 'Ended', cell: ({ endedAt }) => (endedAt === null ? <None /> : <TimeCell value={endedAt} />) },
  { title: 'Ends without use', cell: ({ expiresAt }) => <TenantTimeCell value={expiresAt} /> },
  { title: '', align: 'end', cell: (row) => <End row={row} /> },
];

function stateOf(row: Row): string {
  if (row.endedReason !== null) return row.endedReason;
  return hasExpired(row) ? 'EXPIRED' : 'OPEN';
}

/** One's own sessions, or those of the member of staff in the address. */
export function SessionsPage() {
  const { staffId, show, ...search } = route.useSearch();
  const query = useOperation(SessionsDocument, {
    ...pageVariables(search),
    staffId: staffId ?? null,
    ended: show === 'ENDED_TOO',
  });
  return (
    <ListPage
      title={staffId === undefined ? 'Your sessions' : 'Sessions of a member'}
      query={query}
      list={({ staffSessions }) => staffSessions}
      search={search}
      columns={columns}
      filters={<ChoiceFilter name="show" label="Shown" values={SHOWN} />}
      empty="No session fits. One begins with each sign-in."
    />
  );
}

function End({ row }: { readonly row: Row }) {
  const end = useAction(EndSessionDocument);
  if (row.endedAt !== null || hasExpired(row)) return null;
  const { id: sessionId, ip, isCurrent } = row;
  return (
    <ConfirmAction
      label="End"
      name={`End the session from ${ip ?? 'an unknown address'}`}
      says={
        isCurrent
          ? 'This is the session of this browser: you have to sign in again.'
          : 'The browser or program of this session is signed out at once.'
      }
      isDangerous
      run={async () => end.mutateAsync({ input: { sessionId } })}
      done="The session has ended."
      button={{ size: 'xs' }}
    />
  );
}
