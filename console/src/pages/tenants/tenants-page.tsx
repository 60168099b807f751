import { Group } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { FormButton } from '../../kit/form-button';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { pageOf, sizeOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { CreateTenantForm, UpdateTenantForm } from './tenant-form';
import { STATUSES, TYPES } from './tenant-terms';
import { TenantsDocument, UpdateTenantDocument, type TenantRowFragment } from './tenants.gql';

const route = getRouteApi('/shell/tenants');

const columns: readonly Column<TenantRowFragment>[] = [
  { title: 'Tenant', cell: ({ id }) => <strong>{id}</strong> },
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Type', cell: ({ type }) => labelOf(type) },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Codes issued', align: 'end', cell: ({ codesIssued }) => <CountCell value={codesIssued} /> },
  {
    title: 'Quota',
    align: 'end',
    cell: ({ codeQuota }) => (codeQuota === 0 ? <None says="unlimited" /> : <CountCell value={codeQuota} />),
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: '', align: 'end', cell: (row) => <Actions row={row} /> },
];

/** The tenants of the installation, for those who run it. */
export function TenantsPage() {
  const { part, status, type, ...search } = route.useSearch();
  const filter = { part: part ?? null, status: status ?? null, type: type ?? null };
  const query = useOperation(TenantsDocument, { page: pageOf(search), size: sizeOf(search), filter });
  return (
    <ListPage
      title="Tenants"
      query={query}
      list={({ tenants }) => tenants}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="part" label="Part of id or name" />
          <ChoiceFilter name="status" label="Status" values={STATUSES} />
          <ChoiceFilter name="type" label="Type" values={TYPES} />
        </>
      }
      empty="No tenant fits."
      actions={
        <FormButton
          label="New tenant"
          icon={<Plus size={16} aria-hidden />}
          permission="CHANGE_TENANTS"
          form={(close) => <CreateTenantForm onClose={close} />}
        />
      }
    />
  );
}

function Actions({ row }: { readonly row: TenantRowFragment }) {
  const update = useAction(UpdateTenantDocument);
  const { id: tenantId, status, version: expectedVersion } = row;
  const isActive = status === 'ACTIVE';
  const label = isActive ? 'Disable' : 'Enable';
  const input = { tenantId, status: isActive ? 'DISABLED' : 'ACTIVE', expectedVersion } as const;
  return (
    <Can permission="CHANGE_TENANTS">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Edit"
          name={`Edit ${tenantId}`}
          permission="CHANGE_TENANTS"
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <UpdateTenantForm row={row} onClose={close} />}
        />
        <ConfirmAction
          label={label}
          name={`${label} ${tenantId}`}
          says={
            isActive
              ? `Staff, partners, users and devices of ${tenantId} are refused, and their sockets end.`
              : `${tenantId} works again, with everything that it had.`
          }
          isDangerous={isActive}
          {...(isActive && { typed: tenantId })}
          run={async () => update.mutateAsync({ input })}
          done={`${tenantId} is ${isActive ? 'disabled' : 'enabled'}.`}
          button={{ size: 'xs' }}
        />
      </Group>
    </Can>
  );
}
