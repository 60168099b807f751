import { Textarea, type TextareaProps } from '@mantine/core';

const FACTS =
  'In CEL, over userTags, isNew, productLine, deviceId, campaignRedemptions, tenantRedemptions, paidOrders, spent, now, date, year, month, day, weekday, hour, minute.';

/** An expression over the facts of a redemption. The preview below the form says where it is wrong. */
export function ConditionField({ description, ...field }: TextareaProps & { readonly description: string }) {
  return (
    <Textarea
      autosize
      minRows={1}
      maxRows={6}
      maxLength={1000}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      description={`${description} ${FACTS}`}
      {...field}
    />
  );
}
