import { TextInput } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { IdCell, TimeCell } from '../../kit/cells';
import { ChoiceFilter } from '../../kit/filters';
import { FormModal } from '../../kit/form-modal';
import { nameIsGiven } from '../../kit/form-values';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { CreatePartnerDocument, PartnersDocument, type PartnerRowFragment } from './partners.gql';

const route = getRouteApi('/shell/partners');

const columns: readonly Column<PartnerRowFragment>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <TextLink to="/partners/$id" params={{ id }} size="sm" fw={600}>
        {name}
      </TextLink>
    ),
  },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Operations', align: 'end', cell: ({ operations }) => operations?.operationCount ?? 0 },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Companies whose servers use the API. */
export function PartnersPage() {
  const { status, ...search } = route.useSearch();
  const filter = { status: status ?? null };
  const query = useOperation(PartnersDocument, { ...pageVariables(search), filter });
  return (
    <ListPage
      title="Partners"
      query={query}
      list={({ partners }) => partners}
      search={search}
      columns={columns}
      filters={<ChoiceFilter name="status" label="Status" values={['ACTIVE', 'DISABLED']} />}
      empty="A partner is a company whose server uses the API with a key. There is none yet."
      actions={
        <FormButton
          label="New partner"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreatePartnerForm onClose={close} />}
        />
      }
    />
  );
}

function CreatePartnerForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreatePartnerDocument);
  const navigate = useNavigate();
  const submit = async (input: { name: string }): Promise<void> => {
    const { partner } = await create.mutateAsync({ input });
    if (partner !== null) await navigate({ to: '/partners/$id', params: { id: partner.id } });
  };
  return (
    <FormModal
      title="New partner"
      initialValues={{ name: '' }}
      validate={{ name: nameIsGiven }}
      submit={submit}
      submitLabel="Create partner"
      done="The partner was created. Create a key next."
      onClose={onClose}
    >
      {(form) => <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />}
    </FormModal>
  );
}
