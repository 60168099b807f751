import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import {
  CREATE_CURRENCY_ERROR_CODES,
  CREATE_FACILITY_ERROR_CODES,
  UPDATE_CURRENCY_ERROR_CODES,
  UPDATE_FACILITY_ERROR_CODES,
} from './money.errors.js';

const FEE_RATE = 'The part of a transfer that is kept: from "0" to below "1".';
const DAY = 'Days begin at midnight in MONEY_TIME_ZONE.';

@ObjectType('Currency', { description: 'A currency of the tenant.' })
export class CurrencyType {
  @Field(() => String, { description: 'E.g. `USD`, `GOLD`.' })
  code!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Int, { description: 'Digits after the point.' })
  scale!: number;

  @Field(() => DecimalScalar, { description: FEE_RATE })
  feeRate!: string;

  @Field(() => DecimalScalar, nullable('The largest amount of one transfer; null means no limit.'))
  transferMax?: string | null | undefined;

  @Field(() => Int, nullable(`Transfers of one user in a day; null means no limit. ${DAY}`))
  dailyCountMax?: number | null | undefined;

  @Field(
    () => DecimalScalar,
    nullable(`The sum of one user's transfers in a day; null means no limit. ${DAY}`),
  )
  dailySumMax?: string | null | undefined;

  @Field(() => Boolean, { description: 'Transfers in a disabled currency are refused.' })
  enabled!: boolean;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@ObjectType('Facility', { description: 'Where money is kept: a shop, a branch, a game.' })
export class FacilityType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Boolean, { description: 'Transfers within a disabled facility are refused.' })
  enabled!: boolean;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const FacilityPageType = listPageOf(FacilityType, 'FacilityPage');

@InputType()
export class CreateCurrencyInput {
  @Field(() => String, { description: '2 to 8 capitals and digits, a capital first. It never changes.' })
  code!: string;

  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => Int, { description: 'Digits after the point, 0 to 10. It never changes.' })
  scale!: number;

  @Field(() => DecimalScalar, nullable(`${FEE_RATE} Missing means 0.`))
  feeRate?: string | null;

  @Field(() => DecimalScalar, nullable('The largest amount of one transfer; missing means no limit.'))
  transferMax?: string | null;

  @Field(() => Int, nullable('Transfers of one user in a day; missing means no limit.'))
  dailyCountMax?: number | null;

  @Field(() => DecimalScalar, nullable("The sum of one user's transfers in a day; missing means no limit."))
  dailySumMax?: string | null;
}

@InputType({ description: 'Missing fields stay. Code and scale never change.' })
export class UpdateCurrencyInput {
  @Field(() => String)
  code!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => DecimalScalar, nullable(FEE_RATE))
  feeRate?: string | null;

  @Field(() => DecimalScalar, nullable('Null removes the limit.'))
  transferMax?: string | null;

  @Field(() => Int, nullable('Null removes the limit.'))
  dailyCountMax?: number | null;

  @Field(() => DecimalScalar, nullable('Null removes the limit.'))
  dailySumMax?: string | null;

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class CreateFacilityInput {
  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;
}

@InputType({ description: 'Missing or null fields stay.' })
export class UpdateFacilityInput {
  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

export const CreateCurrencyPayloadType = payloadType('CreateCurrency', CREATE_CURRENCY_ERROR_CODES, {
  currency: { type: () => CurrencyType },
});
export const UpdateCurrencyPayloadType = payloadType('UpdateCurrency', UPDATE_CURRENCY_ERROR_CODES, {
  currency: { type: () => CurrencyType },
});
export const CreateFacilityPayloadType = payloadType('CreateFacility', CREATE_FACILITY_ERROR_CODES, {
  facility: { type: () => FacilityType },
});
export const UpdateFacilityPayloadType = payloadType('UpdateFacility', UPDATE_FACILITY_ERROR_CODES, {
  facility: { type: () => FacilityType },
});
