import '@mantine/dates/styles.css';
import { DatePickerInput } from '@mantine/dates';
import dayjs from 'dayjs';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useSearchChange } from './use-search-change';

type Days = [string | null, string | null];

const DAY = 'YYYY-MM-DD';
const SHOWN = 'D MMM YYYY';
const daysBack = (first: number, last = 0): Days => [
  dayjs().subtract(first, 'day').format(DAY),
  dayjs().subtract(last, 'day').format(DAY),
];

const dayText = (day: string | null): string => (day === null ? '' : dayjs(day).format(SHOWN));

/** The first and the last day of a list in the address, as `from` and `to`; days are those of the browser's time zone. */
export function PeriodFilter({ label = 'Time' }: { readonly label?: string }) {
  const search: Readonly<Record<string, unknown>> = useSearch({ strict: false });
  const change = useSearchChange();
  /** The first day while the last one is not chosen yet. */
  const [begun, setBegun] = useState<string | null>(null);
  const { from, to } = search;
  const shown: Days = [typeof from === 'string' ? from : null, typeof to === 'string' ? to : null];
  const choose = ([first, last]: Days): void => {
    setBegun(last === null ? first : null);
    if ((first === null) === (last === null)) change({ from: first ?? undefined, to: last ?? undefined });
  };
  return (
    <DatePickerInput
      type="range"
      size="xs"
      w={220}
      // Holds what is shown, which a name would hide from screen readers otherwise.
      aria-label={shown[0] === null ? label : `${label}, ${shown.map(dayText).join(' – ')}`}
      placeholder={label}
      clearable
      allowSingleDateInRange
      clearButtonProps={{ 'aria-label': `Clear ${label}` }}
      valueFormat={SHOWN}
      presets={[
        { label: 'Today', value: daysBack(0) },
        { label: 'Yesterday', value: daysBack(1, 1) },
        { label: 'Last 7 days', value: daysBack(6) },
        { label: 'Last 30 days', value: daysBack(29) },
      ]}
      value={begun === null ? shown : [begun, null]}
      onChange={choose}
    />
  );
}
