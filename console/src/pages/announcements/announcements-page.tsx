import { Group } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { TenantTimeCell, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { pageOf, sizeOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { CreateAnnouncementForm, UpdateAnnouncementForm } from './announcement-form';
import {
  AnnouncementsDocument,
  DeleteAnnouncementDocument,
  type AnnouncementRowFragment,
} from './announcements.gql';

const route = getRouteApi('/shell/announcements');

const columns: readonly Column<AnnouncementRowFragment>[] = [
  { title: 'Title', cell: ({ title }) => title },
  { title: 'State', cell: (row) => <StatusBadge value={stateOf(row)} /> },
  { title: 'From', cell: ({ startsAt }) => <TenantTimeCell value={startsAt} none="at once" /> },
  { title: 'Until', cell: ({ endsAt }) => <TenantTimeCell value={endsAt} none="no end" /> },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: '', align: 'end', cell: (row) => <Actions row={row} /> },
];

function stateOf({ startsAt, endsAt }: AnnouncementRowFragment): string {
  const now = Date.now();
  if (endsAt !== null && Date.parse(endsAt) <= now) return 'EXPIRED';
  return startsAt !== null && Date.parse(startsAt) > now ? 'SCHEDULED' : 'ACTIVE';
}

/** What the tenant tells its users. */
export function AnnouncementsPage() {
  const search = route.useSearch();
  const query = useOperation(AnnouncementsDocument, { page: pageOf(search), size: sizeOf(search) });
  return (
    <ListPage
      title="Announcements"
      query={query}
      list={({ announcements }) => announcements}
      search={search}
      columns={columns}
      empty="An announcement is a text that clients of the tenant show to its users. There is none yet."
      actions={
        <FormButton
          label="New announcement"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreateAnnouncementForm onClose={close} />}
        />
      }
    />
  );
}

function Actions({ row }: { readonly row: AnnouncementRowFragment }) {
  const remove = useAction(DeleteAnnouncementDocument);
  const { id: announcementId, title } = row;
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Edit"
          name={`Edit ${title}`}
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <UpdateAnnouncementForm row={row} onClose={close} />}
        />
        <ConfirmAction
          label="Delete"
          name={`Delete ${title}`}
          says={`Users no longer see “${title}”. This cannot be undone.`}
          isDangerous
          run={async () => remove.mutateAsync({ input: { announcementId } })}
          done="The announcement is deleted."
          button={{ size: 'xs' }}
        />
      </Group>
    </Can>
  );
}
