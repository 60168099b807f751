import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import type { CouponKind } from './coupon-template.entity.js';
import { CREATE_COUPON_TEMPLATE_REFUSALS, UPDATE_COUPON_TEMPLATE_REFUSALS } from './coupon.errors.js';
import { CouponKindEnum } from './coupon.types.js';

@ObjectType('CouponTemplate', { description: 'A template that coupons are issued from.' })
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
    description: 'AMOUNT: the initial balance. THRESHOLD: the discount. RATE: 0.',
  })
  amount!: string;

  @Field(() => DecimalScalar, { description: 'THRESHOLD: the minimum total of an order. Other kinds: 0.' })
  minimum!: string;

  @Field(() => Int, {
    description: 'RATE: the discount in per mille of the original total. Other kinds: 0.',
  })
  rateMille!: number;

  @Field(() => Int, nullable('Maximum number of coupons ever issued; null means no limit.'))
  issueLimit?: number | null | undefined;

  @Field(() => Int, { description: 'Coupons issued so far, including reversed ones.' })
  issued!: number;

  @Field(() => Int, nullable('Days from the issue of a coupon to its expiry.'))
  validDays?: number | null | undefined;

  @Field(() => InstantScalar, nullable('Start of the window in which coupons can be issued.'))
  startsAt?: Date | null | undefined;

  @Field(
    () => InstantScalar,
    nullable('End of the window: from then on no coupons are issued, and issued ones are expired.'),
  )
  endsAt?: Date | null | undefined;

  @Field(() => Boolean, { description: 'Whether coupons can be issued. Issued coupons stay valid.' })
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

  @Field(() => DecimalScalar, nullable('Required for AMOUNT and THRESHOLD; above 0.'))
  amount?: string | null;

  @Field(() => DecimalScalar, nullable('Required for THRESHOLD; above 0.'))
  minimum?: string | null;

  @Field(() => Int, nullable('Required for RATE: 1 to 1000 per mille of the original total.'))
  rateMille?: number | null;

  @Field(() => Int, nullable('Maximum number of coupons ever issued; missing means no limit.'))
  issueLimit?: number | null;

  @Field(() => Int, nullable('Days from the issue of a coupon to its expiry; missing leaves only `endsAt`.'))
  validDays?: number | null;

  @Field(() => InstantScalar, { nullable: true })
  startsAt?: Date | null;

  @Field(() => InstantScalar, nullable('End of the window (exclusive).'))
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

  @Field(() => Int, nullable('Not below the number of coupons already issued.'))
  issueLimit?: number | null;

  @Field(() => Int, nullable('Applies to coupons issued from now on.'))
  validDays?: number | null;

  @Field(() => InstantScalar, { nullable: true })
  startsAt?: Date | null;

  @Field(() => InstantScalar, nullable('Issued coupons keep their expiry.'))
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
