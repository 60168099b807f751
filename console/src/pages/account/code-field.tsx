import { TextInput, type TextInputProps } from '@mantine/core';

export function CodeField(props: TextInputProps) {
  return (
    <TextInput
      label="Code of your authenticator app"
      description="Or a recovery code."
      required
      autoComplete="one-time-code"
      {...props}
    />
  );
}
