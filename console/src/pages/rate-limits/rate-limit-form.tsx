import { NumberInput, SimpleGrid, Text } from '@mantine/core';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { countOrNone } from '../../kit/form-values';
import { SCOPE_TEXTS } from './rate-limit-terms';
import { SetRateLimitDocument, type RateLimitRowFragment } from './rate-limits.gql';

/** An empty field is the preset: of a product line the installation's, of a caller a share of the line's. */
export function SetRateLimitForm({
  limit: { productCode, scope, hourLimit, dayLimit, version },
  onClose,
}: {
  readonly limit: RateLimitRowFragment;
  readonly onClose: () => void;
}) {
  const set = useAction(SetRateLimitDocument);
  const submit = async (values: { hourLimit: number | ''; dayLimit: number | '' }): Promise<unknown> =>
    set.mutateAsync({
      input: {
        productCode,
        scope,
        hourLimit: countOrNone(values.hourLimit),
        dayLimit: countOrNone(values.dayLimit),
        expectedVersion: version,
      },
    });
  const field = { min: 0, allowDecimal: false, thousandSeparator: ',', placeholder: 'preset' };
  return (
    <FormModal
      title={`Limits of ${productCode}`}
      initialValues={{ hourLimit: hourLimit ?? '', dayLimit: dayLimit ?? '' }}
      submit={submit}
      submitLabel="Set"
      done="The limits are in force on every server."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Text size="sm">
            {SCOPE_TEXTS[scope]}. Attempts beyond a limit are refused with RATE_LIMITED, from the moment in
            which this is saved.
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <NumberInput
              {...field}
              label="Attempts in any hour"
              description="0 means unlimited; empty is the preset."
              data-autofocus
              {...form.getInputProps('hourLimit')}
            />
            <NumberInput
              {...field}
              label="Attempts in any day"
              description="0 means unlimited; empty is the preset."
              {...form.getInputProps('dayLimit')}
            />
          </SimpleGrid>
        </>
      )}
    </FormModal>
  );
}
