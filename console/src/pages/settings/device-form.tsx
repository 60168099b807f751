import { NumberInput } from '@mantine/core';
import { FormModal } from '../../kit/form-modal';
import { COUNT, DONE, useSave, type SettingsFormProps } from './settings-forms';

/** Limits of a user's devices. */
export function DeviceForm(props: SettingsFormProps) {
  const save = useSave(props);
  const { devicesPerUser, onlinePerUser } = props.settings.device;
  return (
    <FormModal
      title="Edit the devices"
      initialValues={{ device: { devicesPerUser, onlinePerUser } }}
      submit={async (input) => save(input)}
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => (
        <>
          <NumberInput
            {...COUNT}
            label="Devices of a user"
            description="0: only the plan limits them."
            data-autofocus
            {...form.getInputProps('device.devicesPerUser')}
          />
          <NumberInput
            {...COUNT}
            label="Online at once"
            description="0 means unlimited."
            {...form.getInputProps('device.onlinePerUser')}
          />
        </>
      )}
    </FormModal>
  );
}
