import { SimpleGrid, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { instantOf, localTime } from '../../kit/local-time';
import {
  CreateAnnouncementDocument,
  UpdateAnnouncementDocument,
  type AnnouncementRowFragment,
} from './announcements.gql';

/** Times as the fields have them, in the time zone of the browser. */
interface Values extends Record<string, unknown> {
  title: string;
  description: string;
  startsAt: string;
  endsAt: string;
}

const BLANK: Values = { title: '', description: '', startsAt: '', endsAt: '' };
const validate = { title: (title: string) => (title.trim() === '' ? 'Enter a title.' : null) };

const inputOf = ({ title, description, startsAt, endsAt }: Values) => ({
  title,
  description,
  startsAt: instantOf(startsAt),
  endsAt: instantOf(endsAt),
});

export function CreateAnnouncementForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateAnnouncementDocument);
  return (
    <FormModal
      title="New announcement"
      initialValues={BLANK}
      validate={validate}
      submit={async (values) => create.mutateAsync({ input: inputOf(values) })}
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
    update.mutateAsync({ input: { announcementId, ...inputOf(values), expectedVersion } });
  return (
    <FormModal
      title={`Edit ${title}`}
      initialValues={{ title, description, startsAt: localTime(startsAt), endsAt: localTime(endsAt) }}
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
        <TextInput
          type="datetime-local"
          label="From"
          description="Empty: at once."
          {...form.getInputProps('startsAt')}
        />
        <TextInput
          type="datetime-local"
          label="Until"
          description="Empty: without end."
          {...form.getInputProps('endsAt')}
        />
      </SimpleGrid>
    </>
  );
}
