import { CloseButton, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useSearch } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { labelOf } from './format';
import { useSearchChange } from './use-search-change';

const TYPING_MS = 300;

interface FilterProps {
  /** The search parameter of the page. */
  readonly name: string;
  readonly label: string;
}

function useFilter(name: string): [string, (value: string) => void] {
  const search: Readonly<Record<string, unknown>> = useSearch({ strict: false });
  const change = useSearchChange();
  const value = search[name];
  return [
    typeof value === 'string' ? value : '',
    (next) => change({ [name]: next === '' ? undefined : next }),
  ];
}

/** A text in the address, taken over when typing pauses. */
export function TextFilter({ name, label }: FilterProps) {
  const [value, set] = useFilter(name);
  const [typed, setTyped] = useState(value);
  const take = useDebouncedCallback(set, TYPING_MS);
  useEffect(() => setTyped(value), [value]);
  const type = (text: string): void => {
    setTyped(text);
    take(text.trim());
  };
  return (
    <TextInput
      size="xs"
      w={240}
      aria-label={label}
      placeholder={label}
      value={typed}
      leftSection={<Search size={14} aria-hidden />}
      rightSection={
        typed === '' ? null : <CloseButton size="xs" aria-label={`Clear ${label}`} onClick={() => type('')} />
      }
      onChange={({ currentTarget }) => type(currentTarget.value)}
    />
  );
}

/** One of several values in the address. */
export function ChoiceFilter({ name, label, values }: FilterProps & { readonly values: readonly string[] }) {
  const [value, set] = useFilter(name);
  return (
    <Select
      size="xs"
      w={180}
      aria-label={label}
      placeholder={label}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${label}` }}
      value={value === '' ? null : value}
      data={values.map((each) => ({ value: each, label: labelOf(each) }))}
      onChange={(next) => set(next ?? '')}
    />
  );
}
