import { Alert, Button, Checkbox, TextInput } from '@mantine/core';
import { randomId, useDisclosure } from '@mantine/hooks';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { moneyText } from '../../kit/format';
import type { Order } from './order-terms';
import { RefundOrderDocument } from './orders.gql';

const BLANK = { amount: '', reason: '', keepsSubscription: false };

const validate = {
  reason: (reason: string) => (reason.trim() === '' ? 'Say why.' : null),
  amount: (amount: string) =>
    amount === '' || /^\d+(?:\.\d+)?$/.test(amount) ? null : 'An amount such as 9.90, or empty for all.',
};

export function RefundButton({ order }: { readonly order: Order }) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" leftSection={<Undo2 size={16} aria-hidden />} onClick={open}>
        Refund
      </Button>
      {isOpen && <RefundForm order={order} onClose={close} />}
    </>
  );
}

function RefundForm({ order, onClose }: { readonly order: Order; readonly onClose: () => void }) {
  const { orderNo, amount, refunded, currency } = order;
  const refund = useAction(RefundOrderDocument);
  // A click that is repeated after a lost answer is the same refund.
  const [idempotencyKey] = useState(() => randomId('console-'));
  const submit = async ({ amount: part, ...values }: typeof BLANK): Promise<unknown> =>
    refund.mutateAsync({
      input: { ...values, orderNo, idempotencyKey, ...(part === '' ? {} : { amount: part }) },
    });
  return (
    <FormModal
      title={`Refund order ${orderNo}`}
      initialValues={BLANK}
      validate={validate}
      submit={submit}
      submitLabel="Refund"
      done="The refund was credited to the user's balance."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Alert color="yellow.9" variant="light">
            {moneyText(amount, currency)} were paid, {moneyText(refunded ?? '0', currency)} refunded. The
            refund goes to the user&apos;s balance at once, and cannot be undone.
          </Alert>
          <TextInput
            label="Amount"
            placeholder="all that is left"
            inputMode="decimal"
            data-autofocus
            {...form.getInputProps('amount')}
          />
          <TextInput label="Reason" required {...form.getInputProps('reason')} />
          <Checkbox
            label="The user keeps the subscription's time"
            description="Where all is refunded. Otherwise the time of this order is taken off."
            {...form.getInputProps('keepsSubscription', { type: 'checkbox' })}
          />
        </>
      )}
    </FormModal>
  );
}
