import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { TENANT_TYPES, type TenantType } from '../tenancy/tenant.entity.js';
import { CampaignRuleType } from './campaign-rule.types.js';
import {
  CAMPAIGN_STATUSES,
  CODE_VISIBILITIES,
  type CampaignStatus,
  type CodeVisibility,
} from './campaign.entity.js';
import {
  CAMPAIGN_WARNINGS,
  CREATE_CAMPAIGN_REFUSALS,
  DELETE_CAMPAIGN_REFUSALS,
  UPDATE_CAMPAIGN_REFUSALS,
  type CampaignStateRefusal,
  type CampaignWarning,
} from './campaign.errors.js';

export const CampaignStatusEnum = enumFromValues(
  'CampaignStatus',
  CAMPAIGN_STATUSES,
  'DRAFT → ACTIVE ⇄ PAUSED → ENDED, which is final. Codes are redeemed while ACTIVE.',
);
export const CodeVisibilityEnum = enumFromValues(
  'CodeVisibility',
  CODE_VISIBILITIES,
  'VISIBLE: staff can list the codes again. HASHED: codes are shown once, at generation.',
);
const TenantTypeEnum = enumFromValues(
  'TenantType',
  TENANT_TYPES,
  'PLATFORM runs the installation, CHANNEL uses it.',
);

@ObjectType('Campaign', { description: 'A set of codes with one rule.' })
export class CampaignType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => ID)
  tenantId!: string;

  @Field(() => String)
  tenantName!: string;

  @Field(() => TenantTypeEnum)
  tenantType!: TenantType;

  @Field(() => CampaignStatusEnum)
  status!: CampaignStatus;

  @Field(() => InstantScalar, nullable('The first instant at which codes are redeemed.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('The first instant at which codes are no longer redeemed.'))
  endsAt?: Date | null | undefined;

  @Field(() => CampaignRuleType)
  rule!: CampaignRuleType;

  @Field(() => CodeVisibilityEnum)
  codeVisibility!: CodeVisibility;

  @Field(() => Int, { description: 'Redemptions that a user may make; 0 means unlimited.' })
  userLimitTotal!: number;

  @Field(() => Int, {
    description: "Redemptions that a user may make on one day of the tenant's time zone; 0 means unlimited.",
  })
  userLimitDay!: number;

  @Field(() => Int, { description: 'Redemptions that there may be; 0 means unlimited.' })
  budgetUses!: number;

  @Field(() => DecimalScalar, { description: 'Sum of the values of rewards; 0 means unlimited.' })
  budgetValue!: string;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const CampaignPageType = listPageOf(CampaignType, 'CampaignPage');

const campaign = { type: () => CampaignType };

export const CreateCampaignPayloadType = payloadType(
  'CreateCampaign',
  CREATE_CAMPAIGN_REFUSALS,
  {
    campaign,
    batchId: { type: () => ID, description: 'The first batch; null where no codes were asked for.' },
    codes: {
      type: () => [String],
      description:
        "The first batch's codes. Null where there are none, and when a HASHED campaign's call is repeated.",
    },
  },
  { hasRetryAfter: true, hasPosition: true },
);
export const UpdateCampaignPayloadType = payloadType(
  'UpdateCampaign',
  UPDATE_CAMPAIGN_REFUSALS,
  {
    campaign,
  },
  { hasPosition: true },
);

export const DeleteCampaignPayloadType = payloadType('DeleteCampaign', DELETE_CAMPAIGN_REFUSALS, {
  campaignId: { type: () => ID, description: 'The deleted campaign.' },
});

const CampaignWarningEnum = enumFromValues(
  'CampaignWarningCode',
  CAMPAIGN_WARNINGS,
  'Something to check before a campaign is announced.',
);

@ObjectType('CampaignWarning', { description: 'The call succeeded, but the result may not be intended.' })
export class CampaignWarningType {
  @Field(() => CampaignWarningEnum)
  code!: CampaignWarning;

  @Field(() => String, { description: 'A sentence for people; programs go by the code.' })
  message!: string;
}

const NOT_FOUND_OR_ENDED = ['CAMPAIGN_NOT_FOUND', 'CAMPAIGN_ENDED'] as const;
const withState = (...states: CampaignStateRefusal[]) => [...NOT_FOUND_OR_ENDED, ...states];

export const ActivateCampaignPayloadType = payloadType('ActivateCampaign', withState('CAMPAIGN_NOT_DRAFT'), {
  campaign,
  warnings: {
    type: () => [CampaignWarningType],
    description: 'Warnings to check: a campaign without rewards, or one whose window is over.',
  },
});
export const PauseCampaignPayloadType = payloadType('PauseCampaign', withState('CAMPAIGN_NOT_ACTIVE'), {
  campaign,
});
export const ResumeCampaignPayloadType = payloadType('ResumeCampaign', withState('CAMPAIGN_NOT_PAUSED'), {
  campaign,
});
export const EndCampaignPayloadType = payloadType('EndCampaign', withState('CAMPAIGN_NOT_STARTED'), {
  campaign,
});
