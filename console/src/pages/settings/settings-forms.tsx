import {
  Checkbox,
  JsonInput,
  NumberInput,
  PasswordInput,
  Select,
  SimpleGrid,
  TextInput,
} from '@mantine/core';
import { useAction, useOperation } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { labelOf } from '../../kit/format';
import {
  SettingsPlansDocument,
  UpdateSettingsDocument,
  type SettingsQuery,
  type TimeUnit,
  type UpdateSettingsMutationVariables,
} from './settings.gql';

export interface SettingsFormProps {
  readonly settings: SettingsQuery['globalConfig'];
  readonly onClose: () => void;
}

type Input = UpdateSettingsMutationVariables['input'];

/** Saves a section, from the version that is shown. */
export function useSave({ settings }: SettingsFormProps): (input: Input) => Promise<unknown> {
  const update = useAction(UpdateSettingsDocument);
  return async (input) => update.mutateAsync({ input: { ...input, expectedVersion: settings.version } });
}

/** An empty text clears a setting. */
export const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());
export const DONE = 'Every process goes by the settings within a second.';
export const COUNT = { min: 0, allowDecimal: false, thousandSeparator: ',' } as const;

export function SiteForm(props: SettingsFormProps) {
  const save = useSave(props);
  const { name, description, url, logoUrl } = props.settings.site;
  return (
    <FormModal
      title="Edit the site"
      initialValues={{
        site: { name: name ?? '', description: description ?? '', url: url ?? '', logoUrl: logoUrl ?? '' },
      }}
      submit={async ({ site }) =>
        save({
          site: {
            name: orNull(site.name),
            description: orNull(site.description),
            url: orNull(site.url),
            logoUrl: orNull(site.logoUrl),
          },
        })
      }
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" data-autofocus {...form.getInputProps('site.name')} />
          <TextInput label="Description" {...form.getInputProps('site.description')} />
          <TextInput label="Address" placeholder="https://" {...form.getInputProps('site.url')} />
          <TextInput label="Logo" placeholder="https://" {...form.getInputProps('site.logoUrl')} />
        </>
      )}
    </FormModal>
  );
}

export function AuthForm(props: SettingsFormProps) {
  const save = useSave(props);
  const { hasCaptchaSecret, captchaProviderUrl, captchaSiteKey, ...switches } = props.settings.auth;
  return (
    <FormModal
      title="Edit the sign-in by device"
      initialValues={{
        auth: {
          ...switches,
          captchaProviderUrl: captchaProviderUrl ?? '',
          captchaSiteKey: captchaSiteKey ?? '',
          captchaSecret: '',
        },
      }}
      submit={async ({ auth: { captchaSecret, ...auth } }) =>
        save({
          auth: {
            deviceSignInEnabled: auth.deviceSignInEnabled,
            captchaEnabled: auth.captchaEnabled,
            captchaProviderUrl: orNull(auth.captchaProviderUrl),
            captchaSiteKey: orNull(auth.captchaSiteKey),
            // The stored one stays unless another one is typed.
            ...(captchaSecret !== '' && { captchaSecret }),
          },
        })
      }
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => (
        <>
          <Checkbox
            label="Devices may sign in"
            {...form.getInputProps('auth.deviceSignInEnabled', { type: 'checkbox' })}
          />
          <Checkbox
            label="Each sign-in needs a solved captcha"
            {...form.getInputProps('auth.captchaEnabled', { type: 'checkbox' })}
          />
          <TextInput
            label="Captcha provider"
            description="Where solutions are verified. Another address needs the secret again."
            placeholder="https://"
            {...form.getInputProps('auth.captchaProviderUrl')}
          />
          <TextInput label="Site key" {...form.getInputProps('auth.captchaSiteKey')} />
          <PasswordInput
            label="Secret"
            description={
              hasCaptchaSecret ? 'Empty keeps the stored one.' : 'It is stored encrypted, and never shown.'
            }
            autoComplete="off"
            {...form.getInputProps('auth.captchaSecret')}
          />
        </>
      )}
    </FormModal>
  );
}

const UNITS: readonly TimeUnit[] = ['MINUTE', 'HOUR', 'DAY', 'MONTH', 'QUARTER', 'HALF_YEAR', 'YEAR'];

export function RegisterForm(props: SettingsFormProps) {
  const save = useSave(props);
  const { data } = useOperation(SettingsPlansDocument, {});
  const { signUpsPerAddress, signUpWindowMinutes, trialPlanId, trialQuantity, trialUnit } =
    props.settings.register;
  return (
    <FormModal
      title="Edit the registration"
      initialValues={{
        register: { signUpsPerAddress, signUpWindowMinutes, trialPlanId, trialQuantity, trialUnit },
      }}
      submit={async (input) => save(input)}
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => (
        <>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <NumberInput
              {...COUNT}
              label="Sign-ups of one address"
              description="0 means unlimited."
              data-autofocus
              {...form.getInputProps('register.signUpsPerAddress')}
            />
            <NumberInput
              {...COUNT}
              label="Within minutes"
              description="In this time."
              {...form.getInputProps('register.signUpWindowMinutes')}
            />
          </SimpleGrid>
          <Select
            label="Trial plan"
            description="A new user gets it once."
            placeholder="no trial"
            clearable
            clearButtonProps={{ 'aria-label': 'Clear the trial plan' }}
            data={(data?.plans.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            {...form.getInputProps('register.trialPlanId')}
          />
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <NumberInput
              {...COUNT}
              label="Length of the trial"
              {...form.getInputProps('register.trialQuantity')}
            />
            <Select
              label="Unit"
              allowDeselect={false}
              data={UNITS.map((value) => ({ value, label: labelOf(value) }))}
              {...form.getInputProps('register.trialUnit')}
            />
          </SimpleGrid>
        </>
      )}
    </FormModal>
  );
}

/** The object as it shall be: a key that is gone is sent as null, which removes it. */
function changesOf(before: object, typed: string): Record<string, unknown> {
  const after = JSON.parse(typed === '' ? '{}' : typed) as Record<string, unknown>;
  const removed = Object.keys(before).filter((key) => !(key in after));
  return { ...after, ...Object.fromEntries(removed.map((key) => [key, null])) };
}

function problemOf(typed: string): string | null {
  try {
    const value: unknown = JSON.parse(typed === '' ? '{}' : typed);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? null
      : 'Enter a JSON object.';
  } catch {
    return 'This is no JSON.';
  }
}

export function CustomDataForm(props: SettingsFormProps) {
  const save = useSave(props);
  const before = props.settings.customData as object;
  return (
    <FormModal
      title="Edit the custom data"
      size="xl"
      initialValues={{ customData: JSON.stringify(before, null, 2) }}
      validate={{ customData: problemOf }}
      submit={async ({ customData }) => save({ customData: changesOf(before, customData) })}
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => (
        <JsonInput
          label="A JSON object"
          description="At most 100 keys and 16 KiB. Every client of the tenant may read it."
          autosize
          minRows={6}
          maxRows={20}
          data-autofocus
          {...form.getInputProps('customData')}
        />
      )}
    </FormModal>
  );
}
