import { TextInput, type TextInputProps } from '@mantine/core';
import { useState } from 'react';
import { useTenantZone } from '../api/viewer';
import { instantOf, localTime } from './local-time';

interface TenantTimeFieldProps extends Omit<TextInputProps, 'value' | 'onChange' | 'description'> {
  readonly label: string;
  readonly description: string;
  /** An instant of the server, as the form holds it; null for an empty field. */
  readonly value?: string | null;
  readonly onChange?: (instant: string | null) => void;
}

/**
 * A time from or until which something holds, by the clock of the tenant, which it names. The form has the instant: one
 * that is not changed keeps its seconds, and its place in an hour that comes twice.
 */
export function TenantTimeField({ value = null, onChange, description, ...input }: TenantTimeFieldProps) {
  const zone = useTenantZone();
  const [was] = useState(value);
  /** What the browser shows: half of a date has no instant yet. */
  const [local, setLocal] = useState(() => localTime(value, zone));
  const type = (text: string): void => {
    setLocal(text);
    onChange?.(instantOf(text, zone, was));
  };
  return (
    <TextInput
      type="datetime-local"
      max="9999-12-31T23:59"
      {...input}
      description={`Time of ${zone}. ${description}`}
      value={local}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}
