import { Anchor, Textarea, type TextareaProps } from '@mantine/core';
import type { ReactNode } from 'react';

const GUIDE = 'https://cel.dev';

/** An expression over the facts of a redemption. The preview below the form says where it is wrong. */
export function ConditionField({
  description,
  ...field
}: TextareaProps & { readonly description: ReactNode }) {
  return (
    <Textarea
      autosize
      minRows={1}
      maxRows={6}
      maxLength={1000}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      description={
        <>
          {description} In{' '}
          <Anchor href={GUIDE} target="_blank" rel="noreferrer" inherit>
            CEL
          </Anchor>
          , over userTags, isNew, productLine, deviceId, campaignRedemptions, tenantRedemptions, paidOrders,
          spent, now, date, year, month, day, weekday, hour, minute.
        </>
      }
      {...field}
    />
  );
}
