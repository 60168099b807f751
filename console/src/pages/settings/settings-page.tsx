import { Alert, Stack, Text } from '@mantine/core';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { None } from '../../kit/cells';
import { labelOf } from '../../kit/format';
import { PageTitle } from '../../kit/page-title';
import { StatusBadge } from '../../kit/status-badge';
import { AuthForm, CustomDataForm, RegisterForm, SiteForm } from './settings-forms';
import { DeviceForm } from './device-form';
import { EncryptionForm } from './encryption-form';
import { Section } from './section';
import { SettingsDocument, type SettingsQuery } from './settings.gql';

type Settings = SettingsQuery['globalConfig'];

/** What the tenant sets for its sites, apps and devices. */
export function SettingsPage() {
  const query = useOperation(SettingsDocument, {});
  const settings = query.data?.globalConfig;
  return (
    <Stack gap="sm">
      <PageTitle title="Settings" />
      {query.isError && (
        <Alert color="red" title="The settings could not be read" role="alert">
          {messageOf(query.error)}
        </Alert>
      )}
      {settings === undefined && !query.isError && <Text size="sm">Loading …</Text>}
      {settings !== undefined && <Sections settings={settings} />}
    </Stack>
  );
}

const onOff = (isOn: boolean) => <StatusBadge value={isOn ? 'ENABLED' : 'OFF'} />;
const text = (value: string | null) => value ?? <None />;
const limit = (value: number) => (value === 0 ? <None says="unlimited" /> : String(value));

function Sections({ settings }: { readonly settings: Settings }) {
  const { site, auth, register, customData } = settings;
  const { trialPlanId, trialQuantity, trialUnit } = register;
  return (
    <>
      <Section
        title="Site"
        facts={[
          ['Name', text(site.name)],
          ['Description', text(site.description)],
          ['Address', text(site.url)],
          ['Logo', text(site.logoUrl)],
        ]}
        form={(onClose) => <SiteForm settings={settings} onClose={onClose} />}
      />
      <Section
        title="Sign-in by device"
        facts={[
          ['Sign-in', onOff(auth.deviceSignInEnabled)],
          ['Captcha', onOff(auth.captchaEnabled)],
          ['Captcha provider', text(auth.captchaProviderUrl)],
          ['Site key', text(auth.captchaSiteKey)],
          ['Secret', auth.hasCaptchaSecret ? 'stored, never shown' : <None />],
        ]}
        form={(onClose) => <AuthForm settings={settings} onClose={onClose} />}
      />
      <Section
        title="Registration"
        facts={[
          ['Sign-ups of one address', limit(register.signUpsPerAddress)],
          ['Within', `${register.signUpWindowMinutes} minutes`],
          [
            'Trial',
            trialPlanId === null ? (
              <None />
            ) : (
              `${trialQuantity} × ${labelOf(trialUnit)} of plan ${trialPlanId}`
            ),
          ],
        ]}
        form={(onClose) => <RegisterForm settings={settings} onClose={onClose} />}
      />
      <DeviceSections settings={settings} />
      <Section
        title="Custom data"
        facts={Object.entries(customData as Readonly<Record<string, unknown>>).map(
          ([key, value]) => [key, JSON.stringify(value)] as const,
        )}
        empty="A JSON object that only the clients of the tenant read. It is empty."
        form={(onClose) => <CustomDataForm settings={settings} onClose={onClose} />}
      />
    </>
  );
}

function DeviceSections({ settings }: { readonly settings: Settings }) {
  const { devicesPerUser, onlinePerUser, ...encryption } = settings.device;
  const { encryptionEnabled, encryptionKeyId, encryptionV1KeyId, encryptionKeyIds } = encryption;
  return (
    <>
      <Section
        title="Devices"
        facts={[
          [
            'Devices of a user',
            devicesPerUser === 0 ? <None says="as the plan says" /> : String(devicesPerUser),
          ],
          ['Online at once', limit(onlinePerUser)],
        ]}
        form={(onClose) => <DeviceForm settings={settings} onClose={onClose} />}
      />
      <Section
        title="Encrypted transmission"
        facts={[
          ['Of devices', onOff(encryptionEnabled)],
          ['Key of clients', text(encryptionKeyId)],
          ['Key of v1', encryptionV1KeyId ?? <None says="v1 is refused" />],
          ['Keys accepted', encryptionKeyIds.length === 0 ? <None /> : encryptionKeyIds.join(', ')],
        ]}
        form={(onClose) => <EncryptionForm settings={settings} onClose={onClose} />}
      />
    </>
  );
}
