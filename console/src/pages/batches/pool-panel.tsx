import { NumberInput, SegmentedControl, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useIdempotencyKey } from '../../api/idempotency-key';
import { useAction, useOperation } from '../../api/queries';
import { CodesModal } from '../../kit/codes-modal';
import { CountCell, None } from '../../kit/cells';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { labelOf } from '../../kit/format';
import { TablePanel } from '../../kit/table-panel';
import { AllocateCodesDocument, CodePoolDocument, SetCodePoolDocument } from './batches.gql';

/** While a worker refills the pool. */
const EVERY_MS = 2000;

interface PoolProps {
  readonly campaignId: string;
}

/** Codes that are kept ready to be handed out, each to one receiver. */
export function PoolPanel({ campaignId }: PoolProps) {
  const { data } = useOperation(CodePoolDocument, { campaignId }, ({ codePool }) =>
    codePool !== null && codePool.free < codePool.size && codePool.refusal === null ? EVERY_MS : undefined,
  );
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const pool = data?.codePool ?? null;
  const size = pool?.size ?? 0;
  return (
    <>
      <TablePanel
        title="Pool"
        heads={['Free codes', 'Kept at', 'Last refill refused by']}
        rows={
          pool === null
            ? []
            : [
                {
                  key: campaignId,
                  cells: [
                    <CountCell value={pool.free} />,
                    pool.size === 0 ? <None says="not refilled" /> : <CountCell value={pool.size} />,
                    pool.refusal === null ? <None /> : labelOf(pool.refusal),
                  ],
                },
              ]
        }
        empty="A pool keeps codes ready for shops and channels that sell them one by one. There is none yet."
        aside={
          <>
            <Text span flex={1} />
            <FormButton
              label="Set the size"
              button={{ size: 'xs', variant: 'default' }}
              form={(close) => <SizeForm campaignId={campaignId} size={size} onClose={close} />}
            />
            <FormButton
              label="Hand codes out"
              button={{ size: 'xs' }}
              form={(close) => <AllocateForm campaignId={campaignId} onCodes={setCodes} onClose={close} />}
            />
          </>
        }
      />
      {codes !== null && (
        <CodesModal codes={codes} onClose={() => setCodes(null)}>
          No other receiver gets these codes.
        </CodesModal>
      )}
    </>
  );
}

interface FormProps extends PoolProps {
  readonly onClose: () => void;
}

function SizeForm({ campaignId, size, onClose }: FormProps & { readonly size: number }) {
  const set = useAction(SetCodePoolDocument);
  return (
    <FormModal
      title="Size of the pool"
      initialValues={{ size }}
      submit={async (values) => set.mutateAsync({ input: { campaignId, ...values } })}
      submitLabel="Save"
      done="The pool is refilled to this size by a worker."
      onClose={onClose}
    >
      {(form) => (
        <NumberInput
          label="Free codes to keep ready"
          description="0 to 100,000; 0 stops refills, and leaves the free codes."
          required
          min={0}
          allowDecimal={false}
          thousandSeparator=","
          data-autofocus
          {...form.getInputProps('size')}
        />
      )}
    </FormModal>
  );
}

interface Receiver extends Record<string, unknown> {
  readonly count: number;
  readonly to: 'CHANNEL' | 'USER';
  readonly channel: string;
  readonly userId: string;
}

function AllocateForm({
  campaignId,
  onCodes,
  onClose,
}: FormProps & { readonly onCodes: (codes: readonly string[]) => void }) {
  const allocate = useAction(AllocateCodesDocument);
  const keyOf = useIdempotencyKey();
  const submit = async ({ count, to, channel, userId }: Receiver): Promise<void> => {
    const receiver = to === 'USER' ? { userId: userId.trim() } : { channel: channel.trim() };
    const input = { campaignId, count, ...receiver };
    const { codes } = await allocate.mutateAsync({ input: { ...input, idempotencyKey: keyOf(input) } });
    if (codes !== null) onCodes(codes);
  };
  return (
    <FormModal<Receiver>
      title="Hand codes out"
      initialValues={{ count: 1, to: 'CHANNEL', channel: '', userId: '' }}
      validate={{
        channel: (channel, { to }) =>
          to === 'CHANNEL' && channel.trim() === '' ? 'Name the channel.' : null,
        userId: (id, { to }) => (to === 'USER' && id.trim() === '' ? 'Enter the id of the user.' : null),
      }}
      submit={submit}
      submitLabel="Hand out"
      onClose={onClose}
    >
      {(form) => (
        <>
          <NumberInput
            label="Codes"
            description="1 to 1,000: all of them, or none where the pool has fewer."
            required
            min={1}
            allowDecimal={false}
            thousandSeparator=","
            data-autofocus
            {...form.getInputProps('count')}
          />
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <SegmentedControl
              aria-label="Receiver"
              mt={24}
              data={[
                { value: 'CHANNEL', label: 'A channel' },
                { value: 'USER', label: 'One user' },
              ]}
              {...form.getInputProps('to')}
            />
            {form.getValues().to === 'USER' ? (
              <TextInput
                label="Id of the user"
                description="No other user can redeem the codes."
                required
                {...form.getInputProps('userId')}
              />
            ) : (
              <TextInput
                label="Channel"
                description="Who hands the codes on, such as SHOP_7."
                required
                {...form.getInputProps('channel')}
              />
            )}
          </SimpleGrid>
        </>
      )}
    </FormModal>
  );
}
