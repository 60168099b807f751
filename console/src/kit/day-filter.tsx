import { DatePickerInput } from '@mantine/dates';
import { useSearch } from '@tanstack/react-router';
import { useSearchChange } from './use-search-change';

interface DayFilterProps {
  /** The search parameter of the page. */
  readonly name: string;
  readonly label: string;
}

/** A day in the address, as `2026-11-30`; days are those of the browser's time zone. */
export function DayFilter({ name, label }: DayFilterProps) {
  const search: Readonly<Record<string, unknown>> = useSearch({ strict: false });
  const change = useSearchChange();
  const value = search[name];
  return (
    <DatePickerInput
      size="xs"
      w={140}
      aria-label={label}
      placeholder={label}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${label}` }}
      valueFormat="D MMM YYYY"
      value={typeof value === 'string' ? value : null}
      onChange={(day) => change({ [name]: day ?? undefined })}
    />
  );
}
