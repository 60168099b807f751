import { NumberInput, TextInput } from '@mantine/core';
import { useIdempotencyKey } from '../../api/idempotency-key';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { IssueCouponsDocument } from './coupons.gql';

interface IssueFormProps {
  readonly templateId: string;
  readonly name: string;
  readonly onClose: () => void;
}

/** Gives coupons of a template to a user. */
export function IssueForm({ templateId, name, onClose }: IssueFormProps) {
  const issue = useAction(IssueCouponsDocument);
  const keyOf = useIdempotencyKey();
  const submit = async (values: { userId: string; count: number }): Promise<unknown> => {
    const input = { templateId, userId: values.userId.trim(), count: values.count };
    return issue.mutateAsync({ input: { ...input, idempotencyKey: keyOf(input) } });
  };
  return (
    <FormModal
      title={`Issue ${name}`}
      initialValues={{ userId: '', count: 1 }}
      validate={{ userId: (id) => (id.trim() === '' ? 'Enter the id of the user.' : null) }}
      submit={submit}
      submitLabel="Issue"
      done="The user has the coupons."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Id of the user" required data-autofocus {...form.getInputProps('userId')} />
          <NumberInput
            label="Coupons"
            description="1 to 100"
            required
            min={1}
            allowDecimal={false}
            {...form.getInputProps('count')}
          />
        </>
      )}
    </FormModal>
  );
}
