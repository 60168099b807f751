import { Button, Menu, NumberInput, Select, TextInput } from '@mantine/core';
import { randomId } from '@mantine/hooks';
import { Gift } from 'lucide-react';
import { useState } from 'react';
import { useAction, useOperation } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { moneyText } from '../../kit/format';
import {
  AdjustBalanceDocument,
  CouponTemplateNamesDocument,
  GrantPointsDocument,
  IssueCouponDocument,
  type UserQuery,
} from './users.gql';

type Account = UserQuery['accounts']['items'][number];

interface GiveProps {
  readonly userId: string;
  readonly accounts: readonly Account[];
}

interface FormProps extends GiveProps {
  readonly onClose: () => void;
}

/** One key for the whole life of a form: a click that is repeated after a lost answer gives nothing twice. */
const useKey = (): string => useState(() => randomId('console-'))[0];

const FORMS = { points: PointsForm, coupon: CouponForm, balance: BalanceForm };

export function GiveButtons(props: GiveProps) {
  const [shown, show] = useState<keyof typeof FORMS | null>(null);
  const Form = shown === null ? null : FORMS[shown];
  return (
    <>
      <Menu>
        <Menu.Target>
          <Button leftSection={<Gift size={16} aria-hidden />}>Give</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => show('points')}>Points</Menu.Item>
          <Menu.Item onClick={() => show('coupon')}>Coupon</Menu.Item>
          <Menu.Item disabled={props.accounts.length === 0} onClick={() => show('balance')}>
            Balance
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {Form !== null && <Form {...props} onClose={() => show(null)} />}
    </>
  );
}

function PointsForm({ userId, onClose }: FormProps) {
  const grant = useAction(GrantPointsDocument);
  const idempotencyKey = useKey();
  const submit = async ({
    amount,
    validDays,
  }: {
    amount: number;
    validDays: number | '';
  }): Promise<unknown> =>
    grant.mutateAsync({
      input: { userId, amount, idempotencyKey, ...(validDays === '' ? {} : { validDays }) },
    });
  return (
    <FormModal
      title="Give points"
      initialValues={{ amount: 100, validDays: '' }}
      submit={submit}
      submitLabel="Give"
      done="The points were given."
      onClose={onClose}
    >
      {(form) => (
        <>
          <NumberInput
            label="Points"
            required
            min={1}
            allowDecimal={false}
            data-autofocus
            {...form.getInputProps('amount')}
          />
          <NumberInput
            label="Days until they expire"
            placeholder="never"
            min={1}
            allowDecimal={false}
            {...form.getInputProps('validDays')}
          />
        </>
      )}
    </FormModal>
  );
}

function CouponForm({ userId, onClose }: FormProps) {
  const issue = useAction(IssueCouponDocument);
  const { data } = useOperation(CouponTemplateNamesDocument, {});
  const idempotencyKey = useKey();
  const templates = data?.couponTemplates.items ?? [];
  return (
    <FormModal
      title="Give a coupon"
      initialValues={{ templateId: '' }}
      validate={{ templateId: (id) => (id === '' ? 'Choose a coupon.' : null) }}
      submit={async (values) => issue.mutateAsync({ input: { ...values, userId, idempotencyKey } })}
      submitLabel="Give"
      done="The coupon was given."
      onClose={onClose}
    >
      {(form) => (
        <Select
          label="Coupon"
          required
          searchable
          nothingFoundMessage="There is no template of that name."
          data={templates.map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps('templateId')}
        />
      )}
    </FormModal>
  );
}

function BalanceForm({ userId, accounts, onClose }: FormProps) {
  const adjust = useAction(AdjustBalanceDocument);
  const orderId = useKey();
  const submit = async ({ accountId, amount, remark }: Record<'accountId' | 'amount' | 'remark', string>) => {
    const account = accounts.find(({ id }) => id === accountId) ?? accounts[0];
    if (account === undefined) return;
    const { facilityId, currency } = account;
    await adjust.mutateAsync({ input: { userId, facilityId, currency, amount, remark, orderId } });
  };
  return (
    <FormModal
      title="Change a balance"
      initialValues={{ accountId: accounts[0]?.id ?? '', amount: '', remark: '' }}
      validate={{
        amount: (amount) => (/^-?\d+(?:\.\d+)?$/.test(amount) ? null : 'An amount such as 5.00 or -5.00.'),
        remark: (remark) => (remark.trim() === '' ? 'Say why.' : null),
      }}
      submit={submit}
      submitLabel="Change the balance"
      done="The balance was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Select
            label="Account"
            allowDeselect={false}
            data={accounts.map(({ id, balance, currency }) => ({
              value: id,
              label: moneyText(balance, currency),
            }))}
            {...form.getInputProps('accountId')}
          />
          <TextInput
            label="Amount"
            description="With a minus it is taken off; a balance never falls below zero."
            required
            data-autofocus
            {...form.getInputProps('amount')}
          />
          <TextInput label="Remark" required {...form.getInputProps('remark')} />
        </>
      )}
    </FormModal>
  );
}
