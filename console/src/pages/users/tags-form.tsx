import { Button, TagsInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { UpdateUserDocument, type UserRowFragment } from './users.gql';

export function TagsButton({ user }: { readonly user: UserRowFragment }) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        Edit tags
      </Button>
      {isOpen && <TagsForm user={user} onClose={close} />}
    </>
  );
}

function TagsForm({
  user: { id: userId, externalId, tags, version: expectedVersion },
  onClose,
}: {
  readonly user: UserRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateUserDocument);
  return (
    <FormModal
      title={`Tags of ${externalId}`}
      initialValues={{ tags: [...tags] }}
      submit={async (values) => update.mutateAsync({ input: { ...values, userId, expectedVersion } })}
      submitLabel="Save"
      done="The tags were changed."
      onClose={onClose}
    >
      {(form) => (
        <TagsInput
          label="Tags"
          description="Rewards with a condition on a tag go by them from the next redemption on."
          data-autofocus
          {...form.getInputProps('tags')}
        />
      )}
    </FormModal>
  );
}
