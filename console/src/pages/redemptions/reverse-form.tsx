import { Alert, Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Undo2 } from 'lucide-react';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { ReverseRedemptionDocument, type RedemptionQuery, type SpentRewards } from './redemptions.gql';

type Redemption = NonNullable<RedemptionQuery['redemption']>;

const SPENT: readonly { readonly value: SpentRewards; readonly label: string }[] = [
  { value: 'REFUSE', label: 'Do not reverse' },
  { value: 'DEBT', label: 'Reverse, and note what the user owes' },
];

const BLANK = { reason: '', returnUse: false, spent: 'REFUSE' as SpentRewards };

export function ReverseButton({ redemption }: { readonly redemption: Redemption }) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" leftSection={<Undo2 size={16} aria-hidden />} onClick={open}>
        Reverse
      </Button>
      {isOpen && <ReverseForm redemption={redemption} onClose={close} />}
    </>
  );
}

function ReverseForm({
  redemption: { id: redemptionId, externalUserId, userId },
  onClose,
}: {
  readonly redemption: Redemption;
  readonly onClose: () => void;
}) {
  const reverse = useAction(ReverseRedemptionDocument);
  return (
    <FormModal
      title={`Reverse redemption ${redemptionId}`}
      initialValues={BLANK}
      validate={{ reason: (reason) => (reason.trim() === '' ? 'Say why.' : null) }}
      submit={async (values) => reverse.mutateAsync({ input: { ...values, redemptionId } })}
      submitLabel="Reverse"
      done="The redemption was reversed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Alert color="yellow.9" variant="light">
            All rewards of this redemption are taken back from {externalUserId ?? `user ${userId}`} at once:
            all of them, or none. It is done once, and cannot be undone.
          </Alert>
          <TextInput label="Reason" required data-autofocus {...form.getInputProps('reason')} />
          <Select
            label="If a reward is spent already"
            allowDeselect={false}
            data={SPENT}
            {...form.getInputProps('spent')}
          />
          <Checkbox
            label="Give the code its use back"
            description="It can then be redeemed once more, also by the same user."
            {...form.getInputProps('returnUse', { type: 'checkbox' })}
          />
        </>
      )}
    </FormModal>
  );
}
