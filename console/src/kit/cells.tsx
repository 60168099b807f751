import { Text } from '@mantine/core';
import { useTenantZone } from '../api/viewer';
import { CopyButton } from './copy-button';
import {
  bytesText,
  countText,
  exactTimeText,
  moneyText,
  secondText,
  timeText,
  zonedTimeText,
} from './format';
import classes from './cells.module.css';

/** For a value that is missing: screen readers get a word. */
export function None({ says = 'none' }: { readonly says?: string }) {
  return (
    <Text span c="dimmed" size="sm">
      {says}
    </Text>
  );
}

/** An id, small and in one width, to be copied. */
export function IdCell({ value }: { readonly value: string }) {
  return (
    <span className={classes['id']}>
      {value}
      <CopyButton value={value} label={`Copy ${value}`} />
    </span>
  );
}

export const CountCell = ({ value }: { readonly value: number }) => (
  <span className={classes['number']}>{countText(value)}</span>
);

export const MoneyCell = ({
  amount,
  currency,
}: {
  readonly amount: string;
  readonly currency: string | null;
}) => <span className={classes['number']}>{moneyText(amount, currency)}</span>;

export const BytesCell = ({ value }: { readonly value: number }) => (
  <span className={classes['number']} title={`${countText(value)} bytes`}>
    {bytesText(value)}
  </span>
);

/** A time at which something happened: in the time zone of the browser. The whole time is its title. */
export function TimeCell({
  value,
  precision = 'MINUTE',
}: {
  readonly value: string | null | undefined;
  /** SECOND: of what happens now; the day is in the title only. */
  readonly precision?: 'MINUTE' | 'SECOND';
}) {
  if (value === null || value === undefined) return <None says="never" />;
  return (
    <time dateTime={value} title={exactTimeText(value)} className={classes['number']}>
      {precision === 'SECOND' ? secondText(value) : timeText(value)}
    </time>
  );
}

/** A time from or until which something is valid: in the time zone of the tenant, as `TenantTimeField` takes it. */
export function TenantTimeCell({
  value,
  none = 'never',
}: {
  readonly value: string | null | undefined;
  /** What it means that there is no such time. */
  readonly none?: string;
}) {
  const zone = useTenantZone();
  if (value === null || value === undefined) return <None says={none} />;
  return (
    <time dateTime={value} title={`${exactTimeText(value, zone)}, ${zone}`} className={classes['number']}>
      {zonedTimeText(value, zone)}
    </time>
  );
}
