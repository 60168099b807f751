import { Group, TextInput } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, TimeCell } from '../../kit/cells';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { nameIsGiven } from '../../kit/form-values';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { SwitchAction } from '../../kit/switch-action';
import { TextLink } from '../../kit/text-link';
import {
  CreateFacilityDocument,
  FacilitiesDocument,
  UpdateFacilityDocument,
  type FacilityRowFragment,
} from './money.gql';

const route = getRouteApi('/shell/facilities');

const columns: readonly Column<FacilityRowFragment>[] = [
  { title: 'Name', cell: ({ name }) => <strong>{name}</strong> },
  {
    title: 'Status',
    cell: ({ enabled }) => <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />,
  },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
  {
    title: 'Look at',
    cell: ({ id }) => (
      <TextLink to="/transfers" search={{ facilityId: id }} size="sm">
        Transfers
      </TextLink>
    ),
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: '', align: 'end', cell: (facility) => <Actions facility={facility} /> },
];

/** Facilities: books of accounts between which no money moves. */
export function FacilitiesPage() {
  const search = route.useSearch();
  const query = useOperation(FacilitiesDocument, pageVariables(search));
  return (
    <ListPage
      title="Facilities"
      query={query}
      list={({ facilities }) => facilities}
      search={search}
      columns={columns}
      empty="A facility is a set of accounts that send each other money, such as a venue. There is none yet."
      actions={
        <FormButton
          label="New facility"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <FacilityForm facility={null} onClose={close} />}
        />
      }
    />
  );
}

function Actions({ facility }: { readonly facility: FacilityRowFragment }) {
  const update = useAction(UpdateFacilityDocument);
  const { id: facilityId, name, enabled, version: expectedVersion } = facility;
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Rename"
          name={`Rename ${name}`}
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <FacilityForm facility={facility} onClose={close} />}
        />
        <SwitchAction
          what="facility"
          name={name}
          isEnabled={enabled}
          off={`Transfers within “${name}” are refused with FACILITY_DISABLED until it is enabled again. Balances stay.`}
          on={`Users of “${name}” can send each other money again.`}
          run={async (next) => update.mutateAsync({ input: { facilityId, enabled: next, expectedVersion } })}
        />
      </Group>
    </Can>
  );
}

function FacilityForm({
  facility,
  onClose,
}: {
  /** Null makes a new one. */
  readonly facility: FacilityRowFragment | null;
  readonly onClose: () => void;
}) {
  const create = useAction(CreateFacilityDocument);
  const update = useAction(UpdateFacilityDocument);
  const submit = async ({ name }: { name: string }): Promise<unknown> =>
    facility === null
      ? create.mutateAsync({ input: { name } })
      : update.mutateAsync({
          input: { facilityId: facility.id, name, expectedVersion: facility.version },
        });
  return (
    <FormModal
      title={facility === null ? 'New facility' : `Rename ${facility.name}`}
      initialValues={{ name: facility?.name ?? '' }}
      validate={{ name: nameIsGiven }}
      submit={submit}
      submitLabel={facility === null ? 'Create facility' : 'Save'}
      done={facility === null ? 'The facility was created.' : 'The facility was renamed.'}
      onClose={onClose}
    >
      {(form) => <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />}
    </FormModal>
  );
}
