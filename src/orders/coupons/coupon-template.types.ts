import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import type { CouponKind } from './coupon-template.entity.js';
import { CREATE_COUPON_TEMPLATE_REFUSALS, UPDATE_COUPON_TEMPLATE_REFUSALS } from './coupon.errors.js';
import { CouponKindEnum } from './coupon.types.js';

@ObjectType('CouponTemplate', { description: 'The template of coupons.' })
export class CouponTemplateType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => CouponKindEnum)
  kind!: CouponKind;

  @Field(() => String)
  currency!: string;

  @Field(() => DecimalScalar, {
    description: 'The balance of an AMOUNT, what a THRESHOLD takes off; 0 for a RATE.',
  })
  amount!: string;

  @Field(() => DecimalScalar, { description: 'The least total of a THRESHOLD; 0 for the others.' })
  minimum!: string;

  @Field(() => Int, {
    description: 'Per mille of the original total that a RATE takes off; 0 for the others.',
  })
  rateMille!: number;

  @Field(() => Int, nullable('Coupons that there may ever be; null means any number.'))
  issueLimit?: number | null | undefined;

  @Field(() => Int, { description: 'Coupons that were issued so far; those that were taken back count.' })
  issued!: number;

  @Field(() => Int, nullable('Days from the issue of a coupon to its expiry.'))
  validDays?: number | null | undefined;

  @Field(() => InstantScalar, nullable('The first instant at which coupons are issued.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('From then on none are issued, and none that were are valid.'))
  endsAt?: Date | null | undefined;

  @Field(() => Boolean, { description: 'Whether coupons are issued. Those that are out stay valid.' })
  enabled!: boolean;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const CouponTemplatePageType = listPageOf(CouponTemplateType, 'CouponTemplatePage');

@InputType()
export class CreateCouponTemplateInput {
  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => CouponKindEnum)
  kind!: CouponKind;

  @Field(() => String, { description: 'The code of a currency of the tenant.' })
  currency!: string;

  @Field(() => DecimalScalar, nullable('Of AMOUNT and THRESHOLD: above 0.'))
  amount?: string | null;

  @Field(() => DecimalScalar, nullable('Of THRESHOLD: above 0.'))
  minimum?: string | null;

  @Field(() => Int, nullable('Of RATE: 1 to 1000 per mille of the original total.'))
  rateMille?: number | null;

  @Field(() => Int, nullable('Coupons that there may ever be; missing means any number.'))
  issueLimit?: number | null;

  @Field(() => Int, nullable('Days from the issue of a coupon to its expiry; missing leaves only `endsAt`.'))
  validDays?: number | null;

  @Field(() => InstantScalar, { nullable: true })
  startsAt?: Date | null;

  @Field(() => InstantScalar, nullable('The first instant after the window.'))
  endsAt?: Date | null;

  @Field(() => Boolean, nullable('Missing means true.'))
  enabled?: boolean | null;
}

@InputType({
  description:
    'Missing fields stay; null removes a limit or an end of the window. Kind, currency and amounts never change: create another template instead.',
})
export class UpdateCouponTemplateInput {
  @Field(() => ID)
  templateId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => Int, nullable('Not below what is issued.'))
  issueLimit?: number | null;

  @Field(() => Int, nullable('Of coupons that are issued from now on.'))
  validDays?: number | null;

  @Field(() => InstantScalar, { nullable: true })
  startsAt?: Date | null;

  @Field(() => InstantScalar, nullable('Coupons that are out keep the expiry that they were issued with.'))
  endsAt?: Date | null;

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

const template = { type: () => CouponTemplateType };

export const CreateCouponTemplatePayloadType = payloadType(
  'CreateCouponTemplate',
  CREATE_COUPON_TEMPLATE_REFUSALS,
  { template },
);
export const UpdateCouponTemplatePayloadType = payloadType(
  'UpdateCouponTemplate',
  UPDATE_COUPON_TEMPLATE_REFUSALS,
  { template },
);
