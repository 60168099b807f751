import { registerEnumType } from 'type-graphql';
import { InvariantError } from '../platform/assert.js';

type EnumOf<Value extends string> = { readonly [Key in Value]: Key };

const registered = new Map<string, Record<string, string>>();

/**
 * Puts a const array of codes into the schema as an enum, in the array's order and with the same spelling everywhere.
 * Two features may name the same enum; they must mean the same values.
 *
 * @example const CampaignStatusEnum = enumFromValues('CampaignStatus', CAMPAIGN_STATUSES, 'Where a campaign stands.');
 */
export function enumFromValues<const Value extends string>(
  name: string,
  values: readonly Value[],
  description: string,
  valueDescriptions: Partial<Record<Value, string>> = {},
): EnumOf<Value> {
  const known = registered.get(name);
  if (known !== undefined) {
    if (Object.keys(known).join() === values.join()) return known as EnumOf<Value>;
    throw new InvariantError(`The enum ${name} is declared twice with different values.`);
  }
  const entries = Object.fromEntries(values.map((value) => [value, value])) as Record<Value, Value>;
  registerEnumType(entries, { name, description, valuesConfig: valuesConfigOf(valueDescriptions) });
  registered.set(name, entries);
  return entries as unknown as EnumOf<Value>;
}

function valuesConfigOf<Value extends string>(descriptions: Partial<Record<Value, string>>) {
  const described = Object.entries(descriptions) as [Value, string][];
  return Object.fromEntries(described.map(([value, description]) => [value, { description }])) as {
    [Key in Value]?: { description: string };
  };
}
