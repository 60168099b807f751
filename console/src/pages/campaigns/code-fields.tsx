import {
  Alert,
  Checkbox,
  Fieldset,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  TextInput,
} from '@mantine/core';
import { useOperation } from '../../api/queries';
import type { CampaignFormOf } from './campaign-values';
import { RewardTargetsDocument, type CodeType } from './campaigns.gql';

const TYPES: readonly { readonly value: CodeType; readonly label: string }[] = [
  { value: 'ALPHANUM', label: 'Letters and digits' },
  { value: 'RANDOM_NUM', label: 'Digits' },
  { value: 'PATTERN', label: 'A pattern' },
  { value: 'UUID', label: 'UUID' },
];

/** What the codes look like and how often each can be used. */
export function CodeFields({ form }: { readonly form: CampaignFormOf }) {
  return (
    <Fieldset legend="Codes">
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
        <FormatFields form={form} />
        <UseFields form={form} />
      </SimpleGrid>
      <OtherFaults form={form} />
    </Fieldset>
  );
}

function FormatFields({ form }: { readonly form: CampaignFormOf }) {
  const { codeType } = form.values.rule;
  const isPattern = codeType === 'PATTERN';
  const isUuid = codeType === 'UUID';
  return (
    <>
      <Select label="Type" allowDeselect={false} data={[...TYPES]} {...form.getInputProps('rule.codeType')} />
      {isPattern && (
        <TextInput
          label="Pattern"
          description="# is a random character."
          placeholder="SUMMER-####-####"
          required
          {...form.getInputProps('rule.pattern')}
        />
      )}
      {!isPattern && !isUuid && (
        <>
          <NumberInput
            label="Random characters"
            description="1 to 32"
            allowDecimal={false}
            {...form.getInputProps('rule.length')}
          />
          <TextInput
            label="Prefix"
            description="Letters, digits, hyphens."
            {...form.getInputProps('rule.prefix')}
          />
        </>
      )}
      {!isUuid && (
        <>
          {codeType !== 'RANDOM_NUM' && (
            <TextInput
              label="Characters"
              placeholder="without look-alikes"
              description="Capitals and digits to draw from."
              {...form.getInputProps('rule.alphabet')}
            />
          )}
          <TextInput
            label="Excluded characters"
            placeholder="none"
            description="One after the other, such as 0O1I."
            {...form.getInputProps('rule.excludeChars')}
          />
          <Checkbox
            mt={{ base: 0, xs: 28 }}
            label="Check character at the end"
            description="Refuses typing errors before a look-up."
            {...form.getInputProps('rule.checkCharacter', { type: 'checkbox' })}
          />
        </>
      )}
    </>
  );
}

function UseFields({ form }: { readonly form: CampaignFormOf }) {
  const { data } = useOperation(RewardTargetsDocument, {});
  const lines = data?.productLines ?? [];
  return (
    <>
      <NumberInput
        label="Uses of one code"
        description="0 means unlimited."
        min={0}
        allowDecimal={false}
        thousandSeparator=","
        {...form.getInputProps('rule.useLimit')}
      />
      <NumberInput
        label="Valid for days"
        placeholder="without end"
        description="From the issue of a code."
        allowDecimal={false}
        {...form.getInputProps('rule.validDays')}
      />
      <MultiSelect
        label="Product lines"
        placeholder={form.values.rule.applicableProducts.length === 0 ? 'all' : ''}
        description="Where the codes can be redeemed."
        data={lines.map(({ code, name }) => ({ value: code, label: `${code} – ${name}` }))}
        {...form.getInputProps('rule.applicableProducts')}
      />
      <TextInput
        label="Rule id"
        placeholder="the name"
        description="Your own name of the rule."
        {...form.getInputProps('rule.ruleId')}
      />
    </>
  );
}

/** The server may refuse a part that this type of code has no field for, or a part of a list. */
function OtherFaults({ form }: { readonly form: CampaignFormOf }) {
  const { codeType } = form.values.rule;
  const isHidden = (path: string): boolean =>
    path === 'rule' ||
    path.startsWith('rule.excludeChars.') ||
    path.startsWith('rule.applicableProducts.') ||
    (path === 'rule.length' && (codeType === 'UUID' || codeType === 'PATTERN')) ||
    (path === 'rule.prefix' && (codeType === 'UUID' || codeType === 'PATTERN'));
  const faults = Object.entries(form.errors).filter(([path]) => isHidden(path));
  return faults.map(([path, message]) => (
    <Alert key={path} color="red" role="alert" mt="sm">
      {message}
    </Alert>
  ));
}
