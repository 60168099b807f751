import { TagsInput, TextInput } from '@mantine/core';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { nameIsGiven } from '../../kit/form-values';
import { CreateNodeDocument, UpdateNodeDocument, type NodeRowFragment } from './nodes.gql';

interface Values extends Record<string, unknown> {
  readonly name: string;
  readonly address: string;
  readonly tags: string[];
}

interface NodeFormProps {
  /** Null makes a new one. */
  readonly node: NodeRowFragment | null;
  readonly onClose: () => void;
}

export function NodeForm({ node, onClose }: NodeFormProps) {
  const create = useAction(CreateNodeDocument);
  const update = useAction(UpdateNodeDocument);
  const submit = async (values: Values): Promise<unknown> =>
    node === null
      ? create.mutateAsync({ input: values })
      : update.mutateAsync({ input: { ...values, nodeId: node.id, expectedVersion: node.version } });
  return (
    <FormModal<Values>
      title={node === null ? 'New node' : `Edit ${node.name}`}
      initialValues={{
        name: node?.name ?? '',
        address: node?.address ?? '',
        tags: [...(node?.tags ?? [])],
      }}
      validate={{
        name: nameIsGiven,
        address: (address) => (address.trim() === '' ? 'Enter a host or a URL.' : null),
      }}
      submit={submit}
      submitLabel={node === null ? 'Create node' : 'Save'}
      done={node === null ? 'The node was created.' : 'The node was changed.'}
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <TextInput
            label="Address"
            description="Where subscribers reach it: a host or a URL."
            required
            {...form.getInputProps('address')}
          />
          <TagsInput
            label="Tags"
            description="Plans open the node by one of these, or by its id."
            {...form.getInputProps('tags')}
          />
        </>
      )}
    </FormModal>
  );
}
