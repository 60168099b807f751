import { SimpleGrid, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { TenantTimeField } from '../../kit/tenant-time-field';
import {
  CreateAnnouncementDocument,
  UpdateAnnouncementDocument,
  type AnnouncementRowFragment,
} from './announcements.gql';

interface Values extends Record<string, unknown> {
  title: string;
  description: string;
  startsAt: string | null;
  endsAt: string | null;
}

const BLANK: Values = { title: '', description: '', startsAt: null, endsAt: null };
const validate = { title: (title: string) => (title.trim() === '' ? 'Enter a title.' : null) };

export function CreateAnnouncementForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateAnnouncementDocument);
  return (
    <FormModal
      title="New announcement"
      initialValues={BLANK}
      validate={validate}
      submit={async (values) => create.mutateAsync({ input: values })}
      submitLabel="Create announcement"
      done="The announcement was created."
      onClose={onClose}
    >
      {(form) => <Fields form={form} />}
    </FormModal>
  );
}

export function UpdateAnnouncementForm({
  row: { id: announcementId, title, description, startsAt, endsAt, version: expectedVersion },
  onClose,
}: {
  readonly row: AnnouncementRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateAnnouncementDocument);
  const submit = async (values: Values): Promise<unknown> =>
    update.mutateAsync({ input: { announcementId, ...values, expectedVersion } });
  return (
    <FormModal
      title={`Edit ${title}`}
      initialValues={{ title, description, startsAt, endsAt }}
      validate={validate}
      submit={submit}
      submitLabel="Save"
      done="The announcement was changed."
      onClose={onClose}
    >
      {(form) => <Fields form={form} />}
    </FormModal>
  );
}

function Fields({ form }: { readonly form: UseFormReturnType<Values> }) {
  return (
    <>
      <TextInput label="Title" required data-autofocus {...form.getInputProps('title')} />
      <Textarea
        label="Text"
        description="Plain text, with line breaks."
        autosize
        minRows={3}
        maxRows={12}
        {...form.getInputProps('description')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TenantTimeField label="From" description="Empty: at once." {...form.getInputProps('startsAt')} />
        <TenantTimeField label="Until" description="Empty: without end." {...form.getInputProps('endsAt')} />
      </SimpleGrid>
    </>
  );
}
