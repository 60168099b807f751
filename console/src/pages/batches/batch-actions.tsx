import { Group } from '@mantine/core';
import { useAction } from '../../api/queries';
import { ConfirmAction } from '../../kit/confirm-action';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { TenantTimeField } from '../../kit/tenant-time-field';
import { isUnderWay } from './batch-state';
import {
  ActivateBatchDocument,
  CancelBatchDocument,
  ExtendBatchDocument,
  FreezeBatchDocument,
  UnfreezeBatchDocument,
  VoidBatchDocument,
  type BatchRowFragment,
} from './batches.gql';

interface BatchProps {
  readonly batch: BatchRowFragment;
}

/** What can be done with a batch in its state. A voided one stays as it is. */
export function BatchActions({ batch }: BatchProps) {
  if (batch.voidedAt !== null) return null;
  const awaits = batch.awaitsActivation && batch.activatedAt === null;
  return (
    <Group gap="xs">
      {isUnderWay(batch) && <Cancel batch={batch} />}
      {awaits && <Activate batch={batch} />}
      {batch.status === 'READY' && <Extend batch={batch} />}
      {batch.frozenAt === null ? <Freeze batch={batch} /> : <Unfreeze batch={batch} />}
      <VoidIt batch={batch} />
    </Group>
  );
}

function Cancel({ batch: { id: batchId } }: BatchProps) {
  const cancel = useAction(CancelBatchDocument);
  return (
    <ConfirmAction
      label="Cancel"
      says="The worker stops. None of the codes of this batch can be redeemed."
      isDangerous
      run={async () => cancel.mutateAsync({ input: { batchId } })}
      done="The batch was cancelled."
    />
  );
}

function Activate({ batch: { id: batchId, requested } }: BatchProps) {
  const activate = useAction(ActivateBatchDocument);
  return (
    <ConfirmAction
      label="Activate"
      says={`All ${requested} codes can be redeemed from now on, as if they were sold. This cannot be undone; a batch can be frozen or voided.`}
      run={async () => activate.mutateAsync({ input: { batchId } })}
      done="The batch is activated."
    />
  );
}

function Freeze({ batch: { id: batchId } }: BatchProps) {
  const freeze = useAction(FreezeBatchDocument);
  return (
    <ConfirmAction
      label="Freeze"
      says="No code of this batch can be redeemed until it is unfrozen. Users get BATCH_FROZEN."
      isDangerous
      run={async () => freeze.mutateAsync({ input: { batchId } })}
      done="The batch is frozen."
    />
  );
}

function Unfreeze({ batch: { id: batchId } }: BatchProps) {
  const unfreeze = useAction(UnfreezeBatchDocument);
  return (
    <ConfirmAction
      label="Unfreeze"
      says="The codes of this batch can be redeemed again."
      run={async () => unfreeze.mutateAsync({ input: { batchId } })}
      done="The batch is not frozen any more."
    />
  );
}

function VoidIt({ batch: { id: batchId } }: BatchProps) {
  const voidBatch = useAction(VoidBatchDocument);
  return (
    <ConfirmAction
      label="Void"
      says="No code of this batch can ever be redeemed again. What the codes have given stays."
      typed={batchId}
      isDangerous
      run={async () => voidBatch.mutateAsync({ input: { batchId } })}
      done="The batch is void."
    />
  );
}

function Extend({ batch }: BatchProps) {
  return (
    <FormButton
      label="Extend"
      button={{ variant: 'default' }}
      form={(close) => <ExtendForm batch={batch} onClose={close} />}
    />
  );
}

function ExtendForm({ batch: { id: batchId }, onClose }: BatchProps & { readonly onClose: () => void }) {
  const extend = useAction(ExtendBatchDocument);
  const submit = async ({ expiresAt }: { expiresAt: string | null }): Promise<unknown> =>
    extend.mutateAsync({ input: { batchId, expiresAt: expiresAt ?? '' } });
  return (
    <FormModal
      title="Extend the batch"
      initialValues={{ expiresAt: null }}
      validate={{ expiresAt: (value) => (value === null ? 'Choose a time.' : null) }}
      submit={submit}
      submitLabel="Extend"
      done="The batch was extended."
      onClose={onClose}
    >
      {(form) => (
        <TenantTimeField
          label="New end"
          description="Of all codes of the batch that would end earlier, or have ended."
          required
          data-autofocus
          {...form.getInputProps('expiresAt')}
        />
      )}
    </FormModal>
  );
}
